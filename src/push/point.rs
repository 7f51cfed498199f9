//! One change to one series, as a user asked for it.

use std::collections::BTreeMap;

use super::Fault;
use crate::config::quote;
use crate::contract::MetricType;

/// A change to a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The metric, without the suffixes of a histogram.
    pub name: String,
    /// The labels of the series, each name once.
    pub labels: BTreeMap<String, String>,
    /// What happens to it.
    pub change: Change,
    /// The line of the text that says so, counted from 1; none for a command line.
    pub line: Option<usize>,
}

/// What happens to a series.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A counter grows by this much.
    Inc(f64),
    /// A gauge is this from now on.
    Set(f64),
    /// A histogram gets one observation.
    Observe(f64),
    /// A histogram gets all observations of another one.
    Merge(Buckets),
}

/// A histogram's observations by their size.
#[derive(Debug, Clone, PartialEq)]
pub struct Buckets {
    /// The boundaries, smallest first, without `+Inf`.
    pub bounds: Vec<f64>,
    /// How many fell between each boundary and the one before, and last: above all of them.
    pub counts: Vec<u64>,
    /// The sum of all.
    pub sum: f64,
}

impl Change {
    /// The type of metric to which it can happen.
    #[must_use]
    pub const fn kind(&self) -> MetricType {
        match self {
            Self::Inc(_) => MetricType::Counter,
            Self::Set(_) => MetricType::Gauge,
            Self::Observe(_) | Self::Merge(_) => MetricType::Histogram,
        }
    }
}

/// The subcommand of `push` for a type of metric.
#[must_use]
pub const fn verb(kind: MetricType) -> &'static str {
    match kind {
        MetricType::Counter => "inc",
        MetricType::Gauge => "set",
        MetricType::Histogram => "observe",
    }
}

/// The labels of a command line: `name=value` each, where the value may be anything but empty.
pub fn labels(words: &[String]) -> Result<BTreeMap<String, String>, Fault> {
    let mut labels = BTreeMap::new();
    for word in words {
        let (name, value) = word.split_once('=').ok_or_else(|| {
            Fault::new(format!("{} is not a label", quote(word))).hint("write labels as `name=value`, behind the value")
        })?;
        if labels.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(Fault::new(format!("the label `{name}` is there twice")));
        }
    }
    Ok(labels)
}

/// The value of a command line: a number, or for the state of a circuit breaker its name.
pub fn value(metric: &str, word: &str) -> Result<f64, Fault> {
    if metric == BREAKER
        && let Some(at) = BREAKER_STATES.iter().position(|state| *state == word.to_ascii_lowercase().replace('_', "-"))
    {
        return Ok([0.0, 1.0, 2.0][at]);
    }
    word.parse().map_err(|_| {
        let expected = if metric == BREAKER { "`closed`, `open`, `half-open`, or 0, 1, 2" } else { "a number" };
        let hint = word.contains('=').then_some("the value stands in front of the labels");
        Fault {
            hint: hint.map(str::to_owned),
            ..Fault::new(format!("the value is {}; expected {expected}", quote(word)))
        }
    })
}

/// The metric whose numbers have names.
pub(super) const BREAKER: &str = "moko_circuit_breaker_state";
const BREAKER_STATES: [&str; 3] = ["closed", "open", "half-open"];
