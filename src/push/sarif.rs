//! Findings from SARIF 2.1.0, the format that scanners report in.

mod fingerprint;
mod log;
mod severity;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::config::quote;
use crate::error::{Code, Error, Result};

pub use severity::Severity;

/// What one tool found in one scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// The tool: the value of `finding_type` where nobody says another.
    pub tool: String,
    /// Its open findings by fingerprint: the same finding has the same one in every report.
    pub findings: BTreeMap<String, Severity>,
    /// Whether the scan came to its end; one that did not says nothing of findings that it does not have.
    pub complete: bool,
}

/// The scans of a report, one for each of its runs.
///
/// Suppressed results, those that are gone since a baseline, and those that report no problem are left out.
///
/// # Errors
///
/// The text is not a SARIF 2.1.0 log.
pub fn scans(text: &str) -> Result<Vec<Scan>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // Two steps, so that JSON of another format is told from a log with a mistake in it.
    let json: Value = serde_json::from_str(text).map_err(|error| refused(format!("it is not JSON: {error}")))?;
    match json.get("version") {
        _ if json.get("runs").is_none() => return Err(refused("it has no `runs`, so it is not SARIF")),
        Some(Value::String(version)) if version == "2.1.0" => {}
        Some(Value::String(version)) => return Err(refused(format!("its version is {}", quote(version)))),
        Some(_) | None => return Err(refused("it has no `version`")),
    }
    let log: log::Log = serde_json::from_value(json).map_err(|error| refused(error.to_string()))?;
    Ok(log.runs.into_iter().map(scan).collect())
}

fn refused(fact: impl Into<String>) -> Error {
    Error::new(Code::Usage, "could not read the findings")
        .cause(fact)
        .hint("expected a report in SARIF 2.1.0, as `semgrep --sarif`, `trivy --format sarif` or CodeQL write it")
}

fn scan(run: log::Run) -> Scan {
    // No list of results at all says that the tool did not get as far as looking.
    let complete = run.results.is_some() && run.invocations.iter().all(|call| call.execution_successful != Some(false));
    let results = run.results.as_deref().unwrap_or_default();
    let open: Vec<&log::FoundResult> = results.iter().filter(|result| is_open(result)).collect();
    let fingerprints = fingerprint::all(&run, &open);
    let findings = fingerprints.into_iter().zip(open.iter().map(|result| severity::of(&run, result)));
    Scan { findings: findings.collect(), tool: run.tool.driver.name, complete }
}

fn is_open(result: &log::FoundResult) -> bool {
    let accepted = |one: &log::Suppression| one.status.as_deref().is_none_or(|status| status == "accepted");
    let suppressed = !result.suppressions.is_empty() && result.suppressions.iter().all(accepted);
    let gone = result.baseline_state.as_deref() == Some("absent");
    // `pass`, `notApplicable` and `informational` are no problems.
    let problem = matches!(result.kind.as_deref(), None | Some("fail" | "review" | "open"));
    problem && !suppressed && !gone
}

#[cfg(test)]
mod tests;
