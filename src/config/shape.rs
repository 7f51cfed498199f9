//! The settings as typed values: what the table's checked values become.
//!
//! Every field has a counterpart in [`super::schema::SETTINGS`]; a test keeps the two equal.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::duration::PromDuration;
use super::notify::{Heartbeat, Notify};
use super::receivers::Receiver;
use super::size::Memory;
use super::thresholds::Thresholds;
use super::{Images, Push, Server};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) project: String,
    pub(crate) bind: IpAddr,
    pub(crate) images: Images,
    pub(crate) prometheus: Prometheus,
    pub(crate) alertmanager: Alertmanager,
    pub(crate) pushgateway: Common,
    pub(crate) grafana: Grafana,
    pub(crate) targets: Vec<Nullable<Target>>,
    pub(crate) rules: Rules,
    pub(crate) receivers: Vec<Nullable<Receiver>>,
    pub(crate) notify: Notify,
    pub(crate) routes: Vec<Value>,
    pub(crate) heartbeat: Heartbeat,
    pub(crate) push: Push,
    pub(crate) jobs: Vec<Nullable<Job>>,
    pub(crate) checks: Vec<Nullable<Check>>,
}

/// A job; a field that was wrong is empty here and has been reported.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Job {
    pub(crate) name: String,
    pub(crate) schedule: Option<String>,
    pub(crate) every: Option<PromDuration>,
    pub(crate) timezone: Option<String>,
    pub(crate) grace: Option<PromDuration>,
    pub(crate) max_runtime: Option<PromDuration>,
    pub(crate) team: Option<String>,
    pub(crate) owner: Option<String>,
    pub(crate) severity: Option<String>,
    pub(crate) runbook: Option<String>,
    pub(crate) command: Option<Vec<Nullable<String>>>,
}

/// A check of the user; a field that was wrong is empty here and has been reported.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Check {
    pub(crate) name: String,
    pub(crate) expr: String,
    pub(crate) expect: String,
    pub(crate) message: Option<String>,
    pub(crate) severity: Option<String>,
}

/// What every component has.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Common {
    pub(crate) port: u16,
    pub(crate) image: Option<String>,
    pub(crate) memory: Memory,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Prometheus {
    pub(crate) port: u16,
    pub(crate) image: Option<String>,
    pub(crate) memory: Memory,
    pub(crate) scrape_interval: PromDuration,
    pub(crate) evaluation_interval: PromDuration,
    pub(crate) retention: Retention,
    pub(crate) external_labels: BTreeMap<String, String>,
    pub(crate) remote_write: Vec<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Retention {
    pub(crate) time: PromDuration,
    pub(crate) size: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Alertmanager {
    pub(crate) port: u16,
    pub(crate) image: Option<String>,
    pub(crate) memory: Memory,
    pub(crate) external_url: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Grafana {
    pub(crate) enabled: bool,
    pub(crate) port: u16,
    pub(crate) image: Option<String>,
    pub(crate) memory: Memory,
    pub(crate) external_url: Option<String>,
    pub(crate) dashboards: Vec<Nullable<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rules {
    pub(crate) extra: Vec<Nullable<String>>,
    pub(crate) disabled: Vec<Nullable<String>>,
    pub(crate) runbooks: String,
    pub(crate) thresholds: Thresholds,
}

/// A target; a field that was wrong is empty here and has been reported.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Target {
    pub(crate) job: String,
    pub(crate) address: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) metrics_path: Option<String>,
    pub(crate) scheme: Option<String>,
    pub(crate) basic_auth: Option<BasicAuth>,
    pub(crate) bearer_token_file: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct BasicAuth {
    pub(crate) username: String,
    pub(crate) password_file: String,
}

/// An item of a list; a wrong one was reported and is empty here, so that the others keep their number.
#[derive(Debug, Default)]
pub(crate) struct Nullable<T>(pub(crate) T);

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Nullable<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Option::deserialize(deserializer)?.unwrap_or_default()))
    }
}

impl From<Common> for Server {
    fn from(common: Common) -> Self {
        Self { port: common.port, image: common.image, memory: common.memory.0 }
    }
}
