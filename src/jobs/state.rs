//! How the jobs are now, as a Prometheus sees them.

use std::collections::{BTreeMap, BTreeSet};

use super::alerts::ALERTS;
use super::metrics::DECLARATION;
use crate::error::Result;
use crate::http::prometheus::{Prometheus, Sample};

/// How a job is now; times are seconds since the epoch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// Its alerts that fire.
    pub alerts: BTreeSet<String>,
    /// Whether its declaration has arrived.
    pub declared: bool,
    /// Whether a run goes on.
    pub running: bool,
    /// When a run last ended well.
    pub success: Option<f64>,
    /// When a run last ended badly.
    pub failure: Option<f64>,
    /// When it is or was due, after its last success or else after its declaration.
    pub due: Option<f64>,
    /// How long the last run took, or the present one has taken, in seconds.
    pub duration: Option<f64>,
}

impl State {
    /// The state in a word or two, the worst first.
    #[must_use]
    pub fn word(&self) -> &'static str {
        let fires = |alert: &str| self.alerts.contains(alert);
        let words = [
            ("JobNeverRan", "never ran"),
            ("JobFailed", "failed"),
            ("JobLate", "late"),
            ("JobRunningTooLong", "running too long"),
            ("JobTooOften", "ran too often"),
        ];
        debug_assert!(words.iter().all(|(alert, _)| ALERTS.contains(alert)));
        let bad = words.iter().find(|(alert, _)| fires(alert)).map(|(_, word)| *word);
        match bad {
            // It has ended; the alert stays until the next run.
            Some("running too long") if !self.running => "took too long",
            Some(word) => word,
            None if !self.declared => "not declared",
            None if self.running => "running",
            None if self.success.is_none() && self.failure.is_none() => "waiting",
            None => "on time",
        }
    }
}

/// The states of all jobs that the Prometheus knows anything of, by name.
pub async fn states(prometheus: &Prometheus) -> Result<BTreeMap<String, State>> {
    let alerts = "ALERTS{component=\"job\",alertstate=\"firing\"}".to_owned();
    let last =
        |status| format!("max by (script_name) (moko_script_last_execution_timestamp_seconds{{status=\"{status}\"}})");
    let (success, declared) = (last("success"), "max by (script_name) (moko_job_declared_timestamp_seconds)");
    let due = format!(
        "max by (script_name) (moko_job_next_due_timestamp_seconds{{job!=\"{DECLARATION}\"}})\nunless {success} <= {declared}\n\
         or max by (script_name) (moko_job_next_due_timestamp_seconds{{job=\"{DECLARATION}\"}})"
    );
    let start = "max by (script_name, instance) (moko_script_last_start_timestamp_seconds)";
    let end = "max by (script_name, instance) (moko_script_last_execution_timestamp_seconds)";
    let running = "max by (script_name, instance) (moko_script_running) > 0";
    let duration = format!("max by (script_name) (time() - {start} and {running} or {end} - {start})");
    let queries = [alerts, declared.to_owned(), running.to_owned(), success, last("failure"), due, duration];
    let answers = queries.iter().map(|query| prometheus.query(query));
    let answers: Vec<Vec<Sample>> = futures_util::future::join_all(answers).await.into_iter().collect::<Result<_>>()?;
    let mut states: BTreeMap<String, State> = BTreeMap::new();
    for (question, samples) in answers.into_iter().enumerate() {
        for Sample { mut labels, value } in samples {
            let Some(name) = labels.remove("script_name") else { continue };
            let state = states.entry(name).or_default();
            match question {
                0 => state.alerts.extend(labels.remove("alertname")),
                1 => state.declared = true,
                2 => state.running = true,
                3 => state.success = Some(value),
                4 => state.failure = Some(value),
                5 => state.due = Some(value),
                _ => state.duration = Some(value),
            }
        }
    }
    Ok(states)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_is_told() {
        let word = |alerts: &[&str], state: State| {
            State { alerts: alerts.iter().map(|alert| (*alert).to_owned()).collect(), ..state }.word()
        };
        let known = || State { declared: true, ..State::default() };
        assert_eq!(word(&[], State::default()), "not declared");
        assert_eq!(word(&[], known()), "waiting");
        assert_eq!(word(&[], State { running: true, ..known() }), "running");
        assert_eq!(word(&[], State { success: Some(1.0), ..known() }), "on time");
        assert_eq!(word(&["JobLate", "JobFailed"], known()), "failed");
        assert_eq!(word(&["JobRunningTooLong"], State { running: true, ..known() }), "running too long");
        assert_eq!(word(&["JobRunningTooLong"], known()), "took too long");
    }
}
