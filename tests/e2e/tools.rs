//! The real promtool and amtool on what is generated from every setting.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::stack::image;
use crate::support::{Output, Stack, docker};

/// Runs a tool of an image in the running container's own volumes, as the server's user reads them.
fn check(stack: &Stack, component: &str, command: &[&str]) {
    let label = format!("moko-mon.project={}", stack.name);
    let (image, volumes) = (image(component), format!("{}:ro", stack.container(component)));
    let output = Command::new("docker")
        .args(["run", "--rm", "--network", "none", "--label", &label, "--volumes-from", &volumes])
        .args(["--user", "65534:65534", "--entrypoint", command[0], &image])
        .args(&command[1..])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let output = Output::of(command.join(" "), &output);
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
    check(&stack, "prometheus", &["/bin/promtool", "check", "config", "/etc/prometheus/prometheus.yml"]);
    check(&stack, "alertmanager", &["/bin/amtool", "check-config", "/etc/alertmanager/alertmanager.yml"]);
    stack.sample("up{job=\"plain\",team=\"yes\"}");
    assert_eq!(stack.plan(), Vec::<String>::new());
    // Asked to stop, Prometheus tries for a minute to send what nobody takes.
    docker(&["kill", &stack.container("prometheus")]);
}

/// The bundled unit tests of the alert rules, by the promtool of the image.
#[test]
fn every_alert_fires_and_stays_silent_as_its_unit_tests_say() {
    test_rules(&repository(), "tests/rules");
    test_rules(&repository(), "tests/rules-canary");
}

/// The same with every number in the rules changed by settings.
#[test]
fn every_alert_obeys_its_settings() {
    let folder = repository().join("tests/rules-adjusted");
    let sources = moko_mon::config::Sources { directory: folder.clone(), ..Default::default() };
    let config = moko_mon::config::resolve(&sources).unwrap().config;
    let both = [&config, &moko_mon::config::defaults().unwrap()];
    let [adjusted, default] = both.map(|config| serde_json::to_value(&config.rules.thresholds).unwrap());
    for (group, keys) in default.as_object().unwrap() {
        for (key, value) in keys.as_object().unwrap() {
            assert_ne!(&adjusted[group][key], value, "{group}.{key} has its default");
        }
    }
    let scratch = tempfile::tempdir().unwrap();
    std::fs::create_dir(scratch.path().join("tests")).unwrap();
    for name in ["scripts.yml", "stack.yml"] {
        std::fs::copy(folder.join(name), scratch.path().join("tests").join(name)).unwrap();
    }
    for (name, text) in moko_mon::rules::files(&config) {
        std::fs::write(scratch.path().join("tests").join(name), text).unwrap();
    }
    let rules = ["alerts-config.yml", "stack-alerts.yml"].map(|name| format!("/data/tests/{name}"));
    let rules = rules.each_ref().map(String::as_str);
    promtool(scratch.path(), &[&["check", "rules"], rules.as_slice()].concat());
    promtool(scratch.path(), &["test", "rules", "/data/tests/scripts.yml", "/data/tests/stack.yml"]);
}

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All test files of a folder below `root`.
fn test_rules(root: &Path, folder: &str) {
    let files = std::fs::read_dir(root.join(folder)).unwrap();
    let mut files: Vec<String> =
        files.map(|file| format!("/data/{folder}/{}", file.unwrap().file_name().display())).collect();
    files.sort();
    assert!(!files.is_empty());
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    promtool(root, &[&["test", "rules"], files.as_slice()].concat());
}

/// Runs the image's promtool with a folder of this host at `/data`.
pub(crate) fn promtool(folder: &Path, command: &[&str]) {
    let output = Command::new("docker")
        .args(["run", "--rm", "--network", "none", "--user", "0", "-v", &format!("{}:/data:ro", folder.display())])
        .args(["--entrypoint", "/bin/promtool", &image("prometheus")])
        .args(command)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let output = Output::of(format!("promtool {}", command.join(" ")), &output);
    assert_eq!(output.code, 0, "{output}");
}
