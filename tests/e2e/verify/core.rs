//! Faults of the engine, of Prometheus, its targets and its rules.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{checks, evidence, failing, recovered, with_outcome};
use crate::support::docker::{Image, attempt, file, put_file};
use crate::support::exporter::Exporter;
use crate::support::stack::{free_port, image};
use crate::support::{Stack, docker, eventually, http, when};

const MAIN: &str = "/etc/prometheus/prometheus.yml";
const RULES: &str = "/etc/prometheus/rules/stack-alerts.yml";

/// Holds text in a piece of evidence.
#[track_caller]
fn says(checks: &[Value], id: &str, parts: &[&str]) {
    let text = evidence(checks, id);
    for part in parts {
        assert!(text.contains(part), "`{id}` does not say `{part}`:\n{text}");
    }
}

/// Nothing fails, and nothing is left to wait for.
#[track_caller]
fn healthy(stack: &Stack) -> Vec<Value> {
    eventually("all is well", || {
        let checks = recovered(stack);
        let waits = checks.iter().filter(|check| check["evidence"][0].as_str().unwrap().starts_with("not yet"));
        let waits: Vec<&Value> = waits.collect();
        when(waits.is_empty(), &waits).map(|()| checks.clone())
    })
}

#[test]
fn a_container_that_is_stopped_paused_or_gone_is_one_failure() {
    let stack = Stack::without_grafana("v-stopped");
    stack.up();
    let checks = healthy(&stack);
    assert_eq!(with_outcome(&checks, "fail"), BTreeSet::new());
    let (pushgateway, alertmanager) = (stack.container("pushgateway"), stack.container("alertmanager"));

    docker(&["stop", &pushgateway]);
    let checks = failing(&stack, &["engine.running.pushgateway"]);
    says(&checks, "engine.running.pushgateway", &["is not running", "it exited with code"]);
    says(&checks, "pushgateway.ready", &["needs `engine.running.pushgateway`, which is `fail`"]);
    docker(&["start", &pushgateway]);

    docker(&["pause", &alertmanager]);
    recover_target(&stack, "pushgateway");
    let checks = failing(&stack, &["engine.running.alertmanager"]);
    says(&checks, "engine.running.alertmanager", &["is paused"]);
    docker(&["unpause", &alertmanager]);

    docker(&["rm", "--force", &pushgateway]);
    recover_target(&stack, "alertmanager");
    let checks = failing(&stack, &["engine.running.pushgateway"]);
    says(&checks, "engine.running.pushgateway", &["there is no container"]);
    stack.up();
    healthy(&stack);
}

/// Waits until Prometheus has scraped a server of ours again.
#[track_caller]
fn recover_target(stack: &Stack, job: &str) {
    stack.sample(&format!("up{{job=\"{job}\"}} == 1"));
}

#[test]
fn crash_loops_are_told_with_their_reason() {
    let mut stack = Stack::without_grafana("v-crash");
    let base = image("pushgateway");
    let crash = "ENTRYPOINT [\"/bin/sh\", \"-c\", \"echo cannot find my hat; exit 7\"]";
    let crashing = Image::build(&format!("moko-mon-e2e/{}:crash", stack.name), &base, crash);
    // Reads without end into one variable.
    let hunger = "ENTRYPOINT [\"/bin/sh\", \"-c\", \"x=0123456789abcdef; while :; do x=$x$x; done\"]";
    let hungry = Image::build(&format!("moko-mon-e2e/{}:hungry", stack.name), &base, hunger);
    stack.up();
    healthy(&stack);

    stack.set("MOKO_MON_PUSHGATEWAY_IMAGE", &crashing.name);
    stack.run(&["up"]).code(1);
    in_loop(&stack);
    let checks = failing(&stack, &["engine.running.pushgateway"]);
    says(&checks, "engine.running.pushgateway", &["is in a crash loop", "cannot find my hat"]);

    stack.set("MOKO_MON_PUSHGATEWAY_IMAGE", &hungry.name);
    stack.set("MOKO_MON_PUSHGATEWAY_MEMORY", "32MiB");
    stack.run(&["up"]).code(1);
    in_loop(&stack);
    eventually("it is told that memory ran out", || {
        let text = evidence(&failing(&stack, &["engine.running.pushgateway"]), "engine.running.pushgateway");
        when(text.contains("it was killed for using more than its 32 MiB of memory"), text)
    });
}

