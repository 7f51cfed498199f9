//! What is not ours is never touched: names and ports that others hold.

use serde_json::json;

use crate::support::{Lab, Status};

#[test]
fn foreign_objects_of_our_names_are_all_told_at_once_and_left_alone() {
    let lab = Lab::new();
    lab.engine.with(|state| {
        state.add_foreign("moko-mon-grafana", Status::Running, None);
        state.add_volume("moko-mon-prometheus-data", json!(null));
        state.add_network("moko-mon", json!({"com.docker.compose.project": "moko-mon"}));
    });
    let before = lab.engine.with(|state| state.inventory());
    insta::assert_snapshot!(lab.run(&["up"]).text(), @"
    exit 1
    --- stdout

    --- stderr
    error: project `moko-mon` cannot use a name that is taken
      caused by: container `moko-mon-grafana` exists and was not made by project `moko-mon` of moko-mon
      caused by: volume `moko-mon-prometheus-data` exists and was not made by project `moko-mon` of moko-mon
      caused by: network `moko-mon` exists and was not made by project `moko-mon` of moko-mon
    hint: choose another name with `--project NAME`, or, if nobody needs it, remove it with `docker rm moko-mon-grafana`
    ");
    let (output, envelope) = lab.json(&["up"]);
    assert_eq!((output.code(), &envelope["error"]["code"]), (1, &json!("foreign_object")));
    lab.run(&["down", "--volumes", "--yes", "--images"]).succeeds();
    assert_eq!(lab.engine.writes(""), [""; 0]);
    assert_eq!(lab.engine.with(|state| state.inventory()), before);
}

#[test]
fn objects_of_another_project_are_foreign_too() {
    let lab = Lab::new();
    lab.engine.with(|state| state.add_volume("moko-mon-grafana-data", json!({"moko-mon.project": "other"})));
    insta::assert_snapshot!(lab.run(&["up"]).text(), @"
    exit 1
    --- stdout

    --- stderr
    error: project `moko-mon` cannot use a name that is taken
      caused by: volume `moko-mon-grafana-data` exists and was not made by project `moko-mon` of moko-mon
    hint: choose another name with `--project NAME`, or, if nobody needs it, remove it with `docker volume rm moko-mon-grafana-data`
    ");
    assert_eq!(lab.engine.writes(""), [""; 0]);
}

#[test]
fn decoys_with_similar_names_survive_everything() {
    let lab = Lab::new();
    lab.engine.with(|state| {
        state.add_foreign("moko-mon-grafana-2", Status::Running, None);
        state.add_foreign("my-moko-mon-prometheus", Status::Exited, None);
        state.add_volume("moko-mon-grafana-data-backup", json!({}));
        state.add_volume("x-moko-mon-prometheus-data", json!({"moko-mon.project": "x-moko-mon"}));
        state.add_network("moko-mon-2", json!({"moko-mon.project": "moko-mon-2"}));
    });
    let before = lab.engine.with(|state| state.inventory());
    lab.run(&["up"]).succeeds();
    lab.run(&["down", "--volumes", "--images", "--yes"]).succeeds();
    assert_eq!(lab.engine.with(|state| state.inventory()), before);
}

#[test]
fn a_port_that_a_foreign_container_holds_is_named_before_anything_is_done() {
    let lab = Lab::new();
    lab.engine.with(|state| state.add_foreign("legacy-grafana", Status::Running, Some(lab.ports.grafana)));
    insta::assert_snapshot!(lab.run(&["up"]).text(), @"
    exit 1
    --- stdout

    --- stderr
    error: a port that the stack needs is taken
      caused by: host port 3000 is held by container `legacy-grafana`
    hint: stop it with `docker stop legacy-grafana`, or set `grafana.port` in moko-mon.yaml to a free port
    ");
    assert_eq!(lab.engine.writes(""), [""; 0]);
}

#[test]
fn a_port_that_a_process_holds_is_named_before_anything_is_done() {
    let lab = Lab::new();
    let _holder = std::net::TcpListener::bind(("127.0.0.1", lab.ports.prometheus)).unwrap();
    let output = lab.run(&["up"]);
    assert!(output.stderr.contains(&format!("process {} (`", std::process::id())), "{}", output.stderr);
    assert_eq!(output.code(), 1);
    let (_, envelope) = lab.json(&["up"]);
    assert_eq!(envelope["error"]["code"], "port_taken");
    let port = lab.ports.prometheus;
    assert_eq!(envelope["error"]["hint"], "stop it, or set `prometheus.port` in moko-mon.yaml to a free port");
    assert!(
        envelope["error"]["causes"][0].as_str().unwrap().starts_with(&format!("host port {port} is held by process "))
    );
    assert_eq!(lab.engine.writes(""), [""; 0]);
}

#[test]
fn a_port_that_is_taken_between_the_look_and_the_start_leaves_a_stack_that_heals() {
    let lab = Lab::new();
    lab.engine.fault("POST /containers/moko-mon-grafana/start", 1, crate::support::Fault::Hold);
    let running = lab.command(&["up"]).start();
    lab.engine.wait_for("POST /containers/moko-mon-grafana/start", 1);
    lab.engine.with(|state| state.add_foreign("quick", Status::Running, Some(lab.ports.grafana)));
    lab.engine.release();
    let output = running.ends();
    insta::assert_snapshot!(output.text(), @"
    exit 1
    --- stdout

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
    grafana       start     moko-mon-grafana                             failed
    error: could not bring up Grafana
      caused by: could not start container `moko-mon-grafana`
      caused by: host port 3000 is held by another container
    hint: free it, or set `grafana.port` in moko-mon.yaml
    ");
    let state = lab.engine.with(|state| state.named("moko-mon-grafana").unwrap().status);
    assert_eq!(state, Status::Created);
    lab.engine.remove("quick");
    lab.converges();
}

#[test]
fn a_process_that_takes_the_port_between_the_look_and_the_start_is_named() {
    let lab = Lab::new();
    lab.engine.fault("POST /containers/moko-mon-pushgateway/start", 1, crate::support::Fault::Hold);
    let running = lab.command(&["up"]).start();
    lab.engine.wait_for("POST /containers/moko-mon-pushgateway/start", 1);
    let holder = std::net::TcpListener::bind(("127.0.0.1", lab.ports.pushgateway)).unwrap();
    lab.engine.release();
    let output = running.ends();
    let error = output.error();
    assert!(error.contains("host port 9091 is held by process [pid] ("), "{error}");
    assert_eq!(output.code(), 1);
    drop(holder);
    lab.converges();
}
