//! Whom Alertmanager tells of an alert: its routes, its integrations, and what keeps it quiet.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::config::PromDuration;
use crate::error::{Code, Error, Result};
use crate::http::alertmanager::Alert;
use crate::yaml;

/// What the running configuration says of receivers and of waiting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routing {
    /// The kinds of integrations of each receiver, such as `webhook`.
    integrations: BTreeMap<String, Vec<String>>,
    /// The longest time that any route waits before it tells of a new group of alerts.
    pub group_wait: Duration,
    /// The longest time that any route waits before it tells of a new alert in a group that was told before.
    pub group_interval: Duration,
}

/// What Alertmanager did with the alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notified {
    /// It holds the alert for receivers that have no integration.
    Nobody {
        /// The receivers.
        receivers: Vec<String>,
    },
    /// Its integrations have been called, with success.
    Told {
        /// The receivers.
        receivers: Vec<String>,
        /// The kinds of their integrations.
        integrations: Vec<String>,
    },
    /// It keeps the alert quiet.
    Quiet {
        /// Why, in words: `silenced by …`, `inhibited by …`.
        reason: String,
    },
}

impl Routing {
    /// Reads the configuration that Alertmanager runs.
    pub fn read(text: &str) -> Result<Self> {
        let file: Value = yaml::from_str(text).map_err(|error| {
            Error::new(Code::NotReady, "cannot read the configuration that Alertmanager runs").cause(error.message)
        })?;
        let receivers = file["receivers"].as_array().into_iter().flatten().filter_map(|receiver| {
            let kinds =
                receiver.as_object()?.iter().filter(|(_, list)| list.as_array().is_some_and(|list| !list.is_empty()));
            let kinds = kinds.filter_map(|(key, _)| key.strip_suffix("_configs").map(metric_name));
            Some((receiver["name"].as_str()?.to_owned(), kinds.collect()))
        });
        Ok(Self {
            integrations: receivers.collect(),
            group_wait: longest(&file["route"], "group_wait", 30),
            group_interval: longest(&file["route"], "group_interval", 300),
        })
    }

    /// The kinds of integrations that an alert leads to, each once.
    #[must_use]
    pub fn integrations(&self, alert: &Alert) -> Vec<String> {
        let kinds = alert.receivers.iter().filter_map(|receiver| self.integrations.get(&receiver.name));
        let mut kinds: Vec<String> = kinds.flatten().cloned().collect();
        kinds.sort();
        kinds.dedup();
        kinds
    }
}

/// The name of a kind of integration in Alertmanager's own metrics.
fn metric_name(kind: &str) -> String {
    match kind {
        "opsgenie" | "pagerduty" | "pushover" | "slack" | "sns" | "telegram" | "victorops" | "webex" | "webhook"
        | "wechat" | "email" | "discord" | "msteams" | "msteamsv2" | "jira" | "rocketchat" => kind.to_owned(),
        // Names of later versions; the metrics have them as one word.
        other => other.replace('_', ""),
    }
}

/// The longest of a setting in a tree of routes; `default` is in seconds.
fn longest(route: &Value, key: &str, default: u64) -> Duration {
    let own = route[key].as_str().and_then(|text| text.parse::<PromDuration>().ok());
    let own = own.map_or(Duration::from_secs(default), |own| own.as_duration());
    let children = route["routes"].as_array().into_iter().flatten();
    // A child without the setting has its parent's, which counts already.
    children.filter(|child| child.is_object()).map(|child| longest(child, key, 0)).fold(own, Duration::max)
}

/// Why an alert is kept quiet; `None`: it is not. `all` are the alerts that Alertmanager holds.
pub(super) fn quiet(alert: &Alert, all: &[Alert]) -> Option<String> {
    if alert.status.state != "suppressed" {
        return None;
    }
    if let Some(silence) = alert.status.silenced_by.first() {
        return Some(format!("silenced by {silence}"));
    }
    let name = |fingerprint: &String| {
        let source = all.iter().find(|other| other.fingerprint == *fingerprint)?;
        source.labels.get("alertname").cloned()
    };
    Some(match alert.status.inhibited_by.first() {
        Some(source) => format!("inhibited by {}", name(source).unwrap_or_else(|| source.clone())),
        None => "muted by a time interval".to_owned(),
    })
}

