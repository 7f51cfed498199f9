//! What `moko-mon alert` does: test messages and what becomes of them, alerts sent by hand, who would be told, silences.

pub(crate) mod audience;
pub(crate) mod delivery;
mod hush;
pub(crate) mod label;
pub(crate) mod log;
mod verdict;
mod way;

pub(crate) use delivery::{Delivery, Outcome};

/// The alert of a test; it takes the way to the receiver that its label [`TEST_RECEIVER`] names.
pub const TEST_ALERT: &str = "MokoMonTest";

/// The label of a test that names its receiver.
pub const TEST_RECEIVER: &str = "receiver";

/// The label that tells one test from another.
pub const TEST_ID: &str = "test_id";
