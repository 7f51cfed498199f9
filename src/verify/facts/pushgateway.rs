//! What the Pushgateway says.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::Result;
use crate::http::Server;
use crate::verify::Fact;

/// What the Pushgateway says, as far as it was asked.
#[derive(Debug, Default)]
pub struct PushgatewayFacts {
    groups: Fact<Vec<PushGroup>>,
}

/// A group of pushed metrics.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::verify) struct PushGroup {
    /// Its grouping labels, `job` among them.
    pub(in crate::verify) labels: BTreeMap<String, String>,
    /// Whether the last push was accepted.
    pub(in crate::verify) successful: bool,
    /// When the last push was accepted, seconds since the epoch; 0 if none ever was.
    pub(in crate::verify) pushed: f64,
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Raw>,
}

#[derive(Deserialize)]
struct Raw {
    labels: BTreeMap<String, String>,
    #[serde(default)]
    last_push_successful: bool,
    push_time_seconds: Option<Family>,
}

#[derive(Deserialize)]
struct Family {
    metrics: Vec<Sample>,
}

#[derive(Deserialize)]
struct Sample {
    value: String,
}

impl PushgatewayFacts {
    /// All groups.
    pub(in crate::verify) async fn groups(&self, server: &Server) -> Result<&Vec<PushGroup>> {
        self.groups
            .get(async {
                let answer = server.get("/api/v1/metrics", &[]).await?;
                let answer: Answer = if answer.is_success() { answer.json()? } else { return Err(answer.unexpected()) };
                Ok(answer.data.into_iter().map(PushGroup::of).collect())
            })
            .await
    }
}

impl PushGroup {
    fn of(raw: Raw) -> Self {
        let time = raw.push_time_seconds.and_then(|family| family.metrics.first()?.value.parse().ok());
        Self { labels: raw.labels, successful: raw.last_push_successful, pushed: time.unwrap_or(0.0) }
    }

    /// `job="backup", host="a"`: as people know it.
    pub(in crate::verify) fn name(&self) -> String {
        let job = self.labels.iter().filter(|(name, _)| *name == "job");
        let others = self.labels.iter().filter(|(name, _)| *name != "job");
        job.chain(others).map(|(name, value)| format!("{name}={value:?}")).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_read_with_its_time() {
        let text = r#"{"labels": {"job": "b", "a": "x"}, "last_push_successful": false,
            "push_time_seconds": {"type": "GAUGE", "metrics": [{"labels": {}, "value": "1.7954478e+09"}]}}"#;
        let group = PushGroup::of(serde_json::from_str(text).unwrap());
        assert_eq!((group.pushed, group.successful), (1_795_447_800.0, false));
        assert_eq!(group.name(), r#"job="b", a="x""#);
    }
}
