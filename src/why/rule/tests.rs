use serde_json::{Value, json};

use super::super::instance::{instances, tests::*};
use super::*;
use crate::promql::conditions;

fn sample(script: &str, value: f64) -> Sample {
    let labels =
        if script.is_empty() { BTreeMap::new() } else { [("script_name".to_owned(), script.to_owned())].into() };
    Sample { labels, value }
}

fn values(expression: &str, samples: &[Sample]) -> Vec<Measured> {
    let measured = |condition: Condition| Measured {
        limit: condition.limit.as_ref().and_then(|(_, right)| right.parse().ok()),
        condition,
        values: Ok(samples.to_vec()),
        holding: 0,
        inner: Vec::new(),
    };
    conditions(expression).into_iter().map(measured).collect()
}

fn group() -> RuleGroup {
    serde_json::from_value(json!({
        "name": "g", "file": "rules/mine.yml", "interval": 15, "lastEvaluation": "2026-01-02T11:59:56Z", "rules": [],
    }))
    .unwrap()
}

fn judged(alerts: &Value, values: &[Measured]) -> Link {
    let rule = rule(alerts);
    judge(&group(), &rule, &instances(&rule, &[], NOW), values, NOW)
}

fn because(expression: &str, samples: &[Sample]) -> String {
    let link = judged(&json!([]), &values(expression, samples));
    assert_eq!(link.state, State::Quiet);
    link.because
}

#[test]
fn a_quiet_rule_tells_how_far_its_value_is_from_the_limit() {
    let link = judged(&json!([]), &values("a > 300", &[sample("sync.sh", 7.0), sample("backup.sh", 41.2)]));
    insta::assert_snapshot!(link.evidence.join("\n"), @r"
    no value is above 300 (highest: backup.sh 41.2)
    `a`: 2 values, highest: backup.sh 41.2; has to be above 300
    evaluated 4 s ago, every 15 s, from rules/mine.yml
    ");
    assert_eq!(because("a < 5", &[sample("x", 7.0), sample("y", 6.0)]), "no value is below 5 (lowest: y 6)");
    assert_eq!(because("a == 1", &[sample("x", 2.0)]), "no value is equal to 1 (seen: x 2)");
    assert_eq!(because("a > 0.05", &[sample("", 0.02)]), "its value is 0.02, not above 0.05");
    assert_eq!(because("a > 0.05", &[sample("", f64::NAN)]), "its value is NaN, not above 0.05");
    assert_eq!(
        because("a > 1", &[sample("x", f64::NAN), sample("y", f64::NAN)]),
        "no value is above 1 (each is no number)"
    );
    assert_eq!(because("a > 5", &[]), "there is no value to compare with 5: `a` has no result");
    assert_eq!(because("absent(a)", &[]), "`absent(a)` has no result");
    assert_eq!(because("a > b", &[sample("x", 1.0)]), "no value is above `b`");
    assert_eq!(because("a > 0", &[sample("", 1.0)]), "its condition holds only now; the rule is evaluated every 15 s");
    assert_eq!(
        because("a > 0 and b > 0", &[sample("", 1.0)]),
        "each of its conditions holds, but not for the same series"
    );
    assert_eq!(because("a > 0 unless b", &[sample("", 1.0)]), "what it makes an exception of is there: `b`");
}

#[test]
fn a_value_that_is_missing_is_explained_by_the_condition_inside() {
    let mut values = values("a / (b >= 10) > 0.05", &[]);
    values[0].inner = self::values("b >= 10", &[sample("", 4.0)]);
    assert_eq!(
        judged(&json!([]), &values).because,
        "there is no value to compare with 0.05: `b` is 4, not at least 10"
    );
    values[0].values = Err("many-to-many matching".to_owned());
    assert_eq!(judged(&json!([]), &values).because, "`a / (b >= 10)` cannot be evaluated: many-to-many matching");
}

#[test]
fn a_pending_alert_tells_when_it_fires() {
    let mut alert = active("pending");
    alert["activeAt"] = json!("2026-01-02T11:58:00Z");
    let link = judged(&json!([alert]), &values("a > 300", &[sample("backup.sh", 400.0)]));
    assert_eq!(link.state, State::Quiet);
    assert_eq!(link.because, "it is pending for backup.sh since 2 min, and fires in 3 min if that goes on");
    let late = judged(&json!([active("pending")]), &[]);
    assert_eq!(
        late.because,
        "it is pending for backup.sh since 17 min, and fires with the next evaluation if that goes on"
    );
}

#[test]
fn a_firing_alert_tells_since_when_and_when_it_goes_on_without_cause() {
    let mut rule = rule(&json!([active("firing")]));
    rule.keep_firing_for = 600.0;
    let instances = instances(&rule, &[], NOW);
    assert_eq!(firing(&instances).unwrap(), "fires for backup.sh since 12 min");
    let link = judge(&group(), &rule, &instances, &values("a > 300", &[sample("backup.sh", 7.0)]), NOW);
    assert_eq!(link.state, State::Ok);
    insta::assert_snapshot!(link.evidence.join("\n"), @r"
    fires for backup.sh since 12 min, value 400
    its condition does not hold now: no value is above 300 (highest: backup.sh 7); it goes on for at most 10 min (`keep_firing_for`)
    `a`: backup.sh 7; has to be above 300
    evaluated 4 s ago, every 15 s, from rules/mine.yml
    ");
    assert_eq!(firing(&[]), None);
}

#[test]
fn a_rule_that_is_not_evaluated_is_told_with_the_reason() {
    let mut rule = rule(&json!([]));
    let mut group = group();
    group.last_evaluation = "2026-01-02T11:50:00Z".to_owned();
    let link = judge(&group, &rule, &[], &[], NOW);
    assert_eq!(
        (link.state, link.because.as_str()),
        (State::Broken, "it was last evaluated 10 min ago, though it should be every 15 s")
    );
    rule.health = "unknown".to_owned();
    let link = judge(&group, &rule, &[], &[], NOW);
    assert_eq!((link.state, link.because.as_str()), (State::Quiet, "it has not been evaluated yet; it is every 15 s"));
    (rule.health, rule.last_error) = ("err".to_owned(), "found duplicate series".to_owned());
    let link = judge(&group, &rule, &[], &[], NOW);
    assert_eq!((link.state, link.because.as_str()), (State::Broken, "it cannot be evaluated: found duplicate series"));
    assert_eq!(link.hint.unwrap(), "`moko-mon rules show X` shows the expression");
}
