//! What Prometheus says.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::error::Result;
use crate::http::prometheus::{Prometheus, RuleGroup, Runtime, Sample, Targets};
use crate::verify::Fact;
use crate::yaml;

/// What Prometheus says, as far as it was asked.
#[derive(Debug, Default)]
pub struct PrometheusFacts {
    rules: Fact<Vec<RuleGroup>>,
    targets: Fact<Targets>,
    runtime: Fact<Runtime>,
    flags: Fact<BTreeMap<String, String>>,
    names: Fact<BTreeSet<String>>,
    memory: Fact<Vec<Sample>>,
    configuration: Fact<Value>,
}

impl PrometheusFacts {
    /// All groups of rules as they are loaded.
    pub async fn rules(&self, prometheus: &Prometheus) -> Result<&Vec<RuleGroup>> {
        self.rules.get(prometheus.rules()).await
    }

    /// All targets. `dropped` asks for the count of those that relabelling drops; the first to ask decides.
    pub async fn targets(&self, prometheus: &Prometheus, dropped: bool) -> Result<&Targets> {
        self.targets.get(prometheus.targets(dropped)).await
    }

    /// What the server says of itself.
    pub async fn runtime(&self, prometheus: &Prometheus) -> Result<&Runtime> {
        self.runtime.get(prometheus.runtime()).await
    }

    /// The values of its flags.
    pub async fn flags(&self, prometheus: &Prometheus) -> Result<&BTreeMap<String, String>> {
        self.flags.get(prometheus.flags()).await
    }

    /// The names of all metrics that have series.
    pub async fn names(&self, prometheus: &Prometheus) -> Result<&BTreeSet<String>> {
        self.names.get(async { Ok(prometheus.metric_names().await?.into_iter().collect()) }).await
    }

    /// How many bytes of memory the processes that it scrapes use.
    pub async fn memory(&self, prometheus: &Prometheus) -> Result<&Vec<Sample>> {
        self.memory.get(prometheus.query("process_resident_memory_bytes")).await
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
