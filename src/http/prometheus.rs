//! What a running Prometheus says through its HTTP API, version 1.

mod answers;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Http, Server, TOTAL_TIMEOUT, excerpt};
use crate::error::{Code, Error, Result};

pub use answers::{Alert, Rule, RuleGroup, RuleKind, Runtime, Sample, Target, Targets};

/// A Prometheus at an address.
#[derive(Debug, Clone)]
pub struct Prometheus {
    server: Server,
}

/// The frame of every answer.
#[derive(Deserialize)]
struct Envelope<T> {
    status: String,
    data: Option<T>,
    #[serde(default)]
    error: String,
}

#[derive(Deserialize)]
struct Groups {
    groups: Vec<RuleGroup>,
}

#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum QueryResult {
    Vector(Vec<Series>),
    Scalar((f64, String)),
    String(serde::de::IgnoredAny),
    Matrix(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
struct Series {
    metric: BTreeMap<String, String>,
    value: (f64, String),
}

impl Prometheus {
    /// The server at `url`, asked by nobody in particular.
    #[must_use]
    pub fn new(http: &Http, url: &str) -> Self {
        Self { server: Server::new(http, url, TOTAL_TIMEOUT) }
    }

    /// That server: with its path prefix, its login and its limit of time.
    #[must_use]
    pub fn at(server: &Server) -> Self {
        Self { server: server.clone() }
    }

    /// All groups of rules as they are loaded, with the state of each rule.
    pub async fn rules(&self) -> Result<Vec<RuleGroup>> {
        let groups: Groups = self.ask("/api/v1/rules", &[]).await?;
        Ok(groups.groups)
    }

    /// All targets that are scraped; with `dropped`, how many are not because of relabelling, which may be many.
    pub async fn targets(&self, dropped: bool) -> Result<Targets> {
        self.ask("/api/v1/targets", &[("state", if dropped { "any" } else { "active" })]).await
    }

    /// What the server says of itself.
    pub async fn runtime(&self) -> Result<Runtime> {
        self.ask("/api/v1/status/runtimeinfo", &[]).await
    }

    /// The values of all its flags, by their names without dashes.
    pub async fn flags(&self) -> Result<BTreeMap<String, String>> {
        self.ask("/api/v1/status/flags", &[]).await
    }

    /// The names of all metrics that have series.
    pub async fn metric_names(&self) -> Result<Vec<String>> {
        self.ask("/api/v1/label/__name__/values", &[]).await
    }

    /// An expression as the server writes it.
    pub async fn format(&self, expression: &str) -> Result<String> {
        self.ask("/api/v1/format_query", &[("query", expression)]).await
    }

    /// The answer to an instant query as of now: a scalar is a sample without labels, anything but numbers is empty.
    pub async fn query(&self, expression: &str) -> Result<Vec<Sample>> {
        let number = |text: &str| text.parse().unwrap_or(f64::NAN);
        Ok(match self.ask("/api/v1/query", &[("query", expression)]).await? {
            QueryResult::Vector(series) => series
                .into_iter()
                .map(|series| Sample { labels: series.metric, value: number(&series.value.1) })
                .collect(),
            QueryResult::Scalar((_, text)) => vec![Sample { labels: BTreeMap::new(), value: number(&text) }],
            QueryResult::String(_) | QueryResult::Matrix(_) => Vec::new(),
        })
    }

    /// Asks one question; an error that Prometheus tells is the cause of ours.
    async fn ask<T: DeserializeOwned>(&self, path: &str, parameters: &[(&str, &str)]) -> Result<T> {
        let answer = self.server.get(path, parameters).await?;
        // Prometheus refuses with 400, 422 or 503 and says why in the same frame.
        match answer.json::<Envelope<T>>() {
            Ok(Envelope { status, data: Some(data), .. }) if status == "success" => Ok(data),
            Ok(envelope) if !envelope.error.is_empty() => {
                Err(Error::new(Code::NotReady, format!("Prometheus refused `{}`", answer.request))
                    .cause(excerpt(&envelope.error)))
            }
            Err(unreadable) if answer.is_success() => Err(unreadable),
            Ok(_) | Err(_) => Err(answer.unexpected()),
        }
    }
}
