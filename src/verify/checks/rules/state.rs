//! How the evaluation of rules goes.

use std::time::Duration;

use super::{short, word};
use crate::component::Component;
use crate::error::Result;
use crate::http::excerpt;
use crate::http::prometheus::{RuleGroup, Runtime};
use crate::ui::human;
use crate::verify::checks::prometheus::{LATE, begun};
use crate::verify::checks::{few, moment, not_given, since};
use crate::verify::{Finding, Outcome, World};

/// The share of its interval that a group may take without a word.
const LONG: f64 = 0.8;

pub(super) async fn look_health(world: &World) -> Result<Finding> {
    let Some(prometheus) = world.prometheus() else { return Ok(not_given(Component::Prometheus)) };
    Ok(judge_health(world.facts.prometheus.rules(&prometheus).await?))
}

pub(super) fn judge_health(groups: &[RuleGroup]) -> Finding {
    let (mut facts, mut unknown, mut count) = (Vec::new(), 0, 0_usize);
    for group in groups {
        for rule in &group.rules {
            count += 1;
            match rule.health.as_str() {
                "ok" => {}
                "unknown" => unknown += 1,
                _ => facts.push(format!(
                    "{} `{}` of group `{}` ({}): {}",
                    word(rule.kind),
                    rule.name,
                    group.name,
                    short(&group.file),
                    excerpt(&rule.last_error)
                )),
            }
        }
    }
    if facts.is_empty() && unknown > 0 {
        return Finding::skip(format!("not yet: {unknown} of {count} rules wait for their first evaluation"));
    }
    let hint = "try the expression on Prometheus' own page, mend it in its rule file, then `moko-mon up`";
    Finding::fail_if_any(few(facts), hint, format!("{count} rules were evaluated without an error"))
}

pub(super) async fn look_fresh(world: &World) -> Result<Finding> {
    let Some(prometheus) = world.prometheus() else { return Ok(not_given(Component::Prometheus)) };
    let groups = world.facts.prometheus.rules(&prometheus).await?;
    let runtime = world.facts.prometheus.runtime(&prometheus).await?;
    Ok(judge_fresh(groups, runtime))
}

pub(super) fn judge_fresh(groups: &[RuleGroup], runtime: &Runtime) -> Finding {
    let (begun, now) = begun(runtime);
    let (mut facts, mut pending) = (Vec::new(), Vec::new());
    for group in groups {
        let interval = length(group.interval);
        let limit = interval * 2 + length(group.evaluation_time) + LATE;
        let name = format!("group `{}` ({})", group.name, short(&group.file));
        match moment(&group.last_evaluation) {
            Some(at) if since(at, now) > limit => facts.push(format!(
                "{name} was last evaluated {} ago, and should be every {}",
                human(since(at, now)),
                human(interval)
            )),
            Some(_) => {}
            None if begun.is_some_and(|begun| since(begun, now) > limit) => {
                facts.push(format!("{name} was never evaluated"));
            }
            None => pending.push(format!("{name} is evaluated for the first time within {}", human(interval))),
        }
    }
    if facts.is_empty() && !pending.is_empty() {
        return Finding::skip(format!("not yet: {}", few(pending).join("; ")));
    }
    let hint = "see what keeps Prometheus busy with `moko-mon logs prometheus`";
    Finding::fail_if_any(few(facts), hint, format!("{} groups were evaluated in time", groups.len()))
}

pub(super) async fn look_duration(world: &World) -> Result<Finding> {
    let Some(prometheus) = world.prometheus() else { return Ok(not_given(Component::Prometheus)) };
    Ok(judge_duration(world.facts.prometheus.rules(&prometheus).await?))
}

pub(super) fn judge_duration(groups: &[RuleGroup]) -> Finding {
    let hint = "make its rules cheaper, spread them over more groups, or raise `prometheus.evaluation_interval`";
    let slow = |limit: &dyn Fn(&RuleGroup) -> f64| {
        let groups = groups.iter().filter(|group| group.evaluation_time > limit(group));
        let facts = groups.map(|group| {
            format!(
                "group `{}` ({}) took {} of its {}",
                group.name,
                short(&group.file),
                human(length(group.evaluation_time)),
                human(length(group.interval))
            )
        });
        few(facts.collect())
    };
    // One slow moment of a busy machine is none of the rules' fault.
    let too_long = slow(&|group| group.interval + LATE.as_secs_f64());
    if !too_long.is_empty() {
        return Finding { outcome: Outcome::Fail, evidence: too_long, hint: Some(hint.to_owned()) };
    }
    let slowest = groups.iter().map(|group| group.evaluation_time).fold(0.0, f64::max);
    let fine = format!("the slowest of {} groups took {:.0} ms", groups.len(), slowest * 1e3);
    Finding::warn_if_any(slow(&|group| group.interval * LONG), hint, fine)
}

/// Seconds as the server gives them.
fn length(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
