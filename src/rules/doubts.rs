//! What Prometheus takes in the user's rule files and we do not: alerts under names of ours, which are refused, and
//! metrics of ours that exist nowhere, which are warned of.

use std::collections::BTreeSet;

use super::file::{Rule, groups};
use crate::assets;
use crate::config::did_you_mean;
use crate::contract;
use crate::http::prometheus::RuleKind;
use crate::jobs::{self, metrics::METRICS};
use crate::promql::metrics;

/// A rule of the user under the name of one of ours.
#[derive(Debug, PartialEq, Eq)]
pub struct Clash {
    /// Which of the files, counted from 0.
    pub file: usize,
    /// Line and column of the name, from 1.
    pub at: (usize, usize),
    /// `alert` or `record`.
    pub kind: &'static str,
    /// The name.
    pub name: String,
}

/// Rules under names of ours; both would be evaluated, and nobody could tell them apart. A rule of ours that is disabled
/// may be replaced. `has_jobs`: the alerts of jobs are among ours.
#[must_use]
pub fn clashes(files: &[&[u8]], disabled: &BTreeSet<&str>, has_jobs: bool) -> Vec<Clash> {
    let ours = ours();
    let of_jobs =
        |rule: &Rule| has_jobs && rule.kind == RuleKind::Alerting && jobs::ALERTS.contains(&rule.name.as_str());
    let is_ours =
        |rule: &Rule| of_jobs(rule) || ours.iter().any(|our| (&our.name, our.kind) == (&rule.name, rule.kind));
    let files =
        files.iter().enumerate().flat_map(|(file, content)| rules(content).into_iter().map(move |of| (file, of)));
    files
        .filter(|(_, rule)| is_ours(rule) && !disabled.contains(rule.name.as_str()))
        .map(|(file, rule)| Clash { file, at: rule.name_at, kind: rule.kind.as_str(), name: rule.name })
        .collect()
}

/// One warning for each metric of ours that exists nowhere, with its place. `files` are the user's, each under the name
/// that he knows.
#[must_use]
pub fn doubts(files: &[(&str, &[u8])]) -> Vec<String> {
    let ours = ours();
    let theirs: Vec<(&str, &[u8], Vec<Rule>)> =
        files.iter().map(|(name, content)| (*name, *content, rules(content))).collect();
    let all = || ours.iter().chain(theirs.iter().flat_map(|(_, _, rules)| rules));
    let recorded = all().filter(|rule| rule.kind == RuleKind::Recording).map(|rule| rule.name.clone());
    let known: BTreeSet<String> = contract::REQUIRED
        .iter()
        .chain(&contract::EXTRAS)
        .chain(METRICS)
        .flat_map(contract::Metric::series)
        .chain(recorded)
        .collect();
    let mut warnings = Vec::new();
    for (file, content, rules) in &theirs {
        for rule in rules {
            let strangers = strangers(&rule.expression, &known).into_iter();
            let mut strangers: Vec<_> = strangers
                .map(|name| (place(content, rule.expression_at.0, name).unwrap_or(rule.expression_at), name))
                .collect();
            strangers.sort_unstable();
            for ((line, column), name) in strangers {
                let guess = did_you_mean(name, known.iter().map(String::as_str));
                warnings.push(format!(
                    "{file}:{line}:{column}: expr: `{name}` is neither a series of the metric contract nor recorded by \
                     a rule{guess}"
                ));
            }
        }
    }
    warnings
}

fn ours() -> Vec<Rule> {
    [assets::ALERTS_CONFIG, assets::STACK_ALERTS, assets::CANARY, assets::WATCHDOG]
        .map(|text| rules(text.as_bytes()))
        .concat()
}

fn rules(content: &[u8]) -> Vec<Rule> {
    groups(content).into_iter().flat_map(|group| group.rules).collect()
}

/// The names in an expression that only we give out and that nothing has, each once.
fn strangers<'a>(expression: &'a str, known: &BTreeSet<String>) -> BTreeSet<&'a str> {
    let ours = |name: &&str| name.starts_with("moko_") || name.contains(":moko_");
    metrics(expression).into_iter().filter(ours).filter(|name| !known.contains(*name)).collect()
}

