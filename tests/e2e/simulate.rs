//! `rules simulate`: all eleven alerts fire for real, people are told, and nothing stays behind.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::support::docker::{inspect, put_file};
use crate::support::stack::Running;
use crate::support::{Output, Stack, docker, eventually, http, when};

/// Thresholds with which every alert fires, and ends, soon.
const SOON: &str = "rules:
  thresholds:
    script_failures: {window: 1m, warning_for: 3s, critical_for: 3s, keep_firing_for: 2s}
    script_duration: {window: 5m, for: 1s, keep_firing_for: 0s}
    api_quota: {warning_for: 3s, critical_for: 2s}
    api_quota_reset: {for: 2s}
    circuit_breaker: {open_for: 2s, stuck_for: 4s}
    no_executions: {silence: 1m, for: 2s}
";

fn stack(hint: &str, config: &str) -> Stack {
    let stack = Stack::without_grafana(hint);
    stack.config(config);
    stack.up();
    stack
}

fn start(stack: &Stack, alert: &str) -> Running {
    stack.start(&["rules", "simulate", alert, "--output", "json"])
}

/// The result of a simulation that came as far as Alertmanager.
#[track_caller]
fn fired(output: &Output, phases: &[&str]) -> Value {
    assert_eq!(output.code, 0, "{output}");
    let data = output.json()["data"].clone();
    let seen: Vec<&str> = data["phases"].as_array().unwrap().iter().map(|of| of["phase"].as_str().unwrap()).collect();
    assert_eq!(seen, phases, "{output}");
    data
}

/// The jobs of the groups that the Pushgateway holds.
fn jobs(stack: &Stack) -> Vec<String> {
    let metrics = http::json(&format!("{}/api/v1/metrics", stack.url("pushgateway"))).unwrap();
    let groups = metrics["data"].as_array().unwrap();
    groups.iter().map(|group| group["labels"]["job"].as_str().unwrap().to_owned()).collect()
}

/// The state of a rule in Prometheus.
fn state(stack: &Stack, alert: &str) -> String {
    let rules = http::json(&format!("{}/api/v1/rules?type=alert", stack.url("prometheus"))).unwrap();
    let groups = rules["data"]["groups"].as_array().unwrap();
    let rule = groups.iter().flat_map(|group| group["rules"].as_array().unwrap()).find(|rule| rule["name"] == alert);
    rule.unwrap()["state"].as_str().unwrap().to_owned()
}

#[track_caller]
fn ends(stack: &Stack, alert: &str) {
    eventually(&format!("{alert} ends"), || {
        let state = state(stack, alert);
        when(state == "inactive", state)
    });
}

#[test]
fn alerts_with_a_subject_fire_side_by_side_and_end_with_their_series() {
    let stack = stack("simulate", SOON);
    let gauge = ["scraped", "pending", "firing", "received", "notified"];
    let at_once = ["scraped", "firing", "received", "notified"];
    let cases: [(&str, &[&str]); 8] = [
        ("SlowScriptExecution", &["baseline", "scraped", "pending", "firing", "received", "notified", "recovered"]),
        ("HighAPIRateLimitUsage", &gauge),
        ("CriticalAPIRateLimitUsage", &gauge),
        ("APIRateLimitResetSoon", &gauge),
        ("CircuitBreakerOpen", &gauge),
        ("CircuitBreakerStuckOpen", &gauge),
        ("SecurityFindingsDetected", &at_once),
        ("HighSeveritySecurityFinding", &at_once),
    ];
    let running: Vec<Running> = cases.iter().map(|(alert, _)| start(&stack, alert)).collect();
    for ((alert, phases), running) in cases.iter().zip(running) {
        let output = running.end();
        // One of the two about quota may already have raised the other for the same API, which is quiet then.
        let data = output.json()["data"].clone();
        assert_eq!(data["alert"], *alert, "{output}");
        let data = fired(&output, phases);
        assert_eq!(data["notified"], json!({"outcome": "nobody", "receivers": ["nobody"]}), "{output}");
        assert!(output.stderr.contains("within"), "the time left is told\n{output}");
    }
    assert_eq!(jobs(&stack), Vec::<String>::new());
    for (alert, _) in cases {
        ends(&stack, alert);
    }
}

