//! Points from Prometheus' text format, as a script or its client library writes its metrics at the end of a run.
//!
//! What it counted in this run is added to the totals: that is what a registry holds which began with the process.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::Fault;
use super::batch::{Batch, Faults};
use super::definition::Declared;
use super::point::{Buckets, Change, Point};
use crate::contract::MetricType;
use crate::exposition::read::{Family, Kind, Sample, parse};

type Labels = BTreeMap<String, String>;

impl Batch {
    /// Reads a text; `kind` is the type of a metric of a script's own that has no `# TYPE` line here, where it is known.
    pub fn read(text: &str, kind: impl Fn(&str) -> Option<MetricType>) -> Result<Self, Faults> {
        let families = parse(text.strip_prefix('\u{feff}').unwrap_or(text)).map_err(|flaw| {
            Faults(vec![(
                Some(flaw.line),
                Fault::new(flaw.fact).hint("expected lines such as `NAME{label=\"value\"} 1`"),
            )])
        })?;
        let (mut batch, mut faults) = (Self::default(), Vec::new());
        for family in &families {
            if family.samples.is_empty() || is_time_of_creation(family, &families) {
                continue;
            }
            match points(family, &kind) {
                Ok(points) => batch.points.extend(points),
                Err(fault) => faults.push(fault),
            }
            let said = Declared {
                kind: typed(family.kind),
                help: family.help.as_ref().map(ToString::to_string).filter(|help| !help.is_empty()),
                bounds: None,
            };
            batch.said.insert(family.name.to_string(), said);
        }
        // A histogram's boundaries are those of its first series.
        for point in &batch.points {
            if let Change::Merge(buckets) = &point.change
                && let Some(said) = batch.said.get_mut(&point.name)
                && said.bounds.is_none()
            {
                said.bounds = Some(buckets.bounds.clone());
            }
        }
        if batch.points.is_empty() && faults.is_empty() {
            return Err(Faults::one(
                Fault::new("there are no metrics on stdin").hint("expected lines such as `NAME{label=\"value\"} 1`"),
            ));
        }
        if faults.is_empty() { Ok(batch) } else { Err(Faults(faults)) }
    }
}

const fn typed(kind: Kind) -> Option<MetricType> {
    match kind {
        Kind::Counter => Some(MetricType::Counter),
        Kind::Gauge => Some(MetricType::Gauge),
        Kind::Histogram => Some(MetricType::Histogram),
        Kind::Summary | Kind::Untyped => None,
    }
}

/// Python's client adds a gauge to each counter and histogram that tells when it was made; added up, it means nothing.
fn is_time_of_creation(family: &Family<'_>, all: &[Family<'_>]) -> bool {
    let Some(base) = family.name.strip_suffix("_created") else { return false };
    let total = format!("{base}_total");
    all.iter().any(|other| {
        let counts = matches!(other.kind, Kind::Counter | Kind::Histogram | Kind::Summary);
        counts && (other.name == base || other.name == total.as_str())
    })
}

type Found<T> = Result<T, (Option<usize>, Fault)>;

fn points(family: &Family<'_>, kind: impl Fn(&str) -> Option<MetricType>) -> Found<Vec<Point>> {
    let at = |line: usize, fault: Fault| (Some(line), fault);
    if let Some(sample) = family.samples.iter().find(|sample| sample.timestamp.is_some()) {
        let fault = Fault::new(format!("`{}` has a time behind its value; expected none", sample.name))
            .hint("what is pushed counts when it is scraped");
        return Err(at(sample.line, fault));
    }
    let known = typed(family.kind)
        .or_else(|| crate::contract::metric(&family.name).map(|metric| metric.kind))
        .or_else(|| kind(&family.name));
    match (family.kind, known) {
        (Kind::Summary, _) => {
            let fault = Fault::new(format!("`{}` is a summary; expected a counter, gauge or histogram", family.name))
                .hint("quantiles of several runs cannot be added up: use a histogram");
            Err(at(family.line, fault))
        }
        (Kind::Histogram, _) => histograms(family),
        (Kind::Untyped, Some(MetricType::Histogram)) => Err(at(
            family.line,
            Fault::new(format!("`{0}` is a histogram; expected `# TYPE {0} histogram` above", family.name)),
        )),
        (Kind::Untyped, None) => {
            let fault = Fault::new(format!(
                "there is no metric `{0}`{1}; expected `# TYPE {0} …` above a new one",
                family.name,
                guess(family)
            ));
            Err(at(family.line, fault))
        }
        (_, Some(MetricType::Counter)) => Ok(values(family, Change::Inc)),
        (_, _) => Ok(values(family, Change::Set)),
    }
}

