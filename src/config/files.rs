//! The user's own files: found by pattern, read once, named for use in a container.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

/// Reads a regular file of at most `limit` bytes; the error is a remark behind the file's name.
///
/// Asks what it is before opening it: opening a named pipe would wait for a writer.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let remark = |error: std::io::Error| {
        if error.kind() == ErrorKind::NotFound {
            "does not exist".to_owned()
        } else if error.kind() == ErrorKind::PermissionDenied {
            "cannot be read: permission denied".to_owned()
        } else {
            format!("cannot be read: {error}")
        }
    };
    let metadata = std::fs::metadata(path).map_err(remark)?;
    if metadata.is_dir() {
        return Err("is a directory".to_owned());
    }
    if !metadata.is_file() {
        return Err("is not a regular file".to_owned());
    }
    let mut content = Vec::new();
    File::open(path).and_then(|file| file.take(limit + 1).read_to_end(&mut content)).map_err(remark)?;
    if content.len() as u64 > limit {
        return Err(format!("is larger than {} KiB", limit / 1024));
    }
    Ok(content)
}

/// Whether everybody on the machine can read the file.
#[cfg(unix)]
pub(crate) fn is_world_readable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0)
}

/// Whether everybody on the machine can read the file; not to be told here.
#[cfg(not(unix))]
pub(crate) fn is_world_readable(_: &Path) -> bool {
    false
}

/// How many files one pattern may match: many times what anybody has, and still checked in a moment.
const MOST: usize = 1000;

/// How long the patterns of one configuration are searched, all together.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long each pattern is searched at least: enough for a plain name behind a pattern that took all the time.
const LEAST: Duration = Duration::from_millis(200);

/// A search for the user's files that ends in time, wherever its patterns lead.
#[derive(Debug)]
pub(crate) struct Search {
    /// What is left of the time for all patterns.
    left: Duration,
}

impl Default for Search {
    fn default() -> Self {
        Self { left: PATIENCE }
    }
}

impl Search {
    /// The files that a pattern matches, sorted; the error is a remark behind the pattern, and what was expected.
    pub(crate) fn expand(&mut self, base: &Path, pattern: &str) -> Result<Vec<PathBuf>, (String, &'static str)> {
        let any = "a file, or a pattern that matches at least one";
        let full = if Path::new(pattern).is_absolute() {
            pattern.to_owned()
        } else {
            // Only the user's pattern is a pattern, whatever the directory is called.
            format!("{}/{pattern}", glob::Pattern::escape(&base.to_string_lossy()))
        };
        // As in a shell: `*` means neither hidden files nor anything behind a slash.
        let options = glob::MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: true,
        };
        let paths =
            glob::glob_with(&full, options).map_err(|error| (format!("is not a pattern: {}", error.msg), any))?;
        let start = Instant::now();
        let files = within(self.left.max(LEAST), paths);
        self.left = self.left.saturating_sub(start.elapsed());
        let mut files = files.map_err(|failed| match failed {
            Failed::Unreadable(fact) => (format!("cannot be searched: {fact}"), any),
            Failed::TooMany => (format!("matches more than {MOST} files"), "a pattern that matches fewer"),
            Failed::TooSlow => ("took too long to search".to_owned(), "a pattern that leads through fewer folders"),
        })?;
        files.sort();
        if files.is_empty() {
            return Err(("matches no file".to_owned(), any));
        }
        Ok(files)
    }
}

/// Why a search has no result.
#[derive(Debug, PartialEq, Eq)]
enum Failed {
    Unreadable(String),
    TooMany,
    TooSlow,
}

/// The files among `paths`, if they are known in time.
///
/// Looking for the next match may walk a whole disk and cannot be stopped, so a thread does it, which is left behind
/// when the time is over: it ends at its next match, or with the process.
fn within(time: Duration, paths: glob::Paths) -> Result<Vec<PathBuf>, Failed> {
    let deadline = Instant::now() + time;
    let (found, receiver) = std::sync::mpsc::channel();
    let walk = move || {
        for path in paths {
            let path = path.map_err(|error| error.to_string());
            if path.as_ref().is_ok_and(|path| path.is_dir()) {
                continue;
            }
            if found.send(path).is_err() {
                break;
            }
        }
    };
    std::thread::Builder::new().spawn(walk).map_err(|error| Failed::Unreadable(error.to_string()))?;
    let mut files = Vec::new();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match receiver.recv_timeout(left) {
            Ok(Ok(_)) if files.len() == MOST => return Err(Failed::TooMany),
            Ok(Ok(path)) => files.push(path),
            Ok(Err(fact)) => return Err(Failed::Unreadable(fact)),
            Err(RecvTimeoutError::Timeout) => return Err(Failed::TooSlow),
            Err(RecvTimeoutError::Disconnected) => return Ok(files),
        }
    }
}

/// Names for files in a container, each given out once.
#[derive(Debug, Default)]
pub(crate) struct Names(BTreeSet<String>);

impl Names {
    /// The file's own name, made safe, and with a number if it is taken.
    pub(crate) fn unique(&mut self, path: &Path) -> String {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let name: String =
            name.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect();
        // A leading dot would hide the file from Prometheus' own patterns.
        let name = name.trim_start_matches('.');
        let (stem, extension) = match name.rsplit_once('.') {
            Some((stem, extension)) => (stem, format!(".{extension}")),
            None => (name, String::new()),
        };
        let stem = if stem.is_empty() { "file" } else { stem };
        let mut candidate = format!("{stem}{extension}");
        let mut number = 2;
        while !self.0.insert(candidate.clone()) {
            candidate = format!("{stem}-{number}{extension}");
            number += 1;
        }
        candidate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_without_end_is_left_in_time() {
        let folder = tempfile::tempdir().unwrap();
        let mut deep = folder.path().to_owned();
        (0..24).for_each(|_| deep.push("d"));
        std::fs::create_dir_all(&deep).unwrap();
        // Every way to put four folders on the path, and not one match on it.
        let pattern = format!("{}/{}none", folder.path().display(), "**/*/".repeat(4));
        let failed = within(Duration::from_millis(5), glob::glob(&pattern).unwrap()).unwrap_err();
        assert_eq!(failed, Failed::TooSlow);
    }

    #[test]
    fn a_plain_name_is_found_although_another_pattern_took_all_the_time() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.yml"), "").unwrap();
        let mut search = Search { left: Duration::ZERO };
        assert_eq!(search.expand(folder.path(), "a.yml").unwrap(), [folder.path().join("a.yml")]);
    }
}
