//! The groups on the Pushgateway, as `push list`, `push delete` and `push prune` see them.

use std::time::Duration;

use serde_json::{Value, json};

use super::Push;
use crate::error::{Code, Error, Result};
use crate::http::pushgateway::{Group, GroupKey, Pushgateway};
use crate::ledger;
use crate::ui::human;

/// The label that tells a script's group from others.
pub(super) const SCRIPT: &str = "script_name";

impl Push {
    /// The Pushgateway.
    pub(super) fn gateway(&self) -> Result<&Pushgateway> {
        self.publisher.gateway().ok_or_else(|| {
            Error::new(Code::Usage, "there is no Pushgateway to ask")
                .cause("`push.textfile_dir` is set, so metrics are written to files")
                .hint("each script has one file in that folder; `moko-mon push delete SCRIPT` removes it")
        })
    }

    /// All groups, by their labels.
    pub(super) async fn groups(&self) -> Result<Vec<Group>> {
        let mut groups = self.gateway()?.groups().await.map_err(|mut error| {
            error.hint.get_or_insert_with(|| "is it running? Its address is the setting `push.url`".to_owned());
            error
        })?;
        groups.sort_by(|one, other| {
            (one.labels.get(SCRIPT), &one.labels).cmp(&(other.labels.get(SCRIPT), &other.labels))
        });
        Ok(groups)
    }

    /// The script of this host and these settings to which a group belongs.
    pub(super) fn script_of<'a>(&self, group: &'a Group) -> Option<&'a str> {
        let script = group.labels.get(SCRIPT)?;
        (GroupKey::of(group) == self.publisher.group(script)).then_some(script)
    }
}

/// How long ago a group was pushed.
pub(super) fn age(group: &Group) -> Option<Duration> {
    // A clock that is behind makes it a moment ago.
    group.pushed().map(|pushed| Duration::try_from_secs_f64(ledger::now() - pushed).unwrap_or_default())
}

/// The age for people.
pub(super) fn shown_age(group: &Group) -> String {
    age(group).map_or_else(|| "-".to_owned(), |age| format!("{} ago", human(age)))
}

/// The labels for people: `job="x" instance="y"`.
pub(super) fn shown_labels(group: &Group) -> String {
    let labels = group.labels.iter().map(|(name, value)| format!("{name}={value:?}"));
    labels.collect::<Vec<_>>().join(" ")
}

/// A group for programs.
pub(super) fn json(group: &Group, ours: bool) -> Value {
    json!({
        "labels": group.labels,
        "this_host": ours,
        "pushed": group.pushed(),
        "age_seconds": age(group).map(|age| age.as_secs()),
        "metrics": group.metrics().count(),
        "last_push_successful": group.last_push_successful,
    })
}
