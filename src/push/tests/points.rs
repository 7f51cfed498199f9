//! Points of the command line.

use super::*;

#[test]
fn metrics_of_the_contract_need_no_declaration() {
    let mut state = State::new("backup");
    let mut push = |line| push(&mut state, line, Declared::default()).unwrap();
    push("inc moko_script_executions_total 2 status=failure");
    push("set moko_circuit_breaker_state half_open service=github");
    push("observe moko_script_duration_seconds 301.5");
    assert_eq!(state.get("moko_script_executions_total", &[("status", "failure")]), Some(2.0));
    assert_eq!(state.get("moko_script_executions_total", &[("status", "success")]), Some(0.0), "it begins at 0");
    assert_eq!(state.get("moko_circuit_breaker_state", &[("service", "github")]), Some(2.0));
    assert!(text(&state).contains("moko_script_duration_seconds_bucket{script_name=\"backup\",le=\"600\"} 1\n"));
}

#[test]
fn a_metric_of_a_script_is_declared_once() {
    let mut state = State::new("backup");
    let said = Declared { help: Some("Rows.".to_owned()), ..own(MetricType::Counter) };
    push(&mut state, "inc rows_total 5 table=a", said).unwrap();
    push(&mut state, "inc rows_total 2.5 table=a", Declared::default()).unwrap();
    assert_eq!(state.get("rows_total", &[("table", "a")]), Some(7.5));
    assert_eq!(state.families["rows_total"].help, "Rows.");
    let sizes = Declared { bounds: Some(vec![10.0, 100.0]), ..own(MetricType::Histogram) };
    push(&mut state, "observe size_bytes 50", sizes).unwrap();
    push(&mut state, "observe size_bytes -1", Declared::default()).unwrap();
    assert_eq!(state.families["size_bytes"].series[0].value, Value::Histogram { counts: vec![1, 1, 0], sum: 49.0 });
    // Times need no buckets of their own.
    push(&mut state, "observe wait_seconds 7", own(MetricType::Histogram)).unwrap();
    // Other labels have to be said, too.
    push(&mut state, "inc rows_total 1 table=a disk=b", own(MetricType::Counter)).unwrap();
}

