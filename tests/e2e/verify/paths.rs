//! Faults on the ways of the data: alerts, pushes, Grafana, what scripts publish.
//!
//! `MOKO_MON_GRAFANA_IMAGE` names a real Grafana; without it the stand-in answers as 9.4 does.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::sink::{self, Manner};
use super::{checks, evidence, failing, recovered, with_outcome};
use crate::support::docker::{docker, file, put_file};
use crate::support::{Stack, eventually, http};

const OURS: &str = "/api/dashboards/uid/moko-standards-monitoring";
/// Faults made by changing a file behind moko-mon's back are seen by these as well, and rightly.
const FILES: [&str; 2] = ["engine.files.prometheus", "engine.files.alertmanager"];

/// Waits until this check has this outcome; nothing may fail but it and those in `also`. Gives its evidence.
#[track_caller]
fn found(stack: &Stack, id: &str, outcome: &str, also: &[&str]) -> String {
    eventually(&format!("{id} is {outcome}"), || {
        let checks = checks(stack);
        let failed = with_outcome(&checks, "fail");
        let allowed: BTreeSet<String> = also.iter().chain([&id]).map(|&id| id.to_owned()).collect();
        let others: Vec<&Value> = checks
            .iter()
            .filter(|check| check["outcome"] == "fail" && !allowed.contains(check["id"].as_str().unwrap()))
            .collect();
        assert!(others.is_empty(), "only {allowed:?} may fail, not {others:#?}");
        if with_outcome(&checks, outcome).contains(id) { Ok(evidence(&checks, id)) } else { Err(format!("{failed:?}")) }
    })
}

#[track_caller]
fn fails(stack: &Stack, id: &str, part: &str) {
    let evidence = evidence(&failing(stack, &[id]), id);
    assert!(evidence.contains(part), "{id}: `{part}` is not in\n{evidence}");
}

/// A dashboard of the user with one variable and one panel.
fn dashboard(stack: &Stack, source: &str, expression: &str, variable: &str) {
    let json = json!({
        "uid": "mine", "title": "Mine", "schemaVersion": 36,
        "templating": {"list": [{
            "type": "query", "name": "v", "datasource": {"type": "prometheus", "uid": "moko-mon-prometheus"},
            "query": {"query": variable, "refId": "A"}, "includeAll": true, "current": {"value": "$__all"},
        }]},
        "panels": [{
            "id": 1, "type": "timeseries", "title": "Up", "gridPos": {"h": 8, "w": 12, "x": 0, "y": 0},
            "targets": [{"refId": "A", "expr": expression, "datasource": {"type": "prometheus", "uid": source}}],
        }],
    });
    stack.write("dashboards/mine.json", &json.to_string());
    stack.up();
}

