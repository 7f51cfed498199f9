//! `verify --deep`: a canary flies through real servers.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::docker::{file, put_file};
use crate::support::{Stack, docker, eventually, http, when};

const DEEP: [&str; 6] = ["verify", "--deep", "--only", "canary", "--output", "json"];

/// The ids of the canaries that the Pushgateway holds.
fn left(stack: &Stack) -> Vec<String> {
    let groups = http::json(&format!("{}/api/v1/metrics", stack.url("pushgateway"))).unwrap();
    let ids = groups["data"].as_array().unwrap().iter().filter_map(|group| group["labels"]["canary"].as_str());
    ids.map(str::to_owned).collect()
}

/// The hops of an envelope with their outcomes.
fn hops(envelope: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let hops = envelope["data"]["canary"]["hops"].as_array().unwrap().iter();
    hops.map(|hop| (text(&hop["hop"]), text(&hop["outcome"]))).collect()
}

#[test]
fn a_canary_takes_the_whole_way_and_leaves_nothing() {
    let mut stack = Stack::without_grafana("canary");
    stack.set("MOKO_MON_PROMETHEUS_SCRAPE_INTERVAL", "1s");
    stack.set("MOKO_MON_PROMETHEUS_EVALUATION_INTERVAL", "1s");
    stack.up();

    // Nobody takes back what this one pushed.
    let mut killed = stack.start(&DEEP);
    killed.until("canary pushed");
    killed.signal("KILL");
    killed.end();
    let since = Instant::now();
    let leftovers = left(&stack);
    assert_eq!(leftovers.len(), 1, "{leftovers:?}");

    // Two at once, on a stack that is seconds old, beside the one that was killed.
    let (one, two) = (stack.start(&DEEP), stack.start(&DEEP));
    for output in [one.end(), two.end()] {
        assert_eq!(output.code, 0, "{output}");
        let envelope = output.json();
        assert_eq!(envelope["data"]["summary"]["pass"], 7, "{envelope:#}");
        assert_eq!(envelope["data"]["canary"]["broken"], Value::Null);
        // The settings name nobody to be told.
        let wrong = |(hop, outcome): &&(String, String)| outcome != if hop == "delivered" { "skip" } else { "pass" };
        assert_eq!(hops(&envelope).iter().find(wrong), None, "{envelope:#}");
        assert!(envelope["data"]["canary"]["hops"][1]["seconds"].is_f64());
    }
    assert_eq!(left(&stack), leftovers, "what is young may still fly");

    let mut interrupted = stack.start(&DEEP);
    interrupted.until("canary pushed");
    interrupted.signal("INT");
    let output = interrupted.end();
    assert_eq!(output.code, 130, "{output}");
    assert_eq!(left(&stack), leftovers, "an interrupted one is taken back");

    // A webhook that nobody answers: the hop is named, and nothing else fails.
    let alertmanager = stack.container("alertmanager");
    let (_, _, _, sound) = file(&alertmanager, "/etc/alertmanager/alertmanager.yml");
    let loaded = || {
        let (_, page) = http::get(&format!("{}/metrics", stack.url("alertmanager")));
        let time = "alertmanager_config_last_reload_success_timestamp_seconds ";
        page.lines().find_map(|line| line.strip_prefix(time)).unwrap_or_default().to_owned()
    };
    let reload = |text: &str| {
        let before = loaded();
        put_file(&alertmanager, "/etc/alertmanager", "alertmanager.yml", text);
        docker(&["kill", "--signal", "HUP", &alertmanager]);
        eventually("Alertmanager has read it", || when(loaded() != before, &before));
    };
    reload(&sound.replace("http://prometheus:9090/", "http://prometheus:9999/"));
    let envelope = stack.run(&DEEP).code(1).json();
    assert_eq!(envelope["data"]["canary"]["broken"], "notified", "{envelope:#}");
    assert_eq!(envelope["data"]["summary"], serde_json::json!({"pass": 5, "warn": 0, "fail": 1, "skip": 2}));
    // Without its receiver a canary is not let off: it would reach people.
    reload("route: {receiver: people}\nreceivers: [{name: people}]\n");
    let envelope = stack.run(&DEEP).code(1).json();
    assert_eq!(envelope["data"]["canary"]["broken"], "fired", "{envelope:#}");
    let id = envelope["data"]["canary"]["id"].as_str().unwrap();
    let alerts = http::json(&format!("{}/api/v2/alerts?filter=canary={id}", stack.url("alertmanager"))).unwrap();
    assert_eq!(alerts, serde_json::json!([]));
    reload(&sound);

    // The killed one is removed once it is older than any flight.
    loop {
        let envelope = stack.run(&DEEP).code(0).json();
        if left(&stack).is_empty() {
            let evidence = envelope["data"]["canary"]["hops"][6]["evidence"].as_str().unwrap();
            assert_eq!(evidence, "its group is gone from the Pushgateway, and 1 of canaries that were killed");
            break;
        }
        assert!(since.elapsed() < Duration::from_secs(300), "{:?}", left(&stack));
    }
}

#[test]
fn up_ends_with_verify_and_waits_for_the_first_scrape_only() {
    let mut stack = Stack::without_grafana("verified");
    stack.set("MOKO_MON_PROMETHEUS_SCRAPE_INTERVAL", "2s");
    stack.set("MOKO_MON_PROMETHEUS_EVALUATION_INTERVAL", "2s");
    let envelope = stack.run(&["--output", "json", "up"]).code(0).json();
    assert_eq!(envelope["data"]["verify"]["summary"]["fail"], 0, "{envelope:#}");
    let targets = http::json(&format!("{}/api/v1/targets?state=active", stack.url("prometheus"))).unwrap();
    let health: Vec<&Value> =
        targets["data"]["activeTargets"].as_array().unwrap().iter().map(|target| &target["health"]).collect();
    assert_eq!(health, ["up"; 3]);
    let envelope = stack.run(&["--output", "json", "up"]).code(0).json();
    assert_eq!(envelope["data"]["steps"], serde_json::json!([]));
    assert_eq!(envelope["data"]["verify"]["summary"]["fail"], 0, "{envelope:#}");
    let envelope = stack.run(&["--output", "json", "up", "--no-verify"]).code(0).json();
    assert_eq!(envelope["data"]["verify"], Value::Null);
}
