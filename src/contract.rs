//! The metric contract: what scripts publish, and what rules, dashboard, verification and documentation rely on.
//!
//! One table. A test holds that every metric named in a rule or a panel is in it, and that no required metric is
//! without a reader.

/// The type of a metric, as its `# TYPE` line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MetricType {
    /// Only grows; a drop is a reset.
    Counter,
    /// Any value.
    Gauge,
    /// Cumulative buckets, `_sum` and `_count`.
    Histogram,
}

impl MetricType {
    /// The word in a `# TYPE` line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A label and what it may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// Its name.
    pub name: &'static str,
    /// The only values allowed; empty where any value is.
    pub values: &'static [&'static str],
}

/// One metric of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name, without the suffixes of a histogram.
    pub name: &'static str,
    /// Its type.
    pub kind: MetricType,
    /// Its labels, besides the grouping labels `job` and `instance`.
    pub labels: &'static [Label],
    /// The unit of its values.
    pub unit: &'static str,
    /// The text of its `# HELP` line.
    pub help: &'static str,
}

impl Metric {
    /// The names of its series: a histogram has three.
    #[must_use]
    pub fn series(&self) -> Vec<String> {
        match self.kind {
            MetricType::Counter | MetricType::Gauge => vec![self.name.to_owned()],
            MetricType::Histogram => {
                ["_bucket", "_sum", "_count"].map(|suffix| format!("{}{suffix}", self.name)).to_vec()
            }
        }
    }
}

const fn label(name: &'static str) -> Label {
    Label { name, values: &[] }
}

/// How a run ended.
const STATUS: Label = Label { name: "status", values: &["success", "failure"] };

/// How bad a finding is.
const SEVERITY: Label = Label { name: "severity", values: &["low", "medium", "high", "critical", "warning"] };

/// The metrics that a complete instrumentation publishes.
pub const REQUIRED: [Metric; 8] = [
    Metric {
        name: "moko_script_executions_total",
        kind: MetricType::Counter,
        labels: &[label("script_name"), STATUS],
        unit: "runs",
        help: "Runs of a script that have ended, by how they ended.",
    },
    Metric {
        name: "moko_script_duration_seconds",
        kind: MetricType::Histogram,
        labels: &[label("script_name")],
        unit: "seconds",
        help: "How long runs of a script took, failed ones included.",
    },
    Metric {
        name: "moko_script_last_execution_timestamp_seconds",
        kind: MetricType::Gauge,
        labels: &[label("script_name"), STATUS],
        unit: "seconds since the epoch",
        help: "When a run of a script last ended in this way.",
    },
    Metric {
        name: "moko_api_rate_limit_remaining",
        kind: MetricType::Gauge,
        labels: &[label("api")],
        unit: "calls",
        help: "Calls that an API still allows in the present quota window.",
    },
    // A gauge in spite of its suffix: the name is kept for those who know the original.
    Metric {
        name: "moko_api_rate_limit_total",
        kind: MetricType::Gauge,
        labels: &[label("api")],
        unit: "calls",
        help: "Calls that an API allows in one quota window.",
    },
    Metric {
        name: "moko_api_rate_limit_reset_timestamp_seconds",
        kind: MetricType::Gauge,
        labels: &[label("api")],
        unit: "seconds since the epoch",
        help: "When the present quota window of an API ends.",
    },
    Metric {
        name: "moko_circuit_breaker_state",
        kind: MetricType::Gauge,
        labels: &[label("service")],
        unit: "0 closed, 1 open, 2 half-open",
        help: "State of the circuit breaker in front of a service: 0 closed, 1 open, 2 half-open.",
    },
    Metric {
        name: "moko_security_findings_total",
        kind: MetricType::Counter,
        labels: &[SEVERITY, label("finding_type")],
        unit: "findings",
        help: "Security findings that had not been seen before, by severity and type.",
    },
];

/// What `moko-mon run` and `moko-mon push` publish beyond the contract: nothing fails where it is missing.
pub const EXTRAS: [Metric; 9] = [
    extra(
        "moko_script_last_start_timestamp_seconds",
        &[label("script_name")],
        "seconds since the epoch",
        "When the latest run of a script began.",
    ),
    extra(
        "moko_script_last_exit_code",
        &[label("script_name")],
        "exit status; 128+N for a death by signal N",
        "Exit status of the latest run of a script; 128+N where signal N ended it.",
    ),
    extra(
        "moko_script_last_signal",
        &[label("script_name")],
        "number of a signal, 0 for none",
        "Signal that ended the latest run of a script; 0 where it ended by itself.",
    ),
    extra(
        "moko_script_last_cpu_seconds",
        &[label("script_name")],
        "seconds",
        "CPU time of the latest run of a script, with the children that it waited for.",
    ),
    extra(
        "moko_script_last_max_memory_bytes",
        &[label("script_name")],
        "bytes",
        "Most memory that a process of the latest run of a script had at once.",
    ),
    extra("moko_script_running", &[label("script_name")], "runs", "Runs of a script that have begun and not ended."),
    extra(
        "moko_script_last_run_info",
        &[label("script_name"), label("run_id")],
        "always 1",
        "Which run of a script is the latest.",
    ),
    extra(
        "moko_job_next_due_timestamp_seconds",
        &[label("script_name")],
        "seconds since the epoch",
        "When a job is due next: the first time of its schedule after its last successful run began, or after its declaration.",
    ),
    extra(
        "moko_security_findings_open",
        &[SEVERITY, label("finding_type")],
        "findings",
        "Security findings that the latest scan had, by severity and type.",
    ),
];

const fn extra(name: &'static str, labels: &'static [Label], unit: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: MetricType::Gauge, labels, unit, help }
}

/// The metric of this name, whether it is required or an extra.
#[must_use]
pub fn metric(name: &str) -> Option<&'static Metric> {
    REQUIRED.iter().chain(&EXTRAS).find(|metric| metric.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::assets;

    /// Every `moko_…` name in a text; recorded series (`level:metric:operation`) count as the metric inside them.
    fn names(text: &str) -> BTreeSet<String> {
        let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        text.split(|c| !part(c)).filter(|word| word.starts_with("moko_")).map(str::to_owned).collect()
    }

    fn series() -> BTreeSet<String> {
        let jobs = crate::jobs::metrics::METRICS;
        let all = REQUIRED.iter().chain(&EXTRAS).chain(jobs);
        all.flat_map(|metric| metric.series().into_iter().chain([metric.name.to_owned()])).collect()
    }

    #[test]
    fn rules_and_panels_name_no_metric_outside_the_contract() {
        let known = series();
        for (file, text) in
            [("alerts-config.yml", assets::ALERTS_CONFIG), ("grafana-dashboard.json", assets::DASHBOARD)]
        {
            let unknown: Vec<String> = names(text).difference(&known).cloned().collect();
            assert!(unknown.is_empty(), "{file} names {unknown:?}, which the contract does not have");
        }
    }

    #[test]
    fn every_required_metric_has_a_reader() {
        let read = names(&format!("{}{}", assets::ALERTS_CONFIG, assets::DASHBOARD));
        for metric in REQUIRED {
            let read = metric.series().iter().any(|name| read.contains(name)) || read.contains(metric.name);
            assert!(read, "no rule and no panel reads {}", metric.name);
        }
    }

    #[test]
    fn names_and_labels_are_what_prometheus_takes() {
        for metric in REQUIRED.iter().chain(&EXTRAS) {
            assert!(metric.name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{}", metric.name);
            assert!(metric.help.ends_with('.') && !metric.help.contains('\n'), "{}", metric.name);
        }
    }
}
