//! The jobs of the manifest: whether anybody would learn that something is wrong with one.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::FutureExt as _;
use jiff::Timestamp;
use serde_json::Value;

use super::{check, few};
use crate::alerting::routing::{Known, Routing};
use crate::component::Component;
use crate::error::Result;
use crate::http::prometheus::{RuleGroup, RuleKind};
use crate::jobs::{self, Job, State};
use crate::verify::{Check, Finding, World};

/// What stands between a job and somebody who learns of its trouble; each is missing for a reason, or it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Coverage {
    /// The job.
    pub(crate) job: String,
    /// Whether its metrics arrive.
    pub(crate) metric: Link,
    /// Whether its alerts are loaded.
    pub(crate) alert: Link,
    /// Whether they have tests.
    pub(crate) test: Link,
    /// Whether they lead to a receiver that tells somebody.
    pub(crate) route: Link,
    /// Whether a dashboard shows it.
    pub(crate) panel: Link,
}

/// A part of the coverage: what was seen, or what is missing.
pub(crate) type Link = std::result::Result<&'static str, String>;

impl Coverage {
    /// The parts with their names.
    pub(crate) fn links(&self) -> [(&'static str, &Link); 5] {
        [
            ("metric", &self.metric),
            ("alert", &self.alert),
            ("test", &self.test),
            ("route", &self.route),
            ("panel", &self.panel),
        ]
    }

    /// Whether nothing is missing.
    pub(crate) fn is_whole(&self) -> bool {
        self.links().iter().all(|(_, link)| link.is_ok())
    }
}

pub(in crate::verify) fn checks(world: &World) -> Vec<Check> {
    let declared = world.expected.as_ref().is_some_and(|expected| !expected.config.jobs.is_empty());
    let about = "Each job of the manifest is seen, and its alerts are loaded, tested, routed to somebody and shown.";
    let needs = &["prometheus.ready", "alerting.ready"];
    let coverage = || check("jobs.coverage", "jobs", about, needs, |world| async { look(world).await }.boxed());
    declared.then(coverage).into_iter().collect()
}

async fn look(world: &World) -> Result<Finding> {
    let receivers = world.expected.iter().flat_map(|expected| &expected.config.receivers);
    let somebody = receivers.filter(|receiver| receiver.integration.is_some()).count() > 0;
    Ok(judge(&coverage(world).await?, somebody))
}

/// `somebody` can be told: the settings have a receiver.
fn judge(coverage: &[Coverage], somebody: bool) -> Finding {
    let missing = |wanted: &dyn Fn(&str) -> bool| {
        let facts = coverage.iter().flat_map(|of| {
            let missing = of.links().into_iter().filter(|(name, _)| wanted(name));
            missing.filter_map(|(name, link)| Some((name, &of.job, link.as_ref().err()?))).collect::<Vec<_>>()
        });
        facts.map(|(name, job, fact)| format!("job `{job}` has no {name}: {fact}")).collect::<Vec<_>>()
    };
    let failed = missing(&|name| name != "route" || somebody);
    if !failed.is_empty() {
        return Finding::fail_if_any(few(failed), "`moko-mon jobs check` shows all of them", "");
    }
    // Where nobody is told of anything, `alerting.receivers` warns of it, too.
    Finding::warn_if_any(
        few(missing(&|name| name == "route")),
        "name receivers under `receivers` and `notify` in moko-mon.yaml; `moko-mon jobs check` takes it for a failure",
        format!("{} jobs, each seen, with alerts, tests, a route to somebody and a panel", coverage.len()),
    )
}

/// The coverage of every job of the settings, in their order.
pub(crate) async fn coverage(world: &World) -> Result<Vec<Coverage>> {
    let (Some(expected), Some(prometheus)) = (&world.expected, world.prometheus()) else { return Ok(Vec::new()) };
    let states = jobs::states(&prometheus).await?;
    let groups = world.facts.prometheus.rules(&prometheus).await?;
    let routing = match world.server(Component::Alertmanager) {
        Some(server) => Some(world.facts.alertmanager.routing(server).await?),
        None => None,
    };
    let config = &expected.config;
    let tests: Value = crate::yaml::from_str(&jobs::test_file(config, jobs::RULE_FILE)?)?;
    let tests = tests.to_string();
    let shows = |json: &Value| json.to_string().contains(jobs::metrics::DECLARED.name);
    let panel = match &expected.stack.grafana {
        None => Ok("no Grafana"),
        Some(content) if content.dashboards.iter().any(|dashboard| shows(&dashboard.json)) => Ok("in the dashboard"),
        Some(_) => Err("no dashboard of the settings reads the metrics of jobs".to_owned()),
    };
    let alerts: Vec<&str> = jobs::ALERTS.into_iter().filter(|alert| !config.rules.disabled.contains(*alert)).collect();
    let now = Timestamp::now();
    let of = |job: &Job| Coverage {
        job: job.name.clone(),
        metric: metric(job, states.get(&job.name), now),
        alert: alert(job, &alerts, groups),
        test: test(job, &alerts, &tests),
        route: route(job, &alerts, groups, routing),
        panel: panel.clone(),
    };
    Ok(config.jobs.iter().map(of).collect())
}

/// A job that had no reason to run yet is only waiting.
fn metric(job: &Job, state: Option<&State>, now: Timestamp) -> Link {
    let Some(state) = state else { return Err("no series of it has arrived; `moko-mon up` declares it".to_owned()) };
    if state.success.is_some() || state.failure.is_some() {
        return Ok("seen");
    }
    if state.running {
        return Ok("first run");
    }
    let Some(due) = state.due else { return Err("it is not declared; `moko-mon up` declares it".to_owned()) };
    if now.as_duration().as_secs_f64() <= due + job.grace.as_secs_f64() {
        return Ok("not due yet");
    }
    Err(format!("it was due and has not run under this name; start it with `moko-mon run --name {}`", job.name))
}

fn of_job<'a>(job: &'a Job, groups: &'a [RuleGroup]) -> impl Iterator<Item = &'a crate::http::prometheus::Rule> {
    let name = jobs::literal(&job.name);
    let rules = groups.iter().flat_map(|group| &group.rules).filter(|rule| rule.kind == RuleKind::Alerting);
    rules.filter(move |rule| rule.labels.get("script_name") == Some(&name))
}

fn alert(job: &Job, alerts: &[&str], groups: &[RuleGroup]) -> Link {
    if alerts.is_empty() {
        return Err("all alerts of jobs are in `rules.disabled`".to_owned());
    }
    let loaded: BTreeSet<&str> = of_job(job, groups).map(|rule| rule.name.as_str()).collect();
    let missing: Vec<&str> = alerts.iter().copied().filter(|alert| !loaded.contains(alert)).collect();
    if missing.is_empty() {
        return Ok("loaded");
    }
    Err(format!("Prometheus has not loaded {}; `moko-mon up` delivers it", missing.join(", ")))
}

fn test(job: &Job, alerts: &[&str], tests: &str) -> Link {
    let name = format!("script_name=\"{}\"", crate::exposition::escape(&job.name));
    // As it stands in a text of JSON.
    let name = Value::from(name).to_string();
    let name = name.trim_matches('"').trim_end_matches('\\');
    let missing = |alert: &&&str| !tests.contains(&format!("alertname=\\\"{alert}\\\",{name}"));
    match alerts.iter().find(missing) {
        Some(alert) => Err(format!("the tests made from the manifest do not have {alert}")),
        None => Ok("made"),
    }
}

fn route(job: &Job, alerts: &[&str], groups: &[RuleGroup], routing: Option<&Routing>) -> Link {
    let Some(routing) = routing else { return Err("no Alertmanager is given".to_owned()) };
    for rule in of_job(job, groups).filter(|rule| alerts.contains(&rule.name.as_str())) {
        let receivers = routing.told(&Known::of_rule(&rule.name, &rule.labels, &BTreeMap::new()));
        if !receivers.iter().any(|receiver| routing.tells(receiver)) {
            let receivers = receivers.join("`, `");
            return Err(format!("{} goes to `{receivers}`, which tells nobody (team `{}`)", rule.name, job.team));
        }
    }
    Ok("to a receiver")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::Outcome;

    fn whole(job: &str) -> Coverage {
        let (metric, alert, test, route, panel) = (Ok("seen"), Ok("loaded"), Ok("made"), Ok("x"), Ok("x"));
        Coverage { job: job.to_owned(), metric, alert, test, route, panel }
    }

    #[test]
    fn a_job_without_a_route_is_a_warning_where_nobody_can_be_told_and_all_else_a_failure() {
        assert_eq!(judge(&[whole("a"), whole("b")], true).outcome, Outcome::Pass);
        let silent =
            Coverage { route: Err("JobLate goes to `nobody`, which tells nobody (team `x`)".to_owned()), ..whole("a") };
        assert_eq!(judge(std::slice::from_ref(&silent), true).outcome, Outcome::Fail);
        let finding = judge(std::slice::from_ref(&silent), false);
        assert_eq!(finding.outcome, Outcome::Warn);
        assert_eq!(finding.evidence, ["job `a` has no route: JobLate goes to `nobody`, which tells nobody (team `x`)"]);
        let unseen = Coverage { metric: Err("it was due".to_owned()), ..silent };
        assert_eq!(judge(&[unseen], false).evidence, ["job `a` has no metric: it was due"]);
    }

    #[test]
    fn a_job_that_is_not_due_yet_is_waiting() {
        let config = crate::config::defaults().unwrap();
        assert!(config.jobs.is_empty());
        let job = Job {
            name: "a".to_owned(),
            schedule: jobs::Schedule::every(&"1h".parse().unwrap()),
            grace: std::time::Duration::from_secs(60),
            max_runtime: std::time::Duration::from_secs(60),
            team: "x".to_owned(),
            owner: None,
            severity: jobs::Severity::Info,
            runbook: None,
            command: None,
        };
        let now = Timestamp::from_second(1_000_000).unwrap();
        let declared = |due: f64| State { declared: true, due: Some(due), ..State::default() };
        assert_eq!(metric(&job, Some(&declared(1_000_000.0 - 60.0)), now), Ok("not due yet"));
        let late = metric(&job, Some(&declared(1_000_000.0 - 61.0)), now).unwrap_err();
        assert_eq!(late, "it was due and has not run under this name; start it with `moko-mon run --name a`");
        assert!(metric(&job, None, now).unwrap_err().contains("`moko-mon up`"));
        assert_eq!(metric(&job, Some(&State { failure: Some(1.0), ..declared(0.0) }), now), Ok("seen"));
    }
}
