//! A running Pushgateway: groups of metrics are put, listed and deleted.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

use super::{Http, Server, TOTAL_TIMEOUT};
use crate::contract::Metric;
use crate::error::{Code, Error, Goal as _, Result};

/// A Pushgateway at an address.
#[derive(Debug, Clone)]
pub struct Pushgateway {
    server: Server,
}

/// What tells one group from the others: a job and further labels, which all its series carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupKey {
    job: String,
    labels: BTreeMap<String, String>,
}

/// A group that the Pushgateway holds.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Group {
    /// Its grouping labels, `job` among them.
    pub labels: BTreeMap<String, String>,
    /// Whether the last push was taken; false: it was refused, and the series are those of an older one.
    #[serde(default)]
    pub last_push_successful: bool,
    /// Its metrics by name, as the Pushgateway tells them.
    #[serde(flatten)]
    metrics: BTreeMap<String, Value>,
}

impl Group {
    /// When it was last pushed, in seconds since the epoch.
    #[must_use]
    pub fn pushed(&self) -> Option<f64> {
        self.metrics.get("push_time_seconds")?.get("metrics")?.get(0)?.get("value")?.as_str()?.parse().ok()
    }

    /// The names of the metrics that were pushed to it.
    pub fn metrics(&self) -> impl Iterator<Item = &str> {
        let own = |name: &&str| !matches!(*name, "push_time_seconds" | "push_failure_time_seconds");
        self.metrics.keys().map(String::as_str).filter(own)
    }

    /// Whether the group has some series of a metric of this name without a type, as plain `name value` lines make them.
    #[must_use]
    pub fn has_untyped(&self, metric: &Metric) -> bool {
        let names = metric.series().into_iter().chain([metric.name.to_owned()]);
        let kinds = names.filter_map(|name| self.metrics.get(&name)?.get("type")?.as_str());
        kinds.into_iter().any(|kind| kind == "UNTYPED")
    }

    /// The labels and values of a counter or gauge.
    #[must_use]
    pub fn values(&self, metric: &str) -> Vec<(BTreeMap<String, String>, f64)> {
        let samples = self.metrics.get(metric).and_then(|family| family.get("metrics")).and_then(Value::as_array);
        let value = |sample: &Value| {
            let labels = sample.get("labels").cloned().and_then(|labels| serde_json::from_value(labels).ok());
            Some((labels.unwrap_or_default(), sample.get("value")?.as_str()?.parse().ok()?))
        };
        samples.into_iter().flatten().filter_map(value).collect()
    }
}

impl GroupKey {
    /// The group of a job, which may not be empty, without further labels.
    #[must_use]
    pub fn new(job: impl Into<String>) -> Self {
        Self { job: job.into(), labels: BTreeMap::new() }
    }

    /// Adds a grouping label: a valid label name, and any value.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(name.into(), value.into());
        self
    }

    /// The key of a group that was listed.
    #[must_use]
    pub fn of(group: &Group) -> Self {
        let mut labels = group.labels.clone();
        Self { job: labels.remove("job").unwrap_or_default(), labels }
    }

    /// The labels as a query selects them: `job="x",host="y"`.
    #[must_use]
    pub fn matchers(&self) -> String {
        let all =
            std::iter::once(("job", &self.job)).chain(self.labels.iter().map(|(name, value)| (name.as_str(), value)));
        let all = all.map(|(name, value)| format!("{name}=\"{}\"", crate::exposition::escape(value)));
        all.collect::<Vec<_>>().join(",")
    }

    /// The path of the group.
    #[must_use]
    pub fn path(&self) -> String {
        let labels = self.labels.iter().map(|(name, value)| segment(name, value));
        format!("/metrics{}{}", segment("job", &self.job), labels.collect::<String>())
    }
}

/// A label as two segments of the path. What a path cannot hold as it is, an empty value or a slash above all, is written
/// in base64, where the Pushgateway wants an empty value to be a single padding sign.
fn segment(name: &str, value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
    if !value.is_empty() && !matches!(value, "." | "..") && value.chars().all(plain) {
        return format!("/{name}/{value}");
    }
    let encoded = if value.is_empty() { "=".to_owned() } else { URL_SAFE_NO_PAD.encode(value) };
    format!("/{name}@base64/{encoded}")
}

impl Pushgateway {
    /// The server at `url`, which has no trailing slash.
    #[must_use]
    pub fn new(http: &Http, url: &str) -> Self {
        Self::at(&Server::new(http, url, TOTAL_TIMEOUT))
    }

    /// The server, with who asks it and how long it may take.
    #[must_use]
    pub fn at(server: &Server) -> Self {
        Self { server: server.clone() }
    }

    /// Makes these the only metrics of a group; `text` is in the text format (see [`crate::exposition`]).
    ///
    /// What does not fit the metrics of other groups, a type above all, is refused, and the alert about refused pushes
    /// is raised.
    pub async fn put(&self, key: &GroupKey, text: &str) -> Result<()> {
        let answer = self.server.put_text(&key.path(), text).await?;
        if answer.is_success() {
            return Ok(());
        }
        Err(Error::new(Code::NotReady, "the Pushgateway did not take the metrics").cause(answer.seen()).hint(
            "a metric needs the same type in all groups: see what is pushed at its page, `moko-mon open pushgateway`",
        ))
    }

    /// Removes a group with all its metrics; one that is not there is no error.
    pub async fn delete(&self, key: &GroupKey) -> Result<()> {
        let answer = self.server.delete(&key.path()).await?;
        if answer.is_success() { Ok(()) } else { Err(answer.unexpected()) }
    }

    /// All groups that it holds.
    pub async fn groups(&self) -> Result<Vec<Group>> {
        #[derive(Deserialize)]
        struct Groups {
            data: Vec<Group>,
        }
        let goal = || "could not list the groups of the Pushgateway";
        let answer = self.server.get("/api/v1/metrics", &[]).await.goal(goal)?;
        if !answer.is_success() {
            return Err(answer.unexpected()).goal(goal);
        }
        Ok(answer.json::<Groups>().goal(goal)?.data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::REQUIRED;

    #[test]
    fn a_key_is_a_path_in_which_any_value_survives() {
        assert_eq!(GroupKey::new("backup").with("host", "db-1.local").path(), "/metrics/job/backup/host/db-1.local");
        assert_eq!(GroupKey::new("a/b").with("empty", "").path(), "/metrics/job@base64/YS9i/empty@base64/=");
        assert_eq!(GroupKey::new("..").with("x", "ä ?").path(), "/metrics/job@base64/Li4/x@base64/w6QgPw");
        assert_eq!(GroupKey::new("a").with("x", "say \"hi\"").matchers(), r#"job="a",x="say \"hi\"""#);
    }

    #[test]
    fn groups_are_read_from_the_list_of_all_metrics() {
        let text = r#"{"labels": {"job": "a", "x": "y"}, "last_push_successful": true,
                       "moko_script_executions_total": {"type": "UNTYPED", "metrics": []},
                       "moko_script_duration_seconds": {"type": "HISTOGRAM", "metrics": []}}"#;
        let group: Group = serde_json::from_str(text).unwrap();
        assert!(group.last_push_successful);
        assert!(
            group.has_untyped(&REQUIRED[0]) && !group.has_untyped(&REQUIRED[1]) && !group.has_untyped(&REQUIRED[3])
        );
        assert_eq!(GroupKey::of(&group), GroupKey::new("a").with("x", "y"));
    }
}
