//! The numbers in the built-in rules, as settings.

mod table;

use serde::{Deserialize, Serialize};

use super::duration::PromDuration;

pub(crate) use table::THRESHOLDS;

/// The numbers in the built-in rules; [`crate::rules`] writes them into the rule files by the names they have here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// `HighScriptFailureRate`, `CriticalScriptFailureRate`.
    pub script_failures: ScriptFailures,
    /// `SlowScriptExecution` and the recorded percentiles.
    pub script_duration: ScriptDuration,
    /// `HighAPIRateLimitUsage`, `CriticalAPIRateLimitUsage`.
    pub api_quota: ApiQuota,
    /// `APIRateLimitResetSoon`.
    pub api_quota_reset: ApiQuotaReset,
    /// `CircuitBreakerOpen`, `CircuitBreakerStuckOpen`.
    pub circuit_breaker: CircuitBreaker,
    /// `SecurityFindingsDetected`, `HighSeveritySecurityFinding`.
    pub security_findings: SecurityFindings,
    /// `NoScriptExecutions`.
    pub no_executions: Silence,
    /// `TargetDown`.
    pub target_down: For,
    /// `PrometheusNotRecording`.
    pub not_recording: Silence,
    /// `PrometheusConfigReloadFailed`, `AlertmanagerConfigReloadFailed`.
    pub reload_failed: For,
    /// `PrometheusRuleEvaluationFailing`.
    pub rule_evaluation: Windowed,
    /// `PrometheusNotificationsFailing`.
    pub notifications: Windowed,
    /// `AlertmanagerNotificationsFailing`.
    pub delivery: Windowed,
    /// `PushgatewayPushFailed`.
    pub push_failed: For,
    /// `PushgatewayPushRefused`.
    pub push_refused: Window,
    /// `PushgatewayGroupStale`.
    pub push_stale: Stale,
    /// `PrometheusStorageNearlyFull`.
    pub storage: Storage,
}

/// The share of failed runs among all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptFailures {
    /// How far back runs are counted.
    pub window: PromDuration,
    /// Fewer runs than this in the window say nothing.
    pub minimum_runs: u64,
    /// Above 0 and below 1.
    pub warning_ratio: f64,
    /// How long above it before the warning fires.
    pub warning_for: PromDuration,
    /// Above `warning_ratio` and below 1.
    pub critical_ratio: f64,
    /// How long above it before the critical alert fires.
    pub critical_for: PromDuration,
    /// How long both go on firing after the last breach.
    pub keep_firing_for: PromDuration,
}

/// The run time of a script.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptDuration {
    /// How far back runs are looked at.
    pub window: PromDuration,
    /// What the 95th percentile may not exceed.
    pub limit: PromDuration,
    /// How long above it before the alert fires.
    pub r#for: PromDuration,
    /// How long it goes on firing after the last breach.
    pub keep_firing_for: PromDuration,
}

/// The used share of an API's quota.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiQuota {
    /// Above 0 and below 1.
    pub warning_ratio: f64,
    /// How long above it before the warning fires.
    pub warning_for: PromDuration,
    /// Above `warning_ratio` and below 1.
    pub critical_ratio: f64,
    /// How long above it before the critical alert fires.
    pub critical_for: PromDuration,
}

/// The end of a quota window in which little is left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiQuotaReset {
    /// How long before the reset.
    pub before: PromDuration,
    /// The share of the quota that counts as little, above 0 and below 1.
    pub remaining_ratio: f64,
    /// How long both hold before the alert fires.
    pub r#for: PromDuration,
}

/// The state of a circuit breaker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CircuitBreaker {
    /// How long open before the warning fires.
    pub open_for: PromDuration,
    /// How long not closed before the critical alert fires; longer than `open_for`.
    pub stuck_for: PromDuration,
}

/// New security findings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecurityFindings {
    /// For how long a finding counts as new.
    pub window: PromDuration,
    /// How long a series may be gone before its next value counts as new from zero; longer than `window`.
    pub known_for: PromDuration,
}

