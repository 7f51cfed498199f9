//! `alert`: what it refuses, and what it says without any server.

use crate::support::Lab;

#[test]
fn without_alertmanager_each_verb_says_so() {
    let lab = Lab::new();
    let lines = [
        "list",
        "test",
        "send alertname=X",
        "silence add a=b --for 1h --comment x",
        "silence list",
        "silence expire x",
    ];
    insta::allow_duplicates! {
        for line in lines {
            let words: Vec<&str> = std::iter::once("alert").chain(line.split(' ')).collect();
            insta::assert_snapshot!(lab.run(&words).text(), @"
            exit 1
            --- stdout

            --- stderr
            error: there is no Alertmanager to ask
              caused by: project `moko-mon` has no Alertmanager container
            hint: bring the stack up with `moko-mon up`, or say where it is with `--alertmanager-url URL`
            ");
        }
    }
    insta::assert_snapshot!(lab.run(&["alert", "list", "--prometheus-url", "http://127.0.0.1:1"]).error(), @"
    error: `alert` asks Alertmanager, and its address is not given
    hint: add `--alertmanager-url URL`
    ");
    let (output, envelope) = lab.json(&["alert", "list", "--alertmanager-url", "http://127.0.0.1:1"]);
    assert_eq!((output.code(), envelope["error"]["code"].as_str()), (1, Some("not_ready")));
    let lost = lab.command(&["alert", "test"]).env("DOCKER_HOST", "unix:///nowhere").run();
    assert_eq!(lost.code(), 3, "{}", lost.text());
}

#[test]
fn what_is_wrong_with_a_command_line_is_said_before_anybody_is_asked() {
    let lab = Lab::new();
    insta::assert_snapshot!(lab.run(&["alert", "send", "severity=critical"]).text(), @"
    exit 2
    --- stdout

    --- stderr
    error: could not send the alert
      caused by: the label `alertname` is missing
    hint: add `alertname=NAME`, such as `alertname=JobFailed`
    ");
    insta::assert_snapshot!(lab.run(&["alert", "routes", "JobFailed"]).text(), @"
    exit 2
    --- stdout

    --- stderr
    error: could not follow the routes
      caused by: `JobFailed` is not a label
    hint: write labels as `name=value`; the alert's name is `alertname=JobFailed`
    ");
    insta::assert_snapshot!(lab.run(&["alert", "silence", "add", "a=b", "--for", "1h", "--comment", " "]).text(), @"
    exit 2
    --- stdout

    --- stderr
    error: could not add the silence
      caused by: the comment is empty
    hint: say why with `--comment TEXT`: who meets the silence next will want to know
    ");
}

#[test]
fn routes_are_followed_from_the_settings_alone_and_nobody_told_is_a_failure() {
    let lab = Lab::new();
    insta::assert_snapshot!(lab.run(&["alert", "routes", "alertname=CircuitBreakerOpen", "service=db"]).text(), @r#"
    exit 1
    --- stdout
    CircuitBreakerOpen{component="circuit_breaker", service="db", severity="warning", team="devops"}
    filled in, as Prometheus does: component="circuit_breaker", severity="warning", team="devops"

    nobody (has no integration: it tells nobody)
      because  no other route takes it: the default
    kept quiet while alertname="CircuitBreakerStuckOpen" fires with service="db"
    --- stderr
    error: nobody would be told of CircuitBreakerOpen{component="circuit_breaker", service="db", severity="warning", team="devops"}
      caused by: its routes lead only to receivers that have no integration
    hint: name receivers for its severity under `notify` in moko-mon.yaml, or write a route for it under `routes`
    "#);
    assert_eq!(lab.engine.writes(""), [""; 0]);
}
