//! The user's own rule files, and what Prometheus itself refuses.

use serde_json::Value;

use crate::support::{Stack, eventually, http, when};

fn rule_file(name: &str, expression: &str) -> String {
    format!("groups:\n  - name: {name}\n    rules:\n      - record: e2e:{name}\n        expr: {expression}\n")
}

/// The names of all rule groups that Prometheus has.
fn groups(stack: &Stack) -> Vec<String> {
    let rules = http::json(&format!("{}/api/v1/rules", stack.url("prometheus"))).unwrap();
    let name = |group: &Value| group["name"].as_str().unwrap().to_owned();
    rules["data"]["groups"].as_array().unwrap().iter().map(name).collect()
}

#[test]
fn rule_files_come_change_and_go_by_a_reload() {
    let stack = Stack::without_grafana("rules");
    stack.up();
    let before = stack.lives();
    stack.write("rules/one.yml", &rule_file("one", "vector(1)"));
    stack.write("rules/two.yml", &rule_file("two", "vector(2)"));
    stack.config("rules:\n  extra:\n    - rules/*.yml\n");
    stack.up();
    assert!(groups(&stack).contains(&"one".to_owned()) && groups(&stack).contains(&"two".to_owned()));
    stack.sample("e2e:one == 1");
    assert_eq!(stack.plan(), Vec::<String>::new());

    stack.write("rules/one.yml", &rule_file("one", "vector(11)"));
    stack.up();
    stack.sample("e2e:one == 11");

    std::fs::remove_file(stack.directory.path().join("rules/two.yml")).unwrap();
    stack.up();
    assert!(!groups(&stack).contains(&"two".to_owned()), "{:?}", groups(&stack));
    assert_eq!(stack.touched(&before), Vec::<String>::new());
    assert_eq!(stack.plan(), Vec::<String>::new());
}

#[test]
fn bad_promql_is_refused_in_promtool_s_words_before_anything_is_made() {
    let stack = Stack::without_grafana("promql");
    stack.write("rules/bad.yml", &rule_file("bad", "sum(rate(x[5m])"));
    stack.config("rules:\n  extra:\n    - rules/*.yml\n");
    let output = stack.run(&["up"]).code(2);
    stack.assert_nothing_there();
    // The user's own file and line, promtool's reason, and no path of a container.
    output.says(&["rules/bad.yml", "5:", "unclosed left parenthesis", "nothing was changed"]);

    // The same beside a stack that runs.
    stack.config("# nothing\n");
    stack.up();
    let (lives, before) = (stack.lives(), groups(&stack));
    stack.config("rules:\n  extra:\n    - rules/*.yml\n");
    let output = stack.run(&["up"]).code(2);
    assert_eq!((stack.lives(), groups(&stack)), (lives, before));
    assert!(!output.stderr.contains("/etc/prometheus/rules/extra"), "{output}");
    stack.config("# nothing\n");
    assert_eq!(stack.plan(), Vec::<String>::new());
}

#[test]
fn a_remote_write_that_prometheus_refuses_changes_nothing() {
    let stack = Stack::without_grafana("remote");
    stack.config(
        "prometheus:\n  remote_write:\n    - url: http://example.com/push\n      write_relabel_configs:\n        - action: nonsense\n",
    );
    let output = stack.run(&["up"]).code(2);
    stack.assert_nothing_there();
    output.says(&["nonsense"]);
}

/// A rule of a list by its name.
fn rule(list: &Value, name: &str) -> Value {
    let rules = list["data"]["rules"].as_array().unwrap();
    rules.iter().find(|rule| rule["name"] == name).unwrap_or_else(|| panic!("no {name}: {list:#}")).clone()
}