#[test]
fn an_unknown_metric_is_refused_with_the_one_that_was_meant() {
    insta::assert_snapshot!(refused("inc moko_script_executons_total 1 status=success"), @r"
    error: could not push it
      caused by: there is no metric `moko_script_executons_total` (did you mean `moko_script_executions_total`?)
    hint: docs/metrics.md has the metrics of the contract
    ");
    insta::assert_snapshot!(refused("inc rows_total 1"), @r"
    error: could not push it
      caused by: there is no metric `rows_total`
    hint: a metric of your own needs its type once: add `--type counter`
    ");
    // Who says that it is new is asked once more if it looks like one that is not.
    insta::assert_snapshot!(refused_with("set moko_api_rate_limit_remainig 1 api=x", own(MetricType::Gauge), &mut State::new("")), @r"
    error: could not push it
      caused by: there is no metric `moko_api_rate_limit_remainig` (did you mean `moko_api_rate_limit_remaining`?)
    hint: docs/metrics.md has the metrics of the contract
    ");
    insta::assert_snapshot!(refused("inc moko_script_duration_seconds_count 1"), @r"
    error: could not push it
      caused by: `moko_script_duration_seconds_count` is a series of the histogram `moko_script_duration_seconds`
    hint: use `moko-mon push observe moko_script_duration_seconds VALUE`
    ");
    insta::assert_snapshot!(refused("inc rows-total 1"), @r"
    error: could not push it
      caused by: `rows-total` is not the name of a metric
    hint: use letters, digits and `_`, and no digit first; colons are for the names of recording rules
    ");
    insta::assert_snapshot!(refused("inc job:rows:rate 1"), @r"
    error: could not push it
      caused by: `job:rows:rate` is not the name of a metric
    hint: use letters, digits and `_`, and no digit first; colons are for the names of recording rules
    ");
    insta::assert_snapshot!(refused("inc größe 1"), @r"
    error: could not push it
      caused by: `größe` is not the name of a metric
    hint: use letters, digits and `_`, and no digit first; colons are for the names of recording rules
    ");
}

#[test]
fn a_metric_keeps_its_type_and_its_buckets() {
    insta::assert_snapshot!(refused("inc moko_api_rate_limit_total 1 api=x"), @r"
    error: could not push it
      caused by: `moko_api_rate_limit_total` is a gauge, and `push inc` is for counters
    hint: use `moko-mon push set moko_api_rate_limit_total`
    ");
    insta::assert_snapshot!(refused("set moko_script_executions_total 1 status=success"), @r"
    error: could not push it
      caused by: `moko_script_executions_total` is a counter, and `push set` is for gauges
    hint: use `moko-mon push inc moko_script_executions_total`
    ");
    insta::assert_snapshot!(refused("set moko_script_duration_seconds 1"), @r"
    error: could not push it
      caused by: `moko_script_duration_seconds` is a histogram, and `push set` is for gauges
    hint: use `moko-mon push observe moko_script_duration_seconds`
    ");
    let mut state = State::new("backup");
    push(&mut state, "inc rows_total 1", own(MetricType::Counter)).unwrap();
    push(&mut state, "observe moko_script_duration_seconds 1", Declared::default()).unwrap();
    let mut refused = |line: &str, said: Declared| refused_with(line, said, &mut state);
    insta::assert_snapshot!(refused("set rows_total 1", Declared::default()), @r"
    error: could not push it
      caused by: `rows_total` is a counter, and `push set` is for gauges
    hint: use `moko-mon push inc rows_total`
    ");
    insta::assert_snapshot!(refused("set rows_total 1", own(MetricType::Gauge)), @r"
    error: could not push it
      caused by: `rows_total` is a counter, not a gauge
    hint: a metric has one type for good; another type needs another name
    ");
    insta::assert_snapshot!(refused("inc lines_total 1", own(MetricType::Gauge)), @r"
    error: could not push it
      caused by: `lines_total` is a gauge, and `push inc` is for counters
    hint: use `moko-mon push set lines_total`
    ");
    insta::assert_snapshot!(refused("observe size_bytes 1", own(MetricType::Histogram)), @r"
    error: could not push it
      caused by: nothing says how large the values of `size_bytes` are
    hint: give the boundaries of its buckets once: `--buckets 10,100,1000`
    ");
    let buckets = |kind, bounds: &[f64]| Declared { bounds: Some(bounds.to_vec()), ..own(kind) };
    insta::assert_snapshot!(refused("inc rows_total 1", buckets(MetricType::Counter, &[1.0])), @r"
    error: could not push it
      caused by: `rows_total` is a counter; only histograms have buckets
    ");
    insta::assert_snapshot!(refused("observe size_bytes 1", buckets(MetricType::Histogram, &[2.0, 1.0])), @r"
    error: could not push it
      caused by: the buckets are `2,1`; expected finite numbers, smallest first
    hint: the bucket for all that is larger comes by itself
    ");
    insta::assert_snapshot!(refused("observe moko_script_duration_seconds 1", buckets(MetricType::Histogram, &[1.0, 2.0])), @r"
    error: could not push it
      caused by: the buckets of `moko_script_duration_seconds` are other ones: 0.1,0.5,1,2.5,5,10,30,60,120,300,600,1200,1800,3600,7200,14400,28800,43200
    hint: a histogram keeps its buckets for good; other ones need another name
    ");
}

#[test]
fn labels_are_those_of_the_metric_and_their_values_of_its_vocabulary() {
    insta::assert_snapshot!(refused("set moko_circuit_breaker_state 1"), @r"
    error: could not push it
      caused by: `moko_circuit_breaker_state` needs the label `service`: write `service=…`
    ");
    insta::assert_snapshot!(refused("set moko_circuit_breaker_state 1 servce=x"), @r"
    error: could not push it
      caused by: `moko_circuit_breaker_state` has no label `servce` (did you mean `service`?); expected `service`
    ");
    insta::assert_snapshot!(refused("observe moko_script_duration_seconds 1 status=success"), @r"
    error: could not push it
      caused by: `moko_script_duration_seconds` has no label `status`; expected none
    ");
    insta::assert_snapshot!(refused("inc moko_script_executions_total 1 status=succes"), @r"
    error: could not push it
      caused by: `status` is `succes` (did you mean `success`?); expected `success` or `failure`
    ");
    insta::assert_snapshot!(refused("inc moko_security_findings_total 1 severity=blocker finding_type=x"), @r"
    error: could not push it
      caused by: `severity` is `blocker`; expected `low`, `medium`, `high`, `critical` or `warning`
    ");
    insta::assert_snapshot!(refused("set moko_circuit_breaker_state 1 service="), @r"
    error: could not push it
      caused by: the label `service` is empty, which is the same as not being there
    ");
    insta::assert_snapshot!(refused("set moko_circuit_breaker_state 1 service"), @r"
    error: could not push it
      caused by: `service` is not a label
    hint: write labels as `name=value`, behind the value
    ");
    insta::assert_snapshot!(refused("set moko_circuit_breaker_state 1 service=a service=b"), @r"
    error: could not push it
      caused by: the label `service` is there twice
    ");
    insta::assert_snapshot!(refused("set moko_circuit_breaker_state 1 service=a instance=b"), @r"
    error: could not push it
      caused by: the label `instance` cannot be given
    hint: it is the setting `push.instance`
    ");
    insta::assert_snapshot!(refused("set moko_circuit_breaker_state 1 service=a le=b"), @r"
    error: could not push it
      caused by: the label `le` cannot be given
    hint: it belongs to the format
    ");
    insta::assert_snapshot!(refused("set moko_circuit_breaker_state 1 service=a __x=b"), @r"
    error: could not push it
      caused by: `__x` is not the name of a label
    hint: use letters, digits and `_`, no digit first, and no `__` in front
    ");
    let mut state = State::new("backup");
    push(&mut state, "inc rows_total 1 table=a", own(MetricType::Counter)).unwrap();
    insta::assert_snapshot!(refused_with("inc rows_total 1 tabel=a", Declared::default(), &mut state), @r"
    error: could not push it
      caused by: `rows_total` has no label `tabel` (did you mean `table`?); expected `table`
    hint: if it is to have other labels from now on, add `--type counter` once
    ");
}

#[test]
fn values_are_finite_and_make_sense() {
    insta::assert_snapshot!(refused("inc moko_script_executions_total NaN status=success"), @r"
    error: could not push it
      caused by: the value is NaN; expected a number that is neither NaN nor infinite
    ");
    insta::assert_snapshot!(refused("inc moko_script_executions_total inf status=success"), @r"
    error: could not push it
      caused by: the value is inf; expected a number that is neither NaN nor infinite
    ");
    insta::assert_snapshot!(refused("inc moko_script_executions_total -1 status=success"), @r"
    error: could not push it
      caused by: the value is -1; a counter only grows: expected 0 or more
    ");
    insta::assert_snapshot!(refused("set moko_api_rate_limit_remaining -1 api=x"), @r"
    error: could not push it
      caused by: the value is -1; expected 0 or more
    ");
    insta::assert_snapshot!(refused("set moko_api_rate_limit_remaining many api=x"), @r"
    error: could not push it
      caused by: the value is `many`; expected a number
    ");
    insta::assert_snapshot!(refused("set moko_api_rate_limit_remaining api=x 5"), @r"
    error: could not push it
      caused by: the value is `api=x`; expected a number
    hint: the value stands in front of the labels
    ");
    insta::assert_snapshot!(refused("set moko_circuit_breaker_state 3 service=x"), @r"
    error: could not push it
      caused by: the value is 3; expected 0 (closed), 1 (open) or 2 (half-open)
    ");
    insta::assert_snapshot!(refused("set moko_circuit_breaker_state ajar service=x"), @r"
    error: could not push it
      caused by: the value is `ajar`; expected `closed`, `open`, `half-open`, or 0, 1, 2
    ");
    insta::assert_snapshot!(refused("set moko_api_rate_limit_reset_timestamp_seconds 1800000000000 api=x"), @r"
    error: could not push it
      caused by: the value is 1800000000000; expected seconds since the epoch, and that are milliseconds
    ");
    let mut state = State::new("backup");
    push(&mut state, "set celsius -40.5", own(MetricType::Gauge)).unwrap();
    insta::assert_snapshot!(refused_with("set celsius -inf", Declared::default(), &mut state), @r"
    error: could not push it
      caused by: the value is -inf; expected a number that is neither NaN nor infinite
    ");
}

/// What a script has is written as text, read from it, and the same again; any labels, any numbers.
/// A client library has buckets of its own, also for a metric of the contract; the first ones stay.
#[test]
fn a_total_that_would_be_infinite_is_refused() {
    let mut state = State::new("backup");
    push(&mut state, "inc rows_total 1.7e308", own(MetricType::Counter)).unwrap();
    let batch = Batch::one(point("inc rows_total 1.7e308").unwrap(), Declared::default());
    let definitions = batch.definitions(|name| state.families.get(name).cloned()).unwrap();
    let error = batch.apply(&definitions, &mut state).unwrap_err();
    assert_eq!(error.to_string(), "error: the total of `rows_total` would be infinite");
}
