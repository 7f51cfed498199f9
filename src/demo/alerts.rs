//! The alerts that the rules would have raised in the made-up week, found as Prometheus finds them: an expression that
//! holds for long enough. Times and labels are those of the rule file, so they cannot drift apart.

use super::history::{History, Text, series};
use super::team;
use crate::assets;
use crate::config::PromDuration;
use crate::yaml;

/// Seconds between two evaluations of a rule; the times of breakers and quotas are whole minutes anyway.
const EVALUATION: i64 = 60;

/// An alert that was raised about a subject, in seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Episode {
    /// Its labels but for `alertstate`, `alertname` first.
    pub labels: Vec<(String, String)>,
    /// When the expression began to hold.
    pub active: i64,
    /// When it had held for long enough; `None`: it never did.
    pub fired: Option<i64>,
    /// When it ended, or when history did.
    pub ended: i64,
}

/// A rule as the file has it.
struct Rule {
    name: String,
    labels: Vec<(String, String)>,
    hold: i64,
    keep: i64,
}

/// Whether the expression of a rule holds.
type Condition<'a> = Box<dyn Fn(i64) -> bool + 'a>;

/// All episodes of the made-up week.
pub(super) fn episodes(history: &History) -> Vec<Episode> {
    let (start, end) = history.span();
    let mut episodes = Vec::new();
    for rule in rules() {
        for (subject, condition) in conditions(&rule.name, history) {
            let mut labels = rule.labels.clone();
            labels.extend(subject.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
            episodes.extend(evaluate(&rule, &labels, &condition, start, end));
        }
    }
    episodes
}

/// The rule file, as far as it matters here.
fn rules() -> Vec<Rule> {
    let file: serde_json::Value = yaml::from_str(assets::ALERTS_CONFIG).unwrap_or_default();
    let groups = file["groups"].as_array().into_iter().flatten();
    let rules = groups.flat_map(|group| group["rules"].as_array().into_iter().flatten());
    rules.filter_map(rule).collect()
}

fn rule(rule: &serde_json::Value) -> Option<Rule> {
    let name = rule["alert"].as_str()?.to_owned();
    let seconds = |key: &str| {
        let duration = rule[key].as_str().and_then(|text| text.parse::<PromDuration>().ok());
        duration.map_or(0, |duration| i64::try_from(duration.as_duration().as_secs()).unwrap_or_default())
    };
    let own = rule["labels"].as_object().into_iter().flatten();
    let own = own.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    let labels = std::iter::once(("alertname".to_owned(), name.clone())).chain(own).collect();
    Some(Rule { name, labels, hold: seconds("for"), keep: seconds("keep_firing_for") })
}

/// The subjects of a rule, each with its expression.
fn conditions<'a>(rule: &str, history: &'a History) -> Vec<(Vec<(&'static str, &'static str)>, Condition<'a>)> {
    let end = history.span().1;
    let failures = move |limit: f64| -> Condition<'a> {
        Box::new(move |at| {
            let (failed, all) = history.failures(at);
            all >= 10 && failed as f64 / all as f64 > limit
        })
    };
    let api = |which: usize| vec![("api", team::APIS[which].name)];
    let used = move |which: usize, at: i64| 1.0 - team::quota(which, at, end).0 as f64 / team::APIS[which].limit as f64;
    let usage = |limit: f64| {
        let of = |which| (api(which), Box::new(move |at| used(which, at) > limit) as Condition<'a>);
        (0..team::APIS.len()).map(of).collect()
    };
    let breakers = |holds: fn(i64) -> bool| {
        let of = move |which: usize| {
            let condition: Condition<'a> = Box::new(move |at| holds(team::breaker(which, at, end)));
            (vec![("service", team::SERVICES[which])], condition)
        };
        (0..team::SERVICES.len()).map(of).collect()
    };
    let findings = |severities: &[&str]| {
        let wanted = team::FINDINGS.iter().enumerate().filter(|(_, of)| severities.contains(&of.severity));
        let of = |(which, of): (usize, &'static team::Finding)| {
            let subject = vec![("finding_type", of.kind), ("finding_severity", of.severity)];
            (subject, Box::new(move |at| history.new_findings(which, at, 900) > 0) as Condition<'a>)
        };
        wanted.map(of).collect()
    };
    match rule {
        "HighScriptFailureRate" => vec![(Vec::new(), failures(0.05))],
        "CriticalScriptFailureRate" => vec![(Vec::new(), failures(0.2))],
        "SlowScriptExecution" => {
            let of = |which: usize| {
                let slow: Condition<'a> = Box::new(move |at| history.p95(which, at).is_some_and(|p95| p95 > 300.0));
                (vec![("script_name", team::SCRIPTS[which].name)], slow)
            };
            (0..team::SCRIPTS.len()).map(of).collect()
        }
        "HighAPIRateLimitUsage" => usage(0.9),
        "CriticalAPIRateLimitUsage" => usage(0.95),
        "APIRateLimitResetSoon" => {
            let of = |which| {
                let soon: Condition<'a> =
                    Box::new(move |at| used(which, at) > 0.9 && team::quota(which, at, end).1 - at <= 300);
                (api(which), soon)
            };
            (0..team::APIS.len()).map(of).collect()
        }
        "CircuitBreakerOpen" => breakers(|state| state == 1),
        "CircuitBreakerStuckOpen" => breakers(|state| state > 0),
        "SecurityFindingsDetected" => findings(&["low", "medium", "high", "critical"]),
        "HighSeveritySecurityFinding" => findings(&["high", "critical"]),
        "NoScriptExecutions" => {
            vec![(Vec::new(), Box::new(|at| history.last_run(at).is_none_or(|last| at - last >= 900)))]
        }
        // A test holds that the file has no other.
        _ => Vec::new(),
    }
}

fn evaluate(rule: &Rule, labels: &[(String, String)], holds: &Condition<'_>, start: i64, end: i64) -> Vec<Episode> {
    let mut episodes = Vec::new();
    let mut open: Option<Episode> = None;
    let mut held = start;
    let first = start + (-start).rem_euclid(EVALUATION);
    for at in (first..=end).step_by(60) {
        if holds(at) {
            held = at;
            let begun = || Episode { labels: labels.to_vec(), active: at, fired: None, ended: end };
            let episode = open.get_or_insert_with(begun);
            if episode.fired.is_none() && at - episode.active >= rule.hold {
                episode.fired = Some(at);
            }
        } else if let Some(mut episode) = open.take() {
            if episode.fired.is_some() && at - held < rule.keep {
                open = Some(episode);
            } else {
                episode.ended = at;
                episodes.push(episode);
            }
        }
    }
    episodes.extend(open);
    episodes
}

/// Writes the series that Prometheus keeps of alerts.
pub(super) fn write(episodes: &[Episode], text: &mut Text<'_>) {
    let name = |metric: &str, episode: &Episode, state: Option<&str>| {
        let own = episode.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let labels: Vec<(&str, &str)> = own.chain(state.map(|state| ("alertstate", state))).collect();
        series(metric, None, &labels)
    };
    let between = |from: i64, to: i64| move |at: i64| (from..to).contains(&at).then_some(1.0);
    text.gauge("ALERTS");
    for episode in episodes {
        let fired = episode.fired.unwrap_or(episode.ended);
        text.series(&name("ALERTS", episode, Some("pending")), between(episode.active, fired));
        text.series(&name("ALERTS", episode, Some("firing")), between(fired, episode.ended));
    }
    text.gauge("ALERTS_FOR_STATE");
    for episode in episodes {
        let active = episode.active as f64;
        let state = |at: i64| (episode.active..episode.ended).contains(&at).then_some(active);
        text.series(&name("ALERTS_FOR_STATE", episode, None), state);
    }
}
