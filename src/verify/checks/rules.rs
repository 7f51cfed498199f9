//! The rules that Prometheus evaluates.

mod expected;
mod expressions;
mod loaded;
mod metrics;
mod state;

use futures_util::FutureExt as _;

use super::check;
use crate::component::Component;
use crate::error::Result;
use crate::http::prometheus::RuleKind;
use crate::verify::{Check, World};

const NAME: &str = "prometheus";
const READY: &[&str] = &["prometheus.ready"];
const LOADED: &[&str] = &["prometheus.ready", "rules.loaded"];

pub(in crate::verify) fn checks(_world: &World) -> Vec<Check> {
    vec![
        check(
            "rules.loaded",
            NAME,
            "Exactly the alert and recording rules of the settings are loaded: none is missing, none is too many.",
            &["prometheus.ready", "engine.files.prometheus", "prometheus.config"],
            |world| loaded::look(world).boxed(),
        ),
        check(
            "rules.expressions",
            NAME,
            "The loaded rules say what their files say: expression, labels, texts and durations.",
            LOADED,
            |world| expressions::look(world).boxed(),
        ),
        check("rules.health", NAME, "No rule failed when it was last evaluated.", READY, |world| {
            state::look_health(world).boxed()
        }),
        check("rules.fresh", NAME, "Every group of rules was evaluated within its interval.", READY, |world| {
            state::look_fresh(world).boxed()
        }),
        check("rules.duration", NAME, "No group of rules takes longer than its interval.", READY, |world| {
            state::look_duration(world).boxed()
        }),
        check("rules.metrics", NAME, "The metrics that your own rules ask for exist.", LOADED, |world| {
            metrics::look(world).boxed()
        }),
    ]
}

/// The rules that the settings make; `None` where that is not a stack of ours.
fn wanted(world: &World) -> Result<Option<Vec<expected::Group>>> {
    let interval = world.expected.as_ref().map(|expected| &expected.config.prometheus.evaluation_interval);
    let (Some(spec), Some(interval)) = (world.spec(Component::Prometheus), interval) else { return Ok(None) };
    expected::groups(spec, interval.as_duration()).map(Some)
}

/// `alert` or `recording rule`, for sentences.
const fn word(kind: RuleKind) -> &'static str {
    match kind {
        RuleKind::Alerting => "alert",
        RuleKind::Recording => "recording rule",
    }
}

/// A file by the last part of its path.
fn short(file: &str) -> &str {
    file.rsplit('/').next().unwrap_or(file)
}

#[cfg(test)]
mod tests;
