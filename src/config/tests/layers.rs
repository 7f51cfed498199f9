//! Defaults, file, environment and flags, one above the other.

use std::path::PathBuf;

use super::super::*;
use super::{Case, mode};

/// Every setting as `key = value (origin)`.
fn listing(case: &Case) -> String {
    let lines = case.resolved().settings.into_iter();
    lines.map(|s| format!("{} = {} ({})", s.key, s.value, s.origin)).collect::<Vec<_>>().join("\n")
}

#[test]
#[expect(clippy::too_many_lines, reason = "a line for each setting")]
fn every_setting_has_a_default() {
    insta::assert_snapshot!(listing(&Case::empty()), @r#"
    project = "moko-mon" (default)
    bind = "127.0.0.1" (default)
    images.registry = null (default)
    images.pull = "missing" (default)
    prometheus.port = 9090 (default)
    prometheus.image = null (default)
    prometheus.memory = "1GiB" (default)
    prometheus.scrape_interval = "15s" (default)
    prometheus.evaluation_interval = "15s" (default)
    prometheus.retention.time = "15d" (default)
    prometheus.retention.size = "10GB" (default)
    prometheus.external_labels = {} (default)
    prometheus.remote_write = [] (default)
    alertmanager.port = 9093 (default)
    alertmanager.image = null (default)
    alertmanager.memory = "128MiB" (default)
    alertmanager.external_url = null (default)
    pushgateway.port = 9091 (default)
    pushgateway.image = null (default)
    pushgateway.memory = "128MiB" (default)
    grafana.enabled = true (default)
    grafana.port = 3000 (default)
    grafana.image = null (default)
    grafana.memory = "512MiB" (default)
    grafana.external_url = null (default)
    grafana.dashboards = [] (default)
    targets = [] (default)
    rules.extra = [] (default)
    rules.disabled = [] (default)
    rules.runbooks = "https://github.com/mokoconsulting-tech/moko-mon/blob/main/docs/runbooks" (default)
    rules.thresholds.script_failures.window = "1h" (default)
    rules.thresholds.script_failures.minimum_runs = 10 (default)
    rules.thresholds.script_failures.warning_ratio = 0.05 (default)
    rules.thresholds.script_failures.warning_for = "5m" (default)
    rules.thresholds.script_failures.critical_ratio = 0.2 (default)
    rules.thresholds.script_failures.critical_for = "2m" (default)
    rules.thresholds.script_failures.keep_firing_for = "10m" (default)
    rules.thresholds.script_duration.window = "1h" (default)
    rules.thresholds.script_duration.limit = "5m" (default)
    rules.thresholds.script_duration.for = "5m" (default)
    rules.thresholds.script_duration.keep_firing_for = "10m" (default)
    rules.thresholds.api_quota.warning_ratio = 0.9 (default)
    rules.thresholds.api_quota.warning_for = "2m" (default)
    rules.thresholds.api_quota.critical_ratio = 0.95 (default)
    rules.thresholds.api_quota.critical_for = "1m" (default)
    rules.thresholds.api_quota_reset.before = "5m" (default)
    rules.thresholds.api_quota_reset.remaining_ratio = 0.1 (default)
    rules.thresholds.api_quota_reset.for = "30s" (default)
    rules.thresholds.circuit_breaker.open_for = "30s" (default)
    rules.thresholds.circuit_breaker.stuck_for = "10m" (default)
    rules.thresholds.security_findings.window = "15m" (default)
    rules.thresholds.security_findings.known_for = "1d" (default)
    rules.thresholds.no_executions.silence = "15m" (default)
    rules.thresholds.no_executions.for = "1m" (default)
    rules.thresholds.target_down.for = "2m" (default)
    rules.thresholds.not_recording.silence = "10m" (default)
    rules.thresholds.not_recording.for = "1m" (default)
    rules.thresholds.reload_failed.for = "1m" (default)
    rules.thresholds.rule_evaluation.window = "5m" (default)
    rules.thresholds.rule_evaluation.for = "5m" (default)
    rules.thresholds.notifications.window = "5m" (default)
    rules.thresholds.notifications.for = "5m" (default)
    rules.thresholds.delivery.window = "15m" (default)
    rules.thresholds.delivery.for = "1m" (default)
    rules.thresholds.push_failed.for = "1m" (default)
    rules.thresholds.push_refused.window = "15m" (default)
    rules.thresholds.push_stale.age = "26h" (default)
    rules.thresholds.push_stale.for = "1m" (default)
    rules.thresholds.storage.ratio = 0.9 (default)
    rules.thresholds.storage.for = "15m" (default)
    receivers = [] (default)
    notify.critical = null (default)
    notify.warning = null (default)
    notify.info = null (default)
    notify.default = null (default)
    notify.teams = {} (default)
    notify.components = {} (default)
    notify.owners = {} (default)
    notify.jobs = {} (default)
    notify.quiet_hours = [] (default)
    notify.group_by = [] (default)
    notify.group_wait = "30s" (default)
    notify.group_interval = "5m" (default)
    notify.repeat_interval = "12h" (default)
    routes = [] (default)
    heartbeat.url = null (default)
    heartbeat.url_file = null (default)
    heartbeat.url_env = null (default)
    heartbeat.every = "1m" (default)
    push.url = null (default)
    push.job = "moko_scripts" (default)
    push.instance = null (default)
    push.username = null (default)
    push.password_file = null (default)
    push.token_file = null (default)
    push.ca_file = null (default)
    push.timeout = "2s" (default)
    push.state_dir = null (default)
    push.textfile_dir = null (default)
    jobs = [] (default)
    checks = [] (default)
    "#);
    assert_eq!(defaults().unwrap(), Case::empty().config());
}

#[test]
fn the_stronger_source_wins_and_is_named() {
    let case =
        Case::new("project: from-file\nbind: 127.0.0.2\nprometheus:\n  port: 1111\n  external_labels:\n    a: b\n")
            .variable("MOKO_MON_BIND", "127.0.0.3")
            .variable("MOKO_MON_PROMETHEUS_PORT", "2222")
            .variable("MOKO_MON_PROMETHEUS_RETENTION_TIME", "1d")
            .variable("PATH", "/bin")
            .flag("--set prometheus.port=3333", "prometheus.port", "3333")
            .flag("--set prometheus.port=4444", "prometheus.port", "4444");
    let changed: Vec<String> =
        listing(&case).lines().filter(|line| !line.ends_with("(default)")).map(str::to_owned).collect();
    insta::assert_snapshot!(changed.join("\n"), @r#"
    project = "from-file" (moko-mon.yaml:1)
    bind = "127.0.0.3" (MOKO_MON_BIND)
    prometheus.port = 4444 (--set prometheus.port)
    prometheus.retention.time = "1d" (MOKO_MON_PROMETHEUS_RETENTION_TIME)
    prometheus.external_labels = {"a":"b"} (moko-mon.yaml:5)
    "#);
    assert_eq!(case.config().prometheus.server.port, 4444);
}

#[test]
fn what_is_wrong_in_the_environment_and_in_flags() {
    let case = Case::new("project: abc\n")
        .variable("MOKO_MON_PROJCT", "x")
        .variable("MOKO_MON_BIND", "")
        .variable("MOKO_MON_TARGETS", "a:1")
        .variable("MOKO_MON_PROMETHEUS_EXTERNAL_LABELS", "a")
        .variable("MOKO_MON_PROMETHEUS_PORT", "9_0")
        .variable("MOKO_MON_GRAFANA_ENABLED", "yes")
        .variable("MOKO_MON_GRAFANA_ADMIN_PASSWORD", "hunter2")
        .variable("MOKO_MON_OUTPUT", "json")
        .flag("--set grafana.password=hunter2", "grafana.password", "hunter2")
        .flag("--project", "project", "X")
        .flag("--set rules.extra=x", "rules.extra", "x");
    insta::assert_snapshot!(case.problems(), @r#"
    environment variable MOKO_MON_BIND: bind: the value is empty; expected an IP address such as `127.0.0.1`
    environment variable MOKO_MON_GRAFANA_ADMIN_PASSWORD: no setting has this name; expected `MOKO_MON_` and a key in capitals, with `_` for each dot
    environment variable MOKO_MON_GRAFANA_ENABLED: grafana.enabled: `yes` is neither `true` nor `false`; expected `true` or `false`
    environment variable MOKO_MON_PROJCT: no setting has this name (did you mean `MOKO_MON_PROJECT`?); expected `MOKO_MON_` and a key in capitals, with `_` for each dot
    environment variable MOKO_MON_PROMETHEUS_EXTERNAL_LABELS: prometheus.external_labels: a mapping cannot be set here; expected it in moko-mon.yaml
    environment variable MOKO_MON_PROMETHEUS_PORT: prometheus.port: `9_0` is not a port; expected a whole number from 1 to 65535
    environment variable MOKO_MON_TARGETS: targets: a list cannot be set here; expected it in moko-mon.yaml
    flag --set grafana.password: unknown key `grafana.password`; expected a key from `moko-mon config schema`
    flag --project: project: `X` is not a project name; expected 2 to 31 of `a-z`, `0-9` and `-`, starting with a letter
    flag --set rules.extra: rules.extra: a list cannot be set here; expected it in moko-mon.yaml
    "#);
}

#[test]
fn the_file_is_found_by_flag_variable_or_name() {
    let mut case =
        Case::new("project: found\n").file("other.yaml", "project: other\n").file("conf/x.yaml", "project: third\n");
    assert_eq!(case.config().project, "found");
    assert_eq!(case.resolved().file, Some(case.path().join("moko-mon.yaml")));
    case = case.variable("MOKO_MON_CONFIG", "other.yaml");
    assert_eq!(case.config().project, "other");
    case.sources.file = Some(PathBuf::from("conf/x.yaml"));
    assert_eq!(case.config().project, "third");
    assert_eq!(case.resolved().settings[0].origin.to_string(), "conf/x.yaml:1");
    assert_eq!(Case::empty().resolved().file, None);
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_read() {
    let named = |name: &str| {
        let mut case = Case::empty();
        case.sources.file = Some(PathBuf::from(name));
        case
    };
    let mut all = vec![
        named("missing.yaml").problems(),
        named(".").problems(),
        named("/dev/zero").problems(),
        named("").problems(),
    ];
    let case = named("pipe");
    let made = std::process::Command::new("mkfifo").arg(case.path().join("pipe")).status().unwrap();
    assert!(made.success());
    all.push(case.problems());
    let case = Case::empty();
    std::os::unix::fs::symlink("nowhere", case.path().join("moko-mon.yaml")).unwrap();
    all.push(case.problems());
    all.push(Case::empty().file("moko-mon.yaml/x", "").problems());
    all.push(Case::empty().variable("MOKO_MON_CONFIG", "").problems());
    insta::assert_snapshot!(all.join("\n"), @r#"
    missing.yaml: the file does not exist; expected a configuration file of at most 256 KiB
    .: the file is a directory; expected a configuration file of at most 256 KiB
    /dev/zero: the file is not a regular file; expected a configuration file of at most 256 KiB
    flag --config: the value is empty; expected a configuration file of at most 256 KiB
    pipe: the file is not a regular file; expected a configuration file of at most 256 KiB
    moko-mon.yaml: the file does not exist; expected a configuration file of at most 256 KiB
    moko-mon.yaml: the file is a directory; expected a configuration file of at most 256 KiB
    environment variable MOKO_MON_CONFIG: the value is empty; expected a configuration file of at most 256 KiB
    "#);
    let case = Case::new("project: abc\n");
    mode(&case.path().join("moko-mon.yaml"), 0);
    // Root reads everything.
    if std::fs::read(case.path().join("moko-mon.yaml")).is_err() {
        assert!(case.problems().contains("permission denied"));
    }
}

#[test]
fn the_project_alone_is_known_even_when_the_rest_is_wrong() {
    let wrong = || Case::new("project: abc\nprometheus: {port: 0}\nrules: {extra: [none]}\nx: y\n");
    let (name, warnings) = project(&wrong().sources).unwrap();
    assert_eq!(name, "abc");
    assert_eq!(warnings, ["the configuration has 2 other problems; `moko-mon config check` lists them"]);
    let (_, warnings) = project(&Case::new("x: y\n").sources).unwrap();
    assert_eq!(warnings, ["the configuration has another problem; `moko-mon config check` shows it"]);
    assert_eq!(project(&Case::empty().sources).unwrap(), ("moko-mon".to_owned(), vec![]));
    assert_eq!(project(&wrong().flag("--project", "project", "def").sources).unwrap().0, "def");
    assert_eq!(project(&wrong().variable("MOKO_MON_PROJECT", "ghi").sources).unwrap().0, "ghi");
    assert_eq!(project(&Case::new("project: X\n").flag("--project", "project", "def").sources).unwrap().0, "def");
    let errors = [
        Case::new("project: 'abc\n"),
        Case::new("project: X\n"),
        Case::new("project: abc\nproject: def\n"),
        Case::new(""),
        Case::empty().variable("MOKO_MON_PROJECT", ""),
        Case::new("project: abc\n").flag("--project", "project", "X"),
        Case::new("project:abc\n"),
        Case::empty().variable("MOKO_MON_CONFIG", ""),
    ];
    let errors: Vec<String> = errors.iter().map(|case| project(&case.sources).unwrap_err().to_string()).collect();
    insta::assert_snapshot!(errors.join("\n\n"), @r#"
    error: the configuration has a problem
      caused by: moko-mon.yaml:1:10: a quote that is not closed, in `project: 'abc`; expected a closing quote in the same line
    hint: name the project with `--project NAME`, or mend the configuration

    error: the configuration has a problem
      caused by: moko-mon.yaml:1:10: project: `X` is not a project name; expected 2 to 31 of `a-z`, `0-9` and `-`, starting with a letter
    hint: name the project with `--project NAME`, or mend the configuration

    error: the configuration has a problem
      caused by: moko-mon.yaml:2:1: the key `project` is there twice; expected one: the first is in line 1
    hint: name the project with `--project NAME`, or mend the configuration

    error: the configuration has a problem
      caused by: moko-mon.yaml: empty config: the file has no content; expected settings, or at least a comment
    hint: name the project with `--project NAME`, or mend the configuration

    error: the configuration has a problem
      caused by: environment variable MOKO_MON_PROJECT: project: the value is empty; expected 2 to 31 of `a-z`, `0-9` and `-`, starting with a letter
    hint: name the project with `--project NAME`, or mend the configuration

    error: the configuration has a problem
      caused by: flag --project: project: `X` is not a project name; expected 2 to 31 of `a-z`, `0-9` and `-`, starting with a letter
    hint: name the project with `--project NAME`, or mend the configuration

    error: the configuration has a problem
      caused by: moko-mon.yaml:1:1: `project:abc` is a single value (a `:` needs a blank behind it); expected a mapping (`key: value` lines)
    hint: name the project with `--project NAME`, or mend the configuration

    error: the configuration has a problem
      caused by: environment variable MOKO_MON_CONFIG: the value is empty; expected a configuration file of at most 256 KiB
    hint: name the project with `--project NAME`, or mend the configuration
    "#);
    assert_eq!(project(&Case::new("project: 'abc\n").flag("--project", "project", "def").sources).unwrap().0, "def");
}

#[test]
fn a_misspelt_project_does_not_lead_to_the_default_one() {
    let cases = || {
        [
            Case::new("projct: rev1\n"),
            Case::new("project-name: rev1\n"),
            Case::new("prometheus:\n  port: 1\n  project: rev1\n"),
            Case::new("project: abc\nprojetc: def\n"),
            Case::empty().variable("MOKO_MON_PROJET", "rev1"),
            Case::new("project: abc\n").variable("MOKO_MON_PROJECT_NAME", "rev1"),
            Case::new("project: abc\n").variable("MOKO_MON_CONFG", "other.yaml"),
        ]
    };
    let flag = || Case::empty().flag("--set porject=rev1", "porject", "rev1");
    let errors: Vec<String> =
        cases().iter().chain([&flag()]).map(|case| project(&case.sources).unwrap_err().causes.join("\n")).collect();
    insta::assert_snapshot!(errors.join("\n"), @"
    moko-mon.yaml:1:1: unknown key `projct` (did you mean `project`?); expected one of `project`, `bind`, `images`, `prometheus`, `alertmanager`, `pushgateway`, `grafana`, `targets`, `rules`, `receivers`, `notify`, `routes`, `heartbeat`, `push`, `jobs` or `checks`
    moko-mon.yaml:1:1: unknown key `project-name`; expected one of `project`, `bind`, `images`, `prometheus`, `alertmanager`, `pushgateway`, `grafana`, `targets`, `rules`, `receivers`, `notify`, `routes`, `heartbeat`, `push`, `jobs` or `checks`
    moko-mon.yaml:3:3: prometheus: unknown key `project` (did you mean `project`?); expected one of `port`, `image`, `memory`, `scrape_interval`, `evaluation_interval`, `retention`, `external_labels` or `remote_write`
    moko-mon.yaml:2:1: unknown key `projetc` (did you mean `project`?); expected one of `project`, `bind`, `images`, `prometheus`, `alertmanager`, `pushgateway`, `grafana`, `targets`, `rules`, `receivers`, `notify`, `routes`, `heartbeat`, `push`, `jobs` or `checks`
    environment variable MOKO_MON_PROJET: no setting has this name (did you mean `MOKO_MON_PROJECT`?); expected `MOKO_MON_` and a key in capitals, with `_` for each dot
    environment variable MOKO_MON_PROJECT_NAME: no setting has this name; expected `MOKO_MON_` and a key in capitals, with `_` for each dot
    environment variable MOKO_MON_CONFG: no setting has this name (did you mean `MOKO_MON_CONFIG`?); expected `MOKO_MON_` and a key in capitals, with `_` for each dot
    flag --set porject: unknown key `porject` (did you mean `project`?); expected a key from `moko-mon config schema`
    ");
    let error = project(&Case::new("projct: rev1\nx: y\n").sources).unwrap_err();
    assert_eq!(error.causes.len(), 1, "{error}");
    assert_eq!(error.hint.as_deref(), Some("name the project with `--project NAME`, or mend the configuration"));
    // Who names it where nothing is stronger is believed.
    for case in cases() {
        let case = case.variable("MOKO_MON_PROJECT", "ghi");
        assert_eq!(project(&case.sources).unwrap().0, "ghi");
        assert_eq!(project(&case.flag("--project", "project", "jkl").sources).unwrap().0, "jkl");
    }
    project(&flag().variable("MOKO_MON_PROJECT", "ghi").sources).unwrap_err();
    assert_eq!(project(&flag().flag("--project", "project", "jkl").sources).unwrap().0, "jkl");
    // What only looks a little like it stays a warning.
    let case = Case::new("project: abc\nprometheu: {}\n").variable("MOKO_MON_GRAFANA_PRT", "1");
    assert_eq!(project(&case.sources).unwrap().0, "abc");
}
