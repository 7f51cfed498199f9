//! What a container, its files and its volumes should be: plain values, compared and printed but never performed here.

use serde::{Deserialize, Serialize};

use crate::component::Component;
use crate::docker::archive::digest;

/// One component of the desired stack.
#[derive(Debug, Clone, PartialEq)]
pub struct ComponentSpec {
    /// Which server this is.
    pub component: Component,
    /// The container; its JSON is kept in a label, so a difference can be named.
    pub container: ContainerSpec,
    /// Files to be delivered before the server starts.
    pub files: Vec<FileSpec>,
    /// Secrets that are made once, on the first `up`, and never changed silently.
    pub generated: Vec<GeneratedSecret>,
    /// The path that answers 200 once the server serves.
    pub ready_path: &'static str,
    /// How a change of files alone reaches the running server; `None`: it has no files.
    pub reload: Option<Reload>,
    /// A command of the image that checks the user's part of the files before they are used.
    pub check: Option<Check>,
}

/// How a server is made to read its files again, and how it proves that it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reload {
    /// What its reload metrics start with: `<prefix>_config_last_reload_successful`.
    pub metrics: &'static str,
    /// The main file.
    pub main_file: &'static str,
    /// The path of its API that answers with the configuration it runs.
    pub running_path: &'static str,
    /// Where the YAML is in that answer, as a JSON pointer.
    pub running_pointer: &'static str,
    /// The marker beside the main file that holds the fingerprint of the files which the server has read.
    pub marker: &'static str,
}

/// A command that checks delivered files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Entrypoint and arguments.
    pub command: Vec<String>,
    /// For messages: path in the container and the user's own file.
    pub names: Vec<(String, String)>,
    /// The parts that the user wrote in the server's own notation, to find the one that is refused.
    pub fragments: Vec<Fragment>,
}

/// A part of the user's, alone in a file that would be good without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment {
    /// Where the user wrote it: file, line and column.
    pub place: String,
    /// Which delivered file it takes the place of.
    pub path: String,
    /// The file with nothing else of the user's.
    pub content: Vec<u8>,
}

impl ComponentSpec {
    /// One value for all files together, to tell whether a server has read exactly these.
    #[must_use]
    pub fn files_fingerprint(&self) -> String {
        let mut digests: Vec<String> =
            self.files.iter().map(|file| format!("{} {}\n", digest(&file.content), file.path)).collect();
        digests.sort();
        digest(digests.concat().as_bytes())
    }

    /// Where this host reaches it.
    #[must_use]
    pub fn url(&self) -> String {
        self.container.port.url()
    }

    /// The volume mounted at a path, if any.
    #[must_use]
    pub fn volume(&self, kind: VolumeKind) -> Option<&VolumeMount> {
        self.container.volumes.iter().find(|volume| volume.kind == kind)
    }
}

/// Everything that can only be changed by replacing the container.
///
/// Serialised into a label of the container: adding a field with a default keeps old labels readable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerSpec {
    /// Container name, unique on the engine.
    pub name: String,
    /// Image reference.
    pub image: String,
    /// Arguments that replace the image's own.
    pub command: Vec<String>,
    /// `NAME=value`, never a secret.
    pub environment: Vec<String>,
    /// `uid:gid` the server runs as.
    pub user: String,
    /// The one published port.
    pub port: Port,
    /// Named volumes.
    pub volumes: Vec<VolumeMount>,
    /// Whether the root file system is read-only; `/tmp` is a tmpfs in any case.
    pub read_only: bool,
    /// Memory limit in bytes, swap included.
    pub memory: u64,
    /// Largest number of processes and threads.
    pub pids: i64,
    /// Seconds between SIGTERM and SIGKILL.
    pub stop_timeout: i64,
    /// `name:address` lines for `/etc/hosts`.
    pub extra_hosts: Vec<String>,
}

