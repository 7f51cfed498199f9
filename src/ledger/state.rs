//! The totals of one script: metric families with their series.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::contract::{self, MetricType};
use crate::error::{Code, Error, Result};

/// The boundaries of run times, in seconds: from a tenth to twelve hours, with one at the 300 s of `SlowScriptExecution`
/// and several beyond it.
pub const DURATION_BOUNDS: [f64; 18] = [
    0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0,
    43200.0,
];

/// Labels that every series of a script gets from elsewhere.
const RESERVED: [&str; 4] = ["job", "instance", "script_name", "le"];

/// Everything that the ledger knows of one script.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The name of the script.
    pub script: String,
    /// Grows with every change, also beyond a state that was set aside; a published state with a lower number is out of
    /// date. 0: nothing was stored yet.
    pub revision: u64,
    /// When the totals began, in seconds since the epoch.
    pub created: f64,
    /// The metrics by name.
    pub families: BTreeMap<String, Family>,
    /// What commands want to know next time, each under a name of its own: fingerprints of findings, the last output.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub notes: BTreeMap<String, serde_json::Value>,
    /// Runs that are in the totals and whose records may still be there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) counted: Vec<String>,
    /// The damaged file that was set aside before this state began anew, if that happened just now.
    #[serde(skip)]
    pub set_aside: Option<PathBuf>,
}

/// A metric with its series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Family {
    /// Its type.
    pub kind: MetricType,
    /// The text of its `# HELP` line.
    pub help: String,
    /// The boundaries of a histogram, smallest first, without `+Inf`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bounds: Vec<f64>,
    /// Its series, each set of labels once.
    pub series: Vec<Series>,
}

/// One series, which of a histogram is one set of buckets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Its labels, without `script_name`.
    pub labels: BTreeMap<String, String>,
    /// What it stands at.
    #[serde(flatten)]
    pub value: Value,
}

/// What a series stands at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Value {
    /// Of a counter or gauge.
    Value(f64),
    /// Of a histogram.
    Histogram {
        /// How many fell between each boundary and the one before, and last: above all of them.
        counts: Vec<u64>,
        /// The sum of all.
        sum: f64,
    },
}

impl State {
    /// A state in which nothing has happened.
    #[must_use]
    pub fn new(script: &str) -> Self {
        Self {
            script: script.to_owned(),
            revision: 0,
            created: super::now(),
            families: BTreeMap::new(),
            notes: BTreeMap::new(),
            counted: Vec::new(),
            set_aside: None,
        }
    }

    /// A state in which the totals of runs stand at 0.
    pub fn without_runs(script: &str) -> Result<Self> {
        let mut state = Self::new(script);
        super::runs::zeros(&mut state)?;
        Ok(state)
    }

    /// Makes a metric known; metrics of the contract need not be. Nothing changes where it is known with this type; its
    /// text is replaced. `bounds` are for a histogram, and those it began with stay.
    ///
    /// # Errors
    ///
    /// [`Code::Usage`]: the name is none, or it is known with another type.
    pub fn declare(&mut self, name: &str, kind: MetricType, help: &str, bounds: &[f64]) -> Result<()> {
        let words = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(words) {
            return Err(Error::new(Code::Usage, format!("{} is not the name of a metric", crate::config::quote(name)))
                .hint("use letters, digits, `_` and `:`, and no digit first"));
        }
        if let Some(family) = self.families.get_mut(name) {
            if family.kind != kind {
                return Err(wrong_type(name, family.kind, kind));
            }
            help.clone_into(&mut family.help);
            return Ok(());
        }
        let ascending = bounds.windows(2).all(|pair| pair[0] < pair[1]) && bounds.iter().all(|bound| bound.is_finite());
        if kind == MetricType::Histogram && (bounds.is_empty() || !ascending) {
            return Err(Error::new(Code::Usage, format!("the boundaries of `{name}` are not numbers that ascend")));
        }
        let bounds = if kind == MetricType::Histogram { bounds.to_vec() } else { Vec::new() };
        self.families.insert(name.to_owned(), Family { kind, help: help.to_owned(), bounds, series: Vec::new() });
        Ok(())
    }

