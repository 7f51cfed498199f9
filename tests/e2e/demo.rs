//! `up --demo` and `demo stop` on the real servers.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::support::docker::{attempt, docker};
use crate::support::{Stack, eventually, http, when};

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Every expression of every panel: title, expression, whether it is asked for one moment only.
fn expressions() -> Vec<(String, String, bool)> {
    let text = include_str!("../../assets/grafana-dashboard.json");
    let dashboard: Value = serde_json::from_str(text).unwrap();
    let mut found = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            found.push((text(&panel["title"]), text(&target["expr"]), target["instant"] == true));
        }
    }
    found
}

/// Asks what a panel asks, over the last `hours`, with all variables at `All`; the number of points it gets.
fn points(stack: &Stack, expression: &str, instant: bool, hours: u64) -> usize {
    let step = (hours * 3600 / 400).max(15);
    let interval = if expression.contains("offset -$__interval") { 3600 } else { step };
    let mut expression = expression.to_owned();
    for (name, value) in [("$__range", hours * 3600), ("$__interval", interval)] {
        expression = expression.replace(name, &format!("{value}s"));
    }
    let expression = expression.replace("$script", ".*").replace("$api", ".*");
    assert!(!expression.contains('$'), "{expression}");
    if instant {
        return stack.query(&expression).len();
    }
    let mut url = reqwest::Url::parse(&format!("{}/api/v1/query_range", stack.url("prometheus"))).unwrap();
    let (start, end) = ((now() - hours * 3600) / interval * interval, now());
    url.query_pairs_mut().append_pair("query", &expression).append_pair("start", &start.to_string());
    url.query_pairs_mut().append_pair("end", &end.to_string()).append_pair("step", &interval.to_string());
    let answer = http::json(url.as_str()).unwrap();
    let series = answer["data"]["result"].as_array().unwrap();
    series.iter().map(|series| series["values"].as_array().unwrap().len()).max().unwrap_or(0)
}

fn number(stack: &Stack, expression: &str) -> Option<f64> {
    stack.query(expression).first()?["value"][1].as_str()?.parse().ok()
}

