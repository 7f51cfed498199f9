//! What scripts publish, as Prometheus has it now.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::try_join;
use serde::Deserialize;

use crate::error::Result;
use crate::http::prometheus::{Prometheus, Sample};
use crate::verify::Fact;

/// What scripts publish, asked once.
#[derive(Debug, Default)]
pub struct ContractFacts {
    published: Fact<Published>,
}

/// All series whose name begins like those of the contract.
#[derive(Debug, Default, Clone, PartialEq)]
pub(in crate::verify) struct Published {
    /// The series, without the buckets of histograms.
    pub(in crate::verify) series: Vec<Sample>,
    /// The names of all series, those of buckets among them.
    pub(in crate::verify) names: BTreeSet<String>,
    /// The types that were told for each name; several where publishers disagree.
    pub(in crate::verify) types: BTreeMap<String, BTreeSet<String>>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "type")]
    kind: String,
}

impl ContractFacts {
    /// Everything that is published now.
    pub(in crate::verify) async fn published(&self, prometheus: &Prometheus) -> Result<&Published> {
        self.published
            .get(async {
                let (series, names, types) = try_join!(
                    prometheus.query(r#"{__name__=~"moko_.+",__name__!~".+_bucket"}"#),
                    prometheus.query(r#"count by (__name__) ({__name__=~"moko_.+"})"#),
                    prometheus.ask::<BTreeMap<String, Vec<Metadata>>>("/api/v1/metadata", &[]),
                )?;
                let names = names.into_iter().filter_map(|mut sample| sample.labels.remove("__name__")).collect();
                let ours = types.into_iter().filter(|(name, _)| name.starts_with("moko_"));
                let types = ours.map(|(name, all)| (name, all.into_iter().map(|one| one.kind).collect())).collect();
                Ok(Published { series, names, types })
            })
            .await
    }
}

impl Published {
    /// The series of a name.
    pub(in crate::verify) fn of(&self, name: &str) -> impl Iterator<Item = &Sample> {
        self.series.iter().filter(move |sample| sample.labels.get("__name__").is_some_and(|own| own == name))
    }
}
