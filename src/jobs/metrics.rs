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

/// When a job is due next. Published with each run, too, and then for the time after that run.
pub static NEXT_DUE: &Metric = &EXTRAS[7];

/// When the manifest first had the job with its present schedule.
pub static DECLARED: &Metric = &METRICS[0];

/// The limit beside the last run.
pub static MAX_RUNTIME: &Metric = &METRICS[1];

/// What else a person wants to know.
pub static INFO: &Metric = &METRICS[2];

/// The metrics of a declaration, besides [`NEXT_DUE`].
pub static METRICS: &[Metric] = &[
    gauge(
        "moko_job_declared_timestamp_seconds",
        LABELS,
        "seconds since the epoch",
        "When a job was declared with its present schedule.",
    ),
    gauge("moko_job_max_runtime_seconds", LABELS, "seconds", "How long a run of a job may take."),
    gauge(
        "moko_job_info",
        &[label("script_name"), label("schedule"), label("timezone"), label("team")],
        "always 1",
        "What the manifest says of a job.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_contract_has_the_due_time_where_we_look() {
        assert_eq!(NEXT_DUE.name, "moko_job_next_due_timestamp_seconds");
    }
}
