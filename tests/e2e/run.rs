//! `run` with a real Pushgateway and a real Prometheus: nothing is lost, nothing counts twice, any text comes through.
#![expect(clippy::float_cmp, reason = "counts of runs are whole numbers, and have to be equal to the last one")]

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use moko_mon::contract::MetricType;
use moko_mon::ledger::{Ledger, State};
use moko_mon::publish::{Publisher, Settings};
use serde_json::Value;

use crate::support::{Stack, docker, eventually, http, when};

const RUNS: &str = "moko_script_executions_total";
/// How many processes run at once, and how many runs there are.
const AT_ONCE: u32 = 64;
const TOTAL: u32 = 5_000;
const SCRIPTS: [&str; 4] = ["backup", "sync", "a/b \"c\"", "🎉"];

/// A stack whose scripts keep their ledger in its folder.
fn stack(hint: &str) -> Stack {
    let mut stack = Stack::without_grafana(hint);
    let ledger = stack.directory.path().join("ledger");
    stack.set("MOKO_MON_PUSH_STATE_DIR", ledger.to_str().unwrap());
    stack.set("MOKO_MON_PUSH_INSTANCE", "test-host");
    stack.up();
    stack
}

fn ledger(stack: &Stack) -> Ledger {
    Ledger::at(stack.directory.path().join("ledger"))
}

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// The environment of a stack, for many threads.
struct Place {
    directory: PathBuf,
    variables: Vec<(OsString, OsString)>,
}

impl Place {
    fn of(stack: &Stack) -> Self {
        let command = stack.command(&[]);
        let variables = command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
        Self { directory: stack.directory.path().to_owned(), variables: variables.collect() }
    }

    /// `moko-mon run` with these arguments.
    fn run(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_moko-mon"));
        command.arg("run").args(arguments).env_clear().envs(self.variables.iter().cloned());
        command.current_dir(&self.directory).stdin(Stdio::null());
        command
    }
}

/// The value of the only series that a query returns.
fn value(stack: &Stack, query: &str) -> Result<f64, String> {
    let result = stack.query(query);
    let text = result.first().and_then(|sample| sample["value"][1].as_str());
    text.and_then(|text| text.parse().ok()).ok_or_else(|| format!("{query}: {result:?}"))
}

/// Successes and failures in the ledger.
fn counted(state: &State) -> [f64; 2] {
    ["success", "failure"].map(|status| state.get(RUNS, &[("status", status)]).unwrap())
}

/// What one process does: runs of all scripts, some of whose wrappers are killed. Returns successes that were seen, and kills.
fn storm(place: &Place, worker: u32, left: &AtomicU32) -> (u32, u32) {
    let mut numbers = Numbers(u64::from(worker) * 7919 + 17);
    let (mut successes, mut kills) = (0, 0);
    let take = |left: u32| left.checked_sub(1);
    while left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).is_ok() {
        let name = SCRIPTS[usize::try_from(numbers.below(4)).unwrap()];
        let (fails, killed) = (numbers.below(3) == 0, numbers.below(10) == 0);
        // Each command that begins appends one short line, which the system does not mix up.
        let nap = if killed { "sleep 0.02;" } else { "" };
        let script = format!("echo $MOKO_MON_RUN_ID >>begun; echo begun; {nap} exit {}", u8::from(fails));
        let mut command = place.run(&["--name", name, "--", "sh", "-c", &script]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        if killed {
            // At any moment from the beginning of the command to the end of the push.
            let mut line = String::new();
            BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
            std::thread::sleep(Duration::from_millis(numbers.below(80)));
            child.kill().unwrap();
        }
        match child.wait().unwrap() {
            status if status.signal() == Some(9) => kills += 1,
            status => {
                assert_eq!(status.code(), Some(i32::from(fails)), "{name}");
                successes += u32::from(!fails);
            }
        }
    }
    (successes, kills)
}

/// 64 processes at once until this many runs have begun.
fn storms(place: &Place, runs: u32, round: u32) -> (u32, u32) {
    let left = AtomicU32::new(runs);
    std::thread::scope(|scope| {
        let start = |worker| {
            scope.spawn({
                let left = &left;
                move || storm(place, worker + round * AT_ONCE, left)
            })
        };
        let workers: Vec<_> = (0..AT_ONCE).map(start).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    })
}

