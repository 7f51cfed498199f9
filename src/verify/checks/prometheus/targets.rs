//! What is scraped: whether all of it is there, answers, and is asked often enough.

mod diagnosis;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;

use super::{LATE, begun, expected};
use crate::component::Component;
use crate::config::PromDuration;
use crate::error::Result;
use crate::http::prometheus::{Prometheus, Runtime, Target, Targets};
use crate::stack::ready_path;
use crate::ui::human;
use crate::verify::checks::{few, moment, not_given, since};
use crate::verify::{Finding, World};

/// How long Prometheus takes to turn a new configuration into targets.
const DISCOVERY: Duration = Duration::from_secs(5);
/// How long the slowest server takes from its start until it answers.
const STARTING: Duration = Duration::from_secs(30);
/// How long a program on this host may take to accept a connection.
const CONNECT: Duration = Duration::from_millis(300);

/// A server that has just read its configuration has none for a moment; one that scrapes nothing proves nothing.
const NO_TARGET: &str = "not yet: Prometheus has no target";

const HINT: &str = "what Prometheus says of its targets is at";

async fn ask<'a>(world: &'a World, prometheus: &Prometheus) -> Result<&'a Targets> {
    // Relabelling of others may drop thousands, which is their business.
    world.facts.prometheus.targets(prometheus, world.expected.is_some()).await
}

fn page(world: &World) -> String {
    let url = world.server(Component::Prometheus).map(crate::http::Server::url).unwrap_or_default();
    format!("{HINT} {url}/targets")
}

pub(super) async fn look_present(world: &World) -> Result<Finding> {
    let Some(prometheus) = world.prometheus() else { return Ok(not_given(Component::Prometheus)) };
    let Some(spec) = world.spec(Component::Prometheus) else {
        return Ok(Finding::skip("not a stack of ours, so what should be scraped is not known"));
    };
    let runtime = world.facts.prometheus.runtime(&prometheus).await?;
    let found = ask(world, &prometheus).await?;
    Ok(judge_present(&expected::targets(spec)?, &found.active_targets, runtime, &page(world)))
}

fn judge_present(wanted: &[expected::Wanted], found: &[Target], runtime: &Runtime, page: &str) -> Finding {
    let there = expected::counted(found.iter().map(expected::found));
    let count = wanted.len();
    let wanted = expected::counted(wanted.iter().cloned());
    let missing = wanted.iter().filter_map(|(target, wanted)| match there.get(target).copied().unwrap_or_default() {
        0 => Some(format!("{target} is not scraped")),
        found if found < *wanted => Some(format!(
            "{target} is there {found} of {wanted} times: Prometheus takes targets with equal labels for one"
        )),
        _ => None,
    });
    let missing: Vec<String> = missing.collect();
    let (begun, now) = begun(runtime);
    if let Some(age) = begun.map(|begun| since(begun, now)).filter(|age| !missing.is_empty() && *age < DISCOVERY + LATE)
    {
        return Finding::skip(format!(
            "not yet: Prometheus read its configuration {} ago and takes {} to act on it",
            human(age),
            human(DISCOVERY)
        ));
    }
    Finding::fail_if_any(few(missing), page, format!("all {count} are there"))
}

pub(super) async fn look_dropped(world: &World) -> Result<Finding> {
    let Some(prometheus) = world.prometheus() else { return Ok(not_given(Component::Prometheus)) };
    if world.expected.is_none() {
        return Ok(Finding::skip("not a stack of ours, so what relabelling should drop is not known"));
    }
    let found = ask(world, &prometheus).await?;
    let counts = found.dropped_target_counts.iter().flatten().filter(|(_, count)| **count > 0);
    let facts = counts.map(|(pool, count)| format!("job `{pool}`: {count} dropped")).collect();
    Ok(Finding::fail_if_any(few(facts), page(world), "none is dropped"))
}

/// A server of ours that is a target.
struct Own {
    /// Whether it answers us as ready.
    serves: bool,
    /// When its container was started.
    started: Option<Timestamp>,
}

pub(super) async fn look_up(world: &World) -> Result<Finding> {
    let Some(prometheus) = world.prometheus() else { return Ok(not_given(Component::Prometheus)) };
    let targets = &ask(world, &prometheus).await?.active_targets;
    let runtime = world.facts.prometheus.runtime(&prometheus).await?;
    let down = || targets.iter().filter(|target| target.health == "down");
    // Asked only about what is down, so a healthy stack costs nothing.
    let ours: BTreeSet<Component> = down().filter_map(expected::component).collect();
    let ours = ours.into_iter().filter(|_| world.expected.is_some());
    let own = join_all(ours.map(|component| async move { (component, own(world, component).await) })).await;
    let ports = down().filter_map(diagnosis::refused_on_host).map(|port| async move {
        let connect = tokio::net::TcpStream::connect(("127.0.0.1", port));
        (port, tokio::time::timeout(CONNECT, connect).await.is_ok_and(|connected| connected.is_ok()))
    });
    let local = world.engine.as_ref().and_then(|engine| engine.as_ref().ok()).is_some_and(|it| it.docker.engine.local);
    let listening = if local { join_all(ports).await.into_iter().collect() } else { BTreeMap::new() };
    Ok(judge_up(targets, &own.into_iter().collect(), &listening, runtime, &page(world)))
}

