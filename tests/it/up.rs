//! `up` from nothing, and again.

use serde_json::json;

use crate::support::{Lab, Status};

#[test]
fn a_fresh_up_does_everything_once_and_says_where_it_is() {
    let lab = Lab::new();
    insta::assert_snapshot!(lab.run(&["up"]).text(), @"
    exit 0
    --- stdout
    Prometheus    http://127.0.0.1:9090
    Alertmanager  http://127.0.0.1:9093
    Pushgateway   http://127.0.0.1:9091
    Grafana       http://127.0.0.1:3000

    Grafana's login is `admin`; `moko-mon status --show-secrets` shows its password
    --- stderr
    project       create    moko-mon
    prometheus    pull      prom/prometheus:v3.13.2
    prometheus    create    moko-mon-prometheus
    prometheus    write     /etc/prometheus/rules/alerts-config.yml
    prometheus    start     moko-mon-prometheus
    prometheus    wait      moko-mon-prometheus
    alertmanager  pull      prom/alertmanager:v0.34.0
    alertmanager  create    moko-mon-alertmanager
    alertmanager  write     /etc/alertmanager/messages.tmpl
    alertmanager  start     moko-mon-alertmanager
    alertmanager  wait      moko-mon-alertmanager
    pushgateway   pull      prom/pushgateway:v1.11.3
    pushgateway   create    moko-mon-pushgateway
    pushgateway   start     moko-mon-pushgateway
    pushgateway   wait      moko-mon-pushgateway
    grafana       pull      grafana/grafana:13.2.3
    grafana       create    moko-mon-grafana
    grafana       generate  /run/secrets/moko-mon/admin-password
    grafana       start     moko-mon-grafana
    grafana       wait      moko-mon-grafana
    grafana       import    data source moko-mon-prometheus
    grafana       import    folder moko-mon
    grafana       import    dashboard moko-standards-monitoring
    ");
    let shared: Vec<String> = lab
        .engine
        .writes("")
        .into_iter()
        .filter(|call| !call.contains("moko-mon-") && !call.contains("images"))
        .collect();
    assert_eq!(shared, ["POST /networks/create"]);
    insta::assert_snapshot!(lab.engine.writes("prom/prometheus").join("\n"), @"POST /images/create prom/prometheus:v3.13.2");
    insta::assert_snapshot!(lab.engine.writes("moko-mon-prometheus").join("\n"), @"
    POST /containers/create moko-mon-prometheus
    PUT /containers/moko-mon-prometheus/archive /etc/prometheus
    POST /containers/moko-mon-prometheus/start
    ");
    insta::assert_snapshot!(lab.engine.writes("moko-mon-alertmanager").join("\n"), @"
    POST /containers/create moko-mon-alertmanager
    PUT /containers/moko-mon-alertmanager/archive /etc/alertmanager
    POST /containers/moko-mon-alertmanager/start
    ");
    insta::assert_snapshot!(lab.engine.writes("moko-mon-pushgateway").join("\n"), @"
    POST /containers/create moko-mon-pushgateway
    POST /containers/moko-mon-pushgateway/start
    ");
    insta::assert_snapshot!(lab.engine.writes("moko-mon-grafana").join("\n"), @"
    POST /containers/create moko-mon-grafana
    PUT /containers/moko-mon-grafana/archive /run/secrets/moko-mon
    POST /containers/moko-mon-grafana/start
    ");
    // The network is there before the first container, and all images before the network.
    let calls = lab.engine.writes("");
    let at = |start: &str| calls.iter().position(|call| call.starts_with(start)).unwrap();
    let last_pull = calls.iter().rposition(|call| call.starts_with("POST /images/create")).unwrap();
    assert!(last_pull < at("POST /networks/create"));
    assert!(at("POST /networks/create") < at("POST /containers/create"));
    // Four chains side by side: which call arrives first is the operating system's choice.
    insta::assert_snapshot!(lab.engine.with(|state| state.inventory().join("\n")), @"
    container moko-mon-alertmanager running
    container moko-mon-grafana running
    container moko-mon-prometheus running
    container moko-mon-pushgateway running
    network moko-mon
    volume moko-mon-alertmanager-config
    volume moko-mon-alertmanager-data
    volume moko-mon-alertmanager-secrets
    volume moko-mon-grafana-data
    volume moko-mon-grafana-secrets
    volume moko-mon-prometheus-config
    volume moko-mon-prometheus-data
    volume moko-mon-prometheus-secrets
    volume moko-mon-pushgateway-data
    ");
}

#[test]
fn a_second_up_changes_nothing() {
    let lab = Lab::up();
    let before = lab.engine.with(|state| state.inventory());
    insta::assert_snapshot!(lab.run(&["up"]).text(), @"
    exit 0
    --- stdout
    nothing to do: everything runs as configured

    Prometheus    http://127.0.0.1:9090
    Alertmanager  http://127.0.0.1:9093
    Pushgateway   http://127.0.0.1:9091
    Grafana       http://127.0.0.1:3000

    Grafana's login is `admin`; `moko-mon status --show-secrets` shows its password
    --- stderr
    ");
    assert_eq!(lab.engine.writes(""), [""; 0]);
    assert_eq!(lab.engine.with(|state| state.inventory()), before);
    let writes = lab.engine.grafana_requests().into_iter().filter(|line| !line.contains(" GET ")).count();
    assert_eq!(writes, 3, "the data source, the folder and the dashboard, once each");
    insta::assert_snapshot!(lab.run(&["up", "--dry-run"]).text(), @"
    exit 0
    --- stdout
    nothing to do
    --- stderr
    ");
    let (_, envelope) = lab.json(&["up"]);
    assert_eq!(envelope["data"]["steps"], json!([]));
}

#[test]
fn a_dry_run_prints_every_step_with_its_cause_and_changes_nothing() {
    let lab = Lab::new();
    insta::assert_snapshot!(lab.run(&["up", "--dry-run"]).text(), @"
    exit 0
    --- stdout
    project       create    moko-mon                                     missing
    prometheus    pull      prom/prometheus:v3.13.2                      missing
    alertmanager  pull      prom/alertmanager:v0.34.0                    missing
    pushgateway   pull      prom/pushgateway:v1.11.3                     missing
    grafana       pull      grafana/grafana:13.2.3                       missing
    prometheus    create    moko-mon-prometheus                          missing
    prometheus    write     /etc/prometheus/rules/alerts-config.yml      missing
    prometheus    write     /etc/prometheus/rules/stack-alerts.yml       missing
    prometheus    write     /etc/prometheus/rules/canary.yml             missing
    prometheus    write     /etc/prometheus/rules/watchdog.yml           missing
    prometheus    write     /etc/prometheus/prometheus.yml               missing
    prometheus    start     moko-mon-prometheus                          missing
    prometheus    wait      moko-mon-prometheus                          until it is ready
    alertmanager  create    moko-mon-alertmanager                        missing
    alertmanager  write     /etc/alertmanager/messages.tmpl              missing
    alertmanager  write     /etc/alertmanager/alertmanager.yml           missing
    alertmanager  start     moko-mon-alertmanager                        missing
    alertmanager  wait      moko-mon-alertmanager                        until it is ready
    pushgateway   create    moko-mon-pushgateway                         missing
    pushgateway   start     moko-mon-pushgateway                         missing
    pushgateway   wait      moko-mon-pushgateway                         until it is ready
    grafana       create    moko-mon-grafana                             missing
    grafana       generate  /run/secrets/moko-mon/admin-password         missing
    grafana       generate  /run/secrets/moko-mon/secret-key             missing
    grafana       start     moko-mon-grafana                             missing
    grafana       wait      moko-mon-grafana                             until it is ready
    grafana       import    data source moko-mon-prometheus              checked once Grafana answers
    grafana       import    folder moko-mon                              checked once Grafana answers
    grafana       import    dashboard moko-standards-monitoring          checked once Grafana answers
    --- stderr
    ");
    let (output, envelope) = lab.json(&["up", "--dry-run"]);
    assert_eq!((output.code(), output.stderr.as_str()), (0, ""));
    assert_eq!(envelope["command"], "up");
    let steps = envelope["data"]["steps"].as_array().unwrap();
    assert_eq!(steps[0], json!({"component": null, "action": "create", "subject": "moko-mon", "cause": "missing"}));
    assert_eq!(
        steps[1],
        json!({"component": "prometheus", "action": "pull", "subject": "prom/prometheus:v3.13.2", "cause": "missing"})
    );
    assert_eq!(envelope["data"].as_object().unwrap().keys().collect::<Vec<_>>(), ["steps"]);
    assert_eq!(lab.engine.writes(""), [""; 0]);
    assert_eq!(lab.engine.with(|state| state.inventory()), [""; 0]);
    // A dry run takes no lock and leaves none.
    assert_eq!(std::fs::read_dir(lab.path("tmp")).unwrap().count(), 0);
}

#[test]
fn up_without_grafana_needs_no_password_and_says_nothing_of_one() {
    let lab = Lab::new();
    lab.write("moko-mon.yaml", "grafana:\n  enabled: false\n");
    insta::assert_snapshot!(lab.run(&["up"]).text(), @"
    exit 0
    --- stdout
    Prometheus    http://127.0.0.1:9090
    Alertmanager  http://127.0.0.1:9093
    Pushgateway   http://127.0.0.1:9091
    --- stderr
    project       create    moko-mon
    prometheus    pull      prom/prometheus:v3.13.2
    prometheus    create    moko-mon-prometheus
    prometheus    write     /etc/prometheus/rules/alerts-config.yml
    prometheus    start     moko-mon-prometheus
    prometheus    wait      moko-mon-prometheus
    alertmanager  pull      prom/alertmanager:v0.34.0
    alertmanager  create    moko-mon-alertmanager
    alertmanager  write     /etc/alertmanager/messages.tmpl
    alertmanager  start     moko-mon-alertmanager
    alertmanager  wait      moko-mon-alertmanager
    pushgateway   pull      prom/pushgateway:v1.11.3
    pushgateway   create    moko-mon-pushgateway
    pushgateway   start     moko-mon-pushgateway
    pushgateway   wait      moko-mon-pushgateway
    ");
    assert_eq!(lab.engine.grafana_requests(), [""; 0]);
    lab.converges();
    // Switched on later, it is added; switched off again, it goes and its data stays.
    lab.write("moko-mon.yaml", "grafana:\n  enabled: true\n");
    lab.run(&["up"]).succeeds();
    lab.converges();
    lab.write("moko-mon.yaml", "grafana:\n  enabled: false\n");
    lab.engine.forget();
    insta::assert_snapshot!(lab.run(&["up"]).errors(), @"
    project       remove    moko-mon-grafana
    prometheus    write     /etc/prometheus/rules/alerts-config.yml
    prometheus    reload    moko-mon-prometheus
    prometheus    wait      moko-mon-prometheus
    ");
    assert!(lab.engine.file("moko-mon-grafana-secrets", "admin-password").is_some());
    lab.converges();
}

#[test]
fn two_projects_live_side_by_side() {
    let lab = Lab::up();
    let other = Lab::new();
    let host = format!("unix://{}", lab.path("docker.sock").display());
    other.command(&["up", "--project", "team"]).env("DOCKER_HOST", &host).run().succeeds();
    let names = lab.engine.with(|state| state.inventory());
    assert_eq!(names.len(), 2 * (4 + 1 + 9), "{names:#?}");
    other.command(&["down", "--volumes", "--yes", "--project", "team"]).env("DOCKER_HOST", &host).run().succeeds();
    assert_eq!(lab.engine.with(|state| state.inventory()).len(), 4 + 1 + 9);
    lab.converges();
}

#[test]
fn the_json_of_up_has_the_addresses_and_what_was_done() {
    let lab = Lab::new();
    let (output, envelope) = lab.json(&["up"]);
    assert_eq!(output.code(), 0);
    assert_eq!(envelope["status"], "ok");
    let data = envelope["data"].as_object().unwrap();
    assert_eq!(data.keys().collect::<Vec<_>>(), ["project", "engine", "components", "steps", "demo"]);
    assert_eq!(
        data["components"][3],
        json!({"component": "grafana", "url": format!("http://127.0.0.1:{}", lab.ports.grafana)})
    );
    assert!(lab.engine.with(|state| state.containers.iter().all(|container| container.status == Status::Running)));
}