/// All values that a label has in Prometheus, of any time.
fn values(stack: &Stack, label: &str) -> BTreeSet<String> {
    let answer = http::json(&format!("{}/api/v1/label/{label}/values", stack.url("prometheus"))).unwrap();
    answer["data"].as_array().unwrap().iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

#[test]
fn demo_data_fills_every_panel_moves_and_goes_without_a_trace() {
    let stack = Stack::without_grafana("demo");
    stack.up();
    stack.push("e2e_real", "7");
    let before = stack.containers();

    stack.run(&["up", "--demo"]).code(0);
    for (title, expression, instant) in expressions() {
        for (hours, least) in [(7 * 24, 150), (24, 23), (1, 1)] {
            if instant {
                // For some seconds after a full hour the quotas are those of the hour before, which nobody shows.
                eventually(&title, || {
                    when(points(&stack, &expression, instant, hours) > 0, format!("no value now\n{expression}"))
                });
                continue;
            }
            let found = points(&stack, &expression, instant, hours);
            assert!(found >= least, "{title}: {found} points over {hours} h\n{expression}");
        }
    }
    // One history: the feed goes on with the counters of the blocks, and what was there before is still there.
    let left = r#"moko_api_rate_limit_remaining{api="github-demo"}"#;
    let runs = r#"sum(moko_script_executions_total{demo="true"})"#;
    let (left_first, runs_first) = (number(&stack, left), number(&stack, runs));
    eventually("calls are made", || when(number(&stack, left) != left_first, left_first));
    // The most frequent script runs every 90 seconds, so one patience may be too short.
    let runs_again = || when(number(&stack, runs) != runs_first, runs_first);
    let soon = (0..60).any(|_| {
        std::thread::sleep(Duration::from_secs(1));
        runs_again().is_ok()
    });
    if !soon {
        eventually("scripts run", runs_again);
    }
    for counter in ["executions_total", "duration_seconds_count", "duration_seconds_sum", "duration_seconds_bucket"] {
        let resets = format!(r#"sum(resets(moko_script_{counter}{{demo="true"}}[1h]))"#);
        assert_eq!(number(&stack, &resets), Some(0.0), "{counter}");
    }
    assert_eq!(number(&stack, "min_over_time(e2e_real[1h])"), Some(7.0));
    assert_eq!(number(&stack, r#"count({demo="true",instance!="demo-host-1"})"#), None);
    // The rules run on it without an error, and make series that lack the label.
    stack.sample(r#"script_name:moko_script_duration_seconds:p95{demo="",script_name="backup-database-demo"}"#);
    eventually("the slow script is noticed, and nothing worse", || {
        let answer = http::json(&format!("{}/api/v1/alerts", stack.url("prometheus")))?;
        let alerts = answer["data"]["alerts"].as_array().unwrap();
        let label = |alert: &Value, name: &str| alert["labels"][name].as_str().unwrap_or_default().to_owned();
        let bad = |alert: &&Value| alert["state"] == "firing" && label(alert, "severity") == "critical";
        assert_eq!(alerts.iter().find(bad), None);
        when(alerts.iter().any(|alert| label(alert, "script_name") == "backup-database-demo"), answer)
    });

    let lives = stack.lives();
    assert_eq!(stack.plan(), Vec::<String>::new());
    let again = stack.run(&["up", "--demo"]).code(0);
    assert!(again.stdout.starts_with("nothing to do"), "{again}");
    let plain = stack.up();
    assert!(plain.stdout.contains("The demo data is on"), "{plain}");
    assert_eq!(stack.touched(&lives), Vec::<String>::new());

    stack.run(&["demo", "stop"]).code(0);
    assert_eq!(stack.containers(), before);
    assert_eq!(stack.query(r#"count_over_time({demo="true"}[8d])"#), Vec::<Value>::new());
    for label in ["__name__", "script_name", "api", "service", "finding_type", "instance", "demo", "job"] {
        let left: Vec<String> = values(&stack, label).into_iter().filter(|value| value.contains("demo")).collect();
        let metrics: Vec<String> = values(&stack, label).into_iter().filter(|value| value.contains("moko_")).collect();
        assert_eq!((left, metrics), (Vec::new(), Vec::new()), "{label}");
    }
    let page = http::get(&format!("{}/metrics", stack.url("pushgateway"))).1;
    assert!(!page.contains("demo") && page.contains("e2e_real"), "{page}");
    // The real series are whole: nothing older than the demo is missing, and new samples come in.
    assert_eq!(number(&stack, "min_over_time(e2e_real[1h])"), Some(7.0));
    let count = number(&stack, "count_over_time(e2e_real[1h])").unwrap();
    eventually("the real series goes on", || {
        let now = number(&stack, "count_over_time(e2e_real[1h])").unwrap_or_default();
        when(now > count && count > 3.0, (count, now))
    });
    let nothing = stack.run(&["demo", "stop"]).code(0);
    assert!(nothing.stdout.starts_with("nothing to remove"), "{nothing}");
    assert_eq!(stack.plan(), Vec::<String>::new());
}

#[test]
fn samples_of_before_survive_a_restart_and_a_kill_half_way() {
    let mut stack = Stack::without_grafana("demo-kill");
    stack.set("MOKO_MON_PROMETHEUS_RETENTION_TIME", "1d");
    stack.up();
    stack.push("e2e_real", "7");
    let oldest = || {
        let answer = http::json(&format!("{}/api/v1/query?query=e2e_real[1h]", stack.url("prometheus"))).unwrap();
        answer.pointer("/data/result/0/values/0").cloned()
    };
    let first = oldest();
    assert!(first.is_some());

    let mut running = stack.start(&["up", "--demo"]);
    running.until("create");
    eventually("Prometheus stands", || {
        let state = docker(&["inspect", "--format", "{{.State.Status}}", &stack.container("prometheus")]);
        when(state == "exited", state)
    });
    running.signal("KILL");
    running.end();
    let plain = stack.up();
    assert!(plain.stderr.contains("the demo data is not complete"), "{plain}");
    assert_eq!(oldest(), first);

    stack.run(&["up", "--demo"]).code(0);
    // Not stopped but killed: everything newer than the last block comes from the log.
    attempt(&["kill", &stack.container("prometheus")]);
    attempt(&["start", &stack.container("prometheus")]);
    stack.sample("e2e_real");
    assert_eq!(oldest(), first);
    assert!(points(&stack, r#"moko_circuit_breaker_state{demo="true"}"#, false, 24) > 390);

    stack.run(&["demo", "stop"]).code(0);
    assert_eq!(oldest(), first);
    stack.run(&["up", "--demo"]).code(0);
    // `down` without `--volumes` keeps the history, which is found without its feed.
    stack.run(&["down"]).code(0);
    stack.up();
    stack.sample("e2e_real");
    let stopped = stack.run(&["demo", "stop"]).code(0);
    assert!(stopped.stdout.starts_with("removed the demo data"), "{stopped}");
    assert!(!values(&stack, "demo").contains("true"));
}
