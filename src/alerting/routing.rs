//! Alertmanager's routes and receivers, read from the configuration that it runs; and which alerts can get where.

mod intervals;
mod known;
mod matcher;
mod pattern;
mod waits;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use intervals::Intervals;
pub(crate) use known::Known;
pub(crate) use matcher::{Fits, Matcher};
pub(crate) use waits::Waits;

use crate::error::Result;
use crate::yaml;

/// The routes and receivers of an Alertmanager.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Routing {
    /// The route that every alert enters.
    pub(crate) root: Route,
    /// The kinds of integrations of each receiver, such as `webhook`, by its name.
    pub(crate) receivers: BTreeMap<String, Vec<String>>,
    /// Receiver and kind of the integrations that are not told of the end of an alert: Alertmanager begins such a
    /// notification, and then makes no call.
    hiding_resolved: Vec<(String, String)>,
    /// How many integrations of a kind a receiver has, by both.
    counts: BTreeMap<(String, String), usize>,
    /// Which alerts keep others quiet.
    pub(crate) inhibitions: Vec<Inhibition>,
    intervals: Intervals,
}

/// Alerts that keep others quiet while they fire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inhibition {
    /// What keeps quiet.
    pub(crate) source: Vec<Matcher>,
    /// What is kept quiet.
    pub(crate) target: Vec<Matcher>,
    /// The labels in which both have to be equal.
    pub(crate) equal: Vec<String>,
}

/// A route and those below it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Route {
    /// Where its alerts go; inherited where it names none.
    pub(crate) receiver: String,
    /// What an alert has to have.
    pub(crate) matchers: Vec<Matcher>,
    /// Whether the siblings after it see its alerts, too.
    pub(crate) goes_on: bool,
    /// When it tells nobody; `None`: it tells at any time.
    pub(crate) quiet: Option<Quiet>,
    /// How its alerts are grouped, and how long it waits.
    pub(crate) waits: Waits,
    /// The routes below it, which come first.
    pub(crate) routes: Vec<Route>,
}

/// When a route tells nobody. Routes below it do not inherit that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Quiet {
    /// `during `nights``, `but during `office``.
    pub(crate) when: String,
    /// Whether that is at any time.
    pub(crate) always: bool,
    /// The intervals in which it tells nobody.
    mute: Vec<String>,
    /// The intervals in which alone it tells somebody; empty: at any time.
    active: Vec<String>,
}

impl Routing {
    /// Reads `config.original` of `/api/v2/status`.
    pub(crate) fn read(text: &str) -> Result<Self> {
        let config: Value = yaml::from_str(text)?;
        let mut hiding_resolved = Vec::new();
        let mut receivers = BTreeMap::new();
        let mut counts = BTreeMap::new();
        for receiver in list(&config["receivers"]) {
            let name = receiver["name"].as_str().unwrap_or_default();
            let mut kinds = Vec::new();
            for (key, integrations) in receiver.as_object().into_iter().flatten() {
                let Some(kind) = key.strip_suffix("_configs").filter(|_| list(integrations).next().is_some()) else {
                    continue;
                };
                kinds.push(kind.to_owned());
                counts.insert((name.to_owned(), kind.to_owned()), list(integrations).count());
                if list(integrations).any(|of| of["send_resolved"] == false) {
                    hiding_resolved.push((name.to_owned(), kind.to_owned()));
                }
            }
            receivers.insert(name.to_owned(), kinds);
        }
        let intervals = Intervals::read(&config);
        let root = Route::read(&config["route"], "", &Waits::default(), &intervals);
        let inhibitions = list(&config["inhibit_rules"]).map(Inhibition::read).collect();
        Ok(Self { root, receivers, hiding_resolved, counts, inhibitions, intervals })
    }

    /// How many integrations of this kind a receiver has.
    pub(crate) fn count(&self, receiver: &str, kind: &str) -> usize {
        self.counts.get(&(receiver.to_owned(), kind.to_owned())).copied().unwrap_or_default()
    }

    /// Whether a route tells nobody at this time; `None` where an interval is in a time zone that nobody knows.
    pub(crate) fn is_quiet(&self, quiet: &Quiet, at: Timestamp) -> Option<bool> {
        let any = |names: &[String]| {
            let all: Vec<Option<bool>> = names.iter().map(|name| self.intervals.holds(name, at)).collect();
            if all.contains(&Some(true)) { Some(true) } else { (!all.contains(&None)).then_some(false) }
        };
        Some(any(&quiet.mute)? || (!quiet.active.is_empty() && !any(&quiet.active)?))
    }

    /// The intervals of a route in words.
    pub(crate) fn intervals(&self, quiet: &Quiet) -> Vec<String> {
        let names: Vec<&String> = quiet.mute.iter().chain(&quiet.active).collect();
        let words = |name: &&String| match names.len() {
            1 => self.intervals.words(name),
            _ => format!("`{name}` is {}", self.intervals.words(name)),
        };
        names.iter().map(words).collect()
    }

    /// Whether a receiver tells anybody.
    pub(crate) fn tells(&self, receiver: &str) -> bool {
        self.receivers.get(receiver).is_some_and(|kinds| !kinds.is_empty())
    }

    /// Whether any integration of this kind is not told of the end of an alert; of all receivers, if the name is empty.
    pub(crate) fn hides_resolved(&self, kind: &str, receiver: &str) -> bool {
        self.hiding_resolved.iter().any(|(of, own)| own == kind && (receiver.is_empty() || of == receiver))
    }

