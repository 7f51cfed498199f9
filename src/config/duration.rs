//! Durations in Prometheus' own grammar.

/// A duration as Prometheus writes it: `15s`, `1h30m`, `15d`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromDuration(String);
