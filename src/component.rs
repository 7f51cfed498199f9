//! The closed list of servers that make a stack.

use serde::{Deserialize, Serialize};

/// One server of the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Component {
    /// Scrapes, stores and evaluates.
    Prometheus,
    /// Groups alerts and notifies people.
    Alertmanager,
    /// Holds the last values that short-lived scripts push.
    Pushgateway,
    /// Shows the dashboard.
    Grafana,
}

impl Component {
    /// Every component, in the order in which output lists them.
    pub const ALL: [Self; 4] = [Self::Prometheus, Self::Alertmanager, Self::Pushgateway, Self::Grafana];

    /// Every component, the slowest starter first: Grafana migrates its database before it answers.
    pub const SLOWEST_FIRST: [Self; 4] = [Self::Grafana, Self::Prometheus, Self::Alertmanager, Self::Pushgateway];

    /// The lower-case name used in labels, container names, settings and output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Prometheus => "prometheus",
            Self::Alertmanager => "alertmanager",
            Self::Pushgateway => "pushgateway",
            Self::Grafana => "grafana",
        }
    }

    /// The name as people write it, for sentences.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Prometheus => "Prometheus",
            Self::Alertmanager => "Alertmanager",
            Self::Pushgateway => "Pushgateway",
            Self::Grafana => "Grafana",
        }
    }

    /// The component of that lower-case name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|component| component.name() == name)
    }
}

impl std::fmt::Display for Component {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}
