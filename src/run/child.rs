//! The command: started, waited for, measured.

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::ErrorKind;
use std::os::fd::AsFd as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::Signal;
use nix::sys::time::TimeValLike as _;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::capture::Output;
use super::signals::{Signals, Whom};
use super::spawn::{Spawn, Spawned};
use super::{GRACE, Plan, RUN_VARIABLE, SCRIPT_VARIABLE, TIMED_OUT};

const TEXTFILE_VARIABLE: &str = "MOKO_MON_PUSH_TEXTFILE_DIR";

/// A run that lasts longer than this is worth a write that waits for the disk.
const LASTING: Duration = Duration::from_millis(50);

/// A command that works.
pub(super) struct Running {
    pid: Pid,
    signals: Signals,
    whom: Whom,
    begun: Instant,
    timeout: Option<Duration>,
    output: Option<Output>,
}

/// A command that could not be started.
#[derive(Debug)]
pub(super) struct NotStarted {
    command: String,
    fact: String,
    /// 127 where it is not there, 126 where it cannot be run.
    pub(super) status: u8,
}

/// How a command ended.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// The exit status to pass on.
    pub(super) code: u8,
    /// The signal that ended it, or 0.
    pub(super) signal: i32,
    pub(super) duration: Duration,
    /// CPU time in seconds, with the children that it waited for.
    pub(super) cpu: f64,
    /// The most memory of one of its processes, in bytes.
    pub(super) memory: f64,
    pub(super) timed_out: bool,
    pub(super) output: Option<Output>,
}

/// Starts the command with our own standard streams.
pub(super) fn start(plan: &Plan, run_id: Option<String>, signals: Signals) -> Result<Running, NotStarted> {
    // A terminal and its shell treat a group as one: in it, the command stays where it would be without us.
    let terminal = File::open("/dev/tty").is_ok();
    // The name of a script may be any text, a variable holds none of its zeros.
    let script = plan.name.replace('\0', "");
    let mut variables = vec![(SCRIPT_VARIABLE, Some(script)), (RUN_VARIABLE, run_id)];
    // `moko-mon push` in it writes to the same place, wherever it is started.
    let folder = plan.textfile.as_ref().map(|folder| folder.display().to_string());
    let settings = plan.variables.iter().filter(|(name, _)| folder.is_none() || name != TEXTFILE_VARIABLE);
    variables.extend(settings.map(|(name, value)| (name.as_str(), Some(value.clone()))));
    variables.extend(folder.clone().map(|folder| (TEXTFILE_VARIABLE, Some(folder))));
    let spawn = Spawn {
        command: &plan.command,
        variables,
        mask: signals.before,
        leads: !terminal,
        captured: plan.capture.is_some(),
    };
    let begun = Instant::now();
    let Spawned { pid, streams } = spawn.start().map_err(|error| NotStarted {
        command: plan.command.first().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default(),
        status: if error.kind() == ErrorKind::NotFound { 127 } else { 126 },
        fact: error.to_string(),
    })?;
    let whom = if terminal { Whom::Shared(pid) } else { Whom::Group(pid) };
    let output = streams.map(|(output, errors)| Output::copy(output, errors, plan.capture.unwrap_or_default()));
    Ok(Running { pid, signals, whom, begun, timeout: plan.timeout, output })
}

/// Becomes the command, without a word about it; returns the exit status where that fails.
pub(super) fn replace_us(plan: &Plan) -> u8 {
    let mut words = plan.command.iter();
    let mut command = Command::new(words.next().map_or(OsStr::new(""), |word| word.as_os_str()));
    let failed = command.args(words).exec();
    if failed.kind() == ErrorKind::NotFound { 127 } else { 126 }
}

impl Running {
    /// Waits for the end, passing signals on. `lasts` is called once, when the command turns out not to be over at once.
    pub(super) fn wait(mut self, lasts: impl FnOnce()) -> Ended {
        let mut lasts = Some(lasts);
        let (mut timed_out, mut killed) = (false, false);
        let (code, signal) = loop {
            match waitpid(self.pid, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(_, code)) => break (u8::try_from(code).unwrap_or(1), 0),
                Ok(WaitStatus::Signaled(_, signal, _)) => break (128 + signal as u8, signal as i32),
                Ok(_) | Err(Errno::EINTR) => {}
                // Nobody else waits for our child: this does not happen.
                Err(_) => break (1, 0),
            }
            let elapsed = self.begun.elapsed();
            if elapsed >= LASTING
                && let Some(lasts) = lasts.take()
            {
                lasts();
            }
            let deadline = match self.timeout {
                Some(timeout) if elapsed >= timeout.saturating_add(GRACE) && !killed => {
                    killed = true;
                    self.whom.send(Signal::SIGKILL);
                    None
                }
                Some(timeout) if elapsed >= timeout && !timed_out => {
                    timed_out = true;
                    self.whom.send(Signal::SIGTERM);
                    // What is stopped would not notice.
                    self.whom.send(Signal::SIGCONT);
                    Some(GRACE)
                }
                Some(timeout) if !timed_out => Some(timeout.saturating_sub(elapsed)),
                Some(timeout) if !killed => Some(timeout.saturating_add(GRACE).saturating_sub(elapsed)),
                Some(_) | None => None,
            };
            let moment = lasts.is_some().then_some(LASTING);
            self.sleep([deadline, moment].into_iter().flatten().min());
        };
        let duration = self.begun.elapsed();
        let (cpu, memory) = usage();
        let code = if timed_out { TIMED_OUT } else { code };
        Ended { code, signal, duration, cpu, memory, timed_out, output: self.output.take() }
    }

    /// Sleeps until something happens, and passes on what was sent.
    fn sleep(&self, limit: Option<Duration>) {
        let limit = limit.map_or(PollTimeout::NONE, |limit| {
            // One more, so that the time is over when we wake up.
            PollTimeout::try_from(limit + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX)
        });
        let _ = poll(&mut [PollFd::new(self.signals.descriptor.as_fd(), PollFlags::POLLIN)], limit);
        while let Some(signal) = self.signals.next(self.whom) {
            self.whom.send(signal);
        }
    }
}

impl Ended {
    /// The end of what never began.
    pub(super) fn not_started(status: u8) -> Self {
        Self { code: status, ..Self::default() }
    }
}

impl fmt::Display for NotStarted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not start `{}`: {}", self.command, self.fact)
    }
}

/// CPU time and memory of the only child that there was.
fn usage() -> (f64, f64) {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_CHILDREN) else { return (0.0, 0.0) };
    let time = usage.user_time() + usage.system_time();
    #[expect(clippy::cast_precision_loss, reason = "microseconds and bytes of one run fit")]
    let (cpu, memory) = (time.num_microseconds() as f64 / 1e6, usage.max_rss() as f64 * 1024.0);
    (cpu, memory)
}
