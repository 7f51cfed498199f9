//! The eleven alerts that can be simulated.

use crate::config::{did_you_mean, list, quote};
use crate::error::{Code, Error, Result};

/// An alert of `assets/alerts-config.yml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each has its page in docs/runbooks")]
pub enum Alert {
    HighScriptFailureRate,
    CriticalScriptFailureRate,
    SlowScriptExecution,
    HighAPIRateLimitUsage,
    CriticalAPIRateLimitUsage,
    APIRateLimitResetSoon,
    CircuitBreakerOpen,
    CircuitBreakerStuckOpen,
    SecurityFindingsDetected,
    HighSeveritySecurityFinding,
    NoScriptExecutions,
}

impl Alert {
    /// All of them, in the order of the file.
    pub const ALL: [Self; 11] = [
        Self::HighScriptFailureRate,
        Self::CriticalScriptFailureRate,
        Self::SlowScriptExecution,
        Self::HighAPIRateLimitUsage,
        Self::CriticalAPIRateLimitUsage,
        Self::APIRateLimitResetSoon,
        Self::CircuitBreakerOpen,
        Self::CircuitBreakerStuckOpen,
        Self::SecurityFindingsDetected,
        Self::HighSeveritySecurityFinding,
        Self::NoScriptExecutions,
    ];

    /// The name in the rule file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HighScriptFailureRate => "HighScriptFailureRate",
            Self::CriticalScriptFailureRate => "CriticalScriptFailureRate",
            Self::SlowScriptExecution => "SlowScriptExecution",
            Self::HighAPIRateLimitUsage => "HighAPIRateLimitUsage",
            Self::CriticalAPIRateLimitUsage => "CriticalAPIRateLimitUsage",
            Self::APIRateLimitResetSoon => "APIRateLimitResetSoon",
            Self::CircuitBreakerOpen => "CircuitBreakerOpen",
            Self::CircuitBreakerStuckOpen => "CircuitBreakerStuckOpen",
            Self::SecurityFindingsDetected => "SecurityFindingsDetected",
            Self::HighSeveritySecurityFinding => "HighSeveritySecurityFinding",
            Self::NoScriptExecutions => "NoScriptExecutions",
        }
    }

    /// The alert of that name, or what was probably meant.
    pub fn from_name(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|alert| alert.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name);
            let stack = crate::assets::STACK_ALERTS.lines().any(|line| line.trim() == format!("- alert: {name}"));
            let message = if stack {
                format!("`{name}` is an alert about the stack itself, which no pushed series can raise")
            } else {
                format!("there is no alert {}{}", quote(name), did_you_mean(name, names))
            };
            Error::new(Code::Usage, message).hint(format!("these can be simulated: {}", list(names)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alerts_are_those_of_the_file() {
        let names = crate::assets::ALERTS_CONFIG.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
        let (mut file, mut ours): (Vec<&str>, Vec<&str>) = (names.collect(), Alert::ALL.map(Alert::name).to_vec());
        file.sort_unstable();
        ours.sort_unstable();
        assert_eq!(ours, file);
    }

    #[test]
    fn a_wrong_name_is_told_with_what_may_have_been_meant() {
        let error = Alert::from_name("HighScriptFailurRate").unwrap_err();
        assert_eq!(error.code, Code::Usage);
        assert_eq!(error.message, "there is no alert `HighScriptFailurRate` (did you mean `HighScriptFailureRate`?)");
        assert_eq!(
            error.hint.unwrap(),
            "these can be simulated: `HighScriptFailureRate`, `CriticalScriptFailureRate`, `SlowScriptExecution`, \
             `HighAPIRateLimitUsage`, `CriticalAPIRateLimitUsage`, `APIRateLimitResetSoon`, `CircuitBreakerOpen`, \
             `CircuitBreakerStuckOpen`, `SecurityFindingsDetected`, `HighSeveritySecurityFinding` or `NoScriptExecutions`"
        );
        let stack = Alert::from_name("TargetDown").unwrap_err();
        assert_eq!(stack.message, "`TargetDown` is an alert about the stack itself, which no pushed series can raise");
    }
}
