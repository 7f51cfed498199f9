//! `push status`: what is not published yet, since when and why.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};

use super::super::Context;
use super::Push;
use super::flush::in_one_line;
use crate::error::{Code, Error, Result};
use crate::ledger::{self, Script, Trouble};
use crate::ui::{Report, human, table};

/// A script with totals that are not published.
struct Pending {
    script: String,
    /// Since when something waits, in seconds since the epoch.
    since: Option<f64>,
    trouble: Option<Trouble>,
}

pub(super) fn run(context: &Context<'_>) -> Result<Report> {
    let push = Push::new(context)?;
    let (scripts, damaged) = push.ledger.scripts()?;
    for error in damaged {
        context.ui.warn(in_one_line(&error));
    }
    let mut pending = Vec::new();
    for script in &scripts {
        match script.read() {
            Ok(state) if !script.is_pending(&state, &push.publisher.place(script.name())) => {}
            Ok(_) => pending.push(look(script)),
            Err(error) => context.ui.warn(in_one_line(&error)),
        }
    }
    let place = push.publisher.whom();
    let data = json!({
        "ledger": push.ledger.folder(),
        "publishes_to": place,
        "scripts": scripts.len(),
        "pending": pending.iter().map(Pending::json).collect::<Vec<_>>(),
    });
    let scripts = if scripts.len() == 1 { "1 script".to_owned() } else { format!("{} scripts", scripts.len()) };
    let mut text = format!("{scripts} in the ledger `{}`, published to {place}", push.ledger.folder().display());
    if pending.is_empty() {
        text.push_str("\nnothing is pending");
        return Ok(Report::new(data, text));
    }
    let heading = ["PENDING", "SINCE", "LAST ERROR"].map(str::to_owned).to_vec();
    let rows = std::iter::once(heading).chain(pending.iter().map(Pending::row));
    text.push_str(&format!("\n\n{}", table::columns(&rows.collect::<Vec<_>>())));
    let error = Error::new(
        Code::NotReady,
        match pending.len() {
            1 => "the totals of 1 script are not published".to_owned(),
            count => format!("the totals of {count} scripts are not published"),
        },
    );
    let failed = Some(error.hint("nothing is lost: `moko-mon push flush` sends them, or the next run of each"));
    Ok(Report { failed, ..Report::new(data, text) })
}

fn look(script: &Script) -> Pending {
    let trouble = script.trouble();
    // Where nobody has tried in vain, it waits since it was counted.
    let counted = || {
        let changed = std::fs::metadata(script.folder().join("state")).and_then(|state| state.modified()).ok()?;
        changed.duration_since(UNIX_EPOCH).ok().map(|at| at.as_secs_f64())
    };
    let since = trouble.as_ref().map(|trouble| trouble.since).or_else(counted);
    Pending { script: script.name().to_owned(), since, trouble }
}

impl Pending {
    fn row(&self) -> Vec<String> {
        let since = self.since.map(|since| Duration::try_from_secs_f64(ledger::now() - since).unwrap_or_default());
        let error = self.trouble.as_ref().map_or("-", |trouble| trouble.error.as_str());
        vec![
            table::cell(&self.script),
            since.map_or_else(|| "-".to_owned(), |age| format!("{} ago", human(age))),
            error.to_owned(),
        ]
    }

    fn json(&self) -> Value {
        json!({
            "script": self.script,
            "since": self.since,
            "last_error": self.trouble.as_ref().map(|trouble| &trouble.error),
            "last_try": self.trouble.as_ref().map(|trouble| trouble.last),
        })
    }
}
