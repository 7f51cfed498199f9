//! `why`: what it refuses, and what it can say without any series.

use crate::support::Lab;

#[test]
fn what_does_not_run_cannot_be_followed() {
    let lab = Lab::new();
    insta::assert_snapshot!(lab.run(&["why", "SlowScriptExecution"]).text(), @"
    exit 1
    --- stdout

    --- stderr
    error: `why` can only follow what runs
      caused by: project `moko-mon` has no Prometheus container
    hint: bring the stack up with `moko-mon up`
    ");
    insta::assert_snapshot!(lab.run(&["why", "X", "--alertmanager-url", "http://127.0.0.1:1"]).text(), @"
    exit 2
    --- stdout

    --- stderr
    error: `why` asks Prometheus above all, and its address is not given
    hint: add `--prometheus-url URL`
    ");
    let (output, envelope) = lab.json(&["why", "X", "--prometheus-url", "http://127.0.0.1:1"]);
    assert_eq!((output.code(), envelope["error"]["code"].as_str()), (1, Some("chain_broken")));
    assert_eq!(envelope["data"]["links"][0]["state"], "broken");
    assert_eq!(envelope["data"]["verdict"], "nothing can be said of `X`: Prometheus does not answer");
}

#[test]
fn a_name_that_nobody_has_is_refused_with_what_may_have_been_meant() {
    let lab = Lab::up();
    insta::assert_snapshot!(lab.run(&["why", "SlowScriptExecutio"]).text(), @"
    exit 1
    --- stdout

    --- stderr
    error: there is no alert and no script `SlowScriptExecutio` (did you mean `SlowScriptExecution`?)
    hint: `moko-mon rules list` lists the alerts; a script is known once it has published series with its `script_name`
    ");
    let (output, envelope) = lab.json(&["why", "backup.s"]);
    assert_eq!((output.code(), envelope["error"]["code"].as_str()), (1, Some("not_found")));
    assert_eq!(envelope["error"]["message"], "there is no alert and no script `backup.s` (did you mean `backup.sh`?)");
    insta::assert_snapshot!(lab.run(&["why", "script_name:moko_script_duration_seconds:p95"]).error(), @"
    error: `script_name:moko_script_duration_seconds:p95` is a series that a rule records, not an alert
    hint: `moko-mon rules show script_name:moko_script_duration_seconds:p95` shows the rule
    ");
}

#[test]
fn an_alert_without_its_rule_and_one_that_cannot_be_followed_are_told_apart() {
    let lab = Lab::new();
    lab.write("moko-mon.yaml", "rules:\n  disabled: [TargetDown]\n");
    lab.run(&["up"]).succeeds();
    insta::assert_snapshot!(lab.run(&["why", "TargetDown"]).text(), @"
    exit 0
    --- stdout
    rule  quiet    `rules.disabled` in the settings has it

    `TargetDown` does not tell anybody: `rules.disabled` in the settings has it
    hint: take it out there, then run `moko-mon up`
    --- stderr
    ");
    lab.write("rules/mine.yml", "groups:\n- name: mine\n  rules:\n  - alert: Mine\n    expr: up == 0\n");
    lab.write("moko-mon.yaml", "rules:\n  extra: [rules/*.yml]\n");
    insta::assert_snapshot!(lab.run(&["why", "Mine"]).text(), @"
    exit 1
    --- stdout
    rule  broken   the settings have its rule, and Prometheus has not loaded it

    `Mine` cannot tell anybody: the settings have its rule, and Prometheus has not loaded it
    --- stderr
    error: the chain of `Mine` is broken at `rule`
      caused by: the settings have its rule, and Prometheus has not loaded it
    hint: bring it with `moko-mon up`
    ");
    // The fake Prometheus evaluates nothing.
    let output = lab.run(&["why", "SlowScriptExecution"]);
    let (first, last) = (output.stdout.lines().next().unwrap_or_default(), output.stdout.lines().last());
    assert!(first.starts_with("prometheus  broken   `GET http://127.0.0.1:"), "{}", output.text());
    assert!(first.ends_with("was not answered as expected: HTTP 404: 404 page not found"), "{}", output.text());
    assert_eq!(last, Some("nothing can be said of `SlowScriptExecution`: Prometheus does not answer"));
}
