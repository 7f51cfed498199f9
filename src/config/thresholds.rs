//! The numbers in the built-in rules, as settings.

use serde::{Deserialize, Serialize};

use super::duration::PromDuration;
use super::scalar::Scalar;
use super::schema::Field;

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

/// How long a condition may have to hold. Longer than a day, a restart of the server is likely to come in between.
const FOR: Scalar = Scalar::Duration { floor: "0s", ceiling: Some("1d") };
/// How far back an expression may look.
const WINDOW: Scalar = Scalar::Duration { floor: "1m", ceiling: Some("30d") };

const fn ratio(key: &'static str, default: &'static str, doc: &'static str) -> Field {
    Field::scalar(key, Scalar::Ratio, default, doc)
}

const fn lasts(key: &'static str, default: &'static str, doc: &'static str) -> Field {
    Field::scalar(key, FOR, default, doc)
}

const fn window(key: &'static str, default: &'static str, doc: &'static str) -> Field {
    Field::scalar(key, WINDOW, default, doc)
}

/// The rows of `rules.thresholds` in the table of settings.
pub(crate) static THRESHOLDS: &[Field] = &[
    Field::group(
        "script_failures",
        "HighScriptFailureRate (warning) and CriticalScriptFailureRate: the share of failed runs.",
        &[
            window("window", "1h", "How far back runs are counted."),
            Field::scalar(
                "minimum_runs",
                Scalar::Count { floor: 1 },
                "10",
                "Fewer runs than this in the window say nothing.",
            ),
            ratio("warning_ratio", "0.05", "The share above which the warning fires."),
            lasts("warning_for", "5m", "How long above it before the warning fires."),
            ratio("critical_ratio", "0.2", "The share above which the critical alert fires."),
            lasts("critical_for", "2m", "How long above it before the critical alert fires."),
            lasts("keep_firing_for", "10m", "How long both go on firing when the share is no longer above."),
        ],
    ),
    Field::group(
        "script_duration",
        "SlowScriptExecution: the 95th percentile of a script's run time.",
        &[
            window("window", "1h", "How far back runs are looked at; the panel with the durations does the same."),
            Field::scalar(
                "limit",
                Scalar::Duration { floor: "1ms", ceiling: Some("30d") },
                "5m",
                "The run time that is too long; choose a boundary of the histogram's buckets.",
            ),
            lasts("for", "5m", "How long above it before the alert fires."),
            lasts("keep_firing_for", "10m", "How long it goes on firing when the percentile is no longer above."),
        ],
    ),
    Field::group(
        "api_quota",
        "HighAPIRateLimitUsage (warning) and CriticalAPIRateLimitUsage: the used share of an API's quota.",
        &[
            ratio("warning_ratio", "0.9", "The share above which the warning fires."),
            lasts("warning_for", "2m", "How long above it before the warning fires."),
            ratio("critical_ratio", "0.95", "The share above which the critical alert fires."),
            lasts("critical_for", "1m", "How long above it before the critical alert fires."),
        ],
    ),
    Field::group(
        "api_quota_reset",
        "APIRateLimitResetSoon: little is left, and the quota window is about to end.",
        &[
            Field::scalar(
                "before",
                Scalar::Duration { floor: "30s", ceiling: Some("1d") },
                "5m",
                "How long before the reset it starts.",
            ),
            ratio("remaining_ratio", "0.1", "The share of the quota that counts as little."),
            lasts("for", "30s", "How long both hold before the alert fires."),
        ],
    ),
    Field::group(
        "circuit_breaker",
        "CircuitBreakerOpen and CircuitBreakerStuckOpen.",
        &[
            lasts("open_for", "30s", "How long open before the warning fires."),
            lasts("stuck_for", "10m", "How long not closed before the critical alert fires."),
        ],
    ),
    Field::group(
        "security_findings",
        "SecurityFindingsDetected and HighSeveritySecurityFinding.",
        &[
            window("window", "15m", "For how long a finding counts as new; the alert ends with it."),
            window("known_for", "1d", "How long a series may be gone before it counts from zero again."),
        ],
    ),
    Field::group(
        "no_executions",
        "NoScriptExecutions: no script has run at all.",
        &[
            Field::scalar(
                "silence",
                Scalar::Duration { floor: "1m", ceiling: Some("60d") },
                "15m",
                "How long no run is normal: for hourly scripts 2h fit, for daily ones 26h.",
            ),
            lasts("for", "1m", "How much longer before the alert fires."),
        ],
    ),
    Field::group(
        "target_down",
        "TargetDown: a target cannot be scraped.",
        &[lasts("for", "2m", "How long before the alert fires.")],
    ),
    Field::group(
        "not_recording",
        "PrometheusNotRecording: no sample of any target is stored.",
        &[
            window("silence", "10m", "How long no sample is normal."),
            lasts("for", "1m", "How much longer before the alert fires."),
        ],
    ),
    Field::group(
        "reload_failed",
        "PrometheusConfigReloadFailed and AlertmanagerConfigReloadFailed.",
        &[lasts("for", "1m", "How long before the alert fires.")],
    ),
    Field::group(
        "rule_evaluation",
        "PrometheusRuleEvaluationFailing: rules cannot be evaluated.",
        &[
            window("window", "5m", "How far back failures count."),
            lasts("for", "5m", "How long they go on before the alert fires."),
        ],
    ),
    Field::group(
        "notifications",
        "PrometheusNotificationsFailing: Prometheus cannot hand alerts to Alertmanager.",
        &[
            window("window", "5m", "How far back failures count."),
            lasts("for", "5m", "How long they go on before the alert fires."),
        ],
    ),
    Field::group(
        "delivery",
        "AlertmanagerNotificationsFailing: Alertmanager gives messages up.",
        &[
            window("window", "15m", "How far back messages count."),
            lasts("for", "1m", "How long they go on before the alert fires."),
        ],
    ),
    Field::group(
        "push_failed",
        "PushgatewayPushFailed: the last push to a group was refused.",
        &[lasts("for", "1m", "How long before the alert fires.")],
    ),
    Field::group(
        "push_refused",
        "PushgatewayPushRefused: pushes are answered with an error.",
        &[window("window", "15m", "How far back refusals count.")],
    ),
    Field::group(
        "push_stale",
        "PushgatewayGroupStale: nobody pushes to a group any more.",
        &[
            Field::scalar(
                "age",
                Scalar::Duration { floor: "1m", ceiling: Some("1y") },
                "26h",
                "How old the last push may be; longer than the longest schedule.",
            ),
            lasts("for", "1m", "How much longer before the alert fires."),
        ],
    ),
    Field::group(
        "storage",
        "PrometheusStorageNearlyFull: history is about to be cut by `prometheus.retention.size`.",
        &[
            ratio("ratio", "0.9", "The share of that size in use."),
            lasts("for", "15m", "How long above it before the alert fires."),
        ],
    ),
];

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
