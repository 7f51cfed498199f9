use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::{expected, expressions, loaded, metrics, state};
use crate::component::Component;
use crate::config::{Config, UserFile, defaults};
use crate::http::prometheus::{RuleGroup, Runtime};
use crate::stack::Stack;
use crate::verify::Outcome;

const USERS: &str = "groups:
  - name: mine
    interval: 1m
    labels: {team: platform, severity: info}
    rules:
      - alert: TooMany
        expr: |
          sum by (job) (jobs_total)
            > 5
        for: 2m
        labels: {severity: warning}
        annotations:
          summary: >-
            Too many
            jobs.
      - record: job:jobs
        expr: jobs_total
      - record: job:jobs
        expr: jobz_total or up
";

fn groups(change: impl FnOnce(&mut Config)) -> Vec<expected::Group> {
    let mut config = defaults().unwrap();
    change(&mut config);
    let stack = Stack::desired(&config).unwrap();
    expected::groups(stack.get(Component::Prometheus).unwrap(), Duration::from_secs(15)).unwrap()
}

fn with_users() -> Vec<expected::Group> {
    groups(|config| {
        let content = USERS.as_bytes().to_vec();
        config.extra_rules.push(UserFile { path: "rules/mine.yml".into(), name: "mine.yml".to_owned(), content });
    })
}

/// The groups as a server that has read them tells them, each changed by `change`.
fn server(wanted: &[expected::Group], change: impl Fn(&mut Value)) -> Vec<RuleGroup> {
    let group = |group: &expected::Group| {
        let rule = |rule: &expected::Rule| {
            json!({
                "name": rule.name, "type": super::word(rule.kind).split(' ').next().map(|word| match word {
                    "alert" => "alerting",
                    _ => "recording",
                }),
                "query": rule.expr, "duration": rule.wait, "keepFiringFor": rule.keep, "labels": rule.labels,
                "annotations": rule.annotations, "health": "ok",
            })
        };
        let mut value = json!({
            "name": group.name, "file": group.file, "interval": group.interval, "evaluationTime": 0.002,
            "lastEvaluation": "2026-11-23T11:59:50Z", "rules": group.rules.iter().map(rule).collect::<Vec<_>>(),
        });
        change(&mut value);
        serde_json::from_value(value).unwrap()
    };
    wanted.iter().map(group).collect()
}

fn mine(change: impl Fn(&mut Value)) -> Vec<RuleGroup> {
    server(&with_users(), |group| {
        if group["name"] == "mine" {
            change(group);
        }
    })
}

#[test]
fn rules_are_read_as_prometheus_reads_them() {
    let all = with_users();
    let group = all.last().unwrap();
    assert_eq!((group.name.as_str(), group.file.as_str()), ("mine", "/etc/prometheus/rules/extra/mine.yml"));
    let alert = &group.rules[0];
    assert_eq!((alert.name.as_str(), alert.wait), ("TooMany", 120.0));
    assert_eq!(alert.labels["severity"], "warning", "the rule's own label wins");
    assert_eq!(alert.labels["team"], "platform");
    assert_eq!(alert.annotations["summary"], "Too many jobs.");
    assert!((group.interval - 60.0).abs() < f64::EPSILON);
}

#[test]
fn exactly_the_rules_of_the_settings_are_to_be_loaded() {
    let wanted = with_users();
    let finding = loaded::judge(&wanted, &mine(|_| {}));
    assert_eq!(finding.outcome, Outcome::Pass);
    assert!(finding.evidence[0].ends_with(" recording rules are loaded, and no others"), "{:?}", finding.evidence);
    let finding = loaded::judge(
        &wanted,
        &mine(|group| {
            group["rules"].as_array_mut().unwrap().remove(0);
        }),
    );
    assert_eq!(finding.evidence, ["alert `TooMany` of group `mine` (mine.yml) is not loaded"]);
    let finding = loaded::judge(&groups(|_| {}), &mine(|_| {}));
    assert_eq!(finding.outcome, Outcome::Fail);
    assert_eq!(
        finding.evidence,
        [
            "alert `TooMany` of group `mine` (mine.yml) is loaded, and nothing in the settings asks for it",
            "recording rule `job:jobs` of group `mine` (mine.yml) is loaded, and nothing in the settings asks for it"
        ]
    );
    assert_eq!(finding.hint.unwrap(), "load the rules of the settings with `moko-mon up`");
    let finding = loaded::judge(
        &wanted,
        &mine(|group| {
            group["rules"].as_array_mut().unwrap().pop();
        }),
    );
    assert_eq!(
        finding.evidence,
        ["recording rule `job:jobs` of group `mine` (mine.yml) is loaded 1 times, and should be 2 times"]
    );
}

