//! Whether a point fits its metric: type, labels, vocabulary, value.

use std::collections::BTreeSet;

use super::Fault;
use super::definition::{Definition, SCRIPT};
use super::point::{BREAKER, Change, Point};
use crate::config::names::is_label;
use crate::config::{did_you_mean, list, quote};
use crate::contract::MetricType;

/// Labels that come from the group or from the format.
const RESERVED: [&str; 4] = ["job", "instance", "le", "quantile"];

/// The largest number that is taken for seconds since the epoch; beyond it are milliseconds.
const LAST_SECOND: f64 = 1e11;

/// Refuses what does not fit.
pub(super) fn check(point: &Point, definition: &Definition) -> Result<(), Fault> {
    definition.takes(point)?;
    labels(point, definition)?;
    values(point, definition)?;
    number(point, definition)
}

fn labels(point: &Point, definition: &Definition) -> Result<(), Fault> {
    let name = &definition.name;
    for label in point.labels.keys() {
        if RESERVED.contains(&label.as_str()) {
            let from = if matches!(label.as_str(), "job" | "instance") {
                format!("it is the setting `push.{label}`")
            } else {
                "it belongs to the format".to_owned()
            };
            return Err(Fault::new(format!("the label `{label}` cannot be given")).hint(from));
        }
        if !is_label(label) || label.starts_with("__") {
            return Err(Fault::new(format!("{} is not the name of a label", quote(label)))
                .hint("use letters, digits and `_`, no digit first, and no `__` in front"));
        }
    }
    let given: BTreeSet<&String> = point.labels.keys().collect();
    let wanted: BTreeSet<&String> = definition.labels.iter().collect();
    let expected = match list(wanted.iter().map(|label| label.as_str())).replace(" or ", " and ") {
        none if none.is_empty() => "none".to_owned(),
        some => some,
    };
    let again = definition.contract.is_none() && point.line.is_none();
    let again = again
        .then(|| format!("if it is to have other labels from now on, add `--type {}` once", definition.kind.as_str()));
    let refused = |fact: String| Err(Fault { hint: again.clone(), ..Fault::new(fact) });
    if let Some(unknown) = given.difference(&wanted).next() {
        let guess = did_you_mean(unknown, wanted.difference(&given).map(|label| label.as_str()));
        return refused(format!("`{name}` has no label `{unknown}`{guess}; expected {expected}"));
    }
    if let Some(missing) = wanted.difference(&given).next() {
        return refused(format!("`{name}` needs the label `{missing}`: write `{missing}=…`"));
    }
    Ok(())
}

fn values(point: &Point, definition: &Definition) -> Result<(), Fault> {
    for (label, value) in &point.labels {
        if value.is_empty() {
            return Err(Fault::new(format!("the label `{label}` is empty, which is the same as not being there")));
        }
        let vocabulary = definition.contract.and_then(|labels| labels.iter().find(|of| of.name == label));
        let words = vocabulary.map_or(&[][..], |of| of.values);
        if !words.is_empty() && !words.contains(&value.as_str()) {
            let guess = did_you_mean(value, words.iter().copied());
            let words = list(words.iter().copied());
            return Err(Fault::new(format!("`{label}` is {}{guess}; expected {words}", quote(value))));
        }
    }
    Ok(())
}

fn number(point: &Point, definition: &Definition) -> Result<(), Fault> {
    let name = &definition.name;
    let value = match &point.change {
        Change::Inc(value) | Change::Set(value) | Change::Observe(value) => *value,
        Change::Merge(buckets) => {
            return if buckets.bounds == definition.bounds {
                Ok(())
            } else {
                let has = definition.bounds.iter().map(f64::to_string).collect::<Vec<_>>().join(", ");
                Err(Fault::new(format!("the buckets of `{name}` are other ones; expected {has} and +Inf")))
            };
        }
    };
    if !value.is_finite() {
        return Err(Fault::new(format!("the value is {value}; expected a number that is neither NaN nor infinite")));
    }
    if value < 0.0 && definition.kind == MetricType::Counter {
        return Err(Fault::new(format!("the value is {value}; a counter only grows: expected 0 or more")));
    }
    if value < 0.0 && definition.contract.is_some() {
        return Err(Fault::new(format!("the value is {value}; expected 0 or more")));
    }
    if name == BREAKER && ![0.0, 1.0, 2.0].contains(&value) {
        return Err(Fault::new(format!("the value is {value}; expected 0 (closed), 1 (open) or 2 (half-open)")));
    }
    if definition.contract.is_some() && name.ends_with("_timestamp_seconds") && value > LAST_SECOND {
        return Err(Fault::new(format!(
            "the value is {value}; expected seconds since the epoch, and that are milliseconds"
        )));
    }
    Ok(())
}

/// The name of a script that labels give: it is the label of the group, so it goes there.
pub(super) fn script_of(points: &mut [Point]) -> Result<Option<String>, Fault> {
    let names: BTreeSet<String> = points.iter_mut().filter_map(|point| point.labels.remove(SCRIPT)).collect();
    if names.len() > 1 {
        let names = names.iter().map(String::as_str).collect::<Vec<_>>();
        return Err(Fault::new(format!(
            "these are metrics of several scripts: {}",
            list(names.iter().copied()).replace(" or ", " and ")
        ))
        .hint("push those of each script in a call of their own"));
    }
    Ok(names.into_iter().next())
}
