//! The real promtool and amtool on what is generated from every setting.

use std::process::{Command, Stdio};

use crate::support::docker::docker;
use crate::support::stack::image;
use crate::support::{Output, Stack};

/// Runs a tool of an image on a folder of a container, copied.
fn check(stack: &Stack, component: &str, folder: &str, command: &[&str]) {
    let archive = Command::new("docker")
        .args(["cp", &format!("{}:{folder}", stack.container(component)), "-"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(archive.status.success());
    // As root and in a folder of its own: what is checked is the text, not who may read it.
    let parent = folder.rsplit_once('/').unwrap().0;
    let label = format!("moko-mon.project={}", stack.name);
    let mut arguments = vec!["create", "--network", "none", "--label", &label, "--label", "moko-mon.check=true"];
    let image = image(component);
    arguments.extend(["--user", "0", "--entrypoint", command[0], &image]);
    arguments.extend(&command[1..]);
    let id = docker(&arguments);
    let mut copy =
        Command::new("docker").args(["cp", "-", &format!("{id}:{parent}")]).stdin(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut copy.stdin.take().unwrap(), &archive.stdout).unwrap();
    assert!(copy.wait().unwrap().success());
    let output = Command::new("docker").args(["start", "--attach", &id]).output().unwrap();
    let output = Output::of(command.join(" "), output);
    docker(&["rm", &id]);
    assert_eq!(output.code, 0, "{output}");
    assert!(format!("{output}").contains("SUCCESS"), "{output}");
}

#[test]
fn promtool_and_amtool_accept_what_is_made_from_every_setting() {
    let stack = Stack::without_grafana("tools");
    for name in ["password", "token", "mimir"] {
        stack.write(&format!("secrets/{name}"), "a-secret\n");
    }
    stack.write(
        "rules/mine.yml",
        "groups:\n  - name: mine\n    interval: 30s\n    rules:\n      - alert: Mine\n        expr: up == 0\n        for: 5m\n        labels:\n          severity: warning\n        annotations:\n          summary: \"{{ $labels.instance }} is down\"\n",
    );
    stack.config(
        "prometheus:
  memory: 768MiB
  retention:
    time: 30d
    size: 5GB
  external_labels:
    site: 'it''s: here'
    cluster: a$b
  remote_write:
    - url: https://mimir.example.com/api/v1/push
      name: mimir
      basic_auth:
        username: moko
        password_file: secrets/mimir
      write_relabel_configs:
        - source_labels: [__name__]
          regex: 'go_.*'
          action: drop
targets:
  - job: plain
    address: exporter.example.com:9100
    labels:
      team: 'yes'
      quote: '\"double\" and ''single'''
  - job: plain
    address: '[2001:db8::1]:9100'
  - job: plain
    address: localhost:9101
    metrics_path: /custom/metrics
  - job: tls
    address: https://ci.example.com:443/metrics
    bearer_token_file: secrets/token
  - job: basic
    address: 127.0.0.1:9102
    scheme: https
    basic_auth:
      username: 'us:er'
      password_file: secrets/password
rules:
  extra:
    - rules/*.yml
",
    );
    stack.up();
    check(
        &stack,
        "prometheus",
        "/etc/prometheus",
        &["/bin/promtool", "check", "config", "/etc/prometheus/prometheus.yml"],
    );
    check(
        &stack,
        "alertmanager",
        "/etc/alertmanager",
        &["/bin/amtool", "check-config", "/etc/alertmanager/alertmanager.yml"],
    );
    stack.sample("up{job=\"plain\",team=\"yes\"}");
    assert_eq!(stack.plan(), Vec::<String>::new());
}