fn guess(family: &Family<'_>) -> String {
    super::definition::guess(&family.name)
}

fn values(family: &Family<'_>, change: impl Fn(f64) -> Change) -> Vec<Point> {
    let point = |sample: &Sample<'_>| Point {
        name: family.name.to_string(),
        labels: owned(&sample.labels, ""),
        change: change(sample.value),
        line: Some(sample.line),
    };
    family.samples.iter().map(point).collect()
}

/// The labels, all but one.
fn owned(labels: &[(Cow<'_, str>, Cow<'_, str>)], without: &str) -> Labels {
    let others = labels.iter().filter(|(name, _)| name != without);
    others.map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

/// One histogram as its samples tell it.
#[derive(Default)]
struct Parts {
    line: usize,
    buckets: Vec<(f64, f64)>,
    sum: Option<f64>,
    count: Option<f64>,
}

fn histograms(family: &Family<'_>) -> Found<Vec<Point>> {
    let mut all: BTreeMap<Labels, Parts> = BTreeMap::new();
    for sample in &family.samples {
        let labels = owned(&sample.labels, if sample.name.ends_with("_bucket") { "le" } else { "" });
        let parts = all.entry(labels).or_insert_with(|| Parts { line: sample.line, ..Parts::default() });
        match sample.name.strip_prefix(family.name.as_ref()) {
            Some("_bucket") => {
                let bound = sample.label("le").and_then(|bound| bound.parse().ok()).unwrap_or(f64::NAN);
                parts.buckets.push((bound, sample.value));
            }
            Some("_sum") => parts.sum = Some(sample.value),
            _ => parts.count = Some(sample.value),
        }
    }
    let mut points: Vec<Point> = Vec::new();
    for (labels, parts) in all {
        let line = parts.line;
        let buckets = parts
            .buckets()
            .map_err(|fact| (Some(line), Fault::new(format!("the histogram `{}` {fact}", family.name))))?;
        points.push(Point { name: family.name.to_string(), labels, change: Change::Merge(buckets), line: Some(line) });
    }
    points.sort_by_key(|point| point.line);
    Ok(points)
}

impl Parts {
    fn buckets(mut self) -> Result<Buckets, &'static str> {
        self.buckets.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        let Some((last, all)) = self.buckets.last().copied() else { return Err("has no buckets") };
        if last != f64::INFINITY {
            return Err("has no bucket `le=\"+Inf\"`");
        }
        if self.count.is_some_and(|count| count.total_cmp(&all).is_ne()) {
            return Err("has another `_count` than its bucket `le=\"+Inf\"`");
        }
        let sum = self.sum.filter(|sum| sum.is_finite()).ok_or("has no `_sum` that is a finite number")?;
        let mut counts = Vec::with_capacity(self.buckets.len());
        let mut below = 0;
        for (_, count) in &self.buckets {
            let count = whole(*count).ok_or("has a bucket that is no whole number")?;
            counts.push(count.checked_sub(below).ok_or("has a bucket with less in it than a smaller one")?);
            below = count;
        }
        self.buckets.pop();
        if self.buckets.is_empty() {
            return Err("has no bucket besides `le=\"+Inf\"`");
        }
        Ok(Buckets { bounds: self.buckets.into_iter().map(|(bound, _)| bound).collect(), counts, sum })
    }
}

fn whole(value: f64) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is whole, and within what is exact"
    )]
    let whole = (0.0..=EXACT).contains(&value).then_some(value as u64);
    whole.filter(|_| value.fract() == 0.0)
}
