//! `push flush`: sends what is pending, and what the Pushgateway has lost.

use std::collections::BTreeSet;

use serde_json::json;

use super::super::Context;
use super::Push;
use crate::config::quote;
use crate::error::{Code, Error, Result};
use crate::ui::Report;

/// After so many failures in a row the rest is not tried: each may take as long as a push may take.
const PATIENCE: usize = 3;

pub(super) async fn run(context: &Context<'_>) -> Result<Report> {
    let push = Push::new(context)?;
    let (scripts, damaged) = push.ledger.scripts()?;
    for error in damaged {
        context.ui.warn(in_one_line(&error));
    }
    // A Pushgateway that was set up anew has nothing of what it was sent; one that is down is found out soon enough.
    let there = match push.publisher.gateway() {
        Some(_) => push.groups().await.ok(),
        None => None,
    };
    let there: Option<BTreeSet<String>> =
        there.map(|groups| groups.iter().filter_map(|group| push.script_of(group)).map(str::to_owned).collect());
    let (mut sent, mut failed, mut left) = (Vec::new(), Vec::new(), Vec::new());
    let mut in_a_row = 0;
    for script in scripts {
        // Runs that died with their wrapper are counted here, too.
        let settled = script.settle();
        let place = push.publisher.place(script.name());
        if !script.is_filed() && there.as_ref().is_some_and(|there| !there.contains(script.name())) {
            script.resend();
        }
        if settled.as_ref().is_ok_and(|state| !script.is_pending(state, &place)) {
            continue;
        }
        if in_a_row == PATIENCE {
            left.push(script.name().to_owned());
            continue;
        }
        let published = match settled {
            Ok(_) => push.publisher.publish(&script).await,
            Err(error) => Err(error),
        };
        match published {
            Ok(_) => {
                in_a_row = 0;
                sent.push(script.name().to_owned());
            }
            Err(error) => {
                in_a_row += 1;
                failed.push((script.name().to_owned(), error));
            }
        }
    }
    let text = match sent.len() {
        0 if failed.is_empty() => "nothing is pending".to_owned(),
        0 => String::new(),
        1 => format!("sent {}", quote(&sent[0])),
        count => format!("sent {count} scripts"),
    };
    let failures = failed.iter().map(|(script, error)| json!({"script": script, "error": in_one_line(error)}));
    let data = json!({"sent": sent, "failed": failures.collect::<Vec<_>>(), "not_tried": left});
    let mut report = Report::new(data, text);
    if let Some((_, first)) = failed.first() {
        let mut error = Error::new(Code::NotReady, "could not publish everything");
        for (_, one) in failed.iter().take(PATIENCE) {
            error = error.cause(in_one_line(one));
        }
        if failed.len() > PATIENCE || !left.is_empty() {
            error = error.cause(format!("and {} more", failed.len().saturating_sub(PATIENCE) + left.len()));
        }
        let again =
            || "nothing is lost: it is sent when the Pushgateway answers again; its address is `push.url`".to_owned();
        error.hint = Some(first.hint.clone().unwrap_or_else(again));
        report.failed = Some(error);
    }
    Ok(report)
}

pub(super) fn in_one_line(error: &Error) -> String {
    std::iter::once(error.message.as_str())
        .chain(error.causes.iter().map(String::as_str))
        .collect::<Vec<_>>()
        .join(": ")
}
