//! What an engine holds.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use super::{Call, Fault, Pull};
use crate::support::servers::{Kind, Manner, Server};

/// The engine.
pub(crate) struct State {
    pub(crate) api_version: String,
    pub(crate) min_api_version: String,
    pub(crate) containers: Vec<Container>,
    pub(crate) networks: Vec<Network>,
    pub(crate) volumes: BTreeMap<String, Volume>,
    /// Image id by reference.
    pub(crate) images: BTreeMap<String, String>,
    /// How pulls of images go whose reference contains this text; others work.
    pub(crate) pulls: Vec<(String, Pull)>,
    /// Counted up, the registry has another build under every name.
    pub(crate) build: u32,
    /// How the servers behave that are started from now on.
    pub(crate) manners: BTreeMap<Kind, Manner>,
    /// Exit code and log of the next containers that check files.
    pub(crate) check: (i64, Vec<String>),
    /// The same for those whose command contains a text.
    pub(crate) checks: Vec<(&'static str, (i64, Vec<String>))>,
    /// What becomes of the rules that a Prometheus reads from its files before it tells of them.
    pub(crate) evaluate: fn(&mut Value),
    /// Whether Prometheus' storage has demo data.
    pub(crate) demo: bool,
    pub(crate) execs: Vec<Exec>,
    pub(crate) calls: Vec<Call>,
    pub(crate) faults: Vec<(String, usize, Fault)>,
    pub(crate) grafana_requests: Arc<Mutex<Vec<String>>>,
    serial: u32,
}

impl Default for State {
    fn default() -> Self {
        Self {
            api_version: "1.41".to_owned(),
            min_api_version: "1.12".to_owned(),
            containers: Vec::new(),
            networks: Vec::new(),
            volumes: BTreeMap::new(),
            images: BTreeMap::new(),
            pulls: Vec::new(),
            build: 1,
            manners: BTreeMap::new(),
            check: (0, vec!["SUCCESS: /etc/prometheus/prometheus.yml is valid".to_owned()]),
            checks: Vec::new(),
            evaluate: |_| (),
            demo: false,
            execs: Vec::new(),
            calls: Vec::new(),
            faults: Vec::new(),
            grafana_requests: Arc::default(),
            serial: 0,
        }
    }
}

/// A container.
pub(crate) struct Container {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The body of the create call.
    pub(crate) config: Value,
    pub(crate) image_id: String,
    pub(crate) status: Status,
    pub(crate) exit: Exit,
    pub(crate) restarts: i64,
    /// Files outside of volumes.
    pub(crate) layer: BTreeMap<String, File>,
    pub(crate) log: Vec<String>,
    pub(crate) followers: Vec<mpsc::UnboundedSender<String>>,
    pub(crate) server: Option<Server>,
}

/// How a container's last run ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct Exit {
    pub(crate) code: i64,
    pub(crate) oom: bool,
    pub(crate) error: String,
}

/// The engine's word for a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Created,
    Running,
    Paused,
    Restarting,
    Exited,
    Dead,
}

pub(crate) struct Network {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) labels: Value,
}

pub(crate) struct Volume {
    pub(crate) labels: Value,
    pub(crate) files: BTreeMap<String, File>,
    /// Where Grafana's stand-in keeps what it is told.
    pub(crate) disk: tempfile::TempDir,
}

/// A file in a volume or layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) content: Vec<u8>,
    pub(crate) owner: (u64, u64, u32),
    /// When it was written last, in seconds since 1970.
    pub(crate) date: u64,
}

pub(crate) struct Exec {
    pub(crate) id: String,
    pub(crate) container: String,
    pub(crate) command: Vec<String>,
    pub(crate) code: i64,
}

impl Status {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Exited => "exited",
            Self::Dead => "dead",
        }
    }
}

impl State {
    /// 64 hex digits, never the same twice.
    pub(crate) fn new_id(&mut self) -> String {
        self.serial += 1;
        hex(&format!("id {}", self.serial))
    }

    pub(crate) fn named(&mut self, name: &str) -> Option<&mut Container> {
        self.containers.iter_mut().find(|container| container.name == name)
    }

    /// A container by id, by the beginning of its id or by name.
    pub(crate) fn container(&mut self, key: &str) -> Option<&mut Container> {
        self.containers.iter_mut().find(|of| of.name == key || (key.len() >= 12 && of.id.starts_with(key)))
    }

    /// The fault that the call of this line meets, if any.
    pub(super) fn next_fault(&mut self, line: &str) -> Option<Fault> {
        let mut met = None;
        for (pattern, left, fault) in &mut self.faults {
            if *left > 0 && super::matches(pattern, line) {
                *left -= 1;
                if *left == 0 {
                    met = Some(fault.clone());
                }
            }
        }
        met
    }

