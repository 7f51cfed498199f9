//! From Alertmanager's routes to its receivers.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::{few, many, not_given};
use crate::alerting::routing::{Known, Routing};
use crate::alerting::{HEARTBEAT, TEST_ALERT, TEST_RECEIVER, WATCHDOG};
use crate::component::Component;
use crate::error::Result;
use crate::http::prometheus::{RuleGroup, RuleKind};
use crate::verify::{Finding, Outcome, World};

/// Names of receivers that are meant to tell nobody.
const PLACEHOLDERS: [&str; 7] = ["null", "nobody", "none", "blackhole", "devnull", "drop", "ignore"];

pub(super) async fn look_receivers(world: &World) -> Result<Finding> {
    let Some(server) = world.server(Component::Alertmanager) else { return Ok(not_given(Component::Alertmanager)) };
    Ok(judge_receivers(world.facts.alertmanager.routing(server).await?, world.expected.is_some()))
}

fn judge_receivers(routing: &Routing, ours: bool) -> Finding {
    let hint = "give the receiver an integration in Alertmanager's configuration, such as `webhook_configs`";
    let silent = |receiver: &str| !routing.tells(receiver);
    let below: Vec<_> = routing.root.all().into_iter().skip(1).filter(|route| silent(&route.receiver)).collect();
    let is_meant = |receiver: &str| PLACEHOLDERS.contains(&receiver.to_lowercase().as_str());
    let fact = |receiver: &str, route: &str| {
        format!("nobody will be told of what reaches {route}: receiver `{receiver}` has no integration")
    };
    let failed = below.iter().filter(|route| !is_meant(&route.receiver) && route.receiver != routing.root.receiver);
    let failed: Vec<String> = failed.map(|route| fact(&route.receiver, &format!("route {}", route.name()))).collect();
    if !failed.is_empty() {
        return Finding::fail_if_any(few(failed), hint, "");
    }
    let default = silent(&routing.root.receiver).then(|| fact(&routing.root.receiver, "the default route"));
    let routes = routing.root.all().len();
    let fine = format!(
        "{}, each to a receiver with an integration, or to one that is meant to tell nobody",
        many(routes, "route")
    );
    if ours && default.is_some() && routing.hears("critical") && routing.hears("warning") {
        return Finding::pass(format!("somebody is told of `critical` and of `warning`; {fine}"));
    }
    let hint = if ours {
        "name receivers under `receivers` and `notify` in moko-mon.yaml; `moko-mon up` applies them"
    } else {
        hint
    };
    Finding::warn_if_any(default.into_iter().collect(), hint, fine)
}

pub(super) async fn look_heartbeat(world: &World) -> Result<Finding> {
    let Some(server) = world.server(Component::Alertmanager) else { return Ok(not_given(Component::Alertmanager)) };
    let Some(expected) = &world.expected else {
        return Ok(Finding::skip("whether a stack that moko-mon did not make has a dead man's switch is not known"));
    };
    let routing = world.facts.alertmanager.routing(server).await?;
    Ok(judge_heartbeat(routing, expected.config.heartbeat.is_some()))
}

fn judge_heartbeat(routing: &Routing, wanted: bool) -> Finding {
    if !wanted {
        return Finding::warn_if_any(
            vec!["nobody will notice when monitoring itself stops: no `heartbeat` is set".to_owned()],
            "name a service that expects a call again and again under `heartbeat` in moko-mon.yaml",
            "",
        );
    }
    let told = routing.told(&routing.exactly([("alertname", WATCHDOG), ("severity", "none")]));
    if told == [HEARTBEAT] {
        return Finding::pass(format!("`{WATCHDOG}` goes to receiver `{HEARTBEAT}`, and to nobody else"));
    }
    Finding::fail(
        format!("`{WATCHDOG}` goes to {}, and should go to receiver `{HEARTBEAT}` alone", list(&told)),
        "bring Alertmanager's configuration back with `moko-mon up`",
    )
}

fn list(receivers: &[&str]) -> String {
    if receivers.is_empty() { "no receiver".to_owned() } else { format!("`{}`", receivers.join("`, `")) }
}