/// Line and column of a whole name, from a line on; both count from 1.
fn place(content: &[u8], from: usize, name: &str) -> Option<(usize, usize)> {
    let text = std::str::from_utf8(content).ok()?;
    let of_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let mut lines = text.lines().enumerate().skip(from.saturating_sub(1));
    lines.find_map(|(index, line)| {
        let whole = |at: &usize| !line[..*at].ends_with(of_name) && !line[at + name.len()..].starts_with(of_name);
        let at = line.match_indices(name).map(|(at, _)| at).find(whole)?;
        Some((index + 1, line[..at].chars().count() + 1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings(text: &str) -> Vec<String> {
        doubts(&[("mine.yml", text.as_bytes())])
    }

    fn expression(expression: &str) -> Vec<String> {
        warnings(&format!("groups:\n- name: g\n  rules:\n  - alert: Mine\n    expr: |-\n      {expression}\n"))
    }

    #[test]
    fn a_metric_that_exists_nowhere_is_told_with_its_place_and_the_nearest() {
        assert_eq!(
            expression("sum(rate(moko_script_executions_total[1h]))\n      / moko_script_duration_seconds_counts > 5"),
            [
                "mine.yml:7:9: expr: `moko_script_duration_seconds_counts` is neither a series of the metric contract nor \
              recorded by a rule (did you mean `moko_script_duration_seconds_count`?)"
            ]
        );
        let two = expression("moko_b_b_b > 0\n      and moko_a_a_a");
        assert!(two[0].starts_with("mine.yml:6:7: ") && two[1].starts_with("mine.yml:7:11: "), "{two:?}");
        // A histogram has no series of its plain name.
        assert_eq!(
            expression("'é' == moko_script_duration_seconds"),
            ["mine.yml:6:14: expr: `moko_script_duration_seconds` is neither a series of the metric contract nor \
              recorded by a rule (did you mean `moko_script_duration_seconds_sum`?)"]
        );
        assert_eq!(
            expression(r#"{__name__="moko_nothing_like_it"} or moko_nothing_like_it"#),
            [
                "mine.yml:6:18: expr: `moko_nothing_like_it` is neither a series of the metric contract nor recorded by a \
              rule"
            ]
        );
        assert_eq!(expression("script_name:moko_script_duration_seconds:p96").len(), 1);
    }

    #[test]
    fn what_is_in_the_contract_or_recorded_or_no_metric_is_fine() {
        let bucket = "histogram_quantile(0.9, sum by (moko_le) (rate(moko_script_duration_seconds_bucket[1h])))";
        for good in [
            bucket,
            "script_name:moko_script_duration_seconds:p95 > 1",
            r#"up{job="moko_x", moko_y!="moko_z"} # moko_comment"#,
            r#"{__name__=~"moko_.+"}"#,
        ] {
            assert_eq!(expression(good), [""; 0], "{good}");
        }
        let recorded =
            "groups:\n- name: g\n  rules:\n  - {record: moko_mine, expr: up}\n  - {alert: A, expr: moko_mine == 0}\n";
        assert_eq!(warnings(recorded), [""; 0]);
        let other = "groups:\n- name: g\n  rules:\n  - {alert: A, expr: moko_mine == 0}\n";
        let both = [("a.yml", other.as_bytes()), ("b.yml", recorded.as_bytes())];
        assert_eq!(doubts(&both), [""; 0]);
        assert_eq!(doubts(&both[..1]).len(), 1);
    }

    #[test]
    fn a_name_of_ours_is_a_clash_unless_ours_is_disabled() {
        let text = "groups:\n- name: g\n  rules:\n  - alert: TargetDown\n    expr: up == 0\n";
        let files = [b"groups: []\n".as_slice(), text.as_bytes()];
        assert_eq!(clashes(&files, &BTreeSet::from(["TargetDown"]), true), []);
        let clash = Clash { file: 1, at: (4, 12), kind: "alert", name: "TargetDown".to_owned() };
        assert_eq!(clashes(&files, &BTreeSet::new(), false), [clash]);
        // A recorded series of that name is another thing.
        let record = text.replace("alert:", "record:");
        assert_eq!(clashes(&[record.as_bytes()], &BTreeSet::new(), true), []);
    }

    #[test]
    fn the_alerts_of_jobs_are_ours_where_there_are_jobs() {
        for alert in jobs::ALERTS {
            let text = format!("groups:\n- name: g\n  rules:\n  - alert: {alert}\n    expr: up == 0\n");
            let found = |disabled: &[&str], has_jobs| {
                clashes(&[text.as_bytes()], &disabled.iter().copied().collect(), has_jobs).len()
            };
            assert_eq!((found(&[], true), found(&[], false), found(&[alert], true)), (1, 0, 0), "{alert}");
        }
    }

    #[test]
    fn our_own_files_raise_no_doubt() {
        for text in [assets::ALERTS_CONFIG, assets::STACK_ALERTS, assets::CANARY] {
            assert_eq!(warnings(text), [""; 0]);
        }
    }
}
