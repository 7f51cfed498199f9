//! The command: started, waited for, measured.

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::ErrorKind;
use std::os::fd::AsFd as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::Signal;
use nix::sys::time::TimeValLike as _;
use nix::unistd::Pid;

use super::capture::Output;
use super::signals::{Happened, Signals, Whom};
use super::{GRACE, Plan, RUN_VARIABLE, SCRIPT_VARIABLE, TIMED_OUT};

/// A run that lasts longer than this is worth a write that waits for the disk.
const LASTING: Duration = Duration::from_millis(50);

/// A command that works.
pub(super) struct Running {
    child: Child,
    signals: Option<Signals>,
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
pub(super) fn start(plan: &Plan, run_id: Option<&str>) -> Result<Running, NotStarted> {
    let (program, arguments) = plan
        .command
        .split_first()
        .map_or((OsStr::new(""), &[][..]), |(program, arguments)| (program.as_os_str(), arguments));
    // A terminal and its shell treat a group as one: in it, the command stays where it would be without us.
    let terminal = File::open("/dev/tty").is_ok();
    let prepare = |mut command: Command| {
        if plan.capture.is_some() {
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
        }
        if !terminal {
            command.process_group(0);
        }
        command.env(SCRIPT_VARIABLE, &plan.name);
        // `moko-mon push` in it writes to the same place.
        command.envs(plan.textfile.as_ref().map(|folder| ("MOKO_MON_PUSH_TEXTFILE_DIR", folder)));
        match run_id {
            Some(id) => command.env(RUN_VARIABLE, id),
            None => command.env_remove(RUN_VARIABLE),
        };
        command
    };
    let signals = Signals::block().ok();
    let mut command = prepare(Command::new(program));
    command.args(arguments);
    let mut begun = Instant::now();
    let mut spawned = command.spawn();
    if spawned.as_ref().is_err_and(|error| error.raw_os_error() == Some(Errno::ENOEXEC as i32)) {
        // A script without `#!` is for the shell, as shells themselves see it.
        let mut shell = prepare(Command::new("/bin/sh"));
        shell.arg(program).args(arguments);
        begun = Instant::now();
        spawned = shell.spawn();
    }
    let mut child = spawned.map_err(|error| NotStarted {
        command: program.to_string_lossy().into_owned(),
        status: if error.kind() == ErrorKind::NotFound { 127 } else { 126 },
        fact: error.to_string(),
    })?;
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap_or_default());
    let whom = if terminal { Whom::Shared(pid) } else { Whom::Group(pid) };
    let output = plan.capture.map(|lines| Output::copy(child.stdout.take(), child.stderr.take(), lines));
    Ok(Running { child, signals, whom, begun, timeout: plan.timeout, output })
}

impl Running {
    /// Waits for the end, passing signals on. `lasts` is called once, when the command turns out not to be over at once.
    pub(super) fn wait(mut self, lasts: impl FnOnce()) -> Ended {
        let mut lasts = Some(lasts);
        let (mut timed_out, mut killed) = (false, false);
        let status = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) => {}
                // Nobody else waits for our child, so this does not happen; without it, waiting is all that can be done.
                Err(_) => break self.child.wait().unwrap_or_default(),
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
        let signal = status.signal().unwrap_or_default();
        let code = if timed_out { TIMED_OUT } else { exit_code(status) };
        Ended { code, signal, duration, cpu, memory, timed_out, output: self.output.take() }
    }

    /// Sleeps until something happens, and passes on what was sent.
    fn sleep(&self, limit: Option<Duration>) {
        let Some(signals) = &self.signals else {
            std::thread::sleep(limit.unwrap_or(LASTING).min(LASTING));
            return;
        };
        let limit = limit.map_or(PollTimeout::NONE, |limit| {
            // One more, so that the time is over when we wake up.
            PollTimeout::try_from(limit + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX)
        });
        let _ = poll(&mut [PollFd::new(signals.descriptor.as_fd(), PollFlags::POLLIN)], limit);
        while let Some(happened) = signals.next(self.whom) {
            if let Happened::Sent(signal) = happened {
                self.whom.send(signal);
            }
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

fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    u8::try_from(code.unwrap_or(1)).unwrap_or(1)
}

/// CPU time and memory of the only child that there was.
fn usage() -> (f64, f64) {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_CHILDREN) else { return (0.0, 0.0) };
    let time = usage.user_time() + usage.system_time();
    #[expect(clippy::cast_precision_loss, reason = "microseconds and bytes of one run fit")]
    let (cpu, memory) = (time.num_microseconds() as f64 / 1e6, usage.max_rss() as f64 * 1024.0);
    (cpu, memory)
}
