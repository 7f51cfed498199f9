//! What Prometheus says.

use serde_json::Value;

use crate::error::Result;
use crate::http::prometheus::{Prometheus, RuleGroup};
use crate::verify::Fact;
use crate::yaml;

/// What Prometheus says, as far as it was asked.
#[derive(Debug, Default)]
pub struct PrometheusFacts {
    rules: Fact<Vec<RuleGroup>>,
    configuration: Fact<Value>,
}

impl PrometheusFacts {
    /// All groups of rules as they are loaded.
    pub async fn rules(&self, prometheus: &Prometheus) -> Result<&Vec<RuleGroup>> {
        self.rules.get(prometheus.rules()).await
    }

    /// The configuration that it runs.
    pub async fn configuration(&self, prometheus: &Prometheus) -> Result<&Value> {
        self.configuration
            .get(async {
                let status: Value = prometheus.ask("/api/v1/status/config", &[]).await?;
                yaml::from_str(status["yaml"].as_str().unwrap_or_default())
            })
            .await
    }
}
