//! Receivers, routes and the heartbeat, from `moko-mon.yaml` to the mailbox: one stack, and a server for each kind.

mod routes;
mod secrets;
mod world;

use serde_json::Value;

use self::world::{World, alert};
use crate::sinks::http::{Answer, Service};
use crate::sinks::mail::Mail;
use crate::support::{docker, eventually, when};

#[test]
fn whatever_happens_the_right_people_are_told() {
    let world = World::new();
    world.stack.up();
    assert_eq!(world.stack.plan(), Vec::<String>::new());

    a_script_that_fails_ends_as_a_mail_and_everywhere_else(&world);
    a_wrong_authority_keeps_a_mail_from_being_sent(&world);
    let password = secrets::a_changed_password_is_delivered(&world);
    trouble_of_one_is_no_trouble_of_another(&world);
    let begun = restarted_while_some_have_not_been_told(&world);
    routes::each_alert_takes_its_way(&world);
    routes::the_worse_keeps_the_milder_quiet(&world);
    many_alerts_are_few_messages(&world);
    a_test_says_who_can_be_told(&world);
    what_is_refused_changes_nothing(&world);
    nothing_was_lost(&world, &begun);
    the_heart_beats_for_one_alone(&world);
    every_request_was_one_that_its_service_takes(&world);
    secrets::nobody_sees_them(&world, &password);
}

/// Those of team `all`.
const KINDS: [Service; 7] = Service::ALL;

fn a_script_that_fails_ends_as_a_mail_and_everywhere_else(world: &World) {
    world.stack.run(&["run", "nightly"]).code(1);
    let title = "[critical] JobFailed: The last run of job nightly failed";
    for (mail, to) in world.mails(title).iter().zip(["ops@example.com anna@example.com", "ops@example.com"]) {
        assert_eq!(mail.subject(), title);
        assert!(mail.encrypted && mail.user.as_deref() == Some("moko"), "{mail:?}");
        assert_eq!((mail.from.as_str(), mail.to.join(" ").as_str()), ("moko@example.com", to));
        assert_eq!(mail.header("Auto-Submitted").as_deref(), Some("auto-generated"));
        let run = world.stack.query("moko_script_last_run_info{script_name=\"nightly\"}")[0]["metric"].clone();
        let (text, html) = mail.bodies();
        for part in [
            "The last run of job nightly failed",
            run["instance"].as_str().unwrap(),
            run["run_id"].as_str().unwrap(),
            "docs/runbooks/JobFailed.md",
            "https://alerts.example.com/#/silences/new?filter=%7B",
            "https://alerts.example.com/#/alerts?receiver=mail",
        ] {
            assert!(text.contains(part) && html.contains(part), "no {part}:\n{text}\n{html}");
        }
        assert!(text.contains("Exit code:  1\n") && text.contains("Since:      2"), "{text}");
    }
    for service in KINDS {
        world.request(service, "nightly");
    }
    eventually("Slack's app is told", || {
        let all = world.chats.requests(Service::Slack);
        let app = all.iter().find(|request| request.path == "/app");
        when(app.is_some_and(|app| app.header("authorization") == "Bearer slack-token-s9"), all)
    });
    let told = |receiver: &str| {
        let wanted = (receiver.to_owned(), "JobFailed".to_owned(), String::new());
        eventually(&format!("{receiver} is told"), || when(world.told().contains(&wanted), world.told()));
    };
    told("hook");
    told("raw");
    // moko:hook-password-s7
    assert_eq!(world.hooked("/hook")[0].header("authorization"), "Basic bW9rbzpob29rLXBhc3N3b3JkLXM3");
}

fn a_wrong_authority_keeps_a_mail_from_being_sent(world: &World) {
    let mut labels = alert(&[("alertname", "Wrong"), ("severity", "critical"), ("team", "wrong-ca")]);
    world.send(std::slice::from_ref(&labels));
    eventually("the reason is in the log", || {
        let log = logs(world);
        when(log.contains("certificate signed by unknown authority"), log)
    });
    assert!(world.starttls.mails().iter().all(|mail| !mail.subject().contains("Wrong")));
    labels["endsAt"] = Value::from("2020-01-01T00:00:00Z");
    world.send(&[labels]);
}

