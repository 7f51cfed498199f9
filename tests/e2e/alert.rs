//! `alert` on a real Alertmanager, with services that take a message, refuse it, and never answer.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Stack, eventually, when};

/// A web service on every address of the host; the path says how it answers: `/ok`, `/500`, `/never`.
struct Sink {
    port: u16,
    taken: Arc<Mutex<Vec<String>>>,
}

impl Sink {
    fn start() -> Self {
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let (port, taken) = (listener.local_addr().unwrap().port(), Arc::<Mutex<Vec<String>>>::default());
        let shared = Arc::clone(&taken);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || answer(&stream, &shared));
            }
        });
        Self { port, taken }
    }

    /// The messages that came to a path.
    fn messages(&self, path: &str) -> Vec<Value> {
        let taken = self.taken.lock().unwrap();
        let bodies = taken.iter().filter_map(|all| all.strip_prefix(path));
        bodies.map(|body| serde_json::from_str(body).unwrap()).collect()
    }
}

fn answer(stream: &TcpStream, taken: &Mutex<Vec<String>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut first, mut length) = (String::new(), 0);
        reader.read_line(&mut first).ok().filter(|count| *count > 0)?;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let path = first.split(' ').nth(1)?;
        taken.lock().unwrap().push(format!("{path}{}", String::from_utf8(body).ok()?));
        if path.starts_with("/never") {
            sleep(Duration::from_secs(60));
        }
        let status = if path.starts_with("/500") { "500 No" } else { "200 OK" };
        let mut stream = stream;
        stream.write_all(format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nno").as_bytes()).ok()?;
    }
}

fn deliveries(data: &Value) -> Vec<String> {
    let word = |of: &Value, key: &str| of[key].as_str().unwrap_or("-").to_owned();
    let all = data["deliveries"].as_array().unwrap().iter();
    all.map(|of| ["receiver", "integration", "outcome"].map(|key| word(of, key)).join(" ")).collect()
}

#[test]
fn receivers_are_tested_alerts_are_sent_listed_and_silenced() {
    let (stack, sink) = (Stack::without_grafana("alert"), Sink::start());
    let url = format!("http://localhost:{}", sink.port);
    stack.config(&format!(
        "receivers:
  - {{name: good, webhook: {{url: '{url}/ok'}}}}
  - {{name: bad, webhook: {{url: '{url}/500/in-path'}}}}
  - {{name: gone, webhook: {{url: '{url}/never/in-path'}}}}
notify:
  critical: [good]
  warning: [bad]
  info: []
  default: []
"
    ));
    // Who is told can be said before anything runs.
    let routes = stack.run(&["alert", "routes", "alertname=CircuitBreakerStuckOpen", "service=db", "--output", "json"]);
    let routes = routes.code(0).json()["data"].clone();
    assert_eq!(
        (&routes["receivers"][0]["name"], &routes["filled_in"]["severity"]),
        (&"good".into(), &"critical".into())
    );
    assert_eq!(stack.run(&["alert", "routes", "alertname=X", "severity=info"]).code, 1);
    stack.up();

    // One message arrives, and no second one when the test is over.
    let test = stack.run(&["alert", "test", "good", "--output", "json"]).code(0).json()["data"].clone();
    assert_eq!(deliveries(&test), ["good webhook delivered"]);
    eventually("the test is over", || {
        let alerts =
            stack.run(&["alert", "list", "--all", "--output", "json"]).code(0).json()["data"]["alerts"].clone();
        let tests = alerts.as_array().unwrap().iter().filter(|alert| alert["labels"]["alertname"] == "MokoMonTest");
        when(tests.count() == 0, &alerts)
    });
    // Alertmanager looks again once a second.
    sleep(Duration::from_secs(3));
    let messages = sink.messages("/ok");
    assert_eq!(messages.len(), 1, "{messages:#?}");
    assert_eq!(messages[0]["status"], "firing");
    assert!(messages[0]["alerts"][0]["annotations"]["summary"].as_str().unwrap().contains("nothing is wrong"));

    // Each receiver says for itself what became of its message; no address shows its path.
    let test = stack.run(&["alert", "test", "--all"]).code(1);
    for line in [
        "`bad` by webhook: failed: unexpected status code 500: no",
        "`gone` by webhook: failed: no answer in time (context deadline exceeded)",
        "error: 2 of 3 test messages were not delivered",
    ] {
        assert!(test.stderr.contains(line), "{line}\n{test}");
    }
    assert!(test.stdout.contains("good      webhook      delivered"), "{test}");
    assert!(!format!("{test}").contains("in-path"), "{test}");
    // What fails is not tried again and again.
    let tries = sink.messages("/never/in-path").len();
    sleep(Duration::from_secs(3));
    assert_eq!(sink.messages("/never/in-path").len(), tries);

    // A silence keeps a test quiet, and says so.
    let silence =
        ["alert", "silence", "add", "severity=none", "--for", "1h", "--comment", "maintenance", "--output", "json"];
    let id = stack.run(&silence).code(0).json()["data"]["id"].as_str().unwrap().to_owned();
    let quiet = stack.run(&["alert", "test", "good", "--output", "json"]).code(1).json();
    assert_eq!(deliveries(&quiet["data"]), ["good webhook quiet"]);
    assert_eq!(quiet["data"]["deliveries"][0]["error"], format!("the silence {id} keeps it quiet"));
    let list = stack.run(&["alert", "silence", "list"]).code(0);
    assert!(list.stdout.contains("severity=\"none\"") && list.stdout.contains("maintenance"), "{list}");
    stack.run(&["alert", "silence", "expire", &id[..8]]).code(0);
    let list = stack.run(&["alert", "silence", "list"]).code(0);
    assert!(!list.stdout.contains(&id), "{list}");
    assert!(stack.run(&["alert", "silence", "list", "--expired"]).code(0).stdout.contains(&id));

    // An alert by hand takes the real way.
    let sent = [
        "alert",
        "send",
        "alertname=Mine",
        "severity=critical",
        "--annotation",
        "summary=It broke",
        "--output",
        "json",
    ];
    let sent = stack.run(&sent).code(0).json()["data"].clone();
    assert_eq!((&sent["receivers"], &sent["told"]), (&serde_json::json!(["good"]), &true.into()), "{sent:#}");
    let list = stack.run(&["alert", "list"]).code(0);
    let line = list.stdout.lines().find(|line| line.starts_with("Mine")).unwrap_or_default();
    assert!(line.contains("critical") && line.contains("good") && line.ends_with("It broke"), "{list}");
    stack.run(&["alert", "send", "alertname=Mine", "severity=critical", "--resolve"]).code(0);
    eventually("it has ended", || {
        let list = stack.run(&["alert", "list"]).code(0).stdout;
        when(!list.contains("Mine"), list)
    });
    let none = stack.run(&["alert", "send", "alertname=Mine", "severity=critical", "--resolve"]).code(1);
    assert!(none.stderr.contains("Alertmanager holds no alert Mine{severity=\"critical\"}"), "{none}");
}
