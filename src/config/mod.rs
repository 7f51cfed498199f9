//! The settings: what they are, where each came from, and what is wrong with them.
//!
//! `defaults < moko-mon.yaml < MOKO_MON_* < flags`. The on-disk shape, the environment names, the JSON Schema and
//! the commented starting file all come from one table, `schema`. Everything wrong is reported at once, each
//! problem with its place.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;

use crate::alerting::{Heartbeat, Notify, OwnRoute, Receiver};
use crate::component::Component;
use crate::jobs::Job;

mod address;
mod build;
mod checks;
mod dashboards;
mod decode;
mod duration;
mod files;
mod foreign;
mod init;
mod integrations;
mod jobs;
mod json_schema;
mod layers;
pub(crate) mod names;
mod notify;
mod problem;
mod push;
mod receivers;
mod resolve;
mod routing;
mod rules;
mod scalar;
mod schema;
mod secrets;
mod shape;
mod size;
mod thresholds;

pub use checks::{CustomCheck, Expectation, Severity};
pub use duration::PromDuration;
pub(crate) use files::{Search, read as read_file};
pub use init::starting_file;
pub use json_schema::json_schema;
pub(crate) use names::{did_you_mean, is_label, list, quote};
pub use problem::{Place, Problem, Problems};
pub use push::{Push, PushSettings, push};
pub use resolve::{FILE_NAME, FILE_VARIABLE, Origin, Resolved, Setting, Sources, defaults, project, resolve};
pub(crate) use secrets::files_below;
pub use thresholds::*;

/// All settings, valid: ports are distinct and above 0, names fit Docker, durations fit Prometheus.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The name that scopes the stack on an engine; prefix of every object's name.
    pub project: String,
    /// The host address on which ports are published.
    pub bind: IpAddr,
    /// Where images come from.
    pub images: Images,
    /// Settings of Prometheus.
    pub prometheus: Prometheus,
    /// Settings of Alertmanager.
    pub alertmanager: Alertmanager,
    /// Settings of the Pushgateway.
    pub pushgateway: Server,
    /// Settings of Grafana.
    pub grafana: Grafana,
    /// The user's scrape targets.
    pub targets: Vec<Target>,
    /// The built-in rules.
    pub rules: Rules,
    /// The user's rule files, read and checked for shape; names are unique.
    pub extra_rules: Vec<UserFile>,
    /// Who can be told of alerts; names are unique.
    pub receivers: Vec<Receiver>,
    /// Who is told of what; every receiver in it is there.
    pub notify: Notify,
    /// Routes that come before `notify`; every receiver in them is there.
    pub routes: Vec<OwnRoute>,
    /// The dead man's switch.
    pub heartbeat: Option<Heartbeat>,
    /// Where totals of scripts are kept and published.
    pub push: Push,
    /// The jobs that should run; names are unique.
    pub jobs: Vec<Job>,
    /// The user's own checks; names are unique.
    pub checks: Vec<CustomCheck>,
}

/// Settings of the built-in rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// Alerts that are switched off, by name; each is one of [`crate::rules::ALERTS`] or of
    /// [`crate::jobs::ALERTS`].
    pub disabled: BTreeSet<String>,
    /// Where the runbooks are, without a trailing slash.
    pub runbooks: String,
    /// The numbers in the rules.
    pub thresholds: Thresholds,
}

/// What every component has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The host port, 1 to 65535.
    pub port: u16,
    /// The image reference as configured, without `images.registry`; `None`: the pinned one.
    pub image: Option<String>,
    /// The memory limit in bytes.
    pub memory: u64,
}

