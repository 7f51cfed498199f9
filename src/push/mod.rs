//! `push`: what scripts know themselves, checked before it is counted.
//!
//! What arrives (arguments, the text format, the answers of APIs, the reports of scanners) becomes [`Point`]s: changes to
//! the totals of one script, all of a call or none. The ledger makes them last, [`crate::publish`] sends them.

mod batch;
mod check;
mod definition;
pub mod findings;
pub mod github;
mod point;
pub mod sarif;
mod text;

pub use batch::{Batch, Faults};
pub use definition::{Declared, Definition};
pub use point::{Buckets, Change, Point, labels, value, verb};

/// Why a point is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong and what was expected.
    pub fact: String,
    /// The next step.
    pub hint: Option<String>,
}

impl Fault {
    /// A fault without a next step.
    pub fn new(fact: impl Into<String>) -> Self {
        Self { fact: fact.into(), hint: None }
    }

    /// Sets the next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

#[cfg(test)]
mod tests;
