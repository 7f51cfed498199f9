//! Who is told of which alert, and which alert keeps another quiet.

use std::collections::{BTreeMap, BTreeSet};

use moko_mon::rules::{ABOUT_SCRIPTS, ALERTS, groups};
use serde_json::{Value, json};

use super::world::World;
use crate::support::{eventually, when};

/// The labels that the rule of an alert adds, with its name, and as its subject what series of it have.
fn labels(alert: &str, subject: &str) -> Value {
    let groups = groups(moko_mon::assets::ALERTS_CONFIG.as_bytes());
    let rule = groups.iter().flat_map(|group| &group.rules).find(|rule| rule.name == alert);
    let mut labels: BTreeMap<String, String> = match rule {
        Some(rule) => rule.labels.clone(),
        // Jobs have rules of their own.
        None => [("severity", "warning"), ("component", "job"), ("team", "devops")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
    };
    let about: &[&str] = match alert {
        _ if alert.contains("API") => &["api"],
        _ if alert.starts_with("CircuitBreaker") => &["service"],
        _ if alert.contains("SecurityFinding") => &["finding_type"],
        "SlowScriptExecution" | "JobFailed" | "JobRunningTooLong" | "JobLate" => &["script_name"],
        _ => &[],
    };
    // `subject` is for this test alone.
    for name in about.iter().chain(&["subject"]) {
        labels.insert((*name).to_owned(), subject.to_owned());
    }
    if alert.contains("SecurityFinding") {
        labels.insert("finding_severity".to_owned(), "high".to_owned());
    }
    labels.insert("alertname".to_owned(), alert.to_owned());
    json!({"labels": labels})
}

/// What is told to whom, beside what is worse than another and has to wait until that was told.
const ROUTES: [(&str, &[&str]); ABOUT_SCRIPTS] = [
    ("HighScriptFailureRate", &["chat"]),
    ("CriticalScriptFailureRate", &["pager-a", "pager-b"]),
    ("SlowScriptExecution", &["own"]),
    ("HighAPIRateLimitUsage", &["chat"]),
    ("CriticalAPIRateLimitUsage", &["pager-a", "pager-b"]),
    ("APIRateLimitResetSoon", &["chat"]),
    ("CircuitBreakerOpen", &["breakers"]),
    ("CircuitBreakerStuckOpen", &["pager-a", "pager-b"]),
    ("SecurityFindingsDetected", &["chat"]),
    ("HighSeveritySecurityFinding", &["pager-a", "security"]),
    ("NoScriptExecutions", &["chat"]),
];

/// Those of which nobody is told in the quiet hours, which never end here.
const QUIET: [&str; 2] = ["APIRateLimitResetSoon", "NoScriptExecutions"];

/// The worse and the milder.
const PAIRS: [(&str, &str); 6] = [
    ("CriticalScriptFailureRate", "HighScriptFailureRate"),
    ("CriticalAPIRateLimitUsage", "HighAPIRateLimitUsage"),
    ("CircuitBreakerStuckOpen", "CircuitBreakerOpen"),
    ("HighSeveritySecurityFinding", "SecurityFindingsDetected"),
    ("JobFailed", "JobLate"),
    ("JobRunningTooLong", "JobLate"),
];

/// Each of the eleven alerts is told to exactly those who should know.
pub(super) fn each_alert_takes_its_way(world: &World) {
    assert_eq!(ROUTES.map(|(alert, _)| alert)[..], ALERTS[..ABOUT_SCRIPTS]);
    let is_worse = |alert: &str| PAIRS.iter().any(|(worse, _)| *worse == alert);
    let mut expected = BTreeSet::new();
    // The milder first: once the worse are there, nobody is told of them.
    for round in [false, true] {
        let now: Vec<_> = ROUTES.iter().filter(|(alert, _)| is_worse(alert) == round).collect();
        world.send(&now.iter().map(|(alert, _)| labels(alert, "a")).collect::<Vec<_>>());
        for (alert, receivers) in now.iter().filter(|(alert, _)| !QUIET.contains(alert)) {
            expected.extend(receivers.iter().map(|of| ((*of).to_owned(), (*alert).to_owned(), "a".to_owned())));
        }
        eventually("the eleven alerts are told", || {
            let told: BTreeSet<_> = world.told().into_iter().filter(|(_, _, subject)| subject == "a").collect();
            when(told == expected, told)
        });
    }
    let alerts = world.alerts();
    for (alert, receivers) in ROUTES {
        let found = alerts.iter().find(|found| found["labels"]["alertname"] == alert).unwrap();
        let named: BTreeSet<&str> =
            found["receivers"].as_array().unwrap().iter().map(|of| of["name"].as_str().unwrap()).collect();
        assert_eq!(named, receivers.iter().copied().collect(), "{found:#}");
    }
    // A severity that is none of ours.
    world.send(&[json!({"labels": {"alertname": "Page", "severity": "page", "subject": "a"}})]);
    eventually("another severity is told", || {
        let told = world.told();
        when(told.contains(&("other".to_owned(), "Page".to_owned(), "a".to_owned())), told)
    });
}

/// While the worse of a pair fires, nobody is told of the milder about the same, and of nothing else less.
pub(super) fn the_worse_keeps_the_milder_quiet(world: &World) {
    // Each pair has subjects of its own; those without a subject are about everything.
    let subject = |pair: usize, of: &str| format!("{of}{pair}");
    let all = |of: &str, milder: bool| -> Vec<Value> {
        let pairs = PAIRS.iter().enumerate();
        pairs.map(|(pair, names)| labels(if milder { names.1 } else { names.0 }, &subject(pair, of))).collect()
    };
    let was_told =
        |alert: &str, subject: &str| world.told().iter().any(|(_, name, about)| name == alert && about == subject);
    world.send(&all("c", false));
    for (pair, (worse, _)) in PAIRS.iter().enumerate() {
        eventually(&format!("{worse} is told"), || when(was_told(worse, &subject(pair, "c")), world.told()));
    }
    // The same subject, and another.
    world.send(&all("c", true));
    world.send(&all("d", true));
    for (pair, (_, milder)) in PAIRS.iter().enumerate().skip(1) {
        eventually(&format!("{milder} of another is told"), || {
            when(was_told(milder, &subject(pair, "d")), world.told())
        });
    }
    let alerts = world.alerts();
    let inhibited = |alert: &str, subject: &str| {
        let of = |found: &&Value| found["labels"]["alertname"] == alert && found["labels"]["subject"] == subject;
        let found = alerts.iter().find(of).unwrap_or_else(|| panic!("no {alert} about {subject}: {alerts:#?}"));
        let by = found["status"]["inhibitedBy"].as_array().unwrap();
        let name = |of: &Value| -> String {
            let source = alerts.iter().find(|alert| alert["fingerprint"] == *of).unwrap();
            source["labels"]["alertname"].as_str().unwrap().to_owned()
        };
        by.iter().map(name).collect::<BTreeSet<_>>()
    };
    for (pair, (worse, milder)) in PAIRS.iter().enumerate() {
        let (same, another) = (subject(pair, "c"), subject(pair, "d"));
        assert_eq!(inhibited(milder, &same), [(*worse).to_owned()].into(), "{milder} about {same}");
        assert_eq!(inhibited(worse, &same), [].into(), "{worse} about {same}");
        assert!(!was_told(milder, &same), "{milder} about {same}");
        // The rate of failures is about all scripts together.
        let expected: BTreeSet<String> = if pair == 0 { [(*worse).to_owned()].into() } else { [].into() };
        assert_eq!(inhibited(milder, &another), expected, "{milder} about {another}");
    }
    for (alert, _) in ROUTES.iter().filter(|(alert, _)| !PAIRS.iter().any(|(_, milder)| milder == alert)) {
        assert_eq!(inhibited(alert, "a"), [].into(), "{alert}");
    }
}