#[test]
fn five_thousand_runs_agree_to_the_last_one_in_ledger_gateway_and_prometheus() {
    let stack = stack("run-many");
    let place = Place::of(&stack);
    // Nobody answers during the first half.
    docker(&["stop", "--time", "1", &stack.container("pushgateway")]);
    let first = storms(&place, TOTAL / 2, 0);
    docker(&["start", &stack.container("pushgateway")]);
    eventually("the Pushgateway answers", || {
        when(http::get(&format!("{}/-/ready", stack.url("pushgateway"))).0 == 200, "not ready")
    });
    let second = storms(&place, TOTAL / 2, 1);
    let (successes, kills) = (first.0 + second.0, first.1 + second.1);
    assert!(kills > 100, "only {kills} wrappers were killed");
    // One run of each, which finds those that died last.
    std::thread::sleep(Duration::from_millis(200));
    for name in SCRIPTS {
        assert!(place.run(&["--name", name, "--", "true"]).status().unwrap().success());
    }
    let begun = std::fs::read_to_string(stack.directory.path().join("begun")).unwrap();
    let ids: BTreeSet<&str> = begun.lines().collect();
    assert_eq!((ids.len(), begun.lines().count()), (TOTAL as usize, TOTAL as usize), "each run has its own id");
    let ledger = ledger(&stack);
    let states: Vec<State> = SCRIPTS.iter().map(|name| ledger.script(name).read().unwrap()).collect();
    let total = states.iter().map(counted).fold([0.0, 0.0], |sum, one| [sum[0] + one[0], sum[1] + one[1]]);
    let extra = f64::from(u32::try_from(SCRIPTS.len()).unwrap());
    assert_eq!(total[0] + total[1], f64::from(TOTAL) + extra, "in the ledger, {kills} killed");
    let clean = f64::from(successes) + extra;
    assert!(total[0] >= clean && total[0] <= clean + f64::from(kills), "{total:?}, {clean} seen, {kills} killed");
    // What the ledger says is what the Pushgateway and Prometheus say, script by script.
    for (name, state) in SCRIPTS.iter().zip(&states) {
        let [success, failure] = counted(state);
        for (status, count) in [("success", success), ("failure", failure)] {
            let name = moko_mon::exposition::escape(name);
            let series = format!("{RUNS}{{script_name=\"{name}\",status=\"{status}\",instance=\"test-host\"}}");
            eventually(&format!("{series} is {count}"), || {
                let seen = value(&stack, &series)?;
                when(seen == count, seen)
            });
        }
        let pushed = http::get(&format!("{}/metrics", stack.url("pushgateway"))).1;
        let name = moko_mon::exposition::escape(name);
        let line = format!("script_name=\"{name}\",status=\"failure\"}} {failure}\n");
        assert!(pushed.contains(&line), "{line} in {pushed}");
    }
    // No older totals ever came after newer ones.
    assert_eq!(value(&stack, &format!("sum(resets({RUNS}[10m]))")), Ok(0.0));
}

#[test]
fn increase_and_rate_see_every_run_from_the_first_on() {
    let stack = stack("run-rate");
    let place = Place::of(&stack);
    let run = |name: &str, command: &str| place.run(&["--name", name, "--", "sh", "-c", command]).status().unwrap();
    // The zeros are scraped while the first run goes on, also when it fails.
    let mut first = place.run(&["--name", "fails", "--", "sh", "-c", "sleep 8; exit 1"]).spawn().unwrap();
    assert!(run("works", "sleep 6").success());
    for _ in 0..9 {
        std::thread::sleep(Duration::from_secs(1));
        assert!(run("works", "true").success());
    }
    assert_eq!(first.wait().unwrap().code(), Some(1));
    eventually("all ten runs are scraped", || {
        let seen = value(&stack, &format!("{RUNS}{{script_name=\"works\",status=\"success\"}}"))?;
        when(seen == 10.0, seen)
    });
    // `increase` guesses what lies beyond the first and the last sample, which is a second of nothing here.
    for (name, status, count) in [("works", "success", 10.0), ("works", "failure", 0.0), ("fails", "failure", 1.0)] {
        let query = format!("increase({RUNS}{{script_name=\"{name}\",status=\"{status}\"}}[2m])");
        let seen = value(&stack, &query).unwrap();
        assert!((seen - count).abs() <= count * 0.15, "{query} is {seen}");
        let query = query.replace("increase", "120 * rate");
        let seen = value(&stack, &query).unwrap();
        assert!((seen - count).abs() <= count * 0.15, "{query} is {seen}");
    }
}

