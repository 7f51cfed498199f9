//! `alert send`: any alert through the real routes, and its end.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::super::Context;
use super::Asked;
use crate::alert::audience::Audience;
use crate::alert::label::{labels, shown};
use crate::alerting::routing::{Matcher, Routing};
use crate::cli;
use crate::error::{Code, Error, Result};
use crate::http::alertmanager::{Alert, Fired};
use crate::ui::Report;
use crate::why::instance::reasons;
use crate::why::words::until;

/// How long Alertmanager may take to sort an alert in.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(200);

pub(super) async fn run(context: &Context<'_>, flags: &cli::AlertSend) -> Result<Report> {
    let goal = if flags.resolve { "could not end the alert" } else { "could not send the alert" };
    let labels = labels(goal, &flags.labels)?;
    if labels.get("alertname").is_none_or(String::is_empty) {
        return Err(Error::new(Code::Usage, goal)
            .cause("the label `alertname` is missing")
            .hint("add `alertname=NAME`, such as `alertname=JobFailed`"));
    }
    let annotations = crate::alert::label::labels(goal, &flags.annotation)?;
    let asked = Asked::find(context, &flags.asked).await?;
    // An empty label is none.
    let own: BTreeMap<String, String> = labels.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    let now = Timestamp::now();
    if flags.resolve {
        let held = find(&asked, &own).await?.ok_or_else(|| {
            Error::new(Code::NotFound, goal)
                .cause(format!("Alertmanager holds no alert {}", shown(&own)))
                .hint("`moko-mon alert list --all` shows what it holds; all labels have to be given")
        })?;
        let ended = Fired { labels: own.clone(), annotations: held.annotations, starts_at: now, ends_at: now };
        asked.alertmanager.fire(&[ended]).await.map_err(|error| error.goal(goal))?;
        return Ok(Report::new(json!({"labels": own, "ends_at": now.to_string()}), format!("ended {}", shown(&own))));
    }
    let ends_at = now.checked_add(flags.duration.as_duration()).unwrap_or(Timestamp::MAX);
    let alert = Fired { labels: own.clone(), annotations, starts_at: now, ends_at };
    asked.alertmanager.fire(&[alert]).await.map_err(|error| error.goal(goal))?;
    let held = settled(&asked, &own)
        .await
        .map_err(|error| error.goal("sent the alert, but not what becomes of it is known"))?;
    let (routing, silences) = tokio::join!(asked.routing(), asked.alertmanager.silences());
    let (routing, silences) = (routing?, silences?);
    let quiet = reasons(&held, std::slice::from_ref(&held), &silences, seconds(now));
    // The list of alerts knows of quiet hours only when a message is due.
    let audience = Audience::of(&held.labels, &routing, now);
    let receivers = audience.receivers();
    let told = quiet.is_empty() && receivers.iter().any(|(name, quiet)| quiet.is_none() && routing.tells(name));
    let data = json!({
        "labels": own, "ends_at": ends_at.to_string(), "state": held.status.state, "told": told, "quiet": quiet,
        "receivers": held.receivers.iter().map(|receiver| &receiver.name).collect::<Vec<_>>(),
        "quiet_hours": receivers.iter().filter(|(_, quiet)| quiet.is_some()).map(|(name, _)| name).collect::<Vec<_>>(),
    });
    Ok(Report::new(data, text(&own, ends_at, now, &receivers, &quiet, &routing)))
}

fn text(
    labels: &BTreeMap<String, String>,
    ends_at: Timestamp,
    now: Timestamp,
    receivers: &[(&str, Option<&str>)],
    quiet: &[String],
    routing: &Routing,
) -> String {
    let ends = until(&ends_at.to_string(), seconds(now));
    let mut text = format!("sent {}; it ends at {ends} unless it is sent again", shown(labels));
    for (name, quiet) in receivers {
        let what = match (routing.receivers.get(*name).filter(|kinds| !kinds.is_empty()), quiet) {
            (None, _) => "has no integration and tells nobody".to_owned(),
            (Some(kinds), None) => format!("tells by {}", kinds.join(", ")),
            (Some(_), Some(when)) => format!("tells nobody now: {when}"),
        };
        text.push_str(&format!("\nreceiver `{name}` {what}"));
    }
    for reason in quiet {
        text.push_str(&format!("\nnobody is told for now: it is {reason}"));
    }
    text
}

/// The alert with exactly these labels, if it is held.
async fn find(asked: &Asked, labels: &BTreeMap<String, String>) -> Result<Option<Alert>> {
    let matchers: Vec<String> =
        labels.iter().map(|(name, value)| Matcher::equal(name, value, false).to_string()).collect();
    Ok(asked.held(&matchers).await?.into_iter().find(|alert| alert.labels == *labels))
}

/// The alert once Alertmanager has sorted it in.
async fn settled(asked: &Asked, labels: &BTreeMap<String, String>) -> Result<Alert> {
    let began = std::time::Instant::now();
    loop {
        let held = find(asked, labels).await?;
        let is_over = began.elapsed() > PATIENCE;
        match held {
            Some(alert) if alert.status.state != "unprocessed" || is_over => return Ok(alert),
            None if is_over => {
                return Err(Error::new(Code::NotReady, "Alertmanager does not show it")
                    .hint("do the clocks of this machine and of Alertmanager agree?"));
            }
            Some(_) | None => tokio::time::sleep(PAUSE).await,
        }
    }
}

fn seconds(time: Timestamp) -> f64 {
    time.as_duration().as_secs_f64()
}
