//! Whether the metrics and labels that the user's own rules ask for exist: what is misspelt is never an error to
//! Prometheus.

use std::collections::{BTreeMap, BTreeSet};

use super::{expected, short, wanted, word};
use crate::component::Component;
use crate::config::did_you_mean;
use crate::contract;
use crate::error::Result;
use crate::promql::{self, Matcher, Selector};
use crate::verify::checks::{few, not_given};
use crate::verify::{Finding, World};

/// What Prometheus itself makes for every target and every alert.
const MADE: [&str; 9] = [
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
    "scrape_timeout_seconds",
    "scrape_sample_limit",
    "ALERTS",
    "ALERTS_FOR_STATE",
];

/// The labels of series that are there, or are to come, by the metric's name; the empty name has those of any.
pub(super) type Labels = BTreeMap<String, BTreeSet<String>>;

pub(super) async fn look(world: &World) -> Result<Finding> {
    let Some(prometheus) = world.prometheus() else { return Ok(not_given(Component::Prometheus)) };
    let (Some(wanted), Some(expected)) = (wanted(world)?, &world.expected) else {
        return Ok(Finding::skip("not a stack of ours"));
    };
    let names = world.facts.prometheus.names(&prometheus).await?;
    let published = world.facts.contract.published(&prometheus).await?;
    let mut labels = Labels::new();
    let targets = expected.config.targets.iter().flat_map(|target| target.labels.keys());
    labels.insert(String::new(), targets.cloned().collect());
    for sample in &published.series {
        let name = sample.labels.get("__name__").cloned().unwrap_or_default();
        labels.entry(name).or_default().extend(sample.labels.keys().cloned());
    }
    Ok(judge(&wanted, names, &labels))
}

/// Our own rules are tested against the contract; the user's are in a folder of their own.
fn is_users(group: &expected::Group) -> bool {
    group.file.contains("/rules/extra/")
}

pub(super) fn judge(wanted: &[expected::Group], names: &BTreeSet<String>, labels: &Labels) -> Finding {
    let mut known: BTreeSet<&str> = names.iter().map(String::as_str).chain(MADE).collect();
    known.extend(wanted.iter().flat_map(|group| &group.rules).map(|rule| rule.name.as_str()));
    let contract: Vec<String> = contract::REQUIRED.iter().flat_map(contract::Metric::series).collect();
    known.extend(contract.iter().map(String::as_str));
    let rules = wanted
        .iter()
        .filter(|group| is_users(group))
        .flat_map(|group| group.rules.iter().map(move |rule| (group, rule)));
    let (mut facts, mut count) = (Vec::new(), 0_usize);
    for (group, rule) in rules {
        count += 1;
        let who = format!("{} `{}` ({})", word(rule.kind), rule.name, short(&group.file));
        let may_miss = promql::missed(&rule.expr);
        let unknown =
            promql::metrics(&rule.expr).into_iter().filter(|name| !known.contains(name) && !may_miss.contains(name));
        facts.extend(unknown.map(|metric| {
            let hint = did_you_mean(metric, known.iter().copied());
            format!("{who} asks for `{metric}`, and no series has that name{hint}")
        }));
        let selectors = promql::selectors(&rule.expr);
        facts.extend(
            selectors.iter().flat_map(|selector| doubts(selector, labels)).map(|doubt| format!("{who} {doubt}")),
        );
    }
    let fine = match count {
        0 => "the settings have no rules of your own (`rules.extra`)".to_owned(),
        count => format!("all metrics of your {count} rules are known"),
    };
    Finding::warn_if_any(
        few(facts),
        "mend the name in your rule file; if it is right, nothing has published it yet",
        fine,
    )
}

/// What a selector asks of a metric of the contract that no series of it can be.
fn doubts(selector: &Selector<'_>, labels: &Labels) -> Vec<String> {
    let name = selector.name;
    let metric = contract::REQUIRED.iter().find(|metric| metric.series().iter().any(|series| series == name));
    let Some(metric) = metric else { return Vec::new() };
    let of_all = ["job", "instance", "le"];
    let mut all: BTreeSet<&str> = metric.labels.iter().map(|label| label.name).chain(of_all).collect();
    // The buckets of a histogram are not asked for; what they have, the others have too.
    let live = labels.iter().filter(|(of, _)| of.is_empty() || metric.series().contains(of));
    all.extend(live.flat_map(|(_, labels)| labels).map(String::as_str));
    let doubt = |matcher: &Matcher<'_>| {
        let Matcher { label, sign, value } = matcher;
        if !all.contains(label) {
            let hint = did_you_mean(label, all.iter().copied());
            return Some(format!("asks for the label `{label}` of `{name}`, and no series of it has one{hint}"));
        }
        let vocabulary = metric.labels.iter().find(|own| own.name == *label).map(|own| own.values)?;
        let is_plain = |word: &&str| !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '_');
        let words: Vec<&str> = if sign.ends_with('~') { value.split('|').collect() } else { vec![value] };
        // What is more than alternatives is not judged.
        let strange = words.into_iter().filter(is_plain).find(|word| !vocabulary.contains(word));
        let strange = strange.filter(|_| !vocabulary.is_empty())?;
        let hint = did_you_mean(strange, vocabulary.iter().copied());
        let words = vocabulary.join("`, `");
        Some(format!("asks for `{label}` = `{strange}` of `{name}`, which is one of `{words}`{hint}"))
    };
    selector.matchers.iter().filter_map(doubt).collect()
}
