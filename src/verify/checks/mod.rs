//! The checks, one file for each part of the stack.

pub(super) mod alerting;
pub(super) mod clock;
pub(super) mod contract;
pub(super) mod custom;
pub(super) mod engine;
pub(super) mod exposure;
pub(super) mod grafana;
pub(super) mod jobs;
pub(super) mod prometheus;
pub(super) mod pushgateway;
mod ready;
pub(super) mod rules;

use std::borrow::Cow;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use super::{Check, Finding, World};
use crate::component::Component;
use crate::error::Result;
use ready::ready;

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
