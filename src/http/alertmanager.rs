//! What a running Alertmanager says through its HTTP API, version 2.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Http;
use crate::error::Result;

/// An Alertmanager at an address.
#[derive(Debug, Clone)]
pub struct Alertmanager {
    http: Http,
    url: String,
}

/// An alert that Alertmanager holds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// All labels, `alertname` among them.
    pub labels: BTreeMap<String, String>,
    /// Its texts.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    /// Names the same alert over time.
    pub fingerprint: String,
    /// Since when it fires, RFC 3339.
    pub starts_at: String,
    /// The receivers that its routes lead to.
    #[serde(default)]
    pub receivers: Vec<Receiver>,
    /// Whether people are told of it.
    pub status: AlertStatus,
}

/// A receiver, by name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Receiver {
    /// The name in the configuration.
    pub name: String,
}

/// Whether people are told of an alert.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertStatus {
    /// `unprocessed`, `active` or `suppressed`.
    pub state: String,
    /// The ids of the silences that keep it quiet.
    #[serde(default)]
    pub silenced_by: Vec<String>,
    /// The fingerprints of the alerts that keep it quiet.
    #[serde(default)]
    pub inhibited_by: Vec<String>,
}

impl Alertmanager {
    /// The server at `url`, which has no trailing slash.
    #[must_use]
    pub fn new(http: &Http, url: &str) -> Self {
        Self { http: http.clone(), url: url.to_owned() }
    }

    /// All alerts that have not been resolved, the quiet ones among them.
    pub async fn alerts(&self) -> Result<Vec<Alert>> {
        let answer = self.http.get(&format!("{}/api/v2/alerts", self.url), None).await?;
        if answer.is_success() { answer.json() } else { Err(answer.unexpected()) }
    }
}
