//! What servers say, each asked once for all checks that need it.

mod engine;
mod grafana;
mod prometheus;

pub use engine::EngineFacts;
pub use grafana::GrafanaFacts;
pub use prometheus::PrometheusFacts;

/// All that is known so far.
#[derive(Debug, Default)]
pub struct Facts {
    /// What the engine says of our containers.
    pub engine: EngineFacts,
    /// What Prometheus says.
    pub prometheus: PrometheusFacts,
    /// What Grafana says.
    pub grafana: GrafanaFacts,
}
