//! The results of checks, for people, programs and pipelines.

mod json;
mod junit;
mod markdown;
mod text;

use std::collections::BTreeMap;
use std::time::Duration;

use super::canary::Canary;
use super::{Checked, Outcome, names};
use crate::error::{Code, Error};
use crate::ui::human;

pub use json::json;
pub use junit::junit;
pub use markdown::markdown;
pub use text::{Look, brief, text};

/// How many failures the error at the end names.
const NAMED: usize = 5;

/// Everything that one `verify` found.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The checks, in the order of the catalogue.
    pub checked: Vec<Checked>,
    /// The ids, or beginnings of ids, that were asked for by name; empty: all.
    pub asked: Vec<String>,
    /// The canary, where one was sent; its hops are among `checked`, too.
    pub canary: Option<Canary>,
    /// How long all of it took.
    pub took: Duration,
}

impl Verdict {
    /// How many checks have an outcome.
    fn count(&self, outcome: Outcome) -> usize {
        self.of(outcome).count()
    }

    /// The checks that have an outcome.
    fn of(&self, outcome: Outcome) -> impl Iterator<Item = &Checked> {
        self.checked.iter().filter(move |check| check.finding.outcome == outcome)
    }

    /// How many checks have each outcome.
    fn summary(&self) -> BTreeMap<&'static str, usize> {
        let all = [Outcome::Pass, Outcome::Warn, Outcome::Fail, Outcome::Skip];
        all.map(|outcome| (outcome.as_str(), self.count(outcome))).into()
    }

    /// `18 checks: 2 failed, 1 warning, 15 passed, 0 skipped; 0.3 s, the slowest check 0.2 s`.
    #[must_use]
    pub fn sentence(&self) -> String {
        let slowest = self.checked.iter().map(|check| check.duration).max().unwrap_or_default();
        format!(
            "{}: {} failed, {}, {} passed, {} skipped; {}, the slowest check {}",
            many(self.checked.len(), "check"),
            self.count(Outcome::Fail),
            many(self.count(Outcome::Warn), "warning"),
            self.count(Outcome::Pass),
            self.count(Outcome::Skip),
            exact(self.took),
            exact(slowest),
        )
    }

    /// The error that makes the exit status, where something failed; `strict` lets warnings count.
    #[must_use]
    pub fn failure(&self, strict: bool) -> Option<Error> {
        let counts = |check: &&Checked| {
            check.finding.outcome == Outcome::Fail || (strict && check.finding.outcome == Outcome::Warn)
        };
        let mut broken: Vec<&Checked> = self.checked.iter().filter(counts).collect();
        broken.sort_by_key(|check| check.finding.outcome);
        let Some(first) = broken.first().copied() else { return self.unproved() };
        let message = match (self.count(Outcome::Fail), self.count(Outcome::Warn)) {
            (0, warned) => format!("{} with `--strict`", many(warned, "warning")),
            (failed, _) => format!("{failed} of {} checks failed", self.checked.len()),
        };
        let engine = first.id == "engine.reachable";
        let mut error = Error::new(if engine { Code::EngineUnreachable } else { Code::VerifyFailed }, message);
        for check in broken.iter().take(NAMED) {
            error = error.cause(format!("{}: {}", check.id, check.first()));
        }
        if broken.len() > NAMED {
            error = error.cause(format!("and {} more", broken.len() - NAMED));
        }
        error.hint.clone_from(&first.finding.hint);
        Some(error)
    }
}

impl Verdict {
    /// The error where something was asked for by name, or everything was, and all of it was skipped: to prove nothing is
    /// no success.
    fn unproved(&self) -> Option<Error> {
        let of = |word: &String| skipped(self.checked.iter().filter(|check| names(word, &check.id)));
        let asked: Vec<(&String, &Checked)> = self.asked.iter().filter_map(|word| Some((word, of(word)?))).collect();
        let (what, first) = match asked.as_slice() {
            [] => ("any check".to_owned(), skipped(self.checked.iter())?),
            [(_, first), ..] => {
                let words: Vec<String> = asked.iter().map(|(word, _)| format!("`{word}`")).collect();
                (words.join(", "), *first)
            }
        };
        Some(
            Error::new(Code::VerifyFailed, format!("nothing was proved of {what}: all of it was skipped"))
                .cause(format!("{}: {}", first.id, first.first()))
                .hint("mend what that names, or do not ask for it with `--only`"),
        )
    }
}

/// The first of these checks, if all of them were skipped.
fn skipped<'a>(mut checks: impl Iterator<Item = &'a Checked>) -> Option<&'a Checked> {
    let is_skipped = |check: &&Checked| check.finding.outcome == Outcome::Skip;
    let first = checks.next().filter(is_skipped)?;
    checks.all(|check| is_skipped(&check)).then_some(first)
}

impl Checked {
    /// The first line of the evidence.
    fn first(&self) -> &str {
        self.finding.evidence.first().map_or("", |line| line.trim_end())
    }
}

fn many(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// A duration for people, to the millisecond where that is what it takes.
fn exact(duration: Duration) -> String {
    if duration < Duration::from_secs(1) { format!("{} ms", duration.as_millis()) } else { human(duration) }
}

/// Evidence of servers as text that can be shown anywhere: a control character would be a terminal's command.
fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests;
