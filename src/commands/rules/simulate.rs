//! `rules simulate`: makes an alert fire for real, follows it, and takes away what it pushed.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::json;

use super::Context;
use crate::cli;
use crate::component::Component;
use crate::error::{Code, Error, Result};
use crate::http::alertmanager::Alertmanager;
use crate::http::prometheus::{Prometheus, RuleGroup};
use crate::http::pushgateway::{GroupKey, Pushgateway};
use crate::lock::Lock;
use crate::observed::{Container, State};
use crate::platform;
use crate::simulate::{
    Alert, Clock, Follow, JOB, Lasts, Loaded, Notified, Outcome, Plan, Present, Record, Routing, Servers, Timing,
    alert_of, group_key, plan,
};
use crate::ui::{Event, Report, human};

/// The stack as a simulation needs it.
struct Running {
    project: String,
    engine: String,
    servers: Servers,
}

pub(super) async fn run(context: &Context<'_>, flags: &cli::Simulate) -> Result<Report> {
    let alert = flags.name.as_deref().map(Alert::from_name).transpose()?;
    let running = connect(context).await?;
    let Some(alert) = alert else { return clean(&running).await };
    let _lock = running.lock(alert.name())?;
    for name in running.remove_leftovers(Some(alert.name())).await? {
        context.ui.event(&Event::Note(&format!("removed what an earlier simulation of `{name}` had left")));
    }
    let servers = &running.servers;
    let groups = servers.prometheus.rules().await?;
    let loaded = Loaded::find(&groups, alert).ok_or_else(|| {
        Error::new(Code::NotFound, format!("the rule `{}` is not loaded", alert.name()))
            .cause("`rules.disabled` has it, or had it when the stack was last brought up")
            .hint("take it out there, then run `moko-mon up`")
    })?;
    refuse_if_demo(&servers.prometheus, alert).await?;
    let present = present(&servers.prometheus, &loaded, alert).await?;
    refuse_if_active(&loaded, alert, &present)?;
    let plan = plan(alert, &loaded, &present.counts)?;
    let timing = timing(servers, &loaded).await?;
    refuse_if_too_short(&plan, &timing, alert)?;

    context.ui.event(&Event::Note(&format!("{}: {}", alert.name(), plan.story)));
    context.ui.event(&Event::Note(&start(&loaded, &plan, &timing)));
    let key = group_key(alert.name());
    let pushed = servers.pushgateway.groups().await?;
    let untyped = plan.metrics().filter(|metric| pushed.iter().any(|group| group.has_untyped(metric))).collect();
    let follow = Follow { servers, ui: context.ui, alert, key: &key, plan: &plan, untyped, timing: &timing };
    let mut record = Record::default();
    let followed = tokio::select! {
        followed = follow.run(&mut record) => followed,
        () = context.stop.token.cancelled() => Err(stopped(context, &plan)),
    };
    let also = others(servers, &groups, alert, &plan).await;
    // What was pushed goes in any case.
    let cleaned = if plan.pushes.is_empty() { Ok(()) } else { remove(&servers.pushgateway, &key).await };
    if let Some(Notified::Quiet { reason }) = &record.notified {
        context.ui.warn(format!("nobody is told of `{}`: it is {reason}", alert.name()));
    }
    let outcome = Outcome {
        alert,
        plan: &plan,
        timing: &timing,
        record: &record,
        also,
        clock: present.clock,
        ended: Instant::now(),
    };
    let error = match (followed, cleaned) {
        (Ok(()), Ok(())) => None,
        (Ok(()), Err(unclean)) => Some(left_behind(unclean)),
        (Err(failed), Ok(())) if matches!(failed.code, Code::Interrupted | Code::Terminated) => Some(failed),
        (Err(failed), Ok(())) => Some(failed.goal(format!("could not simulate `{}`", alert.name()))),
        (Err(failed), Err(unclean)) => Some(left_behind(unclean).cause(failed.message)),
    };
    Ok(Report { failed: error, ..Report::new(outcome.json(), outcome.text()) })
}

