//! Files in and out of containers, as tar archives.

use std::io::Read as _;

use base64::Engine as _;

use super::answer::{empty, no_such, refuse, respond};
use super::state::File;
use super::{Reply, State};

/// `PUT …/archive`.
pub(super) fn upload(state: &mut State, id: &str, folder: &str, body: &[u8]) -> Reply {
    let Some(container) = state.container(id) else { return no_such(id) };
    let target = container.volume_of(folder);
    let read_only = container.config["HostConfig"]["ReadonlyRootfs"] == true;
    if target.is_none() && read_only {
        return refuse(500, "container rootfs is marked read-only");
    }
    let mut files = Vec::new();
    for entry in tar::Archive::new(body).entries().unwrap() {
        let mut entry = entry.unwrap();
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = entry.path().unwrap().to_string_lossy().into_owned();
        let header = entry.header();
        let owner = (header.uid().unwrap(), header.gid().unwrap(), header.mode().unwrap());
        let date = header.mtime().unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        files.push((path, File { content, owner, date }));
    }
    if let Some((volume, below)) = target {
        let volume = state.volumes.get_mut(&volume).unwrap();
        let prefix = if below.is_empty() { String::new() } else { format!("{below}/") };
        volume.files.extend(files.into_iter().map(|(path, file)| (format!("{prefix}{path}"), file)));
    } else {
        let folder = folder.trim_end_matches('/');
        container.layer.extend(files.into_iter().map(|(path, file)| (format!("{folder}/{path}"), file)));
    }
    empty(200)
}

/// `HEAD …/archive`: what a file is like, in a header.
pub(super) fn describe(state: &mut State, id: &str, path: &str) -> Reply {
    let Some(file) = state.read(id, path) else { return empty(404) };
    let name = path.rsplit('/').next().unwrap_or_default();
    let stat = serde_json::json!({
        "name": name, "size": file.content.len(), "mode": file.owner.2, "mtime": date(file.date), "linkTarget": "",
    });
    let mut reply = empty(200);
    let stat = base64::engine::general_purpose::STANDARD.encode(stat.to_string());
    reply.headers_mut().insert("x-docker-container-path-stat", stat.parse().unwrap());
    reply
}

/// Seconds since 1970 in the engine's notation.
fn date(seconds: u64) -> String {
    let length =
        |year: u64| 365 + u64::from(year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)));
    let (mut year, mut days) = (1970, seconds / 86_400);
    while days >= length(year) {
        days -= length(year);
        year += 1;
    }
    let mut month = 1;
    for length in [31, length(year) - 337, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z", days + 1)
}

/// `GET …/archive`: the folder's own name is the first part of every path.
pub(super) fn download(state: &mut State, id: &str, folder: &str) -> Reply {
    let Some(container) = state.container(id) else { return no_such(id) };
    let Some((volume, below)) = container.volume_of(folder) else {
        let id = container.id.clone();
        return refuse(404, &format!("Could not find the file {folder} in container {id}"));
    };
    let root = folder.rsplit('/').next().unwrap_or_default();
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Directory);
    header.set_mode(0o755);
    header.set_size(0);
    builder.append_data(&mut header, format!("{root}/"), std::io::empty()).unwrap();
    for (path, file) in &state.volumes[&volume].files {
        let Some(path) = path.strip_prefix(&below) else { continue };
        let mut header = tar::Header::new_gnu();
        let (uid, gid, mode) = file.owner;
        header.set_uid(uid);
        header.set_gid(gid);
        header.set_mode(mode);
        header.set_size(file.content.len() as u64);
        let path = format!("{root}/{}", path.trim_start_matches('/'));
        builder.append_data(&mut header, path, file.content.as_slice()).unwrap();
    }
    respond(200, "application/x-tar", builder.into_inner().unwrap())
}

impl State {
    /// A file as a process in the container sees it.
    pub(crate) fn read(&mut self, id: &str, path: &str) -> Option<File> {
        let container = self.container(id)?;
        match container.volume_of(path) {
            Some((volume, below)) => self.volumes.get(&volume)?.files.get(&below).cloned(),
            None => container.layer.get(path).cloned(),
        }
    }
}
