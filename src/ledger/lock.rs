//! Locks of the operating system on files of the ledger: they die with their holders.

use std::fs::{File, TryLockError};
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use super::file;

/// The shortest and the longest nap between two tries.
const NAPS: (Duration, Duration) = (Duration::from_micros(200), Duration::from_millis(5));

/// Held until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, if nobody has it.
    pub(crate) fn try_take(path: &Path) -> Result<Option<Self>> {
        loop {
            let lock = file::open_or_create(path)?;
            match lock.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            // The script may have been removed between opening and locking; then the file has a successor.
            if is(&lock, path)? {
                return Ok(Some(Self { _file: lock }));
            }
        }
    }

    /// Waits for the lock, but not for ever.
    pub(crate) fn take(path: &Path, patience: Duration) -> Result<Self> {
        let (mut nap, longest) = NAPS;
        let start = Instant::now();
        loop {
            if let Some(lock) = Self::try_take(path)? {
                return Ok(lock);
            }
            if start.elapsed() >= patience {
                return Err(Error::new(ErrorKind::TimedOut, format!("another process has held it for {patience:?}")));
            }
            std::thread::sleep(nap);
            nap = (nap * 2).min(longest);
        }
    }
}

/// Whether an open file is still what is at its path.
pub(super) fn is(file: &File, path: &Path) -> Result<bool> {
    let open = file.metadata()?;
    match std::fs::metadata(path) {
        Ok(there) => Ok((open.dev(), open.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
