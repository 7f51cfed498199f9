//! What was published of a script, and where to.

use std::path::{Path, PathBuf};

use crate::docker::archive::digest;

/// What stands before the place where it is a file.
const FILE: &str = "file:";

/// The mark beside the totals. It is not synced: if it is lost, the group is only sent once more.
#[derive(Debug)]
pub(super) struct Sent {
    path: PathBuf,
}

impl Sent {
    pub(super) fn at(folder: &Path) -> Self {
        Self { path: folder.join("sent") }
    }

    /// The revision that was last sent to this place; none if another place, or nothing, was sent to last.
    pub(super) fn revision(&self, place: &str) -> Option<u64> {
        let text = std::fs::read_to_string(&self.path).ok()?;
        let (revision, to) = text.trim_end().split_once(' ')?;
        if to.trim_start_matches(FILE) == hash(place) { revision.parse().ok() } else { None }
    }

    /// The revision that was last written to a file, if the last one went there.
    pub(super) fn filed(&self) -> Option<u64> {
        let text = std::fs::read_to_string(&self.path).ok()?;
        let (revision, to) = text.trim_end().split_once(' ')?;
        if to.starts_with(FILE) { revision.parse().ok() } else { None }
    }

    /// Whether anything was ever sent.
    pub(super) fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Forgets it: what is there is no longer known to be there.
    pub(super) fn forget(&self) {
        let _ = std::fs::remove_file(&self.path);
    }

    /// Remembers what was sent; when it cannot, the next one sends again.
    pub(super) fn remember(&self, place: &str, revision: u64) {
        let kind = if place.starts_with("http") { "" } else { FILE };
        let _ = std::fs::write(&self.path, format!("{revision} {kind}{}\n", hash(place)));
    }
}

fn hash(place: &str) -> String {
    digest(place.as_bytes())[..16].to_owned()
}
