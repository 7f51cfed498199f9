//! Texts of scripts.

use super::*;

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
      caused by: line 3: `status` is `ok`; expected `success` or `failure`
      caused by: line 4: the value is 7; expected 0 (closed), 1 (open) or 2 (half-open)
      caused by: line 5: `rows_total` has no label `a`; expected none
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
    let lines: Vec<_> = (0..50).map(|n| format!("moko_circuit_breaker_state{{service=\"{n}\"}} 9")).collect();
    let lines = lines.join("\n");
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

#[test]
fn a_histogram_of_the_contract_keeps_the_buckets_that_it_began_with() {
    let text = |bound: u32| {
        format!(
            "# TYPE moko_script_duration_seconds histogram\nmoko_script_duration_seconds_bucket{{le=\"{bound}\"}} 1\n\
             moko_script_duration_seconds_bucket{{le=\"+Inf\"}} 1\nmoko_script_duration_seconds_sum 7\n"
        )
    };
    let mut state = State::new("backup");
    stdin(&mut state, &text(300)).unwrap();
    stdin(&mut state, &text(300)).unwrap();
    assert_eq!(state.families["moko_script_duration_seconds"].bounds, [300.0]);
    insta::assert_snapshot!(stdin(&mut state, &text(60)).unwrap_err().error("could not push it"), @r"
    error: could not push it
      caused by: line 2: the buckets of `moko_script_duration_seconds` are other ones: 300
    hint: a histogram keeps its buckets for good; other ones need another name; nothing was counted
    ");
}
