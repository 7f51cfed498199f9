//! What is odd about who is told, and allowed: found before anything runs.

use std::collections::BTreeSet;

use super::{OWN_RECEIVERS, Receiver, TEST_ALERT, WATCHDOG};
use crate::alerting::routing::{Known, Route, Routing};
use crate::config::Config;
use crate::error::Result;
use crate::http::prometheus::RuleKind;
use crate::rules::{self, Rule};
use crate::stack;
use crate::verify::canary;

/// Labels that alerts have although no rule names them.
const COMMON: [&str; 3] = ["alertname", "instance", "job"];

/// The doubts about a configuration, one line each.
pub fn doubts(config: &Config) -> Result<Vec<String>> {
    if config.receivers.is_empty() && config.routes.is_empty() {
        return Ok(Vec::new());
    }
    let routing = Routing::read(&stack::alertmanager_configuration(config)?)?;
    let rules = rules_of(config);
    let mut found: Vec<String> = unheard(&routing).chain(unused(config, &routing)).collect();
    // Ours are no matter of the user's.
    let theirs = |route: &&Route| {
        let own =
            |value: &str| route.matchers.iter().any(|matcher| matcher.to_string() == format!("alertname={value:?}"));
        !own(TEST_ALERT) && !own(canary::ALERT) && !own(WATCHDOG)
    };
    let root = Route { routes: routing.root.routes.iter().filter(theirs).cloned().collect(), ..routing.root.clone() };
    found.extend(strange_labels(config, &root, &rules));
    let unreached = root.unreached(&known(config, &rules)).into_iter();
    found.extend(unreached.map(|(route, why)| format!("no alert can reach route {route}: {why}")));
    Ok(found)
}

/// Severities that matter and of which nobody is told, judged by an alert that has nothing else.
fn unheard(routing: &Routing) -> impl Iterator<Item = String> + '_ {
    let silent = ["critical", "warning"].into_iter().filter(|severity| !routing.hears(severity));
    silent.map(|severity| format!("notify.{severity}: nobody is told of `{severity}` alerts"))
}

/// Receivers that no route leads to.
fn unused<'a>(config: &'a Config, routing: &Routing) -> impl Iterator<Item = String> + use<'a> {
    let is_test = |route: &Route| route.matchers.iter().any(|matcher| matcher.to_string().contains(TEST_ALERT));
    let routes = routing.root.routes.iter().filter(|route| !is_test(route)).flat_map(Route::all);
    let told: BTreeSet<String> = routes.map(|route| route.receiver.clone()).collect();
    let unused = config.receivers.iter().filter(move |Receiver { name, integration, .. }| {
        integration.is_some() && !told.contains(name) && !OWN_RECEIVERS.contains(&name.as_str())
    });
    unused.map(|receiver| {
        format!("{}: no route leads to receiver `{}`; name it under `notify`", receiver.place, receiver.name)
    })
}

/// Every rule that will be loaded.
fn rules_of(config: &Config) -> Vec<Rule> {
    let ours = rules::files(config).into_iter().map(|(_, text)| text.into_bytes());
    let extra = config.extra_rules.iter().map(|file| file.content.clone());
    let files: Vec<Vec<u8>> = ours.chain(extra).collect();
    files.iter().flat_map(|content| rules::groups(content)).flat_map(|group| group.rules).collect()
}

/// The alerts that may fire, with the labels that are fixed.
fn known(config: &Config, rules: &[Rule]) -> Vec<Known> {
    let alerts = rules.iter().filter(|rule| rule.kind == RuleKind::Alerting);
    alerts.map(|rule| Known::of_rule(&rule.name, &rule.labels, &config.prometheus.external_labels)).collect()
}

/// Conditions on labels that nothing gives to an alert.
fn strange_labels(config: &Config, root: &Route, rules: &[Rule]) -> Vec<String> {
    let word = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
    let mut given: BTreeSet<&str> = COMMON.into();
    for rule in rules {
        given.extend(rule.labels.keys().map(String::as_str));
        // An expression that groups by a label, or selects by it, gives it to its alerts.
        given.extend(rule.expression.split(word));
    }
    given.extend(config.prometheus.external_labels.keys().map(String::as_str));
    given.extend(config.targets.iter().flat_map(|target| target.labels.keys()).map(String::as_str));
    let mut found = Vec::new();
    for route in root.all() {
        for matcher in route.matchers.iter().filter(|matcher| !given.contains(matcher.name.as_str())) {
            found.push(format!("route {}: no rule gives an alert the label `{}`", route.name(), matcher.name));
        }
    }
    found
}
