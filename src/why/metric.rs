//! The first links: do the series exist that a rule reads, and is what publishes them scraped?

use std::collections::{BTreeMap, BTreeSet};

use super::words::{few, many, span};
use super::{Link, State};
use crate::http::prometheus::Target;
use crate::verify::canary;

/// A metric that a rule reads, directly or through series that other rules record.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seen {
    pub(super) name: String,
    /// How many series there are now, by job and instance.
    pub(super) now: Vec<(Source, usize)>,
    /// Where there are none: when there last were some within a day, and where they came from.
    pub(super) before: Option<(f64, Vec<Source>)>,
}

/// The labels `job` and `instance` of series.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Source {
    pub(super) job: String,
    pub(super) instance: String,
}

impl Source {
    pub(super) fn of(labels: &BTreeMap<String, String>) -> Self {
        let label = |name| labels.get(name).cloned().unwrap_or_default();
        Self { job: label("job"), instance: label("instance") }
    }
}

/// Whether a rule can do its work without a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Without any of them it has no result.
    Each,
    /// It has alternatives or exceptions; without all of them it has no result.
    Some,
    /// It is about absence.
    None,
}

impl Need {
    /// What an expression needs of the metrics in it.
    pub(super) fn of(expression: &str) -> Self {
        let words: Vec<String> = expression
            .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'))
            .map(str::to_ascii_lowercase)
            .collect();
        let has = |any: &[&str]| words.iter().any(|word| any.contains(&word.as_str()));
        if has(&["absent", "absent_over_time", "vector", "scalar"]) {
            Self::None
        } else if has(&["or", "unless"]) {
            Self::Some
        } else {
            Self::Each
        }
    }
}

/// Series that no target publishes: Prometheus makes them itself.
fn is_own(name: &str) -> bool {
    name == "up" || name.starts_with("scrape_") || name.starts_with("ALERTS")
}

/// Are there series? `recorders` are the rules that record a series which the rule reads, and their errors.
pub(super) fn judge(seen: &[Seen], recorders: &[(String, String)], need: Need, now: f64) -> Link {
    let name = "metric";
    if let Some((recorded, error)) = recorders.iter().find(|(_, error)| !error.is_empty()) {
        return Link::broken(name, format!("`{recorded}` is recorded by a rule that cannot be evaluated: {error}"))
            .hint(format!("`moko-mon rules show {recorded}` shows the rule"));
    }
    if seen.is_empty() {
        return Link::ok(name, vec!["the expression reads no metric".to_owned()]);
    }
    let (found, missing): (Vec<&Seen>, Vec<&Seen>) = seen.iter().partition(|metric| !metric.now.is_empty());
    let mut evidence: Vec<String> = missing.iter().map(|metric| lost(metric, now)).collect();
    let because = evidence.first().cloned().unwrap_or_default();
    evidence.extend(found.iter().map(|metric| {
        let series = metric.now.iter().map(|(_, count)| count).sum();
        let jobs: BTreeSet<&str> = metric.now.iter().map(|(source, _)| source.job.as_str()).collect();
        let jobs: Vec<String> = jobs.into_iter().filter(|job| !job.is_empty()).map(|job| format!("`{job}`")).collect();
        let from = if jobs.is_empty() { String::new() } else { format!(" from {}", few(jobs).join(", ")) };
        format!("`{}`: {}{from}", metric.name, many(series, "series"))
    }));
    evidence.extend(recorders.iter().map(|(recorded, _)| format!("`{recorded}` is recorded from them by a rule")));
    let is_missed = match need {
        Need::Each => !missing.is_empty(),
        Need::Some => found.is_empty(),
        Need::None => false,
    };
    // It may be that there is nothing to publish; where it cannot be scraped, the next link is broken.
    if is_missed && missing.iter().any(|metric| metric.name == canary::METRIC) {
        evidence.insert(0, "no canary is on its way".to_owned());
        return Link::new(name, State::Quiet, evidence, "no canary is on its way")
            .hint("send one with `moko-mon verify --deep`");
    }
    if is_missed {
        return Link::new(name, State::Quiet, evidence, because)
            .hint("push the metric, or see whether what publishes it is scraped: `moko-mon verify`");
    }
    Link::ok(name, evidence)
}

