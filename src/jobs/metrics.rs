//! The metrics of the manifest: what `up` declares of each job, and what its rules read besides the contract.

use crate::contract::{EXTRAS, Label, Metric, MetricType};

/// The grouping label `job` of the declarations.
pub const DECLARATION: &str = "moko_jobs";

const LABELS: &[Label] = &[label("script_name")];

const fn gauge(name: &'static str, labels: &'static [Label], unit: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: MetricType::Gauge, labels, unit, help }
}

const fn label(name: &'static str) -> Label {
    Label { name, values: &[] }
}

/// When the manifest first had the job with this schedule.
pub static DECLARED: Metric = gauge(
    "moko_job_declared_timestamp_seconds",
    LABELS,
    "seconds since the epoch",
    "When a job was declared with its present schedule.",
);

/// Published with each run, too, and then for the time after that run.
pub static NEXT_DUE: &Metric = &EXTRAS[7];

/// The limit beside the last run.
pub static MAX_RUNTIME: Metric =
    gauge("moko_job_max_runtime_seconds", LABELS, "seconds", "How long a run of a job may take.");

/// What else a person wants to know.
pub static INFO: Metric = gauge(
    "moko_job_info",
    &[label("script_name"), label("schedule"), label("timezone"), label("team")],
    "always 1",
    "What the manifest says of a job.",
);

/// The metrics of a declaration.
pub static METRICS: [&Metric; 4] = [&DECLARED, NEXT_DUE, &MAX_RUNTIME, &INFO];
