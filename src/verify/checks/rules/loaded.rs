//! Whether the loaded rules are those of the files: every one of them, and no other.

use std::collections::BTreeMap;

use super::{expected, short, wanted, word};
use crate::component::Component;
use crate::error::Result;
use crate::http::prometheus::{RuleGroup, RuleKind};
use crate::verify::checks::{few, not_given};
use crate::verify::{Finding, World};

pub(super) async fn look(world: &World) -> Result<Finding> {
    let Some(prometheus) = world.prometheus() else { return Ok(not_given(Component::Prometheus)) };
    let loaded = world.facts.prometheus.rules(&prometheus).await?;
    Ok(match wanted(world)? {
        Some(wanted) => judge(&wanted, loaded),
        None => Finding::skip("not a stack of ours, so which rules it should have is not known"),
    })
}

/// A rule as it is counted: file, group, kind, name.
type Key<'a> = (&'a str, &'a str, &'static str, &'a str);

pub(super) fn judge(wanted: &[expected::Group], loaded: &[RuleGroup]) -> Finding {
    let ours = wanted.iter().flat_map(|group| {
        group.rules.iter().map(|rule| (group.file.as_str(), group.name.as_str(), word(rule.kind), rule.name.as_str()))
    });
    let theirs = loaded.iter().flat_map(|group| {
        group.rules.iter().map(|rule| (group.file.as_str(), group.name.as_str(), word(rule.kind), rule.name.as_str()))
    });
    let (ours, theirs) = (counted(ours), counted(theirs));
    let facts = ours.keys().chain(theirs.keys().filter(|key| !ours.contains_key(*key))).filter_map(|key| {
        let (file, group, kind, name) = key;
        let place = format!("{kind} `{name}` of group `{group}` ({})", short(file));
        let count = |of: &BTreeMap<Key<'_>, usize>| of.get(key).copied().unwrap_or_default();
        match (count(&ours), count(&theirs)) {
            (wanted, loaded) if wanted == loaded => None,
            (_, 0) => Some(format!("{place} is not loaded")),
            (0, _) => Some(format!("{place} is loaded, and nothing in the settings asks for it")),
            (wanted, loaded) => Some(format!("{place} is loaded {loaded} times, and should be {wanted} times")),
        }
    });
    let count = |kind| ours.iter().filter(|(key, _)| key.2 == word(kind)).map(|(_, count)| count).sum::<usize>();
    let fine = format!(
        "{} alerts and {} recording rules are loaded, and no others",
        count(RuleKind::Alerting),
        count(RuleKind::Recording)
    );
    Finding::fail_if_any(few(facts.collect()), "load the rules of the settings with `moko-mon up`", fine)
}

fn counted<'a>(rules: impl Iterator<Item = Key<'a>>) -> BTreeMap<Key<'a>, usize> {
    let mut out = BTreeMap::new();
    for rule in rules {
        *out.entry(rule).or_default() += 1;
    }
    out
}
