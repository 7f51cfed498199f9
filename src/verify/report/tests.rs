use super::*;
use crate::verify::Finding;
use crate::verify::canary::Hop;

fn checked(id: &str, component: &'static str, finding: Finding) -> Checked {
    Checked { id: id.to_owned(), component, finding, duration: Duration::from_millis(12) }
}

fn verdict() -> Verdict {
    let mut refused = Finding::fail(
        "`GET http://127.0.0.1:9090/-/ready` was not answered",
        "bring the stack up with `moko-mon up`, and if that does not help, see what it is doing with `moko-mon logs prometheus`",
    );
    refused.evidence.push("Connection refused <os error 111> & \"more\"".to_owned());
    refused.evidence.push("x".repeat(80));
    Verdict {
        checked: vec![
            checked("alerting.ready", "alertmanager", Finding::pass(format!("HTTP 200: {}", "OK ".repeat(30)))),
            checked("alerting.receivers", "alertmanager", Finding::warn("nobody will be told", "give it a receiver")),
            checked("prometheus.ready", "prometheus", refused),
            checked("rules.loaded", "prometheus", Finding::skip("needs `prometheus.ready`, which is `fail`")),
        ],
        asked: Vec::new(),
        canary: None,
        took: Duration::from_millis(310),
    }
}

