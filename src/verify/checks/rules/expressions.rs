//! Whether the loaded rules say what their files say.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;

use super::{expected, short, wanted, word};
use crate::component::Component;
use crate::error::Result;
use crate::http::prometheus::{Prometheus, Rule, RuleGroup};
use crate::promql::compact;
use crate::verify::checks::{few, not_given};
use crate::verify::{Finding, World};

/// How many expressions are asked about at a time.
const AT_ONCE: usize = 8;

const HINT: &str = "load the rules of the settings with `moko-mon up`";

pub(super) async fn look(world: &World) -> Result<Finding> {
    let Some(prometheus) = world.prometheus() else { return Ok(not_given(Component::Prometheus)) };
    let loaded = world.facts.prometheus.rules(&prometheus).await?;
    let Some(wanted) = wanted(world)? else { return Ok(Finding::skip("not a stack of ours")) };
    let pairs = pairs(&wanted, loaded);
    let mut doubtful = Vec::new();
    for pair in &pairs {
        if compact(&pair.ours.expr) != compact(&pair.theirs.query) {
            doubtful.push(pair);
        }
    }
    let mut facts = Vec::new();
    for some in doubtful.chunks(AT_ONCE) {
        let mut asked = Vec::with_capacity(some.len());
        for pair in some {
            asked.push(pair.other_expression(&prometheus));
        }
        facts.extend(try_join_all(asked).await?.into_iter().flatten());
    }
    facts.extend(pairs.iter().filter_map(Pair::difference));
    facts.extend(wanted.iter().filter_map(|group| interval(group, loaded)));
    Ok(Finding::fail_if_any(few(facts), HINT, format!("{} rules say what their files say", pairs.len())))
}

/// Whether two expressions mean the same to the server, which writes both in its own way.
async fn same_expression(prometheus: &Prometheus, ours: &str, theirs: &str) -> Result<bool> {
    let ours = compact(&prometheus.format(ours).await?);
    Ok(ours == compact(theirs) || ours == compact(&prometheus.format(theirs).await?))
}

/// A rule as it stands in its file, and as it is loaded.
pub(super) struct Pair<'a> {
    group: &'a expected::Group,
    ours: &'a expected::Rule,
    theirs: &'a Rule,
}

impl std::fmt::Display for Pair<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { group, ours, .. } = self;
        write!(f, "{} `{}` of group `{}` ({})", word(ours.kind), ours.name, group.name, short(&group.file))
    }
}

impl Pair<'_> {
    /// What is evaluated, where it means something else than the file says.
    async fn other_expression(&self, prometheus: &Prometheus) -> Result<Option<String>> {
        let (ours, theirs) = (&self.ours.expr, &self.theirs.query);
        let same = same_expression(prometheus, ours, theirs).await?;
        let quote = |text: &str| crate::config::quote(&text.split_whitespace().collect::<Vec<_>>().join(" "));
        Ok((!same).then(|| format!("{self}: evaluated is {}, wanted is {}", quote(theirs), quote(ours))))
    }

    /// The first difference besides the expression.
    pub(super) fn difference(&self) -> Option<String> {
        let Self { ours, theirs, .. } = self;
        for (key, ours, theirs) in
            [("for", ours.wait, theirs.duration), ("keep_firing_for", ours.keep, theirs.keep_firing_for)]
        {
            if (ours - theirs).abs() > 0.000_5 {
                return Some(format!("{self}: `{key}` is {theirs} s, wanted is {ours} s"));
            }
        }
        let labels = first_difference("label", &ours.labels, &theirs.labels);
        let texts = || first_difference("annotation", &ours.annotations, &theirs.annotations);
        labels.or_else(texts).map(|difference| format!("{self}: {difference}"))
    }
}

/// The first key with another value; blanks do not count, as every reader of YAML folds lines in its own way.
fn first_difference(what: &str, ours: &BTreeMap<String, String>, theirs: &BTreeMap<String, String>) -> Option<String> {
    let words = |map: &BTreeMap<String, String>, key: &str| {
        let value = map.get(key).map(String::as_str).unwrap_or_default();
        value.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    ours.keys().chain(theirs.keys()).find_map(|key| {
        let (ours, theirs) = (words(ours, key), words(theirs, key));
        (ours != theirs).then(|| {
            let (ours, theirs) = (crate::config::quote(&ours), crate::config::quote(&theirs));
            format!("{what} `{key}` is {theirs}, wanted is {ours}")
        })
    })
}

/// Each rule with the loaded one of its name and place; of several with one name, each with its own.
pub(super) fn pairs<'a>(wanted: &'a [expected::Group], loaded: &'a [RuleGroup]) -> Vec<Pair<'a>> {
    let mut out = Vec::new();
    for group in wanted {
        let Some(theirs) = loaded.iter().find(|other| other.file == group.file && other.name == group.name) else {
            continue;
        };
        let mut left: Vec<&Rule> = theirs.rules.iter().collect();
        for ours in &group.rules {
            if let Some(at) = left.iter().position(|rule| rule.kind == ours.kind && rule.name == ours.name) {
                out.push(Pair { group, ours, theirs: left.remove(at) });
            }
        }
    }
    out
}

/// Whether a group is evaluated as often as it should be.
pub(super) fn interval(group: &expected::Group, loaded: &[RuleGroup]) -> Option<String> {
    let theirs = loaded.iter().find(|other| other.file == group.file && other.name == group.name)?.interval;
    ((group.interval - theirs).abs() > 0.000_5).then(|| {
        format!(
            "group `{}` ({}) is evaluated every {theirs} s, wanted is {} s",
            group.name,
            short(&group.file),
            group.interval
        )
    })
}