#[test]
fn rules_are_listed_and_shown_with_their_state() {
    let stack = Stack::without_grafana("rulelist");
    let list = stack.run(&["rules", "list", "--output", "json"]).code(0).json();
    assert_eq!((&list["data"]["live"], &rule(&list, "TargetDown")["state"]), (&false.into(), &Value::Null));

    let text = "groups:\n  - name: mine\n    rules:\n      - alert: Mine\n        expr: vector(7) > 5\n";
    stack.write("rules/mine.yml", text);
    stack.config("rules:\n  extra: [rules/*.yml]\n  thresholds: {script_failures: {warning_ratio: 0.07}}\n");
    stack.up();
    eventually("an alert that fires", || {
        let list = stack.run(&["rules", "list", "--output", "json"]).code(0).json();
        assert_eq!(list["warnings"], serde_json::json!([]));
        let failures = rule(&list, "HighScriptFailureRate");
        when(rule(&list, "Mine")["state"] == "firing" && failures["state"] == "inactive", failures)
    });
    let table = stack.run(&["rules", "list"]).code(0);
    let line = |name: &str| table.stdout.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(line("HighScriptFailureRate").contains("> 0.07  "), "{table}");
    assert!(line("Mine ").contains("firing 1") && line("Mine ").ends_with("rules/mine.yml"), "{table}");

    let shown = stack.run(&["rules", "show", "Mine", "--output", "json"]).code(0).json();
    let instance = &rule(&shown, "Mine")["active"][0];
    assert_eq!((&instance["state"], &instance["value"]), (&"firing".into(), &"7e+00".into()), "{shown}");
    stack.run(&["rules", "show", "TargetDwn"]).code(1).says(&["did you mean `TargetDown`?"]);

    // What the settings have and Prometheus has not, and the other way round.
    stack.write("rules/mine.yml", &text.replace("Mine", "Other"));
    let list = stack.run(&["rules", "list"]).code(0).says(&["other rule files than the settings ask for"]);
    let line = |name: &str| list.stdout.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(line("Other ").contains("not loaded"), "{list}");
    assert!(line("Mine ").contains("firing 1, not in the settings"), "{list}");
}

#[test]
fn rules_are_tested_by_the_promtool_of_the_stack_s_prometheus() {
    let stack = Stack::without_grafana("ruletest");
    let rules = "groups:\n  - name: mine\n    rules:\n      - alert: Mine\n        expr: up == 0\n";
    stack.write("rules/mine.yml", rules);
    // On rules of the disk, and on those in force: with the threshold that the settings have.
    let test = |name: &str, file: &str, alert: &str, series: &str| {
        format!(
            "rule_files: [{file}]\nevaluation_interval: 1m\ntests:\n  - name: {name}\n    interval: 1m\n    input_series:\n\
             {series}    alert_rule_test:\n      - {{eval_time: 5m, alertname: {alert}, exp_alerts: []}}\n"
        )
    };
    let up = |value: u8| format!("      - {{series: 'up{{job=\"x\"}}', values: {value}x10}}\n");
    let breaker = "      - {series: 'moko_circuit_breaker_state{service=\"x\"}', values: 1x10}\n";
    stack.write("tests/good.yml", &test("up is fine", "../rules/*.yml", "Mine", &up(1)));
    let in_force = "/etc/prometheus/rules/alerts-config.yml";
    stack.write("tests/force.yml", &test("nine minutes are not over", in_force, "CircuitBreakerOpen", breaker));
    let longer = "rules.thresholds.circuit_breaker.open_for=9m";
    let arguments = ["rules", "test", "tests/good.yml", "tests/force.yml", "--junit", "report.xml", "--set", longer];
    let output = stack.run(&arguments).code(0);
    let expected = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rules")).unwrap().count() + 2;
    assert!(output.stdout.contains(&format!("{expected} of {expected} test files passed")), "{output}");
    let report = std::fs::read_to_string(stack.directory.path().join("report.xml")).unwrap();
    assert_eq!((report.matches("<testcase ").count(), report.matches("<failure").count()), (expected, 0));
    stack.assert_nothing_there();

    stack.write("tests/bad.yml", &test("down", "../rules/mine.yml", "Mine", &up(0)));
    let output = stack.run(&["rules", "test", "tests/bad.yml", "--junit", "report.xml"]).code(1);
    for part in ["FAILED  tests/bad.yml", "alertname: Mine, time: 5m", "got:["] {
        assert!(output.stdout.contains(part), "{output}");
    }
    output.says(&["1 of ", "tests/bad.yml: name: down"]);
    let report = std::fs::read_to_string(stack.directory.path().join("report.xml")).unwrap();
    assert_eq!(report.matches("<failure").count(), 1, "{report}");
    stack.run(&["rules", "test", "tests/none.yml"]).code(2).says(&["it does not exist"]);
    stack.assert_nothing_there();
}