async fn own(world: &World, component: Component) -> Own {
    let serves = match world.server(component) {
        Some(server) => server.get(ready_path(component), &[]).await.is_ok_and(|answer| answer.is_success()),
        None => false,
    };
    let engine = world.engine.as_ref().and_then(|engine| engine.as_ref().ok());
    let started = match engine {
        Some(engine) => world.facts.engine.life(engine, component).await.ok().flatten().and_then(|life| life.started),
        None => None,
    };
    Own { serves, started }
}

/// `listening`: ports of this host, and whether somebody listens there on loopback.
fn judge_up(
    targets: &[Target],
    own: &BTreeMap<Component, Own>,
    listening: &BTreeMap<u16, bool>,
    runtime: &Runtime,
    page: &str,
) -> Finding {
    let (_, now) = begun(runtime);
    let (mut facts, mut pending, mut elsewhere, mut up) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for target in targets {
        let name = expected::found(target);
        match target.health.as_str() {
            "up" => up += 1,
            "unknown" => pending.push(format!("{name} was not scraped yet")),
            _ => {
                let component = expected::component(target);
                let own = component.and_then(|component| own.get(&component));
                match own {
                    // It has checks of its own, and they say it.
                    Some(Own { serves: false, .. }) => elsewhere.extend(component.map(Component::title)),
                    Some(Own { started: Some(started), .. }) if young(target, *started, now) => {
                        pending.push(format!(
                            "{name} answers by now, and will be scraped within {}",
                            target.scrape_interval
                        ));
                    }
                    _ => facts.push(format!("{name}: {}", diagnosis::of(target, listening))),
                }
            }
        }
    }
    let elsewhere = match elsewhere.as_slice() {
        [] => String::new(),
        titles => format!("; {} left to the checks of its own", titles.join(", ")),
    };
    if targets.is_empty() {
        return Finding::skip(NO_TARGET);
    }
    if facts.is_empty() && !pending.is_empty() {
        return Finding::skip(format!("not yet: {}", few(pending).join("; ")));
    }
    Finding::fail_if_any(few(facts), page, format!("{up} of {} are up{elsewhere}", targets.len()))
}

/// Whether the last scrape may have come before the server was up.
fn young(target: &Target, started: Timestamp, now: Timestamp) -> bool {
    since(started, now) < length(&target.scrape_interval) * 2 + STARTING
}

/// A duration of Prometheus; its own default where the server does not say.
fn length(text: &str) -> Duration {
    text.parse::<PromDuration>().map_or(Duration::from_secs(60), |duration| duration.as_duration())
}

pub(super) async fn look_fresh(world: &World) -> Result<Finding> {
    let Some(prometheus) = world.prometheus() else { return Ok(not_given(Component::Prometheus)) };
    let recorded = prometheus.query("max(timestamp(up))").await?.first().map(|sample| sample.value);
    let runtime = world.facts.prometheus.runtime(&prometheus).await?;
    let targets = ask(world, &prometheus).await?;
    Ok(judge_fresh(&targets.active_targets, recorded, runtime))
}

/// `recorded`: the time of the newest sample of `up`, in seconds since 1970.
fn judge_fresh(targets: &[Target], recorded: Option<f64>, runtime: &Runtime) -> Finding {
    let (begun, now) = begun(runtime);
    let age = begun.map(|begun| since(begun, now)).unwrap_or_default();
    let (mut facts, mut pending) = (Vec::new(), Vec::new());
    let mut newest: Option<(Timestamp, Duration)> = None;
    for target in targets {
        let name = expected::found(target);
        let interval = length(&target.scrape_interval);
        let slack = target.scrape_timeout.parse::<PromDuration>().map_or(interval, |it| it.as_duration()) + LATE;
        match moment(&target.last_scrape) {
            Some(at) => {
                newest = newest.max(Some((at, interval)));
                if since(at, now) > interval * 2 + slack {
                    facts.push(format!(
                        "{name} was last scraped {} ago, and should be every {}",
                        human(since(at, now)),
                        human(interval)
                    ));
                }
            }
            None if age > interval + slack + DISCOVERY => facts.push(format!("{name} was never scraped")),
            None => pending.push(format!("{name} is scraped for the first time within {}", human(interval))),
        }
    }
    // A server whose disk is full scrapes on, and all targets are up: only a sample proves that it records.
    if let Some((at, interval)) = newest {
        #[expect(clippy::cast_precision_loss, reason = "seconds of this millennium are far below 2^53")]
        let behind = recorded.map(|recorded| at.as_second() as f64 - recorded);
        let late = (interval * 2 + LATE).as_secs_f64();
        match behind {
            Some(behind) if behind > late => {
                facts.push(format!("the newest recorded sample is {behind:.0} s older than the last scrape: it scrapes and does not record"));
            }
            None if since(at, now) > LATE => {
                facts.push("no sample of `up` is recorded: it scrapes and does not record".to_owned());
            }
            None => pending.push("the first sample is about to be recorded".to_owned()),
            Some(_) => {}
        }
    }
    if targets.is_empty() {
        return Finding::skip(NO_TARGET);
    }
    if facts.is_empty() && !pending.is_empty() {
        return Finding::skip(format!("not yet: {}", few(pending).join("; ")));
    }
    let fine = format!("each of {} was scraped in time", targets.len());
    Finding::fail_if_any(few(facts), "see what keeps it busy with `moko-mon logs prometheus`; is the disk full?", fine)
}

#[cfg(test)]
mod tests;
