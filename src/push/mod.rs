//! `push`: what scripts know themselves, checked before it is counted.
//!
//! What arrives (arguments, the text format, the answers of APIs, the reports of scanners) becomes [`Change`]s to the
//! totals of one script; all of a call or none. The ledger makes them last, [`crate::publish`] sends them.

pub mod github;
pub mod sarif;
