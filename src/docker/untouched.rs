//! Whether delivered files are still as they were delivered, without reading them.
//!
//! To send a folder the engine starts a process of its own, which takes 70 ms on a small machine; to describe one path
//! takes 2 ms. So every delivered file carries a date made from its content: size, mode and date together say that the
//! content is there and that nobody has written to the file since. Where anything is different, and where an engine
//! does not keep dates, the folder is read.

use std::collections::BTreeMap;

use bollard::query_parameters::ContainerArchiveInfoOptionsBuilder;
use futures_util::future::join_all;
use sha2::{Digest, Sha256};

use super::Docker;
use super::archive::digest;
use crate::observed::{Container, FileState};
use crate::stack::{Access, ComponentSpec, FileSpec, Stack};

/// With more files than this, reading the folder is no slower.
const FEW: usize = 16;

impl Docker {
    /// What a container has in its config and secrets volumes, if that is exactly what the stack wants there.
    pub(super) async fn untouched(&self, stack: &Stack, container: &Container) -> Option<BTreeMap<String, FileState>> {
        let spec = stack.get(container.component?)?;
        let files = with_marker(spec)?;
        if container.spec.as_ref() != Some(&spec.container) || files.len() > FEW {
            return None;
        }
        let looks = join_all(files.iter().map(|file| self.looks_like(&container.id, file))).await;
        looks.into_iter().all(|same| same).then(|| files.into_iter().map(state).collect())
    }

    /// Whether size, mode and date of a file are those of its delivery.
    async fn looks_like(&self, id: &str, file: &FileSpec) -> bool {
        let options = ContainerArchiveInfoOptionsBuilder::default().path(&file.path).build();
        let asked = self.inner.get_container_archive_info(id, Some(options));
        let Some(Ok(found)) = super::within(super::limit::READ, asked).await else { return false };
        usize::try_from(found.size) == Ok(file.content.len())
            // The upper bits are the kind of file; none of them is set for a regular one.
            && found.file_mode == file.access.owner_and_mode().2
            && found.modification_time.as_deref().and_then(seconds) == Some(stamp(&file.content))
    }
}

/// Everything that is delivered, and the marker that comes last: it also says that nothing else is in the volumes.
/// `None` where something is generated, which has to be read.
fn with_marker(spec: &ComponentSpec) -> Option<Vec<FileSpec>> {
    let reload = spec.reload.filter(|_| spec.generated.is_empty())?;
    let content = spec.files_fingerprint().into_bytes();
    let marker = FileSpec { path: reload.marker.to_owned(), content, access: Access::Public };
    Some(spec.files.iter().cloned().chain(std::iter::once(marker)).collect())
}

fn state(file: FileSpec) -> (String, FileState) {
    let owner = file.access.owner_and_mode();
    (file.path, FileState { digest: digest(&file.content), owner, content: file.content })
}

/// The date of a file with this content: 31 bits, because some file systems keep no more. In seconds since 1970.
#[must_use]
pub(super) fn stamp(content: &[u8]) -> u64 {
    let digest = Sha256::digest(content);
    let bits = digest.iter().take(4).fold(0, |bits, byte| bits << 8 | u64::from(*byte));
    bits >> 1
}

/// Seconds since 1970 of a date in the engine's notation, in whatever time zone: `2026-11-23T13:00:38.5+01:00`.
fn seconds(date: &str) -> Option<u64> {
    u64::try_from(date.parse::<jiff::Timestamp>().ok()?.as_second()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_s_dates_are_read_in_any_time_zone() {
        for (date, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2000-02-29T23:59:59Z", Some(951_868_799)),
            ("2026-11-23T13:00:38.836740809Z", Some(1_795_438_838)),
            ("2026-11-23T14:00:38.5+01:00", Some(1_795_438_838)),
            ("2026-11-23T07:30:38-05:30", Some(1_795_438_838)),
            ("2038-01-19T03:14:07Z", Some((1 << 31) - 1)),
            ("1969-12-31T23:59:59Z", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(seconds(date), expected, "{date}");
        }
    }

    #[test]
    fn another_content_has_another_date_that_every_file_system_keeps() {
        assert_ne!(stamp(b"a"), stamp(b"b"));
        assert!((0_u8..=255).all(|byte| stamp(&[byte]) < 1 << 31));
    }
}
