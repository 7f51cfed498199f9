//! What a running Alertmanager says through its HTTP API, version 2.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Answer, Http, Server, TOTAL_TIMEOUT};
use crate::error::Result;
use crate::exposition::read::{Family, samples};

mod changes;

pub use changes::Fired;

/// An Alertmanager at an address.
#[derive(Debug, Clone)]
pub struct Alertmanager {
    server: Server,
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
    /// The names of the time intervals that mute it. Only [`Alertmanager::groups`] tells.
    #[serde(default)]
    pub muted_by: Vec<String>,
}

/// Alerts that are told together.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Group {
    /// Who is told of them.
    pub receiver: Receiver,
    /// The alerts.
    pub alerts: Vec<Alert>,
}

/// A silence: who wants to be told nothing of which alerts, until when and why.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Silence {
    /// Its id.
    pub id: String,
    /// Which alerts it is about.
    #[serde(default)]
    pub matchers: Vec<SilenceMatcher>,
    /// When it begins, RFC 3339.
    #[serde(default)]
    pub starts_at: String,
    /// Whether it is `pending`, `active` or `expired`.
    #[serde(default)]
    pub status: SilenceStatus,
    /// When it ends, RFC 3339.
    pub ends_at: String,
    /// Who made it.
    #[serde(default)]
    pub created_by: String,
    /// Why.
    #[serde(default)]
    pub comment: String,
}

/// Whether a silence goes on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct SilenceStatus {
    /// `pending`, `active` or `expired`.
    pub state: String,
}

/// One condition of a silence.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SilenceMatcher {
    /// The label.
    pub name: String,
    /// Its value, or a pattern that it has to fit as a whole.
    pub value: String,
    /// Whether it is a pattern.
    pub is_regex: bool,
    /// Whether it has to be so, and not otherwise.
    #[serde(default = "yes")]
    pub is_equal: bool,
}

/// Versions that do not tell know no other.
const fn yes() -> bool {
    true
}

/// How often a kind of integration, such as `webhook`, was called since the server started.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Calls {
    /// Notifications that were begun; each makes at least one call, which counts when it has ended.
    pub begun: f64,
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
    /// The server at `url`, asked by nobody in particular.
    #[must_use]
    pub fn new(http: &Http, url: &str) -> Self {
        Self { server: Server::new(http, url, TOTAL_TIMEOUT) }
    }

    /// That server: with its path prefix, its login and its limit of time.
    #[must_use]
    pub fn at(server: &Server) -> Self {
        Self { server: server.clone() }
    }

    /// All alerts that have not been resolved, the quiet ones among them.
    pub async fn alerts(&self) -> Result<Vec<Alert>> {
        self.alerts_with(&[]).await
    }

    /// Those of all alerts that fit these matchers.
    pub async fn alerts_with(&self, matchers: &[String]) -> Result<Vec<Alert>> {
        let filters: Vec<(&str, &str)> = matchers.iter().map(|matcher| ("filter", matcher.as_str())).collect();
        let answer = self.server.get("/api/v2/alerts", &filters).await?;
        if answer.is_success() { answer.json() } else { Err(answer.unexpected()) }
    }

    /// All alerts by receiver; one that several routes take is in several groups.
    pub async fn groups(&self) -> Result<Vec<Group>> {
        let answer = self.server.get("/api/v2/alerts/groups", &[]).await?;
        if answer.is_success() { answer.json() } else { Err(answer.unexpected()) }
    }

    /// All silences, those that have ended among them.
    pub async fn silences(&self) -> Result<Vec<Silence>> {
        let answer = self.server.get("/api/v2/silences", &[]).await?;
        if answer.is_success() { answer.json() } else { Err(answer.unexpected()) }
    }

    /// Its own metrics.
    pub async fn metrics(&self) -> Result<Answer> {
        let answer = self.server.get("/metrics", &[]).await?;
        if answer.is_success() { Ok(answer) } else { Err(answer.unexpected()) }
    }

    /// The configuration that it runs, as YAML, in which secrets are blanked out; and when it was started, RFC 3339.
    pub async fn status(&self) -> Result<(String, String)> {
        #[derive(Deserialize)]
        struct Status {
            config: Original,
            uptime: String,
        }
        #[derive(Deserialize)]
        struct Original {
            original: String,
        }
        let answer = self.server.get("/api/v2/status", &[]).await?;
        if !answer.is_success() {
            return Err(answer.unexpected());
        }
        let status: Status = answer.json()?;
        Ok((status.config.original, status.uptime))
    }

    /// The configuration that it runs, as YAML; secrets are blanked out.
    pub async fn configuration(&self) -> Result<String> {
        Ok(self.status().await?.0)
    }

    /// The calls of its integrations, by their kind.
    ///
    /// Counted are requests: `alertmanager_notifications_total` grows when a notification is begun, and its failures
    /// only when the last try was given up.
    pub async fn calls(&self) -> Result<BTreeMap<String, Calls>> {
        Ok(calls(&self.metrics().await?.metrics()?, None))
    }
}

