//! What is known of an alert before the routes take it.

use std::collections::BTreeMap;

use super::{Fits, Routing};

/// What is known of an alert: a label that is not among these may come from a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    /// Labels with a fixed value, `alertname` among them.
    pub(crate) labels: BTreeMap<String, String>,
}

impl Known {
    /// The alert that a rule of this name makes, on a Prometheus with these external labels.
    pub(crate) fn of_rule(name: &str, labels: &BTreeMap<String, String>, external: &BTreeMap<String, String>) -> Self {
        let mut labels: BTreeMap<String, String> =
            external.iter().chain(labels).map(|(name, value)| (name.clone(), value.clone())).collect();
        // A template takes its value from the series.
        labels.retain(|_, value| !value.contains("{{"));
        labels.insert("alertname".to_owned(), name.to_owned());
        Self { labels }
    }
}

impl Routing {
    /// An alert that has these labels and no others: every other one that a route asks for is empty.
    pub(crate) fn exactly<'a>(&self, labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> Known {
        let asked = self.root.all().into_iter().flat_map(|route| &route.matchers);
        let asked = asked.map(|matcher| (matcher.name.clone(), String::new()));
        let given = labels.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        Known { labels: asked.chain(given).collect() }
    }

    /// The receivers that an alert surely gets to.
    pub(crate) fn told(&self, alert: &Known) -> Vec<&str> {
        let taken = self.root.takes(alert).into_iter().filter(|(_, fits)| *fits == Fits::Surely);
        taken.map(|(route, _)| route.receiver.as_str()).collect()
    }

    /// Whether somebody is told of an alert that has nothing but a severity.
    pub(crate) fn hears(&self, severity: &str) -> bool {
        self.told(&self.exactly([("severity", severity)])).into_iter().any(|receiver| self.tells(receiver))
    }
}
