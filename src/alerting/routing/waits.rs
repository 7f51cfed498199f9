//! How a route brings alerts together, and how long it waits; inherited from the route above.

use serde_json::Value;

use super::list;

/// Grouping and waiting, in Prometheus' notation of durations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waits {
    /// The labels whose values a group shares; `...` means all.
    pub(crate) group_by: Vec<String>,
    /// From the first alert of a group to the first message.
    pub(crate) group_wait: String,
    /// To the message about another alert of the group.
    pub(crate) group_interval: String,
    /// To the same message once more.
    pub(crate) repeat_interval: String,
}

impl Default for Waits {
    /// What Alertmanager does where nothing is said.
    fn default() -> Self {
        let [group_wait, group_interval, repeat_interval] = ["30s", "5m", "4h"].map(str::to_owned);
        Self { group_by: Vec::new(), group_wait, group_interval, repeat_interval }
    }
}

impl Waits {
    /// Those of a route below.
    pub(super) fn below(&self, route: &Value) -> Self {
        let text = |key: &str, above: &String| route[key].as_str().map_or_else(|| above.clone(), str::to_owned);
        let group_by = match &route["group_by"] {
            Value::Array(_) => list(&route["group_by"]).filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => self.group_by.clone(),
        };
        Self {
            group_by,
            group_wait: text("group_wait", &self.group_wait),
            group_interval: text("group_interval", &self.group_interval),
            repeat_interval: text("repeat_interval", &self.repeat_interval),
        }
    }
}
