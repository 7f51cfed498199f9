//! The user's own rule files, and what Prometheus itself refuses.

use serde_json::Value;

use crate::support::{Stack, http};

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