/// The line about where the alert is now, and when it will fire.
fn start(loaded: &Loaded<'_>, plan: &Plan, timing: &Timing) -> String {
    let after = timing.evaluation + timing.for_duration;
    let (state, then) = match (loaded.rule.alerts.first(), &plan.lasts) {
        (Some(active), _) => (active.state.as_str(), "it is real, so it is followed from here".to_owned()),
        (None, Lasts::Silence(silence)) => {
            ("inactive", format!("fires within {} after a silence of {silence}", human(after)))
        }
        // Counters are seen twice.
        (None, _) => {
            let scrapes = timing.scrape * u32::try_from(plan.pushes.len()).unwrap_or(1);
            ("inactive", format!("fires within {}", human(scrapes + after)))
        }
    };
    format!("{state:<10} {:>14}  {then}", "")
}

/// Only removes leftovers.
async fn clean(running: &Running) -> Result<Report> {
    let removed = running.remove_leftovers(None).await?;
    let text = match removed.as_slice() {
        [] => "no simulation has left anything in the Pushgateway".to_owned(),
        names => format!("removed what simulations had left: {}", names.join(", ")),
    };
    Ok(Report::new(json!({"removed": removed}), text))
}

/// The three servers of the project, which all have to run.
async fn connect(context: &Context<'_>) -> Result<Running> {
    let project = context.project()?;
    let docker = context.docker().await?;
    let containers = docker.project_containers(&project).await?;
    let http = Context::http()?;
    let url = |component| address(&containers, &project, component);
    let servers = Servers {
        prometheus: Prometheus::new(&http, &url(Component::Prometheus)?),
        alertmanager: Alertmanager::new(&http, &url(Component::Alertmanager)?),
        pushgateway: Pushgateway::new(&http, &url(Component::Pushgateway)?),
    };
    Ok(Running { project, engine: docker.engine.id, servers })
}

fn address(containers: &[Container], project: &str, component: Component) -> Result<String> {
    let missing = |fact: String| {
        Error::new(Code::NotFound, "an alert can only be simulated on a running stack")
            .cause(fact)
            .hint("bring the stack up with `moko-mon up`")
    };
    let container = containers.iter().find(|container| container.component == Some(component));
    let container =
        container.ok_or_else(|| missing(format!("project `{project}` has no {} container", component.title())))?;
    match &container.spec {
        Some(spec) if container.state == State::Running => Ok(spec.port.url()),
        _ => Err(missing(format!("container `{}` is {}", container.name, container.state.as_str()))),
    }
}

impl Running {
    /// One simulation of an alert at a time; others go on beside it.
    fn lock(&self, alert: &str) -> Result<Lock> {
        let name = format!("{}-simulate-{alert}", self.project);
        Lock::take(&platform::lock_folder(), &self.engine, &name, &format!("rules simulate {alert}")).map_err(|error| {
            if error.code != Code::Locked {
                return error;
            }
            Error { message: format!("`{alert}` is being simulated already"), ..error }
        })
    }

    /// Removes the groups of simulations that do not run any more; `held` is the alert whose lock is ours.
    async fn remove_leftovers(&self, held: Option<&str>) -> Result<Vec<String>> {
        let mut removed = Vec::new();
        for group in self.servers.pushgateway.groups().await? {
            let Some(alert) = alert_of(&group) else { continue };
            // Whoever holds the lock still works with the group.
            let lock = if held == Some(alert) { None } else { Some(self.lock(alert)) };
            if lock.as_ref().is_some_and(|lock| lock.as_ref().is_err_and(|error| error.code == Code::Locked)) {
                continue;
            }
            remove(&self.servers.pushgateway, &GroupKey::of(&group)).await?;
            removed.push(alert.to_owned());
        }
        Ok(removed)
    }
}

/// Deletes a group until the Pushgateway does not list it any more: a push that was interrupted may arrive late.
async fn remove(pushgateway: &Pushgateway, key: &GroupKey) -> Result<()> {
    for _ in 0..20 {
        pushgateway.delete(key).await?;
        tokio::time::sleep(Duration::from_millis(100)).await;
        if !pushgateway.groups().await?.iter().any(|group| GroupKey::of(group) == *key) {
            return Ok(());
        }
    }
    Err(Error::new(Code::NotReady, "the Pushgateway still lists the group after it was deleted"))
}

fn left_behind(error: Error) -> Error {
    error
        .goal("the simulated series could not be removed from the Pushgateway")
        .hint("remove them with `moko-mon rules simulate --clean`")
}

