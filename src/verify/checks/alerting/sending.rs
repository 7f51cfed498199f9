//! From Prometheus to Alertmanager.

use std::time::Duration;

use futures_util::try_join;
use jiff::Timestamp;
use serde::Deserialize;

use super::super::{few, not_given};
use crate::component::Component;
use crate::error::Result;
use crate::http::prometheus::{Prometheus, Sample};
use crate::ui::human;
use crate::verify::{Finding, World};

/// Where our Prometheus finds our Alertmanager, inside the stack's network.
const OURS: &str = "//alertmanager:9093/";
/// How long Prometheus may take to look up its Alertmanagers after it has read its files: it does so every 5 s.
const LOOKED_UP: f64 = 15.0;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alertmanagers {
    #[serde(default)]
    active_alertmanagers: Vec<Address>,
    #[serde(default)]
    dropped_alertmanagers: Vec<Address>,
}

#[derive(Deserialize)]
struct Address {
    url: String,
}

pub(super) async fn look_discovery(world: &World) -> Result<Finding> {
    let Some(prometheus) = world.prometheus() else { return Ok(not_given(Component::Prometheus)) };
    let found: Alertmanagers = prometheus.ask("/api/v1/alertmanagers", &[]).await?;
    let urls = |list: Vec<Address>| list.into_iter().map(|address| address.url).collect::<Vec<_>>();
    let (active, dropped) = (urls(found.active_alertmanagers), urls(found.dropped_alertmanagers));
    let finding =
        judge_discovery(&active, &dropped, world.expected.is_some(), world.server(Component::Alertmanager).is_some());
    if finding.outcome.holds() || !active.is_empty() {
        return Ok(finding);
    }
    // Only now does it matter how long ago it began to look.
    let age = prometheus.query("time() - prometheus_config_last_reload_success_timestamp_seconds").await?;
    Ok(match age.iter().map(|sample| sample.value).reduce(f64::min) {
        Some(age) if age < LOOKED_UP => Finding::skip(format!(
            "not yet: Prometheus read its configuration {age:.0} s ago and is still looking up its Alertmanagers"
        )),
        _ => finding,
    })
}

fn judge_discovery(active: &[String], dropped: &[String], ours: bool, given: bool) -> Finding {
    let hint = "bring its configuration back with `moko-mon up`";
    let list = active.join(", ");
    if ours {
        return match (active.iter().any(|url| url.contains(OURS)), dropped) {
            (true, []) => Finding::pass(format!("alerts go to {list}")),
            (true, dropped) => {
                Finding::fail(format!("Alertmanagers dropped by relabelling: {}", dropped.join(", ")), hint)
            }
            (false, _) if active.is_empty() => {
                Finding::fail("Prometheus knows no Alertmanager: its alerts go nowhere", hint)
            }
            (false, _) => {
                Finding::fail(format!("Prometheus sends its alerts to {list}, not to our Alertmanager"), hint)
            }
        };
    }
    let hint = "name it in the `alerting` section of prometheus.yml";
    match (active, given) {
        ([], true) => Finding::fail("Prometheus knows no Alertmanager: its alerts go nowhere", hint),
        ([], false) => Finding::warn("Prometheus knows no Alertmanager: its alerts go nowhere", hint),
        _ if !dropped.is_empty() => Finding::warn(
            format!("alerts go to {list}; dropped by relabelling: {}", dropped.join(", ")),
            "see `alerting.alertmanagers` in prometheus.yml",
        ),
        _ => Finding::pass(format!("alerts go to {list}")),
    }
}

pub(super) async fn look_sending(world: &World) -> Result<Finding> {
    let Some(prometheus) = world.prometheus() else { return Ok(not_given(Component::Prometheus)) };
    let window = window(world);
    let numbers = r#"{__name__=~"prometheus_notifications_(sent_total|queue_length|queue_capacity)"}"#;
    let (now, errors, dropped) = try_join!(
        prometheus.query(numbers),
        lately(&prometheus, "errors", window),
        lately(&prometheus, "dropped", window),
    )?;
    // What was refused while it was starting is no fault of today.
    let started = match world.server(Component::Alertmanager) {
        Some(server) => world.facts.alertmanager.started(server).await?,
        None => None,
    };
    let young =
        started.is_some_and(|started| Timestamp::now().duration_since(started).as_secs_f64() < window.as_secs_f64());
    Ok(judge_sending(&now, errors, dropped, window, young))
}

