//! What servers say, each asked once for all checks that need it.

mod alertmanager;
mod contract;
mod engine;
mod grafana;
mod prometheus;
mod pushgateway;

pub use alertmanager::AlertmanagerFacts;
pub use contract::ContractFacts;
pub(super) use contract::Published;
pub use engine::EngineFacts;
pub use grafana::GrafanaFacts;
pub(super) use grafana::{Access, Opened, Reply, Resolved, choices};
pub use prometheus::PrometheusFacts;
pub(super) use pushgateway::PushGroup;
pub use pushgateway::PushgatewayFacts;

/// All that is known so far.
#[derive(Debug, Default)]
pub struct Facts {
    /// What the engine says of our containers.
    pub engine: EngineFacts,
    /// What Prometheus says.
    pub prometheus: PrometheusFacts,
    /// What Alertmanager says.
    pub alertmanager: AlertmanagerFacts,
    /// What the Pushgateway says.
    pub pushgateway: PushgatewayFacts,
    /// What Grafana says.
    pub grafana: GrafanaFacts,
    /// What scripts publish.
    pub contract: ContractFacts,
}
