//! `why` on the real servers: alerts that are quiet, fire, are silenced and inhibited, and scripts.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::support::{Stack, eventually, http};
use crate::verify::reconfigure;

const RULES: &str = "groups:
- name: mine
  rules:
  - {alert: Always, expr: vector(1) > 0.5, labels: {team: ops}}
  - {alert: Hushed, expr: vector(1)}
  - {alert: CriticalScriptFailureRate, expr: vector(1)}
  - {alert: HighScriptFailureRate, expr: vector(1)}
  - {alert: Waiting, expr: vector(3) > 2, for: 1h}
  - {alert: Torn, expr: nosuch_metric > 1}
  - {alert: Broken, expr: 'moko_script_executions_total * on () moko_script_executions_total > 0'}
";

const METRICS: &str = "# TYPE moko_script_executions_total counter
moko_script_executions_total{script_name=\"backup.sh\",status=\"success\"} 3
moko_script_executions_total{script_name=\"backup.sh\",status=\"failure\"} 1
";

fn why(stack: &Stack, name: &str, code: i32) -> Value {
    stack.run(&["why", name, "--output", "json"]).code(code).json()["data"].clone()
}

/// Waits until the sentence has this part; gives the whole answer.
#[track_caller]
fn says(stack: &Stack, name: &str, part: &str) -> Value {
    eventually(&format!("{name}: {part}"), || {
        let data = stack.run(&["why", name, "--output", "json"]).json()["data"].clone();
        let verdict = data["verdict"].as_str().unwrap_or_default().to_owned();
        if verdict.contains(part) { Ok(data) } else { Err(format!("{data:#}")) }
    })
}

fn states(data: &Value) -> Vec<String> {
    let links = data["links"].as_array().unwrap().iter();
    links.map(|link| format!("{} {}", link["link"].as_str().unwrap(), link["state"].as_str().unwrap())).collect()
}

fn evidence(data: &Value, link: &str) -> String {
    let link = data["links"].as_array().unwrap().iter().find(|of| of["link"] == link).unwrap();
    let lines: Vec<&str> = link["evidence"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    lines.join("\n")
}

#[test]
fn alerts_and_scripts_are_followed_to_the_link_where_they_end() {
    let stack = Stack::without_grafana("why");
    stack.up();
    // What fires before Prometheus has found Alertmanager is sent again only after a minute.
    stack.sample("prometheus_notifications_alertmanagers_discovered == 1");
    stack.config(
        "rules:\n  extra: [rules/*.yml]\n  disabled: [CriticalScriptFailureRate, HighScriptFailureRate, TargetDown]\n",
    );
    stack.write("rules/mine.yml", RULES);
    stack.up();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let last = format!(
        "# TYPE moko_script_last_execution_timestamp_seconds gauge\n\
         moko_script_last_execution_timestamp_seconds{{script_name=\"backup.sh\",status=\"success\"}} {}\n",
        now - 240
    );
    let url = format!("{}/metrics/job/cron/instance/h1", stack.url("pushgateway"));
    assert_eq!(http::request("PUT", &url, None, Some(&format!("{METRICS}{last}"))).0, 200);
    stack.sample("moko_script_executions_total");

    // An alert that fires, for nobody.
    let always = says(&stack, "Always", "it is routed to receiver `nobody`, which tells nobody");
    assert!(always["verdict"].as_str().unwrap().starts_with("`Always` fires since "), "{always:#}");
    assert_eq!(
        states(&always),
        ["metric ok", "scraped ok", "rule ok", "alertmanager ok", "route ok", "receiver quiet", "notification quiet"]
    );
    assert_eq!(always["alerts"][0]["alertmanager"]["state"], "active");
    assert!(evidence(&always, "rule").contains("`vector(1)`: 1; has to be above 0.5"), "{always:#}");

    // Silenced, with who, why and until when.
    let silence = json!({
        "matchers": [{"name": "alertname", "value": "Hushed", "isRegex": false, "isEqual": true}],
        "startsAt": "2020-01-01T00:00:00Z", "endsAt": "2120-01-01T00:00:00Z", "createdBy": "jmi", "comment": "known",
    });
    let url = format!("{}/api/v2/silences", stack.url("alertmanager"));
    assert_eq!(http::request("POST", &url, None, Some(&silence.to_string())).0, 200);
    let hushed = says(&stack, "Hushed", "Alertmanager holds it, silenced by ");
    assert!(
        hushed["verdict"].as_str().unwrap().ends_with("… until 2120-01-01 00:00 UTC (by jmi: known)"),
        "{hushed:#}"
    );
    says(&stack, "HighScriptFailureRate", "Alertmanager holds it, inhibited by `CriticalScriptFailureRate`");

    // Quiet alerts: pending, without a value, switched off.
    let waiting = says(&stack, "Waiting", "it is pending since ");
    assert!(waiting["verdict"].as_str().unwrap().contains(" min if that goes on"), "{waiting:#}");
    let silent = says(&stack, "NoScriptExecutions", "does not tell anybody: ");
    assert_eq!(states(&silent)[..3], ["metric ok", "scraped ok", "rule quiet"]);
    assert!(evidence(&silent, "metric").contains("`moko_script_executions_total`: 2 series from `cron`"), "{silent:#}");
    assert!(evidence(&silent, "scraped").contains("of job `pushgateway`: up"), "{silent:#}");
    assert_eq!(
        why(&stack, "TargetDown", 0)["verdict"],
        "`TargetDown` does not tell anybody: `rules.disabled` in the settings has it"
    );

    // Broken chains.
    let torn = says(&stack, "Torn", "`Torn` does not tell anybody: `nosuch_metric` has had no series within a day");
    assert_eq!(states(&torn)[..2], ["metric quiet", "scraped quiet"]);
    assert_eq!(why(&stack, "Torn", 0)["hint"], torn["hint"]);
    let canary = why(&stack, "MokoMonCanary", 0);
    assert_eq!(canary["verdict"], "`MokoMonCanary` does not tell anybody: no canary is on its way");
    let broken = says(&stack, "Broken", "`Broken` cannot tell anybody: it cannot be evaluated: ");
    assert_eq!(states(&broken)[2], "rule broken");
    let unknown = stack.run(&["why", "Alway"]).code(1);
    unknown.says(&["there is no alert and no script `Alway` (did you mean `Always`?)"]);

    // A script.
    let script = says(&stack, "backup.sh", "`backup.sh` is watched, its last run (success) ended ");
    assert_eq!(states(&script)[..4], ["series ok", "last run ok", "push ok", "scraped ok"]);
    assert!(evidence(&script, "series").contains("from job `cron`, instance `h1`"), "{script:#}");
    assert!(evidence(&script, "push").starts_with("group job=`cron`, instance=`h1` was pushed "), "{script:#}");
    assert!(evidence(&script, "alerts").contains("`NoScriptExecutions` reads its series: "), "{script:#}");

    // By addresses alone, and with an Alertmanager that is gone.
    let (prometheus, alertmanager) = (stack.url("prometheus"), stack.url("alertmanager"));
    let flags = ["why", "Always", "--prometheus-url", &prometheus, "--output", "json"];
    let alone = stack.run(&flags).code(0).json()["data"].clone();
    assert!(states(&alone).contains(&"alertmanager unknown".to_owned()), "{alone:#}");
    let given = ["--alertmanager-url", &alertmanager];
    let both = stack.run(&[&flags[..], &given[..]].concat()).code(0).json()["data"].clone();
    assert_eq!(states(&both), states(&always));

    // Muted at all times, which only the groups of Alertmanager tell.
    reconfigure(&stack, "alertmanager", |_| {
        "route: {receiver: nobody, routes: [{receiver: ops, group_wait: 1s, mute_time_intervals: [ever]}]}\n\
         receivers: [{name: nobody}, {name: ops, webhook_configs: [{url: 'http://127.0.0.1:1'}]}]\n\
         time_intervals: [{name: ever, time_intervals: [{}]}]\n"
            .to_owned()
    });
    let muted = says(&stack, "Always", "Alertmanager holds it, muted by the time interval `ever` of its route");
    assert_eq!(muted["alerts"][0]["alertmanager"]["muted_by"], json!(["ever"]));
    assert!(evidence(&muted, "route").contains("(tells nobody during `ever`, which is at any time)"), "{muted:#}");
    crate::support::docker(&["stop", &stack.container("alertmanager")]);
    let gone = why(&stack, "Always", 1);
    assert!(gone["verdict"].as_str().unwrap().contains("; Alertmanager does not answer: container "), "{gone:#}");

    // The Pushgateway goes, and with it the script.
    crate::support::docker(&["stop", &stack.container("pushgateway")]);
    let unseen = says(&stack, "backup.sh", "`backup.sh` cannot be watched: target ");
    assert!(states(&unseen).contains(&"scraped broken".to_owned()), "{unseen:#}");
    says(&stack, "NoScriptExecutions", "cannot tell anybody: target ");
}
