//! Why the totals of a script could not be published, for `push status`.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Script, now};
use crate::error::{Error, Result};

/// The file beside the totals.
const FILE: &str = "trouble";

/// What went wrong since the last time that all went well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trouble {
    /// When it began, in seconds since the epoch.
    pub since: f64,
    /// When it was tried last.
    pub last: f64,
    /// What was said then.
    pub error: String,
}

impl Script {
    /// Why publishing has failed since it last went well.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        read(self.folder())
    }

    /// Remembers how publishing went.
    pub(crate) fn tried<T>(&self, outcome: &Result<T>) {
        match outcome {
            Ok(_) => drop(std::fs::remove_file(self.folder().join(FILE))),
            Err(error) => remember(self.folder(), error),
        }
    }
}

fn read(folder: &Path) -> Option<Trouble> {
    serde_json::from_str(&std::fs::read_to_string(folder.join(FILE)).ok()?).ok()
}

/// Remembers it as well as it can be: nothing depends on it.
fn remember(folder: &Path, error: &Error) {
    let error = error.causes.last().unwrap_or(&error.message).clone();
    let last = now();
    let since = read(folder).map_or(last, |trouble| trouble.since);
    if let Ok(text) = serde_json::to_string(&Trouble { since, last, error }) {
        let _ = std::fs::write(folder.join(FILE), text);
    }
}

#[cfg(test)]
mod tests {
    use crate::error::{Code, Error};
    use crate::ledger::Ledger;

    #[test]
    fn trouble_lasts_until_all_goes_well() {
        let folder = tempfile::tempdir().unwrap();
        let script = Ledger::at(folder.path()).script("backup");
        script.update(|_| Ok(())).unwrap();
        assert_eq!(script.trouble(), None);
        script.tried::<()>(&Err(Error::new(Code::NotReady, "goal").cause("fact").cause("refused")));
        let first = script.trouble().unwrap();
        script.tried::<()>(&Err(Error::new(Code::NotReady, "later")));
        let second = script.trouble().unwrap();
        assert_eq!((first.error.as_str(), second.error.as_str()), ("refused", "later"));
        assert_eq!(first.since.total_cmp(&second.since), std::cmp::Ordering::Equal);
        assert!(second.last >= first.last);
        script.tried(&Ok(()));
        assert_eq!(script.trouble(), None);
    }
}