    /// Adds an image, as `docker load` does.
    pub(crate) fn load(&mut self, reference: &str) {
        let id = format!("sha256:{}", hex(&format!("{reference} {}", self.build)));
        self.images.insert(reference.to_owned(), id);
    }

    /// Adds a volume.
    pub(crate) fn add_volume(&mut self, name: &str, labels: Value) {
        let disk = tempfile::tempdir().unwrap();
        self.volumes.insert(name.to_owned(), Volume { labels, files: BTreeMap::new(), disk });
    }

    /// Adds a network and returns its id.
    pub(crate) fn add_network(&mut self, name: &str, labels: Value) -> String {
        let id = self.new_id();
        self.networks.push(Network { id: id.clone(), name: name.to_owned(), labels });
        id
    }

    /// Adds a container as somebody else would make it, with a published port if one is given.
    pub(crate) fn add_foreign(&mut self, name: &str, status: Status, port: Option<u16>) {
        let bindings = port.map(|port| json!({"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": port.to_string()}]}));
        let config = json!({"Image": "busybox", "HostConfig": {"PortBindings": bindings}});
        self.add_container(name, config, status);
    }

    /// Adds a container with these labels, as an earlier or interrupted moko-mon has left it.
    pub(crate) fn add_own(&mut self, name: &str, labels: &Value) {
        self.add_container(name, json!({"Image": "busybox", "Labels": labels}), Status::Created);
    }

    pub(super) fn add_container(&mut self, name: &str, config: Value, status: Status) -> String {
        let id = self.new_id();
        let image_id = self.images.get(config["Image"].as_str().unwrap_or_default()).cloned().unwrap_or_default();
        self.containers.push(Container {
            id: id.clone(),
            name: name.to_owned(),
            config,
            image_id,
            status,
            exit: Exit::default(),
            restarts: 0,
            layer: BTreeMap::new(),
            log: Vec::new(),
            followers: Vec::new(),
            server: None,
        });
        id
    }

    /// Sets Grafana's password as a user does in Grafana itself.
    pub(crate) fn change_grafana_password(&self, password: &str) {
        let disk = self.volumes["moko-mon-grafana-data"].disk.path();
        crate::support::grafana_stand_in::reset_admin_password(disk, password).unwrap();
    }

    /// Everything there is, by kind and name, to see what a command has changed.
    pub(crate) fn inventory(&self) -> Vec<String> {
        let containers = self.containers.iter().map(|of| format!("container {} {}", of.name, of.status.word()));
        let networks = self.networks.iter().map(|of| format!("network {}", of.name));
        let volumes = self.volumes.keys().map(|name| format!("volume {name}"));
        let mut all: Vec<String> = containers.chain(networks).chain(volumes).collect();
        all.sort();
        all
    }
}

impl Container {
    /// Its name in the record; a container that only checks something has an engine-made one.
    pub(super) fn label(&self) -> String {
        if self.config["Labels"]["moko-mon.check"].is_string() { "CHECK".to_owned() } else { self.name.clone() }
    }

    /// The first published port: host address and port.
    pub(crate) fn port(&self) -> Option<(String, u16, u16)> {
        let (container, bindings) = self.config["HostConfig"]["PortBindings"].as_object()?.iter().next()?;
        let binding = bindings.as_array()?.first()?;
        let host = binding["HostPort"].as_str()?.parse().ok()?;
        Some((binding["HostIp"].as_str()?.to_owned(), host, container.split('/').next()?.parse().ok()?))
    }

    /// Volume name and path below it, if a path is in a volume.
    pub(crate) fn volume_of(&self, path: &str) -> Option<(String, String)> {
        self.mounts().into_iter().find_map(|(volume, target)| {
            let below = path.strip_prefix(&target)?;
            (below.is_empty() || below.starts_with('/')).then(|| (volume, below.trim_start_matches('/').to_owned()))
        })
    }

    /// Volume name and mount point.
    pub(super) fn mounts(&self) -> Vec<(String, String)> {
        let mounts = self.config["HostConfig"]["Mounts"].as_array();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        mounts.into_iter().flatten().map(|mount| (text(&mount["Source"]), text(&mount["Target"]))).collect()
    }

    /// Adds a line to the log.
    pub(crate) fn say(&mut self, line: &str) {
        self.log.push(line.to_owned());
        self.followers.retain(|follower| follower.send(line.to_owned()).is_ok());
    }
}

/// SHA-256 in hex.
pub(super) fn hex(text: &str) -> String {
    use std::fmt::Write as _;
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}