impl ContainerSpec {
    /// The first difference to `running`, for the cause of a replacement; `None` when they are equal.
    #[must_use]
    pub fn difference(&self, running: &Self) -> Option<String> {
        if self == running {
            return None;
        }
        if self.image != running.image {
            return Some(format!("image changed: {} → {}", running.image, self.image));
        }
        if self.port != running.port {
            return Some(format!("port changed: {} → {}", running.port.host_address(), self.port.host_address()));
        }
        if self.memory != running.memory {
            return Some(format!("memory changed: {} → {} bytes", running.memory, self.memory));
        }
        for (what, ours, theirs) in
            [("command", &self.command, &running.command), ("environment", &self.environment, &running.environment)]
        {
            let gone = theirs.iter().find(|line| !ours.contains(line));
            let new = ours.iter().find(|line| !theirs.contains(line));
            match (gone, new) {
                (Some(gone), Some(new)) => return Some(format!("{what} changed: {gone} → {new}")),
                (Some(gone), None) => return Some(format!("{what} changed: without {gone}")),
                (None, Some(new)) => return Some(format!("{what} changed: with {new}")),
                (None, None) => {}
            }
        }
        Some("container settings changed".to_owned())
    }
}

/// A published port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// Host address it is bound to.
    pub bind: std::net::IpAddr,
    /// Host port.
    pub host: u16,
    /// Port the server listens on.
    pub container: u16,
}

impl Port {
    /// `address:port` on the host, an IPv6 address in brackets.
    #[must_use]
    pub fn host_address(&self) -> String {
        std::net::SocketAddr::new(self.bind, self.host).to_string()
    }

    /// Where this host reaches it: an unspecified address is reached on loopback.
    #[must_use]
    pub fn url(&self) -> String {
        let reachable = match self.bind {
            std::net::IpAddr::V4(ip) if ip.is_unspecified() => std::net::Ipv4Addr::LOCALHOST.into(),
            std::net::IpAddr::V6(ip) if ip.is_unspecified() => std::net::Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        format!("http://{}", std::net::SocketAddr::new(reachable, self.host))
    }
}

/// What a volume is for; decides how it is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VolumeKind {
    /// Written by us, owned by root, readable by the server.
    Config,
    /// Written by us, each file 0400 and owned by the server's user.
    Secrets,
    /// Written by the server; starts as the image's own folder, with its owner.
    Data,
}

impl VolumeKind {
    /// The last part of the volume's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Secrets => "secrets",
            Self::Data => "data",
        }
    }
}

/// A named volume at a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeMount {
    /// Volume name, unique on the engine.
    pub name: String,
    /// What it is for.
    pub kind: VolumeKind,
    /// Where it is mounted.
    pub path: String,
}

/// A file to be delivered.
#[derive(Clone, PartialEq, Eq)]
pub struct FileSpec {
    /// Absolute path in the container, below a config or secrets volume.
    pub path: String,
    /// The bytes.
    pub content: Vec<u8>,
    /// Owner and mode.
    pub access: Access,
}

impl std::fmt::Debug for FileSpec {
    /// Never shows the content: it may be a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} bytes, {:?})", self.path, self.content.len(), self.access)
    }
}

/// Who may read a delivered file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Owned by root, 0644.
    Public,
    /// Owned by the server's user, 0400.
    Secret {
        /// The server's user id.
        uid: u64,
        /// The server's group id.
        gid: u64,
    },
}

impl Access {
    /// `(uid, gid, mode)` for the tar header.
    #[must_use]
    pub const fn owner_and_mode(self) -> (u64, u64, u32) {
        match self {
            Self::Public => (0, 0, 0o644),
            Self::Secret { uid, gid } => (uid, gid, 0o400),
        }
    }
}

/// A secret that moko-mon makes from the operating system's random numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedSecret {
    /// Absolute path in the container.
    pub path: String,
    /// Owner and mode.
    pub access: Access,
}
