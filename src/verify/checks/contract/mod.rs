//! What scripts publish, against the metric contract.

pub(crate) mod counters;
mod shape;

use std::collections::BTreeSet;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::{check, few, not_given};
use crate::component::Component;
use crate::contract::{Metric, MetricType, REQUIRED};
use crate::error::Result;
use crate::verify::facts::Published;
use crate::verify::{Check, Finding, World, spelling};

const NEEDS: &[&str] = &["prometheus.ready"];
/// A stack on which no script has run is a healthy one.
const NOBODY: &str = "no script has reported yet";

pub(in crate::verify) fn checks(_world: &World) -> Vec<Check> {
    let judged = |id: &'static str, about: &'static str, judge: fn(&Published) -> Finding| {
        check(id, "contract", about, NEEDS, move |world| look(world, judge))
    };
    vec![
        judged(
            "contract.metrics",
            "Scripts that report do so with all metrics that rules and panels read.",
            judge_metrics,
        ),
        judged("contract.types", "Metrics have the types that rules and panels expect.", shape::judge_types),
        judged("contract.labels", "Metrics have the labels that rules and panels expect.", shape::judge_labels),
        judged(
            "contract.vocabulary",
            "Labels and states have values that rules and panels know.",
            shape::judge_vocabulary,
        ),
        check("contract.constants", "contract", "Counters count: they grow when scripts run.", NEEDS, |world| {
            counters::look_constants(world).boxed()
        }),
        check("contract.stale", "contract", "Scripts that reported of late still do.", NEEDS, |world| {
            counters::look_stale(world).boxed()
        }),
        check(
            "contract.typos",
            "contract",
            "No metric looks like one of ours with a slip in its name.",
            NEEDS,
            |world| look_typos(world).boxed(),
        ),
    ]
}

fn look(world: &World, judge: fn(&Published) -> Finding) -> BoxFuture<'_, Result<Finding>> {
    async move {
        let Some(prometheus) = world.prometheus() else { return Ok(not_given(Component::Prometheus)) };
        let published = world.facts.contract.published(&prometheus).await?;
        let any = REQUIRED.iter().any(|metric| present(published, metric));
        Ok(if any { judge(published) } else { Finding::pass(NOBODY) })
    }
    .boxed()
}

fn present(published: &Published, metric: &Metric) -> bool {
    metric.series().iter().any(|name| published.names.contains(name)) || published.names.contains(metric.name)
}

/// The series by which a metric is known: a histogram by its count.
fn main_series(metric: &Metric) -> String {
    match metric.kind {
        MetricType::Histogram => format!("{}_count", metric.name),
        MetricType::Counter | MetricType::Gauge => metric.name.to_owned(),
    }
}

/// The values that a label has on the series of a metric.
fn values<'a>(published: &'a Published, series: &str, label: &str) -> BTreeSet<&'a str> {
    published
        .series
        .iter()
        .filter(|sample| sample.labels.get("__name__").is_some_and(|name| name == series))
        .filter_map(|sample| sample.labels.get(label))
        .map(String::as_str)
        .collect()
}

/// What goes together: who publishes the first is expected to publish the others, for the same value of the label.
const TOGETHER: [(usize, &str, &[usize]); 2] = [(0, "script_name", &[1, 2]), (3, "api", &[4, 5])];

fn judge_metrics(published: &Published) -> Finding {
    let mut missing = Vec::new();
    for (first, label, others) in TOGETHER {
        let subjects = values(published, &main_series(&REQUIRED[first]), label);
        for other in others.iter().map(|index| &REQUIRED[*index]) {
            let having = values(published, &main_series(other), label);
            let without: Vec<&str> = subjects.difference(&having).copied().collect();
            if !without.is_empty() {
                missing.push(format!("`{}` is not published for {label} {}", other.name, listed(&without)));
            }
        }
    }
    let there: Vec<&Metric> = REQUIRED.iter().filter(|metric| present(published, metric)).collect();
    let scripts: Vec<&str> = values(published, REQUIRED[0].name, "script_name").into_iter().collect();
    let from = if scripts.is_empty() { String::new() } else { format!(", from scripts {}", listed(&scripts)) };
    let absent: Vec<&str> =
        REQUIRED.iter().filter(|metric| !present(published, metric)).map(|metric| metric.name).collect();
    let mut lines = vec![format!("{} of {} metrics are published{from}", there.len(), REQUIRED.len())];
    lines.extend(there.iter().map(|metric| {
        let labels: Vec<&str> = metric.labels.iter().map(|label| label.name).collect();
        let series = published.of(&main_series(metric)).count();
        format!("`{}` ({}; {}): {series} series", metric.name, metric.kind.as_str(), labels.join(", "))
    }));
    if !absent.is_empty() {
        lines.push(format!("nobody publishes {}", absent.join(", ")));
    }
    if missing.is_empty() {
        return Finding { evidence: lines, ..Finding::pass("") };
    }
    let hint = "publish it with every run: alerts and panels that read it stay silent";
    Finding::warn_if_any(few(missing).into_iter().chain(lines).collect(), hint, "")
}