#[test]
fn grafana() {
    let (source, up) = ("moko-mon-prometheus", r#"up{job=~"$v"}"#);
    let stack = Stack::new("vgrafana");
    stack.config("grafana:\n  dashboards:\n    - dashboards/*.json\n");
    dashboard(&stack, source, up, "label_values(up, job)");
    let healthy = recovered(&stack);
    stack.sample("up{job=\"prometheus\"}");
    let panels = eventually("the panel has data", || {
        let evidence = evidence(&checks(&stack), "grafana.panels");
        if evidence.contains("1 data") { Ok(evidence) } else { Err(evidence) }
    });
    assert!(panels.starts_with("10 panels with 17 queries: 1 data, 9 empty"), "{panels}");
    assert!(evidence(&healthy, "grafana.dashboard").contains("`Mine`"));
    assert!(evidence(&healthy, "alerting.heartbeat").starts_with("nobody will notice"), "{healthy:#?}");
    let expected = ["alerting.receivers", "alerting.heartbeat"];
    assert!(with_outcome(&healthy, "warn").iter().all(|id| expected.contains(&id.as_str())), "{healthy:#?}");

    // In the dashboard's file: the same in Grafana, and yet it cannot work.
    dashboard(&stack, "gone", up, "label_values(up, job)");
    fails(&stack, "grafana.panels", "panel `Up` of dashboard `Mine`, query A: there is no data source `gone`");
    dashboard(&stack, source, "up{", "label_values(up, job)");
    fails(&stack, "grafana.panels", "panel `Up` of dashboard `Mine`, query A: invalid parameter");
    dashboard(&stack, source, "up * on() up", "label_values(up, job)");
    fails(&stack, "grafana.panels", "found duplicate series for the match group");
    dashboard(&stack, source, "up", "label_values(up, nosuch)");
    fails(
        &stack,
        "grafana.variables",
        "variable `v` of dashboard `Mine` is empty: no series of `up` has a label `nosuch`",
    );
    dashboard(&stack, source, "up", "label_values(up{, job)");
    fails(&stack, "grafana.variables", "its query is refused");
    dashboard(&stack, source, r#"up{job="nosuch"}"#, "label_values(up, job)");
    let doubt = found(&stack, "grafana.panels", "warn", &[]);
    assert!(doubt.contains(r#"`up` has series, but none matches `up{job="nosuch"}`"#), "{doubt}");
    dashboard(&stack, source, up, "label_values(up, job)");
    recovered(&stack);

    // By hand, in Grafana.
    let (_, original) = stack.grafana("GET", OURS, None);
    let mut edited = original["dashboard"].clone();
    edited["panels"][0]["title"] = "Edited".into();
    let save = |model: &Value| {
        let body = json!({"dashboard": model, "folderUid": "moko-mon", "overwrite": true});
        let (status, answer) = stack.grafana("POST", "/api/dashboards/db", Some(&body));
        assert_eq!(status, 200, "{answer}");
    };
    save(&edited);
    fails(&stack, "grafana.dashboard", "+ Edited");
    let mut wrong = original["dashboard"].clone();
    wrong["panels"][0]["targets"][0]["datasource"] = json!({"type": "prometheus", "uid": "wrong"});
    save(&wrong);
    let text = found(&stack, "grafana.panels", "fail", &["grafana.dashboard"]);
    assert!(text.contains("there is no data source `wrong`"), "{text}");
    assert_eq!(stack.grafana("DELETE", OURS, None).0, 200);
    fails(&stack, "grafana.dashboard", "is not in Grafana");
    stack.up();

    let path = "/api/datasources/uid/moko-mon-prometheus";
    let (_, mut data_source) = stack.grafana("GET", path, None);
    data_source["url"] = "http://nosuch:9090".into();
    assert_eq!(stack.grafana("PUT", path, Some(&data_source)).0, 200);
    fails(&stack, "grafana.data_source", "`url` is `http://nosuch:9090`, not `http://prometheus:9090`");
    stack.up();
    recovered(&stack);

    // Last, as wrong logins add up.
    set_password(&stack.container("grafana"));
    fails(&stack, "grafana.login", "HTTP 401");
    let skipped = with_outcome(&checks(&stack), "skip");
    assert!(skipped.contains("grafana.panels") && skipped.contains("grafana.dashboard"), "{skipped:?}");
}

/// Sets another password with Grafana's own tool, behind moko-mon's back.
#[track_caller]
fn set_password(container: &str) {
    let reset = ["--homepath", "/usr/share/grafana", "admin", "reset-admin-password", "--password-from-stdin"];
    let mut command = Command::new("docker");
    command.args(["exec", "--interactive", container, "grafana", "cli"]).args(reset).stdin(Stdio::piped());
    let mut client = command.spawn().unwrap();
    client.stdin.take().unwrap().write_all(b"another\n").unwrap();
    assert!(client.wait().unwrap().success());
}

/// Replaces a file of a server's configuration and makes the server read it.
pub(crate) fn reconfigure(stack: &Stack, component: &str, change: impl Fn(&str) -> String) {
    let container = stack.container(component);
    let (folder, name) = (format!("/etc/{component}"), format!("{component}.yml"));
    let (_, _, _, text) = file(&container, &format!("{folder}/{name}"));
    put_file(&container, &folder, &name, &change(&text));
    docker(&["kill", "--signal", "HUP", &container]);
}

const ROUTES: &str = "
route:
  receiver: nobody
  group_wait: 1s
  group_interval: 10m
  routes:
  - {matchers: ['sink=\"silent\"'], receiver: silent}
  - {matchers: ['sink=\"refuses\"'], receiver: refuses}
  - {matchers: ['team=\"nosuch\"'], receiver: refuses}
receivers:
- {name: nobody}
";

/// Gives Alertmanager an alert for a route.
#[track_caller]
fn alert(stack: &Stack, sink: &str) {
    let url = format!("{}/api/v2/alerts", stack.url("alertmanager"));
    let body = json!([{"labels": {"alertname": "E2E", "sink": sink}}]).to_string();
    let answer = http::request("POST", &url, None, Some(&body));
    assert_eq!(answer.0, 200, "{answer:?}");
}

#[test]
fn alerting() {
    let stack = Stack::without_grafana("valerting");
    stack.up();
    let healthy = recovered(&stack);
    assert!(evidence(&healthy, "alerting.receivers").starts_with("nobody will be told"), "{healthy:#?}");
    assert!(evidence(&healthy, "alerting.heartbeat").starts_with("nobody will notice"), "{healthy:#?}");
    let expected = ["alerting.receivers", "alerting.heartbeat"];
    assert!(with_outcome(&healthy, "warn").iter().all(|id| expected.contains(&id.as_str())), "{healthy:#?}");

    let network = stack.networks().remove(0);
    let host = docker(&["network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", &network]);
    let receiver = |name: &str, manner| {
        format!("- {{name: {name}, webhook_configs: [{{url: 'http://{host}:{}'}}]}}\n", sink::start(manner))
    };
    let receivers = receiver("silent", Manner::Silent) + &receiver("refuses", Manner::Refuses);
    reconfigure(&stack, "alertmanager", |_| format!("{ROUTES}{receivers}"));
    let route = found(&stack, "alerting.routes", "warn", &FILES);
    assert_eq!(route, r#"no alert can reach route {team="nosuch"} → refuses: no rule sets such labels"#);
    // One fault, one failure: what the server made of the file is told with the file.
    let edited = failing(&stack, &["engine.files.alertmanager"]);
    let edited = evidence(&edited, "engine.files.alertmanager");
    assert!(edited.contains("Alertmanager: it runs another configuration: configuration."), "{edited}");
    // Half a minute without an answer is what tells silence from slowness.
    alert(&stack, "silent");
    let silent = found(&stack, "alerting.delivery", "fail", &FILES);
    assert!(silent.contains("`webhook` of receiver `silent`: a notification that was begun"), "{silent}");
    alert(&stack, "refuses");
    eventually("the refusals are seen", || {
        let evidence = evidence(&checks(&stack), "alerting.delivery");
        if evidence.contains("Alertmanager goes on trying") { Ok(()) } else { Err(evidence) }
    });

    reconfigure(&stack, "alertmanager", |_| {
        format!(
            "route: {{receiver: nobody, routes: [{{receiver: silent, mute_time_intervals: [ever]}}]}}\n\
             receivers:\n- {{name: nobody}}\n{receivers}time_intervals: [{{name: ever, time_intervals: [{{}}]}}]\n"
        )
    });
    let also = [&FILES[..], &["alerting.delivery"]].concat();
    eventually("a route that is always muted is named", || {
        let evidence = found(&stack, "alerting.routes", "warn", &also);
        if evidence.contains("tells nobody during `ever`, and that is at any time") { Ok(()) } else { Err(evidence) }
    });

    reconfigure(&stack, "alertmanager", |_| {
        "route: {receiver: nobody, routes: [{matchers: ['team=\"devops\"'], receiver: ops}]}\n\
         receivers: [{name: nobody}, {name: ops}]\n"
            .to_owned()
    });
    let ops = found(&stack, "alerting.receivers", "fail", &also);
    assert!(ops.contains("receiver `ops` has no integration"), "{ops}");

    reconfigure(&stack, "prometheus", |text| {
        let (before, rest) = text.split_once("alerting:").unwrap();
        format!("{before}{}", &rest[rest.find("scrape_configs:").unwrap()..])
    });
    let also = [&also[..], &["alerting.receivers"]].concat();
    let nowhere = found(&stack, "alerting.discovery", "fail", &also);
    assert_eq!(nowhere, "Prometheus knows no Alertmanager: its alerts go nowhere");
    stack.up();
    let also = [&also[..], &["alerting.discovery"]].concat();
    found(&stack, "alerting.discovery", "pass", &also);

    reconfigure(&stack, "prometheus", |text| text.replace("honor_labels: true", "honor_labels: false"));
    let lost = found(&stack, "pushgateway.honor_labels", "fail", &also);
    assert!(lost.contains("scrape job `pushgateway` lacks `honor_labels`"), "{lost}");
}

/// Puts a group; gives the status.
fn push(stack: &Stack, job: &str, body: &str) -> u16 {
    let url = format!("{}/metrics/job/{job}", stack.url("pushgateway"));
    http::request("PUT", &url, None, Some(body)).0
}

#[track_caller]
fn delete(stack: &Stack, job: &str) {
    let url = format!("{}/metrics/job/{job}", stack.url("pushgateway"));
    assert_eq!(http::request("DELETE", &url, None, None).0, 202);
    recovered(stack);
}

/// What a script pushes after a run.
fn run(executions: u32, last: u32) -> String {
    let (script, labels) = (r#"script_name="backup""#, r#"script_name="backup",status="success""#);
    let duration = "moko_script_duration_seconds";
    format!(
        r#"# TYPE moko_script_executions_total counter
moko_script_executions_total{{{labels}}} {executions}
# TYPE moko_script_last_execution_timestamp_seconds gauge
moko_script_last_execution_timestamp_seconds{{{labels}}} {last}
# TYPE {duration} histogram
{duration}_bucket{{{script},le="+Inf"}} {executions}
{duration}_sum{{{script}}} 1
{duration}_count{{{script}}} {executions}
"#
    )
}

#[test]
fn pushes() {
    let stack = Stack::without_grafana("vpushes");
    stack.up();
    let healthy = recovered(&stack);
    assert_eq!(evidence(&healthy, "contract.metrics"), "no script has reported yet");

    // Each run pushes its own 1. Every value has to be scraped to be seen as a change.
    for last in 1..=4_u32 {
        assert_eq!(push(&stack, "backup", &run(1, last)), 200);
        stack.sample(&format!("moko_script_last_execution_timestamp_seconds == {last}"));
    }
    fails(&stack, "contract.constants", "script `backup` ended at least 3 times within 1d, but its counter");
    stack.run(&["why", "backup"]).code(1).says(&["the chain of `backup` is broken at `counted`"]);
    assert_eq!(push(&stack, "backup", &run(2, 5)), 200);
    let counting = recovered(&stack);
    assert!(evidence(&counting, "contract.metrics").starts_with("3 of 8 metrics are published, from scripts `backup`"));

    // The same metric with another type: refused, and booked on its group.
    let clash = "# TYPE moko_script_executions_total gauge\nmoko_script_executions_total{script_name=\"x\"} 1\n";
    assert_eq!(push(&stack, "clash", clash), 400);
    fails(&stack, "pushgateway.failed", r#"the last push to group {job="clash"} was refused"#);
    delete(&stack, "clash");
    assert_eq!(push(&stack, "unreadable", "no newline 1"), 400);
    assert_eq!(push(&stack, "unreadable", "no newline 1"), 400);
    let unread = found(&stack, "pushgateway.failed", "warn", &[]);
    assert!(unread.contains("could not be read"), "{unread}");

    assert_eq!(push(&stack, "words", &run(1, 9).replace("success", "failed").replace("backup", "sync")), 200);
    fails(&stack, "contract.vocabulary", "has `status` = `failed` (from `sync`)");
    delete(&stack, "words");
    assert_eq!(push(&stack, "labels", &run(1, 9).replace("script_name", "script").replace("backup", "sync")), 200);
    fails(&stack, "contract.labels", "lack the label `script_name`; such a series has");
    delete(&stack, "labels");
    let slip = "# TYPE moko_script_execution_total counter\nmoko_script_execution_total{script_name=\"x\"} 1\n";
    assert_eq!(push(&stack, "slip", slip), 200);
    let slip = found(&stack, "contract.typos", "warn", &[]);
    assert!(slip.contains("`moko_script_execution_total` looks like `moko_script_executions_total`"), "{slip}");
    delete(&stack, "slip");
    delete(&stack, "backup");
    assert_eq!(push(&stack, "gauge", &run(1, 9).replace(" counter", " gauge")), 200);
    fails(&stack, "contract.types", "`moko_script_executions_total` is published as a gauge; it is a counter");
}