#[test]
fn a_rule_says_what_its_file_says_whatever_the_blanks() {
    let wanted = with_users();
    let differences = |change: &dyn Fn(&mut Value)| -> Vec<String> {
        let loaded = mine(change);
        let pairs = expressions::pairs(&wanted, &loaded);
        let rules = pairs.iter().filter_map(expressions::Pair::difference);
        rules.chain(wanted.iter().filter_map(|group| expressions::interval(group, &loaded))).collect()
    };
    assert_eq!(differences(&|_| {}), Vec::<String>::new());
    let place = "alert `TooMany` of group `mine` (mine.yml)";
    for (pointer, value, said) in [
        ("/rules/0/duration", json!(60), format!("{place}: `for` is 60 s, wanted is 120 s")),
        (
            "/rules/0/labels/severity",
            json!("info"),
            format!("{place}: label `severity` is `info`, wanted is `warning`"),
        ),
        (
            "/rules/0/annotations/summary",
            json!("Too few jobs."),
            format!("{place}: annotation `summary` is `Too few jobs.`, wanted is `Too many jobs.`"),
        ),
        ("/interval", json!(30.0), "group `mine` (mine.yml) is evaluated every 30 s, wanted is 60 s".to_owned()),
    ] {
        let found = differences(&|group: &mut Value| *group.pointer_mut(pointer).unwrap() = value.clone());
        assert_eq!(found, [said]);
    }
    let folded =
        differences(&|group: &mut Value| group["rules"][0]["annotations"]["summary"] = json!("Too many\njobs.\n"));
    assert_eq!(folded, Vec::<String>::new());
}

#[test]
fn errors_of_rules_are_told_in_prometheus_words_and_the_first_evaluation_is_waited_for() {
    let finding = state::judge_health(&mine(|group| {
        group["rules"][1]["health"] = json!("err");
        group["rules"][1]["lastError"] = json!("found duplicate series for the match group");
    }));
    assert_eq!(finding.outcome, Outcome::Fail);
    assert_eq!(
        finding.evidence,
        ["recording rule `job:jobs` of group `mine` (mine.yml): found duplicate series for the match group"]
    );
    let finding = state::judge_health(&mine(|group| group["rules"][1]["health"] = json!("unknown")));
    assert_eq!(finding.outcome, Outcome::Skip);
    assert_eq!(state::judge_health(&mine(|_| {})).outcome, Outcome::Pass);
}

#[test]
fn evaluations_that_stopped_or_take_too_long_are_told() {
    let runtime = |begun: &str| Runtime {
        start_time: begun.to_owned(),
        last_config_time: begun.to_owned(),
        server_time: "2026-11-23T12:00:00Z".to_owned(),
        ..Runtime::default()
    };
    let long_ago = runtime("2026-11-23T10:00:00Z");
    assert_eq!(state::judge_fresh(&mine(|_| {}), &long_ago).outcome, Outcome::Pass);
    let stuck = mine(|group| group["lastEvaluation"] = json!("2026-11-23T11:57:00Z"));
    let finding = state::judge_fresh(&stuck, &long_ago);
    assert_eq!(finding.outcome, Outcome::Fail);
    assert_eq!(
        finding.evidence,
        ["group `mine` (mine.yml) was last evaluated 3 min 0 s ago, and should be every 60 s"]
    );
    let never = mine(|group| group["lastEvaluation"] = json!("0001-01-01T00:00:00Z"));
    assert_eq!(state::judge_fresh(&never, &long_ago).evidence, ["group `mine` (mine.yml) was never evaluated"]);
    let finding = state::judge_fresh(&never, &runtime("2026-11-23T11:59:50Z"));
    assert_eq!(
        (finding.outcome, finding.evidence),
        (
            Outcome::Skip,
            vec!["not yet: group `mine` (mine.yml) is evaluated for the first time within 60 s".to_owned()]
        )
    );
    let took = |seconds: f64| state::judge_duration(&mine(|group| group["evaluationTime"] = json!(seconds)));
    assert_eq!(took(0.5).outcome, Outcome::Pass);
    assert_eq!(
        (took(50.0).outcome, took(50.0).evidence),
        (Outcome::Warn, vec!["group `mine` (mine.yml) took 50 s of its 60 s".to_owned()])
    );
    assert_eq!(took(70.0).outcome, Outcome::Fail);
}

