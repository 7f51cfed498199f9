//! What Grafana says.

/// What Grafana says, as far as it was asked.
#[derive(Debug, Default)]
pub struct GrafanaFacts {}
