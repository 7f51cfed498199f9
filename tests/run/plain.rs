//! Exit status, streams and background jobs.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use moko_mon::ledger::Ledger;

use crate::lab::{Lab, MOKO_MON, left};

/// The same script, plain and wrapped.
fn both(lab: &Lab, script: &str) -> [Command; 2] {
    let mut plain = lab.program("sh");
    plain.args(["-c", script]);
    [plain, lab.run(&["--name", "x", "--", "sh", "-c", script])]
}

#[test]
fn the_exit_status_and_the_streams_are_the_command_s() {
    let lab = Lab::new();
    for script in [
        "exit 0",
        "exit 1",
        "exit 42",
        "exit 255",
        "echo out; echo err >&2; exit 3",
        "printf 'no line end'; printf 'nor here' >&2",
        "kill -TERM $$",
        "kill -KILL $$",
        "kill -SEGV $$",
        "cat; echo $?",
        "trap 'echo ended' EXIT; exit 9",
        "ulimit -n; umask; pwd",
        "ls /proc/self/fd | wc -l",
    ] {
        let [mut plain, mut wrapped] = both(&lab, script);
        assert_eq!(left(&mut wrapped), left(&mut plain), "{script}");
    }
    assert_eq!(lab.runs("x"), (5.0, 8.0));
}

#[test]
fn what_cannot_be_started_is_127_or_126_and_a_failure() {
    let lab = Lab::new();
    std::fs::write(lab.path("plain.txt"), "echo nobody runs this\n").unwrap();
    for (command, code, fact) in [
        ("no-such-command", 127, "No such file or directory (os error 2)"),
        ("./no/such/command", 127, "No such file or directory (os error 2)"),
        ("./plain.txt", 126, "Permission denied (os error 13)"),
        ("/", 126, "Permission denied (os error 13)"),
    ] {
        let wrapped = left(&mut lab.run(&["--name", "x", "--", command]));
        assert_eq!(wrapped.code, code, "{command}");
        assert_eq!(wrapped.stderr, format!("moko-mon: could not start `{command}`: {fact}\n"));
        assert_eq!(left(lab.program("sh").args(["-c", command])).code, code, "{command} by itself");
    }
    assert_eq!(lab.runs("x"), (0.0, 4.0));
    assert_eq!(lab.state("x").get("moko_script_last_exit_code", &[]), Some(126.0));
}

