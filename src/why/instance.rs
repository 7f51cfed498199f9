//! What is pending or firing of an alert, and what Alertmanager holds of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::words::{epoch, subject, until};
use crate::http::alertmanager::{Alert as Held, Group, Silence};
use crate::http::prometheus::{Alert, Rule};

/// One active instance.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Instance {
    /// What it is about; empty if there is nothing to tell apart.
    pub(super) subject: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) is_firing: bool,
    /// Seconds since it fires; while it is pending: since its condition holds.
    pub(super) age: f64,
    pub(super) value: f64,
    /// What Alertmanager holds of it.
    pub(super) held: Option<Held>,
}

/// The active instances of a rule; `held` is all that Alertmanager holds.
pub(super) fn instances(rule: &Rule, held: &[Held], now: f64) -> Vec<Instance> {
    rule.alerts.iter().map(|alert| instance(rule, alert, held, now)).collect()
}

fn instance(rule: &Rule, alert: &Alert, held: &[Held], now: f64) -> Instance {
    let is_firing = alert.state == "firing";
    let active_for = (now - epoch(&alert.active_at).unwrap_or(now)).max(0.0);
    // On the way to Alertmanager an alert may get further labels.
    let is_it = |other: &&Held| alert.labels.iter().all(|(name, value)| other.labels.get(name) == Some(value));
    Instance {
        subject: subject(&alert.labels, &rule.labels),
        labels: alert.labels.clone(),
        is_firing,
        age: if is_firing { (active_for - rule.duration).max(0.0) } else { active_for },
        value: alert.value.parse().unwrap_or(f64::NAN),
        held: held.iter().find(is_it).filter(|_| is_firing).cloned(),
    }
}

/// Tells alerts by which time intervals they are muted, which the list of alerts leaves out. Where one of several
/// receivers is told at other times, only that one is muted.
pub(crate) fn mute(held: &mut [Held], groups: &[Group]) {
    for alert in held {
        let is_it = |other: &&Held| other.fingerprint == alert.fingerprint;
        let found = groups.iter().filter_map(|group| Some((&group.receiver, group.alerts.iter().find(is_it)?)));
        let (told, muted): (Vec<_>, Vec<_>) = found.partition(|(_, it)| it.status.muted_by.is_empty());
        let names: BTreeSet<&String> = muted.iter().flat_map(|(_, it)| &it.status.muted_by).collect();
        if told.is_empty() {
            alert.status.muted_by = names.into_iter().cloned().collect();
        } else if !muted.is_empty() {
            alert.receivers = told.into_iter().map(|(receiver, _)| receiver.clone()).collect();
        }
    }
}

/// Why Alertmanager tells nobody of an alert, each reason in words; empty if it would. `all` is all that it holds.
pub(crate) fn reasons(alert: &Held, all: &[Held], silences: &[Silence], now: f64) -> Vec<String> {
    let by_silence = alert.status.silenced_by.iter().map(|id| {
        let Some(silence) = silences.iter().find(|silence| silence.id == *id) else {
            return format!("silenced by {id}");
        };
        let short: String = id.chars().take(8).collect();
        let (by, why) = (&silence.created_by, &silence.comment);
        format!("silenced by {short}… until {} (by {by}: {why})", until(&silence.ends_at, now))
    });
    let inhibited = alert.status.inhibited_by.iter().map(|fingerprint| {
        let source = all.iter().find(|other| other.fingerprint == *fingerprint);
        let name = source.and_then(|source| source.labels.get("alertname"));
        match name {
            Some(name) => format!("inhibited by `{name}`, which fires as well"),
            None => format!("inhibited by the alert {fingerprint}"),
        }
    });
    let muted = alert.status.muted_by.iter().map(|name| format!("muted by the time interval `{name}` of its route"));
    let mut reasons: Vec<String> = by_silence.chain(inhibited).chain(muted).collect();
    if reasons.is_empty() && alert.status.state == "suppressed" {
        reasons.push("muted by a time interval of its route".to_owned());
    }
    reasons
}

