//! What was published of a script, and where to.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::docker::archive::digest;

/// What stands before the place where it is a file.
const FILE: &str = "file:";
/// As long as the longest mark: a revision, a space, [`FILE`] and a hash.
const WIDTH: usize = 20 + 1 + FILE.len() + 16;

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
        let text = format!("{revision} {kind}{}", hash(place));
        // In place and always as long: to cut the file off first would make some file systems write it out at once.
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&self.path);
        let _ = file.and_then(|mut file| file.write_all(format!("{text:<WIDTH$}\n").as_bytes()));
    }
}

fn hash(place: &str) -> String {
    digest(place.as_bytes())[..16].to_owned()
}
