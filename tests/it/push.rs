//! `push` where no Pushgateway answers, and where files take its place.

use crate::support::{Lab, Output};

const SCRIPT: [&str; 2] = ["--script", "backup.sh"];

/// A command with a ledger of its own, and an address where nobody answers.
fn push(lab: &Lab, arguments: &[&str]) -> Output {
    command(lab, arguments).run()
}

fn command<'a>(lab: &'a Lab, arguments: &[&str]) -> crate::support::Run<'a> {
    let run = lab.command(&[&["push"], arguments].concat());
    let run = run.env("MOKO_MON_PUSH_STATE_DIR", lab.path("ledger")).env("MOKO_MON_PUSH_INSTANCE", "here");
    run.env("MOKO_MON_PUSH_URL", "http://127.0.0.1:1")
}

fn inc(lab: &Lab, more: &[&str]) -> Output {
    push(lab, &[&["inc", "moko_script_executions_total", "status=success"], &SCRIPT[..], more].concat())
}

#[test]
fn a_gateway_that_is_down_ends_no_script_and_loses_nothing() {
    let lab = Lab::new();
    insta::assert_snapshot!(inc(&lab, &[]).text(), @r"
    exit 0
    --- stdout

    --- stderr
    warning: could not publish `backup.sh`: `PUT http://127.0.0.1:1/metrics/job/moko_scripts/instance/here/script_name/backup.sh` was not answered: Connection refused (os error 111); the totals are kept, and the next push or `moko-mon push flush` sends them
    ");
    insta::assert_snapshot!(inc(&lab, &["--strict"]).text(), @r"
    exit 1
    --- stdout

    --- stderr
    error: could not publish `backup.sh`
      caused by: `PUT http://127.0.0.1:1/metrics/job/moko_scripts/instance/here/script_name/backup.sh` was not answered
      caused by: Connection refused (os error 111)
    ");
    let output = inc(&lab, &["--output", "json"]);
    let envelope = output.envelope();
    assert_eq!((output.code(), &envelope["data"]["published"]), (0, &false.into()));
    assert_eq!(envelope["data"]["metrics"][0]["value"], 3.0);
    assert_eq!(envelope["warnings"].as_array().unwrap().len(), 1);
    insta::assert_snapshot!(push(&lab, &["flush"]).text(), @r"
    exit 1
    --- stdout

    --- stderr
    error: could not publish everything
      caused by: could not publish `backup.sh`: `PUT http://127.0.0.1:1/metrics/job/moko_scripts/instance/here/script_name/backup.sh` was not answered: Connection refused (os error 111)
    hint: nothing is lost: it is sent when the Pushgateway answers again; its address is `push.url`
    ");
    let status = push(&lab, &["status"]);
    assert_eq!(status.code(), 1);
    insta::assert_snapshot!(status.error(), @r"
    error: the totals of 1 script are not published
    hint: nothing is lost: `moko-mon push flush` sends them, or the next run of each
    ");
    let status = push(&lab, &["status", "--output", "json"]).envelope();
    let pending = &status["data"]["pending"][0];
    assert_eq!(pending["script"], "backup.sh");
    assert_eq!(pending["last_error"], "Connection refused (os error 111)");
    assert!(pending["since"].as_f64().unwrap() <= pending["last_try"].as_f64().unwrap());
    insta::assert_snapshot!(push(&lab, &["list"]).text(), @r"
    exit 1
    --- stdout

    --- stderr
    error: could not list the groups of the Pushgateway
      caused by: `GET http://127.0.0.1:1/api/v1/metrics` was not answered
      caused by: Connection refused (os error 111)
    hint: is it running? Its address is the setting `push.url`
    ");
    insta::assert_snapshot!(push(&lab, &["delete", "backup.sh"]).error(), @r"
    error: could not delete `backup.sh`
      caused by: could not list the groups of the Pushgateway
      caused by: `GET http://127.0.0.1:1/api/v1/metrics` was not answered
      caused by: Connection refused (os error 111)
    hint: is it running? Its address is the setting `push.url`
    ");
    assert!(lab.engine.calls().is_empty());
}

#[test]
fn files_take_the_place_of_a_gateway() {
    let lab = Lab::new();
    std::fs::create_dir(lab.path("textfiles")).unwrap();
    let push =
        |arguments: &[&str]| command(&lab, arguments).env("MOKO_MON_PUSH_TEXTFILE_DIR", lab.path("textfiles")).run();
    push(&["set", "moko_circuit_breaker_state", "open", "service=mail", "--script", "backup.sh"]).succeeds();
    let files: Vec<_> = std::fs::read_dir(lab.path("textfiles")).unwrap().flatten().collect();
    assert_eq!(files.len(), 1);
    let text = std::fs::read_to_string(files[0].path()).unwrap();
    assert!(text.ends_with("\nmoko_circuit_breaker_state{script_name=\"backup.sh\",service=\"mail\"} 1\n"), "{text}");
    push(&["status"]).succeeds();
    insta::assert_snapshot!(push(&["list"]).text(), @r"
    exit 2
    --- stdout

    --- stderr
    error: there is no Pushgateway to ask
      caused by: `push.textfile_dir` is set, so metrics are written to files
    hint: each script has one file in that folder; `moko-mon push delete SCRIPT` removes it
    ");
    insta::assert_snapshot!(push(&["delete", "bakup.sh"]).text(), @r"
    exit 1
    --- stdout

    --- stderr
    error: could not delete `bakup.sh`
      caused by: nothing is known of it here (did you mean `backup.sh`?)
    hint: `moko-mon push list` shows what there is
    ");
    insta::assert_snapshot!(push(&["delete", "backup.sh"]).text(), @r"
    exit 0
    --- stdout
    deleted `backup.sh`: its totals and what was published of it
    --- stderr
    ");
    assert_eq!(std::fs::read_dir(lab.path("textfiles")).unwrap().count(), 0);
    insta::assert_snapshot!(push(&["flush"]).text(), @r"
    exit 0
    --- stdout
    nothing is pending
    --- stderr
    ");
}

#[test]
fn what_cannot_be_pushed_is_refused_with_the_next_step() {
    let lab = Lab::new();
    let error = |arguments: &[&str]| {
        let output = push(&lab, arguments);
        format!("exit {}\n{}", output.code(), output.error())
    };
    insta::assert_snapshot!(error(&["inc", "moko_script_executions_total", "status=success"]), @r"
    exit 2
    error: could not push `moko_script_executions_total`
      caused by: nothing says whose metric it is
    hint: add `--script NAME`; a script that is run by `moko-mon run` need not say it
    ");
    insta::assert_snapshot!(error(&["inc", "moko_script_executions_total", "status=success", "script_name=x", "--script", "y"]), @r"
    exit 2
    error: could not push `moko_script_executions_total`
      caused by: the label `script_name` is `x`, and `--script` is `y`
    hint: say it once
    ");
    insta::assert_snapshot!(error(&["inc", "moko_script_executions_total", "status=success", "--script", ""]), @r"
    exit 2
    error: could not push `moko_script_executions_total`
      caused by: the name of the script is empty
    ");
    insta::assert_snapshot!(error(&["set", "moko_circuit_breaker_state", "status=success"]), @r"
    exit 2
    error: could not push `moko_circuit_breaker_state`
      caused by: the value is `status=success`; expected `closed`, `open`, `half-open`, or 0, 1, 2
    hint: the value stands in front of the labels
    ");
    insta::assert_snapshot!(error(&["text", "--script", "x"]), @r#"
    exit 2
    error: could not push the metrics from stdin
      caused by: there are no metrics on stdin
    hint: expected lines such as `NAME{label="value"} 1`
    "#);
    insta::assert_snapshot!(error(&["text", "missing.prom", "--script", "x"]), @r"
    exit 1
    error: could not push the metrics from `missing.prom`
      caused by: No such file or directory (os error 2)
    ");
    lab.write("bad.prom", "# TYPE a_total counter\na_total 1\nb_total 2\n");
    insta::assert_snapshot!(error(&["text", "bad.prom", "--script", "x"]), @r"
    exit 2
    error: could not push the metrics from `bad.prom`
      caused by: line 3: there is no metric `b_total`; expected `# TYPE b_total …` above a new one
    hint: nothing was counted
    ");
    std::fs::write(lab.path("work").join("latin.prom"), b"# TYPE a gauge\na{b=\"\xe4\"} 1\n").unwrap();
    insta::assert_snapshot!(error(&["text", "latin.prom", "--script", "x"]), @r"
    exit 2
    error: could not push the metrics from `latin.prom`
      caused by: line 2: this is not UTF-8
    ");
    insta::assert_snapshot!(error(&["github-rate-limit"]), @r"
    exit 2
    error: could not read GitHub's rate limits
      caused by: stdin is empty
    hint: pipe an answer with its headers into it, `gh api -i user | moko-mon push github-rate-limit`, or all quotas: `gh api rate_limit | moko-mon push github-rate-limit`
    ");
    lab.write("none.sarif", "{\"runs\": []}");
    insta::assert_snapshot!(error(&["findings", "none.sarif"]), @r"
    exit 2
    error: could not push the findings from `none.sarif`
      caused by: could not read the findings
      caused by: it has no `version`
    hint: expected a report in SARIF 2.1.0, as `semgrep --sarif`, `trivy --format sarif` or CodeQL write it
    ");
    insta::assert_snapshot!(error(&["findings", "none.sarif", "--finding-type", ""]), @r"
    exit 2
    error: `--finding-type` is empty
    hint: leave it out to have the tool's name
    ");
    insta::assert_snapshot!(error(&["delete", "--group", "instance=x"]), @r"
    exit 2
    error: could not delete the group
      caused by: a group has a label `job`
    hint: write all its labels: `--group job=x instance=y`
    ");
    assert!(!lab.path("ledger").exists(), "nothing was counted");
}

#[test]
fn what_is_odd_is_told_and_counted_all_the_same() {
    let lab = Lab::new();
    // A broken setting elsewhere does not matter here.
    lab.write("moko-mon.yaml", "grafana: {port: none}\n");
    lab.write(
        "broken.sarif",
        r#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "Scan"}}, "results": [],
            "invocations": [{"executionSuccessful": false}]}]}"#,
    );
    let output = push(&lab, &["findings", "broken.sarif"]);
    assert_eq!(output.code(), 0, "{}", output.text());
    insta::assert_snapshot!(output.text(), @r"
    exit 0
    --- stdout
    scan: new 0, open 0, fixed 0
    --- stderr
    warning: the scan of `Scan` in `broken.sarif` did not come to its end: what it does not have still counts as open
    warning: could not publish `security-findings`: `PUT http://127.0.0.1:1/metrics/job/moko_scripts/instance/here/script_name/security-findings` was not answered: Connection refused (os error 111); the totals are kept, and the next push or `moko-mon push flush` sends them
    ");
    // A wrapped script that counts its own runs.
    let run = command(&lab, &["inc", "moko_script_executions_total", "status=success"]);
    let output = run.env("MOKO_MON_SCRIPT", "backup.sh").env("MOKO_MON_RUN_ID", "1").run();
    assert_eq!(output.code(), 0, "{}", output.text());
    assert!(output.errors().contains(
        "warning: `moko-mon run` counts `moko_script_executions_total` of this run as well, so it is counted twice"
    ));
    // Where the group itself is wrong, it is not known where to publish.
    let output = command(&lab, &["status"]).env("MOKO_MON_PUSH_URL", "nowhere").run();
    assert_eq!(output.code(), 2, "{}", output.text());
}