impl Instance {
    /// For programs.
    pub(super) fn json(&self, all: &[Held], silences: &[Silence], now: f64) -> Value {
        let held = self.held.as_ref().map(|held| {
            json!({
                "state": held.status.state,
                "silenced_by": held.status.silenced_by,
                "inhibited_by": held.status.inhibited_by,
                "muted_by": held.status.muted_by,
                "receivers": held.receivers.iter().map(|receiver| &receiver.name).collect::<Vec<_>>(),
                "reasons": reasons(held, all, silences, now),
            })
        });
        json!({
            "labels": self.labels,
            "state": if self.is_firing { "firing" } else { "pending" },
            "seconds": self.age.round(),
            // JSON has no word for what is no number.
            "value": if self.value.is_finite() { json!(self.value) } else { Value::Null },
            "alertmanager": held,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::why) const NOW: f64 = 1_767_355_200.0;

    pub(in crate::why) fn held(status: &Value, receivers: &[&str]) -> Held {
        let receivers: Vec<Value> = receivers.iter().map(|name| json!({"name": name})).collect();
        serde_json::from_value(json!({
            "labels": {"alertname": "X", "script_name": "backup.sh", "severity": "warning", "site": "a"},
            "fingerprint": "f1", "startsAt": "2026-01-02T11:48:00Z", "receivers": receivers, "status": status,
        }))
        .unwrap()
    }

    pub(in crate::why) fn rule(alerts: &Value) -> Rule {
        serde_json::from_value(json!({
            "name": "X", "type": "alerting", "query": "a > 300", "duration": 300, "labels": {"severity": "warning"},
            "health": "ok", "state": "inactive", "alerts": alerts,
        }))
        .unwrap()
    }

    /// Active since 17 minutes.
    pub(in crate::why) fn active(state: &str) -> Value {
        json!({
            "labels": {"alertname": "X", "script_name": "backup.sh", "severity": "warning"},
            "state": state, "activeAt": "2026-01-02T11:43:00Z", "value": "4e+02",
        })
    }

    pub(in crate::why) fn silence() -> Silence {
        serde_json::from_value(json!({
            "id": "3f2a1b0c-1111", "endsAt": "2026-01-02T18:00:00Z", "createdBy": "jmi", "comment": "known",
        }))
        .unwrap()
    }

    #[test]
    fn an_instance_is_found_again_in_alertmanager() {
        let all = [held(&json!({"state": "active"}), &["ops"])];
        let found = instances(&rule(&json!([active("firing"), active("pending")])), &all, NOW);
        assert_eq!((found[0].subject.as_str(), found[0].age, found[0].value), ("backup.sh", 720.0, 400.0));
        assert!(found[0].held.is_some() && found[1].held.is_none());
        assert_eq!((found[1].is_firing, found[1].age), (false, 1020.0));
        assert_eq!(found[0].json(&all, &[], NOW)["alertmanager"]["receivers"], json!(["ops"]));
    }

    #[test]
    fn what_keeps_an_alert_quiet_is_told_with_who_and_until_when() {
        let silenced = held(&json!({"state": "suppressed", "silencedBy": ["3f2a1b0c-1111"]}), &[]);
        assert_eq!(
            reasons(&silenced, &[], &[silence()], NOW),
            ["silenced by 3f2a1b0c… until 18:00 UTC (by jmi: known)"]
        );
        assert_eq!(reasons(&silenced, &[], &[], NOW), ["silenced by 3f2a1b0c-1111"]);
        let inhibited = held(&json!({"state": "suppressed", "inhibitedBy": ["f1"]}), &[]);
        let source = held(&json!({"state": "active"}), &[]);
        assert_eq!(reasons(&inhibited, &[source], &[], NOW), ["inhibited by `X`, which fires as well"]);
        let muted = held(&json!({"state": "suppressed"}), &[]);
        assert_eq!(reasons(&muted, &[], &[], NOW), ["muted by a time interval of its route"]);
        assert_eq!(reasons(&held(&json!({"state": "active"}), &[]), &[], &[], NOW), [""; 0]);
    }

    #[test]
    fn an_alert_is_muted_where_all_its_groups_are() {
        let group = |receiver: &str, by: &[&str]| -> Group {
            let alert = json!({
                "labels": {}, "fingerprint": "f1", "startsAt": "", "status": {"state": "suppressed", "mutedBy": by},
            });
            serde_json::from_value(json!({"receiver": {"name": receiver}, "alerts": [alert]})).unwrap()
        };
        let of = |groups: &[Group]| {
            let mut all = [held(&json!({"state": "active"}), &["ops", "pager"])];
            mute(&mut all, groups);
            let receivers: Vec<String> = all[0].receivers.iter().map(|receiver| receiver.name.clone()).collect();
            (reasons(&all[0], &[], &[], NOW), receivers)
        };
        let both = || vec!["ops".to_owned(), "pager".to_owned()];
        let muted = "muted by the time interval `nights` of its route".to_owned();
        assert_eq!(of(&[group("ops", &["nights"]), group("pager", &["nights"])]), (vec![muted], both()));
        assert_eq!(of(&[group("ops", &["nights"]), group("pager", &[])]), (vec![], vec!["pager".to_owned()]));
        assert_eq!(of(&[]), (vec![], both()));
    }
}
