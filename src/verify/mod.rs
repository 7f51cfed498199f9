//! Proof that monitoring works: checks with stable ids, each with an outcome, evidence and a hint.
//!
//! ```text
//! World (servers, settings, engine) ─► catalogue of checks ─► all at once, under one deadline ─► Checked …
//! ```
//!
//! A check looks and judges; it never changes anything. What several checks need is asked once and kept as a [`Fact`].
//! A check whose precondition did not hold is skipped and says which, so that one fault is one failure.

mod abroad;
mod bounded;
pub mod canary;
mod catalog;
mod checks;
mod dashboard;
mod fact;
mod facts;
pub mod report;
mod run;
mod spelling;
mod world;

use std::borrow::Cow;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::error::{Error, Result};

use bounded::bounded;
pub use catalog::catalog;
pub(crate) use checks::contract::counters;
pub(crate) use checks::jobs::{Coverage, coverage};
pub use fact::Fact;
pub use facts::{
    AlertmanagerFacts, ContractFacts, EngineFacts, Facts, GrafanaFacts, PrometheusFacts, PushgatewayFacts,
};
pub use run::{Selection, names, run};
pub use world::{Engine, Expected, Refused, World};

/// What is looked at, and how.
pub struct Check {
    /// Stable for ever: `area.subject`, lower case, perhaps with more parts. People select by it, pipelines compare it.
    pub id: Cow<'static, str>,
    /// The part of the stack that has to be mended if it fails: `engine`, a component, `contract`, `custom`.
    pub component: &'static str,
    /// What it proves, for `verify --list`: one sentence.
    pub about: Cow<'static, str>,
    /// The ids of the checks that must hold first; they stand above it in the catalogue.
    pub needs: &'static [&'static str],
    /// Looks. An error is a failure: its message and causes are the evidence.
    pub look: Look,
}

/// The work of a check.
pub type Look = Box<dyn for<'a> Fn(&'a World) -> BoxFuture<'a, Result<Finding>> + Send + Sync>;

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It is broken.
    Fail,
    /// It works, and somebody should know of something.
    Warn,
    /// It was not looked at, for a reason that the evidence gives.
    Skip,
    /// It works.
    Pass,
}

impl Outcome {
    /// Whether checks that need this one can be made.
    #[must_use]
    pub const fn holds(self) -> bool {
        matches!(self, Self::Pass | Self::Warn)
    }

    /// The word in all output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Warn => "warn",
            Self::Skip => "skip",
            Self::Pass => "pass",
        }
    }
}

/// What a look brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How it went.
    pub outcome: Outcome,
    /// What was asked and what came back, most telling first; one line each, never empty.
    pub evidence: Vec<String>,
    /// The next command to type, where there is one.
    pub hint: Option<String>,
}

impl Finding {
    /// It works: says what was seen.
    #[must_use]
    pub fn pass(evidence: impl Into<String>) -> Self {
        Self { outcome: Outcome::Pass, evidence: vec![evidence.into()], hint: None }
    }

    /// It was not looked at: says why.
    #[must_use]
    pub fn skip(reason: impl Into<String>) -> Self {
        Self { outcome: Outcome::Skip, evidence: vec![reason.into()], hint: None }
    }

    /// It works, and this should be known.
    #[must_use]
    pub fn warn(evidence: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { outcome: Outcome::Warn, evidence: vec![evidence.into()], hint: Some(hint.into()) }
    }

    /// It is broken.
    #[must_use]
    pub fn fail(evidence: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { outcome: Outcome::Fail, evidence: vec![evidence.into()], hint: Some(hint.into()) }
    }

    /// With a hint that helps where the stack is: `moko-mon up` mends nobody else's.
    fn in_place(self, world: &World) -> Self {
        if world.expected.is_some() {
            return self;
        }
        Self { hint: self.hint.as_deref().map(abroad::hint), ..self }
    }

    /// Fails with these facts, or passes with `fine` when there are none.
    #[must_use]
    pub fn fail_if_any(facts: Vec<String>, hint: impl Into<String>, fine: impl Into<String>) -> Self {
        if facts.is_empty() {
            return Self::pass(fine);
        }
        Self { outcome: Outcome::Fail, evidence: facts, hint: Some(hint.into()) }
    }

    /// Warns with these facts, or passes with `fine` when there are none.
    #[must_use]
    pub fn warn_if_any(facts: Vec<String>, hint: impl Into<String>, fine: impl Into<String>) -> Self {
        let finding = Self::fail_if_any(facts, hint, fine);
        if finding.outcome == Outcome::Fail { Self { outcome: Outcome::Warn, ..finding } } else { finding }
    }
}

impl From<Error> for Finding {
    fn from(error: Error) -> Self {
        let evidence = std::iter::once(error.message).chain(error.causes).collect();
        Self { outcome: Outcome::Fail, evidence, hint: error.hint }
    }
}

/// A check that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Its id.
    pub id: String,
    /// The part of the stack.
    pub component: &'static str,
    /// What it brought.
    pub finding: Finding,
    /// How long it took itself, without waiting for its preconditions.
    pub duration: Duration,
}
