//! `run`: a command with its metrics, which never notices.
//!
//! The command has our standard streams themselves, so nothing is copied or buffered. Where there is a terminal it stays
//! in our process group, so that the terminal and the shell treat it as they would without us; elsewhere it leads a group
//! of its own, to which signals are passed on. What can go wrong with monitoring is told in one line at the end and
//! changes nothing else.

mod capture;
mod child;
mod monitor;
mod signals;
mod spawn;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write as _;
use std::time::Duration;

use crate::config::PushSettings;
use crate::jobs::Job;
use crate::ledger::End;

use child::Ended;
use monitor::Monitor;
use signals::Signals;

/// What the command is told about its run, for what it starts itself: `moko-mon push` above all.
pub const SCRIPT_VARIABLE: &str = "MOKO_MON_SCRIPT";
/// The id of the run, as in the metric `moko_script_last_run_info`.
pub const RUN_VARIABLE: &str = "MOKO_MON_RUN_ID";

/// The exit status when another run is active and `--no-overlap` is given: "try again later" of sysexits.h.
pub const OVERLAP: u8 = 75;
/// The exit status when the time is over, as `timeout` has it.
pub const TIMED_OUT: u8 = 124;
/// How long a command has between SIGTERM and SIGKILL when its time is over.
pub const GRACE: Duration = Duration::from_secs(10);

/// What to run, and how.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The name of the script.
    pub name: String,
    /// The command and its arguments; never empty.
    pub command: Vec<OsString>,
    /// How long it may take.
    pub timeout: Option<Duration>,
    /// Whether it must not begin while another run of the script goes on.
    pub no_overlap: bool,
    /// How many lines of its output to keep.
    pub capture: Option<usize>,
    /// The folder of a textfile collector, in place of what the settings say.
    pub textfile: Option<std::path::PathBuf>,
    /// Variables that lead what the command starts itself to our settings.
    pub variables: Vec<(String, String)>,
}

/// Runs the command and says how the process ends. Nothing here fails: what goes wrong with the command is its exit status,
/// and what goes wrong with monitoring is told.
#[must_use]
pub fn run(
    plan: &Plan,
    job: Option<Job>,
    settings: Option<PushSettings>,
    environment: &BTreeMap<String, String>,
) -> u8 {
    // From here on, what is sent to us waits for the command.
    let signals = match Signals::block() {
        Ok(signals) => signals,
        Err(error) => {
            tell(&format!("the run is not recorded, because signals could not be passed on: {error}"));
            return child::replace_us(plan);
        }
    };
    let mut monitor = Monitor::new(plan, job, settings, environment);
    if plan.no_overlap && monitor.overlaps() {
        tell(&format!("`{}` is running already, so it was not started (`--no-overlap`)", plan.name));
        return OVERLAP;
    }
    monitor.begin();
    let run_id = monitor.run_id();
    let started = child::start(plan, run_id, signals);
    let ended = match started {
        Ok(child) => {
            // The first zeros, and that a long job runs, are published while the command works.
            monitor.announce();
            monitor.get_ready();
            child.wait(|| monitor.sync())
        }
        Err(failed) => {
            tell(&failed.to_string());
            Ended::not_started(failed.status)
        }
    };
    let Ended { code, signal, duration, cpu, memory, timed_out, output } = ended;
    if timed_out {
        tell(&format!("`{}` took longer than {:?} and was ended", plan.name, plan.timeout.unwrap_or_default()));
    }
    let end = End {
        success: code == 0 && !timed_out,
        end: crate::ledger::now(),
        duration: Some(duration.as_secs_f64()),
        exit_code: Some(i32::from(code)),
        signal,
        cpu: Some(cpu),
        memory: Some(memory),
        next_due: None,
    };
    monitor.end(end, output.as_ref().map(capture::Output::tail));
    monitor.publish();
    if let Some(problem) = monitor.problem() {
        tell(&problem);
    }
    if let Some(output) = output {
        output.drain();
    }
    code
}

/// One line on standard error, where the command's own lines are too.
fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "moko-mon: {line}");
}
