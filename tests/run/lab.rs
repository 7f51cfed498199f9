//! A folder with a ledger, where metrics are written to files, so that no server is needed.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use moko_mon::ledger::{Ledger, State};

pub(crate) struct Lab {
    pub(crate) folder: tempfile::TempDir,
}

/// What a command has left: exit status (128+N for a signal), standard output, standard error.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("textfiles")).unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Any program in the environment.
    pub(crate) fn program(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("MOKO_MON_PUSH_STATE_DIR", self.path("state"))
            .env("MOKO_MON_PUSH_TEXTFILE_DIR", self.path("textfiles"))
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// `moko-mon run` with these arguments.
    pub(crate) fn run(&self, arguments: &[&str]) -> Command {
        let mut command = self.program(MOKO_MON);
        command.arg("run").args(arguments);
        command
    }

    pub(crate) fn ledger(&self) -> Ledger {
        Ledger::at(self.path("state"))
    }

    pub(crate) fn state(&self, script: &str) -> State {
        self.ledger().script(script).read().unwrap()
    }

    /// Successes and failures.
    pub(crate) fn runs(&self, script: &str) -> (f64, f64) {
        let state = self.state(script);
        let of = |status| state.get("moko_script_executions_total", &[("status", status)]).unwrap_or(-1.0);
        (of("success"), of("failure"))
    }
}

pub(crate) const MOKO_MON: &str = env!("CARGO_BIN_EXE_moko-mon");

pub(crate) fn left(command: &mut Command) -> Left {
    use std::os::unix::process::ExitStatusExt as _;
    let output = command.output().unwrap();
    let code = output.status.code().or_else(|| output.status.signal().map(|signal| 128 + signal));
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Left { code: code.unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}
