//! Starting the command by `posix_spawn`: unlike the standard library it can give the command another signal mask than ours.

use std::ffi::{CString, OsStr, OsString};
use std::io::{Error, ErrorKind, PipeReader, Result, pipe};
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use nix::errno::Errno;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawnp};
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::Pid;

/// A command to be started.
pub(super) struct Spawn<'a> {
    pub(super) command: &'a [OsString],
    /// Variables besides our own.
    pub(super) variables: Vec<(&'a str, Option<String>)>,
    /// The signals that it has blocked.
    pub(super) mask: SigSet,
    /// Whether it leads a process group of its own.
    pub(super) leads: bool,
    /// Whether its output goes through us.
    pub(super) captured: bool,
}

/// A command that was started, with its output and its errors where they go through us.
pub(super) struct Spawned {
    pub(super) pid: Pid,
    pub(super) streams: Option<(PipeReader, PipeReader)>,
}

impl Spawn<'_> {
    /// Starts the command; the error is why it could not be.
    pub(super) fn start(&self) -> Result<Spawned> {
        let mut words: Vec<CString> = self.command.iter().map(|word| text(word)).collect::<Result<_>>()?;
        let Some(program) = words.first().cloned() else { return Err(ErrorKind::NotFound.into()) };
        // An empty name is looked up as the folder in front of it.
        if program.is_empty() {
            return Err(Error::from_raw_os_error(Errno::ENOENT as i32));
        }
        let mut flags = PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK | PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF;
        let mut attributes = PosixSpawnAttr::init()?;
        attributes.set_sigmask(&self.mask)?;
        // The standard library ignores it in every Rust program.
        attributes.set_sigdefault(&SigSet::from(Signal::SIGPIPE))?;
        if self.leads {
            flags |= PosixSpawnFlags::POSIX_SPAWN_SETPGROUP;
            attributes.set_pgroup(Pid::from_raw(0))?;
        }
        attributes.set_flags(flags)?;
        let mut actions = PosixSpawnFileActions::init()?;
        let pipes = if self.captured { Some((pipe()?, pipe()?)) } else { None };
        if let Some(((_, output), (_, errors))) = &pipes {
            actions.add_dup2(output.as_raw_fd(), 1)?;
            actions.add_dup2(errors.as_raw_fd(), 2)?;
        }
        let environment = self.environment()?;
        let mut spawned = posix_spawnp(&program, &actions, &attributes, &words, &environment);
        if spawned == Err(Errno::ENOEXEC) {
            // A script without `#!` is for the shell, as shells themselves see it.
            words.insert(0, c"sh".to_owned());
            spawned = posix_spawnp(c"/bin/sh", &actions, &attributes, &words, &environment);
        }
        let streams = pipes.map(|((output, _), (errors, _))| (output, errors));
        Ok(Spawned { pid: spawned?, streams })
    }

    fn environment(&self) -> Result<Vec<CString>> {
        let ours = |name: &OsStr| self.variables.iter().any(|(known, _)| name == *known);
        let pair = |name: &OsStr, value: &OsStr| {
            let mut bytes = name.as_bytes().to_vec();
            bytes.push(b'=');
            bytes.extend_from_slice(value.as_bytes());
            text(&OsString::from_vec(bytes))
        };
        let kept = std::env::vars_os().filter(|(name, _)| !ours(name)).map(|(name, value)| pair(&name, &value));
        let set = self.variables.iter().filter_map(|(name, value)| {
            let value = value.as_ref()?;
            Some(pair(OsStr::new(name), OsStr::new(value)))
        });
        kept.chain(set).collect()
    }
}

fn text(word: &OsStr) -> Result<CString> {
    CString::new(word.as_bytes()).map_err(|_| ErrorKind::InvalidInput.into())
}
