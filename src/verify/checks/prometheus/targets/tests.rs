use super::*;
use crate::config::defaults;
use crate::stack::Stack;
use crate::verify::Outcome;

const NOW: &str = "2026-11-23T12:00:00Z";

fn runtime(begun: &str) -> Runtime {
    Runtime {
        start_time: begun.to_owned(),
        last_config_time: begun.to_owned(),
        server_time: NOW.to_owned(),
        ..Runtime::default()
    }
}

fn target(pool: &str, address: &str, error: &str) -> Target {
    let labels = [("__address__", address), ("__scheme__", "http"), ("__metrics_path__", "/metrics"), ("job", pool)];
    Target {
        discovered_labels: labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        scrape_pool: pool.to_owned(),
        last_error: error.to_owned(),
        last_scrape: "2026-11-23T11:59:50Z".to_owned(),
        health: if error.is_empty() { "up" } else { "down" }.to_owned(),
        scrape_interval: "15s".to_owned(),
        scrape_timeout: "10s".to_owned(),
        ..Target::default()
    }
}

fn up(targets: &[Target], own: &BTreeMap<Component, Own>) -> Finding {
    let listening = BTreeMap::from([(8000, true), (8001, false)]);
    judge_up(targets, own, &listening, &runtime("2026-11-23T11:00:00Z"), "page")
}

#[test]
fn the_usual_causes_are_named_beside_prometheus_own_words() {
    let host = |port: u16| format!("host.docker.internal:{port}");
    let refused = "Get \"http://x/metrics\": dial tcp 172.17.0.1:8000: connect: connection refused";
    for (address, error, cause) in [
        (host(8000), refused, "listens on this host's loopback only"),
        (host(8001), refused, "nothing listens on port 8001 of this host: wrong port"),
        (host(8002), refused, "wrong port, or loopback only"),
        ("app:80".to_owned(), refused, "nothing listens on that port"),
        ("app:80".to_owned(), "dial tcp: lookup app on 127.0.0.11:53: no such host", "the name is unknown"),
        ("app:80".to_owned(), "tls: first record does not look like a TLS handshake", "`scheme: http`"),
        (
            "app:80".to_owned(),
            "net/http: HTTP/1.x transport connection broken: malformed HTTP response \"\\x15\"",
            "`scheme: https`",
        ),
        (
            "app:80".to_owned(),
            "tls: failed to verify certificate: x509: certificate signed by unknown authority",
            "not trusted",
        ),
        ("app:80".to_owned(), "server returned HTTP status 401 Unauthorized", "wants a login"),
        ("app:80".to_owned(), "server returned HTTP status 404 Not Found", "`metrics_path`"),
        ("app:80".to_owned(), "Get \"http://app:80/metrics\": context deadline exceeded", "within 10s"),
        (
            "app:80".to_owned(),
            "received unsupported Content-Type \"text/html\" and no fallback_scrape_protocol specified for target",
            "text format",
        ),
        (
            "app:80".to_owned(),
            "strconv.ParseFloat: parsing \"is\": invalid syntax while parsing: \"this is\"",
            "text format",
        ),
    ] {
        let finding = up(&[target("app", &address, error)], &BTreeMap::new());
        assert_eq!(finding.outcome, Outcome::Fail);
        let [fact] = finding.evidence.as_slice() else { panic!("{finding:?}") };
        assert!(fact.starts_with(&format!("`{address}` of job `app`: ")) && fact.contains(cause), "{fact}");
        assert!(fact.contains(error), "{fact}");
    }
    let strange = up(&[target("app", "app:80", "the moon is full")], &BTreeMap::new());
    assert_eq!(strange.evidence, ["`app:80` of job `app`: the moon is full"]);
}

#[test]
fn targets_are_counted_one_by_one() {
    let targets = [target("app", "a:1", ""), target("app", "b:1", "EOF"), target("app", "c:1", "EOF")];
    assert_eq!(up(&targets, &BTreeMap::new()).evidence.len(), 2);
    let many: Vec<Target> = (0..50).map(|port| target("app", &format!("a:{port}"), "x")).collect();
    assert_eq!(up(&many, &BTreeMap::new()).evidence.last().unwrap(), "and 30 more");
    assert_eq!(up(&targets[..1], &BTreeMap::new()).evidence, ["1 of 1 are up"]);
}

