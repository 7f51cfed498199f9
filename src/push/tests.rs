//! What is taken, what is refused, and in which words.

use std::collections::BTreeMap;

use super::*;
use crate::contract::MetricType;
use crate::ledger::{Family, State, Value};
use crate::publish::text;

/// A point of a command line: `inc NAME 2 a=b`.
fn point(line: &str) -> Result<Point, Fault> {
    let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    let number = value(&words[1], &words[2])?;
    let change = match words[0].as_str() {
        "inc" => Change::Inc(number),
        "set" => Change::Set(number),
        _ => Change::Observe(number),
    };
    Ok(Point { name: words[1].clone(), labels: labels(&words[3..])?, change, line: None })
}

fn own(kind: MetricType) -> Declared {
    Declared { kind: Some(kind), ..Declared::default() }
}

/// Counts a command line with what is said of its metric.
fn push(state: &mut State, line: &str, said: Declared) -> Result<(), Faults> {
    let mut batch = Batch::one(point(line).map_err(Faults::one)?, said);
    assert_eq!(batch.script()?, None);
    let definitions = batch.definitions(|name| state.families.get(name).cloned())?;
    batch.apply(&definitions, state).unwrap();
    Ok(())
}

fn refused(line: &str) -> String {
    refused_with(line, Declared::default(), &mut State::new("backup"))
}

fn refused_with(line: &str, said: Declared, state: &mut State) -> String {
    push(state, line, said).unwrap_err().error("could not push it").to_string()
}

fn stdin(state: &mut State, text: &str) -> Result<Batch, Faults> {
    let known = |name: &str| state.families.get(name).cloned();
    let batch = Batch::read(text, |name| known(name).map(|family| family.kind))?;
    let definitions = batch.definitions(known)?;
    batch.apply(&definitions, state).unwrap();
    Ok(batch)
}

fn refused_text(text: &str) -> String {
    stdin(&mut State::new("backup"), text).unwrap_err().error("could not push it").to_string()
}

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
    insta::assert_snapshot!(refused("observe size_bytes 1", buckets(MetricType::Histogram, &[2.0, 1.0])), @"");
    insta::assert_snapshot!(refused("observe moko_script_duration_seconds 1", buckets(MetricType::Histogram, &[1.0, 2.0])), @"");
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

#[test]
fn a_text_is_added_to_the_totals() {
    // As Python's client writes it: what this process has counted.
    let text = "# HELP rows_total Rows.\n# TYPE rows_total counter\nrows_total{table=\"a\"} 3.0\n\
                # HELP rows_created Rows.\n# TYPE rows_created gauge\nrows_created{table=\"a\"} 1.7e+09\n\
                # HELP free_bytes Free.\n# TYPE free_bytes gauge\nfree_bytes 1.5e3\n\
                # HELP wait_seconds Waits.\n# TYPE wait_seconds histogram\nwait_seconds_bucket{le=\"1.0\"} 1.0\n\
                wait_seconds_bucket{le=\"5.0\"} 3.0\nwait_seconds_bucket{le=\"+Inf\"} 4.0\nwait_seconds_count 4.0\nwait_seconds_sum 20.5\n\
                moko_script_executions_total{status=\"success\"} 1\n";
    let mut state = State::new("backup");
    stdin(&mut state, text).unwrap();
    stdin(&mut state, text).unwrap();
    assert_eq!(state.get("rows_total", &[("table", "a")]), Some(6.0));
    assert_eq!(state.get("free_bytes", &[]), Some(1500.0), "a gauge is what it was last");
    assert!(!state.families.contains_key("rows_created"));
    let waits = &state.families["wait_seconds"];
    assert_eq!((waits.bounds.as_slice(), waits.help.as_str()), (&[1.0, 5.0][..], "Waits."));
    assert_eq!(waits.series[0].value, Value::Histogram { counts: vec![2, 4, 2], sum: 41.0 });
    assert_eq!(state.get("moko_script_executions_total", &[("status", "success")]), Some(2.0));
    // The type is remembered.
    stdin(&mut state, "rows_total{table=\"b\"} 1").unwrap();
    assert_eq!(state.get("rows_total", &[("table", "b")]), Some(1.0));
}

