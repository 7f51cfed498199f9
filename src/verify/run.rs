//! Runs a catalogue: everything at once, preconditions first, nothing beyond the deadline.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, join_all};

use super::{Check, Checked, Finding, World};
use crate::ui::human;

/// Which checks are wanted, by id or by the beginning of one up to a dot.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Only these; empty: all.
    pub only: Vec<String>,
    /// Not these.
    pub skip: Vec<String>,
}

impl Selection {
    /// Whether a check is wanted.
    #[must_use]
    pub fn wants(&self, id: &str) -> bool {
        (self.only.is_empty() || self.only.iter().any(|of| names(of, id))) && !self.skip.iter().any(|of| names(of, id))
    }

    /// The words that name no check of the catalogue.
    pub fn strangers<'a>(&'a self, catalog: &'a [Check]) -> impl Iterator<Item = &'a str> {
        let words = self.only.iter().chain(&self.skip).map(String::as_str);
        words.filter(|word| !catalog.iter().any(|check| names(word, &check.id)))
    }
}

/// Whether a word is an id or the first parts of it.
fn names(word: &str, id: &str) -> bool {
    id.strip_prefix(word.trim_end_matches('.')).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Makes the wanted checks; preconditions that are not wanted are looked at, too, but not reported.
pub async fn run(catalog: &[Check], world: &World, selection: &Selection) -> Vec<Checked> {
    let mut made: BTreeMap<&str, Shared<BoxFuture<'_, Checked>>> = BTreeMap::new();
    for check in catalog {
        let needs: Vec<_> = check.needs.iter().filter_map(|id| made.get(id).cloned()).collect();
        made.insert(&check.id, one(check, world, needs).boxed().shared());
    }
    let wanted = catalog.iter().filter(|check| selection.wants(&check.id));
    join_all(wanted.filter_map(|check| made.get(check.id.as_ref()).cloned())).await
}

async fn one(check: &Check, world: &World, needs: Vec<Shared<BoxFuture<'_, Checked>>>) -> Checked {
    let checked = |finding, duration| Checked {
        id: check.id.clone().into_owned(),
        component: check.component,
        finding,
        duration,
    };
    for need in join_all(needs).await {
        if !need.finding.outcome.holds() {
            let reason = format!("needs `{}`, which is `{}`", need.id, need.finding.outcome.as_str());
            return checked(Finding::skip(reason), Duration::ZERO);
        }
    }
    let begun = Instant::now();
    let left = world.deadline.saturating_duration_since(begun);
    let finding = match tokio::time::timeout(left, (check.look)(world)).await {
        Ok(looked) => looked.unwrap_or_else(Finding::from),
        Err(_) => Finding::fail(
            format!("not done within {}, when the time for all checks was over", human(world.limit)),
            "give it more time with `--timeout 30s`; see what is slow with `moko-mon status`",
        ),
    };
    checked(finding, begun.elapsed())
}