fn lost(metric: &Seen, now: f64) -> String {
    match &metric.before {
        Some((last, _)) => {
            format!("`{}` has no series now; the last were seen {} ago", metric.name, span(now - last))
        }
        None => format!("`{}` has had no series within a day", metric.name),
    }
}

/// Are those scraped that publish the series? `gateway` is how the Pushgateway's own series are labelled.
pub(super) fn scraped(seen: &[Seen], targets: &[Target], gateway: Option<&Source>, now: f64) -> Link {
    let name = "scraped";
    let (ours, others): (Vec<&Seen>, Vec<&Seen>) = seen.iter().partition(|metric| is_own(&metric.name));
    if others.is_empty() {
        let fact = if ours.is_empty() { "there is nothing to scrape" } else { "Prometheus makes these series itself" };
        return Link::ok(name, vec![fact.to_owned()]);
    }
    let mut from: BTreeSet<&Source> = BTreeSet::new();
    for metric in others {
        from.extend(metric.now.iter().map(|(source, _)| source));
        from.extend(metric.before.iter().flat_map(|(_, sources)| sources));
    }
    let target = |source: &Source| targets.iter().find(|target| Source::of(&target.labels) == *source);
    let mut through: Vec<&Target> = Vec::new();
    let mut strangers = Vec::new();
    for source in from {
        // What is pushed keeps the labels of who pushed it.
        match target(source).or_else(|| target(gateway?)) {
            Some(target) if !through.contains(&target) => through.push(target),
            Some(_) => {}
            None => strangers.push(format!("no target has job=`{}`, instance=`{}`", source.job, source.instance)),
        }
    }
    let (up, down): (Vec<&Target>, Vec<&Target>) = through.into_iter().partition(|target| target.health != "down");
    let mut evidence: Vec<String> = down.iter().map(|target| fault(target)).collect();
    if let Some(first) = evidence.first().cloned() {
        evidence.extend(up.iter().map(|target| scrape(target, now)));
        return Link::new(name, State::Broken, few(evidence), first)
            .hint("`moko-mon verify --only prometheus.targets` says what is wrong with it");
    }
    if up.is_empty() && strangers.is_empty() {
        let down: Vec<String> = targets.iter().filter(|target| target.health == "down").map(fault).collect();
        return match down.first() {
            None => Link::quiet(name, "no target has published it; all targets are up"),
            Some(first) => Link::new(
                name,
                State::Unknown,
                few(std::iter::once("who should publish it is not known".to_owned()).chain(down.clone()).collect()),
                first.clone(),
            ),
        };
    }
    evidence.extend(up.iter().map(|target| scrape(target, now)));
    evidence.extend(strangers);
    Link::ok(name, few(evidence))
}

fn fault(target: &Target) -> String {
    format!("target `{}` of job `{}` is down: {}", target.scrape_url, target.scrape_pool, target.last_error)
}

