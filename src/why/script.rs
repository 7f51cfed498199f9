//! Asks the servers about one script.

use futures_util::try_join;
use serde_json::json;

use super::alert::{gateway, last, metrics, now};
use super::metric::{Seen, Source, scraped};
use super::script_links::{Concern, Group, Relation, Run, Series, concerns, counted, pushed, ran, series, verdict};
use super::{Servers, Why};
use crate::error::Result;
use crate::http::prometheus::{Prometheus, RuleGroup, RuleKind, Sample};
use crate::verify::counters;

/// Follows a script: a value of the label `script_name`.
pub async fn script(servers: &Servers, groups: &[RuleGroup], name: &str) -> Result<Why> {
    let prometheus = &servers.prometheus;
    // Without the series that Prometheus makes of those which the script publishes.
    let selector = format!("{{script_name={name:?},__name__!~\".*:.*|ALERTS.*\"}}");
    let runs = format!("max by (status) (moko_script_last_execution_timestamp_seconds{{script_name={name:?}}})");
    let now = now(prometheus).await?;
    let (found, runs, pushes, failures, targets, gateway, counters) = try_join!(
        find(prometheus, &selector),
        prometheus.query(&runs),
        prometheus.query("push_time_seconds"),
        prometheus.query("push_failure_time_seconds"),
        prometheus.targets(false),
        gateway(prometheus),
        counters::scripts(prometheus),
    )?;
    let counters: Vec<_> = counters.into_iter().filter(|script| script.name == name).collect();
    let runs: Vec<Run> = runs.iter().map(|sample| Run { status: label(sample, "status"), at: sample.value }).collect();
    let sources: Vec<&Source> = found.sources.iter().collect();
    let group = |sample: &Sample| {
        let is_it = |other: &&Sample| {
            let mut labels = other.labels.clone();
            labels.insert("__name__".to_owned(), label(sample, "__name__"));
            labels == sample.labels
        };
        let failed = failures.iter().find(is_it).map_or(0.0, |failed| failed.value);
        Group { source: Source::of(&sample.labels), pushed: sample.value, failed }
    };
    let pushed_groups: Vec<Group> = pushes.iter().map(group).filter(|group| sources.contains(&&group.source)).collect();
    let seen = Seen {
        name: "its series".to_owned(),
        now: if found.is_there { found.sources.iter().map(|source| (source.clone(), 1)).collect() } else { Vec::new() },
        before: found.last.map(|last| (last, found.sources.clone())),
    };
    let concerned = concerned(groups, name, &found);
    let links = vec![
        series(&found, now),
        ran(&runs, now),
        pushed(&pushed_groups, found.is_there, now),
        scraped(&[seen], &targets.active_targets, gateway.as_ref(), now),
        counted(&counters),
        concerns(&concerned),
    ];
    Ok(Why {
        kind: "script",
        name: name.to_owned(),
        verdict: verdict(name, &links, &runs, &concerned, now),
        hint: Why::culprit(&links).and_then(|link| link.hint.clone()).or_else(|| {
            let loud = concerned.iter().find(|concern| concern.relation == Relation::Active)?;
            Some(format!("`moko-mon why {}` follows that alert", loud.alert))
        }),
        links,
        alerts: concerned.iter().map(|concern| json!({"alert": concern.alert, "state": concern.state})).collect(),
    })
}

fn label(sample: &Sample, name: &str) -> String {
    sample.labels.get(name).cloned().unwrap_or_default()
}

async fn find(prometheus: &Prometheus, selector: &str) -> Result<Series> {
    let all = async |series: &str| prometheus.query(&format!("count by (__name__, job, instance) ({series})")).await;
    let first = format!("min_over_time(timestamp(group({selector}))[1d:5m])");
    let (present, first, last) = try_join!(all(selector), prometheus.query(&first), last(prometheus, selector))?;
    let is_there = !present.is_empty();
    // `last_over_time` keeps the names.
    let of = if is_there { present } else { all(&format!("last_over_time({selector}[1d])")).await? };
    let time = |samples: Vec<Sample>| samples.first().map(|sample| sample.value);
    let mut sources: Vec<Source> = of.iter().map(|sample| Source::of(&sample.labels)).collect();
    sources.sort();
    sources.dedup();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    let count = of.iter().map(|sample| sample.value as usize).sum();
    let metrics = of.iter().map(|sample| label(sample, "__name__")).collect();
    Ok(Series { is_there, count, metrics, sources, first: time(first), last })
}

/// The alerts that read the metrics of a script, with what they say now.
fn concerned(groups: &[RuleGroup], name: &str, found: &Series) -> Vec<Concern> {
    let rules = groups.iter().flat_map(|group| &group.rules).filter(|rule| rule.kind == RuleKind::Alerting);
    let mut all: Vec<Concern> = rules
        .filter_map(|rule| {
            let about = |wanted: &str| {
                rule.alerts.iter().find(|alert| alert.labels.get("script_name").is_some_and(|of| of == wanted))
            };
            let (relation, state) = if let Some(alert) = about(name) {
                (Relation::Active, &alert.state)
            } else {
                let (read, _) = metrics(groups, &rule.query);
                let _ = read.iter().find(|metric| found.metrics.contains(*metric))?;
                let tells_apart = rule.alerts.iter().any(|alert| alert.labels.contains_key("script_name"));
                (if tells_apart { Relation::Others } else { Relation::Fed }, &rule.state)
            };
            Some(Concern { alert: rule.name.clone(), relation, state: state.clone() })
        })
        .collect();
    all.sort_by_key(|concern| (concern.relation, concern.state == "inactive"));
    all
}