/// Waits until the engine has started the Pushgateway again a few times.
#[track_caller]
fn in_loop(stack: &Stack) {
    eventually("a crash loop", || {
        let count = stack.inspect("pushgateway")["RestartCount"].as_i64();
        when(count > Some(2), count)
    });
}

#[test]
fn files_changed_behind_our_back_or_not_read_are_told_apart() {
    let stack = Stack::without_grafana("v-files");
    stack.write(
        "rules/mine.yml",
        "groups:\n  - name: mine\n    rules:\n      - record: e2e:one\n        expr: vector(1)\n",
    );
    stack.config("rules:\n  extra:\n    - rules/*.yml\n");
    stack.up();
    healthy(&stack);
    let container = stack.container("prometheus");

    docker(&["exec", "--user", "0", &container, "rm", RULES]);
    let checks = failing(&stack, &["engine.files.prometheus"]);
    says(&checks, "engine.files.prometheus", &[RULES, "is missing"]);
    stack.up();
    healthy(&stack);

    // Another configuration on the volume, which the server has not read.
    let ours = file(&container, MAIN).3;
    put_file(&container, "/etc/prometheus", "prometheus.yml", "global: {}\n");
    let checks = failing(&stack, &["engine.files.prometheus"]);
    says(&checks, "engine.files.prometheus", &[MAIN, "line 1 is `global: {}`"]);

    // A reload that fails, after which the right file is there again.
    put_file(&container, "/etc/prometheus", "prometheus.yml", "nonsense: [\n");
    docker(&["kill", "--signal", "HUP", &container]);
    eventually("the reload has failed", || {
        let told = http::json(&format!("{}/api/v1/status/runtimeinfo", stack.url("prometheus")))?;
        when(told["data"]["reloadConfigSuccess"] == false, told)
    });
    failing(&stack, &["engine.files.prometheus"]);
    put_file(&container, "/etc/prometheus", "prometheus.yml", &ours);
    let checks = failing(&stack, &["prometheus.reload"]);
    says(&checks, "prometheus.reload", &["it refused its configuration"]);
    docker(&["kill", "--signal", "HUP", &container]);
    recovered(&stack);

    // What a killed `up` leaves: delivered, and not read.
    let with_target = "rules:\n  extra:\n    - rules/*.yml\ntargets:\n  - job: late\n    address: localhost:9\n";
    put_file(&container, "/etc/prometheus", "prometheus.yml", &rendered(&stack, with_target));
    stack.config(with_target);
    let checks = failing(&stack, &["prometheus.config"]);
    says(&checks, "prometheus.config", &["it runs another configuration: configuration.scrape_configs"]);
    stack.config("rules:\n  extra:\n    - rules/*.yml\n");
    stack.up();
    healthy(&stack);

    // The same with a rule file, of which the configuration says only the name.
    let other = "groups:\n  - name: mine\n    rules:\n      - record: e2e:two\n        expr: vector(2)\n";
    stack.write("rules/mine.yml", other);
    let checks = failing(&stack, &["engine.files.prometheus"]);
    says(&checks, "engine.files.prometheus", &["the settings have changed since the last `moko-mon up`", "mine.yml"]);
    put_file(&container, "/etc/prometheus/rules/extra", "mine.yml", other);
    let checks = failing(&stack, &["rules.loaded"]);
    says(
        &checks,
        "rules.loaded",
        &["recording rule `e2e:two` of group `mine` (mine.yml) is not loaded", "`e2e:one`", "nothing in the settings"],
    );
    let changed = other.replace("vector(2)", "vector( 3 )");
    stack.up();
    stack.write("rules/mine.yml", &changed);
    put_file(&container, "/etc/prometheus/rules/extra", "mine.yml", &changed);
    let checks = failing(&stack, &["rules.expressions"]);
    says(&checks, "rules.expressions", &["evaluated is `vector(2)`, wanted is `vector( 3 )`"]);
    stack.up();
    healthy(&stack);
}

