//! The rows of the thresholds in the table of settings: keys, ranges, defaults and what they are for.

use super::super::scalar::Scalar;
use super::super::schema::Field;

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
