//! `make bench-verify`: how long `verify` takes on the real servers, and what of it.
//!
//! Twice: on the default stack, and with 1,000 targets, 2,000 rules of the user and 20 dashboards of 20 panels. Both are
//! warm and healthy: everything was scraped and evaluated, so that no check has to wait for anything. It takes the images
//! from the environment, as `up` does. `BENCH_RUNS` sets the number of runs (20, half of it on the large stack), and
//! `BENCH_BINARY` takes another binary. Goals that are missed are named; the exit status says only whether the measurement
//! was possible.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement that cannot be taken just ends, and its result goes to stdout"
)]

mod large;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{load, median, peak_memory};

/// Seconds from `up` until nothing is left to wait for: the slowest rules are evaluated once a minute.
const WARM: u64 = 240;
/// With time enough to be measured on a busy machine, too.
const VERIFY: [&str; 5] = ["verify", "--timeout", "60s", "--output", "json"];
/// MB.
const MEMORY: f64 = 40.0;

fn main() {
    let runs: usize = std::env::var("BENCH_RUNS").map_or(20, |text| text.parse().unwrap());
    let cores = std::thread::available_parallelism().unwrap();
    println!("\nverify: {cores} cores, load {}, median of {runs} runs, half as many on the large stack", load());
    let (default, large) = (Stack::new("default", 23400), Stack::new("large", 23500));
    let exporters = large::Exporters::start();
    large::write(large.folder.path(), &exporters.ports);
    let goals = [0.5, 5.0];
    let measured = [default.measure(runs), large.measure(runs.div_ceil(2))];

    println!("\n{:<34} {:>12} {:>12}", "", "default", "large");
    row("targets / rules / panel queries", &measured, |of| format!("{} / {} / {}", of.targets, of.rules, of.queries));
    row("checks", &measured, |of| of.checks.len().to_string());
    row("wall, s", &measured, |of| format!("{:.3}", of.wall));
    row("slowest check, s", &measured, |of| format!("{:.3}", of.slowest));
    row("sum of all checks, s", &measured, |of| format!("{:.3}", of.sum));
    row("peak memory, MB", &measured, |of| format!("{:.1}", of.memory));
    for (of, goal) in measured.iter().zip(goals) {
        if of.wall > goal {
            println!("MISSED: {:.3} s wall, the goal is {goal} s", of.wall);
        }
        if of.memory > MEMORY {
            println!("MISSED: {:.1} MB, the goal is {MEMORY} MB", of.memory);
        }
    }
    for (of, name) in measured.iter().zip(["default", "large"]) {
        println!("\nslowest checks, {name}, s (load {}):", of.load);
        for (id, took) in of.checks.iter().take(6) {
            println!("  {id:<32} {took:.3}");
        }
    }
}

fn row(what: &str, measured: &[Measured; 2], show: impl Fn(&Measured) -> String) {
    println!("{what:<34} {:>12} {:>12}", show(&measured[0]), show(&measured[1]));
}

/// Medians; seconds and MB.
struct Measured {
    wall: f64,
    slowest: f64,
    sum: f64,
    memory: f64,
    /// Slowest first.
    checks: Vec<(String, f64)>,
    targets: String,
    rules: String,
    queries: String,
    load: String,
}

/// A stack of the bench's own; gone when dropped.
struct Stack {
    /// A copy of the release binary, so that a build beside us does not change what is measured.
    binary: PathBuf,
    folder: tempfile::TempDir,
    project: String,
    first_port: u16,
}

