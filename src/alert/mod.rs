//! What `moko-mon alert` does: test messages and what becomes of them, and who would be told of an alert.
//!
//! [`crate::alerting`] is what the settings say of receivers; this works with an Alertmanager that runs.

pub(crate) mod audience;
pub(crate) mod delivery;
mod hush;
pub(crate) mod label;
pub(crate) mod log;
mod verdict;
mod way;

pub(crate) use delivery::{Delivery, Outcome};
