//! Each plan against the arithmetic of its rule.

use super::super::loaded::tests::groups;
use super::*;
use crate::http::prometheus::RuleGroup;

fn planned(groups: &[RuleGroup], alert: Alert, present: Present) -> Plan {
    plan(alert, &Loaded::find(groups, alert).unwrap(), &present).unwrap()
}

fn by_default(alert: Alert) -> Plan {
    planned(&groups(&[]), alert, Present { now: 1_800_000_000.5, ..Present::default() })
}

/// The value of the sample of a push that has this metric, suffix and label.
fn value(push: &Push, metric: &str, suffix: &str, label: (&str, &str)) -> f64 {
    let family = push.families.iter().find(|family| family.metric.name == metric).unwrap();
    let is_it = |sample: &&crate::exposition::Sample| {
        sample.suffix == suffix && sample.labels.iter().any(|(name, value)| (*name, value.as_str()) == label)
    };
    family.samples.iter().find(is_it).unwrap().value
}

/// The rate of failed runs, when `increase()` counts what was pushed `weight` times.
fn failure_ratio(plan: &Plan, present: Present, weight: f64) -> (f64, f64) {
    let of = |status| value(&plan.pushes[1], "moko_script_executions_total", "", ("status", status)) * weight;
    let runs = present.runs + of("success") + of("failure");
    ((present.failures + of("failure")) / runs, runs)
}

#[test]
fn the_failure_rate_is_above_the_limit_and_below_the_worse_one_whatever_else_runs() {
    let changed = [("> 0.05", "> 0.3"), ("> 0.2", "> 0.35"), (">= 10", ">= 50")];
    for (groups, limits, minimum) in [(groups(&[]), (0.05, 0.2), 10.0), (groups(&changed), (0.3, 0.35), 50.0)] {
        for (runs, failures) in [(0.0, 0.0), (1.0, 1.0), (9.0, 9.0), (30.0, 0.0), (1000.0, 40.0), (100_000.0, 0.0)] {
            let present = Present { now: 0.0, runs, failures };
            for weight in [1.0, 1.5, 2.0] {
                for alert in [Alert::HighScriptFailureRate, Alert::CriticalScriptFailureRate] {
                    let plan = planned(&groups, alert, present);
                    let above = if alert == Alert::HighScriptFailureRate { limits.0 } else { limits.1 };
                    let below = if alert == Alert::HighScriptFailureRate { limits.1 } else { 1.0 };
                    let more = Present { runs: runs * 1.5, ..present };
                    for present in [present, more] {
                        let (ratio, counted) = failure_ratio(&plan, present, weight);
                        let seen = format!("{alert:?} {present:?} {weight}: {ratio} of {counted}, {}", plan.story);
                        assert!(ratio > above && ratio <= below && counted >= minimum, "{seen}");
                    }
                }
            }
        }
    }
}

#[test]
fn counters_are_seen_at_zero_before_they_jump() {
    let plan = by_default(Alert::CriticalScriptFailureRate);
    assert_eq!(plan.pushes.iter().map(|push| push.phase).collect::<Vec<_>>(), ["baseline", "scraped"]);
    assert!(plan.pushes[0].families[0].samples.iter().all(|sample| sample.value == 0.0));
    assert_eq!(plan.story, "pushes 20 runs of `simulated-script`, 12 of them failed, beside 0 others in the last 1h");
    assert_eq!(plan.lasts, Lasts::Window("1h".parse().unwrap()));
    assert_eq!(plan.subject, None);
}

#[test]
fn a_threshold_that_nothing_can_pass_is_refused() {
    let groups = groups(&[("> 0.2", "> 1")]);
    let loaded = Loaded::find(&groups, Alert::CriticalScriptFailureRate).unwrap();
    let error = plan(Alert::CriticalScriptFailureRate, &loaded, &Present::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "error: `CriticalScriptFailureRate` can never fire\n  \
         caused by: nothing is above its threshold of 100%\n\
         hint: lower the threshold in moko-mon.yaml, then run `moko-mon up`"
    );
}

/// The 95th percentile, as `histogram_quantile` estimates it, of the growth from one push to another.
fn p95(from: &Push, to: &Push) -> f64 {
    let buckets = |push: &Push| {
        let samples = push.families[0].samples.iter().filter(|sample| sample.suffix == "_bucket");
        let le = |sample: &crate::exposition::Sample| {
            sample.labels.iter().find(|(name, _)| *name == "le").unwrap().1.parse::<f64>().unwrap()
        };
        samples.map(|sample| (le(sample), sample.value)).collect::<Vec<_>>()
    };
    let grown: Vec<(f64, f64)> =
        buckets(from).iter().zip(buckets(to)).map(|((le, old), (_, new))| (*le, new - old)).collect();
    let rank = 0.95 * grown.last().unwrap().1;
    let at = grown.iter().position(|(_, count)| *count >= rank).unwrap();
    let (start, below) = if at == 0 { (0.0, 0.0) } else { grown[at - 1] };
    let (end, count) = grown[at];
    start + (end - start) * (rank - below) / (count - below)
}