impl Stack {
    fn new(name: &str, first_port: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let binary = folder.path().join("moko-mon");
        let measured = std::env::var("BENCH_BINARY").unwrap_or_else(|_| env!("CARGO_BIN_EXE_moko-mon").to_owned());
        std::fs::copy(measured, &binary).unwrap();
        let project = format!("bench-verify-{}-{name}", std::process::id());
        Self { binary, folder, project, first_port }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(arguments).current_dir(self.folder.path()).env("MOKO_MON_PROJECT", &self.project);
        for (port, name) in (self.first_port..).zip(["PROMETHEUS", "ALERTMANAGER", "PUSHGATEWAY", "GRAFANA"]) {
            command.env(format!("MOKO_MON_{name}_PORT"), port.to_string());
        }
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    /// Starts it, measures and takes it down.
    fn measure(&self, runs: usize) -> Measured {
        support::seconds(&mut self.command(&["up", "--no-verify"]));
        self.images();
        let warm = self.warm();
        let load = load();
        let (mut walls, mut slowest, mut sums) = (Vec::new(), Vec::new(), Vec::new());
        let mut each: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for _ in 0..runs {
            let started = Instant::now();
            let checks = self.verify();
            walls.push(started.elapsed().as_secs_f64());
            let failed: Vec<&Value> = checks.iter().filter(|check| check["outcome"] == "fail").collect();
            assert!(failed.is_empty(), "{failed:#?}");
            let took = |check: &Value| check["duration_ms"].as_f64().unwrap() / 1e3;
            slowest.push(checks.iter().map(took).fold(0.0, f64::max));
            sums.push(checks.iter().map(took).sum());
            for check in &checks {
                each.entry(check["id"].as_str().unwrap().to_owned()).or_default().push(took(check));
            }
        }
        let memory = peak_memory(&mut self.command(&VERIFY));
        let mut checks: Vec<(String, f64)> = each.into_iter().map(|(id, took)| (id, median(took))).collect();
        checks.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        let (targets, rules) = (number(&warm, "prometheus.targets.up", 0), number(&warm, "rules.expressions", 0));
        let queries = number(&warm, "grafana.panels", 1);
        support::seconds(&mut self.command(&["down", "--volumes", "--yes"]));
        Measured {
            wall: median(walls),
            slowest: median(slowest),
            sum: median(sums),
            memory,
            checks,
            targets,
            rules,
            queries,
            load,
        }
    }

    fn images(&self) {
        for name in ["prometheus", "alertmanager", "pushgateway", "grafana"] {
            let container = format!("{}-{name}", self.project);
            let format = ["container", "inspect", "--format", "{{.Config.Image}}", &container];
            let output = Command::new("docker").args(format).output().unwrap();
            println!("{:<13} {}", name, String::from_utf8_lossy(&output.stdout).trim());
        }
    }

    /// Waits until nothing fails and no check says "not yet".
    fn warm(&self) -> Vec<Value> {
        let started = Instant::now();
        loop {
            let checks = self.verify();
            let ready = |check: &Value| {
                check["outcome"] != "fail" && !check["evidence"].as_str().unwrap().starts_with("not yet")
            };
            let cold: Vec<&Value> = checks.iter().filter(|check| !ready(check)).collect();
            if cold.is_empty() {
                println!("{} is warm after {:.0} s", self.project, started.elapsed().as_secs_f64());
                return checks;
            }
            assert!(started.elapsed().as_secs() < WARM, "it is not warm: {cold:#?}");
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    fn verify(&self) -> Vec<Value> {
        let output = self.command(&VERIFY).stdout(Stdio::piped()).output().unwrap();
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let checks = answer["data"]["checks"].as_array();
        checks.unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr))).clone()
    }
}

/// The number at that place among the numbers in a check's evidence.
fn number(checks: &[Value], id: &str, at: usize) -> String {
    let check = checks.iter().find(|check| check["id"] == id).unwrap();
    let line = check["evidence"].as_str().unwrap().lines().last().unwrap();
    let words = line.split(' ').filter(|word| word.parse::<u32>().is_ok());
    words.map(str::to_owned).nth(at).unwrap_or_else(|| panic!("{line}"))
}

impl Drop for Stack {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.command(&["down", "--volumes", "--yes"]).stderr(Stdio::null()).status();
        }
    }
}
