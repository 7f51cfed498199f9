//! What a dashboard asks and what came back; pure, the asking is the checks' work.
//!
//! A browser expands the dashboard's variables before it asks Grafana, and so do we: what Grafana itself fills in are
//! only its own (`$__interval` and the like).

mod expand;
mod expression;
mod frames;
mod queries;
mod variables;

#[cfg(test)]
use expand::Picked;
pub(super) use expand::{Expansion, Variables};
pub(super) use expression::{Selector, selectors};
pub(super) use frames::{Class, classify};
pub(super) use queries::{Query, Source, Sources, Span, library_panels, queries};
pub(super) use variables::{Ask, Declared, declared};