fn logs(world: &World) -> String {
    let log = crate::support::docker::attempt(&["logs", &world.stack.container("alertmanager")]);
    format!("{}{}", log.stdout, log.stderr)
}

/// The services that are in trouble while the job `weekly` fails.
const TROUBLED: [Service; 3] = [Service::Slack, Service::Pagerduty, Service::Discord];

fn trouble_of_one_is_no_trouble_of_another(world: &World) {
    world.chats.answer(Service::Slack, Answer::Status(500, "trouble"));
    world.chats.answer(Service::Pagerduty, Answer::TooMany(1));
    world.chats.answer(Service::Discord, Answer::Never);
    world.stack.run(&["run", "weekly"]).code(1);
    world.mails("JobFailed: The last run of job weekly failed");
    for service in KINDS {
        world.request(service, "weekly");
    }
    eventually("they are tried again", || {
        let tries = TROUBLED.map(|service| about_weekly(world, service));
        when(tries.iter().all(|tries| *tries > 1), tries)
    });
    let output = world.stack.run(&["verify", "--only", "alerting.delivery", "--output", "json"]);
    let checks = output.json()["data"]["checks"].clone();
    let check = checks.as_array().unwrap().iter().find(|check| check["id"] == "alerting.delivery").unwrap();
    // They took others before, and Prometheus does not know yet how long ago.
    assert!(["warn", "fail"].iter().any(|outcome| check["outcome"] == *outcome), "{check}");
    let evidence = check["evidence"].as_str().unwrap();
    for (receiver, named) in [("slack", true), ("pagerduty", true), ("discord", true), ("mail", false), ("hook", false)]
    {
        assert_eq!(evidence.contains(&format!("receiver `{receiver}`")), named, "{receiver}: {evidence}");
    }
}

fn about_weekly(world: &World, service: Service) -> usize {
    world.chats.requests(service).iter().filter(|request| request.body.contains("weekly")).count()
}

/// Returns how often those in trouble had been asked when they were well again.
fn restarted_while_some_have_not_been_told(world: &World) -> [usize; 3] {
    docker(&["restart", &world.stack.container("alertmanager")]);
    world.ready();
    let begun = TROUBLED.map(|service| about_weekly(world, service));
    for service in TROUBLED {
        world.chats.answer(service, Answer::Thanks);
    }
    begun
}

/// Prometheus tells Alertmanager again, and those who have not been told are told; the others are not told twice.
fn nothing_was_lost(world: &World, begun: &[usize; 3]) {
    for (service, begun) in TROUBLED.into_iter().zip(begun) {
        eventually(&format!("{} is told after all", service.name()), || {
            let asked = about_weekly(world, service);
            when(asked > *begun, (asked, begun))
        });
    }
    for sink in [&world.starttls, &world.implicit] {
        let subjects: Vec<String> = sink.mails().iter().map(Mail::subject).collect();
        let weekly = subjects.iter().filter(|subject| subject.contains("weekly")).count();
        assert_eq!(weekly, 1, "{subjects:?}");
    }
    assert_eq!([Service::Teams, Service::Opsgenie, Service::Telegram].map(|of| about_weekly(world, of)), [1, 1, 1]);
}

fn many_alerts_are_few_messages(world: &World) {
    let many = (0..500).map(|number| {
        let instance = format!("host-{number}:9100");
        alert(&[("alertname", "TargetDown"), ("severity", "critical"), ("team", "all"), ("instance", &instance)])
    });
    world.send(&many.collect::<Vec<_>>());
    let (text, html) = world.mails("[critical] 500 × TargetDown")[0].bodies();
    assert!(text.contains("… and 490 more") && html.contains("… and 490 more"), "{text}");
    for service in KINDS {
        world.request(service, "TargetDown");
        let count = world.chats.requests(service).iter().filter(|of| of.body.contains("TargetDown")).count();
        let receivers = if matches!(service, Service::Webhook | Service::Slack) { 2 } else { 1 };
        assert!(count <= 3 * receivers, "{count} requests to {}", service.name());
    }
    for sink in [&world.starttls, &world.implicit] {
        let count = sink.mails().iter().filter(|mail| mail.subject().contains("TargetDown")).count();
        assert!(count <= 3, "{count} mails");
    }
}