    /// Adds to a counter; by 0 to let it begin.
    pub fn inc(&mut self, name: &str, labels: &[(&str, &str)], by: f64) -> Result<()> {
        if by < 0.0 {
            return Err(Error::new(Code::Usage, format!("`{name}` is a counter and cannot go down by {}", -by)));
        }
        match self.series(name, MetricType::Counter, labels, by)? {
            (Value::Value(value), _) => *value += by,
            (Value::Histogram { .. }, _) => {}
        }
        Ok(())
    }

    /// Sets a gauge.
    pub fn set(&mut self, name: &str, labels: &[(&str, &str)], to: f64) -> Result<()> {
        match self.series(name, MetricType::Gauge, labels, to)? {
            (Value::Value(value), _) => *value = to,
            (Value::Histogram { .. }, _) => {}
        }
        Ok(())
    }

    /// Adds an observation to a histogram.
    pub fn observe(&mut self, name: &str, labels: &[(&str, &str)], observed: f64) -> Result<()> {
        if let (Value::Histogram { counts, sum }, bounds) =
            self.series(name, MetricType::Histogram, labels, observed)?
        {
            let bucket = bounds.iter().position(|bound| observed <= *bound).unwrap_or(bounds.len());
            if let Some(count) = counts.get_mut(bucket) {
                *count += 1;
            }
            *sum += observed;
        }
        Ok(())
    }

    /// Lets a histogram without labels begin at 0.
    pub(super) fn begin_histogram(&mut self, name: &str) -> Result<()> {
        self.series(name, MetricType::Histogram, &[], 0.0).map(|_| ())
    }

    /// Takes all series of a metric away.
    pub fn clear(&mut self, name: &str) {
        if let Some(family) = self.families.get_mut(name) {
            family.series.clear();
        }
    }

    /// The value of a counter or gauge.
    #[must_use]
    pub fn get(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels = owned(labels);
        match self.families.get(name)?.series.iter().find(|series| series.labels == labels)?.value {
            Value::Value(value) => Some(value),
            Value::Histogram { .. } => None,
        }
    }

    /// The series with these labels, begun at 0 where it is not there, and the boundaries of its histogram.
    fn series(
        &mut self,
        name: &str,
        kind: MetricType,
        labels: &[(&str, &str)],
        number: f64,
    ) -> Result<(&mut Value, &[f64])> {
        if !number.is_finite() {
            return Err(Error::new(Code::Usage, format!("`{name}` cannot take {number}"))
                .hint("give a number that is neither infinite nor NaN"));
        }
        for (label, _) in labels {
            if !is_label(label) {
                return Err(Error::new(
                    Code::Usage,
                    format!("{} is not a label that a script can give", crate::config::quote(label)),
                )
                .hint("use letters, digits and `_`, and none of `job`, `instance`, `script_name`, `le`"));
            }
        }
        if !self.families.contains_key(name)
            && let Some(metric) = contract::metric(name)
        {
            self.declare(name, metric.kind, metric.help, &DURATION_BOUNDS)?;
        }
        let Some(family) = self.families.get_mut(name) else {
            let name = crate::config::quote(name);
            return Err(Error::new(Code::NotFound, format!("the metric {name} is not known")));
        };
        if family.kind != kind {
            return Err(wrong_type(name, family.kind, kind));
        }
        let labels = owned(labels);
        let at = family.series.iter().position(|series| series.labels == labels).unwrap_or_else(|| {
            let value = match kind {
                MetricType::Histogram => Value::Histogram { counts: vec![0; family.bounds.len() + 1], sum: 0.0 },
                MetricType::Counter | MetricType::Gauge => Value::Value(0.0),
            };
            family.series.push(Series { labels, value });
            family.series.len() - 1
        });
        match family.series.get_mut(at) {
            Some(series) => Ok((&mut series.value, &family.bounds)),
            None => Err(Error::new(Code::NotFound, format!("`{name}` has no such series"))),
        }
    }
}

fn owned(labels: &[(&str, &str)]) -> BTreeMap<String, String> {
    labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn is_label(name: &str) -> bool {
    let words = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.starts_with("__")
        && name.chars().all(words)
        && !RESERVED.contains(&name)
}

fn wrong_type(name: &str, is: MetricType, wanted: MetricType) -> Error {
    Error::new(Code::Usage, format!("`{name}` is a {}, not a {}", is.as_str(), wanted.as_str()))
        .hint("a metric has one type for good: `push inc` is for counters, `push set` for gauges, `push observe` for histograms")
}