#[test]
fn a_server_of_ours_that_is_down_is_left_to_its_own_checks_and_one_that_just_came_is_not_judged() {
    let down = target("grafana", "grafana:3000", "connection refused");
    let own =
        |serves, started: &str| BTreeMap::from([(Component::Grafana, Own { serves, started: started.parse().ok() })]);
    let finding = up(&[down.clone(), target("app", "a:1", "")], &own(false, "2026-11-23T11:00:00Z"));
    assert_eq!(finding.outcome, Outcome::Pass);
    assert_eq!(finding.evidence, ["1 of 2 are up; Grafana left to the checks of its own"]);
    let finding = up(std::slice::from_ref(&down), &own(true, "2026-11-23T11:59:30Z"));
    assert_eq!(finding.outcome, Outcome::Skip);
    assert_eq!(
        finding.evidence,
        ["not yet: `grafana:3000` of job `grafana` answers by now, and will be scraped within 15s"]
    );
    assert_eq!(up(&[down], &own(true, "2026-11-23T11:00:00Z")).outcome, Outcome::Fail);
    let unknown = Target { health: "unknown".to_owned(), ..target("app", "a:1", "") };
    assert_eq!(up(&[unknown], &BTreeMap::new()).outcome, Outcome::Skip);
}

#[test]
fn every_target_of_the_settings_is_expected_and_equal_ones_are_counted() {
    let stack = Stack::desired(&defaults().unwrap()).unwrap();
    let mut wanted = expected::targets(stack.get(Component::Prometheus).unwrap()).unwrap();
    let urls: Vec<&str> = wanted.iter().map(|target| target.url.as_str()).collect();
    assert_eq!(urls[0], "http://prometheus:9090/metrics");
    assert_eq!(urls.len(), 4);
    let mut found: Vec<Target> = ["prometheus:9090", "alertmanager:9093", "pushgateway:9091", "grafana:3000"]
        .iter()
        .map(|address| target(address.split(':').next().unwrap(), address, ""))
        .collect();
    let judged =
        |wanted: &[expected::Wanted], found: &[Target], begun| judge_present(wanted, found, &runtime(begun), "page");
    assert_eq!(judged(&wanted, &found, "2026-11-23T11:00:00Z").evidence, ["all 4 are there"]);
    wanted.push(wanted[3].clone());
    assert_eq!(
        judged(&wanted, &found, "2026-11-23T11:00:00Z").evidence,
        ["`grafana:3000` of job `grafana` is there 1 of 2 times: Prometheus takes targets with equal labels for one"]
    );
    found.pop();
    wanted.pop();
    let finding = judged(&wanted, &found, "2026-11-23T11:00:00Z");
    assert_eq!(
        (finding.outcome, finding.evidence),
        (Outcome::Fail, vec!["`grafana:3000` of job `grafana` is not scraped".to_owned()])
    );
    assert_eq!(judged(&wanted, &found, "2026-11-23T11:59:57Z").outcome, Outcome::Skip, "targets take a moment");
}

#[test]
fn scrapes_that_stopped_and_samples_that_are_not_recorded_are_told() {
    let noon = 1_795_435_200.0;
    let old = runtime("2026-11-23T11:00:00Z");
    let fine = [target("app", "a:1", "")];
    assert_eq!(judge_fresh(&fine, Some(noon - 10.0), &old).evidence, ["each of 1 was scraped in time"]);
    let stuck = [Target { last_scrape: "2026-11-23T11:58:00Z".to_owned(), ..target("app", "a:1", "") }];
    let finding = judge_fresh(&stuck, Some(noon - 120.0), &old);
    assert_eq!(finding.outcome, Outcome::Fail);
    assert_eq!(finding.evidence, ["`a:1` of job `app` was last scraped 2 min 0 s ago, and should be every 15 s"]);
    let finding = judge_fresh(&fine, Some(noon - 200.0), &old);
    assert_eq!(
        finding.evidence,
        ["the newest recorded sample is 190 s older than the last scrape: it scrapes and does not record"]
    );
    assert_eq!(judge_fresh(&fine, None, &old).outcome, Outcome::Fail);
    let never = [Target { last_scrape: "0001-01-01T00:00:00Z".to_owned(), ..target("app", "a:1", "") }];
    assert_eq!(judge_fresh(&never, None, &old).evidence, ["`a:1` of job `app` was never scraped"]);
    let finding = judge_fresh(&never, None, &runtime("2026-11-23T11:59:50Z"));
    assert_eq!(finding.outcome, Outcome::Skip);
    assert_eq!(finding.evidence, ["not yet: `a:1` of job `app` is scraped for the first time within 15 s"]);
}
