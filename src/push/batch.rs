//! The points of one call: checked together, counted together.

use std::collections::BTreeMap;

use super::Fault;
use super::check::{check, script_of};
use super::definition::{Declared, Definition};
use super::point::{Buckets, Change, Point};
use crate::contract::MetricType;
use crate::error::{Code, Error, Result};
use crate::ledger::{Family, Series, State, Value};

/// As many faults are told at once; who has more has one mistake in all of them.
const MOST_FAULTS: usize = 20;

/// What one call wants to change.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Batch {
    /// The changes, in the order in which they are made.
    pub points: Vec<Point>,
    /// What is said of metrics, by name.
    pub said: BTreeMap<String, Declared>,
}

/// Everything that is wrong with a batch, each with its line in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(pub(super) Vec<(Option<usize>, Fault)>);

impl Faults {
    /// One fault of a command line.
    #[must_use]
    pub fn one(fault: Fault) -> Self {
        Self(vec![(None, fault)])
    }

    /// The error for a user; `goal` is what could not be done.
    #[must_use]
    pub fn error(self, goal: impl Into<String>) -> Error {
        let mut error = Error::new(Code::Usage, goal);
        let count = self.0.len();
        for (line, fault) in self.0.into_iter().take(MOST_FAULTS) {
            error = error.cause(line.map_or_else(|| fault.fact.clone(), |line| format!("line {line}: {}", fault.fact)));
            // The first says enough: the others mostly have the same.
            error.hint = error.hint.or(fault.hint);
        }
        if count > MOST_FAULTS {
            error = error.cause(format!("and {} more", count - MOST_FAULTS));
        }
        let nothing = if count > 1 || error.causes.iter().any(|cause| cause.starts_with("line ")) {
            "nothing was counted"
        } else {
            return error;
        };
        let hint = error.hint.take().map_or_else(|| nothing.to_owned(), |hint| format!("{hint}; {nothing}"));
        error.hint(hint)
    }
}

impl Batch {
    /// One change of a command line, and what is said of its metric.
    #[must_use]
    pub fn one(point: Point, said: Declared) -> Self {
        let name = point.name.clone();
        Self { points: vec![point], said: BTreeMap::from([(name, said)]) }
    }

    /// Takes the name of the script out of the labels: it belongs to the group.
    pub fn script(&mut self) -> Result<Option<String>, Faults> {
        script_of(&mut self.points).map_err(Faults::one)
    }

    /// The metrics of the batch, checked; `known` is what the ledger has of a metric.
    pub fn definitions(&self, known: impl Fn(&str) -> Option<Family>) -> Result<BTreeMap<String, Definition>, Faults> {
        let mut definitions: BTreeMap<String, Definition> = BTreeMap::new();
        let mut faults = Vec::new();
        let mut refused: Vec<&str> = Vec::new();
        let nothing = Declared::default();
        for point in &self.points {
            if refused.contains(&point.name.as_str()) {
                continue;
            }
            if !definitions.contains_key(&point.name) {
                let said = self.said.get(&point.name).unwrap_or(&nothing);
                let known = known(&point.name);
                let taken = definitions.values().try_for_each(|other| collision(&point.name, &other.name, other.kind));
                match taken.and_then(|()| Definition::of(point, said, known.as_ref())) {
                    Ok(definition) => drop(definitions.insert(point.name.clone(), definition)),
                    Err(fault) => {
                        refused.push(&point.name);
                        faults.push((point.line, fault));
                        continue;
                    }
                }
            }
            if let Some(definition) = definitions.get(&point.name)
                && let Err(fault) = check(point, definition)
            {
                faults.push((point.line, fault));
            }
        }
        faults.sort_by_key(|(line, _)| *line);
        if faults.is_empty() { Ok(definitions) } else { Err(Faults(faults)) }
    }

    /// Makes the changes. What was checked only fails where the ledger has changed since then.
    pub fn apply(&self, definitions: &BTreeMap<String, Definition>, state: &mut State) -> Result<()> {
        for definition in definitions.values() {
            state.declare(&definition.name, definition.kind, &definition.help, &definition.bounds)?;
        }
        for point in &self.points {
            let name = point.name.as_str();
            let labels: Vec<(&str, &str)> =
                point.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            match &point.change {
                Change::Inc(by) => {
                    if let Some(definition) = definitions.get(name) {
                        zeros(definition, &labels, state)?;
                    }
                    state.inc(name, &labels, *by)?;
                    if state.get(name, &labels).is_some_and(f64::is_infinite) {
                        return Err(Error::new(Code::Usage, format!("the total of `{name}` would be infinite")));
                    }
                }
                Change::Set(to) => state.set(name, &labels, *to)?,
                Change::Observe(value) => state.observe(name, &labels, *value)?,
                Change::Merge(buckets) => merge(state, point, buckets)?,
            }
        }
        Ok(())
    }
}

/// Lets every value of a vocabulary begin at 0, so that the first of each is seen to happen.
fn zeros(definition: &Definition, labels: &[(&str, &str)], state: &mut State) -> Result<()> {
    for label in definition.contract.unwrap_or_default() {
        for value in label.values {
            let others = labels.iter().map(|of| if of.0 == label.name { (label.name, *value) } else { *of });
            state.inc(&definition.name, &others.collect::<Vec<_>>(), 0.0)?;
        }
    }
    Ok(())
}

fn merge(state: &mut State, point: &Point, buckets: &Buckets) -> Result<()> {
    let Some(family) = state.families.get_mut(&point.name).filter(|family| family.bounds == buckets.bounds) else {
        return Err(Error::new(Code::Usage, format!("`{}` has other buckets by now", point.name)));
    };
    let at = family.series.iter().position(|series| series.labels == point.labels).unwrap_or_else(|| {
        let value = Value::Histogram { counts: vec![0; buckets.counts.len()], sum: 0.0 };
        family.series.push(Series { labels: point.labels.clone(), value });
        family.series.len() - 1
    });
    if let Some(Series { value: Value::Histogram { counts, sum }, .. }) = family.series.get_mut(at) {
        counts.iter_mut().zip(&buckets.counts).for_each(|(count, more)| *count += more);
        *sum += buckets.sum;
    }
    Ok(())
}

/// A name that would be a series of a histogram in the same batch.
fn collision(name: &str, other: &str, kind: MetricType) -> Result<(), Fault> {
    let suffixes = ["_bucket", "_sum", "_count"];
    let series =
        kind == MetricType::Histogram && suffixes.iter().any(|suffix| name.strip_suffix(suffix) == Some(other));
    if series { Err(Fault::new(format!("`{name}` is a series of the histogram `{other}`"))) } else { Ok(()) }
}