/// Two scrapes at least, and never less than a minute.
fn window(world: &World) -> Duration {
    let scrape = world
        .expected
        .as_ref()
        .map_or(Duration::from_secs(30), |expected| expected.config.prometheus.scrape_interval.as_duration());
    (scrape * 4).max(Duration::from_secs(60))
}

/// How much a counter of notifications grew.
async fn lately(prometheus: &Prometheus, what: &str, window: Duration) -> Result<f64> {
    let seconds = window.as_secs();
    let found = prometheus.query(&format!("sum(increase(prometheus_notifications_{what}_total[{seconds}s]))")).await?;
    Ok(found.first().map_or(0.0, |sample| sample.value))
}

fn judge_sending(now: &[Sample], errors: f64, dropped: f64, window: Duration, young: bool) -> Finding {
    let value = |name: &str| {
        let of = now.iter().filter(|sample| sample.labels.get("__name__").is_some_and(|label| label.ends_with(name)));
        of.map(|sample| sample.value).reduce(|a, b| a + b)
    };
    let (Some(length), Some(capacity)) = (value("queue_length"), value("queue_capacity")) else {
        return Finding::skip("not known: Prometheus has no metrics of itself (yet)");
    };
    let window = human(window);
    let mut facts = Vec::new();
    for (count, word) in [(errors, "failed"), (dropped, "dropped")] {
        if count > 0.0 {
            facts.push(
                format!("{} notifications to Alertmanager were {word} within {window}", count.ceil())
                    .replace("were failed", "failed"),
            );
        }
    }
    if length > 0.8 * capacity {
        facts.push(format!("the queue of notifications is nearly full: {length} of {capacity}"));
    }
    let sent = format!("{} sent since Prometheus started", value("sent_total").unwrap_or(0.0));
    if young && !facts.is_empty() {
        return Finding::skip(format!("not yet: {}, but Alertmanager was started within that time", facts.join("; ")));
    }
    let fine = format!("{sent}; none failed or was dropped within {window}; {length} of {capacity} in the queue");
    Finding::fail_if_any(few(facts), "see why with `moko-mon logs prometheus`", fine)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::Outcome;

    fn samples(length: f64) -> Vec<Sample> {
        let of = |(name, value): (&str, f64)| Sample {
            labels: [("__name__".to_owned(), format!("prometheus_notifications_{name}"))].into(),
            value,
        };
        [("queue_length", length), ("queue_capacity", 10_000.0), ("sent_total", 7.0)].map(of).to_vec()
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn only_what_failed_of_late_counts() {
        let fine = judge_sending(&samples(0.0), 0.0, 0.0, MINUTE, false);
        assert_eq!(
            fine,
            Finding::pass(
                "7 sent since Prometheus started; none failed or was dropped within 60 s; 0 of 10000 in the queue"
            )
        );
        let failed = judge_sending(&samples(9000.0), 2.3, 1.0, MINUTE, false);
        assert_eq!(
            failed.evidence,
            [
                "3 notifications to Alertmanager failed within 60 s",
                "1 notifications to Alertmanager were dropped within 60 s",
                "the queue of notifications is nearly full: 9000 of 10000"
            ]
        );
        assert_eq!(judge_sending(&samples(0.0), 2.3, 0.0, MINUTE, true).outcome, Outcome::Skip);
        assert_eq!(judge_sending(&[], 0.0, 0.0, MINUTE, false).outcome, Outcome::Skip);
    }

    #[test]
    fn our_alertmanager_has_to_be_among_the_active_ones() {
        let ours = ["http://alertmanager:9093/api/v2/alerts".to_owned()];
        let other = ["http://other:9093/api/v2/alerts".to_owned()];
        assert_eq!(judge_discovery(&ours, &[], true, true).outcome, Outcome::Pass);
        let failed = judge_discovery(&other, &[], true, true);
        assert_eq!(
            failed.evidence,
            ["Prometheus sends its alerts to http://other:9093/api/v2/alerts, not to our Alertmanager"]
        );
        assert_eq!(failed.hint.as_deref(), Some("bring its configuration back with `moko-mon up`"));
        let none = judge_discovery(&[], &[], true, true);
        assert_eq!(none.evidence, ["Prometheus knows no Alertmanager: its alerts go nowhere"]);
        assert_eq!(judge_discovery(&ours, &other, true, true).outcome, Outcome::Fail);
        assert_eq!(judge_discovery(&[], &[], false, false).outcome, Outcome::Warn);
        assert_eq!(judge_discovery(&other, &[], false, true).outcome, Outcome::Pass);
    }
}