pub(super) async fn look_routes(world: &World) -> Result<Finding> {
    let Some(server) = world.server(Component::Alertmanager) else { return Ok(not_given(Component::Alertmanager)) };
    let Some(prometheus) = world.prometheus() else { return Ok(not_given(Component::Prometheus)) };
    let routing = world.facts.alertmanager.routing(server).await?;
    if routing.root.routes.is_empty() {
        return Ok(Finding::pass("there is one route, which takes every alert"));
    }
    if let Some(muted) = judge_muted(routing) {
        return Ok(muted);
    }
    let rules = world.facts.prometheus.rules(&prometheus).await?;
    let configuration = world.facts.prometheus.configuration(&prometheus).await?;
    if configuration["alerting"]["alert_relabel_configs"].as_array().is_some_and(|list| !list.is_empty()) {
        return Ok(Finding::skip(
            "`alert_relabel_configs` change the labels of alerts on their way, so it cannot be said",
        ));
    }
    let mut alerts = known(rules, &configuration["global"]["external_labels"]);
    if world.expected.is_some() {
        // It comes from no rule, and names any receiver.
        let mut test = routing.exactly([("alertname", TEST_ALERT)]);
        test.labels.remove(TEST_RECEIVER);
        alerts.push(test);
    }
    Ok(judge_routes(routing, &alerts))
}

/// The labels of every alert rule, as far as they are fixed.
fn known(groups: &[RuleGroup], external: &Value) -> Vec<Known> {
    let rules = groups.iter().flat_map(|group| &group.rules).filter(|rule| rule.kind == RuleKind::Alerting);
    let external = external.as_object().into_iter().flatten();
    let external: BTreeMap<String, String> =
        external.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect();
    rules.map(|rule| Known::of_rule(&rule.name, &rule.labels, &external)).collect()
}

/// Routes that tell nobody at any time, although their receivers could.
fn judge_muted(routing: &Routing) -> Option<Finding> {
    let muted = routing.root.all().into_iter().filter(|route| routing.tells(&route.receiver)).filter_map(|route| {
        let quiet = route.quiet.as_ref().filter(|quiet| quiet.always)?;
        Some(format!(
            "route {} tells nobody {}, and that is at any time: receiver `{}` is never told",
            route.name(),
            quiet.when,
            route.receiver
        ))
    });
    let hint =
        "give `time_intervals` in Alertmanager's configuration days or times, or take the interval out of the route";
    let finding = Finding::warn_if_any(few(muted.collect()), hint, "");
    (finding.outcome == Outcome::Warn).then_some(finding)
}