/// A few names, and how many more.
fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > SHOWN { format!(" and {} more", names.len() - SHOWN) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

async fn look_typos(world: &World) -> Result<Finding> {
    let Some(prometheus) = world.prometheus() else { return Ok(not_given(Component::Prometheus)) };
    // What ends like a metric of ours, wherever the slip is; and what begins like one.
    let alike = prometheus
        .query(r#"count by (__name__) ({__name__=~"moko.+|.+_(executions_total|duration_seconds(_bucket|_sum|_count)?|last_execution_timestamp_seconds|rate_limit_.+|breaker_state|findings_total)"})"#)
        .await?;
    let names: BTreeSet<String> = alike.into_iter().filter_map(|mut sample| sample.labels.remove("__name__")).collect();
    Ok(judge_typos(&names))
}

fn judge_typos(names: &BTreeSet<String>) -> Finding {
    let known: Vec<String> = REQUIRED.iter().flat_map(Metric::series).collect();
    let foreign: Vec<&String> = names.iter().filter(|name| !known.contains(name)).collect();
    let slips = foreign.iter().filter_map(|name| {
        // The suffix of a unit or a counter is often left out.
        let cut = || {
            known
                .iter()
                .map(String::as_str)
                .find(|word| ["_total", "_seconds"].iter().any(|suffix| word.strip_suffix(suffix) == Some(name)))
        };
        let word = spelling::meant(name, known.iter().map(String::as_str)).or_else(cut)?;
        Some(format!("`{name}` looks like `{word}`; no rule and no panel reads it under this name"))
    });
    let others = foreign.iter().filter(|name| name.starts_with("moko")).count();
    Finding::warn_if_any(
        few(slips.collect()),
        "correct the name in the script that publishes it",
        format!("no name looks like a slip; {others} names of other metrics begin with moko"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::prometheus::Sample;
    use crate::verify::Outcome;

    /// Series written as `name label=value …`.
    pub(super) fn published(series: &[&str], types: &[(&str, &str)]) -> Published {
        let sample = |text: &&str| {
            let mut words = text.split(' ');
            let name = words.next().unwrap_or_default().to_owned();
            let mut labels: std::collections::BTreeMap<String, String> = words
                .filter_map(|word| word.split_once('='))
                .map(|(label, value)| (label.to_owned(), value.to_owned()))
                .collect();
            let value = labels.remove("value").map_or(1.0, |value| value.parse().unwrap());
            labels.insert("__name__".to_owned(), name);
            Sample { labels, value }
        };
        let series: Vec<Sample> = series.iter().map(sample).collect();
        let names = series.iter().map(|sample| sample.labels["__name__"].clone()).collect();
        let types =
            types.iter().map(|(name, kind)| ((*name).to_owned(), BTreeSet::from([(*kind).to_owned()]))).collect();
        Published { series, names, types }
    }

    const RUNS: &str = "moko_script_executions_total script_name=backup status=success";
    const TIME: &str = "moko_script_duration_seconds_count script_name=backup";
    const LAST: &str = "moko_script_last_execution_timestamp_seconds script_name=backup status=success";

    #[test]
    fn what_is_there_is_listed_and_what_goes_with_it_is_missed() {
        let finding = judge_metrics(&published(&[RUNS, TIME, LAST], &[]));
        assert_eq!(finding.outcome, Outcome::Pass);
        assert_eq!(finding.evidence[0], "3 of 8 metrics are published, from scripts `backup`");
        assert_eq!(finding.evidence[1], "`moko_script_executions_total` (counter; script_name, status): 1 series");
        assert!(finding.evidence[4].starts_with("nobody publishes moko_api_rate_limit_remaining, "));
        let finding = judge_metrics(&published(&[RUNS, LAST], &[]));
        assert_eq!(finding.outcome, Outcome::Warn);
        assert_eq!(finding.evidence[0], "`moko_script_duration_seconds` is not published for script_name `backup`");
    }

    #[test]
    fn a_slip_is_told_from_another_metric() {
        let names = [
            "moko_script_executions_total",
            "moko_script_execution_total",
            "moko_script_executions",
            "moko_mail_sent_total",
        ];
        let finding = judge_typos(&names.map(str::to_owned).into());
        assert_eq!(finding.outcome, Outcome::Warn);
        assert_eq!(
            finding.evidence,
            [
                "`moko_script_execution_total` looks like `moko_script_executions_total`; no rule and no panel reads it under this name",
                "`moko_script_executions` looks like `moko_script_executions_total`; no rule and no panel reads it under this name"
            ]
        );
        let fine = judge_typos(&["moko_mail_sent_total".to_owned()].into());
        assert_eq!(fine, Finding::pass("no name looks like a slip; 1 names of other metrics begin with moko"));
    }
}