/// Something that should come and does not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Silence {
    /// How long nothing may come.
    pub silence: PromDuration,
    /// How much longer before the alert fires.
    pub r#for: PromDuration,
}

/// A state that lasts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct For {
    /// How long before the alert fires.
    pub r#for: PromDuration,
}

/// Events that are counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// How far back they count.
    pub window: PromDuration,
}

/// Events that go on happening.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Windowed {
    /// How far back they count.
    pub window: PromDuration,
    /// How long they go on before the alert fires; not longer than `window`.
    pub r#for: PromDuration,
}

/// A push group that nobody pushes to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stale {
    /// How old the last push may be.
    pub age: PromDuration,
    /// How much longer before the alert fires.
    pub r#for: PromDuration,
}

/// The disk space of Prometheus.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// The share of `prometheus.retention.size` in use, above 0 and below 1.
    pub ratio: f64,
    /// How long above it before the alert fires.
    pub r#for: PromDuration,
}

/// What is wrong between two thresholds: the key to blame, what stands there, what would be right.
pub(crate) fn contradictions(set: &Thresholds) -> Vec<(String, String, String)> {
    let mut out = Vec::new();
    let mut blame = |key: &str, found: String, expected: String| {
        out.push((format!("rules.thresholds.{key}"), found, expected));
    };
    for (group, warning, critical) in [
        ("script_failures", set.script_failures.warning_ratio, set.script_failures.critical_ratio),
        ("api_quota", set.api_quota.warning_ratio, set.api_quota.critical_ratio),
    ] {
        if warning >= critical {
            let expected = format!("more than `{warning}`, where the warning begins");
            blame(&format!("{group}.critical_ratio"), format!("`{critical}` is not above the warning"), expected);
        }
    }
    let stuck = &set.circuit_breaker;
    if stuck.stuck_for.as_duration() <= stuck.open_for.as_duration() {
        let found = format!("`{}` is not longer than the warning waits", stuck.stuck_for);
        blame("circuit_breaker.stuck_for", found, format!("more than `{}`", stuck.open_for));
    }
    let findings = &set.security_findings;
    if findings.known_for.as_duration() <= findings.window.as_duration() {
        let found = format!("`{}` is not longer than a finding counts as new", findings.known_for);
        blame("security_findings.known_for", found, format!("more than `{}`", findings.window));
    }
    // What happened once has left a window that is shorter than `for` before the alert fires.
    for (group, window, longest) in [
        ("script_failures", &set.script_failures.window, &set.script_failures.warning_for),
        ("script_failures", &set.script_failures.window, &set.script_failures.critical_for),
        ("script_duration", &set.script_duration.window, &set.script_duration.r#for),
        ("rule_evaluation", &set.rule_evaluation.window, &set.rule_evaluation.r#for),
        ("notifications", &set.notifications.window, &set.notifications.r#for),
        ("delivery", &set.delivery.window, &set.delivery.r#for),
    ] {
        if window.as_duration() < longest.as_duration() {
            let found = format!("`{window}` is shorter than the alert waits");
            blame(&format!("{group}.window"), found, format!("at least `{longest}`"));
        }
    }
    out
}

/// The windows in which fewer than three scrapes fall: two make an increase, and one may be late or lost.
pub(crate) fn too_short_for(set: &Thresholds, scrape_interval: &PromDuration) -> Vec<&'static str> {
    let windows = [
        ("script_failures.window", &set.script_failures.window),
        ("script_duration.window", &set.script_duration.window),
        ("security_findings.window", &set.security_findings.window),
        ("no_executions.silence", &set.no_executions.silence),
        ("not_recording.silence", &set.not_recording.silence),
        ("rule_evaluation.window", &set.rule_evaluation.window),
        ("notifications.window", &set.notifications.window),
        ("delivery.window", &set.delivery.window),
        ("push_refused.window", &set.push_refused.window),
    ];
    let short = |window: &PromDuration| window.as_duration() < scrape_interval.as_duration() * 3;
    windows.into_iter().filter(|(_, window)| short(window)).map(|(key, _)| key).collect()
}
