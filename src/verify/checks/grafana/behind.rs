//! The Prometheus behind a data source: the answer is its own, where a panel of Grafana 9.4 turns each refusal into "no
//! data". Ours is asked directly; any other through Grafana, which passes the question on.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::component::Component;
use crate::contract::{EXTRAS, Metric, REQUIRED};
use crate::error::Result;
use crate::http::Server;
use crate::http::grafana::{DATA_SOURCE_UID, Grafana};
use crate::jobs::metrics::METRICS;
use crate::verify::facts::Reply;
use crate::verify::{World, spelling};

/// A Prometheus behind a data source.
#[derive(Clone, Copy)]
pub(super) struct Behind<'a> {
    grafana: &'a Grafana,
    direct: Option<&'a Server>,
    pub(super) uid: &'a str,
}

impl<'a> Behind<'a> {
    /// Where the data source is ours, so is the Prometheus: that is what `grafana.data_source` proves.
    pub(super) fn new(world: &'a World, grafana: &'a Grafana, uid: &'a str) -> Self {
        let ours = world.expected.is_some() && uid == DATA_SOURCE_UID;
        let direct = world.server(Component::Prometheus).filter(|_| ours);
        Self { grafana, direct, uid }
    }

    pub(super) async fn ask(&self, call: &str, parameters: &[(&str, &str)]) -> Result<Reply> {
        let path = format!("api/v1/{call}");
        let answer = match self.direct {
            Some(prometheus) => prometheus.get(&format!("/{path}"), parameters).await?,
            None => self.grafana.resource(self.uid, &path, parameters).await?,
        };
        Ok(Reply::of(&answer))
    }

    /// Whether an expression has any series now.
    pub(super) async fn has(&self, expression: &str) -> Result<bool> {
        let count = format!("count({expression})");
        let reply = self.ask("query", &[("query", &count)]).await?;
        Ok(matches!(reply, Reply::Data(data) if !data["result"].as_array().is_none_or(Vec::is_empty)))
    }

    /// The names that series have, or will have: of the contract, and of recording rules.
    pub(super) async fn names(&self) -> Result<Names> {
        let ours = REQUIRED.iter().chain(&EXTRAS).chain(METRICS);
        let mut expected: BTreeSet<String> = ours.flat_map(Metric::series).collect();
        if let Reply::Data(data) = self.ask("rules", &[("type", "record")]).await? {
            let rules = data["groups"].as_array().into_iter().flatten().filter_map(|group| group["rules"].as_array());
            expected.extend(rules.flatten().filter_map(|rule| rule["name"].as_str()).map(str::to_owned));
        }
        let mut present = BTreeSet::new();
        if let Reply::Data(data) = self.ask("label/__name__/values", &[]).await? {
            present.extend(data.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
        }
        Ok(Names { expected, present })
    }
}

/// The names that are known.
pub(super) struct Names {
    expected: BTreeSet<String>,
    present: BTreeSet<String>,
}

impl Names {
    /// What a name without series that is probably wrong should have been: ` (did you mean …?)`.
    pub(super) fn meant(&self, name: &str) -> Option<String> {
        if self.expected.contains(name) || self.present.contains(name) {
            return None;
        }
        if let Some(histogram) = REQUIRED.iter().find(|metric| metric.name == name) {
            return Some(format!(": it is a histogram, whose series are `{}`", histogram.series().join("`, `")));
        }
        let all = self.expected.iter().chain(&self.present).map(String::as_str);
        spelling::meant(name, all).map(|word| format!(" (did you mean `{word}`?)"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_unknown_name_is_a_misspelling() {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let names = Names { expected: set(&["moko_script_executions_total"]), present: set(&["up"]) };
        assert_eq!(names.meant("moko_script_executions_total"), None);
        assert_eq!(names.meant("node_load1"), None);
        let hint = names.meant("moko_script_execution_total").unwrap();
        assert_eq!(hint, " (did you mean `moko_script_executions_total`?)");
        let hint = names.meant("moko_script_duration_seconds").unwrap();
        assert_eq!(
            hint,
            ": it is a histogram, whose series are `moko_script_duration_seconds_bucket`, \
             `moko_script_duration_seconds_sum`, `moko_script_duration_seconds_count`"
        );
        let native = Names { expected: set(&[]), present: set(&["moko_script_duration_seconds"]) };
        assert_eq!(native.meant("moko_script_duration_seconds"), None);
    }
}
