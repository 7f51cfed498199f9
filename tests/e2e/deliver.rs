//! Real alerts through a real Alertmanager with our templates, to a mail server and to the services of chats and pagers.

use serde_json::{Value, json};

use crate::sinks::http::{Answer, HttpSink, Request, Service};
use crate::sinks::mail::Mail;
use crate::sinks::smtp::{SmtpSink, Tls, Wants};
use crate::sinks::{CA, HOST};
use crate::support::docker::{Foreign, attempt, docker, put_file};
use crate::support::stack::{free_port, image};
use crate::support::{eventually, http, when};

/// The services, a mail server with STARTTLS, and one with TLS from the start.
struct Sinks {
    chats: HttpSink,
    submission: SmtpSink,
    smtps: SmtpSink,
}

/// Everything in one receiver, each kind with its templates.
fn configuration(sinks: &Sinks) -> String {
    let chats = &sinks.chats;
    let mail = |port: u16, more: &str| {
        format!(
            "      - to: ops@example.com, anna@example.com
        from: moko@example.com
        smarthost: {HOST}:{port}
        auth_username: moko
        auth_password_file: /tmp/password
        tls_config: {{ca_file: /tmp/ca.pem}}
        send_resolved: true
        headers: {{Subject: '{{{{ template \"moko.subject\" . }}}}', Auto-Submitted: auto-generated}}
        html: '{{{{ template \"moko.email.html\" . }}}}'
        text: '{{{{ template \"moko.email.text\" . }}}}'
{more}"
        )
    };
    let fields = |list: &[(&str, &str)]| {
        let line =
            |(field, template): &(&str, &str)| format!("        {field}: '{{{{ template \"moko.{template}\" . }}}}'\n");
        list.iter().map(line).collect::<String>()
    };
    [
        "templates: [/tmp/*.tmpl]\n".to_owned(),
        "route: {receiver: all, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 12h}\n".to_owned(),
        "receivers:\n  - name: all\n    email_configs:\n".to_owned(),
        mail(sinks.submission.port, ""),
        mail(sinks.smtps.port, "        force_implicit_tls: true\n"),
        "    slack_configs:\n      - api_url_file: /tmp/slack\n        channel: '#ops'\n        send_resolved: true\n        mrkdwn_in: [text]\n".to_owned(),
        fields(&[("title", "chat.title"), ("title_link", "alerts.url"), ("text", "chat.text"), ("fallback", "chat.title"), ("color", "chat.color")]),
        format!("    msteamsv2_configs:\n      - webhook_url: {}\n        send_resolved: true\n", chats.url(Service::Teams)),
        fields(&[("title", "markdown.title"), ("text", "markdown")]),
        format!("    discord_configs:\n      - webhook_url: {}\n        send_resolved: true\n", chats.url(Service::Discord)),
        fields(&[("title", "markdown.title"), ("message", "markdown")]),
        format!("    telegram_configs:\n      - api_url: {}\n        bot_token: '12345:secret'\n        chat_id: -100\n        parse_mode: HTML\n        send_resolved: true\n", chats.url(Service::Telegram)),
        fields(&[("message", "telegram")]),
        format!("    pagerduty_configs:\n      - url: {}\n        routing_key: {}\n        send_resolved: true\n        client: moko-mon\n        details: {{text: '{{{{ template \"moko.email.text\" . }}}}', exit_code: '{{{{ .CommonAnnotations.exit_code }}}}'}}\n        links:\n          - {{href: '{{{{ .CommonAnnotations.runbook_url }}}}', text: Runbook}}\n          - {{href: '{{{{ template \"moko.silence.url\" . }}}}', text: Silence}}\n", chats.url(Service::Pagerduty), "a".repeat(32)),
        fields(&[("description", "pagerduty.description"), ("severity", "pagerduty.severity"), ("source", "pagerduty.source"), ("client_url", "alerts.url")]),
        format!("    opsgenie_configs:\n      - api_url: {}/\n        api_key: secret\n        send_resolved: true\n        source: moko-mon\n", chats.url(Service::Opsgenie)),
        fields(&[("message", "opsgenie.message"), ("description", "opsgenie.description"), ("priority", "opsgenie.priority")]),
        format!("    webhook_configs:\n      - url: {}\n        send_resolved: true\n", chats.url(Service::Webhook)),
    ]
    .concat()
}

