//! `verify --deep`: a canary takes the whole way of an alert, from a push to a notification, and is taken back.
//!
//! A metric of its own is pushed, and a rule made for it fires (`assets/canary.yml`). Alertmanager has a route that only
//! this alert takes; it ends in a webhook to an address of Prometheus that answers any POST and changes nothing. So the
//! notification leaves Alertmanager over the network and is answered, on any engine, and no person is told. That the
//! addresses and secrets of people's own receivers are right is proved behind it, by test messages (`people`).
//!
//! Each canary has an id, which is a label of its metric, so several do not disturb each other; only the count of
//! notifications is shared by those that fly at the same time.

mod flight;
mod ground;
mod patience;
mod people;

use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::run::next_step;
use super::{Check, Checked, Finding, Outcome, World};
use crate::component::Component;
use crate::error::Result;
use crate::http::Server;
use crate::secret::Secret;

/// The alert that a canary sets off.
pub const ALERT: &str = "MokoMonCanary";
/// The metric that is pushed: when, in Unix seconds; 0 does not set off the alert.
pub const METRIC: &str = "canary_pushed_timestamp_seconds";
/// The job of the groups that canaries push.
pub const JOB: &str = "moko-mon-canary";
/// The label that tells canaries apart.
pub const LABEL: &str = "canary";
/// The receiver that the route of the alert leads to.
pub const RECEIVER: &str = "moko-mon-canary";

/// The servers that a canary passes.
pub const WAY: [Component; 3] = [Component::Pushgateway, Component::Prometheus, Component::Alertmanager];

/// A part of the way.
struct Part {
    name: &'static str,
    id: &'static str,
    component: Component,
    about: &'static str,
}

const PARTS: [Part; 8] = [
    Part {
        name: "pushed",
        id: "canary.pushed",
        component: Component::Pushgateway,
        about: "The Pushgateway takes the canary's metric.",
    },
    Part {
        name: "scraped",
        id: "canary.scraped",
        component: Component::Prometheus,
        about: "Prometheus sees the metric, with the labels that were pushed.",
    },
    Part { name: "fired", id: "canary.fired", component: Component::Prometheus, about: "The rule made for it fires." },
    Part {
        name: "received",
        id: "canary.received",
        component: Component::Alertmanager,
        about: "The alert reaches Alertmanager and is routed to its own receiver.",
    },
    Part {
        name: "notified",
        id: "canary.notified",
        component: Component::Alertmanager,
        about: "A notification leaves Alertmanager and is answered.",
    },
    Part {
        name: "resolved",
        id: "canary.resolved",
        component: Component::Alertmanager,
        about: "The end of the alert goes the same way, and is notified.",
    },
    Part {
        name: "removed",
        id: "canary.removed",
        component: Component::Pushgateway,
        about: "Nothing of the canary is left in the Pushgateway.",
    },
    Part {
        name: DELIVERED,
        id: "canary.delivered",
        component: Component::Alertmanager,
        about: "The receivers of the settings take a test message, but for those that wake people.",
    },
];

/// The hop behind the canary's own.
const DELIVERED: &str = "delivered";

/// A part of the way that was taken, or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// `pushed`, `scraped`, `fired`, `received`, `notified`, `resolved`, `removed` or `delivered`.
    pub name: &'static str,
    /// How it went.
    pub finding: Finding,
    /// How long it took.
    pub took: Duration,
}

impl Hop {
    /// The first line of the evidence.
    #[must_use]
    pub fn first(&self) -> &str {
        self.finding.evidence.first().map_or("", String::as_str)
    }
}

/// A canary that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canary {
    /// What told it apart.
    pub id: String,
    /// All parts of its way.
    pub hops: Vec<Hop>,
}

/// The hops as checks, for lists of all checks: they are made by [`send`] only.
#[must_use]
pub fn checks() -> Vec<Check> {
    let skipped = || async { Ok(Finding::skip("a canary is sent with `--deep` only")) };
    let check = |part: &Part| Check {
        id: part.id.into(),
        component: part.component.name(),
        about: format!("With --deep: {}", part.about).into(),
        needs: &[],
        look: Box::new(move |_| skipped().boxed()),
    };
    PARTS.iter().map(check).collect()
}

