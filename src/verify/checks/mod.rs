//! The checks, one file for each part of the stack.

pub(super) mod alerting;
pub(super) mod clock;
pub(super) mod contract;
pub(super) mod custom;
pub(super) mod engine;
pub(super) mod exposure;
pub(super) mod grafana;
pub(super) mod prometheus;
pub(super) mod pushgateway;
pub(super) mod rules;

use std::borrow::Cow;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use jiff::Timestamp;

use super::{Check, Finding, World};
use crate::component::Component;
use crate::error::Result;
use crate::stack::ready_path;

/// The check that a server answers as ready, which everything else about it needs.
fn ready(id: &'static str, component: Component) -> Check {
    Check {
        id: id.into(),
        component: component.name(),
        about: format!("{} answers as ready.", component.title()).into(),
        needs: needs_running(component),
        look: Box::new(move |world| look_ready(world, component).boxed()),
    }
}

/// The check that a server's container runs; where no engine is looked at there is none, and nothing is needed.
const fn needs_running(component: Component) -> &'static [&'static str] {
    match component {
        Component::Prometheus => &["engine.running.prometheus"],
        Component::Alertmanager => &["engine.running.alertmanager"],
        Component::Pushgateway => &["engine.running.pushgateway"],
        Component::Grafana => &["engine.running.grafana"],
    }
}

/// A row of the catalogue.
fn check(
    id: impl Into<Cow<'static, str>>,
    component: &'static str,
    about: impl Into<Cow<'static, str>>,
    needs: &'static [&'static str],
    look: impl for<'a> Fn(&'a World) -> BoxFuture<'a, Result<Finding>> + Send + Sync + 'static,
) -> Check {
    Check { id: id.into(), component, about: about.into(), needs, look: Box::new(look) }
}

/// Why nothing of a server is looked at that was not named.
fn not_given(component: Component) -> Finding {
    Finding::skip(format!("no {} is given", component.title()))
}

/// `1 route`, `2 routes`: `what` is one of them.
fn many(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// As many facts as people read, with the number of the others.
fn few(mut facts: Vec<String>) -> Vec<String> {
    const MANY: usize = 20;
    if facts.len() > MANY {
        let more = facts.len() - MANY;
        facts.truncate(MANY);
        facts.push(format!("and {more} more"));
    }
    facts
}

/// A date of a server (RFC 3339); `None` for the year 1, which stands for never, and for what is no date.
fn moment(text: &str) -> Option<Timestamp> {
    text.parse::<Timestamp>().ok().filter(|date| date.as_second() > 0)
}

/// A published port as the engine lists it, IPv6 addresses without brackets: `127.0.0.1:9090`, `:::9090`.
fn published(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.rsplit_once(':')?;
    Some(SocketAddr::new(address.parse().ok()?, port.parse().ok()?))
}

/// How long ago a moment was; zero for one that is yet to come.
fn since(moment: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(moment)).unwrap_or_default()
}

async fn look_ready(world: &World, component: Component) -> Result<Finding> {
    let Some(server) = world.server(component) else {
        return Ok(not_given(component));
    };
    let answer = server.get(ready_path(component), &[]).await.map_err(|error| match (&error.hint, &world.engine) {
        (None, Some(_)) => error.hint("see what runs with `moko-mon status`; `moko-mon up` starts what does not"),
        (None, None) => error.hint("is the address right, and does the server run?"),
        (Some(_), _) => error,
    })?;
    let seen = format!("`{}` was answered with {}", answer.request, answer.seen());
    Ok(if answer.is_success() {
        Finding::pass(seen)
    } else {
        let hint = match (answer.status, &world.engine) {
            (401 | 403, None) => {
                "give a login: `--username NAME --password-file FILE`, or `--token-file FILE`".to_owned()
            }
            (404, None) => "give the path that a proxy puts in front with the address".to_owned(),
            (_, None) => format!("see the log of that {}", component.title()),
            (_, Some(_)) => format!("see what it is doing with `moko-mon logs {component}`"),
        };
        Finding::fail(seen, hint)
    })
}