/// The `prometheus.yml` of other settings.
fn rendered(stack: &Stack, yaml: &str) -> String {
    stack.write("other.yaml", yaml);
    stack.run(&["--config", "other.yaml", "render", "compose", "-o", "rendered"]).code(0);
    let path = stack.directory.path().join("rendered/prometheus/prometheus.yml");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn targets_that_cannot_be_scraped_are_told_with_the_cause() {
    let stack = Stack::without_grafana("v-targets");
    let fine = Exporter::start("");
    let locked = Exporter::start("Bearer somebody");
    let broken = Exporter::saying("this is { no metric\n");
    // One name with two values in one scrape: the second is refused.
    let twice = Exporter::saying("e2e_twice 1\ne2e_twice 2\n");
    let loopback = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (lonely, nobody) = (loopback.local_addr().unwrap().port(), free_port());
    let target = |job: &str, port: u16| format!("  - job: {job}\n    address: localhost:{port}\n");
    let good = format!("targets:\n{}", target("fine", fine.port));
    stack.config(&good);
    stack.up();
    healthy(&stack);

    let bad = [("locked", locked.port), ("broken", broken.port), ("lonely", lonely), ("nobody", nobody)];
    let bad: String = bad.iter().map(|(job, port)| target(job, *port)).collect();
    stack.config(&format!("{good}{bad}"));
    stack.up();
    eventually("all four are told", || {
        let text = evidence(&failing(&stack, &["prometheus.targets.up"]), "prometheus.targets.up");
        let parts = [
            format!("`localhost:{}` of job `locked`: it wants a login", locked.port),
            format!("`localhost:{}` of job `broken`: what it answers is not metrics", broken.port),
            format!("`localhost:{lonely}` of job `lonely`: it listens on this host's loopback only"),
            format!("`localhost:{nobody}` of job `nobody`: nothing listens on port {nobody} of this host"),
        ];
        when(text.lines().count() == 4 && parts.iter().all(|part| text.contains(part)), text)
    });

    stack.config(&format!("{good}{}", target("twice", twice.port)));
    stack.up();
    let checks = failing(&stack, &["prometheus.samples"]);
    says(&checks, "prometheus.samples", &["twice at one time with two values"]);
}

#[test]
fn rules_that_fail_and_checks_of_ones_own_are_told() {
    let stack = Stack::without_grafana("v-rules");
    let rule = |name: &str, expr: &str| format!("      - record: {name}\n        expr: {expr}\n");
    let rules = |rules: &[String]| format!("groups:\n  - name: mine\n    rules:\n{}", rules.concat());
    let settings =
        "rules:\n  extra:\n    - rules/*.yml\nchecks:\n  - name: up\n    expr: sum(up)\n    expect: \"> 0\"\n";
    let fine = rule("e2e:up", "sum by (job) ( up{job='prometheus'} )  # spelt as Prometheus does not");
    stack.write("rules/mine.yml", &rules(&[fine.clone()]));
    stack.config(settings);
    stack.up();
    let checks = healthy(&stack);
    assert!(with_outcome(&checks, "pass").is_superset(
        &["custom.up", "rules.expressions", "rules.metrics", "prometheus.targets.present"].map(str::to_owned).into()
    ));

    // A name with a slip is no error to Prometheus; nothing but a look at what is there can tell.
    let slip = rule("e2e:slip", "rate(prometheus_notifications_sent_totl[1m])");
    let failing_rule = rule("e2e:fails", "label_replace(label_replace(up, 'job', '', '', ''), 'instance', '', '', '')");
    stack.write("rules/mine.yml", &rules(&[fine, slip, failing_rule]));
    stack.config(&format!(
        "{settings}  - name: unreal\n    expr: sum(up)\n    expect: \"> 100\"\n    message: There should be more.\n  \
         - name: odd\n    expr: sum(up)\n    expect: absent\n    severity: warn\n"
    ));
    stack.up();
    let checks = failing(&stack, &["rules.health", "custom.unreal"]);
    says(&checks, "rules.health", &["recording rule `e2e:fails` of group `mine` (mine.yml)", "same labelset"]);
    says(&checks, "custom.unreal", &["There should be more.", "`sum(up)` returned `3`, expected is `> 100`"]);
    let warned = with_outcome(&checks, "warn");
    assert!(warned.contains("rules.metrics") && warned.contains("custom.odd"), "{warned:?}");
    says(&checks, "rules.metrics", &["(did you mean `prometheus_notifications_sent_total`?)"]);
}

#[test]
fn what_is_open_wider_than_configured_is_told() {
    let stack = Stack::without_grafana("v-open");
    stack.up();
    healthy(&stack);
    let open = format!("0.0.0.0:{}:9091", stack.port("pushgateway"));
    made_anew(&stack, "pushgateway", &open, &[]);
    let checks = failing(&stack, &["exposure.ports"]);
    says(&checks, "exposure.ports", &["is open to the network", &format!("0.0.0.0:{}", stack.port("pushgateway"))]);

    docker(&["rm", "--force", &stack.container("pushgateway")]);
    stack.up();
    healthy(&stack);
    let closed = format!("127.0.0.1:{}:9091", stack.port("pushgateway"));
    made_anew(&stack, "pushgateway", &closed, &["--web.enable-admin-api"]);
    let checks = failing(&stack, &["exposure.admin_api"]);
    says(&checks, "exposure.admin_api", &["Pushgateway: whoever reaches it can delete all that was pushed"]);
}

/// Makes a container anew by hand, with another published port and further arguments, and all the rest as it was.
#[track_caller]
fn made_anew(stack: &Stack, component: &str, publish: &str, arguments: &[&str]) {
    let was = stack.inspect(component);
    let name = stack.container(component);
    docker(&["rm", "--force", &name]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut run = vec!["run".to_owned(), "--detach".to_owned(), format!("--name={name}")];
    run.push(format!("--network={}", text(&was["HostConfig"]["NetworkMode"])));
    run.push(format!("--network-alias={component}"));
    run.push(format!("--publish={publish}"));
    for (key, value) in was["Config"]["Labels"].as_object().unwrap() {
        run.push(format!("--label={key}={}", text(value)));
    }
    for mount in was["Mounts"].as_array().unwrap() {
        run.push(format!("--volume={}:{}", text(&mount["Name"]), text(&mount["Destination"])));
    }
    run.push(text(&was["Config"]["Image"]));
    run.extend(was["Config"]["Cmd"].as_array().into_iter().flatten().map(text));
    run.extend(arguments.iter().map(|&argument| argument.to_owned()));
    docker(&run.iter().map(String::as_str).collect::<Vec<_>>());
    eventually("it serves again", || {
        let answer = http::get(&format!("{}/-/ready", stack.url(component)));
        when(answer.0 == 200, answer)
    });
    recover_target(stack, component);
}

#[test]
fn a_stack_that_is_seconds_old_is_not_called_broken() {
    let stack = Stack::without_grafana("v-fresh");
    stack.up();
    for _ in 0..3 {
        let found = checks(&stack);
        assert_eq!(with_outcome(&found, "fail"), BTreeSet::new(), "{found:#?}");
    }
    // Nor is one that was just started again.
    attempt(&["restart", &stack.container("prometheus")]);
    eventually("it serves again", || {
        let answer = http::get(&format!("{}/-/ready", stack.url("prometheus")));
        when(answer.0 == 200, answer)
    });
    let found = checks(&stack);
    assert_eq!(with_outcome(&found, "fail"), BTreeSet::new(), "{found:#?}");
}