fn judge_routes(routing: &Routing, alerts: &[Known]) -> Finding {
    if alerts.is_empty() {
        return Finding::skip("no alert rule is loaded, so nothing can reach any route");
    }
    let unreached = routing.root.unreached(alerts);
    let facts = unreached.into_iter().map(|(route, why)| format!("no alert can reach route {route}: {why}"));
    let routes = routing.root.all().len();
    Finding::warn_if_any(
        few(facts.collect()),
        "mend its matchers or their order; `amtool config routes test` shows where labels lead",
        format!("{routes} routes, each within reach of {}", many(alerts.len(), "alert rule")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routing(routes: &str, receivers: &str) -> Routing {
        Routing::read(&format!(
            "route: {{receiver: nobody, routes: [{routes}]}}\nreceivers: [{{name: nobody}}{receivers}]"
        ))
        .unwrap()
    }

    const PAGER: &str = ", {name: pager, webhook_configs: [{url: x}]}";

    #[test]
    fn an_empty_default_receiver_is_a_warning_that_says_so() {
        let finding = judge_receivers(&routing("", ""), false);
        assert_eq!(finding.outcome, Outcome::Warn);
        assert_eq!(
            finding.evidence,
            ["nobody will be told of what reaches the default route: receiver `nobody` has no integration"]
        );
        assert!(finding.hint.unwrap().contains("webhook_configs"));
    }

    #[test]
    fn with_our_default_receiver_it_is_enough_that_somebody_is_told_of_what_matters() {
        let both = "{matchers: ['severity=~\"critical|warning\"'], receiver: pager}";
        assert_eq!(judge_receivers(&routing(both, PAGER), true).outcome, Outcome::Pass);
        let one = "{matchers: ['severity=\"critical\"'], receiver: pager}";
        assert_eq!(judge_receivers(&routing(one, PAGER), true).outcome, Outcome::Warn);
        let team = "{matchers: ['severity=~\"critical|warning\"', 'team=\"ops\"'], receiver: pager}";
        assert_eq!(judge_receivers(&routing(team, PAGER), true).outcome, Outcome::Warn);
    }

    #[test]
    fn a_route_to_a_receiver_without_integration_fails() {
        let finding = judge_receivers(&routing("{matchers: ['team=\"ops\"'], receiver: ops}", ", {name: ops}"), false);
        assert_eq!(finding.outcome, Outcome::Fail);
        assert_eq!(
            finding.evidence,
            ["nobody will be told of what reaches route {team=\"ops\"} → ops: receiver `ops` has no integration"]
        );
        let meant = judge_receivers(
            &routing("{matchers: ['alertname=\"Watchdog\"'], receiver: 'null'}", ", {name: 'null'}"),
            false,
        );
        assert_eq!(meant.outcome, Outcome::Warn);
        let ours = judge_receivers(&routing("", ""), true);
        assert_eq!(
            ours.hint.as_deref(),
            Some("name receivers under `receivers` and `notify` in moko-mon.yaml; `moko-mon up` applies them")
        );
    }

    #[test]
    fn without_a_dead_mans_switch_nobody_notices_the_end() {
        let none = judge_heartbeat(&routing("", ""), false);
        assert_eq!(none.outcome, Outcome::Warn);
        assert_eq!(none.evidence, ["nobody will notice when monitoring itself stops: no `heartbeat` is set"]);
        let beat = ", {name: heartbeat, webhook_configs: [{url: x}]}";
        let route = "{matchers: ['alertname=\"Watchdog\"'], receiver: heartbeat}";
        assert_eq!(
            judge_heartbeat(&routing(route, beat), true).evidence,
            ["`Watchdog` goes to receiver `heartbeat`, and to nobody else"]
        );
        let lost = judge_heartbeat(&routing("", ""), true);
        assert_eq!(lost.outcome, Outcome::Fail);
        assert_eq!(lost.evidence, ["`Watchdog` goes to `nobody`, and should go to receiver `heartbeat` alone"]);
    }

    #[test]
    fn a_route_that_is_always_muted_is_a_warning() {
        let of = |entry: &str| {
            let route = "{matchers: ['team=\"ops\"'], receiver: pager, mute_time_intervals: [ever]}";
            let intervals = format!("]\ntime_intervals: [{{name: ever, time_intervals: [{entry}]}}");
            judge_muted(&routing(route, &format!("{PAGER}{intervals}")))
        };
        assert_eq!(
            of("{}").unwrap().evidence,
            [
                "route {team=\"ops\"} → pager tells nobody during `ever`, and that is at any time: receiver `pager` is never told"
            ]
        );
        assert_eq!(of("{weekdays: [sunday]}"), None);
    }

    #[test]
    fn a_route_out_of_reach_is_a_warning() {
        let alert = |team: &str| Known {
            labels: [("alertname", "A"), ("team", team)].map(|(a, b)| (a.to_owned(), b.to_owned())).into(),
        };
        let routing = routing("{matchers: ['team=\"nosuch\"'], receiver: pager}", PAGER);
        let finding = judge_routes(&routing, &[alert("ops")]);
        assert_eq!(finding.outcome, Outcome::Warn);
        assert_eq!(finding.evidence, ["no alert can reach route {team=\"nosuch\"} → pager: no rule sets such labels"]);
        assert_eq!(
            judge_routes(&routing, &[alert("nosuch")]).evidence,
            ["2 routes, each within reach of 1 alert rule"]
        );
        assert_eq!(judge_routes(&routing, &[]).outcome, Outcome::Skip);
    }
}
