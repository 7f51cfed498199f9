//! The results of checks, for people, programs and pipelines.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Checked, Outcome};
use crate::error::{Code, Error};
use crate::ui::human;

/// `data` of the envelope.
#[must_use]
pub fn json(checked: &[Checked]) -> Value {
    let checks: Vec<Value> = checked
        .iter()
        .map(|check| {
            json!({
                "id": check.id,
                "component": check.component,
                "outcome": check.finding.outcome,
                "evidence": check.finding.evidence,
                "hint": check.finding.hint,
                "duration_ms": (check.duration.as_secs_f64() * 1e4).round() / 1e1,
            })
        })
        .collect();
    json!({"checks": checks, "summary": summary(checked)})
}

/// How many checks have each outcome.
fn summary(checked: &[Checked]) -> BTreeMap<&'static str, usize> {
    let all = [Outcome::Pass, Outcome::Warn, Outcome::Fail, Outcome::Skip];
    all.map(|outcome| (outcome.as_str(), count(checked, outcome))).into()
}

fn count(checked: &[Checked], outcome: Outcome) -> usize {
    checked.iter().filter(|check| check.finding.outcome == outcome).count()
}

/// One line for each check, what is broken first and with all its evidence; one line of summary at the end.
#[must_use]
pub fn text(checked: &[Checked]) -> String {
    let mut sorted: Vec<&Checked> = checked.iter().collect();
    sorted.sort_by_key(|check| check.finding.outcome);
    let width = checked.iter().map(|check| check.id.chars().count()).max().unwrap_or_default();
    let mut out = String::new();
    for check in sorted {
        let finding = &check.finding;
        let mut evidence = finding.evidence.iter();
        let first = evidence.next().map_or("", String::as_str);
        out.push_str(&format!("{}  {:<width$}  {first}\n", finding.outcome.as_str(), check.id));
        if matches!(finding.outcome, Outcome::Fail | Outcome::Warn) {
            for line in evidence {
                out.push_str(&format!("      {:<width$}  {line}\n", ""));
            }
            if let Some(hint) = &finding.hint {
                out.push_str(&format!("      {:<width$}  hint: {hint}\n", ""));
            }
        }
    }
    out.push_str(&format!("\n{}\n", sentence(checked)));
    out
}

/// `18 checks: 15 pass, 1 warns, 2 fail; 0.3 s`.
fn sentence(checked: &[Checked]) -> String {
    let counts = summary(checked);
    let word = |outcome: &str| counts.get(outcome).copied().unwrap_or_default();
    let slowest = checked.iter().map(|check| check.duration).max().unwrap_or_default();
    format!(
        "{} checks: {} pass, {} warn, {} fail, {} skipped; the slowest took {}",
        checked.len(),
        word("pass"),
        word("warn"),
        word("fail"),
        word("skip"),
        human(slowest)
    )
}

/// The error that makes the exit status, where something failed; `strict` lets warnings count.
#[must_use]
pub fn failure(checked: &[Checked], strict: bool) -> Option<Error> {
    let (failed, warned) = (count(checked, Outcome::Fail), count(checked, Outcome::Warn));
    let counts = |outcome| outcome == Outcome::Fail || (strict && outcome == Outcome::Warn);
    let first = checked.iter().find(|check| counts(check.finding.outcome))?;
    let many = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let message = match (failed, warned) {
        (0, warned) => format!("{} and `--strict` is given", many(warned, "warning")),
        (failed, _) => format!("{} of {} failed", failed, many(checked.len(), "check")),
    };
    let engine = first.id == "engine.reachable";
    let mut error = Error::new(if engine { Code::EngineUnreachable } else { Code::VerifyFailed }, message);
    error.hint.clone_from(&first.finding.hint);
    Some(error.cause(format!("{}: {}", first.id, first.finding.evidence.first().map_or("", String::as_str))))
}
