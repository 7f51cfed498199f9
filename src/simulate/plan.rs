//! What has to be pushed for an alert: pure values, from the loaded rule and what real scripts publish at present.

use std::time::Duration;

use super::{Alert, Loaded};
use crate::contract::{Metric, REQUIRED};
use crate::error::{Code, Error, Result};
use crate::exposition::Family;

const RUNS: &Metric = &REQUIRED[0];
const DURATION: &Metric = &REQUIRED[1];
const REMAINING: &Metric = &REQUIRED[3];
const QUOTA: &Metric = &REQUIRED[4];
const RESET: &Metric = &REQUIRED[5];
const BREAKER: &Metric = &REQUIRED[6];
const FINDINGS: &Metric = &REQUIRED[7];

/// The calls that the simulated API allows; large enough for any ratio.
const CALLS: f64 = 10_000.0;

/// How the simulation of an alert goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What is pushed, for people.
    pub story: String,
    /// The pushes in order; each is seen by Prometheus before the next is made.
    pub pushes: Vec<Push>,
    /// A last push, once somebody was told, that makes the expression false again.
    pub recovery: Option<Push>,
    /// The label by which the simulated alert is told from real ones; `None`: the rule knows only one.
    pub subject: Option<(&'static str, String)>,
    /// How long the pushed series are seen.
    pub lasts: Lasts,
    /// How long the expression holds by itself, where the time alone ends it.
    pub holds: Option<Duration>,
}

/// One state of the simulated group.
#[derive(Debug, Clone, PartialEq)]
pub struct Push {
    /// The name of the phase that ends when Prometheus has it.
    pub phase: &'static str,
    /// The metrics.
    pub families: Vec<Family>,
}

/// How long the rule sees what was pushed, once its group is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lasts {
    /// Until the next scrape.
    Gone,
    /// This long after the counters have jumped.
    Window(crate::config::PromDuration),
    /// As long as nothing runs.
    Silence(crate::config::PromDuration),
}

/// What real scripts publish at present.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Present {
    /// The time of the server, seconds since the epoch.
    pub now: f64,
    /// Runs in the window of the failure rates.
    pub runs: f64,
    /// Failed ones among them.
    pub failures: f64,
}

/// Decides what is pushed for an alert.
pub fn plan(alert: Alert, rule: &Loaded<'_>, present: &Present) -> Result<Plan> {
    match alert {
        Alert::HighScriptFailureRate => {
            failure_rate(rule, rule.other(Alert::CriticalScriptFailureRate).as_ref(), present)
        }
        Alert::CriticalScriptFailureRate => failure_rate(rule, None, present),
        Alert::SlowScriptExecution => slow_script(rule),
        Alert::HighAPIRateLimitUsage => quota(rule, rule.other(Alert::CriticalAPIRateLimitUsage).as_ref()),
        Alert::CriticalAPIRateLimitUsage => quota(rule, None),
        Alert::APIRateLimitResetSoon => reset_soon(rule, present),
        Alert::CircuitBreakerOpen => Ok(breaker(1.0, "open")),
        // Half-open trips this rule alone: the other one wants it open.
        Alert::CircuitBreakerStuckOpen => Ok(breaker(2.0, "half-open")),
        Alert::SecurityFindingsDetected => Ok(finding("medium", present)),
        Alert::HighSeveritySecurityFinding => Ok(finding("high", present)),
        Alert::NoScriptExecutions => Ok(Plan {
            story:
                "pushes nothing: no series can make others silent, so it waits until nothing has run for long enough"
                    .to_owned(),
            pushes: Vec::new(),
            recovery: None,
            subject: None,
            lasts: Lasts::Silence(rule.window()?),
            holds: None,
        }),
    }
}

fn one(metric: &'static Metric, labels: &[(&'static str, &str)], value: f64) -> Family {
    let labels = labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Family::of(metric, vec![(labels, value)])
}

/// The limit of a ratio and what stays below the worse alert's.
fn ratios(rule: &Loaded<'_>, worse: Option<&Loaded<'_>>) -> Result<(f64, f64)> {
    let limit = rule.limit(">")?;
    let worse = worse.and_then(|worse| worse.limit(">").ok()).filter(|worse| *worse > limit).unwrap_or(1.0);
    if limit < worse {
        return Ok((limit, worse));
    }
    Err(Error::new(Code::NotFired, format!("`{}` can never fire", rule.rule.name))
        .cause(format!("nothing is above its threshold of {}%", limit * 100.0))
        .hint("lower the threshold in moko-mon.yaml, then run `moko-mon up`"))
}

/// The rate is one of all scripts together: so many runs are added that the mean of real and simulated ones lies between
/// the limit and the one of the worse alert.
fn failure_rate(rule: &Loaded<'_>, worse: Option<&Loaded<'_>>, present: &Present) -> Result<Plan> {
    let (limit, worse) = ratios(rule, worse)?;
    let (runs, failures) = mix(limit, worse, rule.limit(">=")?, present);
    let script = "simulated-script";
    let state = |phase, successes, failures| {
        let of = |status: &str| vec![("script_name", script.to_owned()), ("status", status.to_owned())];
        let samples = vec![(of("success"), successes), (of("failure"), failures)];
        Push { phase, families: vec![Family::of(RUNS, samples)] }
    };
    let window = rule.window()?;
    Ok(Plan {
        story: format!(
            "pushes {runs} runs of `{script}`, {failures} of them failed, beside {:.0} others in the last {window}",
            present.runs
        ),
        // increase() does not see the step from nothing to the first value.
        pushes: vec![state("baseline", 0.0, 0.0), state("scraped", runs - failures, failures)],
        recovery: None,
        subject: None,
        lasts: Lasts::Window(window),
        holds: None,
    })
}

