//! `verify`: what it selects, waits for and writes, and which servers it takes. What the checks find is proved with real
//! servers.

use serde_json::Value;

use crate::support::Lab;

#[test]
fn results_are_written_in_every_format_and_into_files() {
    let lab = Lab::up();
    let (output, envelope) = lab.json(&["verify", "--only", "prometheus.ready"]);
    assert_eq!(output.code(), 0);
    let data = &envelope["data"];
    let keys: Vec<&String> = data["checks"][0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["id", "component", "outcome", "evidence", "hint", "duration_ms"]);
    assert_eq!(data["summary"], serde_json::json!({"pass": 1, "warn": 0, "fail": 0, "skip": 0}));
    assert_eq!(data["canary"], Value::Null);

    let reports = ["r.json", "r.xml", "r.md", "r.txt"].map(|name| format!("--report={name}"));
    let reports: Vec<&str> = reports.iter().map(String::as_str).collect();
    lab.engine.remove("moko-mon-pushgateway");
    let only = ["verify", "--only", "prometheus.ready,pushgateway.ready", "--skip", "engine", "--output", "junit"];
    let output = lab.run(&[&only[..], &reports].concat());
    assert_eq!(output.code(), 1, "{}", output.text());
    assert!(output.stderr.starts_with("error: 1 of 2 checks failed\n"), "{}", output.stderr);
    let file = |name: &str| std::fs::read_to_string(lab.path("work").join(name)).unwrap();
    let untimed =
        |xml: &str| xml.lines().map(|line| line.split(" time=").next().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(untimed(&file("r.xml")), untimed(&output.stdout));
    assert!(output.stdout.contains("<testsuite name=\"pushgateway\" tests=\"1\" failures=\"1\""), "{}", output.stdout);
    let written: Value = serde_json::from_str(&file("r.json")).unwrap();
    assert_eq!((&written["command"], &written["status"]), (&Value::from("verify"), &Value::from("failed")));
    assert_eq!(written["data"]["checks"][1]["id"], "pushgateway.ready");
    assert!(file("r.md").starts_with("## Monitoring is broken\n"), "{}", file("r.md"));
    assert!(file("r.txt").starts_with("FAIL  pushgateway.ready\n"), "{}", file("r.txt"));
    let left = std::fs::read_dir(lab.path("work")).unwrap().count();
    assert_eq!(left, 4, "nothing but the reports");
}

#[test]
fn wrong_words_are_refused_before_anything_is_asked() {
    let lab = Lab::new();
    lab.write("empty", "\n");
    lab.write("lines", "a\nb\n");
    lab.write("secret", "x\n");
    let url = ["verify", "--prometheus-url", "http://127.0.0.1:1"];
    for (arguments, error) in [
        (
            &["verify", "--only", "prometheus.redy"][..],
            "error: no check is named `prometheus.redy` (did you mean `prometheus.ready`?)\nhint: `moko-mon verify --list` \
             shows all; the beginning of a name up to a dot stands for all below it",
        ),
        (
            &["verify", "--only", "canary.fired"],
            "error: `canary.fired` is made with `--deep` only\nhint: add `--deep`; it takes a minute or two",
        ),
        (
            &["verify", "--report", "results"],
            "error: `--report results` does not say in which format\nhint: end the name with `.json`, `.xml` (JUnit), \
             `.md` or `.txt`",
        ),
        (
            &["status", "--output", "junit"],
            "error: `status` cannot write `junit`\nhint: only `moko-mon verify` can; use `moko-mon status --output json`",
        ),
        (
            &["verify", "--list", "--output", "markdown"],
            "error: `verify --list` makes no checks, so there are no results to write\nhint: use `moko-mon verify --list \
             --output json`",
        ),
        (
            &["verify", "--watch", "--output", "junit"],
            "error: `verify --watch` has no end, so it cannot be one document\nhint: leave out `--watch`, or `--output`",
        ),
        (
            &["verify", "--token-file", "secret"],
            "error: `--token-file` is for servers that are given by their addresses\nhint: add `--prometheus-url URL`",
        ),
        (
            &["verify", "--ca-file", "secret"],
            "error: `--ca-file` is for servers that are given by their addresses\nhint: add `--prometheus-url URL`",
        ),
        (
            &["verify", "--prometheus-url", "http://u:hunter2@x/"],
            "error: `--prometheus-url` is not the address of a server\n  caused by: it holds a name or a password, which \
             everybody on this machine could see\nhint: give them with `--username NAME --password-file FILE`",
        ),
        (
            &["verify", "--grafana-url", "grafana:3000"],
            "error: `--grafana-url` is not the address of a server\n  caused by: it has to begin with `http://` or \
             `https://` and a host\nhint: write it as `--grafana-url https://example.com/grafana`",
        ),
        (
            &["verify", "--alertmanager-url", "http://x/?a"],
            "error: `--alertmanager-url` is not the address of a server\n  caused by: nothing may follow the path\n\
             hint: write it as `--alertmanager-url https://example.com/alertmanager`",
        ),
        (
            &[&url[..], &["--username", "grafana=x"]].concat(),
            "error: `--username grafana=…` is for a server that is not given\nhint: add `--grafana-url URL`",
        ),
        (
            &[&url[..], &["--username", "x"]].concat(),
            "error: the login of Prometheus is not complete\nhint: give both `--username NAME` and `--password-file FILE`",
        ),
        (
            &[&url[..], &["--username", "x", "--token-file", "secret"]].concat(),
            "error: Prometheus is given a token and a login\nhint: give either `--token-file`, or `--username` and \
             `--password-file`",
        ),
        (
            &[&url[..], &["--token-file", "prometheus=empty"]].concat(),
            "error: cannot use `empty` as a password or token\n  caused by: it is empty\nhint: name a file that holds it \
             and nothing else",
        ),
        (
            &[&url[..], &["--token-file", "lines"]].concat(),
            "error: cannot use `lines` as a password or token\n  caused by: it has more than one line, or characters that \
             no password has\nhint: name a file that holds it and nothing else",
        ),
        (
            &[&url[..], &["--ca-file", "secret"]].concat(),
            "error: cannot use `secret` as certificates to trust\n  caused by: it has none\nhint: name a PEM file: it \
             begins with `-----BEGIN CERTIFICATE-----`",
        ),
    ] {
        let output = lab.run(arguments);
        assert_eq!((output.code(), output.error().as_str().trim_end()), (2, error), "{arguments:?}");
    }
}

#[test]
fn a_selection_that_would_prove_nothing_is_refused() {
    let lab = Lab::new();
    for (arguments, error) in [
        (
            &["verify", "--only", "prometheus.ready", "--skip", "prometheus"][..],
            "error: `--skip` leaves out all that `--only` names, so nothing would be proved\nhint: take something out of \
             `--skip`; `moko-mon verify --list` shows all checks",
        ),
        (
            &["verify", "--deep", "--only", "prometheus.ready"],
            "error: `--deep` sends a canary, and `--only` or `--skip` leaves out all its hops\nhint: leave out `--deep`, or \
             add `canary` to `--only`",
        ),
        (
            &["verify", "--prometheus-url", "http://127.0.0.1:1", "--deep"],
            "error: `--deep` sends a canary from a Pushgateway through Prometheus to Alertmanager, and no Pushgateway is \
             given\nhint: add `--pushgateway-url URL`, or leave out `--deep`",
        ),
    ] {
        let output = lab.run(arguments);
        assert_eq!((output.code(), output.error().as_str().trim_end()), (2, error), "{arguments:?}");
    }
}

/// The exit status is that of a proof, and nothing was proved.
#[test]
fn what_is_asked_for_by_name_and_not_given_is_no_success() {
    let lab = Lab::new();
    let output = lab.run(&["verify", "--prometheus-url", "http://127.0.0.1:1", "--only", "engine"]);
    assert_eq!(output.code(), 1, "{}", output.text());
    insta::assert_snapshot!(output.error(), @"
    error: nothing was proved of `engine`: all of it was skipped
      caused by: engine.reachable: servers are given by their addresses, so no engine is looked at
    hint: mend what that names, or do not ask for it with `--only`
    ");
}

#[test]
fn every_check_is_explained() {
    let lab = Lab::new();
    let output = lab.run(&["verify", "--list"]).successful();
    for line in output.stdout.lines().skip(1) {
        assert!(line.split_whitespace().count() > 4, "{line}");
    }
    let (_, envelope) = lab.json(&["verify", "--list", "--only", "canary"]);
    let ids: Vec<&str> =
        envelope["data"]["checks"].as_array().unwrap().iter().map(|check| check["id"].as_str().unwrap()).collect();
    assert_eq!(ids.first(), Some(&"canary.pushed"));
    assert_eq!(ids.len(), 8);
}

#[test]
fn waiting_ends_when_nothing_fails_or_with_the_last_evidence() {
    let lab = Lab::up();
    let only = ["verify", "--only", "pushgateway.ready", "--skip", "engine"];
    lab.engine.remove("moko-mon-pushgateway");
    let output = lab.run(&[&only[..], &["--wait", "1s"]].concat());
    assert_eq!(output.code(), 1);
    assert!(output.stderr.starts_with("1 of 1 checks failed; waiting at most "), "{}", output.stderr);
    assert!(output.stdout.starts_with("FAIL  pushgateway.ready\n"), "{}", output.stdout);
    let waiting = lab.command(&[&only[..], &["--wait", "2m"]].concat()).start();
    lab.run(&["up"]).succeeds();
    let output = waiting.ends();
    assert_eq!(output.code(), 0, "{}", output.text());
    assert!(output.stdout.starts_with("pass  pushgateway.ready"), "{}", output.stdout);
}

#[test]
fn watching_writes_a_block_for_each_change_until_it_is_interrupted() {
    let lab = Lab::up();
    let mut watching = lab.command(&["verify", "--watch", "--only", "pushgateway.ready", "--skip", "engine"]).start();
    let mut lines = watching.lines();
    let mut block = || lines.by_ref().skip_while(|line| !line.starts_with("--- ")).nth(1).unwrap();
    assert!(block().starts_with("pass  pushgateway.ready"));
    lab.engine.remove("moko-mon-pushgateway");
    assert_eq!(block(), "FAIL  pushgateway.ready");
    watching.signal("INT");
    assert_eq!(watching.ends().code(), 1, "the last block had a failure");
}

/// A check that could not be made is no proof, so what kept it from being made is told and fails.
#[test]
fn a_broken_precondition_fails_even_where_it_was_not_asked_for() {
    let lab = Lab::up();
    lab.engine.remove("moko-mon-pushgateway");
    let (output, envelope) = lab.json(&["verify", "--only", "pushgateway.ready"]);
    assert_eq!(output.code(), 1);
    let checks = envelope["data"]["checks"].as_array().unwrap();
    let told: Vec<(&str, &str)> =
        checks.iter().map(|check| (check["id"].as_str().unwrap(), check["outcome"].as_str().unwrap())).collect();
    assert_eq!(told, [("engine.running.pushgateway", "fail"), ("pushgateway.ready", "skip")]);
}
