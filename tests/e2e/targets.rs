//! The user's own targets.

use crate::support::docker::{attempt, file};
use crate::support::exporter::Exporter;
use crate::support::{Stack, eventually, http, when};

/// What `printf '%s' user:password | base64` says.
const BASIC: &str = "Basic dXNlcjpodW50ZXIy";

#[test]
fn a_target_on_this_host_is_scraped_after_a_reload_and_keeps_its_own_address() {
    let stack = Stack::without_grafana("target");
    stack.up();
    let before = stack.lives();
    let exporter = Exporter::start("");
    let address = format!("localhost:{}", exporter.port);
    stack.config(&format!("targets:\n  - job: mine\n    address: {address}\n    labels:\n      team: platform\n"));
    assert_eq!(
        stack.plan(),
        [
            "prometheus write /etc/prometheus/prometheus.yml".to_owned(),
            format!("prometheus reload {}", stack.container("prometheus")),
            format!("prometheus wait {}", stack.container("prometheus")),
        ]
    );
    stack.up();
    assert_eq!(stack.touched(&before), Vec::<String>::new());
    let sample = stack.sample("e2e_answer");
    let labels = &sample["metric"];
    assert_eq!(
        (&labels["job"], &labels["instance"], &labels["team"]),
        (&"mine".into(), &address.clone().into(), &"platform".into())
    );
    assert_eq!(stack.plan(), Vec::<String>::new());

    // Taken out again, it is gone: the file alone changes once more.
    stack.config("# nothing\n");
    stack.up();
    assert_eq!(stack.touched(&before), Vec::<String>::new());
    eventually("the target is gone", || {
        let targets = http::get(&format!("{}/api/v1/targets", stack.url("prometheus"))).1;
        when(targets.contains("alertmanager:9093") && !targets.contains(&address), targets)
    });
}

#[test]
fn a_target_behind_a_login_is_scraped_and_a_changed_secret_alone_is_delivered() {
    let stack = Stack::without_grafana("login");
    let (basic, bearer) = (Exporter::start(BASIC), Exporter::start("Bearer first-token"));
    stack.write("secrets/password", "hunter2\n");
    stack.write("secrets/token", "first-token\n");
    stack.config(&format!(
        "targets:
  - job: basic
    address: localhost:{}
    basic_auth:
      username: user
      password_file: secrets/password
  - job: bearer
    address: http://127.0.0.1:{}/metrics
    bearer_token_file: secrets/token
",
        basic.port, bearer.port
    ));
    stack.up();
    stack.sample("up{job=\"basic\"} == 1");
    stack.sample("up{job=\"bearer\"} == 1");
    let container = stack.container("prometheus");
    for (name, text) in [("password", "hunter2"), ("token", "first-token")] {
        let found = file(&container, &format!("/run/secrets/moko-mon/{name}"));
        assert_eq!(found, (0o400, 65534, 65534, text.to_owned()));
        assert!(!stack.inspect("prometheus").to_string().contains(text));
        assert!(!attempt(&["logs", &container]).to_string().contains(text));
    }
    assert_eq!(stack.plan(), Vec::<String>::new());

    let before = stack.lives();
    bearer.want("Bearer second-token");
    stack.sample("up{job=\"bearer\"} == 0");
    stack.write("secrets/token", "second-token\n");
    let plan = stack.plan();
    assert_eq!(plan[0], "prometheus write /run/secrets/moko-mon/token");
    let output = stack.up();
    // Prometheus 3.5.3 keeps the token that it read at its start, reload or not, so it is started again.
    assert_eq!(stack.touched(&before), ["prometheus"]);
    assert_eq!(file(&container, "/run/secrets/moko-mon/token"), (0o400, 65534, 65534, "second-token".to_owned()));
    stack.sample("up{job=\"bearer\"} == 1");
    assert!(!format!("{output}").contains("second-token"), "{output}");

    // Not wanted any more, nothing of it stays in the volume.
    stack.config("# nothing\n");
    stack.up();
    eventually("an empty secret", || {
        let left = file(&container, "/run/secrets/moko-mon/token").3;
        when(left.is_empty(), "not empty")
    });
    assert_eq!(stack.plan(), Vec::<String>::new());
}
