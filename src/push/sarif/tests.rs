use serde_json::{Value, json};

use super::*;

fn log(runs: &Value) -> String {
    json!({"version": "2.1.0", "runs": runs}).to_string()
}

/// A run of the tool `Scan` with these results.
fn report(results: &Value) -> String {
    log(&json!([{"tool": {"driver": {"name": "Scan", "rules": [
        {"id": "SQL", "properties": {"security-severity": "9.1"}, "defaultConfiguration": {"level": "note"}},
        {"id": "STYLE", "defaultConfiguration": {"level": "error"}},
        {"id": "PLAIN"},
    ]}}, "results": results}]))
}

fn only(text: &str) -> Scan {
    scans(text).unwrap().into_iter().next().unwrap()
}

/// The severities of all findings, sorted by name of severity.
fn severities(results: &Value) -> Vec<&'static str> {
    let mut words: Vec<&str> = only(&report(results)).findings.values().map(|of| of.as_str()).collect();
    words.sort_unstable();
    words
}

fn fingerprint(result: &Value) -> String {
    only(&report(&json!([result]))).findings.into_keys().next().unwrap()
}

fn place(rule: &str, file: &str, line: u32) -> Value {
    json!({"ruleId": rule, "message": {"text": "m"}, "locations": [
        {"physicalLocation": {"artifactLocation": {"uri": file}, "region": {"startLine": line}}}]})
}

fn with(mut result: Value, key: &str, value: Value) -> Value {
    result[key] = value;
    result
}

#[test]
fn severity_comes_from_the_score_then_the_level_then_the_rule() {
    let of = |result: Value| severities(&json!([result]))[0];
    assert_eq!(of(place("SQL", "a", 1)), "critical", "the rule's score beats its level");
    assert_eq!(of(with(place("SQL", "a", 1), "properties", json!({"security-severity": 5}))), "medium");
    assert_eq!(of(with(place("SQL", "a", 1), "level", json!("note"))), "critical", "a score beats a level");
    assert_eq!(of(place("STYLE", "a", 1)), "high");
    assert_eq!(of(with(place("STYLE", "a", 1), "level", json!("note"))), "low");
    assert_eq!(of(place("PLAIN", "a", 1)), "warning", "the format's default");
    assert_eq!(of(place("unknown", "a", 1)), "warning");
    assert_eq!(of(place("STYLE/2", "a", 1)), "high", "a case of a rule");
    assert_eq!(of(json!({"ruleIndex": 1, "message": {"text": "m"}})), "high");
    assert_eq!(of(json!({"rule": {"index": 0}, "ruleIndex": -1, "ruleId": "STYLE"})), "high");
}

#[test]
fn rules_of_extensions_are_found() {
    let run = json!([{"tool": {"driver": {"name": "CodeQL"}, "extensions": [
        {"name": "empty"},
        {"name": "pack", "rules": [{"id": "js/xss", "properties": {"security-severity": "7.8"}}]},
    ]}, "results": [
        {"ruleId": "js/xss", "message": {"text": "by id"}},
        {"rule": {"index": 0, "toolComponent": {"index": 1}}, "message": {"text": "by index"}},
    ]}]);
    let scan = only(&log(&run));
    assert_eq!(scan.findings.values().collect::<Vec<_>>(), [&Severity::High, &Severity::High]);
}

#[test]
fn what_is_suppressed_gone_or_no_problem_is_not_counted() {
    let suppressed = |status: Value| with(place("PLAIN", "a", 1), "suppressions", status);
    let count = |result: Value| severities(&json!([result])).len();
    assert_eq!(count(suppressed(json!([{"kind": "inSource"}]))), 0);
    assert_eq!(count(suppressed(json!([{"kind": "external", "status": "accepted"}]))), 0);
    assert_eq!(count(suppressed(json!([{"kind": "external", "status": "underReview"}]))), 1);
    assert_eq!(count(suppressed(json!([{"kind": "inSource"}, {"kind": "external", "status": "rejected"}]))), 1);
    assert_eq!(count(suppressed(json!([]))), 1);
    assert_eq!(count(with(place("PLAIN", "a", 1), "baselineState", json!("absent"))), 0);
    assert_eq!(count(with(place("PLAIN", "a", 1), "baselineState", json!("unchanged"))), 1);
    for (kind, expected) in
        [("fail", 1), ("open", 1), ("review", 1), ("pass", 0), ("notApplicable", 0), ("informational", 0)]
    {
        assert_eq!(count(with(place("PLAIN", "a", 1), "kind", json!(kind))), expected, "{kind}");
    }
}