fn stopped(context: &Context<'_>, plan: &Plan) -> Error {
    let error = context.stop.error("`rules simulate`");
    let fact = if plan.pushes.is_empty() { "nothing was pushed" } else { "what was pushed is taken away again" };
    Error { causes: vec![fact.to_owned()], hint: None, ..error }
}

/// The feed of the demo is a script that runs all the time.
async fn refuse_if_demo(prometheus: &Prometheus, alert: Alert) -> Result<()> {
    if alert != Alert::NoScriptExecutions {
        return Ok(());
    }
    let runs = format!("count(moko_script_executions_total{})", crate::demo::selector());
    if prometheus.query(&runs).await?.is_empty() {
        return Ok(());
    }
    Err(Error::new(Code::NotFired, "`NoScriptExecutions` cannot fire while the demo is on")
        .cause("the demo's scripts run all the time")
        .hint("end it with `moko-mon demo stop`"))
}

/// What is there before anything is pushed.
struct Before {
    counts: Present,
    /// Simulated runs among those in the window.
    simulated: f64,
    clock: Clock,
}

async fn present(prometheus: &Prometheus, loaded: &Loaded<'_>, alert: Alert) -> Result<Before> {
    let number = async |query: &str| -> Result<f64> {
        let value = prometheus.query(query).await?.first().map(|sample| sample.value);
        Ok(value.filter(|value| value.is_finite()).unwrap_or_default())
    };
    let at = Instant::now();
    let now = number("time()").await?;
    let mut before =
        Before { counts: Present { now, ..Present::default() }, simulated: 0.0, clock: Clock { server: now, at } };
    if matches!(alert, Alert::HighScriptFailureRate | Alert::CriticalScriptFailureRate) {
        let window = loaded.window()?;
        let runs = |labels: &str| format!("sum(increase(moko_script_executions_total{{{labels}}}[{window}]))");
        before.counts.runs = number(&runs(r#"status=~"success|failure""#)).await?;
        before.counts.failures = number(&runs(r#"status="failure""#)).await?;
        before.simulated = number(&runs(&format!(r#"job="{JOB}""#))).await?;
    }
    Ok(before)
}

/// A rule that is active already would show nothing; only silence, which cannot be pushed, is followed from where it is.
fn refuse_if_active(loaded: &Loaded<'_>, alert: Alert, before: &Before) -> Result<()> {
    let Some(active) = loaded.rule.alerts.first().filter(|_| alert != Alert::NoScriptExecutions) else { return Ok(()) };
    let error = Error::new(Code::AlreadyFiring, format!("`{}` is {} already", alert.name(), active.state));
    let subject = active.labels.values().any(|value| value.starts_with("simulated-"));
    Err(if subject || before.simulated >= 1.0 {
        error
            .cause("it still sees what an earlier simulation has pushed")
            .hint("wait until it has ended: the earlier simulation told when")
    } else {
        let summary = active.annotations.get("summary").cloned().unwrap_or_default();
        error
            .cause(format!("it is real: {}", crate::http::excerpt(&summary)))
            .hint("see to that first, or wait until it has ended")
    })
}

/// What the running configuration makes of each phase.
async fn timing(servers: &Servers, loaded: &Loaded<'_>) -> Result<Timing> {
    Ok(Timing {
        scrape: servers.scrape_interval().await?,
        evaluation: loaded.interval(),
        for_duration: loaded.for_duration(),
        keep_firing_for: loaded.keep_firing_for(),
        routing: Routing::read(&servers.alertmanager.configuration().await?)?,
    })
}

/// Where time alone ends the condition, it has to last until the alert fires.
fn refuse_if_too_short(plan: &Plan, timing: &Timing, alert: Alert) -> Result<()> {
    let needed = timing.scrape + timing.evaluation * 2 + timing.for_duration;
    match plan.holds {
        Some(holds) if holds <= needed => Err(Error::new(
            Code::NotFired,
            format!("`{}` cannot fire with these settings", alert.name()),
        )
        .cause(format!(
            "its condition holds for {}, and scraping, evaluating and `for` take up to {}",
            human(holds),
            human(needed)
        ))
        .hint("lengthen how far back or ahead it looks, or shorten `for`, under `rules.thresholds` in moko-mon.yaml")),
        _ => Ok(()),
    }
}

/// The alerts that came up meanwhile, besides the simulated one and what other simulations raise.
async fn others(servers: &Servers, before: &[RuleGroup], alert: Alert, plan: &Plan) -> Vec<(String, String)> {
    let ours = |value: &String| plan.subject.as_ref().is_some_and(|(_, subject)| subject == value);
    let counts = |values: Vec<&String>| {
        values.iter().any(|value| ours(value)) || !values.iter().any(|value| value.starts_with("simulated-"))
    };
    let names = |groups: &[RuleGroup]| {
        let rules = groups.iter().flat_map(|group| &group.rules);
        let alerts = rules.flat_map(|rule| rule.alerts.iter().map(move |alert| (rule, alert)));
        let alerts = alerts.filter(|(_, alert)| counts(alert.labels.values().collect()));
        alerts.map(|(rule, alert)| (rule.name.clone(), alert.state.clone())).collect::<BTreeSet<(String, String)>>()
    };
    let known: BTreeSet<String> = names(before).into_iter().map(|(name, _)| name).collect();
    let now = servers.prometheus.rules().await.unwrap_or_default();
    names(&now).into_iter().filter(|(name, _)| name != alert.name() && !known.contains(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(alerts: &serde_json::Value) -> Vec<RuleGroup> {
        let rule = json!({
            "name": "CircuitBreakerOpen", "type": "alerting", "query": "x > 0", "health": "ok", "alerts": alerts,
        });
        serde_json::from_value(json!([{"name": "g", "file": "f", "interval": 15.0, "rules": [rule]}])).unwrap()
    }

    fn refusal(alerts: &serde_json::Value, simulated: f64) -> Option<String> {
        let groups = groups(alerts);
        let loaded = Loaded::find(&groups, Alert::CircuitBreakerOpen).unwrap();
        let clock = Clock { server: 0.0, at: Instant::now() };
        let before = Before { counts: Present::default(), simulated, clock };
        refuse_if_active(&loaded, Alert::CircuitBreakerOpen, &before).err().map(|error| error.to_string())
    }

    #[test]
    fn what_fires_already_is_refused_with_its_cause() {
        let alert = |service| json!([{"labels": {"service": service}, "annotations": {"summary": "Breaker of db is open"}, "state": "firing"}]);
        assert_eq!(refusal(&json!([]), 0.0), None);
        assert_eq!(
            refusal(&alert("db"), 0.0).unwrap(),
            "error: `CircuitBreakerOpen` is firing already\n  \
             caused by: it is real: Breaker of db is open\n\
             hint: see to that first, or wait until it has ended"
        );
        let earlier = "error: `CircuitBreakerOpen` is firing already\n  \
                       caused by: it still sees what an earlier simulation has pushed\n\
                       hint: wait until it has ended: the earlier simulation told when";
        assert_eq!(refusal(&alert("simulated-open"), 0.0).unwrap(), earlier);
        assert_eq!(refusal(&alert("db"), 3.0).unwrap(), earlier);
    }

    #[test]
    fn a_condition_that_ends_before_the_alert_can_fire_is_refused() {
        let timing = Timing {
            scrape: Duration::from_secs(15),
            evaluation: Duration::from_secs(15),
            for_duration: Duration::from_secs(300),
            keep_firing_for: Duration::ZERO,
            routing: Routing::read("route: {}").unwrap(),
        };
        let groups = groups(&json!([]));
        let loaded = Loaded::find(&groups, Alert::CircuitBreakerOpen).unwrap();
        let mut plan = plan(Alert::CircuitBreakerOpen, &loaded, &Present::default()).unwrap();
        assert!(refuse_if_too_short(&plan, &timing, Alert::APIRateLimitResetSoon).is_ok());
        plan.holds = Some(Duration::from_secs(60));
        let error = refuse_if_too_short(&plan, &timing, Alert::APIRateLimitResetSoon).unwrap_err();
        assert_eq!(
            error.to_string(),
            "error: `APIRateLimitResetSoon` cannot fire with these settings\n  \
             caused by: its condition holds for 60 s, and scraping, evaluating and `for` take up to 5 min 45 s\n\
             hint: lengthen how far back or ahead it looks, or shorten `for`, under `rules.thresholds` in moko-mon.yaml"
        );
    }
}
