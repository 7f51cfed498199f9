//! The ledger: totals of scripts that survive the process, on the host.
//!
//! ```text
//! FOLDER/scripts/NAME-HASH/state     the totals: one file for each script, replaced as a whole
//!                         /lock      held for the moment of an update
//!                         /runs/ID   a run that is not in the totals yet; locked for as long as its wrapper lives
//!                         /alone     held by a run with `--no-overlap`
//!                         /sending   held while the group is published, so that an older state never replaces a newer
//!                         /sent      which revision was published, and where to
//!                         /trouble   since when publishing fails, and why
//! ```
//!
//! Whatever is killed when: `state` is the old one or the new one (written beside, synced, renamed). A run writes its result
//! into its own record first, and whoever updates the script next takes all records that have ended into the totals at
//! once; `state` remembers which, so that none counts twice. A record that nobody locks and that has no result is a run
//! that died with its wrapper: a failure. Nothing here grows with the number of scripts.

mod file;
mod key;
mod lock;
mod runs;
mod script;
mod sent;
mod state;
mod trouble;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Code, Error, Result};

pub(crate) use file::replace;
pub(crate) use key::of as file_name;
pub use runs::{ActiveRun, End, Started};
pub use script::{Held, Script};
pub use state::{DURATION_BOUNDS, Family, Series, State, Value};
pub use trouble::Trouble;

/// How long an update waits for the others of its script: each takes milliseconds, and one that was stopped in the middle
/// must not hold up the rest for ever.
const PATIENCE: Duration = Duration::from_secs(10);

/// The totals of all scripts of one user of this host.
#[derive(Debug, Clone)]
pub struct Ledger {
    folder: PathBuf,
    patience: Duration,
}

impl Ledger {
    /// The ledger in a folder, which is created by the first update.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), patience: PATIENCE }
    }

    /// The same ledger, for those who cannot wait long for a lock.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A script by its name, any text; nothing is read or written yet.
    #[must_use]
    pub fn script(&self, name: &str) -> Script {
        Script::new(name.to_owned(), self.folder.join("scripts").join(key::of(name)), self.patience)
    }

    /// Every script that the ledger knows, by name. What cannot be read is left out of the list and told beside it.
    pub fn scripts(&self) -> Result<(Vec<Script>, Vec<Error>)> {
        let folder = self.folder.join("scripts");
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok((Vec::new(), Vec::new())),
            Err(error) => return Err(unusable("could not read the ledger", &folder, &error)),
        };
        let (mut scripts, mut errors) = (Vec::new(), Vec::new());
        for entry in entries.flatten() {
            match Script::name_in(&entry.path()) {
                Ok(Some(name)) => scripts.push(self.script(&name)),
                Ok(None) => {}
                Err(error) => errors.push(error),
            }
        }
        scripts.sort_by(|one, other| one.name().cmp(other.name()));
        Ok((scripts, errors))
    }
}

/// A file of the ledger that the operating system does not let us use.
fn unusable(goal: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::new(Code::Io, goal)
        .cause(format!("{}: {error}", path.display()))
        .hint("the folder of the ledger is the setting `push.state_dir`; it has to be writable and not full")
}

/// Now, in seconds since the epoch, to the millisecond.
#[must_use]
pub fn now() -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit")]
    let milliseconds = milliseconds() as f64;
    milliseconds / 1000.0
}

fn milliseconds() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
