//! How bad a finding is, in the words of the contract.

use serde_json::Value;

use super::log::{FoundResult, Run};

/// A value of the label `severity`, from harmless to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// CVSS below 4, or `note`.
    Low,
    /// `warning`, where the tool gives no number.
    Warning,
    /// CVSS 4 to 6.9.
    Medium,
    /// CVSS 7 to 8.9, or `error`.
    High,
    /// CVSS 9 and above.
    Critical,
}

impl Severity {
    /// All of them, in the order of the contract.
    pub const ALL: [Self; 5] = [Self::Low, Self::Medium, Self::High, Self::Critical, Self::Warning];

    /// The word in the label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
            Self::Warning => "warning",
        }
    }

    /// The bands of CVSS, as GitHub shows them.
    fn of_score(score: f64) -> Self {
        match score {
            score if score >= 9.0 => Self::Critical,
            score if score >= 7.0 => Self::High,
            score if score >= 4.0 => Self::Medium,
            _ => Self::Low,
        }
    }

    fn of_level(level: &str) -> Self {
        match level {
            "error" => Self::High,
            "note" | "none" => Self::Low,
            _ => Self::Warning,
        }
    }
}

/// From the number that says it best to the word that a result without any has: `security-severity` of the result, then
/// of its rule; `level` of the result, then of its rule; `warning`, as the format has it.
pub(super) fn of(run: &Run, result: &FoundResult) -> Severity {
    let rule = run.rule_of(result);
    let properties = [Some(&result.properties), rule.map(|rule| &rule.properties)];
    let score = properties.into_iter().flatten().find_map(|properties| number(properties.get("security-severity")?));
    if let Some(score) = score {
        return Severity::of_score(score);
    }
    let level = result.level.as_deref().or_else(|| rule?.default_configuration.level.as_deref());
    Severity::of_level(level.unwrap_or("warning"))
}

/// Tools write the number as a text, too.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|score| score.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::REQUIRED;

    #[test]
    fn the_words_are_those_of_the_contract() {
        let metric = REQUIRED.iter().find(|metric| metric.name == "moko_security_findings_total").unwrap();
        assert_eq!(metric.labels[0].values, Severity::ALL.map(Severity::as_str));
    }

    #[test]
    fn the_bands_are_those_of_cvss() {
        let words = [0.0, 3.9, 4.0, 6.9, 7.0, 8.9, 9.0, 10.0].map(|score| Severity::of_score(score).as_str());
        assert_eq!(words, ["low", "low", "medium", "medium", "high", "high", "critical", "critical"]);
    }
}