#[test]
fn a_metric_that_nobody_has_is_a_warning_with_a_guess() {
    let names: BTreeSet<String> = ["jobs_total"].map(str::to_owned).into();
    let finding = metrics::judge(&with_users(), &names, &metrics::Labels::new());
    assert_eq!(finding.outcome, Outcome::Warn);
    assert_eq!(
        finding.evidence,
        ["recording rule `job:jobs` (mine.yml) asks for `jobz_total`, and no series has that name \
          (did you mean `jobs_total`?)"]
    );
    let names: BTreeSet<String> = ["jobs_total", "jobz_total"].map(str::to_owned).into();
    assert_eq!(
        metrics::judge(&with_users(), &names, &metrics::Labels::new()).evidence,
        ["all metrics of your 3 rules are known"]
    );
    assert_eq!(
        metrics::judge(&groups(|_| {}), &BTreeSet::new(), &metrics::Labels::new()).outcome,
        Outcome::Pass,
        "ours are tested"
    );
}

#[test]
fn labels_that_a_metric_of_the_contract_cannot_have_are_a_warning() {
    let judged = |expr: &str, labels: &metrics::Labels| {
        let wanted = groups(|config| {
            let content = format!("groups: [{{name: g, rules: [{{record: 'a:b', expr: '{expr}'}}]}}]").into_bytes();
            config.extra_rules.push(UserFile { path: "rules/mine.yml".into(), name: "mine.yml".to_owned(), content });
        });
        metrics::judge(&wanted, &BTreeSet::new(), labels).evidence
    };
    let none = metrics::Labels::new();
    assert_eq!(
        judged(r#"rate(moko_script_executions_total{script_nam="x"}[5m])"#, &none),
        ["recording rule `a:b` (mine.yml) asks for the label `script_nam` of `moko_script_executions_total`, and no \
          series of it has one (did you mean `script_name`?)"]
    );
    assert_eq!(
        judged(r#"moko_script_executions_total{status=~"success|failed"}"#, &none),
        [
            "recording rule `a:b` (mine.yml) asks for `status` = `failed` of `moko_script_executions_total`, which is one \
          of `success`, `failure`"
        ]
    );
    let fine = ["all metrics of your 1 rules are known"];
    for expr in [
        r#"moko_script_duration_seconds_bucket{le="300", job="a", script_name=~"b.*"}"#,
        r#"moko_script_executions_total{status=~"succ.*|", status!=""}"#,
        r#"up{any="thing"}"#,
        "absent(nobody_has_this) or absent_over_time(nor_this[1h])",
    ] {
        assert_eq!(judged(expr, &none), fine, "{expr}");
    }
    // What somebody pushes with, or a target is labelled with, is right.
    let labels = |name: &str| metrics::Labels::from([(name.to_owned(), ["team".to_owned()].into())]);
    let team = r#"moko_script_duration_seconds_bucket{team="ops"}"#;
    assert_eq!(judged(team, &labels("moko_script_duration_seconds_count")), fine);
    assert_eq!(judged(team, &labels("")), fine);
    assert_ne!(judged(team, &labels("up")), fine);
}
