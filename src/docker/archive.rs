//! Tar archives as the engine takes and gives them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use sha2::{Digest, Sha256};

use super::untouched::stamp;
use crate::error::{Code, Error, Result};
use crate::observed::FileState;
use crate::stack::{Access, FileSpec};

/// A file to be packed: its path below the folder it is unpacked in, its bytes, its owner and mode.
pub struct Entry<'a> {
    /// Relative path.
    pub path: &'a str,
    /// The bytes.
    pub content: &'a [u8],
    /// Owner and mode.
    pub access: Access,
}

impl<'a> Entry<'a> {
    /// A file of a component, for a root file system.
    #[must_use]
    pub fn below_root(file: &'a FileSpec) -> Self {
        Self { path: file.path.trim_start_matches('/'), content: &file.content, access: file.access }
    }
}

/// Packs files, with the folders above them, in the order given: what names other files should come last. Each file has
/// a date made from its content, by which it is known again without being read.
pub fn pack<'a>(entries: impl IntoIterator<Item = Entry<'a>>) -> Result<Vec<u8>> {
    let failed = |error: std::io::Error| Error::new(Code::Io, "could not pack files").cause(error.to_string());
    let mut builder = tar::Builder::new(Vec::new());
    let mut folders = BTreeSet::new();
    for entry in entries {
        for (index, _) in entry.path.match_indices('/') {
            let folder = &entry.path[..=index];
            if folders.insert(folder.to_owned()) {
                let mut header = header((0, 0, 0o755), 0, 0);
                header.set_entry_type(tar::EntryType::Directory);
                builder.append_data(&mut header, folder, std::io::empty()).map_err(failed)?;
            }
        }
        let mut header = header(entry.access.owner_and_mode(), entry.content.len() as u64, stamp(entry.content));
        builder.append_data(&mut header, entry.path, entry.content).map_err(failed)?;
    }
    builder.into_inner().map_err(failed)
}

/// Packs one public file whose text is written straight into the archive: a large one is in memory once.
pub fn pack_text(path: &str, write: impl FnOnce(&mut String)) -> Result<Vec<u8>> {
    let failed = |error: std::io::Error| Error::new(Code::Io, "could not pack files").cause(error.to_string());
    let mut text = "\0".repeat(BLOCK);
    write(&mut text);
    let size = text.len() - BLOCK;
    let mut header = header(Access::Public.owner_and_mode(), size as u64, 0);
    header.set_path(path).map_err(failed)?;
    header.set_cksum();
    let mut archive = text.into_bytes();
    archive[..BLOCK].copy_from_slice(header.as_bytes());
    // The last block is filled up, and two empty ones are the end.
    archive.resize((archive.len().div_ceil(BLOCK) + 2) * BLOCK, 0);
    Ok(archive)
}

/// Headers and contents of an archive begin at multiples of this, in bytes.
const BLOCK: usize = 512;

fn header((uid, gid, mode): (u64, u64, u32), size: u64, date: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_mtime(date);
    header.set_uid(uid);
    header.set_gid(gid);
    header.set_mode(mode);
    header.set_size(size);
    header
}

/// The files of an archive of folder `folder` (absolute), by absolute path.
pub fn unpack(bytes: &[u8], folder: &str) -> Result<BTreeMap<String, FileState>> {
    let failed = |error: std::io::Error| {
        Error::new(Code::EngineFailed, format!("could not read `{folder}` back from the container"))
            .cause(error.to_string())
    };
    let mut files = BTreeMap::new();
    for entry in tar::Archive::new(bytes).entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let (uid, gid, mode) = (
            entry.header().uid().map_err(failed)?,
            entry.header().gid().map_err(failed)?,
            entry.header().mode().map_err(failed)? & 0o7777,
        );
        let path = entry.path().map_err(failed)?.to_string_lossy().into_owned();
        // The archive's own root is the last part of the folder's name.
        let Some((_, below)) = path.split_once('/') else { continue };
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(failed)?;
        files.insert(
            format!("{folder}/{below}"),
            FileState { digest: digest(&content), owner: (uid, gid, mode), content },
        );
    }
    Ok(files)
}

/// SHA-256 in hex.
#[must_use]
pub fn digest(content: &[u8]) -> String {
    Sha256::digest(content).iter().fold(String::with_capacity(64), |hex, byte| hex + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_read_back_with_owner_and_mode() {
        let secret = Access::Secret { uid: 472, gid: 0 };
        let bytes = pack([
            Entry { path: "rules/a.yml", content: b"a", access: Access::Public },
            Entry { path: "rules/b.yml", content: b"", access: secret },
        ])
        .unwrap();
        // The engine's answer has the folder's own name in front; packing below it makes the same shape.
        let files = unpack(&bytes, "/etc/prometheus").unwrap();
        let a = &files["/etc/prometheus/a.yml"];
        assert_eq!((a.content.as_slice(), a.owner), (b"a".as_slice(), (0, 0, 0o644)));
        assert_eq!(files["/etc/prometheus/b.yml"].owner, (472, 0, 0o400));
    }

    #[test]
    fn a_text_is_packed_without_a_copy() {
        for length in [0, 1, 512, 513] {
            let content = "x".repeat(length);
            let bytes = pack_text("demo/a.om", |text| text.push_str(&content)).unwrap();
            let files = unpack(&bytes, "/demo").unwrap();
            assert_eq!((files.len(), files["/demo/a.om"].content.len()), (1, length));
            assert_eq!(files["/demo/a.om"].owner, (0, 0, 0o644));
        }
    }

    #[test]
    fn a_torn_archive_is_an_error_and_not_fewer_files() {
        let bytes = pack([Entry { path: "x/a", content: &[7; 2000], access: Access::Public }]).unwrap();
        assert!(unpack(&bytes[..1800], "/x").is_err());
    }
}