    /// The receivers that have an integration of this kind.
    pub(crate) fn receivers_with(&self, kind: &str) -> Vec<&str> {
        let with = self.receivers.iter().filter(|(_, kinds)| kinds.iter().any(|own| own == kind));
        with.map(|(name, _)| name.as_str()).collect()
    }
}

impl Quiet {
    fn read(route: &Value, intervals: &Intervals) -> Option<Self> {
        let names = |key: &str| -> Vec<&str> { list(&route[key]).filter_map(Value::as_str).collect() };
        let (mute, active) = (names("mute_time_intervals"), names("active_time_intervals"));
        let quoted = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let mut when = Vec::new();
        if !mute.is_empty() {
            when.push(format!("during {}", quoted(&mute)));
        }
        if !active.is_empty() {
            when.push(format!("but during {}", quoted(&active)));
        }
        let always = mute.iter().any(|name| intervals.is_always(name))
            || (!active.is_empty() && active.iter().all(|name| intervals.is_never(name)));
        let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
        let when = when.join(", and ");
        (!when.is_empty()).then(|| Self { when, always, mute: owned(mute), active: owned(active) })
    }
}

impl Route {
    fn read(json: &Value, above: &str, waits: &Waits, intervals: &Intervals) -> Self {
        let receiver = json["receiver"].as_str().unwrap_or(above).to_owned();
        let matchers = matchers(json, "");
        let waits = waits.below(json);
        let routes = list(&json["routes"]).map(|route| Self::read(route, &receiver, &waits, intervals)).collect();
        let quiet = Quiet::read(json, intervals);
        Self { matchers, goes_on: json["continue"] == true, quiet, waits, routes, receiver }
    }

    /// The route as people know it: `{team="ops"} → pager`.
    pub(crate) fn name(&self) -> String {
        let matchers: Vec<String> = self.matchers.iter().map(ToString::to_string).collect();
        format!("{{{}}} → {}", matchers.join(", "), self.receiver)
    }

    fn fits(&self, alert: &Known) -> Fits {
        self.matchers
            .iter()
            .map(|matcher| matcher.fits(alert.labels.get(&matcher.name).map(String::as_str)))
            .min()
            .unwrap_or(Fits::Surely)
    }

    /// The routes that take an alert, each with whether it surely does; inner routes come before this one.
    pub(crate) fn takes(&self, alert: &Known) -> Vec<(&Self, Fits)> {
        let mut taken = Vec::new();
        for route in &self.routes {
            let fits = route.fits(alert);
            if fits == Fits::Never {
                continue;
            }
            taken.extend(route.takes(alert).into_iter().map(|(inner, of)| (inner, of.min(fits))));
            if fits == Fits::Surely && !route.goes_on {
                return taken;
            }
        }
        if !taken.iter().any(|(_, fits)| *fits == Fits::Surely) {
            taken.push((self, Fits::Surely));
        }
        taken
    }

    /// The routes below this one that none of the alerts that get here can reach, and why.
    pub(crate) fn unreached(&self, alerts: &[Known]) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut left: Vec<&Known> = alerts.iter().collect();
        for (index, route) in self.routes.iter().enumerate() {
            let fitting = |alert: &&Known| route.fits(alert) >= Fits::Perhaps;
            let reaching: Vec<Known> = left.iter().copied().filter(fitting).cloned().collect();
            if !reaching.is_empty() {
                found.extend(route.unreached(&reaching));
            } else if route.matchers.is_empty() {
                // A net under the others: that it catches nothing is good.
            } else if alerts.iter().any(|alert| route.fits(alert) >= Fits::Perhaps) {
                let takes_all = |other: &&Self| {
                    let fitting = alerts.iter().filter(|alert| route.fits(alert) >= Fits::Perhaps);
                    !other.goes_on && fitting.into_iter().all(|alert| other.fits(alert) == Fits::Surely)
                };
                let why = match self.routes[..index].iter().find(takes_all) {
                    Some(other) => format!("the route {} before it takes them all and does not continue", other.name()),
                    None => "the routes before it take them all and do not continue".to_owned(),
                };
                found.push((route.name(), why));
            } else {
                found.push((route.name(), "no rule sets such labels".to_owned()));
            }
            if !route.goes_on {
                left.retain(|alert| route.fits(alert) < Fits::Surely);
            }
        }
        found
    }

    /// This route and all below it.
    pub(crate) fn all(&self) -> Vec<&Self> {
        std::iter::once(self).chain(self.routes.iter().flat_map(Self::all)).collect()
    }
}

impl Inhibition {
    fn read(json: &Value) -> Self {
        let equal = list(&json["equal"]).filter_map(Value::as_str).map(str::to_owned).collect();
        Self { source: matchers(json, "source_"), target: matchers(json, "target_"), equal }
    }
}

/// `matchers`, and the older `match` and `match_re`.
fn matchers(json: &Value, of: &str) -> Vec<Matcher> {
    let old = |key: &str, regex: bool| -> Vec<Matcher> {
        let entries = json[format!("{of}{key}")].as_object().into_iter().flatten();
        entries.filter_map(|(name, value)| Some(Matcher::equal(name, value.as_str()?, regex))).collect()
    };
    let new = list(&json[format!("{of}matchers")]).filter_map(Value::as_str).flat_map(Matcher::read_all).flatten();
    new.chain(old("match", false)).chain(old("match_re", true)).collect()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests;
