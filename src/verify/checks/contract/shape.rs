//! Types, labels and values.

use std::collections::{BTreeMap, BTreeSet};

use super::{few, listed, main_series, present};
use crate::contract::REQUIRED;
use crate::verify::Finding;
use crate::verify::facts::Published;

const HINT: &str = "correct the script that publishes it; a pushed group keeps its old series until it is deleted";

pub(super) fn judge_types(published: &Published) -> Finding {
    let (mut wrong, mut untold, mut right) = (Vec::new(), Vec::new(), 0);
    for metric in REQUIRED.iter().filter(|metric| present(published, metric)) {
        let wanted = metric.kind.as_str();
        let Some(types) = published.types.get(metric.name) else { continue };
        for found in types {
            match found.as_str() {
                found if found == wanted => right += 1,
                "unknown" | "untyped" => {
                    untold.push(format!("`{}` is pushed without a type; it is a {wanted}", metric.name));
                }
                found => wrong.push(format!("`{}` is published as a {found}; it is a {wanted}", metric.name)),
            }
        }
    }
    let hint =
        "give each metric its `# TYPE` line; what differs between publishers breaks pushes to the Pushgateway, too";
    if !wrong.is_empty() {
        wrong.extend(untold);
        return Finding::fail_if_any(few(wrong), hint, "");
    }
    Finding::warn_if_any(few(untold), hint, format!("{right} metrics have the type of the contract"))
}

pub(super) fn judge_labels(published: &Published) -> Finding {
    let mut facts = Vec::new();
    for metric in &REQUIRED {
        let name = main_series(metric);
        for label in metric.labels {
            let lacking =
                published.of(&name).filter(|sample| sample.labels.get(label.name).is_none_or(String::is_empty));
            let lacking: Vec<_> = lacking.collect();
            let Some(first) = lacking.first() else { continue };
            let known = |own: &str| own == "__name__" || metric.labels.iter().any(|label| label.name == own);
            let others: Vec<&str> = first.labels.keys().map(String::as_str).filter(|own| !known(own)).collect();
            let instead =
                if others.is_empty() { String::new() } else { format!("; such a series has {}", listed(&others)) };
            facts.push(format!("{} series of `{name}` lack the label `{}`{instead}", lacking.len(), label.name));
        }
    }
    Finding::fail_if_any(few(facts), HINT, "every series has the labels of the contract")
}

pub(super) fn judge_vocabulary(published: &Published) -> Finding {
    let mut facts = Vec::new();
    for metric in &REQUIRED {
        for label in metric.labels.iter().filter(|label| !label.values.is_empty()) {
            let mut strange: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
            for sample in published.of(&main_series(metric)) {
                let value = sample.labels.get(label.name).map(String::as_str).unwrap_or_default();
                if !value.is_empty() && !label.values.contains(&value) {
                    let whose = ["script_name", "job"].iter().find_map(|name| sample.labels.get(*name));
                    strange.entry(value).or_default().extend(whose.map(String::as_str));
                }
            }
            for (value, whose) in strange {
                let whose: Vec<&str> = whose.into_iter().collect();
                let whose = if whose.is_empty() { String::new() } else { format!(" (from {})", listed(&whose)) };
                facts.push(format!(
                    "`{}` has `{}` = `{value}`{whose}, which no rule counts; it may be {}",
                    metric.name,
                    label.name,
                    label.values.join(", ")
                ));
            }
        }
    }
    let states = published.of("moko_circuit_breaker_state").filter(|sample| ![0.0, 1.0, 2.0].contains(&sample.value));
    facts.extend(states.map(|sample| {
        let service = sample.labels.get("service").map(String::as_str).unwrap_or_default();
        format!("`moko_circuit_breaker_state` of service `{service}` is {}; it may be 0, 1 or 2", sample.value)
    }));
    Finding::fail_if_any(few(facts), HINT, "every label and state has a value of the contract")
}

#[cfg(test)]
mod tests {
    use super::super::tests::published;
    use super::*;
    use crate::verify::Outcome;

    #[test]
    fn a_counter_that_is_a_gauge_fails_and_an_untold_type_warns() {
        let with = |kind| {
            judge_types(&published(&["moko_script_executions_total"], &[("moko_script_executions_total", kind)]))
        };
        assert_eq!(with("counter"), Finding::pass("1 metrics have the type of the contract"));
        let finding = with("gauge");
        assert_eq!(
            (finding.outcome, finding.evidence),
            (Outcome::Fail, vec!["`moko_script_executions_total` is published as a gauge; it is a counter".to_owned()])
        );
        assert!(finding.hint.unwrap().contains("# TYPE"));
        let finding = with("unknown");
        assert_eq!(
            (finding.outcome, finding.evidence),
            (
                Outcome::Warn,
                vec!["`moko_script_executions_total` is pushed without a type; it is a counter".to_owned()]
            )
        );
    }

    #[test]
    fn a_missing_label_is_named_with_what_is_there_instead() {
        let finding = judge_labels(&published(&["moko_script_executions_total script=a status=success"], &[]));
        assert_eq!(finding.outcome, Outcome::Fail);
        assert_eq!(
            finding.evidence,
            ["1 series of `moko_script_executions_total` lack the label `script_name`; such a series has `script`"]
        );
        let fine = judge_labels(&published(&["moko_script_executions_total script_name=a status=success"], &[]));
        assert_eq!(fine.outcome, Outcome::Pass);
    }

    #[test]
    fn words_and_states_outside_the_vocabulary_fail() {
        let finding = judge_vocabulary(&published(
            &[
                "moko_script_executions_total script_name=a status=failed",
                "moko_circuit_breaker_state service=x value=3",
            ],
            &[],
        ));
        assert_eq!(finding.outcome, Outcome::Fail);
        assert_eq!(
            finding.evidence,
            [
                "`moko_script_executions_total` has `status` = `failed` (from `a`), which no rule counts; it may be success, failure",
                "`moko_circuit_breaker_state` of service `x` is 3; it may be 0, 1 or 2"
            ]
        );
    }
}
