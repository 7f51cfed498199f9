//! `push prune`: the groups of scripts that are gone.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::Context;
use super::Push;
use super::groups::{SCRIPT, age, json, shown_age};
use crate::cli;
use crate::error::Result;
use crate::http::pushgateway::{Group, GroupKey};
use crate::ledger;
use crate::ui::{Report, human, table};

/// A group that may go, and why.
struct Gone {
    group: Group,
    why: &'static str,
}

pub(super) async fn run(context: &Context<'_>, flags: &cli::Prune) -> Result<Report> {
    let push = Push::new(context)?;
    let limit = flags.older_than.as_duration();
    // What the manifest names is to come back, however seldom it runs.
    let jobs: BTreeSet<String> = context.config()?.config.jobs.into_iter().map(|job| job.name).collect();
    let mut gone = Vec::new();
    for group in push.groups().await? {
        // Groups of others, of the manifest, of the demo or of simulations have owners of their own.
        let ours = group.labels.get("job") == Some(&push.job)
            && group.labels.get(SCRIPT).is_some_and(|script| !jobs.contains(script));
        if let Some(why) = if ours { why(&push, &group, limit) } else { None } {
            gone.push(Gone { group, why });
        }
    }
    if flags.yes {
        for one in &gone {
            push.gateway()?.delete(&GroupKey::of(&one.group)).await?;
            if let Some(script) = push.script_of(&one.group) {
                push.ledger.script(script).remove()?;
            }
        }
    }
    Ok(report(&push, &gone, flags.yes, limit))
}

/// Why the script of a group is gone, if it is.
fn why(push: &Push, group: &Group, limit: Duration) -> Option<&'static str> {
    let old = age(group).is_some_and(|age| age > limit);
    let Some(script) = push.script_of(group) else { return old.then_some("not pushed for long") };
    let totals = push.ledger.script(script);
    match totals.read() {
        // It may run now for the first time, or again after long.
        _ if totals.active().map_or(true, |runs| !runs.is_empty()) => None,
        Ok(state) if state.revision == 0 => Some("not in this user's ledger"),
        // What is not published yet is not old, whatever the Pushgateway has.
        Ok(state) if old && !totals.is_pending(&state, &push.publisher.place(script)) => Some("not pushed for long"),
        Ok(_) | Err(_) => None,
    }
}

fn report(push: &Push, gone: &[Gone], done: bool, limit: Duration) -> Report {
    let data = |one: &Gone| {
        let mut value = json(&one.group, push.script_of(&one.group).is_some());
        if let Value::Object(fields) = &mut value {
            fields.insert("why".to_owned(), json!(one.why));
        }
        value
    };
    let data = json!({
        "groups": gone.iter().map(data).collect::<Vec<_>>(),
        "deleted": done,
        "older_than_seconds": limit.as_secs(),
        "at": ledger::now(),
    });
    if gone.is_empty() {
        return Report::new(data, format!("no script is gone: all were pushed within {}", human(limit)));
    }
    let heading = ["SCRIPT", "INSTANCE", "LAST PUSH", "WHY"].map(str::to_owned).to_vec();
    let rows = gone.iter().map(|one| {
        let label = |name: &str| one.group.labels.get(name).cloned().unwrap_or_default();
        vec![label(SCRIPT), label("instance"), shown_age(&one.group), one.why.to_owned()]
    });
    let mut text = table::columns(&std::iter::once(heading).chain(rows).collect::<Vec<_>>());
    text.push_str(&if done {
        format!("\n\ndeleted {}", count(gone.len()))
    } else {
        format!("\n\nnothing was deleted; `moko-mon push prune --yes` takes {} off the Pushgateway", count(gone.len()))
    });
    Report::new(data, text)
}

fn count(groups: usize) -> String {
    if groups == 1 { "this group".to_owned() } else { format!("these {groups} groups") }
}
