//! `alert list`: one line for each alert that Alertmanager holds.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::Context;
use super::Asked;
use crate::alerting::{TEST_ALERT, WATCHDOG};
use crate::cli;
use crate::docker::error::clean;
use crate::error::Result;
use crate::http::alertmanager::{Alert, Silence};
use crate::ui::{Report, table};
use crate::verify::canary;
use crate::why::instance::reasons;
use crate::why::words::{epoch, span, subject};

/// Alerts that say nothing about what is monitored.
const OWN: [&str; 3] = [WATCHDOG, canary::ALERT, TEST_ALERT];

pub(super) async fn run(context: &Context<'_>, flags: &cli::AlertList) -> Result<Report> {
    let asked = Asked::find(context, &flags.asked).await?;
    let (all, silences) = tokio::join!(asked.held(&[]), asked.alertmanager.silences());
    let (all, silences) = (all?, silences?);
    let now = Timestamp::now().as_duration().as_secs_f64();
    let is_own = |alert: &&Alert| OWN.contains(&name(alert));
    let mut shown: Vec<&Alert> = all.iter().filter(|alert| flags.all || !is_own(alert)).collect();
    shown.sort_by(|one, other| (name(one), &one.starts_at).cmp(&(name(other), &other.starts_at)));
    let data = shown.iter().map(|alert| json(alert, &all, &silences, now)).collect::<Vec<_>>();
    let text = text(&shown, &all, &silences, now);
    Ok(Report::new(json!({"alerts": data}), text))
}

fn text(shown: &[&Alert], all: &[Alert], silences: &[Silence], now: f64) -> String {
    let hidden = all.len() - shown.len();
    let more = if hidden == 0 { String::new() } else { format!("; `--all` shows {hidden} of moko-mon's own") };
    if shown.is_empty() {
        return format!("no alert fires{more}");
    }
    let heading = ["ALERT", "SEVERITY", "SINCE", "RECEIVERS", "STATE", "SUMMARY"].map(str::to_owned).to_vec();
    let rows = shown.iter().map(|alert| row(alert, all, silences, now));
    table::columns(&std::iter::once(heading).chain(rows).collect::<Vec<_>>())
}

fn row(alert: &Alert, all: &[Alert], silences: &[Silence], now: f64) -> Vec<String> {
    let label = |name: &str| alert.labels.get(name).map_or("-", String::as_str).to_owned();
    // What every alert of the rule has does not tell them apart.
    let common = ["severity", "team", "component"].map(|name| (name.to_owned(), String::new()));
    let about = subject(&alert.labels, &BTreeMap::from(common));
    let who = if about.is_empty() { name(alert).to_owned() } else { format!("{} {about}", name(alert)) };
    let since = epoch(&alert.starts_at).map_or_else(|| "-".to_owned(), |at| span(now - at));
    let quiet = reasons(alert, all, silences, now).join(", and ");
    let state = if quiet.is_empty() { alert.status.state.clone() } else { quiet };
    let summary = alert.annotations.get("summary").map_or("-", String::as_str);
    let receivers = names(alert).join(", ");
    [who, label("severity"), since, receivers, state, summary.to_owned()].map(|cell| clean(&cell)).to_vec()
}

fn name(alert: &Alert) -> &str {
    alert.labels.get("alertname").map_or("", String::as_str)
}

fn names(alert: &Alert) -> Vec<&str> {
    alert.receivers.iter().map(|receiver| receiver.name.as_str()).collect()
}

/// An alert for programs.
pub(super) fn json(alert: &Alert, all: &[Alert], silences: &[Silence], now: f64) -> Value {
    json!({
        "labels": alert.labels,
        "annotations": alert.annotations,
        "state": alert.status.state,
        "since": alert.starts_at,
        "receivers": names(alert),
        "silenced_by": alert.status.silenced_by,
        "inhibited_by": alert.status.inhibited_by,
        "muted_by": alert.status.muted_by,
        "reasons": reasons(alert, all, silences, now),
        "fingerprint": alert.fingerprint,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_alert_has_a_line_with_what_keeps_it_quiet() {
        let alert = |pairs: Value, status: Value| -> Alert {
            serde_json::from_value(json!({
                "labels": pairs, "annotations": {"summary": "It broke"}, "fingerprint": "f", "startsAt": "2026-01-02T11:48:00Z",
                "receivers": [{"name": "ops"}], "status": status,
            }))
            .unwrap()
        };
        let all = [
            alert(
                json!({"alertname": "JobFailed", "script_name": "backup", "severity": "critical"}),
                json!({"state": "active"}),
            ),
            alert(json!({"alertname": "Up"}), json!({"state": "suppressed", "silencedBy": ["3f2a1b0c-1111"]})),
            alert(json!({"alertname": "Watchdog"}), json!({"state": "active"})),
        ];
        let silence: Silence = serde_json::from_value(
            json!({"id": "3f2a1b0c-1111", "endsAt": "2026-01-02T18:00:00Z", "createdBy": "jmi", "comment": "known"}),
        )
        .unwrap();
        let shown: Vec<&Alert> = all.iter().take(2).collect();
        insta::assert_snapshot!(text(&shown, &all, &[silence], 1_767_355_200.0), @"
        ALERT             SEVERITY  SINCE   RECEIVERS  STATE                                                  SUMMARY
        JobFailed backup  critical  12 min  ops        active                                                 It broke
        Up                -         12 min  ops        silenced by 3f2a1b0c… until 18:00 UTC (by jmi: known)  It broke
        ");
        assert_eq!(text(&[], &all[2..], &[], 0.0), "no alert fires; `--all` shows 1 of moko-mon's own");
    }
}