#[test]
fn one_bad_line_and_nothing_of_the_text_is_counted() {
    let mut state = State::new("backup");
    let before = state.clone();
    let text = "# TYPE rows_total counter\nrows_total 3\nmoko_script_executions_total{status=\"ok\"} 1\n\
                moko_circuit_breaker_state{service=\"x\"} 7\nrows_total{a=\"b\"} NaN\n";
    let error = stdin(&mut state, text).unwrap_err().error("could not push the metrics on stdin").to_string();
    insta::assert_snapshot!(error, @r"
    error: could not push the metrics on stdin
      caused by: line 5: `rows_total` has no label `a`; expected none
      caused by: line 3: `status` is `ok`; expected `success` or `failure`
      caused by: line 4: the value is 7; expected 0 (closed), 1 (open) or 2 (half-open)
    hint: nothing was counted
    ");
    assert_eq!(state, before);
}

#[test]
fn a_text_is_refused_with_its_line_and_what_was_expected() {
    insta::assert_snapshot!(refused_text(""), @r#"
    error: could not push it
      caused by: there are no metrics on stdin
    hint: expected lines such as `NAME{label="value"} 1`
    "#);
    insta::assert_snapshot!(refused_text("# TYPE rows_total counter\nrows_total three\n"), @r#"
    error: could not push it
      caused by: line 2: "three" is not a number
    hint: expected lines such as `NAME{label="value"} 1`; nothing was counted
    "#);
    insta::assert_snapshot!(refused_text("\nrows_total 3\n"), @r"
    error: could not push it
      caused by: line 2: there is no metric `rows_total`; expected `# TYPE rows_total …` above a new one
    hint: nothing was counted
    ");
    insta::assert_snapshot!(refused_text("moko_script_executons_total{status=\"success\"} 3\n"), @r"
    error: could not push it
      caused by: line 1: there is no metric `moko_script_executons_total` (did you mean `moko_script_executions_total`?); expected `# TYPE moko_script_executons_total …` above a new one
    hint: nothing was counted
    ");
    insta::assert_snapshot!(refused_text("# TYPE moko_api_rate_limit_total counter\nmoko_api_rate_limit_total{api=\"x\"} 3\n"), @r"
    error: could not push it
      caused by: line 2: `moko_api_rate_limit_total` is a gauge, not a counter
    hint: a metric has one type for good; another type needs another name; nothing was counted
    ");
    insta::assert_snapshot!(refused_text("# TYPE x summary\nx{quantile=\"0.5\"} 3\nx_sum 1\nx_count 1\n"), @r"
    error: could not push it
      caused by: line 1: `x` is a summary; expected a counter, gauge or histogram
    hint: quantiles of several runs cannot be added up: use a histogram; nothing was counted
    ");
    insta::assert_snapshot!(refused_text("# TYPE x gauge\nx 3 1700000000000\n"), @r"
    error: could not push it
      caused by: line 2: `x` has a time behind its value; expected none
    hint: what is pushed counts when it is scraped; nothing was counted
    ");
    insta::assert_snapshot!(refused_text("# TYPE x gauge\n{\"x.y\"} 3\n"), @r"
    error: could not push it
      caused by: line 2: there is no metric `x.y`; expected `# TYPE x.y …` above a new one
    hint: nothing was counted
    ");
    insta::assert_snapshot!(refused_text("# TYPE x.y gauge\n"), @r#"
    error: could not push it
      caused by: line 1: "x.y" is not the name of a metric
    hint: expected lines such as `NAME{label="value"} 1`; nothing was counted
    "#);
    insta::assert_snapshot!(refused_text("# TYPE x counter\nx -3\n"), @r"
    error: could not push it
      caused by: line 2: the value is -3; a counter only grows: expected 0 or more
    hint: nothing was counted
    ");
    insta::assert_snapshot!(refused_text("# TYPE x histogram\nx_sum 3\nx_count 1\n"), @r"
    error: could not push it
      caused by: line 2: the histogram `x` has no buckets
    hint: nothing was counted
    ");
    insta::assert_snapshot!(refused_text("# TYPE x histogram\nx_bucket{le=\"1\"} 1\nx_sum 3\nx_count 1\n"), @r#"
    error: could not push it
      caused by: line 2: the histogram `x` has no bucket `le="+Inf"`
    hint: nothing was counted
    "#);
    insta::assert_snapshot!(refused_text("# TYPE x histogram\nx_bucket{le=\"1\"} 2\nx_bucket{le=\"+Inf\"} 1\nx_sum 3\n"), @r"
    error: could not push it
      caused by: line 2: the histogram `x` has a bucket with less in it than a smaller one
    hint: nothing was counted
    ");
    insta::assert_snapshot!(refused_text("# TYPE x histogram\nx_bucket{le=\"+Inf\"} 1\nx_sum 3\nx_count 2\n"), @r#"
    error: could not push it
      caused by: line 2: the histogram `x` has another `_count` than its bucket `le="+Inf"`
    hint: nothing was counted
    "#);
    insta::assert_snapshot!(refused_text("# TYPE x histogram\nx_bucket{le=\"1\"} 1\nx_bucket{le=\"+Inf\"} 1\nx_sum NaN\n"), @r"
    error: could not push it
      caused by: line 2: the histogram `x` has no `_sum` that is a finite number
    hint: nothing was counted
    ");
    insta::assert_snapshot!(refused_text("# TYPE x histogram\nx_bucket{le=\"1\"} 1\nx_bucket{le=\"+Inf\"} 1\nx_sum 1\nx_bucket{a=\"b\",le=\"2\"} 1\nx_bucket{a=\"b\",le=\"+Inf\"} 1\nx_sum{a=\"b\"} 1\n"), @r"
    error: could not push it
      caused by: line 5: `x` has no label `a`; expected none
    hint: nothing was counted
    ");
    insta::assert_snapshot!(refused_text("# TYPE x histogram\nx_bucket{le=\"1\"} 1\nx_bucket{le=\"+Inf\"} 1\nx_sum 1\n# TYPE x_total counter\nx_total{job=\"a\"} 1\n"), @r"
    error: could not push it
      caused by: line 6: the label `job` cannot be given
    hint: it is the setting `push.job`; nothing was counted
    ");
}

#[test]
fn many_faults_are_one_short_error() {
    let lines: String = (0..50).map(|n| format!("moko_circuit_breaker_state{{service=\"{n}\"}} 9\n")).collect();
    let text = refused_text(&lines);
    assert_eq!(text.matches("caused by").count(), 21);
    assert!(text.contains("\n  caused by: and 30 more\n"), "{text}");
}

#[test]
fn the_script_may_be_a_label_but_only_one() {
    let mut batch =
        Batch::read("moko_script_executions_total{status=\"success\",script_name=\"a\"} 1", |_| None).unwrap();
    assert_eq!(batch.script().unwrap().as_deref(), Some("a"));
    assert!(!batch.points[0].labels.contains_key("script_name"));
    let two = "moko_script_duration_seconds_sum 1\n";
    assert!(Batch::read(two, |_| None).is_err());
    let line = |name: &str| format!("moko_script_executions_total{{status=\"success\",script_name=\"{name}\"}} 1\n");
    let mut batch = Batch::read(&(line("a") + &line("b")), |_| None).unwrap();
    insta::assert_snapshot!(batch.script().unwrap_err().error("could not push it"), @r"
    error: could not push it
      caused by: these are metrics of several scripts: `a` and `b`
    hint: push those of each script in a call of their own
    ");
}

/// Numbers that look random, the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn value(&mut self) -> String {
        const PARTS: [&str; 14] = ["a", "\"", "\\", "\n", "/", "🎉", "é", " ", "=", "{", "}", ",", "#", "\u{1}\t\r"];
        let longest = if self.roll(20) == 0 { 10_000 } else { 12 };
        let length = 1 + self.roll(longest);
        (0..length).map(|_| PARTS[self.roll(PARTS.len())]).collect()
    }

    fn number(&mut self) -> f64 {
        let numbers = [0.0, 1.0, 0.1, 1e-300, 1e300, 1.0 / 3.0, 9_007_199_254_740_993.0, 12_345.678];
        numbers[self.roll(numbers.len())]
    }
}

/// What a script has is written as text, read from it, and the same again; any labels, any numbers.
#[test]
fn any_state_survives_its_own_text() {
    for seed in 0..200 {
        let mut dice = Dice(seed);
        let mut state = State::new(&dice.value());
        for number in 0..dice.roll(6) {
            let kind = [MetricType::Counter, MetricType::Gauge, MetricType::Histogram][dice.roll(3)];
            let (name, help) = (format!("metric_{number}"), format!("Help {}", dice.value().trim_end()));
            state.declare(&name, kind, &help, &[0.5, 1e3]).unwrap();
            for _ in 0..1 + dice.roll(4) {
                let (one, other, number) = (dice.value(), dice.value(), dice.number());
                let labels = [("one", one.as_str()), ("other", other.as_str())];
                match kind {
                    MetricType::Counter => state.inc(&name, &labels, number).unwrap(),
                    MetricType::Gauge => state.set(&name, &labels, -number).unwrap(),
                    MetricType::Histogram => state.observe(&name, &labels, number).unwrap(),
                }
            }
        }
        if state.families.is_empty() {
            continue;
        }
        let written = text(&state);
        let mut batch = Batch::read(&written, |_| None).unwrap();
        assert_eq!(batch.script().unwrap().as_ref(), Some(&state.script), "seed {seed}");
        let mut read = State::new(&state.script);
        let definitions = batch.definitions(|_| None).unwrap();
        batch.apply(&definitions, &mut read).unwrap();
        assert_eq!(sorted(&read), sorted(&state), "seed {seed}");
    }
}

/// The order of series means nothing.
fn sorted(state: &State) -> BTreeMap<String, Family> {
    let mut families = state.families.clone();
    for family in families.values_mut() {
        family.series.sort_by(|one, other| one.labels.cmp(&other.labels));
    }
    families
}