#[test]
fn the_first_run_of_a_declared_job_is_seen_however_short_it_is() {
    let mut stack = Stack::without_grafana("run-first");
    let ledger = stack.directory.path().join("ledger");
    stack.set("MOKO_MON_PUSH_STATE_DIR", ledger.to_str().unwrap());
    stack.set("MOKO_MON_PUSH_INSTANCE", "test-host");
    stack.config("jobs:\n  - {name: known, every: 1h}\n");
    // What the ledger has totals of does not begin anew, whatever the Pushgateway has lost.
    Ledger::at(&ledger).script("old").update(|state| state.inc(RUNS, &[("status", "failure")], 57.0)).unwrap();
    stack.up();
    stack.config("jobs:\n  - {name: known, every: 1h}\n  - {name: x, every: 1h}\n  - {name: old, every: 1h}\n");
    stack.up();
    assert_eq!(stack.plan(), Vec::<String>::new(), "zeros are no change");
    let failures = |name: &str| format!("{RUNS}{{script_name=\"{name}\",status=\"failure\",instance=\"test-host\"}}");
    // One scrape between the declaration and the first run, which is over in a moment.
    eventually("the zeros are scraped", || {
        let seen = (value(&stack, &failures("known"))?, value(&stack, &failures("x"))?);
        when(seen == (0.0, 0.0), seen)
    });
    assert!(!Ledger::at(&ledger).script("x").folder().exists(), "`up` has no part in anybody's totals");
    let place = Place::of(&stack);
    assert_eq!(place.run(&["--name", "x", "--", "false"]).status().unwrap().code(), Some(1));
    assert_eq!(place.run(&["--name", "old", "--", "false"]).status().unwrap().code(), Some(1));
    eventually("the first failure is scraped", || {
        let seen = (value(&stack, &failures("x"))?, value(&stack, &failures("old"))?);
        when(seen == (1.0, 58.0), seen)
    });
    let seen = value(&stack, &format!("increase({}[5m])", failures("x"))).unwrap();
    assert!(seen > 0.9, "increase() of the first failure is {seen}");
    let old = stack.query(&format!("increase({}[5m]) > 10", failures("old")));
    assert!(old.is_empty(), "57 failures of long ago are none of today: {old:?}");
    // A job that has run keeps its totals, also where it is declared anew.
    stack.config("jobs:\n  - {name: known, every: 1h}\n  - {name: x, every: 2h}\n");
    stack.up();
    assert_eq!(counted(&Ledger::at(&ledger).script("x").read().unwrap()), [0.0, 1.0]);
    let pushed = http::get(&format!("{}/metrics", stack.url("pushgateway"))).1;
    let group = "instance=\"test-host\",job=\"moko_scripts\",script_name=\"x\",status=\"failure\"} 1\n";
    assert!(pushed.contains(group), "{pushed}");
}

/// Text of up to `most` characters, with all that is hard to carry.
fn text(numbers: &mut Numbers, most: u64) -> String {
    let hard =
        ['"', '\\', '\n', '/', '🎉', 'é', ' ', '%', '+', '=', '{', '}', ',', '#', '\t', '\r', '\u{1}', 'a', 'Z', '.'];
    let length = 1 + numbers.below(most);
    (0..length).map(|_| hard[usize::try_from(numbers.below(hard.len() as u64)).unwrap()]).collect()
}

#[test]
fn any_name_and_any_label_value_comes_back_as_it_was() {
    let stack = stack("run-text");
    let mut numbers = Numbers(4711);
    let mut cases: Vec<(String, String)> = (0..60).map(|_| (text(&mut numbers, 40), text(&mut numbers, 200))).collect();
    cases.extend([".", "..", "/", "//", "=", "a=b", "@base64", "\\n"].map(|name| (name.to_owned(), name.to_owned())));
    cases.push((text(&mut numbers, 1).repeat(9) + &"é\"\\\n/".repeat(2000), "🎉\\\"\n".repeat(2500)));
    let settings = Settings {
        url: stack.url("pushgateway"),
        job: "a job/\"".to_owned(),
        instance: "an instance\\".to_owned(),
        username: None,
        password_file: None,
        token_file: None,
        ca_file: None,
        timeout: Duration::from_secs(20),
        state_dir: Some(stack.directory.path().join("ledger")),
        textfile_dir: None,
    };
    let publisher = Publisher::new(&settings).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut expected = BTreeSet::new();
    for (name, label) in &cases {
        let script = settings.ledger().unwrap().script(name);
        let update = |state: &mut State| {
            state.declare("app_text", MetricType::Gauge, "Any \\ text\n.", &[])?;
            state.set("app_text", &[("text", label)], 0.1 + 0.2)
        };
        let (state, ()) = script.update(update).unwrap();
        assert_eq!(script.read().unwrap(), state, "{name:?}");
        runtime.block_on(publisher.publish(&script)).unwrap();
        expected.insert((name.clone(), label.clone()));
    }
    let groups = http::json(&format!("{}/api/v1/metrics", stack.url("pushgateway"))).unwrap();
    let mut seen = BTreeSet::new();
    for group in groups["data"].as_array().unwrap() {
        let Some(metrics) = group.pointer("/app_text/metrics").and_then(Value::as_array) else { continue };
        assert_eq!(
            (&group["labels"]["job"], &group["labels"]["instance"]),
            (&"a job/\"".into(), &"an instance\\".into())
        );
        let labels = &metrics[0]["labels"];
        assert_eq!(metrics[0]["value"], "0.30000000000000004");
        let of = |name: &str| labels[name].as_str().unwrap().to_owned();
        seen.insert((of("script_name"), of("text")));
    }
    assert_eq!(seen, expected);
    eventually("Prometheus has all of them", || {
        let found = stack.query("app_text");
        let of = |sample: &Value, name: &str| sample["metric"][name].as_str().unwrap().to_owned();
        let found: BTreeSet<_> = found.iter().map(|sample| (of(sample, "script_name"), of(sample, "text"))).collect();
        when(found == expected, found.len())
    });
}
