//! What Alertmanager says.

use jiff::Timestamp;
use serde_json::Value;

use crate::alerting::routing::Routing;
use crate::error::{Code, Error, Result};
use crate::exposition::read::Family;
use crate::http::alertmanager::Alertmanager;
use crate::http::{Answer, Server};
use crate::verify::Fact;

/// What Alertmanager says, as far as it was asked.
#[derive(Debug, Default)]
pub struct AlertmanagerFacts {
    status: Fact<Answer>,
    routing: Fact<Routing>,
    metrics: Fact<Answer>,
}

impl AlertmanagerFacts {
    /// What it says of itself: version, start, configuration.
    pub(in crate::verify) async fn status(&self, server: &Server) -> Result<&Answer> {
        let ask = async {
            let answer = server.get("/api/v2/status", &[]).await?;
            if answer.is_success() { Ok(answer) } else { Err(answer.unexpected()) }
        };
        self.status.get(ask).await
    }

    /// When it was started.
    pub(in crate::verify) async fn started(&self, server: &Server) -> Result<Option<Timestamp>> {
        let status: Value = self.status(server).await?.json()?;
        Ok(status["uptime"].as_str().and_then(|date| date.parse().ok()))
    }

    /// The routes and receivers that it runs with.
    pub(in crate::verify) async fn routing(&self, server: &Server) -> Result<&Routing> {
        self.routing
            .get(async {
                let answer = self.status(server).await?;
                let status: Value = answer.json()?;
                let text = status["config"]["original"].as_str().ok_or_else(|| {
                    Error::new(Code::NotReady, "Alertmanager does not show its configuration").cause(answer.seen())
                })?;
                Routing::read(text)
            })
            .await
    }

    /// Its own metrics.
    pub(in crate::verify) async fn metrics(&self, server: &Server) -> Result<Vec<Family<'_>>> {
        self.metrics.get(Alertmanager::at(server).metrics()).await?.metrics()
    }
}
