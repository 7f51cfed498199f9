//! The one reader of metrics as text, in Prometheus' text format 0.0.4, with names in quotes as newer servers write them.
//!
//! It is strict: what a Pushgateway would refuse, or drop without a word, is a flaw with its line. Nothing is copied but
//! texts with an escape in them.

mod line;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;

use self::line::{Cursor, unescape};
use crate::config::names::is_metric;

/// The type of a family, as its `# TYPE` line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Any value.
    Gauge,
    /// `_bucket`, `_sum` and `_count`.
    Histogram,
    /// Quantiles, `_sum` and `_count`.
    Summary,
    /// Its type is not told.
    #[default]
    Untyped,
}

/// A metric with its samples.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Family<'a> {
    /// Its name, without the suffixes of a histogram or summary.
    pub name: Cow<'a, str>,
    /// Its type.
    pub kind: Kind,
    /// The text of its `# HELP` line, if it has one.
    pub help: Option<Cow<'a, str>>,
    /// Its samples in the order of the text; none with the same name and labels twice.
    pub samples: Vec<Sample<'a>>,
    /// The first line that names it, counted from 1.
    pub line: usize,
    typed: bool,
}

/// One line with a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample<'a> {
    /// Its name, with the suffix of a histogram or summary.
    pub name: Cow<'a, str>,
    /// Its labels in the order of the text, each name once.
    pub labels: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Its value.
    pub value: f64,
    /// When it was measured, in milliseconds since the epoch, if the text says so.
    pub timestamp: Option<i64>,
    /// Its line, counted from 1.
    pub line: usize,
}

/// What is wrong with a text, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub fact: String,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.fact)
    }
}

impl std::error::Error for Flaw {}

impl Kind {
    /// The word in a `# TYPE` line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
            Self::Untyped => "untyped",
        }
    }

    fn of(word: &str) -> Option<Self> {
        [Self::Counter, Self::Gauge, Self::Histogram, Self::Summary, Self::Untyped]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }

    /// What may follow the family's name in the name of a sample.
    const fn suffixes(self) -> &'static [&'static str] {
        match self {
            Self::Counter | Self::Gauge | Self::Untyped => &[""],
            Self::Histogram => &["_bucket", "_sum", "_count"],
            Self::Summary => &["", "_sum", "_count"],
        }
    }
}

impl Sample<'_> {
    /// The value of a label.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(of, _)| of == name).map(|(_, value)| value.as_ref())
    }
}

/// Reads a whole text. Lines may end as on Windows, and the last one need not end at all.
pub fn parse(text: &str) -> Result<Vec<Family<'_>>, Flaw> {
    let mut page = Page::default();
    for (index, line) in text.lines().enumerate() {
        let at = index + 1;
        page.read(Cursor { rest: line }, at).map_err(|fact| Flaw { line: at, fact })?;
    }
    page.families.iter().try_for_each(unique)?;
    Ok(page.families)
}

/// All samples of some families.
pub fn samples<'f, 'a>(families: &'f [Family<'a>]) -> impl Iterator<Item = &'f Sample<'a>> {
    families.iter().flat_map(|family| &family.samples)
}

/// The value of a metric that has no labels.
#[must_use]
pub fn value(families: &[Family<'_>], name: &str) -> Option<f64> {
    samples(families).find(|sample| sample.name == name && sample.labels.is_empty()).map(|sample| sample.value)
}

/// Refuses a series that is told twice.
fn unique(family: &Family<'_>) -> Result<(), Flaw> {
    let mut told = HashSet::with_capacity(family.samples.len());
    for sample in &family.samples {
        let mut labels: Vec<_> = sample.labels.iter().collect();
        labels.sort_unstable();
        if !told.insert((&sample.name, labels)) {
            let fact = format!("`{}` with these labels is there twice", sample.name);
            return Err(Flaw { line: sample.line, fact });
        }
    }
    Ok(())
}

/// What was read so far.
#[derive(Default)]
struct Page<'a> {
    families: Vec<Family<'a>>,
    places: HashMap<Cow<'a, str>, usize>,
}

impl<'a> Page<'a> {
    fn read(&mut self, mut line: Cursor<'a>, at: usize) -> Result<(), String> {
        line.blanks();
        match line.rest {
            "" => Ok(()),
            rest if rest.starts_with('#') => self.comment(Cursor { rest: &rest[1..] }, at),
            _ => self.sample(line, at),
        }
    }

