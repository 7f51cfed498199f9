//! A healthy stack is never called broken, whatever goes on beside it.
//!
//! `E2E_VERIFY_RUNS` sets the number of runs (50).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::{evidence, healthy, with_outcome};
use crate::support::{Stack, http};

const SCRIPTS: [&str; 6] = ["backup", "cleanup", "sync_mail", "rotate_keys", "report", "audit"];

#[test]
fn a_healthy_stack_never_fails_beside_pushes_and_another_project() {
    let runs = std::env::var("E2E_VERIFY_RUNS").map_or(50, |text| text.parse::<usize>().unwrap());
    let stack = Stack::new("v-healthy");
    stack.up();
    let gateway = stack.url("pushgateway");
    let mut pushes = 0;
    let load = Beside::start(move || {
        pushes += 1;
        push(&gateway, pushes);
        std::thread::sleep(Duration::from_millis(50));
    });
    let other = Stack::new("v-beside");
    let neighbour = Beside::start(move || {
        other.up();
        other.run(&["down"]).code(0);
    });

    // From the first second on: a fresh stack is a healthy one.
    let mut alarms = Vec::new();
    for run in 1..=runs {
        let output = stack.run(&["verify", "--output", "json"]);
        let checks =
            output.json()["data"]["checks"].as_array().unwrap_or_else(|| panic!("no checks\n{output}")).clone();
        assert!(!with_outcome(&checks, "pass").is_empty(), "{output}");
        let failed: Vec<&Value> = checks.iter().filter(|check| check["outcome"] == "fail").collect();
        if output.code != 0 || !failed.is_empty() {
            alarms.push(format!("run {run} of {runs}, exit code {}: {failed:#?}", output.code));
        }
    }
    let checks = healthy(&stack);
    let (ups, rounds) = (neighbour.end(), load.end());
    assert!(alarms.is_empty(), "beside {ups} ups and {rounds} rounds of pushes:\n{}", alarms.join("\n"));

    // That nobody would be told is so on every stack without a receiver.
    let warned: Vec<&Value> = checks.iter().filter(|check| check["outcome"] == "warn").collect();
    assert_eq!(
        with_outcome(&checks, "warn"),
        BTreeSet::from(["alerting.heartbeat", "alerting.receivers"].map(str::to_owned)),
        "{warned:#?}"
    );
    // The load was seen: all metrics of the contract, and counters that count.
    let metrics = evidence(&checks, "contract.metrics");
    assert!(metrics.starts_with("8 of 8 metrics are published, from scripts "), "{metrics}");
    let constants = evidence(&checks, "contract.constants");
    assert_eq!(constants, format!("the counters of {} scripts, none is pushed as a constant", SCRIPTS.len()));
}

/// One more run of each script: what a complete instrumentation pushes.
fn push(gateway: &str, run: u32) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    for script in SCRIPTS {
        let name = format!("script_name=\"{script}\"");
        let mut text = String::from("# TYPE moko_script_executions_total counter\n");
        // Every tenth fails.
        for (status, count) in [("success", run - run / 10), ("failure", run / 10)] {
            text += &format!("moko_script_executions_total{{{name},status=\"{status}\"}} {count}\n");
        }
        text += "# TYPE moko_script_last_execution_timestamp_seconds gauge\n";
        text += &format!("moko_script_last_execution_timestamp_seconds{{{name},status=\"success\"}} {now}\n");
        text += "# TYPE moko_script_duration_seconds histogram\n";
        for (bound, count) in [("1", run / 2), ("10", run), ("+Inf", run)] {
            text += &format!("moko_script_duration_seconds_bucket{{{name},le=\"{bound}\"}} {count}\n");
        }
        text += &format!("moko_script_duration_seconds_sum{{{name}}} {}\n", run * 2);
        text += &format!("moko_script_duration_seconds_count{{{name}}} {run}\n");
        let api = format!("api=\"github-{script}\"");
        for (metric, value) in
            [("remaining", 4000.0 - f64::from(run % 100)), ("total", 5000.0), ("reset_timestamp_seconds", now + 3600.0)]
        {
            let metric = format!("moko_api_rate_limit_{metric}");
            text += &format!("# TYPE {metric} gauge\n{metric}{{{api}}} {value}\n");
        }
        text += &format!(
            "# TYPE moko_circuit_breaker_state gauge\nmoko_circuit_breaker_state{{service=\"service-of-{script}\"}} 0\n"
        );
        text += "# TYPE moko_security_findings_total counter\n";
        text += &format!("moko_security_findings_total{{severity=\"low\",finding_type=\"of-{script}\"}} {}\n", run / 5);
        let answer = http::request("PUT", &format!("{gateway}/metrics/job/{script}"), None, Some(&text));
        assert_eq!(answer.0, 200, "{answer:?}");
    }
}

/// Work that is done again and again, at least once, on a thread of its own; ended when dropped.
struct Beside {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<u32>>,
}

impl Beside {
    fn start(mut round: impl FnMut() + Send + 'static) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&over);
        let work = move || {
            let mut rounds = 0;
            loop {
                round();
                rounds += 1;
                if asked.load(Ordering::Relaxed) {
                    return rounds;
                }
            }
        };
        Self { over, thread: Some(std::thread::spawn(work)) }
    }

    /// Ends it after the round that it is in; the number of rounds. Its panic is the test's.
    fn end(mut self) -> u32 {
        self.over.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
