//! Why the totals of a script could not be published, for `push status`.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::now;
use crate::error::Error;

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

pub(super) fn read(folder: &Path) -> Option<Trouble> {
    serde_json::from_str(&std::fs::read_to_string(folder.join(FILE)).ok()?).ok()
}

/// Remembers it as well as it can be: nothing depends on it.
pub(super) fn remember(folder: &Path, error: &Error) {
    let error = error.causes.last().unwrap_or(&error.message).clone();
    let last = now();
    let since = read(folder).map_or(last, |trouble| trouble.since);
    if let Ok(text) = serde_json::to_string(&Trouble { since, last, error }) {
        let _ = std::fs::write(folder.join(FILE), text);
    }
}

pub(super) fn forget(folder: &Path) {
    let _ = std::fs::remove_file(folder.join(FILE));
}

const FILE: &str = "trouble";