#[test]
fn failure_rates_count_beside_real_runs_and_silence_is_waited_for() {
    let stack = stack("rates", SOON);
    // Real runs, of which few fail, so that the simulated ones have something to outweigh.
    let real = |count: u32| {
        let text = format!(
            "moko_script_executions_total{{script_name=\"backup\",status=\"success\"}} {count}\n\
             moko_script_executions_total{{script_name=\"backup\",status=\"failure\"}} {}\n",
            count / 100
        );
        let url = format!("{}/metrics/job/real", stack.url("pushgateway"));
        assert_eq!(http::request("PUT", &url, None, Some(&text)).0, 200);
        stack.sample(&format!("moko_script_executions_total{{status=\"success\"}} == {count}"));
    };
    real(0);
    real(200);
    let counted = ["baseline", "scraped", "pending", "firing", "received", "notified"];
    let output = start(&stack, "HighScriptFailureRate").end();
    let data = fired(&output, &counted);
    assert_eq!(data["also"], json!([]), "the critical one stays inactive\n{output}");
    // How many increase() makes of 200 depends on when exactly it was scraped.
    assert!(output.stderr.contains("beside ") && !output.stderr.contains("beside 0 "), "{output}");
    // It told when its runs have left the window and the alert is over.
    let until: jiff::Timestamp = data["alert_ends_by"].as_str().unwrap().parse().unwrap();
    let again = stack.run(&["rules", "simulate", "HighScriptFailureRate"]).code(1);
    again.says(&["`HighScriptFailureRate` is firing already", "an earlier simulation"]);
    ends(&stack, "HighScriptFailureRate");
    let late = jiff::Timestamp::now().duration_since(until).as_secs();
    assert!((-60..=60).contains(&late), "it ended {late} s after {until}");

    fired(&start(&stack, "CriticalScriptFailureRate").end(), &counted);
    // The simulated runs were runs: silence begins with the last of them.
    let output = start(&stack, "NoScriptExecutions").end();
    let data = fired(&output, &["silent", "pending", "firing", "received", "notified"]);
    assert!(data["phases"][0]["seconds"].as_f64().unwrap() > 20.0, "{output}");
    // What is real already is followed from where it is.
    let output = start(&stack, "NoScriptExecutions").end();
    fired(&output, &["silent", "firing", "received", "notified"]);
    assert!(output.stderr.contains("it is real"), "{output}");
    assert_eq!(jobs(&stack), ["real"]);
}

#[test]
fn what_is_there_for_real_or_switched_off_is_refused() {
    let stack = stack("refused", "rules:\n  disabled: [CircuitBreakerStuckOpen]\n");
    let output = stack.run(&["rules", "simulate", "CircuitBreakerStuckOpen"]).code(1);
    output.says(&["the rule `CircuitBreakerStuckOpen` is not loaded", "rules.disabled"]);
    stack.push("moko_circuit_breaker_state{service=\"db\"}", "1");
    eventually("the real alert", || {
        let state = state(&stack, "CircuitBreakerOpen");
        when(state != "inactive", state)
    });
    let output = stack.run(&["rules", "simulate", "CircuitBreakerOpen", "--output", "json"]).code(1);
    assert_eq!(output.json()["error"]["code"], "already_firing");
    assert_eq!(output.json()["error"]["causes"][0], "it is real: Circuit breaker of db is open");
    assert_eq!(jobs(&stack), ["e2e"]);
}

#[test]
fn an_interrupt_cleans_up_and_what_a_kill_leaves_is_removed_later() {
    let stack = stack("stopped", "# ten minutes until it fires\n");
    let alert = "CircuitBreakerStuckOpen";
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let mut running = stack.start(&["rules", "simulate", alert]);
        running.until("pending");
        running.signal(signal);
        let output = running.end();
        assert_eq!((output.code, jobs(&stack)), (code, Vec::new()), "{output}");
        output.says(&["`rules simulate` was interrupted", "taken away again"]);
        ends(&stack, alert);
    }
    let mut killed = stack.start(&["rules", "simulate", alert]);
    killed.until("pending");
    // Beside one that runs there is no second, and nothing of it is removed.
    let output = stack.run(&["rules", "simulate", alert]).code(4);
    output.says(&["`CircuitBreakerStuckOpen` is being simulated already"]);
    let output = stack.run(&["rules", "simulate", "--clean"]).code(0);
    assert_eq!(output.stdout, "no simulation has left anything in the Pushgateway\n");
    killed.signal("KILL");
    killed.end();
    assert_eq!(jobs(&stack), ["moko_mon_simulation"]);
    let output = stack.run(&["rules", "simulate", "--clean"]).code(0);
    assert_eq!(output.stdout, "removed what simulations had left: CircuitBreakerStuckOpen\n");
    assert_eq!(jobs(&stack), Vec::<String>::new());
    ends(&stack, alert);

    // The next simulation, of whatever alert, does the same.
    let mut killed = stack.start(&["rules", "simulate", alert]);
    killed.until("scraped");
    killed.signal("KILL");
    killed.end();
    let output = stack.run(&["rules", "simulate", "SecurityFindingsDetected"]).code(0);
    assert_eq!(jobs(&stack), Vec::<String>::new());
    output.says(&["removed what an earlier simulation of `CircuitBreakerStuckOpen` had left"]);
}

