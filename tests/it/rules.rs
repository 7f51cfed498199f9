//! `rules`: what is evaluated and what it says, and the tests of rules.

use serde_json::{Value, json};

use crate::support::{Fault, Lab};

/// A rule file and the settings that name it.
fn with_rules(lab: &Lab, rules: &str) {
    lab.write("rules/mine.yml", &format!("groups:\n- name: mine\n  rules:\n{rules}"));
    lab.write("moko-mon.yaml", "rules:\n  extra: [rules/*.yml]\n");
}

/// The lines of a list that are about rules with these names.
fn lines(text: &str, names: &[&str]) -> String {
    let about = |line: &&str| names.iter().any(|name| line.split(' ').next() == Some(*name));
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    text.lines().filter(about).map(words).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_list_needs_neither_stack_nor_engine() {
    let lab = Lab::new();
    with_rules(&lab, "  - alert: Mine\n    expr: up{job=\"x\"} == 0\n    for: 5m\n");
    let output = lab.run(&["rules", "list", "--set", "rules.thresholds.script_failures.warning_ratio=0.07"]);
    assert_eq!(output.code(), 0, "{}", output.text());
    insta::assert_snapshot!(output.errors(), @"
    warning: the state of the rules is not known: project `moko-mon` has no running Prometheus
    ");
    let names = ["RULE", "HighScriptFailureRate", "script_name:moko_script_duration_seconds:p95", "TargetDown", "Mine"];
    insta::assert_snapshot!(lines(&output.stdout, &names), @"
    RULE KIND SEVERITY FOR THRESHOLD STATE FILE
    HighScriptFailureRate alert warning 5m > 0.07 - alerts-config.yml
    script_name:moko_script_duration_seconds:p95 record - - - - alerts-config.yml
    TargetDown alert warning 2m == 0 - stack-alerts.yml
    Mine alert - 5m == 0 - rules/mine.yml
    ");
    lab.write("moko-mon.yaml", "rules:\n  disabled: [TargetDown]\n  extra: [rules/*.yml]\n");
    let disabled = lab.run(&["rules", "list"]).successful();
    insta::assert_snapshot!(lines(&disabled.stdout, &["TargetDown"]), @"
    TargetDown alert warning 2m == 0 disabled stack-alerts.yml
    ");

    let run = lab.command(&["rules", "list", "--output", "json"]).env("DOCKER_HOST", "unix:///nonexistent/docker.sock");
    let output = run.run();
    let envelope = output.envelope();
    assert_eq!((output.code(), &envelope["data"]["live"]), (0, &json!(false)));
    insta::assert_snapshot!(envelope["warnings"][0].as_str().unwrap(), @"
    the state of the rules is not known: no Docker engine answers: tried unix:///nonexistent/docker.sock (DOCKER_HOST): the socket does not exist
    ");
    let rules = envelope["data"]["rules"].as_array().unwrap();
    insta::assert_snapshot!(format!("{:#}", rules.last().unwrap()), @r#"
    {
      "name": "Mine",
      "kind": "alert",
      "file": "rules/mine.yml",
      "group": "mine",
      "origin": "user",
      "severity": null,
      "for": "5m",
      "thresholds": [
        "== 0"
      ],
      "expression": "up{job=\"x\"} == 0",
      "state": null,
      "instances": null,
      "health": null,
      "last_error": null
    }
    "#);
}

#[test]
fn the_list_shows_what_the_running_prometheus_has_made_of_the_rules() {
    let lab = Lab::new();
    lab.engine.with(|state| {
        state.evaluate = |groups| {
            let first = groups[0]["rules"].as_array_mut().unwrap();
            let alert =
                |state: &str| json!({"labels": {}, "state": state, "activeAt": "2026-01-02T03:04:05.6Z", "value": "1"});
            first[0]["state"] = "firing".into();
            first[0]["alerts"] = json!([alert("firing"), alert("pending")]);
            first[1]["health"] = "err".into();
            first[1]["lastError"] = "found duplicate series".into();
            let groups = groups.as_array_mut().unwrap();
            // The last but the watchdog's.
            let mut stranger = groups.remove(groups.len() - 2);
            stranger["file"] = "/etc/prometheus/rules/old.yml".into();
            groups.push(stranger);
        };
    });
    lab.run(&["up"]).succeeds();
    let output = lab.run(&["rules", "list"]).successful();
    assert_eq!(output.stderr, "");
    let names =
        ["HighScriptFailureRate", "CriticalScriptFailureRate", "SlowScriptExecution", "PrometheusStorageNearlyFull"];
    insta::assert_snapshot!(lines(&output.stdout, &names), @"
    HighScriptFailureRate alert warning 5m > 0.05 firing 2 alerts-config.yml
    CriticalScriptFailureRate alert critical 2m > 0.2 error alerts-config.yml
    SlowScriptExecution alert warning 5m > 300 inactive alerts-config.yml
    PrometheusStorageNearlyFull alert warning 15m > 0.9 not loaded stack-alerts.yml
    PrometheusStorageNearlyFull alert warning - > 0.9 inactive, not in the settings /etc/prometheus/rules/old.yml
    CriticalScriptFailureRate cannot be evaluated: found duplicate series
    ");
    insta::assert_snapshot!(output.stdout.lines().last().unwrap_or_default(), @"
    CriticalScriptFailureRate cannot be evaluated: found duplicate series
    ");
    let (_, envelope) = lab.json(&["rules", "list"]);
    assert_eq!(envelope["data"]["live"], true);
    let rules = envelope["data"]["rules"].as_array().unwrap();
    let state =
        |rule: &Value| json!([rule["origin"], rule["state"], rule["instances"], rule["health"], rule["last_error"]]);
    assert_eq!(state(&rules[0]), json!(["moko-mon", "firing", 2, "ok", null]));
    assert_eq!(state(&rules[1]), json!(["moko-mon", "inactive", 0, "err", "found duplicate series"]));
    assert_eq!(state(rules.last().unwrap()), json!([null, "inactive", 0, "ok", null]));

    // Settings that have not been brought yet.
    let output = lab.run(&["rules", "list", "--set", "rules.thresholds.script_failures.warning_ratio=0.07"]);
    insta::assert_snapshot!(output.errors(), @"
    warning: the running Prometheus has other rule files than the settings ask for; `moko-mon up` brings them
    ");
    lab.run(&["down"]).succeeds();
    assert!(lab.run(&["rules", "list"]).successful().stderr.contains("has no running Prometheus"));
}

#[test]
fn one_rule_is_shown_in_full() {
    let lab = Lab::new();
    lab.engine.with(|state| {
        state.evaluate = |groups| {
            // The last but the watchdog's.
            let group = groups.as_array_mut().unwrap().iter_mut().rev().nth(1).unwrap();
            let rule = &mut group["rules"][0];
            rule["state"] = "firing".into();
            rule["alerts"] = json!([{
                "labels": {"alertname": "x", "job": "a b"}, "state": "firing", "activeAt": "2026-01-02T03:04:05.6Z",
                "value": "9.1e-01",
            }]);
        };
    });
    lab.run(&["up"]).succeeds();
    let output = lab.run(&["rules", "show", "PrometheusStorageNearlyFull"]).successful();
    let page = output.stdout.find("# Prometheus").expect("the runbook");
    insta::assert_snapshot!(output.filtered(output.stdout[..page].trim_end()), @r#"
    alert            PrometheusStorageNearlyFull
    file             stack-alerts.yml
    group            moko-stack-storage
    interval         15s
    for              15m
    label component  monitoring
    label severity   warning
    label team       devops
    state            firing 1

    expression
      max by (job, instance) (
        (
          (
            prometheus_tsdb_storage_blocks_bytes
            + prometheus_tsdb_wal_storage_size_bytes
            + prometheus_tsdb_head_chunks_storage_size_bytes
          )
          / (prometheus_tsdb_retention_limit_bytes > 0)
          > 0.9
        )
        unless (time() - prometheus_tsdb_lowest_timestamp_seconds >= prometheus_tsdb_retention_limit_seconds)
      )

    dashboard_url
      http://127.0.0.1:3000/d/moko-standards-monitoring

    description
      The size limit is nearly reached before the time limit: Prometheus will delete, or already deletes, history that is younger than the retention time says. Raise the retention size if the disk has room, shorten the retention time if the history is not needed, or find the metric that grew.

    runbook_url
      https://github.com/mokoconsulting-tech/moko-mon/blob/main/docs/runbooks/PrometheusStorageNearlyFull.md

    summary
      Prometheus {{ $labels.instance }} uses {{ $value | humanizePercentage }} of its retention size

    now
      STATE   SINCE                 VALUE  LABELS
      firing  2026-01-02T03:04:05Z  0.91   job="a b"
    "#);
    let (_, envelope) = lab.json(&["rules", "show", "PrometheusStorageNearlyFull"]);
    let rule = &envelope["data"]["rules"][0];
    assert_eq!(rule["active"][0]["labels"]["job"], "a b");
    assert!(rule["runbook"].as_str().unwrap().starts_with("# PrometheusStorageNearlyFull"));
    insta::assert_snapshot!(lab.run(&["rules", "show", "targetdwn"]).text(), @"
    exit 1
    --- stdout

    --- stderr
    error: there is no rule `targetdwn` (did you mean `TargetDown`?)
    hint: `moko-mon rules list` lists them
    ");
    let (output, envelope) = lab.json(&["rules", "show", "nothing"]);
    assert_eq!((output.code(), envelope["error"]["code"].as_str()), (1, Some("not_found")));
}

#[test]
fn odd_rules_of_the_user_are_told_wherever_settings_are_read() {
    let lab = Lab::new();
    with_rules(&lab, "  - alert: Mine\n    expr: |\n      # moko_comment\n      sum(moko_script_executions) > 1\n");
    for command in [vec!["config", "check"], vec!["up", "--dry-run"], vec!["rules", "list"], vec!["rules", "test"]] {
        let errors = lab.run(&command).errors();
        let warnings: Vec<&str> = errors.lines().filter(|line| line.contains("mine.yml")).collect();
        assert_eq!(warnings.len(), 1, "{command:?}: {errors}");
    }
    insta::assert_snapshot!(lab.run(&["config", "check"]).text(), @"
    exit 0
    --- stdout
    [folder]/work/moko-mon.yaml is right
    --- stderr
    warning: rules/mine.yml:7:11: expr: `moko_script_executions` is neither a series of the metric contract nor recorded by a rule (did you mean `moko_script_executions_total`?)
    ");
}

#[test]
fn a_rule_under_a_name_of_ours_is_refused_unless_ours_is_disabled() {
    let lab = Lab::new();
    with_rules(&lab, "  - alert: TargetDown\n    expr: up == 0\n");
    for command in [vec!["config", "check"], vec!["up", "--dry-run"], vec!["rules", "list"], vec!["rules", "test"]] {
        let output = lab.run(&command);
        let told = "rules/mine.yml:4:12: alert: `TargetDown` is the name of a rule of moko-mon's own; expected a name of \
                    yours, or ours listed under `rules.disabled`";
        assert!(output.code() == 2 && output.error().contains(told), "{}", output.text());
    }
    lab.write("moko-mon.yaml", "rules:\n  disabled: [TargetDown]\n  extra: [rules/*.yml]\n");
    assert_eq!(lab.run(&["config", "check"]).successful().stderr, "");
}

#[test]
fn tests_run_each_in_a_container_that_is_removed_and_without_a_stack() {
    let lab = Lab::new();
    lab.write("rules/mine.yml", "groups: []\n");
    lab.write("tests/mine.yml", "rule_files: [../rules/mine.yml]\ntests:\n- name: one\n");
    let output = lab.run(&["rules", "test", "tests/mine.yml", "--junit", "report.xml"]).successful();
    let passed = output.stdout.lines().filter(|line| line.starts_with("passed  ")).count();
    assert!(!output.stdout.contains("FAILED"), "{}", output.text());
    assert!(output.stdout.contains("\npassed  tests/mine.yml ("), "{}", output.text());
    let sum = format!("\n{passed} of {passed} test files passed, by promtool of prom/prometheus:v3.13.2\n");
    assert!(passed > 10 && output.stdout.contains(&sum), "{}", output.text());
    let writes = lab.engine.writes("");
    assert_eq!(writes[0], "POST /images/create prom/prometheus:v3.13.2", "pulled as `up` does");
    assert_eq!(writes.iter().filter(|line| line.starts_with("DELETE /containers/CHECK")).count(), passed);
    assert_eq!(lab.engine.with(|state| state.inventory()), [""; 0]);
    let report = std::fs::read_to_string(lab.path("work/report.xml")).unwrap();
    assert_eq!(report.matches("<testcase ").count(), passed);
    assert!(report.contains("failures=\"0\""), "{report}");
}

#[test]
fn a_test_that_fails_is_told_in_promtool_s_words() {
    let lab = Lab::new();
    lab.write("tests/mine.yml", "tests:\n- name: one\n");
    lab.engine.with(|state| {
        let lines =
            ["Unit Testing:  x", "  FAILED:", "    name: one,", "    alertname: A, time: 5m,", "        exp:[]"];
        state.checks = vec![("work/tests/mine.yml", (1, lines.map(str::to_owned).to_vec()))];
    });
    let arguments =
        ["rules", "test", "tests/mine.yml", "--junit", "report.xml", "--set", "rules.thresholds.storage.ratio=0.8"];
    let output = lab.run(&arguments);
    assert_eq!(output.code(), 1, "{}", output.text());
    let at = output.stdout.find("FAILED  tests/mine.yml (").expect("the failed file");
    let words: Vec<&str> = output.stdout[at..].lines().skip(1).collect();
    insta::assert_snapshot!(words.join("\n"), @"
          name: one,
          alertname: A, time: 5m,
              exp:[]

    11 of 12 test files passed, by promtool of prom/prometheus:v3.13.2
    the bundled tests expect the default settings, so they ran on the built-in rules as they ship; yours differ
    ");
    insta::assert_snapshot!(output.error(), @"
    error: 1 of 12 test files failed
      caused by: tests/mine.yml: name: one
    hint: `exp` is what the test expects, `got` what the rules do; mend either
    ");
    let report = std::fs::read_to_string(lab.path("work/report.xml")).unwrap();
    assert!(report.contains("failures=\"1\"") && report.contains("alertname: A, time: 5m,"), "{report}");
    let (output, envelope) = lab.json(&arguments);
    assert_eq!((output.code(), envelope["error"]["code"].as_str()), (1, Some("tests_failed")));
    let test = envelope["data"]["tests"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&test["file"], &test["origin"], &test["passed"]),
        (&json!("tests/mine.yml"), &json!("user"), &json!(false))
    );
    assert_eq!((&envelope["data"]["failed"], &envelope["data"]["rules_as_shipped"]), (&json!(1), &json!(false)));
}

#[test]
fn what_cannot_be_tested_is_told_before_anything_is_run() {
    let lab = Lab::new();
    lab.write("tests/a.yml", "rule_files: [gone.yml]\ntests: [{}]\n");
    lab.write("tests/b.yml", "tests: [\n");
    insta::assert_snapshot!(lab.run(&["rules", "test", "tests/none.yml"]).text(), @"
    exit 2
    --- stdout

    --- stderr
    error: could not run the tests of `tests/none.yml`
      caused by: it does not exist
    hint: name test files in the format of `promtool test rules`
    ");
    insta::assert_snapshot!(lab.run(&["rules", "test", "tests/a.yml"]).error(), @"
    error: could not run the tests of `tests/a.yml`
      caused by: tests/a.yml:1:14: rule_files: `gone.yml` matches no file
    hint: a path is relative to the test file; the rules in force are `/etc/prometheus/rules/*.yml` and `/etc/prometheus/rules/extra/*`
    ");
    insta::assert_snapshot!(lab.run(&["rules", "test", "tests/b.yml"]).error(), @"
    error: could not run the tests of `tests/b.yml`
      caused by: tests/b.yml:2:1: not YAML: while parsing a node, did not find expected node content
    hint: write it in YAML, in the format of `promtool test rules`
    ");
    let output = lab.run(&["rules", "test", "--junit", "none/report.xml"]);
    insta::assert_snapshot!(output.error(), @"
    error: could not write `none/report.xml`
      caused by: there is no folder `none`
    hint: name a file in a folder that you may write to with `--junit FILE`
    ");
    assert_eq!((output.code(), lab.engine.calls()), (2, Vec::new()));
    let output = lab.run(&["rules", "test", "--set", "images.pull=never"]);
    insta::assert_snapshot!(output.error(), @"
    error: image `prom/prometheus:v3.13.2` is not there
      caused by: images.pull is `never`
    hint: bring it with `docker pull prom/prometheus:v3.13.2` or `docker load`, or set `images.pull: missing`
    ");
}

#[test]
fn an_interrupted_test_run_leaves_nothing_behind() {
    let lab = Lab::new();
    lab.engine.fault("POST /containers/CHECK/start", 1, Fault::Hold);
    let running = lab.command(&["rules", "test"]).start();
    lab.engine.wait_for("POST /containers/CHECK/start", 1);
    running.signal("INT");
    lab.engine.release();
    let output = running.ends();
    assert_eq!(output.code(), 130, "{}", output.text());
    insta::assert_snapshot!(output.error(), @"
    error: `rules test` was interrupted
      caused by: the containers of the tests are removed
    hint: run it again: it starts from the beginning
    ");
    assert_eq!(lab.engine.with(|state| state.inventory()), [""; 0]);
}
