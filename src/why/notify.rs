//! From Prometheus through Alertmanager to whoever is told.

use std::collections::{BTreeMap, BTreeSet};

use super::instance::{Instance, reasons};
use super::words::{few, for_whom, many, span};
use super::{Link, State};
use crate::alerting::routing::{Fits, Known, Routing};
use crate::http::alertmanager::{Alert as Held, Calls, Silence};

/// How long the answer to a notification may take, in seconds.
pub(super) const PATIENCE: u64 = 30;

/// What is known of Alertmanager.
#[derive(Debug)]
pub(super) enum Manager {
    /// Nobody said where it is.
    NotGiven,
    /// It does not answer, and how.
    Lost(String),
    /// It answers.
    Answers(Box<Answers>),
}

/// What an Alertmanager answered.
#[derive(Debug)]
pub(super) struct Answers {
    /// All alerts that it holds.
    pub(super) held: Vec<Held>,
    /// For how many seconds it has been running.
    pub(super) runs: f64,
    pub(super) silences: Vec<Silence>,
    pub(super) routing: Routing,
    /// The calls of its integrations, by receiver and kind, since it was started.
    pub(super) calls: BTreeMap<(String, String), Calls>,
    /// Notifications that were begun long enough ago that their answer is due, by receiver and kind.
    pub(super) due: BTreeMap<(String, String), f64>,
    /// When Prometheus last saw one of these counts grow, by receiver and kind: seconds ago.
    pub(super) last: BTreeMap<(String, String), f64>,
}

/// An alert on its way to people.
#[derive(Debug)]
pub(super) struct Way<'a> {
    pub(super) name: &'a str,
    /// The labels that its rule sets.
    pub(super) labels: &'a BTreeMap<String, String>,
    pub(super) instances: &'a [Instance],
    /// Where Prometheus sends alerts to, or why that is not known.
    pub(super) sends_to: Result<Vec<String>, String>,
    /// How long an alert may be on its way to Alertmanager, in seconds.
    pub(super) patience: f64,
    pub(super) now: f64,
}

