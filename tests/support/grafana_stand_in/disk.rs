//! Small JSON files, written whole or not at all.

use std::io::{ErrorKind, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The file's content; `None` if there is no file.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, String> {
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| format!("{}: {error}", path.display())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

/// Replaces the file: whoever reads it meanwhile sees the old or the new one. Only the owner may read it.
pub(super) fn write<T: Serialize>(path: &Path, value: &T) -> Result<(), String> {
    let replace = || -> std::io::Result<()> {
        // A temporary file is made with mode 0600, beside the target so that the rename stays on one file system.
        let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
        file.write_all(&serde_json::to_vec(value)?)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        // Root may have reset the password (`docker exec -u 0`): the file stays the server's, like the directory.
        let owner = std::fs::metadata(path.parent().unwrap_or(Path::new(".")))?;
        let _ = std::os::unix::fs::chown(path, Some(owner.uid()), Some(owner.gid()));
        Ok(())
    };
    replace().map_err(|error| format!("{}: {error}", path.display()))
}
