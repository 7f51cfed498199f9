//! Monitoring that does not work costs one line; runs that die are not lost.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::lab::{Lab, Left, MOKO_MON, left};

/// The command has run as always, and one line tells what is wrong.
#[track_caller]
fn ran(seen: &Left, line: &str) {
    assert_eq!((seen.code, seen.stdout.as_str()), (5, "works\n"), "{seen:?}");
    assert_eq!(seen.stderr.lines().count(), 1, "{}", seen.stderr);
    assert!(seen.stderr.starts_with(&format!("moko-mon: {line}")), "{}", seen.stderr);
}

const COMMAND: [&str; 6] = ["--name", "x", "--", "sh", "-c", "echo works; exit 5"];

#[test]
fn a_gateway_that_is_not_there_costs_one_line_and_the_next_push_heals_it() {
    let lab = Lab::new();
    let mut command = lab.run(&COMMAND);
    command.env_remove("MOKO_MON_PUSH_TEXTFILE_DIR").env("MOKO_MON_PUSH_URL", "http://127.0.0.1:1");
    ran(&left(&mut command), "could not publish `x`: `PUT http://127.0.0.1:1/metrics/job/moko_scripts/instance/");
    let seen = left(&mut lab.run(&COMMAND));
    assert_eq!((seen.code, seen.stderr.as_str()), (5, ""));
    let files: Vec<_> = std::fs::read_dir(lab.path("textfiles")).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(std::fs::read_to_string(&files[0]).unwrap().contains("status=\"failure\"} 2\n"));
}

#[test]
fn a_gateway_that_never_answers_costs_one_timeout_after_the_command() {
    let lab = Lab::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut command = lab.run(&COMMAND);
    command.env_remove("MOKO_MON_PUSH_TEXTFILE_DIR").env("MOKO_MON_PUSH_URL", &url);
    command.env("MOKO_MON_PUSH_TIMEOUT", "700ms");
    let begun = Instant::now();
    ran(&left(&mut command), &format!("could not publish `x`: the Pushgateway at {url} did not take it within 700ms"));
    assert!(begun.elapsed() >= Duration::from_millis(700));
}

#[test]
fn broken_settings_do_not_keep_the_command_from_running() {
    for (yaml, line) in [
        ("push: {url: 17}\n", "the run is in the ledger and not published: "),
        ("push: {ulr: http://x}\n", "the run is in the ledger and not published: "),
        ("pusch: {url: http://x}\n", "the run is in the ledger and not published: "),
        ("\t:\n - [", "the run is in the ledger and not published: "),
    ] {
        let lab = Lab::new();
        std::fs::write(lab.path("moko-mon.yaml"), yaml).unwrap();
        ran(&left(&mut lab.run(&COMMAND)), line);
        assert_eq!(lab.runs("x"), (0.0, 1.0), "{yaml}");
        assert_eq!(std::fs::read_dir(lab.path("textfiles")).unwrap().count(), 0, "{yaml}");
    }
    // What is wrong elsewhere is none of its business.
    let lab = Lab::new();
    std::fs::write(lab.path("moko-mon.yaml"), "grafana: {port: none}\n").unwrap();
    assert_eq!(left(&mut lab.run(&COMMAND)).stderr, "");
    let mut nowhere = lab.run(&COMMAND);
    nowhere.env("MOKO_MON_CONFIG", "/no/such/file");
    ran(&left(&mut nowhere), "the run is in the ledger and not published: ");
}

#[test]
fn a_ledger_that_cannot_be_used_costs_one_line() {
    let lab = Lab::new();
    std::fs::write(lab.path("file"), "").unwrap();
    let mut command = lab.run(&COMMAND);
    command.env("MOKO_MON_PUSH_STATE_DIR", lab.path("file"));
    ran(&left(&mut command), "the run is not recorded: could not use the ledger of `x`: ");
    let mut homeless = lab.run(&COMMAND);
    homeless.env("MOKO_MON_PUSH_STATE_DIR", "/proc/no/such/folder");
    ran(&left(&mut homeless), "the run is not recorded: could not use the ledger of `x`: ");
}

/// A limit on the size of files is what a full disk looks like.
#[test]
fn a_result_that_cannot_be_stored_is_counted_by_the_next_run() {
    let lab = Lab::new();
    left(&mut lab.run(&COMMAND));
    let before = std::fs::read(lab.ledger().script("x").folder().join("state")).unwrap();
    let script = format!("ulimit -f 2; exec {MOKO_MON} run --name x -- sh -c 'echo works; exit 5'");
    ran(&left(lab.program("sh").args(["-c", &script])), "the run is not in the totals yet: ");
    assert_eq!(std::fs::read(lab.ledger().script("x").folder().join("state")).unwrap(), before);
    left(&mut lab.run(&COMMAND));
    assert_eq!(lab.runs("x"), (0.0, 3.0));
    let script = format!("ulimit -f 0; exec {MOKO_MON} run --name x -- sh -c 'echo works; exit 5'");
    ran(&left(lab.program("sh").args(["-c", &script])), "the run is not recorded: ");
}

#[test]
fn a_damaged_ledger_is_set_aside_and_named() {
    let lab = Lab::new();
    left(&mut lab.run(&COMMAND));
    let file = lab.ledger().script("x").folder().join("state");
    std::fs::write(&file, "garbage").unwrap();
    let line = format!("the ledger was damaged and starts anew; what it was is in `{}.damaged-", file.display());
    ran(&left(&mut lab.run(&COMMAND)), &line);
    assert_eq!(lab.runs("x"), (0.0, 1.0));
}

/// Wrappers are killed at every moment of their short lives; whatever it was, the ledger can be read, no run that began is
/// lost, and none counts twice.
#[test]
fn a_wrapper_killed_at_any_moment_loses_nothing() {
    let lab = Lab::new();
    let lines = lab.path("begun");
    let script = format!("echo $MOKO_MON_RUN_ID >> {}", lines.display());
    let mut killed = 0;
    for round in 0..150_u64 {
        let mut child = lab.run(&["--name", "x", "--", "sh", "-c", &script]).stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_micros(round * 150));
        child.kill().unwrap();
        killed += u32::from(child.wait().unwrap().signal() == Some(9));
        lab.ledger().script("x").read().unwrap();
    }
    // Children that lost their wrapper come to their end.
    let count = || std::fs::read_to_string(&lines).unwrap_or_default().lines().count();
    let mut seen = count();
    loop {
        std::thread::sleep(Duration::from_millis(200));
        if seen == count() {
            break;
        }
        seen = count();
    }
    let state = lab.ledger().script("x").settle().unwrap();
    let of = |status| state.get("moko_script_executions_total", &[("status", status)]).unwrap();
    let total = of("success") + of("failure");
    let began = f64::from(u32::try_from(seen).unwrap());
    // A wrapper that was killed between the record and the start of the command has a record and no command.
    assert!(total >= began && total <= began + f64::from(killed), "{began} began, {total} counted, {killed} killed");
    assert_eq!(
        lab.ledger().script("x").settle().unwrap().get("moko_script_executions_total", &[("status", "failure")]),
        Some(of("failure"))
    );
    assert_eq!(
        std::fs::read_dir(lab.ledger().script("x").folder().join("runs"))
            .unwrap()
            .filter(|entry| !entry.as_ref().unwrap().file_name().to_string_lossy().starts_with('.'))
            .count(),
        0
    );
}
