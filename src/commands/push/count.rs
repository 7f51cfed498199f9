//! `push inc`, `push set`, `push observe`, and what all have in common that change totals.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::Context;
use super::Push;
use crate::cli;
use crate::contract::{self, MetricType};
use crate::error::{Code, Error, Result};
use crate::ledger::{Family, State};
use crate::push::{Batch, Change, Declared, Definition, Fault, Faults, Point, labels, value};
use crate::run::{RUN_VARIABLE, SCRIPT_VARIABLE};
use crate::ui::Report;

pub(super) async fn inc(context: &Context<'_>, flags: &cli::Inc) -> Result<Report> {
    let (by, labels) = match flags.words.split_first() {
        Some((by, labels)) if !by.contains('=') => (by.as_str(), labels),
        _ => ("1", flags.words.as_slice()),
    };
    let said = declared(&flags.own);
    one(context, &flags.name, by, labels, Change::Inc, said, &flags.target).await
}

pub(super) async fn set(context: &Context<'_>, flags: &cli::Value) -> Result<Report> {
    let said = declared(&flags.own);
    one(context, &flags.name, &flags.value, &flags.labels, Change::Set, said, &flags.target).await
}

pub(super) async fn observe(context: &Context<'_>, flags: &cli::Observe) -> Result<Report> {
    let cli::Observe { value, buckets } = flags;
    let bounds = Some(buckets.clone()).filter(|buckets| !buckets.is_empty());
    let said = Declared { bounds, ..declared(&value.own) };
    one(context, &value.name, &value.value, &value.labels, Change::Observe, said, &value.target).await
}

fn declared(own: &cli::Own) -> Declared {
    Declared { kind: own.kind.map(MetricType::from), help: own.help_text.clone(), bounds: None }
}

async fn one(
    context: &Context<'_>,
    name: &str,
    word: &str,
    words: &[String],
    change: impl FnOnce(f64) -> Change,
    said: Declared,
    target: &cli::Target,
) -> Result<Report> {
    let point = || -> Result<Point, Fault> {
        // A value that is missing shows as labels that are none.
        let labels = labels(words)?;
        Ok(Point { name: name.to_owned(), labels, change: change(value(name, word)?), line: None })
    };
    let goal = format!("could not push {}", crate::config::quote(name));
    let point = point().map_err(|fault| Faults::one(fault).error(goal.clone()))?;
    let push = Push::new(context)?;
    count(context, &push, Batch::one(point, said), target, None, &goal).await
}

/// Counts a batch and publishes it. `own` is the script of those that need none.
pub(super) async fn count(
    context: &Context<'_>,
    push: &Push,
    mut batch: Batch,
    target: &cli::Target,
    own: Option<&str>,
    goal: &str,
) -> Result<Report> {
    let named = batch.script().map_err(|faults| faults.error(goal))?;
    let script = script(context, target, named, own).map_err(|error| error.goal(goal));
    // What is wrong with the metrics comes first: it is wrong whoever's they are.
    let metrics_of_it = batch.points.iter().map(|point| point.name.as_str());
    let known = known(push, metrics_of_it, script.as_deref().unwrap_or_default())?;
    let definitions = batch.definitions(|name| known.get(name).cloned()).map_err(|faults| faults.error(goal))?;
    let script = script?;
    warn_of_counting_twice(context, &batch, &script);
    let (state, ()) = push.ledger.script(&script).update(|state| batch.apply(&definitions, state))?;
    let data = json!({"metrics": metrics(&batch, &definitions, &state)});
    published(context, push, &state, target, Report::new(data, String::new())).await
}

/// Whose metrics these are.
pub(super) fn script(
    context: &Context<'_>,
    target: &cli::Target,
    named: Option<String>,
    own: Option<&str>,
) -> Result<String> {
    let from_run = context.environment.get(SCRIPT_VARIABLE).filter(|name| !name.is_empty());
    let told = target.script.as_ref().or(from_run.filter(|_| named.is_none()));
    match (named, told) {
        (Some(named), Some(told)) if named != *told => {
            Err(Error::new(Code::Usage, format!("the label `script_name` is `{named}`, and `--script` is `{told}`"))
                .hint("say it once"))
        }
        (Some(name), _) => Ok(name),
        (None, Some(name)) => Ok(name.clone()),
        (None, None) => own.map(str::to_owned).ok_or_else(|| {
            Error::new(Code::Usage, "nothing says whose metric it is")
                .hint("add `--script NAME`; a script that is run by `moko-mon run` need not say it")
        }),
    }
    .and_then(|name| {
        if name.is_empty() { Err(Error::new(Code::Usage, "the name of the script is empty")) } else { Ok(name) }
    })
}