#[test]
fn a_tool_s_own_fingerprint_counts_wherever_the_finding_moves() {
    let own = |file, line, print: &str| with(place("SQL", file, line), "fingerprints", json!({"id/v1": print}));
    assert_eq!(fingerprint(&own("a", 1, "x")), fingerprint(&own("b", 9, "x")));
    assert_ne!(fingerprint(&own("a", 1, "x")), fingerprint(&own("a", 1, "y")));
    let partial = |file, line| with(place("SQL", file, line), "partialFingerprints", json!({"lineHash": "39fa:1"}));
    assert_eq!(fingerprint(&partial("a", 1)), fingerprint(&partial("a", 9)));
    assert_ne!(fingerprint(&partial("a", 1)), fingerprint(&partial("b", 1)), "only part of what tells them apart");
    // Listed twice, it is still one.
    assert_eq!(severities(&json!([own("a", 1, "x"), own("a", 2, "x")])).len(), 1);
    // No account, no fingerprint: all results would be one.
    let semgrep = |line| own("a", line, "requires login");
    assert_ne!(fingerprint(&semgrep(1)), fingerprint(&semgrep(2)));
}

#[test]
fn without_a_fingerprint_rule_and_place_tell_findings_apart() {
    let base = fingerprint(&place("SQL", "a", 1));
    assert_eq!(base, fingerprint(&with(place("SQL", "a", 1), "message", json!({"text": "other words"}))));
    for other in [place("PLAIN", "a", 1), place("SQL", "b", 1), place("SQL", "a", 2)] {
        assert_ne!(base, fingerprint(&other));
    }
    let snippet = |line: u32, text: &str| {
        let region = json!({"startLine": line, "snippet": {"text": text}});
        json!({"ruleId": "SQL", "locations": [{"physicalLocation": {"artifactLocation": {"uri": "a"}, "region": region}}]})
    };
    assert_eq!(fingerprint(&snippet(1, "  eval(x)")), fingerprint(&snippet(7, "eval(x)\n")), "lines move");
    assert_eq!(severities(&json!([snippet(1, "eval(x)"), snippet(7, "eval(x)")])).len(), 2, "two of a kind are two");
    assert_ne!(fingerprint(&json!({"message": {"text": "a"}})), fingerprint(&json!({"message": {"text": "b"}})));
    // The file may be named by its number only.
    let run = json!([{"tool": {"driver": {"name": "x"}}, "artifacts": [{"location": {"uri": "a"}}], "results": [
        {"ruleId": "SQL", "locations": [{"physicalLocation": {"artifactLocation": {"index": 0}, "region": {"startLine": 1}}}]}]}]);
    assert_eq!(only(&log(&run)).findings.into_keys().next().unwrap(), base);
}

#[test]
fn every_run_is_a_scan_and_one_that_broke_off_says_so() {
    let run = |name: &str, rest: Value| {
        let mut run = json!({"tool": {"driver": {"name": name}}});
        run.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        run
    };
    let failed = json!([{"executionSuccessful": false}]);
    let scans = scans(&format!(
        "\u{feff}{}",
        log(&json!([
            run("clean", json!({"results": [], "invocations": [{"executionSuccessful": true}]})),
            run("broken", json!({"results": [place("a", "b", 1)], "invocations": failed})),
            run("never", json!({"results": null, "artifacts": null})),
        ]))
    ));
    let seen: Vec<_> = scans.unwrap().into_iter().map(|scan| (scan.tool, scan.findings.len(), scan.complete)).collect();
    assert_eq!(seen, [("clean".to_owned(), 0, true), ("broken".to_owned(), 1, false), ("never".to_owned(), 0, false)]);
}

#[test]
fn what_is_no_sarif_is_refused_with_what_was_expected() {
    let error = |text: &str| scans(text).unwrap_err().to_string();
    insta::assert_snapshot!(error("Found 3 issues"), @r"
    error: could not read the findings
      caused by: it is not JSON: expected value at line 1 column 1
    hint: expected a report in SARIF 2.1.0, as `semgrep --sarif`, `trivy --format sarif` or CodeQL write it
    ");
    insta::assert_snapshot!(error("[]"), @r"
    error: could not read the findings
      caused by: it has no `runs`, so it is not SARIF
    hint: expected a report in SARIF 2.1.0, as `semgrep --sarif`, `trivy --format sarif` or CodeQL write it
    ");
    insta::assert_snapshot!(error(r#"{"version": "2.0.0", "runs": []}"#), @r"
    error: could not read the findings
      caused by: its version is `2.0.0`
    hint: expected a report in SARIF 2.1.0, as `semgrep --sarif`, `trivy --format sarif` or CodeQL write it
    ");
    insta::assert_snapshot!(error(r#"{"runs": []}"#), @r"
    error: could not read the findings
      caused by: it has no `version`
    hint: expected a report in SARIF 2.1.0, as `semgrep --sarif`, `trivy --format sarif` or CodeQL write it
    ");
    insta::assert_snapshot!(error(r#"{"version": "2.1.0", "runs": [{"results": []}]}"#), @r"
    error: could not read the findings
      caused by: missing field `tool`
    hint: expected a report in SARIF 2.1.0, as `semgrep --sarif`, `trivy --format sarif` or CodeQL write it
    ");
    insta::assert_snapshot!(error(r#"{"version": "2.1.0", "runs": {}}"#), @r"
    error: could not read the findings
      caused by: invalid type: map, expected a sequence
    hint: expected a report in SARIF 2.1.0, as `semgrep --sarif`, `trivy --format sarif` or CodeQL write it
    ");
}
