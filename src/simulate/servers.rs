//! The servers that a simulation works with.

use std::time::Duration;

use super::wait::wait;
use crate::component::Component;
use crate::config::PromDuration;
use crate::error::{Code, Error, Result};
use crate::http::alertmanager::Alertmanager;
use crate::http::prometheus::{Prometheus, Target};
use crate::http::pushgateway::Pushgateway;

/// How long Prometheus takes to find its targets after a start.
const DISCOVERY: Duration = Duration::from_secs(5);

/// The servers of the stack.
#[derive(Debug, Clone)]
pub struct Servers {
    /// Evaluates.
    pub prometheus: Prometheus,
    /// Notifies.
    pub alertmanager: Alertmanager,
    /// Is pushed to.
    pub pushgateway: Pushgateway,
}

impl Servers {
    /// The time between two scrapes of the Pushgateway. A Prometheus that has just started is given time to find it.
    pub async fn scrape_interval(&self) -> Result<Duration> {
        let target = wait(DISCOVERY, async || self.target().await, |_| {}).await.map_err(|_| {
            Error::new(Code::NotFound, "Prometheus does not scrape the Pushgateway")
                .hint("bring the stack to what the settings say with `moko-mon up`")
        })?;
        let interval = target.scrape_interval.parse::<PromDuration>();
        Ok(interval.map_or(Duration::from_secs(15), |interval| interval.as_duration()))
    }

    /// The Pushgateway as Prometheus sees it.
    pub(super) async fn target(&self) -> Result<Option<Target>> {
        let targets = self.prometheus.targets(false).await?.active_targets;
        Ok(targets.into_iter().find(|target| target.scrape_pool == Component::Pushgateway.name()))
    }
}
