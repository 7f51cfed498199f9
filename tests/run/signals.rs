//! Signals where there is no terminal: the whole group of the command gets them.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Instant;

use crate::lab::{Lab, MOKO_MON, left};

/// Says who it is and waits in small steps, so that a trap is taken at once.
const WAIT: &str = "echo ready; while :; do sleep 0.02; done";

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap().success());
}

/// Starts a command and waits for its first line.
fn start(mut command: impl std::borrow::BorrowMut<Command>) -> (Child, BufReader<ChildStdout>) {
    let mut child = command.borrow_mut().stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    (child, stdout)
}

#[test]
fn each_signal_reaches_the_command_which_decides() {
    let lab = Lab::new();
    for name in ["INT", "TERM", "HUP", "QUIT", "USR1", "USR2"] {
        let script = format!("trap 'echo got {name}; exit 7' {name}; {WAIT}");
        let (mut child, mut stdout) = start(lab.run(&["--name", name, "--", "sh", "-c", &script]));
        signal(&child, name);
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).unwrap();
        assert_eq!((child.wait().unwrap().code(), rest), (Some(7), format!("got {name}\n")));
        assert_eq!(lab.runs(name), (0.0, 1.0));
    }
}

#[test]
fn a_signal_to_the_whole_group_of_the_wrapper_reaches_the_command_once() {
    use std::os::unix::process::CommandExt as _;
    let lab = Lab::new();
    let script = format!("trap 'echo got' TERM; trap 'exit 7' USR1; {WAIT}");
    let mut command = lab.run(&["--name", "x", "--", "sh", "-c", &script]);
    let (mut child, mut stdout) = start(command.process_group(0).stderr(Stdio::null()));
    let group = |name: &str| {
        let group = format!("-{}", child.id());
        assert!(Command::new("kill").args(["-s", name, "--", &group]).status().unwrap().success());
    };
    group("TERM");
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    group("USR1");
    stdout.read_to_string(&mut line).unwrap();
    assert_eq!((child.wait().unwrap().code(), line.as_str()), (Some(7), "got\n"));
}

#[test]
fn without_a_trap_the_signal_ends_it_and_is_the_exit_status() {
    let lab = Lab::new();
    for (name, number) in [("INT", 2), ("TERM", 15), ("HUP", 1), ("QUIT", 3), ("USR1", 10), ("USR2", 12)] {
        let script = format!("ulimit -c 0; {WAIT}");
        let (mut child, _stdout) = start(lab.run(&["--name", name, "--", "sh", "-c", &script]));
        signal(&child, name);
        assert_eq!(child.wait().unwrap().code(), Some(128 + number), "{name}");
        assert_eq!(lab.state(name).get("moko_script_last_signal", &[]), Some(f64::from(number)));
    }
}

#[test]
fn the_children_of_the_command_get_it_too() {
    let lab = Lab::new();
    let script = "trap 'echo outer; exit 3' TERM; \
                  sh -c 'trap \"echo inner; exit\" TERM; echo ready; while :; do sleep 0.02; done' & wait";
    let (mut child, mut stdout) = start(lab.run(&["--name", "x", "--", "sh", "-c", script]));
    signal(&child, "TERM");
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    let mut lines: Vec<&str> = rest.lines().collect();
    lines.sort_unstable();
    assert_eq!((child.wait().unwrap().code(), lines), (Some(3), vec!["inner", "outer"]));
}

#[test]
fn what_was_ignored_stays_ignored() {
    let lab = Lab::new();
    let inner = "kill -HUP $$; echo survived";
    let script = format!("trap '' HUP; exec {MOKO_MON} run -- sh -c '{inner}'");
    assert_eq!(left(lab.program("sh").args(["-c", &script])).stdout, "survived\n");
    // And it is not ignored where it was not.
    assert_eq!(left(&mut lab.run(&["--", "sh", "-c", inner])).code, 129);
}

#[test]
fn when_the_time_is_over_the_group_is_asked_to_end_and_the_run_is_a_failure() {
    let lab = Lab::new();
    let script = format!("trap 'echo asked; exit 0' TERM; {WAIT}");
    let seen = left(&mut lab.run(&["--name", "x", "--timeout", "300ms", "--", "sh", "-c", &script]));
    assert_eq!((seen.code, seen.stdout.as_str()), (124, "ready\nasked\n"));
    // The shell itself may say what became of its child.
    assert!(seen.stderr.ends_with("moko-mon: `x` took longer than 300ms and was ended\n"), "{}", seen.stderr);
    assert_eq!(lab.runs("x"), (0.0, 1.0));
}

#[test]
fn who_does_not_end_is_killed() {
    let lab = Lab::new();
    let begun = Instant::now();
    let script = format!("trap '' TERM; {WAIT}");
    let seen = left(&mut lab.run(&["--name", "x", "--timeout", "200ms", "--", "sh", "-c", &script]));
    assert_eq!(seen.code, 124);
    assert!(begun.elapsed() >= moko_mon::run::GRACE);
    assert_eq!(lab.state("x").get("moko_script_last_signal", &[]), Some(9.0));
}
