use serde_json::{Value, json};

use super::super::instance::{instances, tests::*};
use super::*;

const CONFIG: &str = "
route:
  receiver: nobody
  routes: [{matchers: ['severity=\"warning\"'], receiver: ops}]
receivers:
- name: nobody
- name: ops
  webhook_configs: [{url: <secret>}]
";

fn answers(held: Vec<Held>, config: &str, calls: Option<(f64, f64)>) -> Manager {
    let key = || ("ops".to_owned(), "webhook".to_owned());
    Manager::Answers(Box::new(Answers {
        held,
        runs: 3600.0,
        silences: vec![silence()],
        routing: Routing::read(config).unwrap(),
        calls: calls.map(|(all, failed)| (key(), Calls { begun: all, all, failed })).into_iter().collect(),
        due: BTreeMap::new(),
        last: calls.map(|_| (key(), 130.0)).into_iter().collect(),
    }))
}

/// The links for a rule with these alerts, of which Alertmanager holds this, and the last words of the sentence.
fn links(alerts: &Value, held: &[Held], manager: &Manager) -> (Vec<Link>, String) {
    let rule = rule(alerts);
    let instances = instances(&rule, held, NOW);
    let way = Way {
        name: "X",
        labels: &rule.labels,
        instances: &instances,
        sends_to: Ok(vec!["http://alertmanager:9093/api/v2/alerts".to_owned()]),
        patience: 40.0,
        now: NOW,
    };
    (way.links(manager), told(&way, manager))
}

fn text(links: &[Link]) -> String {
    let all = links.iter().flat_map(|link| {
        link.evidence.iter().map(|line| format!("{} {}: {line}\n", link.link, link.state.as_str())).collect::<Vec<_>>()
    });
    all.collect()
}