impl Way<'_> {
    /// The links behind the rule.
    pub(super) fn links(&self, manager: &Manager) -> Vec<Link> {
        let answers = match manager {
            Manager::Answers(answers) => answers,
            Manager::NotGiven => {
                let fact = "it is not known where Alertmanager is";
                let asked = Link::unknown("alertmanager", fact).hint("say where with `--alertmanager-url URL`");
                return vec![self.sent().unwrap_or(asked)];
            }
            Manager::Lost(why) => {
                let lost = Link::broken("alertmanager", format!("Alertmanager does not answer: {why}"));
                return vec![lost.hint("see what it says with `moko-mon logs alertmanager`")];
            }
        };
        let receivers = self.receivers(answers);
        vec![
            self.sent().unwrap_or_else(|| self.held(answers)),
            self.route(answers),
            receiver(&receivers, &answers.routing, self.is_firing()),
            notification(&receivers, answers, self.is_firing()),
        ]
    }

    fn firing(&self) -> impl Iterator<Item = &Instance> {
        self.instances.iter().filter(|instance| instance.is_firing)
    }

    fn is_firing(&self) -> bool {
        self.firing().next().is_some()
    }

    /// A link only where Prometheus has nobody to send alerts to.
    fn sent(&self) -> Option<Link> {
        self.sends_to.as_ref().ok().filter(|to| to.is_empty()).map(|_| {
            Link::broken("alertmanager", "Prometheus has no Alertmanager that it could send alerts to")
                .hint("`moko-mon verify --only alerting` says more; `moko-mon up` puts the configuration right")
        })
    }

    /// What Alertmanager does with what fires.
    fn held(&self, answers: &Answers) -> Link {
        let name = "alertmanager";
        let to = match &self.sends_to {
            Ok(to) => format!("Prometheus sends alerts to {}", few(to.clone()).join(", ")),
            Err(why) => format!("where Prometheus sends alerts to is not known: {why}"),
        };
        if !self.is_firing() {
            let evidence = vec![format!("it holds no `{}`, as it does not fire", self.name), to];
            return Link::new(name, State::Quiet, evidence, "Alertmanager does not hold it");
        }
        // One that was just started has forgotten all alerts, and is sent them again.
        let late =
            self.firing().filter(|instance| instance.held.is_none() && instance.age.min(answers.runs) > self.patience);
        let late: Vec<&Instance> = late.collect();
        if let Some(age) = late.iter().map(|instance| instance.age).reduce(f64::max) {
            let whom = for_whom(late.iter().map(|instance| &instance.subject));
            let fact = format!("Alertmanager does not hold it{whom}, although it fires since {}", span(age));
            return Link::new(name, State::Broken, vec![fact.clone(), to], fact)
                .hint("`moko-mon verify --only alerting` says whether alerts are taken");
        }
        let mut told = Vec::new();
        let mut kept: Vec<String> = Vec::new();
        let mut evidence = Vec::new();
        for instance in self.firing() {
            let whom = for_whom([&instance.subject]);
            match &instance.held {
                None => {
                    kept.push("which has not got it yet".to_owned());
                    evidence.push(format!("has not arrived yet{whom}"));
                }
                Some(held) => match reasons(held, &answers.held, &answers.silences, self.now) {
                    reasons if reasons.is_empty() => {
                        told.push(instance);
                        evidence.push(format!("holds it{whom}: {}", held.status.state));
                    }
                    reasons => {
                        evidence.push(format!("holds it{whom}: {}", reasons.join(", and ")));
                        kept.extend(reasons);
                    }
                },
            }
        }
        // What is kept quiet first.
        evidence.sort_by_key(|line| line.ends_with("active"));
        let mut evidence = few(evidence);
        evidence.push(to);
        if !told.is_empty() {
            return Link::ok(name, evidence);
        }
        let kept: BTreeSet<String> = kept.into_iter().collect();
        let because = format!("Alertmanager holds it, {}", few(kept.into_iter().collect()).join("; "));
        let because = because.replace("holds it, which has not got it yet", "has not got it yet");
        Link::new(name, State::Quiet, evidence, because).hint("`moko-mon open alertmanager` shows silences and alerts")
    }

    /// The receivers of what fires, or of what would.
    fn receivers(&self, answers: &Answers) -> BTreeSet<String> {
        let held: BTreeSet<String> = self
            .firing()
            .filter_map(|instance| instance.held.as_ref())
            .flat_map(|held| held.receivers.iter().map(|receiver| receiver.name.clone()))
            .collect();
        if !held.is_empty() {
            return held;
        }
        let surely = self.routes(answers).into_iter().filter(|(_, fits)| *fits == Fits::Surely);
        surely.map(|((_, receiver), _)| receiver).collect()
    }

    /// The routes that take what fires, or would: their names and receivers.
    fn routes(&self, answers: &Answers) -> BTreeMap<(String, String), Fits> {
        let root = &answers.routing.root;
        let held: Vec<&Held> = self.firing().filter_map(|instance| instance.held.as_ref()).collect();
        let known: Vec<Known> = if held.is_empty() {
            vec![Known::of_rule(self.name, self.labels, &BTreeMap::new())]
        } else {
            let labels = |alert: &Held| {
                answers.routing.exactly(alert.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())))
            };
            held.into_iter().map(labels).collect()
        };
        let mut routes = BTreeMap::new();
        for (route, fits) in known.iter().flat_map(|known| root.takes(known)) {
            let mut name = if std::ptr::eq(route, root) {
                "the default route".to_owned()
            } else {
                format!("route {}", route.name())
            };
            if let Some(quiet) = &route.quiet {
                let never = if quiet.always { ", which is at any time" } else { "" };
                name.push_str(&format!(" (tells nobody {}{never})", quiet.when));
            }
            let best = routes.entry((name, route.receiver.clone())).or_insert(fits);
            *best = fits.max(*best);
        }
        routes
    }

    fn route(&self, answers: &Answers) -> Link {
        let would = if self.is_firing() { "takes" } else { "would take" };
        let lines = self.routes(answers).into_iter().map(|((route, receiver), fits)| {
            let perhaps = if fits == Fits::Surely { "" } else { ", if its other labels fit" };
            format!("{route} {would} it, to receiver `{receiver}`{perhaps}")
        });
        Link::ok("route", few(lines.collect()))
    }
}

