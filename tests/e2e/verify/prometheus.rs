//! Faults of Prometheus: its files, its configuration, its targets, its rules.

use super::{evidence, failing, healthy, recovered, says, with_outcome};
use crate::support::docker::{file, put_file};
use crate::support::exporter::Exporter;
use crate::support::stack::free_port;
use crate::support::{Stack, docker, eventually, http, when};

const MAIN: &str = "/etc/prometheus/prometheus.yml";
const RULES: &str = "/etc/prometheus/rules/stack-alerts.yml";

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
    let checks = failing(&stack, &["engine.files.prometheus"]);
    says(&checks, "engine.files.prometheus", &["line 1 is `nonsense: [`", "Prometheus: it refused its configuration"]);
    put_file(&container, "/etc/prometheus", "prometheus.yml", &ours);
    let checks = failing(&stack, &["prometheus.reload"]);
    says(&checks, "prometheus.reload", &["it refused its configuration"]);
    docker(&["kill", "--signal", "HUP", &container]);
    recovered(&stack);

    // What a killed `up` leaves: delivered, and not read.
    let with_target = "rules:\n  extra:\n    - rules/*.yml\ntargets:\n  - job: late\n    address: localhost:9\n";
    stack.config(with_target);
    stack.up();
    let delivered = file(&container, MAIN).3;
    stack.config("rules:\n  extra:\n    - rules/*.yml\n");
    stack.up();
    put_file(&container, "/etc/prometheus", "prometheus.yml", &delivered);
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

    // Two that Prometheus takes for one: a look at each job alone would not see it.
    let same = |host: &str| format!("  - {{job: same, address: '{host}:{}', labels: {{instance: one}}}}\n", fine.port);
    stack.config(&format!("{good}{}{}", same("localhost"), same("127.0.0.1")));
    stack.up();
    let checks = failing(&stack, &["prometheus.targets.present"]);
    says(&checks, "prometheus.targets.present", &["`one` of job `same` is there 1 of 2 times"]);

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
    stack.write("rules/mine.yml", &rules(std::slice::from_ref(&fine)));
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
