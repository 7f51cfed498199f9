//! What a metric is: from the contract, or as a script said once of a metric of its own.

use std::collections::BTreeSet;

use super::Fault;
use super::point::{Point, verb};
use crate::config::names::is_metric;
use crate::config::{did_you_mean, quote};
use crate::contract::{self, EXTRAS, Label, MetricType, REQUIRED};
use crate::ledger::{DURATION_BOUNDS, Family};

/// A metric that values can be checked against.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: MetricType,
    /// The text of its `# HELP` line.
    pub help: String,
    /// The boundaries of a histogram.
    pub bounds: Vec<f64>,
    /// The labels that every series of it has, besides those of the group.
    pub labels: BTreeSet<String>,
    /// The labels with their values, for a metric of the contract.
    pub contract: Option<&'static [Label]>,
}

/// What a script says of a metric of its own.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Declared {
    /// Its type.
    pub kind: Option<MetricType>,
    /// The text of its `# HELP` line.
    pub help: Option<String>,
    /// The boundaries of a histogram, smallest first.
    pub bounds: Option<Vec<f64>>,
}

/// The label that the group of a script has already.
pub(super) const SCRIPT: &str = "script_name";

impl Definition {
    /// The definition of the metric of a point: from the contract, or else `known` (what the ledger has), or else what is
    /// said of it now.
    pub fn of(point: &Point, said: &Declared, known: Option<&Family>) -> Result<Self, Fault> {
        let name = point.name.as_str();
        if let Some(metric) = contract::metric(name) {
            let labels = metric.labels.iter().map(|label| label.name.to_owned()).filter(|label| label != SCRIPT);
            return Self {
                name: name.to_owned(),
                kind: metric.kind,
                help: metric.help.to_owned(),
                bounds: match (metric.kind, known, &said.bounds) {
                    (MetricType::Counter | MetricType::Gauge, ..) => Vec::new(),
                    (MetricType::Histogram, Some(known), _) => known.bounds.clone(),
                    (MetricType::Histogram, None, Some(bounds)) => ascending(bounds)?,
                    (MetricType::Histogram, None, None) => DURATION_BOUNDS.to_vec(),
                },
                labels: labels.collect(),
                contract: Some(metric.labels),
            }
            .said(said);
        }
        let Some(family) = known else { return Self::new(point, said) };
        let labels = family.series.first().filter(|_| said.kind.is_none());
        let labels =
            labels.map_or_else(|| point.labels.keys().cloned().collect(), |of| of.labels.keys().cloned().collect());
        Self {
            name: name.to_owned(),
            kind: family.kind,
            help: said.help.clone().unwrap_or_else(|| family.help.clone()),
            bounds: family.bounds.clone(),
            labels,
            contract: None,
        }
        .said(said)
    }

    /// A metric that nobody has heard of.
    fn new(point: &Point, said: &Declared) -> Result<Self, Fault> {
        let name = point.name.as_str();
        if !is_metric(name) || name.contains(':') {
            return Err(Fault::new(format!("{} is not the name of a metric", quote(name)))
                .hint("use letters, digits and `_`, and no digit first; colons are for the names of recording rules"));
        }
        let series_of = ["_bucket", "_sum", "_count"].into_iter().find_map(|suffix| {
            contract::metric(name.strip_suffix(suffix)?).filter(|metric| metric.kind == MetricType::Histogram)
        });
        if let Some(histogram) = series_of {
            return Err(Fault::new(format!("`{name}` is a series of the histogram `{}`", histogram.name))
                .hint(format!("use `moko-mon push observe {} VALUE`", histogram.name)));
        }
        let guess = guess(name);
        let wanted = point.change.kind();
        let Some(kind) = said.kind.filter(|_| guess.is_empty()) else {
            let hint = if guess.is_empty() {
                format!("a metric of your own needs its type once: add `--type {}`", wanted.as_str())
            } else {
                "docs/metrics.md has the metrics of the contract".to_owned()
            };
            return Err(Fault::new(format!("there is no metric {}{guess}", quote(name))).hint(hint));
        };
        let help = said.help.clone().unwrap_or_else(|| "A metric of a script.".to_owned());
        let bounds = match (&said.bounds, kind) {
            (Some(bounds), MetricType::Histogram) => ascending(bounds)?,
            (None, MetricType::Histogram) if name.ends_with("_seconds") => DURATION_BOUNDS.to_vec(),
            (None, MetricType::Histogram) => {
                return Err(Fault::new(format!("nothing says how large the values of `{name}` are"))
                    .hint("give the boundaries of its buckets once: `--buckets 10,100,1000`"));
            }
            (_, MetricType::Counter | MetricType::Gauge) => Vec::new(),
        };
        let labels = point.labels.keys().cloned().collect();
        Self { name: name.to_owned(), kind, help, bounds, labels, contract: None }.said(said)
    }

    /// Refuses what is said now if it contradicts what holds already.
    fn said(self, said: &Declared) -> Result<Self, Fault> {
        let name = &self.name;
        if let Some(kind) = said.kind.filter(|kind| *kind != self.kind) {
            return Err(Fault::new(format!("`{name}` is a {}, not a {}", self.kind.as_str(), kind.as_str()))
                .hint("a metric has one type for good; another type needs another name"));
        }
        match &said.bounds {
            Some(_) if self.kind != MetricType::Histogram => {
                Err(Fault::new(format!("`{name}` is a {}; only histograms have buckets", self.kind.as_str())))
            }
            Some(bounds) if *bounds != self.bounds => {
                let has = self.bounds.iter().map(f64::to_string).collect::<Vec<_>>().join(",");
                Err(Fault::new(format!("the buckets of `{name}` are other ones: {has}"))
                    .hint("a histogram keeps its buckets for good; other ones need another name"))
            }
            Some(_) | None => Ok(self),
        }
    }

    /// Refuses a change that is not for a metric of this type.
    pub(super) fn takes(&self, point: &Point) -> Result<(), Fault> {
        let (is, wanted) = (self.kind, point.change.kind());
        if is == wanted {
            return Ok(());
        }
        let fact = match point.line {
            None => {
                format!("`{}` is a {}, and `push {}` is for {}s", self.name, is.as_str(), verb(wanted), wanted.as_str())
            }
            Some(_) => format!("`{}` is a {}, not a {}", self.name, is.as_str(), wanted.as_str()),
        };
        let hint = point.line.is_none().then(|| format!("use `moko-mon push {} {}`", verb(is), self.name));
        Err(Fault { hint, ..Fault::new(fact) })
    }
}

fn ascending(bounds: &[f64]) -> Result<Vec<f64>, Fault> {
    let good = !bounds.is_empty()
        && bounds.iter().all(|bound| bound.is_finite())
        && bounds.windows(2).all(|pair| pair[0] < pair[1]);
    if good {
        return Ok(bounds.to_vec());
    }
    let found = bounds.iter().map(f64::to_string).collect::<Vec<_>>().join(",");
    Err(Fault::new(format!("the buckets are {}; expected finite numbers, smallest first", quote(&found)))
        .hint("the bucket for all that is larger comes by itself"))
}

/// ` (did you mean …?)` where a metric of the contract has nearly this name.
pub(super) fn guess(name: &str) -> String {
    did_you_mean(name, REQUIRED.iter().chain(&EXTRAS).map(|metric| metric.name))
}
