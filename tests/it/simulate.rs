//! `rules simulate`: what it refuses before it pushes anything.

use crate::support::{Lab, Status};

#[test]
fn a_wrong_name_is_refused_before_the_engine_is_asked() {
    let lab = Lab::new();
    insta::assert_snapshot!(lab.run(&["rules", "simulate", "CircuitBreakerOpn"]).text(), @"
    exit 2
    --- stdout

    --- stderr
    error: there is no alert `CircuitBreakerOpn` (did you mean `CircuitBreakerOpen`?)
    hint: these can be simulated: `HighScriptFailureRate`, `CriticalScriptFailureRate`, `SlowScriptExecution`, `HighAPIRateLimitUsage`, `CriticalAPIRateLimitUsage`, `APIRateLimitResetSoon`, `CircuitBreakerOpen`, `CircuitBreakerStuckOpen`, `SecurityFindingsDetected`, `HighSeveritySecurityFinding` or `NoScriptExecutions`
    ");
    let output = lab.run(&["rules", "simulate", "TargetDown"]);
    assert_eq!(output.code(), 2, "{}", output.text());
    assert!(output.error().starts_with("error: `TargetDown` is an alert about the stack itself"), "{}", output.text());
    assert_eq!(lab.run(&["rules", "simulate"]).code(), 2);
    assert_eq!(lab.run(&["rules", "simulate", "CircuitBreakerOpen", "--clean"]).code(), 2);
}

#[test]
fn a_stack_that_is_not_there_or_does_not_run_is_named() {
    let lab = Lab::new();
    insta::assert_snapshot!(lab.run(&["rules", "simulate", "CircuitBreakerOpen"]).text(), @"
    exit 1
    --- stdout

    --- stderr
    error: an alert can only be simulated on a running stack
      caused by: project `moko-mon` has no Prometheus container
    hint: bring the stack up with `moko-mon up`
    ");
    lab.run(&["up"]).succeeds();
    lab.engine.set_status("moko-mon-pushgateway", Status::Exited);
    let (output, envelope) = lab.json(&["rules", "simulate", "CircuitBreakerOpen"]);
    assert_eq!((output.code(), envelope["error"]["code"].as_str()), (1, Some("not_found")));
    assert_eq!(envelope["error"]["causes"][0], "container `moko-mon-pushgateway` is exited");
}

#[test]
fn a_server_that_does_not_answer_as_it_should_is_named() {
    // The fake Pushgateway has no API.
    let lab = Lab::up();
    insta::assert_snapshot!(lab.run(&["rules", "simulate", "--clean"]).text(), @"
    exit 1
    --- stdout

    --- stderr
    error: could not list the groups of the Pushgateway
      caused by: `GET http://127.0.0.1:9091/api/v1/metrics` was not answered as expected
      caused by: HTTP 404: 404 page not found
    ");
}
