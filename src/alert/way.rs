//! The integrations of one kind that a receiver has: what counts and log say of them since a test began.

use std::collections::BTreeMap;

use super::log::{Word, Words};
use crate::exposition::read::Family;
use crate::http::alertmanager::{Calls, calls, given_up};

/// A kind of integrations of a receiver.
pub(super) struct Way<'a> {
    pub(super) receiver: &'a str,
    pub(super) kind: &'a str,
    /// The kind in metrics and log.
    pub(super) metric: String,
    before: Calls,
    given_up_before: BTreeMap<String, f64>,
}

/// Alertmanager's names for why a notification failed.
fn in_words(reason: &str) -> String {
    let words = match reason {
        "clientError" => "the service refused it (a status of 400 to 499)",
        "serverError" => "the service has a fault (a status of 500 and above)",
        "contextDeadlineExceeded" => "no answer in time",
        "contextCanceled" => "Alertmanager broke it off",
        "other" | "" => "Alertmanager's log says why",
        other => other,
    };
    words.to_owned()
}

impl<'a> Way<'a> {
    /// The way of a test that has not begun.
    pub(super) fn new(receiver: &'a str, kind: &'a str, metrics: &[Family<'_>]) -> Self {
        let metric = kind.replace('_', "");
        let before = calls(metrics, Some(receiver)).remove(&metric).unwrap_or_default();
        let given_up_before = given_up(metrics, receiver).remove(&metric).unwrap_or_default();
        Self { receiver, kind, metric, before, given_up_before }
    }

    /// The calls since the test began.
    pub(super) fn since(&self, metrics: &[Family<'_>]) -> Calls {
        let now = calls(metrics, Some(self.receiver)).remove(&self.metric).unwrap_or_default();
        let before = self.before;
        Calls { begun: now.begun - before.begun, all: now.all - before.all, failed: now.failed - before.failed }
    }

    /// What was given up since, and the reasons.
    pub(super) fn lost(&self, metrics: &[Family<'_>]) -> Option<(f64, String)> {
        let before = |reason: &str| self.given_up_before.get(reason).copied().unwrap_or_default();
        let now = given_up(metrics, self.receiver).remove(&self.metric).unwrap_or_default();
        let grown = now.into_iter().map(|(reason, count)| (count - before(&reason), reason));
        let grown: Vec<(f64, String)> = grown.filter(|(count, _)| *count > 0.0).collect();
        let count = grown.iter().map(|(count, _)| count).sum();
        let reasons: Vec<String> = grown.iter().map(|(_, reason)| in_words(reason)).collect();
        (!reasons.is_empty()).then(|| (count, reasons.join(", ")))
    }

    /// What the log says of these integrations, by their numbers.
    pub(super) fn words<'b>(&self, words: &'b Words) -> Vec<(usize, &'b Word)> {
        let own = words.iter().filter(|((receiver, _), _)| receiver == self.receiver);
        let numbered = own.filter_map(|((_, integration), word)| {
            let number = integration.strip_prefix(&self.metric)?.strip_prefix('[')?.strip_suffix(']')?;
            Some((number.parse().ok()?, word))
        });
        numbered.collect()
    }
}