#[test]
fn a_text_shows_what_is_broken_first_and_keeps_to_its_columns() {
    let plain = text(&verdict(), Look { width: 70, colors: false });
    let summary = plain.trim_end().lines().last().unwrap();
    assert!(plain.lines().all(|line| line.chars().count() <= 70 || line == summary), "{plain}");
    insta::assert_snapshot!(plain, @r#"
    FAIL  prometheus.ready
          `GET http://127.0.0.1:9090/-/ready` was not answered
          Connection refused <os error 111> & "more"
          xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
          xxxxxxxxxxxxxxxx
          hint: bring the stack up with `moko-mon up`, and if that does
                not help, see what it is doing with `moko-mon logs
                prometheus`

    WARN  alerting.receivers
          nobody will be told
          hint: give it a receiver

    skip  rules.loaded    needs `prometheus.ready`, which is `fail`
    pass  alerting.ready  HTTP 200: OK OK OK OK OK OK OK OK OK OK OK OK O…

    4 checks: 1 failed, 1 warning, 1 passed, 1 skipped; 310 ms, the slowest check 12 ms
    "#);
    let colored = text(&verdict(), Look { width: 70, colors: true });
    assert!(colored.contains("\u{1b}[1;31mFAIL\u{1b}[0m  prometheus.ready"), "{colored}");
    let mut bare = colored;
    for code in ["1;31", "1;33", "2", "32", "0"] {
        bare = bare.replace(&format!("\u{1b}[{code}m"), "");
    }
    assert_eq!(bare, plain);
}

#[test]
fn json_has_the_documented_keys() {
    let mut of = verdict();
    let value = json(&of);
    let first = value["checks"][2].as_object().unwrap();
    let keys: Vec<&String> = first.keys().collect();
    assert_eq!(keys, ["id", "component", "outcome", "evidence", "hint", "duration_ms"]);
    assert_eq!(first["duration_ms"], 12.0);
    assert!(first["evidence"].as_str().unwrap().contains("was not answered\nConnection refused"));
    assert_eq!(value["checks"][0]["hint"], serde_json::Value::Null);
    assert_eq!(value["summary"], serde_json::json!({"pass": 1, "warn": 1, "fail": 1, "skip": 1}));
    assert_eq!(value["canary"], serde_json::Value::Null);
    let hop = Hop { name: "pushed", finding: Finding::fail("HTTP 500", "wait"), took: Duration::from_millis(1500) };
    of.canary = Some(Canary { id: "x".to_owned(), hops: vec![hop] });
    assert_eq!(
        json(&of)["canary"],
        serde_json::json!({"id": "x", "seconds": 1.5, "broken": "pushed", "hops": [
            {"hop": "pushed", "outcome": "fail", "seconds": 1.5, "evidence": "HTTP 500"},
        ]})
    );
}

#[test]
fn junit_has_a_suite_for_each_component() {
    insta::assert_snapshot!(junit(&verdict(), false), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="moko-mon verify" tests="4" failures="1" errors="0" skipped="1" time="0.310">
      <testsuite name="alertmanager" tests="2" failures="0" errors="0" skipped="0" time="0.024">
        <testcase classname="moko-mon.alertmanager" name="alerting.ready" time="0.012">
          <system-out>HTTP 200: OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK </system-out>
        </testcase>
        <testcase classname="moko-mon.alertmanager" name="alerting.receivers" time="0.012">
          <system-out>warning: nobody will be told
    hint: give it a receiver</system-out>
        </testcase>
      </testsuite>
      <testsuite name="prometheus" tests="2" failures="1" errors="0" skipped="1" time="0.024">
        <testcase classname="moko-mon.prometheus" name="prometheus.ready" time="0.012">
          <failure type="fail" message="`GET http://127.0.0.1:9090/-/ready` was not answered">`GET http://127.0.0.1:9090/-/ready` was not answered
    Connection refused &lt;os error 111&gt; &amp; &quot;more&quot;
    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
    hint: bring the stack up with `moko-mon up`, and if that does not help, see what it is doing with `moko-mon logs prometheus`</failure>
        </testcase>
        <testcase classname="moko-mon.prometheus" name="rules.loaded" time="0.012">
          <skipped message="needs `prometheus.ready`, which is `fail`"/>
        </testcase>
      </testsuite>
    </testsuites>
    "#);
    let strict = junit(&verdict(), true);
    assert!(strict.contains("tests=\"4\" failures=\"2\" errors=\"0\" skipped=\"1\" time=\"0.310\""), "{strict}");
    assert!(strict.contains("<failure type=\"warn\" message=\"nobody will be told\">"), "{strict}");
}

#[test]
fn markdown_folds_away_what_is_well() {
    insta::assert_snapshot!(markdown(&verdict()), @r#"
    ## Monitoring is broken

    4 checks: 1 failed, 1 warning, 1 passed, 1 skipped; 310 ms, the slowest check 12 ms

    | outcome | check | evidence | hint |
    | --- | --- | --- | --- |
    | **fail** | `prometheus.ready` | `GET http://127.0.0.1:9090/-/ready` was not answered<br>Connection refused &lt;os error 111> &amp; "more"<br>xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx | bring the stack up with `moko-mon up`, and if that does not help, see what it is doing with `moko-mon logs prometheus` |
    | **warn** | `alerting.receivers` | nobody will be told | give it a receiver |

    <details><summary>1 passed, 1 skipped</summary>

    | outcome | check | evidence |
    | --- | --- | --- |
    | skip | `rules.loaded` | needs `prometheus.ready`, which is `fail` |
    | pass | `alerting.ready` | HTTP 200: OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK |

    </details>
    "#);
}

#[test]
fn what_was_asked_for_and_skipped_is_no_success() {
    let mut of = verdict();
    of.checked.remove(2);
    of.asked = vec!["alerting".to_owned(), "rules".to_owned()];
    insta::assert_snapshot!(of.failure(false).unwrap(), @r#"
    error: nothing was proved of `rules`: all of it was skipped
      caused by: rules.loaded: needs `prometheus.ready`, which is `fail`
    hint: mend what that names, or do not ask for it with `--only`
    "#);
    assert!(markdown(&of).starts_with("## Something was not proved\n"), "{}", markdown(&of));
    of.asked = vec!["alerting".to_owned()];
    assert_eq!(of.failure(false), None);
    of.asked.clear();
    of.checked.retain(|check| check.finding.outcome == Outcome::Skip);
    assert_eq!(of.failure(false).unwrap().message, "nothing was proved of any check: all of it was skipped");
    of.checked.clear();
    assert_eq!(of.failure(false), None, "no check is the matter of `--only` and `--skip`");
}

#[test]
fn the_error_names_what_failed() {
    insta::assert_snapshot!(verdict().failure(false).unwrap(), @r#"
    error: 1 of 4 checks failed
      caused by: prometheus.ready: `GET http://127.0.0.1:9090/-/ready` was not answered
    hint: bring the stack up with `moko-mon up`, and if that does not help, see what it is doing with `moko-mon logs prometheus`
    "#);
    let mut of = verdict();
    of.checked.remove(2);
    assert_eq!(of.failure(false), None);
    insta::assert_snapshot!(of.failure(true).unwrap(), @r#"
    error: 1 warning with `--strict`
      caused by: alerting.receivers: nobody will be told
    hint: give it a receiver
    "#);
}