#[test]
fn slow_runs_pass_the_limit_and_fast_ones_of_the_same_script_end_it() {
    for (groups, limit) in [(groups(&[]), 300.0), (groups(&[("p95) > 300", "p95) > 0.5")]), 0.5)] {
        let plan = planned(&groups, Alert::SlowScriptExecution, Present::default());
        let slow = p95(&plan.pushes[0], &plan.pushes[1]);
        assert!(slow > limit * 1.5, "{slow}");
        let recovered = p95(&plan.pushes[0], plan.recovery.as_ref().unwrap());
        assert!(recovered < limit / 2.0, "{recovered}");
        assert_eq!(plan.subject.unwrap(), ("script_name", "simulated-slow-script".to_owned()));
    }
}

#[test]
fn the_quota_is_used_above_the_limit_and_below_the_worse_one() {
    for (groups, limits) in
        [(groups(&[]), (0.9, 0.95)), (groups(&[("> 0.9\n", "> 0.5\n"), ("> 0.95", "> 0.51")]), (0.5, 0.51))]
    {
        for (alert, above, below) in
            [(Alert::HighAPIRateLimitUsage, limits.0, limits.1), (Alert::CriticalAPIRateLimitUsage, limits.1, 1.0)]
        {
            let plan = planned(&groups, alert, Present::default());
            let of = |metric| value(&plan.pushes[0], metric, "", ("api", "simulated-api"));
            let used = 1.0 - of("moko_api_rate_limit_remaining") / of("moko_api_rate_limit_total");
            assert!(used > above && used < below, "{alert:?}: {used}");
        }
    }
}

#[test]
fn the_reset_is_near_by_the_server_s_clock_and_little_is_left() {
    let plan = by_default(Alert::APIRateLimitResetSoon);
    let of = |metric| value(&plan.pushes[0], metric, "", ("api", "simulated-api-reset"));
    let left = of("moko_api_rate_limit_reset_timestamp_seconds") - 1_800_000_000.5;
    assert!(left > 290.0 && left <= 300.0, "{left}");
    let used = 1.0 - of("moko_api_rate_limit_remaining") / of("moko_api_rate_limit_total");
    // Little is left, but not so little that the critical alert about usage comes as well.
    assert!(used > 0.9 && used < 0.95, "{used}");
    assert_eq!(plan.holds, Some(Duration::from_secs(300)));
}

#[test]
fn each_breaker_and_each_finding_trips_its_own_rule() {
    let breaker = |alert, service| {
        value(&by_default(alert).pushes[0], "moko_circuit_breaker_state", "", ("service", service)).to_string()
    };
    assert_eq!(breaker(Alert::CircuitBreakerOpen, "simulated-open"), "1");
    assert_eq!(breaker(Alert::CircuitBreakerStuckOpen, "simulated-half-open"), "2");
    let finding = |alert, severity| {
        value(&by_default(alert).pushes[0], "moko_security_findings_total", "", ("severity", severity)).to_string()
    };
    assert_eq!(finding(Alert::SecurityFindingsDetected, "medium"), "1");
    assert_eq!(finding(Alert::HighSeveritySecurityFinding, "high"), "1");
    let subject = by_default(Alert::HighSeveritySecurityFinding).subject.unwrap();
    assert_eq!(subject, ("finding_type", "simulated-1800000000".to_owned()));
}

#[test]
fn silence_is_not_pushed() {
    let plan = by_default(Alert::NoScriptExecutions);
    assert!(plan.pushes.is_empty());
    assert_eq!(plan.lasts, Lasts::Silence("15m".parse().unwrap()));
}

#[test]
fn whatever_is_pushed_keeps_the_contract_and_is_marked() {
    for alert in Alert::ALL {
        let plan = by_default(alert);
        for family in plan.pushes.iter().chain(&plan.recovery).flat_map(|push| &push.families) {
            let allowed = family.metric.labels;
            for sample in &family.samples {
                let mut simulated = false;
                for (name, value) in &sample.labels {
                    if *name == "le" {
                        continue;
                    }
                    let label = allowed.iter().find(|label| label.name == *name).unwrap();
                    assert!(label.values.is_empty() || label.values.contains(&value.as_str()), "{name}={value}");
                    simulated |= value.starts_with("simulated-");
                }
                assert!(simulated, "{alert:?}: {sample:?}");
                assert!(allowed.iter().all(|label| sample.labels.iter().any(|(name, _)| *name == label.name)));
            }
        }
    }
}