/// An Alertmanager with this configuration, and its address.
fn alertmanager(sinks: &Sinks) -> (Foreign, String) {
    let port = free_port();
    let publish = format!("127.0.0.1:{port}:9093");
    let host = format!("{HOST}:host-gateway");
    let container = Foreign {
        id: docker(&[
            "create",
            "--publish",
            &publish,
            "--add-host",
            &host,
            "--entrypoint",
            "/bin/alertmanager",
            &image("alertmanager"),
            "--config.file=/tmp/alertmanager.yml",
            "--storage.path=/tmp/data",
            "--cluster.listen-address=",
            "--enable-feature=receiver-name-in-metrics",
            "--web.external-url=https://alerts.example.com/",
            // Behind the path of the address that is in messages.
            "--web.route-prefix=/",
        ]),
    };
    let configuration = configuration(sinks);
    let slack = sinks.chats.url(Service::Slack);
    let files =
        [("alertmanager.yml", configuration.as_str()), ("ca.pem", CA), ("password", "hunter2\n"), ("slack", &slack)];
    for (name, content) in files.into_iter().chain(moko_mon::assets::MESSAGES) {
        put_file(&container.id, "/tmp", name, content);
    }
    docker(&["start", &container.id]);
    let url = format!("http://127.0.0.1:{port}");
    eventually("Alertmanager is ready", || {
        let answer = http::get(&format!("{url}/-/ready"));
        when(answer.0 == 200, (answer, docker(&["logs", "--tail", "5", &container.id])))
    });
    (container, url)
}

fn send(url: &str, alerts: &Value) {
    let answer = http::request("POST", &format!("{url}/api/v2/alerts"), None, Some(&alerts.to_string()));
    assert_eq!(answer.0, 200, "{answer:?}");
}

fn job(ended: Option<&str>) -> Value {
    let data: Value = serde_json::from_str(include_str!("messages/job.json")).unwrap();
    let alert = &data["alerts"][0];
    let mut alert =
        json!({"labels": alert["labels"], "annotations": alert["annotations"], "startsAt": alert["startsAt"]});
    if let Some(at) = ended {
        alert["endsAt"] = json!(at);
    }
    json!([alert])
}

/// Waits for a mail whose subject has `part`.
fn mail(sink: &SmtpSink, part: &str) -> Mail {
    eventually(&format!("a mail about {part}"), || {
        let mails = sink.mails();
        let subjects: Vec<String> = mails.iter().map(Mail::subject).collect();
        let found = mails.into_iter().find(|mail| mail.subject().contains(part));
        found.ok_or(format!("{subjects:?}"))
    })
}

/// Waits until each service was told something that has `part`, which has to be in its format, and returns what they were told.
fn told(chats: &HttpSink, part: &str) -> Vec<Request> {
    let one = |service: Service| {
        eventually(&format!("{} is told about {part}", service.name()), || {
            let all = chats.requests(service);
            all.iter().find(|request| request.body.contains(part)).cloned().ok_or(format!("{all:?}"))
        })
    };
    let told: Vec<Request> = Service::ALL.into_iter().map(one).collect();
    for request in &told {
        request
            .service
            .check(request)
            .unwrap_or_else(|reason| panic!("{}: {reason}: {request:#?}", request.service.name()));
    }
    told
}