#[test]
fn an_alert_that_fires_and_is_told() {
    let held = vec![held(&json!({"state": "active"}), &["ops"])];
    let manager = answers(held.clone(), CONFIG, Some((3.0, 1.0)));
    let (links, told) = links(&json!([active("firing")]), &held, &manager);
    insta::assert_snapshot!(text(&links), @r#"
    alertmanager ok: holds it for backup.sh: active
    alertmanager ok: Prometheus sends alerts to http://alertmanager:9093/api/v2/alerts
    route ok: route {severity="warning"} → ops takes it, to receiver `ops`
    receiver ok: `ops` tells by webhook
    notification ok: `ops` by webhook: 3 calls since Alertmanager was started, 1 failed; the last about 2 min ago
    notification ok: which alerts they were about, Alertmanager does not tell
    "#);
    assert_eq!(told, "is told to receiver `ops`");
}

#[test]
fn an_alert_that_does_not_fire_shows_the_way_that_it_would_take() {
    let manager = answers(Vec::new(), CONFIG, None);
    let (links, _) = links(&json!([]), &[], &manager);
    insta::assert_snapshot!(text(&links), @r#"
    alertmanager quiet: it holds no `X`, as it does not fire
    alertmanager quiet: Prometheus sends alerts to http://alertmanager:9093/api/v2/alerts
    route ok: route {severity="warning"} → ops would take it, to receiver `ops`
    receiver ok: `ops` tells by webhook
    notification ok: `ops` by webhook: 0 calls since Alertmanager was started, 0 failed
    notification ok: which alerts they were about, Alertmanager does not tell
    "#);
}

#[test]
fn a_silence_is_named_with_its_maker() {
    let held = vec![held(&json!({"state": "suppressed", "silencedBy": ["3f2a1b0c-1111"]}), &["ops"])];
    let manager = answers(held.clone(), CONFIG, None);
    let (links, _) = links(&json!([active("firing")]), &held, &manager);
    assert_eq!(
        (links[0].state, links[0].because.as_str()),
        (State::Quiet, "Alertmanager holds it, silenced by 3f2a1b0c… until 18:00 UTC (by jmi: known)")
    );
    assert_eq!(links[0].hint.as_deref(), Some("`moko-mon open alertmanager` shows silences and alerts"));
}

#[test]
fn a_receiver_without_integration_tells_nobody() {
    let config = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n";
    let held = vec![held(&json!({"state": "active"}), &["nobody"])];
    let (links, _) = links(&json!([active("firing")]), &held, &answers(held.clone(), config, None));
    let facts: Vec<(State, &str)> = links[1..].iter().map(|link| (link.state, link.because.as_str())).collect();
    assert_eq!(
        facts,
        [
            (State::Ok, ""),
            (State::Quiet, "it is routed to receiver `nobody`, which tells nobody"),
            (State::Quiet, "there is nobody to tell, so nothing is sent"),
        ]
    );
    assert_eq!(links[1].evidence, ["the default route takes it, to receiver `nobody`"]);
}

#[test]
fn what_alertmanager_never_got_breaks_the_chain() {
    let manager = answers(Vec::new(), CONFIG, None);
    let (links, _) = links(&json!([active("firing")]), &[], &manager);
    assert_eq!(
        (links[0].state, links[0].because.as_str()),
        (State::Broken, "Alertmanager does not hold it for backup.sh, although it fires since 12 min")
    );
    let Manager::Answers(mut restarted) = answers(Vec::new(), CONFIG, None) else { unreachable!() };
    restarted.runs = 10.0;
    let (links, _) = super::tests::links(&json!([active("firing")]), &[], &Manager::Answers(restarted));
    assert_eq!((links[0].state, links[0].because.as_str()), (State::Quiet, "Alertmanager has not got it yet"));
    let mut fresh = active("firing");
    fresh["activeAt"] = json!("2026-01-02T11:54:50Z");
    let (links, _) = super::tests::links(&json!([fresh]), &[], &manager);
    assert_eq!((links[0].state, links[0].because.as_str()), (State::Quiet, "Alertmanager has not got it yet"));
}

#[test]
fn calls_that_all_failed_break_the_chain() {
    let held = vec![held(&json!({"state": "active"}), &["ops"])];
    let (links, _) = links(&json!([active("firing")]), &held, &answers(held.clone(), CONFIG, Some((2.0, 2.0))));
    assert_eq!(
        (links[3].state, links[3].because.as_str()),
        (State::Broken, "every call of `ops` by webhook failed (2)")
    );
    let (links, _) = super::tests::links(&json!([active("firing")]), &held, &answers(held.clone(), CONFIG, None));
    assert_eq!(
        (links[3].state, links[3].because.as_str()),
        (
            State::Quiet,
            "nothing has been sent since Alertmanager was started: a group of alerts waits for `group_wait` first"
        )
    );
}

#[test]
fn an_alertmanager_that_cannot_be_asked_ends_the_chain() {
    let (links, told) = links(&json!([active("firing")]), &[], &Manager::Lost("refused".to_owned()));
    assert_eq!(
        (links.len(), links[0].state, links[0].because.as_str()),
        (1, State::Broken, "Alertmanager does not answer: refused")
    );
    assert_eq!(told, "who is told is not known without Alertmanager");
    let (links, _) = super::tests::links(&json!([]), &[], &Manager::NotGiven);
    assert_eq!(
        (links[0].state, links[0].evidence[0].as_str()),
        (State::Unknown, "it is not known where Alertmanager is")
    );
}

#[test]
fn without_an_alertmanager_to_send_to_nothing_arrives() {
    let rule = rule(&json!([]));
    let way =
        Way { name: "X", labels: &rule.labels, instances: &[], sends_to: Ok(Vec::new()), patience: 40.0, now: NOW };
    let link = &way.links(&answers(Vec::new(), CONFIG, None))[0];
    assert_eq!(
        (link.state, link.because.as_str()),
        (State::Broken, "Prometheus has no Alertmanager that it could send alerts to")
    );
}

#[test]
fn a_receiver_that_does_not_answer_is_told_before_its_call_has_failed() {
    let held = vec![held(&json!({"state": "active"}), &["ops"])];
    let of = |begun: f64, due: f64, config: &str| {
        let Manager::Answers(mut answers) = answers(held.clone(), config, Some((1.0, 0.0))) else { unreachable!() };
        let key = ("ops".to_owned(), "webhook".to_owned());
        answers.calls.insert(key.clone(), Calls { begun, ..Calls::default() });
        answers.due.insert(key, due);
        let (links, _) = links(&json!([active("firing")]), &held, &Manager::Answers(answers));
        (links[3].state, links[3].because.clone())
    };
    assert_eq!(
        of(1.0, 1.0, CONFIG),
        (State::Broken, "a notification to `ops` by webhook was begun more than 30 s ago and has no answer".to_owned())
    );
    let young = "the first notification since Alertmanager was started has no answer yet";
    assert_eq!(of(1.0, 0.0, CONFIG), (State::Quiet, young.to_owned()));
    // The end of an alert is begun, and then nobody is called.
    let without_ends = CONFIG.replace("url: <secret>", "url: <secret>, send_resolved: false");
    assert!(of(1.0, 1.0, &without_ends).1.starts_with("nothing has been sent"));
}
