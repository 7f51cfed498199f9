//! `alert routes`: who would be told of an alert, from the settings alone.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::json;

use super::super::Context;
use super::super::rules::files;
use crate::alert::audience::Audience;
use crate::alert::label::labels;
use crate::alerting::routing::Routing;
use crate::cli;
use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::http::prometheus::RuleKind;
use crate::rules::Rule;
use crate::stack;
use crate::ui::Report;

pub(super) fn run(context: &Context<'_>, flags: &cli::AlertRoutes) -> Result<Report> {
    let given = labels("could not follow the routes", &flags.labels)?;
    let config = context.config()?.config;
    let filled = fixed(context, &config, &given);
    let all = filled.iter().chain(&given).map(|(name, value)| (name.clone(), value.clone())).collect();
    let routing = Routing::read(&stack::alertmanager_configuration(&config)?)?;
    let audience = Audience::of(&all, &routing, Timestamp::now());
    let mut text = format!("{}\n", audience.alert());
    if !filled.is_empty() {
        let words: Vec<String> = filled.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        text.push_str(&format!("filled in, as Prometheus does: {}\n", words.join(", ")));
    }
    text.push_str(&format!("\n{}", audience.text()));
    let mut data = audience.json();
    data["filled_in"] = json!(filled);
    let failed = (!audience.is_told()).then(|| {
        Error::new(Code::NobodyTold, format!("nobody would be told of {}", audience.alert()))
            .cause("its routes lead only to receivers that have no integration")
            .hint("name receivers for its severity under `notify` in moko-mon.yaml, or write a route for it under `routes`")
    });
    Ok(Report { failed, ..Report::new(data, text) })
}

/// The labels that the alert's rule and the settings add to it, where they are not given.
fn fixed(context: &Context<'_>, config: &Config, given: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = config.prometheus.external_labels.clone().into_iter().collect();
    let files = files(config, &context.sources.directory);
    let rules = files.iter().flat_map(|file| &file.groups).flat_map(|group| &group.rules);
    let named = rules.filter(|rule| rule.kind == RuleKind::Alerting && given.get("alertname") == Some(&rule.name));
    let fixed = |rule: &Rule| -> BTreeMap<String, String> {
        let fixed = rule.labels.iter().filter(|(_, value)| !value.contains("{{"));
        fixed.map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    // Of several rules of one name, as those of jobs, the one is meant that says nothing else than what is given.
    let fits = |labels: &BTreeMap<String, String>| {
        labels.iter().all(|(name, value)| given.get(name).is_none_or(|given| given == value))
    };
    let meant: BTreeSet<BTreeMap<String, String>> = named.map(fixed).filter(fits).collect();
    match meant.len() {
        0 => {}
        1 => all.extend(meant.into_iter().flatten()),
        several => {
            let first = meant.iter().flatten().find(|(name, _)| !given.contains_key(*name) && differs(&meant, name));
            let which = first.map(|(name, _)| format!(", which differ in `{name}`")).unwrap_or_default();
            context.ui.warn(format!("{several} rules have this name{which}: nothing was filled in; give more labels"));
        }
    }
    all.retain(|name, _| !given.contains_key(name));
    all
}

/// Whether rules have different values of a label.
fn differs(rules: &BTreeSet<BTreeMap<String, String>>, name: &str) -> bool {
    rules.iter().map(|labels| labels.get(name)).collect::<BTreeSet<_>>().len() > 1
}