fn scrape(target: &Target, now: f64) -> String {
    let when = match super::words::epoch(&target.last_scrape) {
        Some(last) => format!("scraped {} ago", span(now - last)),
        None => "not scraped yet".to_owned(),
    };
    let every =
        if target.scrape_interval.is_empty() { String::new() } else { format!(", every {}", target.scrape_interval) };
    format!("`{}` of job `{}`: {}, {when}{every}", target.scrape_url, target.scrape_pool, target.health)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: f64 = 1_767_355_200.0;

    fn source(job: &str) -> Source {
        Source { job: job.to_owned(), instance: String::new() }
    }

    fn seen(name: &str, now: usize, before: Option<f64>) -> Seen {
        let now = if now > 0 { vec![(source("cron"), now)] } else { Vec::new() };
        Seen { name: name.to_owned(), now, before: before.map(|ago| (NOW - ago, vec![source("cron")])) }
    }

    fn target(job: &str, error: &str) -> Target {
        Target {
            labels: [("job".to_owned(), job.to_owned())].into(),
            scrape_pool: job.to_owned(),
            scrape_url: format!("http://{job}:1/metrics"),
            last_error: error.to_owned(),
            last_scrape: "2026-01-02T11:59:55Z".to_owned(),
            health: if error.is_empty() { "up" } else { "down" }.to_owned(),
            scrape_interval: "15s".to_owned(),
            ..Target::default()
        }
    }

    #[test]
    fn a_metric_is_missed_where_the_rule_needs_it() {
        let link = judge(&[seen("a", 3, None), seen("b", 0, Some(7200.0))], &[], Need::Each, NOW);
        assert_eq!(link.state, State::Quiet);
        assert_eq!(link.evidence, ["`b` has no series now; the last were seen 2 h ago", "`a`: 3 series from `cron`"]);
        assert_eq!(link.because, "`b` has no series now; the last were seen 2 h ago");
        assert_eq!(
            link.hint.unwrap(),
            "push the metric, or see whether what publishes it is scraped: `moko-mon verify`"
        );
        let some = judge(&[seen("a", 3, None), seen("b", 0, None)], &[], Need::Some, NOW);
        assert_eq!((some.state, some.evidence[0].as_str()), (State::Ok, "`b` has had no series within a day"));
        assert_eq!(judge(&[seen("b", 0, None)], &[], Need::Some, NOW).state, State::Quiet);
        let canary = judge(&[seen(canary::METRIC, 0, Some(600.0))], &[], Need::Each, NOW);
        assert_eq!((canary.state, canary.because.as_str()), (State::Quiet, "no canary is on its way"));
        assert_eq!(canary.hint.as_deref(), Some("send one with `moko-mon verify --deep`"));
        assert_eq!(judge(&[seen("b", 0, None)], &[], Need::None, NOW).state, State::Ok);
        assert_eq!(judge(&[], &[], Need::Each, NOW).evidence, ["the expression reads no metric"]);
    }

    #[test]
    fn a_series_that_cannot_be_recorded_breaks_the_chain() {
        let recorders = [("x:y".to_owned(), "found duplicate series".to_owned())];
        let link = judge(&[seen("a", 3, None)], &recorders, Need::Each, NOW);
        assert_eq!(
            (link.state, link.because.as_str()),
            (State::Broken, "`x:y` is recorded by a rule that cannot be evaluated: found duplicate series")
        );
    }

    #[test]
    fn needs_are_read_from_the_words() {
        let all = ["a > 1", "a unless b", "absent(a)", "sum(ora) or b", "vector(1)", "a{x=\"y\"} / b > 1"];
        let all: Vec<Need> = all.into_iter().map(Need::of).collect();
        assert_eq!(all, [Need::Each, Need::Some, Need::None, Need::Some, Need::None, Need::Each]);
    }

    #[test]
    fn pushed_series_come_through_the_pushgateway() {
        let targets = [target("pushgateway", "")];
        let link = scraped(&[seen("a", 3, None)], &targets, Some(&source("pushgateway")), NOW);
        assert_eq!(
            (link.state, link.evidence.as_slice()),
            (
                State::Ok,
                ["`http://pushgateway:1/metrics` of job `pushgateway`: up, scraped 5 s ago, every 15s".to_owned()]
                    .as_slice()
            )
        );
        let down = [target("pushgateway", "connection refused")];
        let link = scraped(&[seen("a", 0, Some(60.0))], &down, Some(&source("pushgateway")), NOW);
        assert_eq!(
            (link.state, link.because.as_str()),
            (State::Broken, "target `http://pushgateway:1/metrics` of job `pushgateway` is down: connection refused")
        );
    }

    #[test]
    fn what_nobody_publishes_is_told_with_the_targets_that_are_down() {
        let link = scraped(&[seen("a", 0, None)], &[target("x", "")], None, NOW);
        assert_eq!(
            (link.state, link.because.as_str()),
            (State::Quiet, "no target has published it; all targets are up")
        );
        let link = scraped(&[seen("a", 0, None)], &[target("x", "EOF")], None, NOW);
        assert_eq!(link.state, State::Unknown);
        assert_eq!(
            link.evidence,
            ["who should publish it is not known", "target `http://x:1/metrics` of job `x` is down: EOF"]
        );
        let link = scraped(&[seen("up", 1, None)], &[target("x", "EOF")], None, NOW);
        assert_eq!(link.evidence, ["Prometheus makes these series itself"]);
        let link = scraped(&[seen("a", 1, None)], &[], None, NOW);
        assert_eq!((link.state, link.evidence), (State::Ok, vec!["no target has job=`cron`, instance=``".to_owned()]));
    }
}