/// Sends one through the servers of `world` and takes it back, also when `stop` is set meanwhile. `made` are the checks
/// before it: a server that is not ready is not asked again. `tell` hears of each hop as it is done.
pub async fn send(world: &World, made: &[Checked], stop: &CancellationToken, tell: impl Fn(&Hop)) -> Result<Canary> {
    let id = Secret::random()?.expose().chars().filter(char::is_ascii_alphanumeric).take(12).collect::<String>();
    let servers = WAY.map(|component| reachable(world, made, component));
    let hops = match servers {
        [Ok(pushgateway), Ok(prometheus), Ok(alertmanager)] => {
            let mut hops = flight::Flight::new(&id, pushgateway, prometheus, alertmanager, world.expected.is_some())
                .fly(stop, &tell)
                .await;
            let begun = Instant::now();
            let finding = if stop.is_cancelled() {
                Finding::skip("interrupted before it was begun")
            } else {
                people::deliver(world, alertmanager, stop).await.unwrap_or_else(Finding::from)
            };
            let hop = Hop { name: DELIVERED, finding, took: begun.elapsed() };
            tell(&hop);
            hops.push(hop);
            hops
        }
        [pushgateway, prometheus, alertmanager] => {
            let missing = pushgateway.err().or(prometheus.err()).or(alertmanager.err()).unwrap_or_default();
            let skipped =
                |part: &Part| Hop { name: part.name, finding: Finding::skip(missing.clone()), took: Duration::ZERO };
            PARTS.iter().map(skipped).collect()
        }
    };
    let in_place = |hop: Hop| Hop { finding: hop.finding.in_place(world), ..hop };
    let hops = hops.into_iter().map(|hop| with_next_step(in_place(hop), world)).collect();
    Ok(Canary { id, hops })
}

/// No failure is without a hint, whoever's words it is told in.
fn with_next_step(mut hop: Hop, world: &World) -> Hop {
    let part = PARTS.iter().find(|part| part.name == hop.name);
    if let (Outcome::Fail, None, Some(part)) = (hop.finding.outcome, &hop.finding.hint, part) {
        hop.finding.hint = Some(next_step(part.component.name(), world));
    }
    hop
}

/// A server that is given and was not found out of order; or why not.
fn reachable<'a>(world: &'a World, made: &[Checked], component: Component) -> Result<&'a Server, String> {
    let id = match component {
        Component::Prometheus => "prometheus.ready",
        Component::Alertmanager => "alerting.ready",
        Component::Pushgateway => "pushgateway.ready",
        Component::Grafana => "grafana.ready",
    };
    let broken = made.iter().find(|check| check.id == id && !check.finding.outcome.holds());
    match (world.server(component), broken) {
        (None, _) => Err(format!("no {} is given", component.title())),
        (Some(_), Some(check)) => Err(format!("needs `{id}`, which is `{}`", check.finding.outcome.as_str())),
        (Some(server), None) => Ok(server),
    }
}

impl Canary {
    /// Its hops as checks that were made.
    pub fn checked(&self) -> impl Iterator<Item = Checked> {
        let of = |hop: &Hop| PARTS.iter().find(|part| part.name == hop.name).map(|part| (part.id, part.component));
        self.hops.iter().filter_map(move |hop| {
            let (id, component) = of(hop)?;
            let (finding, duration) = (hop.finding.clone(), hop.took);
            Some(Checked { id: id.to_owned(), component: component.name(), finding, duration })
        })
    }

    /// How long the whole way took.
    #[must_use]
    pub fn took(&self) -> Duration {
        self.hops.iter().map(|hop| hop.took).sum()
    }

    /// For programs; `broken` is the first hop that failed.
    #[must_use]
    pub fn json(&self) -> Value {
        let seconds = |duration: Duration| (duration.as_secs_f64() * 1e3).round() / 1e3;
        let hops = self.hops.iter().map(|hop| {
            json!({
                "hop": hop.name,
                "outcome": hop.finding.outcome,
                "seconds": seconds(hop.took),
                "evidence": hop.finding.evidence.join("\n"),
            })
        });
        let broken = self.hops.iter().find(|hop| hop.finding.outcome == Outcome::Fail).map(|hop| hop.name);
        json!({
            "id": self.id, "seconds": seconds(self.took()), "broken": broken, "hops": hops.collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Code, Error};

    #[test]
    fn a_hop_that_fails_says_what_to_do_next() {
        let (limit, world) = (Duration::from_secs(1), World::empty());
        let refused = Finding::from(Error::new(Code::NotReady, "refused"));
        let hop = with_next_step(Hop { name: "pushed", finding: refused, took: limit }, &world);
        let hint = "is `--pushgateway-url` right, and does what answers there run well?";
        assert_eq!(hop.finding.hint.as_deref(), Some(hint));
    }
}