fn a_test_says_who_can_be_told(world: &World) {
    let test = world.stack.run(&["alert", "test", "--all", "--output", "json"]).code(1).json()["data"].clone();
    let deliveries = test["deliveries"].as_array().unwrap();
    assert_eq!(deliveries.len(), 19, "{deliveries:?}");
    for delivery in deliveries {
        let failed = delivery["receiver"] == "mail-wrong-ca";
        assert_eq!(delivery["outcome"], if failed { "failed" } else { "delivered" }, "{delivery}");
        let reason = delivery["error"].as_str().unwrap_or_default();
        assert_eq!(reason.contains("certificate signed by unknown authority"), failed, "{delivery}");
    }
    world.mails("[test] Test message for receiver mail");

    // The last hop of `verify --deep`: the same, but for those that would wake somebody.
    let deep = world.stack.run(&["verify", "--deep", "--only", "canary", "--output", "json"]).code(1).json();
    assert_eq!(deep["data"]["canary"]["broken"], "delivered", "{deep:#}");
    let hops = deep["data"]["canary"]["hops"].as_array().unwrap();
    let said = hops.last().unwrap()["evidence"].as_str().unwrap();
    assert!(said.starts_with("`mail-wrong-ca` by email: a test message was not taken: "), "{said}");
    assert!(said.contains("`mail` by email: a test message was taken after "), "{said}");
    assert!(said.ends_with("not tested, so that nobody is woken: pagerduty, opsgenie"), "{said}");
    assert!(!said.contains("`pagerduty` by") && !said.contains("`opsgenie` by"), "{said}");
}

fn what_is_refused_changes_nothing(world: &World) {
    let (running, lives) = (world.running(), world.stack.lives());
    let settings = world.settings();
    let line = |text: &str| {
        let at = settings.lines().position(|line| line.contains(text)).unwrap();
        format!("moko-mon.yaml:{}", at + 1)
    };
    let hidden = "an-inline-secret";
    for (old, new, line, parts) in [
        (
            "[{url_file: secrets/raw, max_alerts: 20}]",
            "[{address: x}]",
            line("- name: raw"),
            ["Alertmanager refuses", "address"],
        ),
        ("warning: [chat]", "warning: [chart]", line("warning: [chat]"), ["chart", "chat"]),
        ("receiver: own}", "receiver: nobody-knows}", line("receiver: own}"), ["nobody-knows", "expected"]),
        (
            "routing_key_file: secrets/pagerduty",
            "routing_key: an-inline-secret",
            line("routing_key_file"),
            ["routing_key_file", "routing_key_env"],
        ),
        ("timezone: Europe/Berlin", "timezone: Europe/Bonn", line("timezone"), ["Europe/Bonn", "timezone"]),
    ] {
        assert!(settings.contains(old), "{old}");
        world.stack.config(&settings.replacen(old, new, 1));
        let output = world.stack.run(&["up"]).code(2).says(&[&line]).says(&parts);
        assert!(!output.to_string().contains(hidden), "{output}");
    }
    world.stack.config(&settings);
    assert_eq!(world.running(), running);
    assert_eq!(world.stack.lives(), lives);
    assert_eq!(world.stack.plan(), Vec::<String>::new());
}

fn the_heart_beats_for_one_alone(world: &World) {
    eventually("it beats again and again", || {
        let beats = world.hooked(&format!("/{}", world::SECRETS[7]));
        when(beats.len() >= 3 && beats.iter().all(|beat| beat.body.contains("\"Watchdog\"")), beats.len())
    });
    for service in KINDS {
        for request in world.chats.requests(service).iter().filter(|of| !of.path.contains(world::SECRETS[7])) {
            assert!(!request.body.contains("Watchdog"), "{request:?}");
        }
    }
    for mail in world.starttls.mails().iter().chain(&world.implicit.mails()) {
        assert!(!mail.subject().contains("Watchdog"), "{mail:?}");
    }
}

fn every_request_was_one_that_its_service_takes(world: &World) {
    for service in KINDS {
        for request in world.chats.requests(service) {
            service.check(&request).unwrap_or_else(|reason| panic!("{}: {reason}: {request:#?}", service.name()));
        }
    }
}
