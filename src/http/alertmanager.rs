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

/// How often a kind of integration, such as `webhook`, was called since the server started.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Calls {
    /// All calls.
    pub all: f64,
    /// Those that failed.
    pub failed: f64,
}

impl Calls {
    /// Those that succeeded.
    #[must_use]
    pub fn successful(self) -> f64 {
        self.all - self.failed
    }
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

    /// The configuration that it runs, as YAML; secrets are blanked out.
    pub async fn configuration(&self) -> Result<String> {
        #[derive(Deserialize)]
        struct Status {
            config: Original,
        }
        #[derive(Deserialize)]
        struct Original {
            original: String,
        }
        let answer = self.http.get(&format!("{}/api/v2/status", self.url), None).await?;
        if !answer.is_success() {
            return Err(answer.unexpected());
        }
        Ok(answer.json::<Status>()?.config.original)
    }

    /// The calls of its integrations, by their kind.
    ///
    /// Counted are requests: `alertmanager_notifications_total` grows when a notification is begun, and its failures
    /// only when the last try was given up.
    pub async fn calls(&self) -> Result<BTreeMap<String, Calls>> {
        let answer = self.http.get(&format!("{}/metrics", self.url), None).await?;
        if answer.is_success() { Ok(calls(&answer.body)) } else { Err(answer.unexpected()) }
    }
}

/// Reads the calls from a page of metrics; newer versions can tell receivers apart, which are added up.
fn calls(page: &str) -> BTreeMap<String, Calls> {
    let mut calls: BTreeMap<String, Calls> = BTreeMap::new();
    for line in page.lines() {
        let Some((name, rest)) = line.split_once('{') else { continue };
        let Some((labels, value)) = rest.rsplit_once('}') else { continue };
        let integration = labels.split(',').find_map(|label| label.strip_prefix("integration=\"")?.strip_suffix('"'));
        let (Some(integration), Ok(value)) = (integration, value.trim().parse::<f64>()) else { continue };
        let all = name == "alertmanager_notification_requests_total";
        if all || name == "alertmanager_notification_requests_failed_total" {
            let of = calls.entry(integration.to_owned()).or_default();
            *(if all { &mut of.all } else { &mut of.failed }) += value;
        }
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_added_up_by_integration() {
        let page = "# TYPE alertmanager_notification_requests_total counter\n\
                    alertmanager_notification_requests_total{integration=\"webhook\"} 3\n\
                    alertmanager_notification_requests_total{integration=\"email\",receiver_name=\"a\"} 1\n\
                    alertmanager_notification_requests_total{integration=\"email\",receiver_name=\"b\"} 2\n\
                    alertmanager_notification_requests_failed_total{integration=\"email\",receiver_name=\"b\"} 2\n";
        let calls = calls(page);
        assert_eq!(
            (calls["webhook"].successful(), calls["email"].successful(), calls["email"].failed),
            (3.0, 1.0, 2.0)
        );
    }
}
