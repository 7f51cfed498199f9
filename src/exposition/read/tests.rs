use super::*;

/// What is wrong with a text.
fn flaw(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn families_have_type_help_and_their_samples() {
    let text = "# HELP runs_total Runs,\\nby \\\\status.\n# TYPE runs_total counter\n\
                runs_total{status=\"success\"} 3\nruns_total{status=\"failure\",} 1e2 1700000000000\n\n\
                # a word in between\n  up  1 \n# TYPE x histogram\nx_bucket{le=\"1\"} 0\nx_bucket{ le = \"+Inf\" , a=\"b\" } 2\n\
                x_sum 0.5\nx_count 2\n# TYPE idle gauge";
    let families = parse(text).unwrap();
    let told: Vec<_> =
        families.iter().map(|of| (of.name.as_ref(), of.kind.as_str(), of.samples.len(), of.line)).collect();
    assert_eq!(
        told,
        [("runs_total", "counter", 2, 1), ("up", "untyped", 1, 7), ("x", "histogram", 4, 8), ("idle", "gauge", 0, 13)]
    );
    assert_eq!(families[0].help.as_deref(), Some("Runs,\nby \\status."));
    let second = &families[0].samples[1];
    assert_eq!((second.value, second.timestamp, second.line), (100.0, Some(1_700_000_000_000), 4));
    assert_eq!((second.label("status"), second.label("none")), (Some("failure"), None));
    assert_eq!(families[2].samples[1].labels, [("le".into(), "+Inf".into()), ("a".into(), "b".into())]);
    assert_eq!((value(&families, "up"), value(&families, "runs_total")), (Some(1.0), None));
    assert_eq!(samples(&families).count(), 7);
}

#[test]
fn values_of_labels_are_unescaped_and_may_hold_what_looks_like_syntax() {
    let families = parse(r#"a{x="q\"b\\n\n, }=\\",y="{ü🎉} "} 1"#).unwrap();
    let sample = &families[0].samples[0];
    assert_eq!(sample.label("x"), Some("q\"b\\n\n, }=\\"));
    assert_eq!(sample.label("y"), Some("{ü🎉} "));
}

#[test]
fn names_in_quotes_may_be_any() {
    let text =
        "# TYPE \"my.runs\" counter\n# HELP \"my.runs\" Runs.\n{\"my.runs\",\"ho st\"=\"a\"} 1\n{\"my.runs\"} 2\n";
    let families = parse(text).unwrap();
    assert_eq!((families.len(), families[0].name.as_ref(), families[0].kind), (1, "my.runs", Kind::Counter));
    assert_eq!(families[0].samples[0].label("ho st"), Some("a"));
    assert_eq!(value(&families, "my.runs"), Some(2.0));
}

#[test]
fn values_are_numbers_in_all_their_spellings() {
    let families = parse("a 1\nb +Inf\nc -Inf\nd NaN\ne -1.5e-3\n").unwrap();
    let values: Vec<String> = samples(&families).map(|sample| sample.value.to_string()).collect();
    assert_eq!(values, ["1", "inf", "-inf", "NaN", "-0.0015"]);
}

#[test]
fn a_sample_belongs_to_a_histogram_only_if_there_is_one() {
    let families = parse("x_count 1\n# TYPE y summary\ny{quantile=\"0.5\"} 1\ny_sum 1\ny_bucket 1\n").unwrap();
    let names: Vec<_> = families.iter().map(|family| family.name.as_ref()).collect();
    assert_eq!(names, ["x_count", "y", "y_bucket"]);
}

#[test]
fn every_flaw_has_its_line() {
    let cases = [
        ("a 1\nb", "line 2: `b` has no value"),
        ("a 1\n\n1b 1", "line 3: \"1b\" is not the name of a metric"),
        ("b-c 1", "line 1: \"b-c\" is not the name of a metric"),
        ("<html>", "line 1: \"<html>\" is not the name of a metric"),
        ("a one", "line 1: \"one\" is not a number"),
        ("a 1 2.5", "line 1: \"2.5\" is not a time in milliseconds"),
        ("a 1 2 # {id=\"x\"} 3", "line 1: nothing may follow the time, but there is \"# {id=\\\"x\\\"} 3\""),
        ("a{x=\"1\" 1", "line 1: a comma or the closing brace is missing behind a label"),
        ("a{x=\"1\",", "line 1: the closing brace is missing"),
        ("a{x=\"1} 1", "line 1: the closing quote of \"\\\"1} 1\" is missing"),
        ("a{x=1} 1", "line 1: a quote is missing in front of \"1} 1\""),
        ("a{x} 1", "line 1: the label `x` has no value"),
        ("a{x-y=\"1\"} 1", "line 1: \"x-y\" is not the name of a label"),
        ("a{x=\"1\",x=\"2\"} 1", "line 1: the label `x` is there twice"),
        ("a{__name__=\"b\"} 1", "line 1: the label `__name__` is there twice"),
        (r#"a{x="\t"} 1"#, "line 1: `\\t` is no escape"),
        ("{x=\"1\"} 1", "line 1: the name of the metric is missing"),
        ("{\"\"} 1", "line 1: the name of a label is empty"),
        ("a{\"b\"} 1", "line 1: the label `b` has no value"),
        ("a{x=\"1\",y=\"2\"} 1\na{y=\"2\",x=\"1\"} 2", "line 2: `a` with these labels is there twice"),
        ("# HELP a x\n# HELP a x", "line 2: a second `# HELP` of `a`"),
        ("# TYPE a gauge\n# TYPE a gauge", "line 2: a second `# TYPE` of `a`"),
        ("a 1\n# TYPE a gauge", "line 2: `# TYPE` of `a` stands behind its first value"),
        (
            "# TYPE a number",
            "line 1: `number` is not a type: `counter`, `gauge`, `histogram`, `summary` and `untyped` are",
        ),
        ("# TYPE a-b gauge", "line 1: \"a-b\" is not the name of a metric"),
        ("# TYPE \"a\"gauge", "line 1: a blank is missing behind `# TYPE a`"),
        (
            "# TYPE a histogram\na 1",
            "line 2: `a` is a histogram: its values are those of `_bucket`, `_sum` and `_count`",
        ),
        ("# TYPE a histogram\na_bucket 1", "line 2: `a_bucket` needs a label `le` with a number"),
        ("# TYPE a summary\na 1", "line 2: `a` needs a label `quantile` with a number"),
    ];
    for (text, told) in cases {
        assert_eq!(flaw(text), told, "{text}");
    }
    assert_eq!(parse("# HELP\n#\n# EOF\n").unwrap(), []);
}