/// The receivers of an alert, by name.
pub(super) fn receivers(alert: &Alert) -> Vec<String> {
    alert.receivers.iter().map(|receiver| receiver.name.clone()).collect()
}

impl Notified {
    /// One sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Nobody { receivers } => {
                format!("Alertmanager holds it for receiver {}, which tells nobody", quoted(receivers))
            }
            Self::Told { receivers, integrations } => {
                format!("Alertmanager told receiver {} ({})", quoted(receivers), integrations.join(", "))
            }
            Self::Quiet { reason } => format!("Alertmanager holds it and tells nobody: it is {reason}"),
        }
    }

    /// For programs.
    #[must_use]
    pub fn json(&self) -> Value {
        match self {
            Self::Nobody { receivers } => json!({"outcome": "nobody", "receivers": receivers}),
            Self::Told { receivers, integrations } => {
                json!({"outcome": "told", "receivers": receivers, "integrations": integrations})
            }
            Self::Quiet { reason } => json!({"outcome": "quiet", "reason": reason}),
        }
    }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(json: &Value) -> Alert {
        let mut whole = json!({
            "labels": {"alertname": "HighAPIRateLimitUsage"}, "fingerprint": "f1", "startsAt": "2026-01-01T00:00:00Z",
            "receivers": [{"name": "ops"}], "status": {"state": "active"},
        });
        for (key, value) in json.as_object().unwrap() {
            whole[key] = value.clone();
        }
        serde_json::from_value(whole).unwrap()
    }

    #[test]
    fn receivers_and_waits_are_read_from_the_running_configuration() {
        let routing = Routing::read(
            "route:\n  receiver: nobody\n  group_wait: 5s\n  group_interval: 1m\n  routes:\n    - receiver: ops\n      \
             group_wait: 10s\nreceivers:\n  - name: nobody\n  - name: ops\n    webhook_configs: [{url: x}]\n    email_configs: [{to: y}]\n",
        )
        .unwrap();
        assert_eq!((routing.group_wait.as_secs(), routing.group_interval.as_secs()), (10, 60));
        assert_eq!(routing.integrations(&alert(&json!({}))), ["email", "webhook"]);
        assert_eq!(routing.integrations(&alert(&json!({"receivers": [{"name": "nobody"}]}))), [""; 0]);
    }

    #[test]
    fn what_keeps_an_alert_quiet_is_named() {
        let source = alert(&json!({"fingerprint": "f2", "labels": {"alertname": "CriticalAPIRateLimitUsage"}}));
        let inhibited = alert(&json!({"status": {"state": "suppressed", "inhibitedBy": ["f2"]}}));
        assert_eq!(quiet(&inhibited, &[source]).unwrap(), "inhibited by CriticalAPIRateLimitUsage");
        let silenced = alert(&json!({"status": {"state": "suppressed", "silencedBy": ["id"]}}));
        assert_eq!(quiet(&silenced, &[]).unwrap(), "silenced by id");
        assert_eq!(quiet(&alert(&json!({})), &[]), None);
    }

    #[test]
    fn the_outcome_is_said_in_one_sentence() {
        let receivers = vec!["nobody".to_owned()];
        let sentence = Notified::Nobody { receivers: receivers.clone() }.sentence();
        assert_eq!(sentence, "Alertmanager holds it for receiver `nobody`, which tells nobody");
        let told = Notified::Told { receivers, integrations: vec!["webhook".to_owned()] }.sentence();
        assert_eq!(told, "Alertmanager told receiver `nobody` (webhook)");
        let quiet = Notified::Quiet { reason: "silenced by id".to_owned() }.sentence();
        assert_eq!(quiet, "Alertmanager holds it and tells nobody: it is silenced by id");
    }
}
