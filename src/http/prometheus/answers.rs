//! What Prometheus answers, as far as we read it.

use std::collections::BTreeMap;

use serde::Deserialize;

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
    /// The texts that it adds to an alert.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
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

/// What is scraped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Targets {
    /// What is scraped.
    pub active_targets: Vec<Target>,
    /// How many targets of each scrape job relabelling has dropped; only told where all targets were asked for.
    #[serde(default)]
    pub dropped_target_counts: Option<BTreeMap<String, u64>>,
}

/// A target that is scraped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Target {
    /// The labels before relabelling: `__address__`, `__scheme__`, `__metrics_path__` and what the configuration says.
    pub discovered_labels: BTreeMap<String, String>,
    /// The labels of everything that is scraped there; `job` and `instance` are among them.
    pub labels: BTreeMap<String, String>,
    /// The scrape job by its name in the configuration.
    pub scrape_pool: String,
    /// Where it is asked.
    pub scrape_url: String,
    /// Why the last scrape failed; empty when it did not.
    pub last_error: String,
    /// When it was last scraped, RFC 3339; the year 1 if never.
    pub last_scrape: String,
    /// `up`, `down`, or `unknown` before the first scrape.
    pub health: String,
    /// How often it is scraped, in Prometheus' notation; empty from servers that do not say.
    pub scrape_interval: String,
    /// How long a scrape may take.
    pub scrape_timeout: String,
}

/// What a running server says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Runtime {
    /// When it started, RFC 3339.
    pub start_time: String,
    /// Whether the last try to read the configuration succeeded.
    pub reload_config_success: bool,
    /// When it last read its configuration with success, RFC 3339.
    pub last_config_time: String,
    /// `15d or 10GiB`: how much is kept.
    pub storage_retention: String,
    /// Its clock, RFC 3339; empty from servers before 2.54.
    pub server_time: String,
}