#[test]
fn a_script_without_a_first_line_is_for_the_shell() {
    use std::os::unix::fs::PermissionsExt as _;
    let lab = Lab::new();
    std::fs::write(lab.path("script"), "echo \"$1\"; exit 5\n").unwrap();
    std::fs::set_permissions(lab.path("script"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let wrapped = left(&mut lab.run(&["--", "./script", "a b"]));
    assert_eq!((wrapped.code, wrapped.stdout.as_str()), (5, "a b\n"));
    assert_eq!(lab.runs("script"), (0.0, 1.0));
}

#[test]
fn standard_input_is_the_command_s_and_output_comes_as_it_is_written() {
    let lab = Lab::new();
    for mut command in both(&lab, "printf ready; read line; printf \"got $line\"; cat") {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut bytes = [0; 5];
        // It is here although the command has not ended, and no line either.
        stdout.read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"ready");
        stdin.write_all(b"a\nrest").unwrap();
        drop(stdin);
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "got arest");
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn a_closed_stream_is_closed_for_the_command() {
    let lab = Lab::new();
    for (script, closed) in [("cat", "<&-"), ("echo x", ">&-"), ("echo x >&2", "2>&-"), ("ls /proc/self/fd", "<&-")] {
        let [plain, wrapped] = [format!("sh -c '{script}'"), format!("{MOKO_MON} run --name x -- sh -c '{script}'")]
            .map(|command| left(lab.program("sh").args(["-c", &format!("{command} {closed}")])));
        assert_eq!(wrapped, plain, "{script} {closed}");
    }
}

#[test]
fn a_gigabyte_passes_through() {
    let lab = Lab::new();
    let mut child = lab.run(&["--", "head", "-c", "1073741824", "/dev/zero"]).stdout(Stdio::piped()).spawn().unwrap();
    let read = std::io::copy(&mut child.stdout.take().unwrap(), &mut std::io::sink()).unwrap();
    assert_eq!(read, 1 << 30);
    assert!(child.wait().unwrap().success());
}

#[test]
fn who_stops_reading_ends_the_command_as_always() {
    let lab = Lab::new();
    for command in ["yes".to_owned(), format!("{MOKO_MON} run -- yes"), format!("{MOKO_MON} run --capture 2 -- yes")] {
        let seen = left(lab.program("bash").args(["-c", &format!("{command} | head -1; echo ${{PIPESTATUS[0]}}")]));
        assert_eq!(seen.stdout, "y\n141\n", "{command}");
    }
}

#[test]
fn background_jobs_are_left_alone_and_not_waited_for() {
    let lab = Lab::new();
    for mut command in both(&lab, "sleep 60 >/dev/null 2>&1 & echo $!") {
        let seen = left(&mut command);
        let id = seen.stdout.trim().to_owned();
        assert_eq!(seen.code, 0);
        assert!(Command::new("kill").arg(&id).status().unwrap().success(), "{id} was still there");
    }
}

#[test]
fn the_end_of_the_output_is_kept_while_it_passes() {
    let lab = Lab::new();
    let script = "for i in 1 2 3; do echo $i; done; sleep 0.3; echo last >&2; exit 4";
    let seen = left(&mut lab.run(&["--name", "x", "--capture", "2", "--", "sh", "-c", script]));
    assert_eq!((seen.code, seen.stdout.as_str(), seen.stderr.as_str()), (4, "1\n2\n3\n", "last\n"));
    let state = lab.state("x");
    assert_eq!(state.notes["output"]["tail"], "3\nlast\n");
    assert!(!moko_mon::publish::text(&state).contains("last\\n"));
}

#[test]
fn the_command_knows_its_run_and_the_metrics_say_what_it_used() {
    let lab = Lab::new();
    let script = "echo $MOKO_MON_SCRIPT $MOKO_MON_RUN_ID; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done";
    let seen = left(&mut lab.run(&["--name", "a b/ü\n\"", "--", "sh", "-c", script]));
    let state = lab.state("a b/ü\n\"");
    let id = &state.families["moko_script_last_run_info"].series[0].labels["run_id"];
    assert_eq!(seen.stdout, format!("a b/ü \" {id}\n"));
    let gauge = |name| state.get(name, &[]).unwrap();
    assert!(gauge("moko_script_last_cpu_seconds") > 0.0);
    assert!(gauge("moko_script_last_max_memory_bytes") > 1e5);
    assert!(gauge("moko_script_last_start_timestamp_seconds") > 1.7e9);
    assert_eq!((gauge("moko_script_running"), gauge("moko_script_last_signal")), (0.0, 0.0));
    let files: Vec<_> = std::fs::read_dir(lab.path("textfiles")).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 1);
    let text = std::fs::read_to_string(&files[0]).unwrap();
    assert_eq!(text, moko_mon::publish::text(&state));
    assert!(text.contains("script_name=\"a b/ü\\n\\\"\",status=\"success\"} 1\n"), "{text}");
}

#[test]
fn a_run_that_would_overlap_is_not_started_and_not_counted() {
    let lab = Lab::new();
    let mut first = lab.run(&["--name", "x", "--", "sleep", "60"]).spawn().unwrap();
    while lab.ledger().script("x").active().unwrap().is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let second = left(&mut lab.run(&["--name", "x", "--no-overlap", "--", "echo", "second"]));
    assert_eq!(second.stderr, "moko-mon: `x` is running already, so it was not started (`--no-overlap`)\n");
    assert_eq!((second.code, second.stdout.as_str()), (75, ""));
    assert_eq!(left(&mut lab.run(&["--name", "y", "--no-overlap", "--", "echo", "other"])).stdout, "other\n");
    Command::new("kill").arg(first.id().to_string()).status().unwrap();
    assert_eq!(first.wait().unwrap().code(), Some(143));
    assert_eq!(left(&mut lab.run(&["--name", "x", "--no-overlap", "--", "echo", "third"])).stdout, "third\n");
    assert_eq!(lab.runs("x"), (1.0, 1.0));
}

#[test]
fn what_the_command_starts_has_the_same_settings_in_any_folder() {
    let lab = Lab::new();
    std::fs::create_dir(lab.path("elsewhere")).unwrap();
    std::fs::write(lab.path("elsewhere/moko-mon.yaml"), "push: {job: other}\n").unwrap();
    std::fs::write(lab.path("set.yaml"), "push: {job: chosen, instance: here}\n").unwrap();
    let script = format!("cd elsewhere; {MOKO_MON} push inc rows_total 2 --type counter; env | grep ^MOKO_MON_ | sort");
    let flags = ["--config", "set.yaml", "--set", "push.state_dir=mine", "--set", "push.timeout=3s"];
    let mut command = lab.run(&flags);
    command.args(["--name", "x", "--", "sh", "-c", &script]).env("MOKO_MON_PUSH_TEXTFILE_DIR", "textfiles");
    let seen = left(&mut command);
    assert_eq!((seen.code, seen.stderr.as_str()), (0, ""), "{seen:?}");
    let folder = lab.folder.path().display();
    for line in [
        format!("MOKO_MON_CONFIG={folder}/set.yaml"),
        format!("MOKO_MON_PUSH_STATE_DIR={folder}/mine"),
        format!("MOKO_MON_PUSH_TEXTFILE_DIR={folder}/textfiles"),
        "MOKO_MON_PUSH_TIMEOUT=3s".to_owned(),
    ] {
        assert!(seen.stdout.lines().any(|seen| seen == line), "{line} in {}", seen.stdout);
    }
    assert!(!seen.stdout.contains("MOKO_MON_PUSH_JOB"), "what the file says is in the file: {}", seen.stdout);
    let state = Ledger::at(lab.path("mine")).script("x").read().unwrap();
    assert_eq!(state.get("rows_total", &[]), Some(2.0));
    assert_eq!(state.get("moko_script_executions_total", &[("status", "success")]), Some(1.0));
}
