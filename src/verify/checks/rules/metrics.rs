//! Whether the metrics that the user's own rules ask for exist: what is misspelt is never an error to Prometheus.

use std::collections::BTreeSet;

use super::{expected, short, wanted, word};
use crate::component::Component;
use crate::config::did_you_mean;
use crate::contract;
use crate::error::Result;
use crate::promql;
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

pub(super) async fn look(world: &World) -> Result<Finding> {
    let Some(prometheus) = world.prometheus() else { return Ok(not_given(Component::Prometheus)) };
    let Some(wanted) = wanted(world)? else { return Ok(Finding::skip("not a stack of ours")) };
    Ok(judge(&wanted, world.facts.prometheus.names(&prometheus).await?))
}

/// Our own rules are tested against the contract; the user's are in a folder of their own.
fn is_users(group: &expected::Group) -> bool {
    group.file.contains("/rules/extra/")
}

pub(super) fn judge(wanted: &[expected::Group], names: &BTreeSet<String>) -> Finding {
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
        for metric in promql::metrics(&rule.expr).into_iter().filter(|metric| !known.contains(*metric)) {
            facts.push(format!(
                "{} `{}` ({}) asks for `{metric}`, and no series has that name{}",
                word(rule.kind),
                rule.name,
                short(&group.file),
                did_you_mean(metric, known.iter().copied())
            ));
        }
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
