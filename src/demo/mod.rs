//! Demo data: the week of a made-up team, as history in Prometheus' storage and as a feed that goes on with it.
//!
//! [`team`] is the model, a pure function of time and of the moment `end` at which history ends and the feed begins.
//! [`jobs`] says which of its scripts are jobs. [`history`] and [`alerts`] render it as the text that becomes blocks, [`feed`] as what a small container pushes.
//! [`storage`] is the only part that touches Prometheus' data.
//!
//! Every series carries [`LABELS`], and every name that a rule copies into a series of its own ends in `-demo`: that is
//! how all of it is found again.

#![expect(clippy::cast_precision_loss, reason = "times, calls and counts of a week are whole numbers in an f64")]

pub mod alerts;
pub mod feed;
pub mod history;
pub mod jobs;
pub mod storage;
pub mod team;

/// What all demo series have in common, whatever else they are.
pub const LABELS: [(&str, &str); 2] = [("demo", "true"), ("instance", "demo-host-1")];

/// The `job` label of what the scripts themselves publish.
pub const JOB: &str = "moko-mon-demo";

/// How much history there is, in seconds, if Prometheus keeps that much.
pub const WEEK: i64 = 7 * team::DAY;

/// The name of the feed's container.
#[must_use]
pub fn container_name(project: &str) -> String {
    format!("{project}-demo")
}

/// The demo's own series, as `PromQL` selects them.
#[must_use]
pub fn selector() -> String {
    let labels = LABELS.map(|(name, value)| format!("{name}=\"{value}\""));
    format!("{{{}}}", labels.join(","))
}

/// Everything that there is because of the demo, as `PromQL` selects it: its own series, and what the running rules have
/// recorded about its scripts, APIs, services and findings. The rules drop [`LABELS`], so those are found by name.
#[must_use]
pub fn selectors() -> Vec<String> {
    let names = team::SCRIPTS.iter().map(|script| script.name).collect::<Vec<_>>().join("|");
    let recorded = "script_name(_le|_status)?:moko_.+";
    let alerts = "ALERTS|ALERTS_FOR_STATE";
    let subjects = [
        (recorded, "script_name", names.clone()),
        (alerts, "script_name", names),
        (alerts, "api", team::APIS.map(|api| api.name).join("|")),
        (alerts, "service", team::SERVICES.join("|")),
        (alerts, "finding_type", team::FINDINGS.map(|finding| finding.kind).join("|")),
    ];
    let derived = subjects.map(|(series, label, names)| format!("{{__name__=~\"{series}\",{label}=~\"{names}\"}}"));
    std::iter::once(selector()).chain(derived).collect()
}

#[cfg(test)]
mod tests;
