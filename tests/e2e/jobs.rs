//! The manifest of jobs: from the settings to the alerts, with runs that go well, fail, hang and never come.

use std::collections::BTreeSet;
use std::process::Child;

use moko_mon::config::{Sources, resolve};
use moko_mon::jobs::{RULE_FILE, test_file};
use serde_json::Value;

use crate::support::docker::{attempt, put_file};
use crate::support::{Stack, eventually, http, when};

const MANIFEST: &str = r#"
jobs:
  - name: good
    schedule: "*:*:0/5"
    timezone: Europe/Berlin
    grace: 1m
    command: ["true"]
  - {name: failing, every: 1h, team: ops, severity: critical, command: ["false"]}
  - {name: slow, every: 1h, max_runtime: 3s, command: [sleep, "600"]}
  - {name: never, every: 1s, grace: 3s, owner: ann, runbook: "https://wiki.example.com/never"}
  - {name: "odd \" {{ name }} \\ ü", every: 1h, owner: "{{ x }}"}
"#;

/// The last job of the manifest.
const ODD: &str = "odd \" {{ name }} \\ ü";

/// The alerts that fire, as `name of the alert: script`; the one that always does is not among them.
fn firing(stack: &Stack) -> BTreeSet<String> {
    let alerts = http::json(&format!("{}/api/v1/alerts", stack.url("prometheus"))).unwrap();
    let alerts = alerts["data"]["alerts"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|alert| alert["state"] == "firing" && alert["labels"]["severity"] != "none");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    alerts.map(|of| format!("{}: {}", text(&of["labels"]["alertname"]), text(&of["labels"]["script_name"]))).collect()
}

/// What the alerts say of the runs, by the annotations that messages show.
fn runs_are_told(stack: &Stack) {
    let alerts = http::json(&format!("{}/api/v1/alerts", stack.url("prometheus"))).unwrap();
    let alerts = alerts["data"]["alerts"].as_array().unwrap();
    let facts = |alert: &str, script: &str| {
        let of = |found: &&Value| found["labels"]["alertname"] == alert && found["labels"]["script_name"] == script;
        let alert = alerts.iter().find(of).unwrap();
        ["host", "exit_code", "run_id"].map(|name| alert["annotations"][name].as_str().unwrap_or_default().to_owned())
    };
    for (script, exit_code) in [("failing", "1"), (ODD, "137 (signal 9)")] {
        let series = stack.query("moko_script_last_run_info");
        let run = series.iter().find(|series| series["metric"]["script_name"] == script).unwrap()["metric"].clone();
        let of_run = |label: &str| run[label].as_str().unwrap().to_owned();
        let expected = [of_run("instance"), exit_code.to_owned(), of_run("run_id")];
        assert_eq!(facts("JobFailed", script), expected, "{script}");
        assert!(expected.iter().all(|fact| !fact.is_empty()), "{expected:?}");
        assert_eq!(facts("JobRunningTooLong", "slow"), [expected[0].clone(), String::new(), String::new()]);
    }
}

/// Killed when dropped, whatever comes of the test.
struct Hanging(Child);

impl Drop for Hanging {
    fn drop(&mut self) {
        // SIGTERM is passed on to the command; SIGKILL would leave it behind.
        let kill = format!("kill {}", self.0.id());
        let _ = std::process::Command::new("sh").args(["-c", &kill]).status();
        let _ = self.0.wait();
    }
}

/// The tests made from the manifest pass with the rules as they are delivered, and fail with one second more.
fn generated_tests(stack: &Stack) {
    let sources = Sources { directory: stack.directory.path().to_owned(), ..Sources::default() };
    let config = resolve(&sources).unwrap().config;
    let container = stack.container("prometheus");
    let (_, rules) = moko_mon::rules::files(&config).into_iter().find(|(name, _)| *name == RULE_FILE).unwrap();
    for (limit, code) in [("> 3600", 0), ("> 3601", 1)] {
        put_file(&container, "/prometheus", "jobs.yml", &rules.replace("> 3600", limit));
        put_file(&container, "/prometheus", "test.yml", &test_file(&config, "/prometheus/jobs.yml").unwrap());
        let output = attempt(&["exec", &container, "/bin/promtool", "test", "rules", "/prometheus/test.yml"]);
        assert_eq!(output.code, code, "{limit}: {output}");
    }
}

#[test]
fn each_job_has_the_alerts_that_it_deserves_and_no_other() {
    let mut stack = Stack::without_grafana("jobs");
    stack.set("MOKO_MON_PUSH_STATE_DIR", &stack.directory.path().join("state").display().to_string());
    stack.config(MANIFEST);
    let listed = stack.run(&["jobs", "list"]).code(0);
    assert!(
        listed.stdout.lines().any(|line| line.starts_with("good ") && line.contains("unknown")),
        "{}",
        listed.stdout
    );
    stack.up();
    assert_eq!(stack.plan(), Vec::<String>::new(), "declarations are kept");

    generated_tests(&stack);

    let slow = Hanging(stack.command(&["run", "slow"]).spawn().unwrap());
    stack.run(&["run", "failing"]).code(1);
    stack.run(&["run", "--name", ODD, "--", "sh", "-c", "kill -9 $$"]).code(137);
    let expected =
        [&format!("JobFailed: {ODD}"), "JobFailed: failing", "JobNeverRan: never", "JobRunningTooLong: slow"];
    let expected = expected.map(str::to_owned);
    eventually("the four alerts fire", || {
        stack.run(&["run", "good"]).code(0);
        let firing = firing(&stack);
        if firing == expected.clone().into() { Ok(()) } else { Err(format!("{firing:?}")) }
    });
    // The run that has just ended may still be the one that goes on, as Prometheus knows it.
    let expected = ["on_time", "failed", "running_too_long", "never_ran", "failed"];
    eventually("the states of the jobs", || {
        let listed = stack.run(&["jobs", "list", "--output", "json"]).code(0).json();
        let jobs = listed["data"]["jobs"].as_array().unwrap().iter();
        let states: Vec<&str> = jobs.map(|job| job["state"].as_str().unwrap()).collect();
        when(states == expected, states)
    });
    runs_are_told(&stack);

    // What ends the alerts.
    drop(slow);
    stack.run(&["run", "--name", "never", "--", "true"]).code(0);
    stack.run(&["run", "--name", "failing", "--", "true"]).code(0);
    stack.run(&["run", "--name", ODD, "--", "true"]).code(0);
    stack.run(&["run", "--name", "slow", "--", "true"]).code(0);
    eventually("they end", || {
        stack.run(&["run", "good"]).code(0);
        let firing = firing(&stack);
        if firing.is_empty() { Ok(()) } else { Err(format!("{firing:?}")) }
    });

    // A job that is taken out is gone from the Pushgateway, and so are its rules.
    stack.config(&MANIFEST.replace("name: never", "name: other"));
    let plan = stack.plan().join("\n");
    assert!(plan.contains("withdraw job never") && plan.contains("declare job other"), "{plan}");
    stack.up();
    assert_eq!(stack.plan(), Vec::<String>::new());
    let pushed = http::get(&format!("{}/metrics", stack.url("pushgateway"))).1;
    let declared = |name: &str| {
        pushed.contains(&format!(
            "moko_job_info{{instance=\"\",job=\"moko_jobs\",schedule=\"every 1s\",script_name=\"{name}\""
        ))
    };
    assert!(declared("other") && !declared("never"), "{pushed}");
}