/// Picks the calls from Alertmanager's metrics. Where it tells receivers apart, they are added up, or only this one
/// counts.
#[must_use]
pub fn calls(metrics: &[Family<'_>], receiver: Option<&str>) -> BTreeMap<String, Calls> {
    let mut calls: BTreeMap<String, Calls> = BTreeMap::new();
    for sample in samples(metrics) {
        let Some(what) = sample.name.strip_prefix("alertmanager_notification") else { continue };
        if !["s_total", "_requests_total", "_requests_failed_total"].contains(&what) {
            continue;
        }
        let is_another = |of: &str| receiver.is_some_and(|receiver| receiver != of);
        if sample.label("receiver_name").is_some_and(is_another) {
            continue;
        }
        let of = calls.entry(sample.label("integration").unwrap_or_default().to_owned()).or_default();
        match what {
            "s_total" => of.begun += sample.value,
            "_requests_total" => of.all += sample.value,
            _ => of.failed += sample.value,
        }
    }
    calls
}

/// The notifications of a receiver that failed for good, by integration: how many, by the reasons that Alertmanager knows.
#[must_use]
pub fn given_up(metrics: &[Family<'_>], receiver: &str) -> BTreeMap<String, BTreeMap<String, f64>> {
    let mut all: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
    let of_receiver = samples(metrics).filter(|sample| sample.label("receiver_name") == Some(receiver));
    for sample in of_receiver.filter(|sample| sample.name == "alertmanager_notifications_failed_total") {
        let label = |name| sample.label(name).unwrap_or_default().to_owned();
        *all.entry(label("integration")).or_default().entry(label("reason")).or_default() += sample.value;
    }
    all
}

/// Whether the counts of notifications are told by receiver, which is a feature to be switched on.
#[must_use]
pub fn tells_receivers_apart(metrics: &[Family<'_>]) -> bool {
    let mut counts = samples(metrics).filter(|sample| sample.name == "alertmanager_notifications_total");
    counts.any(|sample| sample.label("receiver_name").is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposition::read::parse;

    #[test]
    fn calls_are_added_up_by_integration() {
        let page = "# TYPE alertmanager_notification_requests_total counter\n\
                    alertmanager_notifications_total{integration=\"webhook\"} 4\n\
                    alertmanager_notification_requests_total{integration=\"webhook\"} 3\n\
                    alertmanager_notification_requests_total{integration=\"email\",receiver_name=\"a\"} 1\n\
                    alertmanager_notification_requests_total{integration=\"email\",receiver_name=\"b, {\"} 2\n\
                    alertmanager_notification_requests_failed_total{integration=\"email\",receiver_name=\"b, {\"} 2\n";
        let metrics = parse(page).unwrap();
        let all = calls(&metrics, None);
        assert_eq!((all["webhook"].begun, all["webhook"].all), (4.0, 3.0));
        assert_eq!((all["webhook"].successful(), all["email"].successful(), all["email"].failed), (3.0, 1.0, 2.0));
        let one = calls(&metrics, Some("a"));
        assert_eq!((one["webhook"].all, one["email"].all, one["email"].failed), (3.0, 1.0, 0.0));
    }
}
