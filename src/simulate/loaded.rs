//! The rules as the running Prometheus has loaded them: the numbers that count are those in their expressions.

use std::time::Duration;

use super::Alert;
use crate::config::PromDuration;
use crate::error::{Code, Error, Result};
use crate::http::prometheus::{Rule, RuleGroup, RuleKind};

/// An alert's rule with its surroundings.
#[derive(Debug, Clone, Copy)]
pub struct Loaded<'a> {
    groups: &'a [RuleGroup],
    group: &'a RuleGroup,
    /// The rule.
    pub rule: &'a Rule,
}

impl<'a> Loaded<'a> {
    /// The rule of an alert, if it is switched on.
    #[must_use]
    pub fn find(groups: &'a [RuleGroup], alert: Alert) -> Option<Self> {
        let is_it = |rule: &&Rule| rule.kind == RuleKind::Alerting && rule.name == alert.name();
        groups.iter().find_map(|group| Some(Self { groups, group, rule: group.rules.iter().find(is_it)? }))
    }

    /// The rule of another alert of the same file.
    pub(super) fn other(&self, alert: Alert) -> Option<Self> {
        Self::find(self.groups, alert)
    }

    /// The time between two evaluations.
    #[must_use]
    pub fn interval(&self) -> Duration {
        seconds(self.group.interval)
    }

    /// How long the expression has to hold.
    #[must_use]
    pub fn for_duration(&self) -> Duration {
        seconds(self.rule.duration)
    }

    /// How long the alert goes on after the expression.
    #[must_use]
    pub fn keep_firing_for(&self) -> Duration {
        seconds(self.rule.keep_firing_for)
    }

    /// The first range that the expression looks back over, or else that of the series which it reads and another rule
    /// records, which may read a recorded one in turn.
    pub fn window(&self) -> Result<PromDuration> {
        let recorded = || self.groups.iter().flat_map(|group| &group.rules).filter(|of| of.kind == RuleKind::Recording);
        let mut query = &self.rule.query;
        // No chain is longer than there are rules; one that goes in a circle ends here.
        for _ in 0..=recorded().count() {
            if let Some(range) = range(query) {
                return Ok(range);
            }
            let Some(read) = recorded().find(|rule| query.contains(&rule.name)) else { break };
            query = &read.query;
        }
        Err(self.unknown("a range such as `[1h]`"))
    }

    /// The number behind the last place where the expression compares with this operator.
    pub(super) fn limit(&self, operator: &str) -> Result<f64> {
        let found = self.rule.query.rmatch_indices(&format!("{operator} ")).find_map(|(at, mark)| {
            let number: String = self.rule.query[at + mark.len()..]
                .chars()
                .take_while(|c| c.is_ascii_digit() || ".e+-".contains(*c))
                .collect();
            // `>= 10` is not behind a `>`.
            let whole = !self.rule.query[..at].ends_with(['<', '>', '=', '!']);
            number.parse().ok().filter(|_| whole)
        });
        found.ok_or_else(|| self.unknown(&format!("a number behind `{operator}`")))
    }

    fn unknown(&self, wanted: &str) -> Error {
        Error::new(
            Code::NotFired,
            format!("the loaded rule `{}` is not the one that moko-mon delivers", self.rule.name),
        )
        .cause(format!("its expression does not have {wanted}: {}", self.rule.query))
        .hint("bring ours back with `moko-mon up`; a rule file of your own may have taken its name")
    }
}

/// Seconds as Prometheus tells them; what is no duration counts as none.
fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

/// The first `[…]` of a query.
fn range(query: &str) -> Option<PromDuration> {
    let (_, rest) = query.split_once('[')?;
    rest.split([']', ':']).next()?.parse().ok()
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use super::*;
    use crate::yaml;

    /// Our rule file as Prometheus would tell it, with texts replaced as changed thresholds would.
    pub(in crate::simulate) fn groups(changes: &[(&str, &str)]) -> Vec<RuleGroup> {
        let text = changes.iter().fold(crate::assets::ALERTS_CONFIG.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        });
        let file: Value = yaml::from_str(&text).unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let length = |value: &Value| {
            value.as_str().map_or(0.0, |text| text.parse::<PromDuration>().unwrap().as_duration().as_secs_f64())
        };
        let rule = |rule: &Value| Rule {
            name: text(if rule["alert"].is_string() { &rule["alert"] } else { &rule["record"] }),
            kind: if rule["alert"].is_string() { RuleKind::Alerting } else { RuleKind::Recording },
            query: text(&rule["expr"]).split_whitespace().collect::<Vec<_>>().join(" "),
            duration: length(&rule["for"]),
            keep_firing_for: length(&rule["keep_firing_for"]),
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            health: "ok".to_owned(),
            last_error: String::new(),
            state: "inactive".to_owned(),
            alerts: Vec::new(),
        };
        let group = |group: &Value| RuleGroup {
            name: text(&group["name"]),
            file: String::new(),
            interval: if group["interval"].is_string() { length(&group["interval"]) } else { 15.0 },
            evaluation_time: 0.0,
            last_evaluation: String::new(),
            rules: group["rules"].as_array().unwrap().iter().map(rule).collect(),
        };
        file["groups"].as_array().unwrap().iter().map(group).collect()
    }

    #[test]
    fn numbers_are_read_from_the_expressions() {
        let groups = groups(&[]);
        let of = |alert| Loaded::find(&groups, alert).unwrap();
        let rate = of(Alert::HighScriptFailureRate);
        assert_eq!(rate.window().unwrap().as_str(), "1h");
        assert_eq!((rate.limit(">").unwrap(), rate.limit(">=").unwrap()), (0.05, 10.0));
        assert_eq!((rate.for_duration().as_secs(), rate.keep_firing_for().as_secs()), (300, 600));
        let slow = of(Alert::SlowScriptExecution);
        assert_eq!((slow.window().unwrap().as_str(), slow.limit(">").unwrap()), ("1h", 300.0));
        assert_eq!(slow.interval().as_secs(), 60);
        let reset = of(Alert::APIRateLimitResetSoon);
        assert_eq!((reset.limit("<=").unwrap(), reset.limit("<").unwrap()), (300.0, 0.1));
        assert_eq!(of(Alert::NoScriptExecutions).window().unwrap().as_str(), "15m");
        assert!((of(Alert::CriticalAPIRateLimitUsage).limit(">").unwrap() - 0.95).abs() < 1e-9);
    }

    #[test]
    fn a_rule_of_that_name_that_is_not_ours_is_told_with_its_expression() {
        let mut groups = groups(&[]);
        groups[0].rules[0].query = "vector(1)".to_owned();
        let error = Loaded::find(&groups, Alert::HighScriptFailureRate).unwrap().limit(">").unwrap_err();
        assert_eq!(
            error.to_string(),
            "error: the loaded rule `HighScriptFailureRate` is not the one that moko-mon delivers\n  \
             caused by: its expression does not have a number behind `>`: vector(1)\n\
             hint: bring ours back with `moko-mon up`; a rule file of your own may have taken its name"
        );
    }
}
