//! One environment, and the binary in it.

use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::engine::Engine;
use super::filters;
use super::ports::Ports;

/// A folder for one test with everything that the binary sees.
pub(crate) struct Lab {
    folder: tempfile::TempDir,
    pub(crate) ports: Ports,
    pub(crate) engine: Engine,
    /// Everything that any run has written.
    seen: Arc<Mutex<String>>,
}

/// A command in the environment.
pub(crate) struct Run<'a> {
    lab: &'a Lab,
    command: Command,
}

/// A command that runs.
pub(crate) struct Running<'a> {
    lab: &'a Lab,
    child: Child,
}

/// What a command has left.
#[must_use = "a command may have failed"]
pub(crate) struct Output {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    ports: Vec<(u16, &'static str)>,
    folder: String,
}

impl Lab {
    /// An environment with an engine on a socket that has no image yet.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["home", "tmp", "work"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let engine = Engine::on_socket(&folder.path().join("docker.sock"));
        Self { folder, ports: Ports::find(), engine, seen: Arc::default() }
    }

    /// An environment in which `up` has succeeded; its calls are forgotten.
    pub(crate) fn up() -> Self {
        let lab = Self::new();
        lab.run(&["up"]).succeeds();
        lab.engine.forget();
        lab
    }

    /// A path in the environment.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file in the working folder.
    pub(crate) fn write(&self, name: &str, content: &str) {
        let path = self.path("work").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// A command to be started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Run<'_> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_moko-mon"));
        let host = format!("unix://{}", self.path("docker.sock").display());
        command
            .args(arguments)
            .args(unverified(arguments))
            .env_clear()
            .current_dir(self.path("work"))
            .stdin(Stdio::null());
        command.env("HOME", self.path("home")).env("TMPDIR", self.path("tmp")).env("PATH", self.path("home"));
        command.env("COLUMNS", "100").env("DOCKER_HOST", host);
        let names = ["PROMETHEUS", "ALERTMANAGER", "PUSHGATEWAY", "GRAFANA"];
        for (name, (port, _)) in names.into_iter().zip(self.ports.defaults()) {
            command.env(format!("MOKO_MON_{name}_PORT"), port.to_string());
        }
        Run { lab: self, command }
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).run()
    }

    /// Runs a command to its end and reads the envelope that it writes.
    pub(crate) fn json(&self, arguments: &[&str]) -> (Output, Value) {
        let output = self.run(&[arguments, &["--output", "json"]].concat());
        let value = output.envelope();
        (output, value)
    }

    /// Runs `up` again and again: it converges, and then there is nothing to do.
    pub(crate) fn converges(&self) {
        self.run(&["up"]).succeeds();
        self.engine.forget();
        let second = self.run(&["up"]);
        assert!(second.stdout.starts_with("nothing to do"), "{}", second.text());
        assert_eq!(self.engine.writes(""), [""; 0]);
    }

    /// Everything that any run in this environment has written.
    pub(crate) fn seen(&self) -> String {
        self.seen.lock().unwrap().clone()
    }

    fn output(&self, output: std::process::Output) -> Output {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        self.seen.lock().unwrap().push_str(&format!("{stdout}\n{stderr}\n"));
        assert!(!stderr.contains("panicked"), "{stderr}");
        Output {
            status: output.status,
            stdout,
            stderr,
            ports: self.ports.defaults().to_vec(),
            folder: self.folder.path().display().to_string(),
        }
    }
}

/// The servers here answer what `up` asks, not what `verify` does.
fn unverified(arguments: &[&str]) -> Option<&'static str> {
    (arguments.contains(&"up") && !arguments.contains(&"--help")).then_some("--no-verify")
}

impl<'a> Run<'a> {
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    pub(crate) fn folder(mut self, folder: PathBuf) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Runs it without root's rights.
    pub(crate) fn by_nobody(mut self) -> Self {
        use std::os::unix::process::CommandExt as _;
        self.command.uid(65534).gid(65534);
        self
    }

    pub(crate) fn run(mut self) -> Output {
        let output = self.command.output().unwrap();
        self.lab.output(output)
    }

    pub(crate) fn start(mut self) -> Running<'a> {
        let child = self.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Running { lab: self.lab, child }
    }

    /// Runs with a standard output that nobody reads.
    pub(crate) fn unread(mut self) -> Output {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = self.command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
        self.lab.output(output)
    }
}

impl Running<'_> {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal and waits until the process has taken it.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
        let pending = || {
            let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
            let waits = status.lines().any(|line| line.starts_with("ShdPnd:") && !line.ends_with("0000000000000000"));
            // What has ended takes no signal any more.
            waits && !status.contains("State:\tZ")
        };
        while pending() {
            std::thread::yield_now();
        }
    }

    /// The lines of standard output as they come.
    pub(crate) fn lines(&mut self) -> impl Iterator<Item = String> + use<> {
        use std::io::BufRead as _;
        let stdout = self.child.stdout.take().expect("standard output");
        std::io::BufReader::new(stdout).lines().map(Result::unwrap)
    }

    /// Waits for the end.
    pub(crate) fn ends(self) -> Output {
        let output = self.child.wait_with_output().unwrap();
        self.lab.output(output)
    }
}

impl Output {
    pub(crate) fn code(&self) -> i32 {
        self.status.code().expect("an exit code")
    }

    /// The command has done its work.
    pub(crate) fn succeeds(self) {
        assert!(self.status.success(), "{}", self.text());
    }

    /// Itself, once it is seen that the command has done its work.
    pub(crate) fn successful(self) -> Self {
        assert!(self.status.success(), "{}", self.text());
        self
    }

    /// The one JSON document on standard output.
    pub(crate) fn envelope(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// Exit status and both streams, without what differs from run to run.
    pub(crate) fn text(&self) -> String {
        let stderr = filters::progress(&self.stderr);
        let text = format!(
            "exit {}\n--- stdout\n{}\n--- stderr\n{stderr}",
            self.status.code().unwrap_or(-1),
            self.stdout.trim_end()
        );
        self.filtered(&text)
    }

    /// Standard error alone, filtered.
    pub(crate) fn errors(&self) -> String {
        self.filtered(&filters::progress(&self.stderr))
    }

    /// The error at the end of standard error, filtered.
    pub(crate) fn error(&self) -> String {
        let errors = self.errors();
        errors.find("error: ").map(|at| errors[at..].to_owned()).unwrap_or_default()
    }

    /// Any text without what differs from run to run.
    pub(crate) fn filtered(&self, text: &str) -> String {
        let mut text = text.replace(&self.folder, "[folder]");
        for (port, default) in &self.ports {
            text = filters::word(&text, &port.to_string(), default);
        }
        let text = filters::between(&text, "process ", " (", "[pid]");
        let text = filters::between(&text, "not ready after ", "\n", "[time]");
        filters::ids(&text)
    }
}
