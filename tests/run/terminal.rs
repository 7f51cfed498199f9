//! On a terminal: `script` of util-linux makes one.

use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::lab::{Lab, MOKO_MON};

/// A program on a terminal, with what it has written.
struct Terminal {
    child: Child,
    keys: ChildStdin,
    screen: Arc<Mutex<String>>,
}

impl Terminal {
    fn new(lab: &Lab, command: &str) -> Self {
        let mut script = lab.program("script");
        script.args(["--quiet", "--return", "--flush", "--command", command, "/dev/null"]);
        script.env("PS1", "> ").env("TERM", "dumb").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = script.spawn().unwrap();
        let keys = child.stdin.take().unwrap();
        let mut output = child.stdout.take().unwrap();
        let screen: Arc<Mutex<String>> = Arc::default();
        let seen = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut bytes) {
                seen.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..length]));
            }
        });
        Self { child, keys, screen }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Waits until something is on the screen, and clears what came before it.
    #[track_caller]
    fn shows(&self, text: &str) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let mut screen = self.screen.lock().unwrap();
            if let Some(at) = screen.find(text) {
                screen.drain(..at + text.len());
                return;
            }
            assert!(Instant::now() < deadline, "no `{text}` in `{screen}`");
            drop(screen);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn ends(mut self) -> Option<i32> {
        drop(self.keys);
        self.child.wait().unwrap().code()
    }
}

fn shell(lab: &Lab) -> Terminal {
    let terminal = Terminal::new(lab, "bash --norc --noprofile -i");
    terminal.shows("> ");
    terminal
}

#[test]
fn the_command_sees_the_terminal_and_is_in_front_of_it() {
    let lab = Lab::new();
    let looks = "test -t 0 && test -t 1 && test -t 2 || exit 1\n\
                 set -- $(ps -o pgid=,tpgid= -p $$)\n[ \"$1\" = \"$2\" ]\n";
    std::fs::write(lab.path("looks"), looks).unwrap();
    assert_eq!(Terminal::new(&lab, "sh ./looks").ends(), Some(0));
    assert_eq!(Terminal::new(&lab, &format!("{MOKO_MON} run -- sh ./looks")).ends(), Some(0));
    assert_eq!(lab.runs("sh"), (1.0, 0.0));
}

#[test]
fn ctrl_c_reaches_the_command_once() {
    let lab = Lab::new();
    let trap = "trap \"echo caught\" INT; echo ready; read a; read b; exit 6";
    for command in [format!("bash -c '{trap}'"), format!("{MOKO_MON} run --name x -- bash -c '{trap}'")] {
        let mut terminal = shell(&lab);
        terminal.press(&format!("{command}; echo status $?\n"));
        terminal.shows("\nready");
        terminal.press("\u{3}");
        terminal.shows("caught");
        terminal.press("one\ntwo\n");
        terminal.shows("status 6");
        assert!(!terminal.screen.lock().unwrap().contains("caught"));
        terminal.press("exit\n");
        terminal.ends();
    }
}

#[test]
fn a_job_is_stopped_and_continued_by_its_shell() {
    let lab = Lab::new();
    let mut terminal = shell(&lab);
    terminal.press(&format!("{MOKO_MON} run --name x -- sh -c 'echo ready; read line; echo got $line'\n"));
    terminal.shows("\nready");
    terminal.press("\u{1a}");
    terminal.shows("Stopped");
    terminal.press("jobs\n");
    terminal.shows("Stopped");
    terminal.press("fg\n");
    terminal.shows("run --name x");
    terminal.press("words\n");
    terminal.shows("got words");
    // In the background, reading from the terminal stops it, and `fg` goes on.
    terminal.press(&format!("{MOKO_MON} run --name x -- sh -c 'read line; echo has $line' &\n"));
    terminal.shows("[1]");
    let stopped = Instant::now() + Duration::from_secs(30);
    loop {
        terminal.press("jobs; echo looked\n");
        terminal.shows("\nlooked");
        terminal.press("jobs | grep -c Stopped | sed s/^/count/\n");
        terminal.shows("\ncount");
        std::thread::sleep(Duration::from_millis(50));
        if terminal.screen.lock().unwrap().starts_with('1') {
            break;
        }
        assert!(Instant::now() < stopped, "the job in the background did not stop");
    }
    terminal.press("fg\n");
    terminal.shows("run --name x");
    terminal.press("more\n");
    terminal.shows("has more");
    terminal.press("exit\n");
    terminal.ends();
    assert_eq!(lab.runs("x"), (2.0, 0.0));
}

#[test]
fn a_pipeline_on_a_terminal_works() {
    let lab = Lab::new();
    let mut terminal = shell(&lab);
    // The second command reads from the terminal, as `less` does, while the first is wrapped.
    terminal.press(&format!("{MOKO_MON} run -- echo piped | sh -c 'cat; read key </dev/tty; echo key $key'\n"));
    terminal.shows("\npiped");
    terminal.press("k\n");
    terminal.shows("key k");
    terminal.press("exit\n");
    terminal.ends();
}

#[test]
fn a_signal_to_the_wrapper_reaches_the_command_and_its_children_but_not_the_script_around_it() {
    let lab = Lab::new();
    let inner = "trap 'exit 3' TERM\nsh -c 'trap \"echo inner; exit\" TERM; echo ready; while :; do sleep 0.02; done' &\nwait\n";
    std::fs::write(lab.path("inner"), inner).unwrap();
    let around = format!("{MOKO_MON} run --name x -- sh ./inner & echo id $!; wait $!; echo around $?");
    std::fs::write(lab.path("around"), around).unwrap();
    let terminal = Terminal::new(&lab, "sh ./around");
    terminal.shows("id ");
    terminal.shows("ready");
    let run = lab.ledger().script("x").active().unwrap();
    assert!(std::process::Command::new("kill").arg(run[0].process.to_string()).status().unwrap().success());
    terminal.shows("inner");
    terminal.shows("around 3");
    terminal.ends();
    assert_eq!(lab.runs("x"), (0.0, 1.0));
}