fn quoted(receivers: &[&String]) -> String {
    receivers.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn receiver(receivers: &BTreeSet<String>, routing: &Routing, is_firing: bool) -> Link {
    let (telling, silent): (Vec<&String>, Vec<&String>) = receivers.iter().partition(|name| routing.tells(name));
    let mut evidence: Vec<String> = telling
        .iter()
        .map(|name| {
            format!("`{name}` tells by {}", routing.receivers.get(*name).cloned().unwrap_or_default().join(", "))
        })
        .collect();
    evidence.extend(silent.iter().map(|name| format!("`{name}` has no integration: it tells nobody")));
    if !telling.is_empty() {
        return Link::ok("receiver", evidence);
    }
    let is = if is_firing { "is" } else { "would be" };
    let because = match silent.as_slice() {
        [] => "no receiver is known".to_owned(),
        _ => format!("it {is} routed to receiver {}, which tells nobody", quoted(&silent)),
    };
    if evidence.is_empty() {
        evidence.push(because.clone());
    }
    Link::new("receiver", State::Quiet, evidence, because)
        .hint("name receivers under `receivers` and `notify` in moko-mon.yaml, or, in an Alertmanager of your own, give this one an integration such as `webhook_configs`")
}

/// What the counts of Alertmanager tell. It counts by receiver; which alerts a notification was about, it does not tell.
fn notification(receivers: &BTreeSet<String>, answers: &Answers, is_firing: bool) -> Link {
    let name = "notification";
    let mut evidence = Vec::new();
    let (mut sent, mut is_on_its_way, mut broken) = (0.0, false, Vec::new());
    for receiver in receivers {
        for kind in answers.routing.receivers.get(receiver).into_iter().flatten() {
            let key = (receiver.clone(), kind.replace('_', ""));
            let calls = answers.calls.get(&key).copied().unwrap_or_default();
            let of_all = (String::new(), key.1.clone());
            let last = match answers.last.get(&key).or_else(|| answers.last.get(&of_all)) {
                Some(ago) => format!("; the last about {} ago", span(*ago)),
                None => String::new(),
            };
            let fact = format!(
                "`{receiver}` by {kind}: {} since Alertmanager was started, {} failed{last}",
                many(whole(calls.all), "call"),
                calls.failed
            );
            sent += calls.successful();
            evidence.push(fact);
            if calls.failed > 0.0 && calls.successful() <= 0.0 {
                broken.push(format!("every call of `{receiver}` by {kind} failed ({})", calls.failed));
            }
            if calls.begun <= calls.all || answers.routing.hides_resolved(kind, receiver) {
                continue;
            }
            is_on_its_way = true;
            let due = answers.due.get(&key).copied().unwrap_or_default();
            // Where it was started anew, the older count is of another life.
            if due > calls.all && due <= calls.begun {
                broken.push(format!(
                    "a notification to `{receiver}` by {kind} was begun more than {PATIENCE} s ago and has no answer"
                ));
            } else {
                evidence.push(format!("a notification to `{receiver}` by {kind} was begun and has no answer yet"));
            }
        }
    }
    if evidence.is_empty() {
        return Link::quiet(name, "there is nobody to tell, so nothing is sent");
    }
    evidence.push("which alerts they were about, Alertmanager does not tell".to_owned());
    if let Some(first) = broken.first().cloned() {
        evidence.splice(0..0, broken);
        return Link::new(name, State::Broken, evidence, first)
            .hint("see the receiver's answer with `moko-mon logs alertmanager`");
    }
    if is_firing && sent <= 0.0 {
        let because = if is_on_its_way {
            "the first notification since Alertmanager was started has no answer yet"
        } else {
            "nothing has been sent since Alertmanager was started: a group of alerts waits for `group_wait` first"
        };
        return Link::new(name, State::Quiet, evidence, because);
    }
    Link::ok(name, evidence)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
fn whole(count: f64) -> usize {
    count as usize
}

/// `told to receiver `ops` by webhook`, for what passes all links.
pub(super) fn told(way: &Way<'_>, manager: &Manager) -> String {
    match manager {
        Manager::Answers(answers) => {
            let receivers = way.receivers(answers);
            let telling: Vec<&String> = receivers.iter().filter(|name| answers.routing.tells(name)).collect();
            format!("is told to receiver {}", quoted(&telling))
        }
        Manager::NotGiven | Manager::Lost(_) => "who is told is not known without Alertmanager".to_owned(),
    }
}

#[cfg(test)]
mod tests;
