//! `status` tells the truth.

use serde_json::json;

use crate::support::servers::Manner;
use crate::support::{Lab, Status};

#[test]
fn a_stack_that_runs_is_green() {
    let lab = Lab::up();
    insta::assert_snapshot!(lab.run(&["status"]).text(), @"
    exit 0
    --- stdout
    COMPONENT     STATE    READY  URL                     IMAGE
    prometheus    running  yes    http://127.0.0.1:9090  prom/prometheus:v3.13.2
    alertmanager  running  yes    http://127.0.0.1:9093  prom/alertmanager:v0.34.0
    pushgateway   running  yes    http://127.0.0.1:9091  prom/pushgateway:v1.11.3
    grafana       running  yes    http://127.0.0.1:3000  grafana/grafana:13.2.3
    --- stderr
    ");
    assert_eq!(lab.engine.writes(""), [""; 0]);
}

#[test]
fn its_json_has_exactly_the_shape_that_was_promised() {
    let lab = Lab::up();
    let (output, envelope) = lab.json(&["status"]);
    assert_eq!((output.code(), output.stderr.as_str()), (0, ""));
    let data = envelope["data"].as_object().unwrap();
    assert_eq!(data.keys().collect::<Vec<_>>(), ["project", "engine", "components"]);
    assert_eq!(data["project"], "moko-mon");
    assert_eq!(
        data["engine"],
        json!({
            "address": format!("unix://{}", lab.path("docker.sock").display()), "source": "DOCKER_HOST",
            "id": "FAKE:ENGINE", "version": "20.10.24", "api_version": "1.41",
        })
    );
    let port = lab.ports.prometheus;
    assert_eq!(
        data["components"][0],
        json!({
            "component": "prometheus", "container": "moko-mon-prometheus", "image": "prom/prometheus:v3.13.2",
            "state": "running", "ready": true, "url": format!("http://127.0.0.1:{port}"),
            "ports": [format!("127.0.0.1:{port}")], "reason": null,
        })
    );
    let keys: Vec<Vec<&String>> =
        data["components"].as_array().unwrap().iter().map(|of| of.as_object().unwrap().keys().collect()).collect();
    assert!(
        keys.iter().all(|of| of == &["component", "container", "image", "state", "ready", "url", "ports", "reason"])
    );
    assert_eq!(keys.len(), 4);
}

#[test]
fn every_state_has_its_reason() {
    let lab = Lab::up();
    lab.engine.set_status("moko-mon-prometheus", Status::Exited);
    lab.engine.set_status("moko-mon-alertmanager", Status::Restarting);
    lab.engine.with(|state| {
        let crashed = state.named("moko-mon-alertmanager").unwrap();
        crashed.restarts = 7;
        crashed.exit.code = 2;
        state.named("moko-mon-prometheus").unwrap().exit.oom = true;
    });
    lab.engine.pause("moko-mon-pushgateway");
    lab.engine.remove("moko-mon-grafana");
    insta::assert_snapshot!(lab.run(&["status"]).text(), @"
    exit 1
    --- stdout
    COMPONENT     STATE       READY  URL                     IMAGE
    prometheus    exited      no     http://127.0.0.1:9090  prom/prometheus:v3.13.2
    alertmanager  restarting  no     http://127.0.0.1:9093  prom/alertmanager:v0.34.0
    pushgateway   paused      no     http://127.0.0.1:9091  prom/pushgateway:v1.11.3
    grafana       missing     no     -                       -
    --- stderr
    error: 4 of 4 components are not ready
      caused by: prometheus: was killed for using too much memory
      caused by: alertmanager: exited with code 2, restarted 7 times
      caused by: pushgateway: is paused
      caused by: grafana: there is no container
    hint: bring the stack up with `moko-mon up`
    ");
    let (output, envelope) = lab.json(&["status"]);
    assert_eq!((output.code(), envelope["status"].as_str()), (1, Some("failed")));
    let reasons: Vec<_> = envelope["data"]["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| (of["state"].clone(), of["reason"].clone()))
        .collect();
    insta::assert_snapshot!(format!("{reasons:#?}").replace("String", ""), @r#"
    [
        (
            ("exited"),
            ("was killed for using too much memory"),
        ),
        (
            ("restarting"),
            ("exited with code 2, restarted 7 times"),
        ),
        (
            ("paused"),
            ("is paused"),
        ),
        (
            ("missing"),
            ("there is no container"),
        ),
    ]
    "#);
}

#[test]
fn a_container_that_was_never_started_says_why_and_a_half_removed_one_too() {
    let lab = Lab::up();
    lab.engine.set_status("moko-mon-grafana", Status::Created);
    lab.engine.set_status("moko-mon-pushgateway", Status::Dead);
    lab.engine.with(|state| {
        let exit = &mut state.named("moko-mon-grafana").unwrap().exit;
        exit.code = 128;
        exit.error = "driver failed programming external connectivity: port is already allocated".to_owned();
    });
    insta::assert_snapshot!(lab.run(&["status"]).error(), @"
    error: 2 of 4 components are not ready
      caused by: pushgateway: exited with code 0
      caused by: grafana: was never started: driver failed programming external connectivity: port is already allocated
    hint: bring the stack up with `moko-mon up`
    ");
}

#[test]
fn a_server_that_runs_and_is_not_ready_is_not_green() {
    let lab = Lab::up();
    lab.engine.with(|state| {
        let server = state.named("moko-mon-prometheus").unwrap().server.as_ref().unwrap();
        server.behave(Some(Manner::NeverReady));
    });
    insta::assert_snapshot!(lab.run(&["status"]).text(), @"
    exit 1
    --- stdout
    COMPONENT     STATE    READY  URL                     IMAGE
    prometheus    running  no     http://127.0.0.1:9090  prom/prometheus:v3.13.2
    alertmanager  running  yes    http://127.0.0.1:9093  prom/alertmanager:v0.34.0
    pushgateway   running  yes    http://127.0.0.1:9091  prom/pushgateway:v1.11.3
    grafana       running  yes    http://127.0.0.1:3000  grafana/grafana:13.2.3
    --- stderr
    error: 1 of 4 components are not ready
      caused by: prometheus: does not answer as ready: HTTP 503: Service Unavailable
    hint: see what it is doing with `moko-mon logs prometheus`
    ");
}

#[test]
fn before_the_first_up_and_after_down_everything_is_missing() {
    let lab = Lab::new();
    insta::assert_snapshot!(lab.run(&["status"]).text(), @"
    exit 1
    --- stdout
    COMPONENT     STATE    READY  URL  IMAGE
    prometheus    missing  no     -    -
    alertmanager  missing  no     -    -
    pushgateway   missing  no     -    -
    grafana       missing  no     -    -
    --- stderr
    error: 4 of 4 components are not ready
      caused by: prometheus: there is no container
      caused by: alertmanager: there is no container
      caused by: pushgateway: there is no container
      caused by: grafana: there is no container
    hint: bring the stack up with `moko-mon up`
    ");
    lab.run(&["up"]).succeeds();
    lab.run(&["down"]).succeeds();
    let (output, envelope) = lab.json(&["status"]);
    assert_eq!(output.code(), 1);
    assert_eq!(envelope["error"]["code"], "not_ready");
    assert_eq!(envelope["data"]["components"][3]["state"], "missing");
}

#[test]
fn a_grafana_that_is_switched_off_is_not_missed() {
    let lab = Lab::new();
    lab.write("moko-mon.yaml", "grafana:\n  enabled: false\n");
    lab.run(&["up"]).succeeds();
    insta::assert_snapshot!(lab.run(&["status"]).text(), @"
    exit 0
    --- stdout
    COMPONENT     STATE    READY  URL                     IMAGE
    prometheus    running  yes    http://127.0.0.1:9090  prom/prometheus:v3.13.2
    alertmanager  running  yes    http://127.0.0.1:9093  prom/alertmanager:v0.34.0
    pushgateway   running  yes    http://127.0.0.1:9091  prom/pushgateway:v1.11.3
    --- stderr
    ");
}

#[test]
fn secrets_are_shown_only_when_asked_for() {
    let lab = Lab::up();
    let password = lab.engine.password();
    assert!(!lab.run(&["status"]).stdout.contains(&password));
    let output = lab.run(&["status", "--show-secrets"]).successful();
    assert!(output.stdout.ends_with(&format!("\n\nGrafana's login: admin / {password}\n")), "{}", output.stdout);
    let (_, envelope) = lab.json(&["status", "--show-secrets"]);
    assert_eq!(envelope["data"]["grafana"], json!({"user": "admin", "password": password}));
}
