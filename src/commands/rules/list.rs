//! `rules list`: one line for each rule.

use serde_json::{Value, json};

use super::super::Context;
use crate::docker::error::clean;
use crate::error::Result;
use crate::http::prometheus::RuleKind;
use crate::promql::thresholds;
use crate::rules::{Entry, State};
use crate::ui::{Report, table};

pub(super) async fn run(context: &Context<'_>) -> Result<Report> {
    let (entries, live) = super::entries(context).await?;
    let heading = ["RULE", "KIND", "SEVERITY", "FOR", "THRESHOLD", "STATE", "FILE"].map(str::to_owned).to_vec();
    let rows = entries.iter().map(|entry| {
        let rule = &entry.rule;
        let limit = thresholds(&rule.expression).join(", ");
        let cell = |text: Option<&str>| text.filter(|text| !text.is_empty()).unwrap_or("-").to_owned();
        vec![
            rule.name.clone(),
            rule.kind.as_str().to_owned(),
            cell(rule.labels.get("severity").map(String::as_str)),
            cell(rule.r#for.as_deref()),
            cell(Some(&limit).filter(|_| rule.kind == RuleKind::Alerting).map(String::as_str)),
            state(entry),
            entry.file.clone(),
        ]
    });
    let mut text = table::columns(&std::iter::once(heading).chain(rows).collect::<Vec<_>>());
    for entry in &entries {
        if let State::Loaded(rule) = &entry.state
            && !rule.last_error.is_empty()
        {
            text.push_str(&format!("\n\n{} cannot be evaluated: {}", rule.name, clean(&rule.last_error)));
        }
    }
    let data = json!({"live": live, "rules": entries.iter().map(json).collect::<Vec<_>>()});
    Ok(Report::new(data, text))
}

/// The state for people: `firing 2`, `not loaded`, `-`.
pub(super) fn state(entry: &Entry) -> String {
    let State::Loaded(rule) = &entry.state else {
        return word(entry).unwrap_or("-").replace('_', " ");
    };
    let count = rule.alerts.len();
    let mut text = if rule.health == "err" { "error".to_owned() } else { word(entry).unwrap_or("-").to_owned() };
    if count > 0 {
        text.push_str(&format!(" {count}"));
    }
    if entry.is_unexpected() {
        text.push_str(", not in the settings");
    }
    text
}

/// The state for programs; `None` when no Prometheus could be asked.
fn word(entry: &Entry) -> Option<&str> {
    match &entry.state {
        State::Unknown => None,
        State::Disabled => Some("disabled"),
        State::NotLoaded => Some("not_loaded"),
        // A recording rule has no state of its own.
        State::Loaded(rule) if rule.state.is_empty() => Some("recording"),
        State::Loaded(rule) => Some(&rule.state),
    }
}

/// One rule for programs.
pub(super) fn json(entry: &Entry) -> Value {
    let rule = &entry.rule;
    let loaded = if let State::Loaded(loaded) = &entry.state { Some(loaded) } else { None };
    let origin = entry.ours.map(|ours| if ours { "moko-mon" } else { "user" });
    json!({
        "name": rule.name,
        "kind": rule.kind.as_str(),
        "file": entry.file,
        "group": entry.group,
        // `null`: only Prometheus has it.
        "origin": origin,
        "severity": rule.labels.get("severity"),
        "for": rule.r#for,
        "thresholds": if rule.kind == RuleKind::Alerting { thresholds(&rule.expression) } else { Vec::new() },
        "expression": rule.expression,
        "state": word(entry),
        "instances": loaded.map(|loaded| loaded.alerts.len()),
        "health": loaded.map(|loaded| &loaded.health),
        "last_error": loaded.map(|loaded| &loaded.last_error).filter(|error| !error.is_empty()),
    })
}
