//! What a running Prometheus says through its HTTP API, version 1.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Http, Server, TOTAL_TIMEOUT, excerpt};
use crate::error::{Code, Error, Result};

/// A Prometheus at an address.
#[derive(Debug, Clone)]
pub struct Prometheus {
    server: Server,
}

/// One series of an instant query's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Its labels, `__name__` among them where the query keeps it.
    pub labels: BTreeMap<String, String>,
    /// Its value; may be NaN or infinite.
    pub value: f64,
}

/// A group of rules as it is loaded.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleGroup {
    /// Unique in its file.
    pub name: String,
    /// The path of the file, in the server's own file system.
    pub file: String,
    /// Seconds between two evaluations.
    pub interval: f64,
    /// Seconds that the last evaluation of all its rules took.
    #[serde(default)]
    pub evaluation_time: f64,
    /// When it was last evaluated, RFC 3339; the year 1 if never.
    #[serde(default)]
    pub last_evaluation: String,
    /// Its rules, in the order of the file.
    pub rules: Vec<Rule>,
}

/// A rule as it is loaded.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// The name of the alert, or of the recorded series.
    pub name: String,
    /// What kind it is.
    #[serde(rename = "type")]
    pub kind: RuleKind,
    /// The expression, as the server prints it.
    pub query: String,
    /// Seconds of `for`; 0 for a recording rule.
    #[serde(default)]
    pub duration: f64,
    /// Seconds of `keep_firing_for`.
    #[serde(default)]
    pub keep_firing_for: f64,
    /// The labels that it adds.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// `ok`, `err` or `unknown` (not evaluated yet).
    pub health: String,
    /// The error of the last evaluation.
    #[serde(default)]
    pub last_error: String,
    /// `inactive`, `pending` or `firing`, or `unknown` before the first evaluation; empty for a recording rule.
    #[serde(default)]
    pub state: String,
    /// What is pending or firing now.
    #[serde(default)]
    pub alerts: Vec<Alert>,
}

/// The two kinds of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleKind {
    /// `alert:`
    Alerting,
    /// `record:`
    Recording,
}

/// An instance of an alert that is pending or firing.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// All labels, `alertname` among them.
    pub labels: BTreeMap<String, String>,
    /// Its texts.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    /// `pending` or `firing`.
    pub state: String,
    /// Since when the expression holds, RFC 3339.
    #[serde(default)]
    pub active_at: String,
    /// The value as text, such as `1e+00`.
    #[serde(default)]
    pub value: String,
}

/// A target that is scraped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Target {
    /// The labels of everything that is scraped there; `job` and `instance` are among them.
    pub labels: BTreeMap<String, String>,
    /// The name of its scrape job in the configuration.
    pub scrape_pool: String,
    /// Where it is asked.
    pub scrape_url: String,
    /// Why the last scrape failed; empty if it did not.
    pub last_error: String,
    /// When it was last scraped, RFC 3339; the year 1 if never.
    pub last_scrape: String,
    /// `up`, `down`, or `unknown` before the first scrape.
    pub health: String,
    /// The time between two scrapes, as Prometheus writes it: `15s`.
    pub scrape_interval: String,
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
#[serde(rename_all = "camelCase")]
struct Targets {
    active_targets: Vec<Target>,
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

    /// All targets that are scraped.
    pub async fn targets(&self) -> Result<Vec<Target>> {
        let targets: Targets = self.ask("/api/v1/targets", &[("state", "active")]).await?;
        Ok(targets.active_targets)
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
    pub async fn ask<T: DeserializeOwned>(&self, path: &str, parameters: &[(&str, &str)]) -> Result<T> {
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
