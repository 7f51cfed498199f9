//! One moko-mon at a time on one project of one engine.
//!
//! A file lock of the operating system: it dies with its holder, so it is never stale. Whoever uses this machine
//! shares it; two machines that use one remote engine do not exclude each other (container names still do).

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use crate::docker::archive::digest;
use crate::error::{Code, Error, Result};
use crate::platform;

/// Held until dropped, or until the process ends in any way.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of a project on an engine, or says who has it.
    ///
    /// # Errors
    ///
    /// [`Code::Locked`] names the holder; [`Code::Io`] when the lock file cannot be used.
    pub fn take(folder: &Path, engine: &str, project: &str, command: &str) -> Result<Self> {
        // The engine's id keeps projects of one name on two engines apart.
        let path = folder.join(format!("moko-mon-{project}-{}.lock", &digest(engine.as_bytes())[..12]));
        let mut file = platform::open_lock(&path).map_err(|error| {
            Error::new(Code::Io, "could not open the lock of the project")
                .cause(format!("{}: {error}", path.display()))
                .hint("see who may write to that folder; a link or a folder of that name has to go")
        })?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(locked(project, &mut file)),
            Err(TryLockError::Error(error)) => {
                return Err(Error::new(Code::Io, "could not lock the project").cause(error.to_string()));
            }
        }
        // What is written only tells others who we are; the lock holds without it.
        let told = format!("process {} (`moko-mon {command}`)", std::process::id());
        let _ = file.set_len(0).and_then(|()| file.write_all(told.as_bytes()));
        Ok(Self { _file: file })
    }
}

fn locked(project: &str, file: &mut File) -> Error {
    let mut holder = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut holder));
    let holder = if read.is_ok() && !holder.is_empty() { holder } else { "another process".to_owned() };
    Error::new(Code::Locked, format!("another moko-mon is at work on project `{project}`"))
        .cause(format!("{} holds its lock", crate::docker::error::clean(&holder)))
        .hint("wait until it is done, then run the command again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_the_first_is_and_the_lock_dies_with_its_holder() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::take(folder.path(), "engine", "team", "up").unwrap();
        let error = Lock::take(folder.path(), "engine", "team", "down").unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "error: another moko-mon is at work on project `team`\n  \
                 caused by: process {} (`moko-mon up`) holds its lock\n\
                 hint: wait until it is done, then run the command again",
                std::process::id()
            )
        );
        assert_eq!(error.code.exit_status() as u8, 4);
        Lock::take(folder.path(), "engine", "other", "up").unwrap();
        Lock::take(folder.path(), "another engine", "team", "up").unwrap();
        drop(first);
        Lock::take(folder.path(), "engine", "team", "down").unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_the_shared_folder_is_never_followed() {
        let folder = tempfile::tempdir().unwrap();
        drop(Lock::take(folder.path(), "engine", "team", "up").unwrap());
        let lock = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
        let victim = folder.path().join("victim");
        std::fs::write(&victim, "content").unwrap();
        std::fs::remove_file(&lock).unwrap();
        std::os::unix::fs::symlink(&victim, &lock).unwrap();
        let error = Lock::take(folder.path(), "engine", "team", "up").unwrap_err();
        assert_eq!(error.message, "could not open the lock of the project");
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "content");
    }

    #[cfg(unix)]
    #[test]
    fn every_user_of_the_machine_can_lock() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        drop(Lock::take(folder.path(), "engine", "team", "up").unwrap());
        let lock = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap();
        assert_eq!(lock.metadata().unwrap().permissions().mode() & 0o777, 0o666);
    }
}
