//! `make bench-run`: what `run` adds to a command.
//!
//! `true` by itself, by `run` with a real Pushgateway on this host and 10 or 10,000 scripts in the ledger, and by other
//! wrappers where they are installed (`chronic` of moreutils; `runstat` of cronutils; `runitor`, which pings a server, here
//! one that answers at once). All take turns, so that a busy machine is busy for all. Then the memory of the wrapper, and a gigabyte through a
//! pipe. It takes the Pushgateway's image from the environment. `BENCH_RUNS` sets the number of runs (300), and
//! `BENCH_BINARY` takes another binary. Goals that are missed are named; the exit status says only whether the measurement
//! was possible.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that cannot be taken just ends, and its result goes to stdout"
)]

#[path = "support/mod.rs"]
mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use moko_mon::ledger::Ledger;
use support::{load, median, peak_memory, seconds};

/// Milliseconds over plain `true`, MB, and the share of plain speed.
const OVERHEAD: f64 = 5.0;
const MEMORY: f64 = 10.0;
const SPEED: f64 = 0.95;
const PORT: u16 = 21_091;
const GIGABYTE: u64 = 1 << 30;

/// A Pushgateway for as long as it is needed.
struct Gateway(String);

impl Gateway {
    fn start() -> Self {
        let image = std::env::var("MOKO_MON_PUSHGATEWAY_IMAGE").unwrap();
        let publish = format!("127.0.0.1:{PORT}:9091");
        let output = Command::new("docker").args(["run", "--detach", "--rm", "--publish", &publish, &image]).output();
        let gateway = Self(String::from_utf8(output.unwrap().stdout).unwrap().trim().to_owned());
        let ready = || {
            let mut stream = std::net::TcpStream::connect(("127.0.0.1", PORT)).ok()?;
            stream.write_all(b"GET /-/ready HTTP/1.0\r\n\r\n").ok()?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).ok()?;
            answer.contains("200 OK").then_some(())
        };
        while ready().is_none() {
            std::thread::sleep(Duration::from_millis(50));
        }
        gateway
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rm", "--force", &self.0]).output();
    }
}

fn binary() -> PathBuf {
    std::env::var_os("BENCH_BINARY").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_moko-mon")), PathBuf::from)
}

fn run(state: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.arg("run").args(arguments).current_dir(state).stdin(Stdio::null());
    command.env("MOKO_MON_PUSH_STATE_DIR", state).env("MOKO_MON_PUSH_URL", format!("http://127.0.0.1:{PORT}"));
    command
}

/// A ledger with this many scripts.
fn ledger(scripts: u32) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::at(folder.path());
    for number in 1..scripts {
        ledger.script(&format!("script-{number}")).declare().unwrap();
    }
    folder
}

/// A server that answers each request at once.
fn answering() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    url
}

fn is_there(program: &str) -> bool {
    Command::new(program).arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// Gigabytes a second through a pipe.
fn through(mut command: Command) -> f64 {
    let started = Instant::now();
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut output = child.stdout.take().unwrap();
    let mut bytes = vec![0; 1 << 20];
    while output.read(&mut bytes).unwrap() > 0 {}
    let speed = 1.073_741_824 / started.elapsed().as_secs_f64();
    assert!(child.wait().unwrap().success());
    speed
}

/// Makes a command again and again.
type Make<'a> = Box<dyn Fn() -> Command + 'a>;

fn main() {
    let runs: usize = std::env::var("BENCH_RUNS").map_or(300, |text| text.parse().unwrap());
    let cores = std::thread::available_parallelism().unwrap();
    let _gateway = Gateway::start();
    let (few, many) = (ledger(10), ledger(10_000));
    println!("\nrun: {cores} cores, load {}, median of {runs} runs, all in turn", load());
    let ping = answering();
    let program = |words: &[&str]| {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).env("HC_API_URL", &ping).stdin(Stdio::null()).stdout(Stdio::null());
        command
    };
    let statistics = few.path().join("runstat").display().to_string();
    let mut kinds: Vec<(&str, Make<'_>)> = vec![
        ("true", Box::new(|| program(&["true"]))),
        ("moko-mon --version", Box::new(|| program(&[binary().to_str().unwrap(), "--version"]))),
        ("moko-mon run, 10 scripts", Box::new(|| run(few.path(), &["--", "true"]))),
        ("moko-mon run, 10,000 scripts", Box::new(|| run(many.path(), &["--", "true"]))),
    ];
    if is_there("chronic") {
        kinds.push(("chronic (no metrics)", Box::new(|| program(&["chronic", "true"]))));
    }
    // Writes what a run used to a file: neither totals nor a push, and it waits for no disk.
    if is_there("runstat") {
        kinds.push(("runstat (a file, no push)", Box::new(|| program(&["runstat", "-f", &statistics, "true"]))));
    }
    if is_there("runitor") {
        let words = ["runitor", "-uuid", "2f9a5f0e-3a35-4a5d-9d2c-0d6ad6f0a1b2", "--", "true"];
        kinds.push(("runitor (two pings)", Box::new(move || program(&words))));
    }
    let mut taken = vec![Vec::new(); kinds.len()];
    for round in 0..=runs {
        for ((_, make), taken) in kinds.iter().zip(&mut taken) {
            let milliseconds = seconds(&mut make()) * 1000.0;
            // The first one finds nothing in memory.
            if round > 0 {
                taken.push(milliseconds);
            }
        }
    }
    let plain = median(taken[0].clone());
    for ((name, _), taken) in kinds.iter().zip(taken) {
        let over = median(taken) - plain;
        println!("{name:<34} {:>8.2} ms {over:>+8.2} ms", over + plain);
        if name.starts_with("moko-mon run") && over > OVERHEAD {
            println!("MISSED: {over:.2} ms over plain `true`, the goal is {OVERHEAD} ms");
        }
    }
    // Long enough to be looked at, and beyond its end while the metrics are pushed.
    let memory = median((0..5).map(|_| peak_memory(&mut run(few.path(), &["--", "sleep", "0.2"]))).collect());
    println!("{:<34} {memory:>8.1} MB", "peak memory of the wrapper");
    if memory > MEMORY {
        println!("MISSED: {memory:.1} MB, the goal is {MEMORY} MB");
    }
    let head = ["head", "-c", &GIGABYTE.to_string(), "/dev/zero"];
    let (mut by_itself, mut wrapped) = (Vec::new(), Vec::new());
    for _ in 0..9 {
        by_itself.push(through(program(&head)));
        wrapped.push(through(run(few.path(), &[&["--"], &head[..]].concat())));
    }
    let (by_itself, wrapped) = (median(by_itself), median(wrapped));
    println!("{:<34} {by_itself:>8.2} GB/s, wrapped {wrapped:.2}, share {:.3}", "a gigabyte", wrapped / by_itself);
    if wrapped / by_itself < SPEED {
        println!("MISSED: {:.3} of plain speed, the goal is {SPEED}", wrapped / by_itself);
    }
}