    /// `# HELP` and `# TYPE`; any other comment is nobody's business.
    fn comment(&mut self, mut line: Cursor<'a>, at: usize) -> Result<(), String> {
        line.blanks();
        let keyword = line.word();
        line.blanks();
        if !matches!(keyword, "HELP" | "TYPE") || line.rest.is_empty() {
            return Ok(());
        }
        let name = line.name(is_metric, "metric")?;
        if !line.rest.is_empty() && !line.rest.starts_with([' ', '\t']) {
            return Err(format!("a blank is missing behind `# {keyword} {name}`"));
        }
        line.blanks();
        let family = self.family(name, at);
        if keyword == "HELP" {
            if family.help.is_some() {
                return Err(format!("a second `# HELP` of `{}`", family.name));
            }
            family.help = Some(unescape(line.rest)?);
            return Ok(());
        }
        if family.typed {
            return Err(format!("a second `# TYPE` of `{}`", family.name));
        }
        if !family.samples.is_empty() {
            return Err(format!("`# TYPE` of `{}` stands behind its first value", family.name));
        }
        let word = line.rest.trim_end_matches([' ', '\t']);
        family.kind = Kind::of(word).ok_or_else(|| {
            format!("`{word}` is not a type: `counter`, `gauge`, `histogram`, `summary` and `untyped` are")
        })?;
        family.typed = true;
        Ok(())
    }

    fn sample(&mut self, mut line: Cursor<'a>, at: usize) -> Result<(), String> {
        let mut name = if line.rest.starts_with('{') { None } else { Some(line.name(is_metric, "metric")?) };
        line.blanks();
        let labels = if line.eat('{') { line.labels(&mut name)? } else { Vec::new() };
        let name = name.ok_or("the name of the metric is missing")?;
        line.blanks();
        let value = line.word();
        if value.is_empty() {
            return Err(format!("`{name}` has no value"));
        }
        let value = value.parse().map_err(|_| format!("{value:?} is not a number"))?;
        line.blanks();
        let timestamp = match line.word() {
            "" => None,
            word => Some(word.parse().map_err(|_| format!("{word:?} is not a time in milliseconds"))?),
        };
        line.blanks();
        if !line.rest.is_empty() {
            return Err(format!("nothing may follow the time, but there is {:?}", line.rest));
        }
        let family = self.owner(&name, at);
        let suffix = name.strip_prefix(family.name.as_ref()).unwrap_or_default();
        let sample = Sample { name: name.clone(), labels, value, timestamp, line: at };
        if !family.kind.suffixes().contains(&suffix) {
            return Err(format!("`{name}` is a histogram: its values are those of `_bucket`, `_sum` and `_count`"));
        }
        let bound = match (family.kind, suffix) {
            (Kind::Histogram, "_bucket") => Some("le"),
            (Kind::Summary, "") => Some("quantile"),
            _ => None,
        };
        if let Some(bound) = bound
            && sample.label(bound).and_then(|value| value.parse::<f64>().ok()).is_none()
        {
            return Err(format!("`{name}` needs a label `{bound}` with a number"));
        }
        family.samples.push(sample);
        Ok(())
    }

    /// The family of that very name.
    fn family(&mut self, name: Cow<'a, str>, at: usize) -> &mut Family<'a> {
        let next = self.families.len();
        let place = *self.places.entry(name.clone()).or_insert(next);
        if place == next {
            self.families.push(Family { name, line: at, ..Family::default() });
        }
        &mut self.families[place]
    }

    /// The family that a sample of this name belongs to.
    fn owner(&mut self, name: &Cow<'a, str>, at: usize) -> &mut Family<'a> {
        if !self.places.contains_key(name) {
            for suffix in ["_bucket", "_sum", "_count"] {
                let place = name.strip_suffix(suffix).and_then(|name| self.places.get(name)).copied();
                if let Some(place) = place.filter(|place| self.families[*place].kind.suffixes().contains(&suffix)) {
                    return &mut self.families[place];
                }
            }
        }
        self.family(name.clone(), at)
    }
}

#[cfg(test)]
mod tests;