#[test]
fn alerts_become_messages_that_mail_chats_and_pagers_take() {
    let wants = Wants { tls: Tls::Upgrade, login: Some(("moko", "hunter2")), mechanisms: "PLAIN LOGIN" };
    let sinks = Sinks {
        chats: HttpSink::start(),
        submission: SmtpSink::start(wants),
        smtps: SmtpSink::start(Wants { tls: Tls::Implicit, mechanisms: "LOGIN", ..wants }),
    };
    // A service that is in trouble for a moment is asked again.
    sinks.chats.answer(Service::Discord, Answer::Status(500, "trouble"));
    sinks.chats.answer(Service::Pagerduty, Answer::TooMany(1));
    sinks.submission.refuse(Some("450 4.2.1 the mailbox is busy"));
    let (_container, url) = alertmanager(&sinks);

    send(&url, &job(None));
    mail(&sinks.smtps, "JobFailed");
    assert!(sinks.submission.mails().is_empty(), "its mailbox is busy");
    sinks.submission.refuse(None);
    for sink in [&sinks.submission, &sinks.smtps] {
        let mail = mail(sink, "[critical] JobFailed: The last run of job backup failed");
        assert!(mail.encrypted && mail.user.as_deref() == Some("moko"), "{mail:?}");
        assert_eq!(
            (mail.from.as_str(), mail.to.join(" ")),
            ("moko@example.com", "ops@example.com anna@example.com".to_owned())
        );
        assert_eq!(mail.header("Auto-Submitted").as_deref(), Some("auto-generated"));
        let (text, html) = mail.bodies();
        let link = "https://alerts.example.com/#/silences/new?filter=%7Balertname%3D%22JobFailed%22%7D";
        for part in [
            "The last run of job backup failed",
            "web-1",
            "137 (signal 9)",
            "20261123T030000-4f2a9c",
            "JobFailed.md",
            link,
        ] {
            assert!(text.contains(part) && html.contains(part), "no {part}:\n{text}\n{html}");
        }
        assert!(text.contains("2026-11-23 03:14:07 UTC") && html.contains("2026-11-23 03:14:07 UTC"), "{text}");
    }
    let refused = |service: Service| sinks.chats.requests(service).len();
    eventually("it is tried again after 500 and 429", || {
        when(refused(Service::Discord) > 1 && refused(Service::Pagerduty) > 1, refused(Service::Discord))
    });
    sinks.chats.answer(Service::Discord, Answer::Thanks);
    sinks.chats.answer(Service::Pagerduty, Answer::Thanks);
    for request in told(&sinks.chats, "JobFailed") {
        assert!(request.service == Service::Opsgenie || request.body.contains("137 (signal 9)"), "{request:#?}");
    }

    // What is in labels and annotations cannot break a message.
    let odd = "<b>\"odd\"</b> & <!channel> *_~`[x](y) \\ ü \u{1f6a8}\nline";
    let mut alerts = job(None);
    alerts[0]["labels"]["alertname"] = json!("Odd");
    for (kind, name) in [("labels", "script_name"), ("annotations", "summary"), ("annotations", "description")] {
        alerts[0][kind][name] = json!(odd);
    }
    send(&url, &alerts);
    let (_, html) = mail(&sinks.submission, "Odd: <b>\"odd\"</b> & <!channel> *_~`[x](y) \\ ü \u{1f6a8} line").bodies();
    assert!(!html.contains("<b>") && html.contains("&lt;b&gt;"), "{html}");
    told(&sinks.chats, "Odd");

    // Many alerts, few messages.
    let targets: Vec<Value> = (0..300)
        .map(|number| {
            let labels = json!({"alertname": "TargetDown", "severity": "warning", "instance": format!("host-{number}:9100")});
            json!({"labels": labels, "annotations": {"summary": format!("Target host-{number}:9100 cannot be scraped")}})
        })
        .collect();
    send(&url, &json!(targets));
    let (text, html) = mail(&sinks.submission, "[warning] 300 × TargetDown").bodies();
    assert!(text.contains("… and 290 more") && html.contains("… and 290 more"), "{text}");
    told(&sinks.chats, "TargetDown");

    send(
        &url,
        &json!([{"labels": {"alertname": "MokoMonTest", "severity": "none", "receiver": "all", "test_id": "3f9a"}}]),
    );
    let (text, html) = mail(&sinks.smtps, "[test] Test message for receiver all").bodies();
    assert!(text.contains("There is nothing to do") && html.contains("There is nothing to do"), "{text}");
    told(&sinks.chats, "3f9a");

    // The end of an alert, in the past.
    send(&url, &job(Some("2026-11-23T03:59:07Z")));
    let (text, html) = mail(&sinks.submission, "[resolved] JobFailed: The last run of job backup failed").bodies();
    for body in [text, html] {
        assert!(body.contains("2026-11-23 03:14:07 UTC, ended after"), "{body}");
    }
    for service in [Service::Pagerduty, Service::Opsgenie] {
        eventually("the end is told to the pagers", || {
            let all = sinks.chats.requests(service);
            let ended =
                all.iter().find(|request| request.path.contains("/close") || request.body.contains("\"resolve\""));
            let ended = ended.ok_or(format!("{all:?}"))?;
            service.check(ended)
        });
    }
}

#[test]
fn a_delivery_that_fails_says_why_and_keeps_no_other_from_its_way() {
    let wants = Wants { tls: Tls::Implicit, login: Some(("moko", "another")), mechanisms: "PLAIN" };
    let sinks = Sinks {
        chats: HttpSink::start(),
        submission: SmtpSink::start(Wants { tls: Tls::Never, ..wants }),
        smtps: SmtpSink::start(wants),
    };
    sinks.chats.answer(Service::Teams, Answer::Never);
    sinks.chats.answer(Service::Opsgenie, Answer::Status(403, "no such key"));
    let (container, url) = alertmanager(&sinks);
    send(&url, &job(None));
    told(&sinks.chats, "JobFailed");
    eventually("Alertmanager tells the reasons", || {
        let log = attempt(&["logs", &container.id]);
        let log = format!("{}{}", log.stdout, log.stderr);
        let reasons =
            ["5.7.8 wrong user or password", "does not advertise the STARTTLS", "no such key", "deadline exceeded"];
        let missing = reasons.into_iter().find(|reason| !log.contains(reason));
        missing.map_or(Ok(()), |reason| Err(format!("nothing of {reason}: {log}")))
    });
    assert_eq!((sinks.submission.mails().len(), sinks.smtps.mails().len()), (0, 0));
}
