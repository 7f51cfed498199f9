//! Files that are there as a whole or not at all, and that say so themselves.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Result, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::docker::archive::digest;

/// What the first line begins with; the number is the version of the format.
const HEAD: &str = "moko-mon ledger 1 sha256:";

/// What a file holds.
pub(super) enum Content {
    /// There is none.
    Missing,
    /// The text that was written.
    Whole(String),
    /// Something else; what is wrong with it.
    Damaged(&'static str),
}

/// Reads a file and holds its text against the sum in its first line.
pub(super) fn read(path: &Path) -> Result<Content> {
    let mut bytes = Vec::new();
    match File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Content::Missing),
        Err(error) => return Err(error),
    }
    let Ok(text) = String::from_utf8(bytes) else { return Ok(Content::Damaged("it is not text")) };
    let body = text.split_once('\n').and_then(|(head, body)| Some((head.strip_prefix(HEAD)?, body)));
    Ok(match body {
        None => Content::Damaged("its first line is not that of a ledger"),
        Some((sum, body)) if sum != digest(body.as_bytes()) => Content::Damaged("its text is not what was written"),
        Some((_, body)) => Content::Whole(body.to_owned()),
    })
}

/// Replaces a file by this text: whoever reads it, after whatever happens, finds the old text or the new one.
pub(super) fn write(path: &Path, text: &str) -> Result<()> {
    let whole = format!("{HEAD}{}\n{text}", digest(text.as_bytes()));
    replace(path, whole.as_bytes(), 0o600)
}

/// Replaces any file by way of a neighbour that is synced and renamed.
pub(crate) fn replace(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let beside = beside(path);
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    })();
    if written.is_err() {
        // Half a file on a full disk would only take room.
        let _ = std::fs::remove_file(&beside);
    }
    written?;
    // The rename is durable once its folder is; that it cannot be synced everywhere is no reason to fail.
    let _ = path.parent().map(File::open).transpose().and_then(|folder| folder.map_or(Ok(()), |it| it.sync_all()));
    Ok(())
}

/// The neighbour: hidden, and no file that anybody else would look for. Whoever writes it holds a lock.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.new"))
}

/// Moves a damaged file away under a name that says so, and returns where it is.
pub(super) fn set_aside(path: &Path) -> Result<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let when = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let free = (0..).map(|number| {
        let number = if number == 0 { String::new() } else { format!("-{number}") };
        path.with_file_name(format!("{name}.damaged-{when}{number}"))
    });
    let aside = free.into_iter().find(|aside| !aside.exists()).unwrap_or_else(|| path.with_extension("damaged"));
    std::fs::rename(path, &aside)?;
    Ok(aside)
}

/// Opens a small file of ours for reading and writing.
pub(super) fn open_or_create(path: &Path) -> Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// A folder with all above it, for its user alone: what scripts write may be nobody else's business.
pub(super) fn folder(path: &Path) -> Result<()> {
    if path.is_dir() { Ok(()) } else { DirBuilder::new().recursive(true).mode(0o700).create(path) }
}
