//! Totals that begin at 0 before the first run of a job, so that `increase()` sees that run, however short it is.

use super::{Settings, text};
use crate::config::quote;
use crate::error::{Goal as _, Result};
use crate::http::pushgateway::{Group, GroupKey, Pushgateway};
use crate::ledger::State;

impl Settings {
    /// Publishes zeros for a script of which neither the ledger nor the Pushgateway has anything; says whether it did.
    /// `groups` are those that the Pushgateway holds.
    ///
    /// Nothing is written to the ledger: whoever runs the script may be another user, with totals of his own.
    pub async fn begin(&self, gateway: &Pushgateway, groups: &[Group], script: &str) -> Result<bool> {
        let goal = || format!("could not let the totals of {} begin at 0", quote(script));
        let is_of = |group: &Group, name: &str, value: &str| group.labels.get(name).is_some_and(|label| label == value);
        if groups.iter().any(|group| is_of(group, "job", &self.job) && is_of(group, "script_name", script)) {
            return Ok(false);
        }
        let ledger = self.ledger().goal(goal)?.script(script);
        // In turn with a first run, which would not want its result replaced.
        let turn = if ledger.folder().exists() { ledger.turn().goal(goal)? } else { None };
        if ledger.read().goal(goal)?.revision > 0 || !ledger.active().goal(goal)?.is_empty() {
            return Ok(false);
        }
        gateway.put(&self.group(script), &text(&State::without_runs(script)?)).await.goal(goal)?;
        drop(turn);
        Ok(true)
    }

    /// The group of a script on this host.
    #[must_use]
    pub fn group(&self, script: &str) -> GroupKey {
        GroupKey::new(&self.job).with("instance", &self.instance).with("script_name", script)
    }
}