/// How many runs to add, and how many failed ones among them.
///
/// The simulated share aims at the middle between the two limits, and is so large that the mean with the real runs
/// stays in the inner half, even if half as many real ones again succeed meanwhile. `increase()` counts what was pushed
/// once to twice in the first moments, because it extrapolates; that only adds to its weight.
fn mix(limit: f64, worse: f64, minimum: f64, present: &Present) -> (f64, f64) {
    let aim = f64::midpoint(limit, worse);
    let (low, high) = (f64::midpoint(limit, aim), f64::midpoint(aim, worse));
    let enough = [
        2.0 * minimum,
        // Runs are whole.
        4.0 / (worse - limit),
        1.5 * present.runs * low / (aim - low),
        (present.failures - high * present.runs) / (high - aim),
    ];
    let runs = enough.into_iter().fold(1.0, f64::max).ceil();
    (runs, (runs * aim).round().max(1.0))
}

fn slow_script(rule: &Loaded<'_>) -> Result<Plan> {
    let limit = rule.limit(">")?;
    let script = "simulated-slow-script";
    let state = |phase, fast: f64, slow: f64| {
        let labels = [("script_name", script.to_owned())];
        // All slow runs took between once and twice the limit, all fast ones less than a tenth of it.
        let buckets = [(limit / 10.0, fast), (limit, fast), (limit * 2.0, fast + slow)];
        let sum = fast * limit / 20.0 + slow * limit * 1.5;
        Push { phase, families: vec![Family::histogram(DURATION, &labels, &buckets, sum, fast + slow)] }
    };
    Ok(Plan {
        story: format!("pushes 5 runs of `{script}` that took between {limit} s and {} s", limit * 2.0),
        pushes: vec![state("baseline", 0.0, 0.0), state("scraped", 0.0, 5.0)],
        // Fast runs of the same script, which change nobody else's percentile: less than one in twenty is slow then.
        recovery: Some(state("recovered", 495.0, 5.0)),
        subject: Some(("script_name", script.to_owned())),
        lasts: Lasts::Gone,
        holds: None,
    })
}

fn quota(rule: &Loaded<'_>, worse: Option<&Loaded<'_>>) -> Result<Plan> {
    let (limit, worse) = ratios(rule, worse)?;
    let left = (CALLS * (1.0 - f64::midpoint(limit, worse))).round();
    let labels = [("api", "simulated-api")];
    Ok(Plan {
        story: format!("pushes a quota of `simulated-api` with {left} of {CALLS} calls left"),
        pushes: vec![Push {
            phase: "scraped",
            families: vec![one(REMAINING, &labels, left), one(QUOTA, &labels, CALLS)],
        }],
        recovery: None,
        subject: Some(("api", "simulated-api".to_owned())),
        lasts: Lasts::Gone,
        holds: None,
    })
}

fn reset_soon(rule: &Loaded<'_>, present: &Present) -> Result<Plan> {
    let (before, ratio) = (rule.limit("<=")?, rule.limit("<")?);
    let left = (CALLS * ratio * 0.75).floor();
    let labels = [("api", "simulated-api-reset")];
    Ok(Plan {
        story: format!(
            "pushes a quota of `simulated-api-reset` with {left} of {CALLS} calls left, reset in {before} s"
        ),
        pushes: vec![Push {
            phase: "scraped",
            families: vec![
                one(RESET, &labels, (present.now + before).floor()),
                one(REMAINING, &labels, left),
                one(QUOTA, &labels, CALLS),
            ],
        }],
        recovery: None,
        subject: Some(("api", "simulated-api-reset".to_owned())),
        lasts: Lasts::Gone,
        holds: Duration::try_from_secs_f64(before).ok(),
    })
}

fn breaker(state: f64, word: &str) -> Plan {
    let service = format!("simulated-{word}");
    Plan {
        story: format!("pushes the circuit breaker of `{service}` as {word}"),
        pushes: vec![Push { phase: "scraped", families: vec![one(BREAKER, &[("service", &service)], state)] }],
        recovery: None,
        subject: Some(("service", service)),
        lasts: Lasts::Gone,
        holds: None,
    }
}

/// A type that was never seen, so that its first value counts, and nothing is left to count when it is gone.
fn finding(severity: &str, present: &Present) -> Plan {
    let kind = format!("simulated-{:.0}", present.now.floor());
    let labels = [("severity", severity), ("finding_type", &kind)];
    Plan {
        story: format!("pushes a first finding of type `{kind}`, severity {severity}"),
        pushes: vec![Push { phase: "scraped", families: vec![one(FINDINGS, &labels, 1.0)] }],
        recovery: None,
        subject: Some(("finding_type", kind.clone())),
        lasts: Lasts::Gone,
        holds: None,
    }
}

#[cfg(test)]
mod tests;