/// A wrapped script that counts its runs, too, would have two for each.
fn warn_of_counting_twice(context: &Context<'_>, batch: &Batch, script: &str) {
    let wrapped = context.environment.get(SCRIPT_VARIABLE).is_some_and(|name| name == script)
        && context.environment.contains_key(RUN_VARIABLE);
    let of_run = ["moko_script_executions_total", "moko_script_duration_seconds"];
    if let Some(point) = batch.points.iter().find(|point| of_run.contains(&point.name.as_str())).filter(|_| wrapped) {
        context.ui.warn(format!("`moko-mon run` counts `{}` of this run as well, so it is counted twice", point.name));
    }
}

/// What the ledger has of these metrics: in the totals of this script, or else of any other. Of the contract's it is only
/// the buckets of this script's histograms.
pub(super) fn known<'a>(
    push: &Push,
    names: impl IntoIterator<Item = &'a str>,
    script: &str,
) -> Result<BTreeMap<String, Family>> {
    let mut missing: BTreeSet<&str> = names.into_iter().collect();
    missing.retain(|name| contract::metric(name).is_none_or(|metric| metric.kind == MetricType::Histogram));
    let mut known = BTreeMap::new();
    if missing.is_empty() {
        return Ok(known);
    }
    // A damaged one is set aside by the update; it knows nothing.
    if let Ok(state) = push.ledger.script(script).read() {
        take(state, &mut missing, &mut known);
    }
    missing.retain(|name| contract::metric(name).is_none());
    // Only a metric that is new to this script makes it worth while to look at all others.
    let others = if missing.is_empty() { Vec::new() } else { push.ledger.scripts()?.0 };
    for other in others {
        if let Ok(state) = other.read() {
            take(state, &mut missing, &mut known);
        }
        if missing.is_empty() {
            break;
        }
    }
    Ok(known)
}

fn take(state: State, missing: &mut BTreeSet<&str>, known: &mut BTreeMap<String, Family>) {
    for (name, family) in state.families {
        if missing.remove(name.as_str()) {
            known.insert(name, family);
        }
    }
}

fn metrics(batch: &Batch, definitions: &BTreeMap<String, Definition>, state: &State) -> Vec<Value> {
    let metric = |point: &Point| {
        let labels: Vec<(&str, &str)> =
            point.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        json!({
            "name": point.name,
            "type": definitions.get(&point.name).map(|definition| definition.kind.as_str()),
            "labels": point.labels,
            // `null` for a histogram.
            "value": state.get(&point.name, &labels),
        })
    };
    batch.points.iter().map(metric).collect()
}

/// Publishes new totals, and adds to the report how that went. Monitoring that is down is no reason to fail a script: the
/// totals are kept, and the next push sends them.
pub(super) async fn published(
    context: &Context<'_>,
    push: &Push,
    state: &State,
    target: &cli::Target,
    mut report: Report,
) -> Result<Report> {
    if let Some(aside) = &state.set_aside {
        context.ui.warn(format!(
            "the ledger of `{}` was damaged: it is now `{}`, and the totals begin anew",
            state.script,
            aside.display()
        ));
    }
    let outcome = push.publisher.publish(&push.ledger.script(&state.script)).await;
    if let Value::Object(data) = &mut report.data {
        data.insert("script".to_owned(), json!(state.script));
        data.insert("published".to_owned(), json!(outcome.is_ok()));
    }
    if let Err(error) = outcome {
        if target.strict {
            report.failed = Some(error);
        } else {
            let why = error.in_one_line();
            context
                .ui
                .warn(format!("{why}; the totals are kept, and the next push or `moko-mon push flush` sends them"));
        }
    }
    Ok(report)
}