/// Settings of Prometheus.
#[derive(Debug, Clone, PartialEq)]
pub struct Prometheus {
    /// Port, image, memory.
    pub server: Server,
    /// `global.scrape_interval`.
    pub scrape_interval: PromDuration,
    /// `global.evaluation_interval`.
    pub evaluation_interval: PromDuration,
    /// How long samples are kept.
    pub retention_time: PromDuration,
    /// How many bytes of blocks are kept, in Prometheus' notation (`10GB`, powers of two).
    pub retention_size: String,
    /// Labels for every series and alert that leaves this Prometheus.
    pub external_labels: BTreeMap<String, String>,
    /// `remote_write` entries, passed on as they are; every `*_file` in them is listed in `remote_write_secrets`.
    pub remote_write: Vec<serde_json::Value>,
    /// Files that `remote_write` refers to, to be delivered to the secrets volume: the value in `remote_write`
    /// already is the name below that volume; [`Self::remote_write_below`] puts the folder in front.
    pub remote_write_secrets: Vec<UserFile>,
}

/// Settings of Alertmanager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alertmanager {
    /// Port, image, memory.
    pub server: Server,
    /// Where people reach it, without a trailing slash; `None`: where it is published.
    pub external_url: Option<String>,
}

/// Settings of Grafana.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grafana {
    /// Whether the stack has a Grafana at all.
    pub enabled: bool,
    /// Port, image, memory.
    pub server: Server,
    /// Where people reach it, without a trailing slash; `None`: where it is published.
    pub external_url: Option<String>,
    /// The user's dashboards: valid JSON objects with a title.
    pub dashboards: Vec<UserFile>,
}

/// Where images come from.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Images {
    /// Mirror prefix for all four images, without a trailing slash.
    pub registry: Option<String>,
    /// When to pull.
    pub pull: Pull,
}

/// When an image is pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pull {
    /// When it is not there.
    Missing,
    /// At every `up`.
    Always,
    /// Never: a missing image is an error.
    Never,
}

/// One scrape target of the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// `job_name`; several targets may share one.
    pub job: String,
    /// `host:port` as the user wrote it, without scheme and path; becomes the `instance` label.
    pub address: String,
    /// `http` or `https`.
    pub scheme: String,
    /// Path of the metrics, with its leading slash.
    pub metrics_path: String,
    /// Extra labels.
    pub labels: BTreeMap<String, String>,
    /// How to log in, if the target asks for it.
    pub auth: Option<TargetAuth>,
}

/// How Prometheus logs in to a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetAuth {
    /// HTTP basic authentication, password from a file.
    Basic {
        /// User name.
        username: String,
        /// The password, trailing line break removed.
        password: UserFile,
    },
    /// `Authorization: Bearer`, token from a file.
    Bearer {
        /// The token, trailing line break removed.
        token: UserFile,
    },
}

impl TargetAuth {
    /// The password or token.
    #[must_use]
    pub const fn secret(&self) -> &UserFile {
        match self {
            Self::Basic { password: secret, .. } | Self::Bearer { token: secret } => secret,
        }
    }
}

/// A file of the user, read once when the configuration was resolved.
#[derive(Clone, PartialEq, Eq)]
pub struct UserFile {
    /// Where it was read.
    pub path: PathBuf,
    /// File name for use in a container, unique among its kind.
    pub name: String,
    /// Its bytes.
    pub content: Vec<u8>,
}

impl std::fmt::Debug for UserFile {
    /// Shows where the file is and how long, never its content: it may be a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "UserFile({}, {} bytes)", self.path.display(), self.content.len())
    }
}

impl Config {
    /// The settings that every component has.
    #[must_use]
    pub const fn server(&self, component: Component) -> &Server {
        match component {
            Component::Prometheus => &self.prometheus.server,
            Component::Alertmanager => &self.alertmanager.server,
            Component::Pushgateway => &self.pushgateway,
            Component::Grafana => &self.grafana.server,
        }
    }

    /// The components that this configuration asks for, in the order of [`Component::ALL`].
    pub fn components(&self) -> impl Iterator<Item = Component> {
        let grafana = self.grafana.enabled;
        Component::ALL.into_iter().filter(move |component| grafana || *component != Component::Grafana)
    }
}

#[cfg(test)]
mod tests;