/// A webhook on this machine that takes messages, or refuses them.
struct Webhook {
    port: u16,
    takes: Arc<AtomicBool>,
}

impl Webhook {
    fn start() -> Self {
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let takes = Arc::new(AtomicBool::new(true));
        let shared = Arc::clone(&takes);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut reader = BufReader::new(stream);
                let mut length = 0;
                let mut line = String::new();
                while reader.read_line(&mut line).is_ok_and(|count| count > 2) {
                    if let Some(value) = line.to_lowercase().strip_prefix("content-length: ") {
                        length = value.trim().parse().unwrap();
                    }
                    line.clear();
                }
                let _ = reader.read_exact(&mut vec![0; length]);
                let status = if shared.load(Ordering::SeqCst) { "200 OK" } else { "503 No" };
                let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                let _ = reader.into_inner().write_all(answer.as_bytes());
            }
        });
        Self { port, takes }
    }
}

#[test]
fn a_receiver_is_told_or_it_is_said_why_not() {
    let stack = stack("told", SOON);
    let webhook = Webhook::start();
    // Receivers are not a setting yet, so the configuration is changed behind moko-mon's back.
    let gateway = inspect("network", &stack.name)["IPAM"]["Config"][0]["Gateway"].as_str().unwrap().to_owned();
    let configuration = format!(
        "route: {{receiver: ops, group_by: [alertname], group_wait: 1s, group_interval: 2s}}\n\
         receivers: [{{name: ops, webhook_configs: [{{url: 'http://{gateway}:{}/', send_resolved: false}}]}}]\n",
        webhook.port
    );
    put_file(&stack.container("alertmanager"), "/etc/alertmanager", "alertmanager.yml", &configuration);
    docker(&["kill", "--signal", "HUP", &stack.container("alertmanager")]);
    let status = format!("{}/api/v2/status", stack.url("alertmanager"));
    eventually("the reload", || {
        let seen = http::get(&status).1;
        when(seen.contains("receiver: ops"), seen)
    });

    let output = start(&stack, "CircuitBreakerOpen").end();
    let data = fired(&output, &["scraped", "pending", "firing", "received", "notified"]);
    assert_eq!(data["notified"], json!({"outcome": "told", "receivers": ["ops"], "integrations": ["webhook"]}));

    webhook.takes.store(false, Ordering::SeqCst);
    let output = start(&stack, "CriticalAPIRateLimitUsage").end();
    assert_eq!((output.code, &output.json()["error"]["code"]), (1, &json!("not_fired")), "{output}");
    let causes = output.json()["error"]["causes"].to_string();
    assert!(causes.contains("Alertmanager did not tell the receivers within"), "{output}");
    assert!(causes.contains("`webhook` was called without success"), "{output}");
    assert_eq!(jobs(&stack), Vec::<String>::new());

    let silence = json!({
        "matchers": [{"name": "alertname", "value": "CircuitBreakerStuckOpen", "isRegex": false, "isEqual": true}],
        "startsAt": "2020-01-01T00:00:00Z", "endsAt": "2099-01-01T00:00:00Z", "createdBy": "e2e", "comment": "e2e",
    });
    let url = format!("{}/api/v2/silences", stack.url("alertmanager"));
    let (code, id) = http::request("POST", &url, None, Some(&silence.to_string()));
    assert_eq!(code, 200, "{id}");
    let id = serde_json::from_str::<Value>(&id).unwrap()["silenceID"].as_str().unwrap().to_owned();
    let output = start(&stack, "CircuitBreakerStuckOpen").end();
    let data = fired(&output, &["scraped", "pending", "firing", "received", "quiet"]);
    assert_eq!(data["notified"], json!({"outcome": "quiet", "reason": format!("silenced by {id}")}));
    assert!(output.json()["warnings"][0].as_str().unwrap().contains("nobody is told"), "{output}");
}
