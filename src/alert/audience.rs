//! Who would be told of an alert, by the configuration alone: through which routes, when, and what could keep it quiet.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::label::shown;
use crate::alerting::routing::{Fits, Inhibition, Matcher, Route, Routing};

/// Everybody who would be told of an alert.
pub(crate) struct Audience<'a> {
    labels: BTreeMap<String, String>,
    routing: &'a Routing,
    at: Timestamp,
    /// The routes that take it, each with those above it, outermost first.
    taken: Vec<(Vec<&'a Route>, Fits)>,
}

impl<'a> Audience<'a> {
    /// Sends labels down the routes; a label that is not there is an empty one.
    pub(crate) fn of(labels: &BTreeMap<String, String>, routing: &'a Routing, at: Timestamp) -> Self {
        let known = routing.exactly(labels.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let taken = routing.root.takes(&known).into_iter();
        let taken = taken.map(|(route, fits)| (way(&routing.root, route).unwrap_or_default(), fits)).collect();
        Self { labels: labels.clone(), routing, at, taken }
    }

    /// Whether any receiver that has an integration is told.
    pub(crate) fn is_told(&self) -> bool {
        self.taken.iter().any(|(way, _)| way.last().is_some_and(|route| self.routing.tells(&route.receiver)))
    }

    /// Each receiver with what keeps it from being told at this time, if anything does.
    pub(crate) fn receivers(&self) -> Vec<(&'a str, Option<&'a str>)> {
        let routes = self.taken.iter().filter_map(|(way, _)| way.last().copied());
        let each = routes.map(|route| {
            let quiet = route.quiet.as_ref().filter(|quiet| self.routing.is_quiet(quiet, self.at) == Some(true));
            (route.receiver.as_str(), quiet.map(|quiet| quiet.when.as_str()))
        });
        each.collect()
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut lines = Vec::new();
        for (way, fits) in &self.taken {
            let Some(route) = way.last() else { continue };
            lines.push(self.heading(route, *fits));
            lines.push(format!("  because  {}", self.because(way)));
            if self.routing.tells(&route.receiver) {
                let waits = &route.waits;
                let groups = match waits.group_by.as_slice() {
                    [] => "all alerts of the route in one message".to_owned(),
                    [all] if all == "..." => "each alert by itself".to_owned(),
                    labels => format!("grouped by {}", labels.join(", ")),
                };
                lines.push(format!(
                    "  when     after {}, {groups}; news of the group after {}, the same again after {}",
                    waits.group_wait, waits.group_interval, waits.repeat_interval
                ));
            }
            if let Some(quiet) = &route.quiet {
                let now = match self.routing.is_quiet(quiet, self.at) {
                    Some(true) => "now",
                    Some(false) => "not now",
                    None => "it is not known whether now",
                };
                let when = self.routing.intervals(quiet).join("; ");
                lines.push(format!("  quiet    {now}: it tells nobody {} ({when})", quiet.when));
            }
        }
        for rule in self.inhibitions() {
            lines.push(format!("kept quiet while {}", self.inhibition(rule)));
        }
        lines.join("\n")
    }

    /// `pager (pagerduty, email)`.
    fn heading(&self, route: &Route, fits: Fits) -> String {
        let perhaps = if fits == Fits::Surely { "" } else { ", perhaps: a pattern cannot be judged here" };
        match self.routing.receivers.get(&route.receiver).filter(|kinds| !kinds.is_empty()) {
            Some(kinds) => format!("{} ({}){perhaps}", route.receiver, kinds.join(", ")),
            None => format!("{} (has no integration: it tells nobody){perhaps}", route.receiver),
        }
    }

    /// The conditions of the routes on the way, and what the labels have.
    fn because(&self, way: &[&Route]) -> String {
        let conditions = way.iter().flat_map(|route| &route.matchers).map(|matcher| {
            let value = self.labels.get(&matcher.name).map_or("", String::as_str);
            if matcher.regex || matcher.negated {
                let is = if value.is_empty() { "is not set".to_owned() } else { format!("is {value:?}") };
                format!("{matcher} ({is})")
            } else {
                matcher.to_string()
            }
        });
        let conditions: Vec<String> = conditions.collect();
        let own = if conditions.is_empty() { None } else { Some(conditions.join(", then ")) };
        let below = way.last().is_some_and(|route| !route.routes.is_empty());
        match (own, below) {
            (None, true) => "no other route takes it: the default".to_owned(),
            (None, false) => "the default route takes everything".to_owned(),
            (Some(own), true) => format!("{own}; no route below takes it"),
            (Some(own), false) => own,
        }
    }

    /// The rules that could keep it quiet.
    fn inhibitions(&self) -> impl Iterator<Item = &'a Inhibition> + '_ {
        let value = |matcher: &Matcher| self.labels.get(&matcher.name).map_or("", String::as_str).to_owned();
        let fits = move |matcher: &Matcher| matcher.fits(Some(&value(matcher))) != Fits::Never;
        // What both sides take cannot keep itself quiet.
        let rules = self.routing.inhibitions.iter();
        rules.filter(move |rule| rule.target.iter().all(&fits) && !rule.source.iter().all(&fits))
    }

    fn inhibition(&self, rule: &Inhibition) -> String {
        let source: Vec<String> = rule.source.iter().map(ToString::to_string).collect();
        let equal = rule.equal.iter().map(|name| match self.labels.get(name).filter(|value| !value.is_empty()) {
            Some(value) => format!("{name}={value:?}"),
            None => format!("no {name}"),
        });
        let equal: Vec<String> = equal.collect();
        let with = if equal.is_empty() { String::new() } else { format!(" with {}", equal.join(", ")) };
        format!("{} fires{with}", source.join(", "))
    }

    /// The alert as people write it.
    pub(crate) fn alert(&self) -> String {
        shown(&self.labels)
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        let receivers = self.taken.iter().filter_map(|(way, fits)| {
            let route = way.last()?;
            let matchers: Vec<String> = way.iter().flat_map(|of| &of.matchers).map(ToString::to_string).collect();
            let quiet = route.quiet.as_ref().map(|quiet| {
                json!({"now": self.routing.is_quiet(quiet, self.at), "when": quiet.when, "intervals": self.routing.intervals(quiet)})
            });
            Some(json!({
                "name": route.receiver,
                "integrations": self.routing.receivers.get(&route.receiver).cloned().unwrap_or_default(),
                "certain": *fits == Fits::Surely,
                "route": matchers,
                "group_by": route.waits.group_by,
                "group_wait": route.waits.group_wait,
                "group_interval": route.waits.group_interval,
                "repeat_interval": route.waits.repeat_interval,
                "quiet": quiet,
            }))
        });
        let inhibitions = self.inhibitions().map(|rule| {
            let source: Vec<String> = rule.source.iter().map(ToString::to_string).collect();
            json!({"source": source, "equal": rule.equal})
        });
        json!({
            "labels": self.labels,
            "told": self.is_told(),
            "receivers": receivers.collect::<Vec<_>>(),
            "inhibited_by": inhibitions.collect::<Vec<_>>(),
        })
    }
}

/// The routes from the first to this one.
fn way<'a>(from: &'a Route, to: &Route) -> Option<Vec<&'a Route>> {
    if std::ptr::eq(from, to) {
        return Some(vec![from]);
    }
    let below = from.routes.iter().find_map(|route| way(route, to))?;
    Some(std::iter::once(from).chain(below).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "
route:
  receiver: nobody
  group_by: [alertname]
  routes:
  - matchers: ['severity=~\"critical|warning\"']
    continue: true
    receiver: chat
    repeat_interval: 1d
    mute_time_intervals: [nights]
    routes:
    - {matchers: ['team=\"security\"'], receiver: guards, group_by: ['...']}
  - matchers: ['severity=\"critical\"', 'team!=\"dev\"']
    receiver: pager
receivers:
- name: nobody
- {name: chat, slack_configs: [{channel: x}]}
- {name: guards, email_configs: [{to: x}]}
- {name: pager, pagerduty_configs: [{}], email_configs: [{to: x}]}
inhibit_rules:
- {source_matchers: ['alertname=\"JobFailed\"'], target_matchers: ['alertname=\"JobLate\"'], equal: [script_name]}
time_intervals:
- {name: nights, time_intervals: [{times: [{start_time: '22:00', end_time: '24:00'}]}]}
";

    fn audience(pairs: &[(&str, &str)], at: &str, see: impl Fn(&Audience<'_>)) {
        let routing = Routing::read(CONFIG).unwrap();
        let labels = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        see(&Audience::of(&labels, &routing, at.parse().unwrap()));
    }

    #[test]
    fn each_receiver_is_shown_with_its_route_its_waits_and_its_quiet_hours() {
        audience(&[("alertname", "X"), ("severity", "critical")], "2026-01-01T23:00:00Z", |audience| {
            assert!(audience.is_told());
            insta::assert_snapshot!(audience.text(), @r#"
            chat (slack)
              because  severity=~"critical|warning" (is "critical"); no route below takes it
              when     after 30s, grouped by alertname; news of the group after 5m, the same again after 1d
              quiet    now: it tells nobody during `nights` (22:00 to 24:00)
            pager (pagerduty, email)
              because  severity="critical", then team!="dev" (is not set)
              when     after 30s, grouped by alertname; news of the group after 5m, the same again after 4h
            "#);
        });
        audience(&[("severity", "warning"), ("team", "security")], "2026-01-01T12:00:00Z", |audience| {
            insta::assert_snapshot!(audience.text(), @r#"
            guards (email)
              because  severity=~"critical|warning" (is "warning"), then team="security"
              when     after 30s, each alert by itself; news of the group after 5m, the same again after 1d
            "#);
        });
    }

    #[test]
    fn an_alert_for_nobody_and_what_keeps_one_quiet_are_told() {
        audience(&[("alertname", "JobLate"), ("script_name", "backup")], "2026-01-01T12:00:00Z", |audience| {
            assert!(!audience.is_told());
            insta::assert_snapshot!(audience.text(), @r#"
            nobody (has no integration: it tells nobody)
              because  no other route takes it: the default
            kept quiet while alertname="JobFailed" fires with script_name="backup"
            "#);
            assert_eq!(audience.json()["inhibited_by"][0]["equal"], json!(["script_name"]));
            assert_eq!(audience.json()["told"], false);
        });
        audience(&[("alertname", "JobFailed")], "2026-01-01T12:00:00Z", |audience| {
            assert!(!audience.text().contains("kept quiet"), "{}", audience.text());
        });
    }
}
