//! The user's own files: found by pattern, read once, named for use in a container.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

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

/// The files that a pattern matches, sorted; the error is a remark behind the pattern.
pub(crate) fn expand(base: &Path, pattern: &str) -> Result<Vec<PathBuf>, String> {
    let full = if Path::new(pattern).is_absolute() {
        pattern.to_owned()
    } else {
        // Only the user's pattern is a pattern, whatever the directory is called.
        format!("{}/{pattern}", glob::Pattern::escape(&base.to_string_lossy()))
    };
    // As in a shell: `*` means neither hidden files nor anything behind a slash.
    let options =
        glob::MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };
    let matches = glob::glob_with(&full, options).map_err(|error| format!("is not a pattern: {}", error.msg))?;
    let mut files = Vec::new();
    for path in matches {
        let path = path.map_err(|error| format!("cannot be searched: {error}"))?;
        if !path.is_dir() {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err("matches no file".to_owned());
    }
    Ok(files)
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
