//! What Prometheus says.

use crate::error::Result;
use crate::http::prometheus::{Prometheus, RuleGroup};
use crate::verify::Fact;

/// What Prometheus says, as far as it was asked.
#[derive(Debug, Default)]
pub struct PrometheusFacts {
    rules: Fact<Vec<RuleGroup>>,
}

impl PrometheusFacts {
    /// All groups of rules as they are loaded.
    pub async fn rules(&self, prometheus: &Prometheus) -> Result<&Vec<RuleGroup>> {
        self.rules.get(prometheus.rules()).await
    }
}
