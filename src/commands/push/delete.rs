//! `push delete`: a script with its totals, or any group.

use serde_json::json;

use super::super::Context;
use super::Push;
use super::groups::{SCRIPT, shown_labels};
use crate::cli;
use crate::config::{did_you_mean, quote};
use crate::error::{Code, Error, Result};
use crate::http::pushgateway::{Group, GroupKey};
use crate::push::{Faults, labels};
use crate::ui::Report;

pub(super) async fn run(context: &Context<'_>, flags: &cli::Delete) -> Result<Report> {
    let push = Push::new(context)?;
    match &flags.script {
        Some(script) => delete_script(context, &push, script).await,
        None => delete_group(context, &push, &flags.group).await,
    }
}

async fn delete_script(context: &Context<'_>, push: &Push, script: &str) -> Result<Report> {
    let goal = format!("could not delete {}", quote(script));
    let totals = push.ledger.script(script);
    let in_ledger = totals.folder().is_dir();
    // With files in place of a Pushgateway, what the ledger does not know was not written either.
    let groups = if push.publisher.gateway().is_some() {
        push.groups().await.map_err(|error| error.goal(&goal))?
    } else {
        Vec::new()
    };
    let published = groups.iter().any(|group| push.script_of(group) == Some(script));
    if !in_ledger && !published {
        return Err(missing(push, script, &groups)?.goal(goal));
    }
    if !totals.active()?.is_empty() {
        context.ui.warn(format!("{} is running: its totals begin anew when the run ends", quote(script)));
    }
    push.publisher.withdraw(script).await.map_err(|error| error.goal(&goal))?;
    totals.remove()?;
    let text = format!("deleted {}: its totals and what was published of it", quote(script));
    Ok(Report::new(json!({"script": script, "published": published, "totals": in_ledger}), text))
}

/// Where the script may be instead.
fn missing(push: &Push, script: &str, groups: &[Group]) -> Result<Error> {
    let elsewhere = groups.iter().find(|group| group.labels.get(SCRIPT).is_some_and(|name| name == script));
    let (known, _) = push.ledger.scripts()?;
    let names = known.iter().map(crate::ledger::Script::name);
    let names: Vec<&str> = names.chain(groups.iter().filter_map(|group| push.script_of(group))).collect();
    let error = Error::new(Code::NotFound, format!("nothing is known of it here{}", did_you_mean(script, names)));
    Ok(match elsewhere {
        Some(group) => error
            .cause(format!("the Pushgateway has it from elsewhere: {}", shown_labels(group)))
            .hint("delete it there, or with all its labels after `--group`"),
        None => error.hint("`moko-mon push list` shows what there is"),
    })
}

async fn delete_group(context: &Context<'_>, push: &Push, words: &[String]) -> Result<Report> {
    let goal = "could not delete the group";
    let mut wanted = labels(words).map_err(|fault| Faults::one(fault).error(goal))?;
    let all = wanted.clone();
    let job = wanted.remove("job").filter(|job| !job.is_empty()).ok_or_else(|| {
        Error::new(Code::Usage, goal)
            .cause("a group has a label `job`")
            .hint("write all its labels: `--group job=x instance=y`")
    })?;
    let key = wanted.into_iter().fold(GroupKey::new(job), |key, (name, value)| key.with(name, value));
    let groups = push.groups().await.map_err(|error| error.goal(goal))?;
    let Some(group) = groups.iter().find(|group| GroupKey::of(group) == key) else {
        let near = groups.iter().filter(|group| all.iter().all(|of| group.labels.get_key_value(of.0) == Some(of)));
        let near: Vec<String> = near.take(5).map(shown_labels).collect();
        let error = Error::new(Code::NotFound, goal).cause("the Pushgateway has no group with exactly these labels");
        return Err(error.hint(if near.is_empty() {
            "`moko-mon push list` shows what there is".to_owned()
        } else {
            format!("there is {}", near.join("\nand "))
        }));
    };
    if let Some(script) = push.script_of(group) {
        return delete_script(context, push, script).await;
    }
    push.gateway()?.delete(&key).await.map_err(|error| error.goal(goal))?;
    Ok(Report::new(json!({"group": group.labels}), format!("deleted {}", shown_labels(group))))
}
