//! Signals: which are passed on, and to whom.

use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill, killpg};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::{Pid, getpgid, getpgrp};

/// What is passed on to the command.
const PASSED: [Signal; 6] =
    [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGUSR1, Signal::SIGUSR2];

/// The code of a signal that the kernel itself has sent, as a terminal does, and to the whole group.
const FROM_KERNEL: i32 = 0x80;

/// Signals that wait to be read. They are blocked, not handled: what was ignored when we began, as by `nohup`, stays ignored
/// in the command.
pub(super) struct Signals {
    pub(super) descriptor: SignalFd,
    /// What was blocked before, which is what the command begins with.
    pub(super) before: SigSet,
}

impl Signals {
    /// Blocks the signals; and what a limit on the size of files would end us with, which makes it an error like any other.
    pub(super) fn block() -> nix::Result<Self> {
        let mut set: SigSet = PASSED.into_iter().collect();
        set.add(Signal::SIGCHLD);
        let descriptor = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        set.add(Signal::SIGXFSZ);
        let before = set.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
        Ok(Self { descriptor, before })
    }

    /// The next signal to pass on, since the last time that something happened. In a terminal's group, what the terminal sends has reached the command, too.
    pub(super) fn next(&self, whom: Whom) -> Option<Signal> {
        loop {
            let info = self.descriptor.read_signal().ok().flatten()?;
            let signal = Signal::try_from(i32::try_from(info.ssi_signo).unwrap_or_default());
            match signal {
                Ok(_) if matches!(whom, Whom::Shared(_)) && info.ssi_code == FROM_KERNEL => {}
                // That a child has ended is only a reason to wake up.
                Ok(Signal::SIGCHLD) | Err(_) => {}
                Ok(signal) => return Some(signal),
            }
        }
    }
}

/// Who gets the signals.
#[derive(Debug, Clone, Copy)]
pub(super) enum Whom {
    /// The group that the command leads.
    Group(Pid),
    /// The command and its descendants in our own group, which may have others in it: a pipeline, the script we are in.
    Shared(Pid),
}

impl Whom {
    /// Passes a signal on; nobody may be there any more.
    pub(super) fn send(self, signal: Signal) {
        match self {
            Self::Group(leader) => {
                let _ = killpg(leader, signal);
            }
            Self::Shared(command) => {
                let group = getpgrp();
                // Listed before the first is told: who loses its parent is not found any more.
                let mut all = vec![command];
                descendants(command, &mut all);
                for process in all.into_iter().filter(|process| getpgid(Some(*process)) == Ok(group)) {
                    let _ = kill(process, signal);
                }
            }
        }
    }
}

fn descendants(process: Pid, found: &mut Vec<Pid>) {
    let children = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap_or_default();
    for child in children.split_whitespace().filter_map(|child| child.parse().ok()).map(Pid::from_raw) {
        found.push(child);
        descendants(child, found);
    }
}
