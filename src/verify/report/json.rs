//! For programs: `data` of the envelope.

use serde_json::{Value, json};

use super::Verdict;

/// `checks`, `summary` and `canary`; `evidence` is one text, a line for each fact, the most telling first.
#[must_use]
pub fn json(verdict: &Verdict) -> Value {
    let checks: Vec<Value> = verdict
        .checked
        .iter()
        .map(|check| {
            json!({
                "id": check.id,
                "component": check.component,
                "outcome": check.finding.outcome,
                "evidence": check.finding.evidence.join("\n"),
                "hint": check.finding.hint,
                "duration_ms": (check.duration.as_secs_f64() * 1e4).round() / 1e1,
            })
        })
        .collect();
    let canary = verdict.canary.as_ref().map(super::Canary::json);
    json!({"checks": checks, "summary": verdict.summary(), "canary": canary})
}
