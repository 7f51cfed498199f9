//! `rules show`: one rule in full.

use serde_json::{Value, json};

use super::super::Context;
use super::list;
use crate::config::did_you_mean;
use crate::docker::error::clean;
use crate::error::{Code, Error, Result};
use crate::http::prometheus::Alert;
use crate::rules::{Entry, State, runbook};
use crate::ui::{Report, table};

pub(super) async fn run(context: &Context<'_>, name: &str) -> Result<Report> {
    let (entries, live) = super::entries(context).await?;
    let found: Vec<&Entry> = entries.iter().filter(|entry| entry.rule.name == name).collect();
    if found.is_empty() {
        let names = entries.iter().map(|entry| entry.rule.name.as_str());
        return Err(Error::new(Code::NotFound, format!("there is no rule `{name}`{}", did_you_mean(name, names)))
            .hint("`moko-mon rules list` lists them"));
    }
    let text = found.iter().map(|entry| text(entry)).collect::<Vec<_>>().join("\n\n");
    let data = json!({"live": live, "rules": found.into_iter().map(json).collect::<Vec<_>>()});
    Ok(Report::new(data, text))
}

fn text(entry: &Entry) -> String {
    let rule = &entry.rule;
    let row = |key: &str, value: &str| vec![key.to_owned(), value.to_owned()];
    let mut rows = vec![
        row(rule.kind.as_str(), &rule.name),
        row("file", &entry.file),
        row("group", &entry.group),
        row("interval", entry.interval.as_deref().unwrap_or("that of `prometheus.evaluation_interval`")),
    ];
    rows.extend(rule.r#for.as_deref().map(|text| row("for", text)));
    rows.extend(rule.keep_firing_for.as_deref().map(|text| row("keep_firing_for", text)));
    rows.extend(rule.labels.iter().map(|(name, value)| row(&format!("label {name}"), value)));
    rows.push(row("state", &list::state(entry)));
    let mut text = table::columns(&rows);
    let mut part = |title: &str, body: &str| text.push_str(&format!("\n\n{title}\n{}", indented(body)));
    part("expression", &rule.expression);
    for (name, body) in &rule.annotations {
        part(name, body);
    }
    if let State::Loaded(loaded) = &entry.state {
        if !loaded.last_error.is_empty() {
            part("last error", &clean(&loaded.last_error));
        }
        if !loaded.alerts.is_empty() {
            let heading = ["STATE", "SINCE", "VALUE", "LABELS"].map(str::to_owned).to_vec();
            let rows = loaded.alerts.iter().map(instance);
            part("now", &table::columns(&std::iter::once(heading).chain(rows).collect::<Vec<_>>()));
        }
    }
    if let Some(page) = page(entry) {
        text.push_str(&format!("\n\n{}", page.trim_end()));
    }
    text
}

/// The runbook of a rule of ours.
fn page(entry: &Entry) -> Option<&'static str> {
    runbook(&entry.rule.name).filter(|_| entry.ours == Some(true))
}

/// Active instances of an alert, one line each.
fn instance(alert: &Alert) -> Vec<String> {
    let labels = alert.labels.iter().filter(|(name, _)| *name != "alertname");
    let labels = labels.map(|(name, value)| format!("{name}={value:?}")).collect::<Vec<_>>().join(" ");
    vec![alert.state.clone(), seconds(&alert.active_at).to_owned() + "Z", value(&alert.value), labels]
}

/// `3`, where Prometheus writes `3e+00`.
fn value(text: &str) -> String {
    text.parse::<f64>().map_or_else(|_| text.to_owned(), |number| number.to_string())
}

/// A time without what is smaller than a second; Prometheus tells times in UTC.
fn seconds(time: &str) -> &str {
    time.split(['.', 'Z']).next().unwrap_or_default()
}

fn indented(body: &str) -> String {
    body.lines().map(|line| format!("  {line}").trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn json(entry: &Entry) -> Value {
    let rule = &entry.rule;
    let alerts = if let State::Loaded(loaded) = &entry.state { Some(&loaded.alerts) } else { None };
    let mut json = list::json(entry);
    json["interval"] = json!(entry.interval);
    json["keep_firing_for"] = json!(rule.keep_firing_for);
    json["labels"] = json!(rule.labels);
    json["annotations"] = json!(rule.annotations);
    json["runbook"] = json!(page(entry));
    json["active"] = json!(alerts.map(|alerts| {
        let alert = |alert: &Alert| {
            json!({"state": alert.state, "since": alert.active_at, "value": alert.value, "labels": alert.labels})
        };
        alerts.iter().map(alert).collect::<Vec<_>>()
    }));
    json
}
