//! Files for `node_exporter`'s textfile collector.

use std::path::{Path, PathBuf};

use crate::error::{Code, Error, Result};
use crate::ledger::{file_name, replace};

/// The file of a script in the collector's folder.
pub(super) fn path(folder: &Path, script: &str) -> PathBuf {
    folder.join(format!("moko_{}.prom", file_name(script)))
}

/// Replaces the file of a script. Everybody may read it: the collector is another user.
pub(super) fn write(folder: &Path, script: &str, text: &str) -> Result<()> {
    let path = path(folder, script);
    replace(&path, text.as_bytes(), 0o644).map_err(|error| {
        Error::new(Code::Io, format!("could not write `{}`", path.display()))
            .cause(error.to_string())
            .hint("`push.textfile_dir` has to be an existing folder that this user may write to")
    })
}

/// Removes the file of a script; one that is not there is no error.
pub(super) fn remove(folder: &Path, script: &str) -> Result<()> {
    let path = path(folder, script);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::new(Code::Io, format!("could not remove `{}`", path.display())).cause(error.to_string()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
