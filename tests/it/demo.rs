//! `up --demo` and `demo stop`, and what is left when they are cut off.

use serde_json::json;

use crate::support::{Fault, Lab, Status};

/// What `up` plans for the demo, one step to a line.
fn planned(lab: &Lab) -> Vec<String> {
    let (output, envelope) = lab.json(&["up", "--demo", "--dry-run"]);
    output.succeeds();
    let steps = envelope["data"]["steps"].as_array().unwrap();
    steps
        .iter()
        .map(|step| format!("{} {}", step["action"].as_str().unwrap(), step["subject"].as_str().unwrap()))
        .collect()
}

/// A stack that is up, and keeps little: history is no longer than that.
fn up() -> Lab {
    let lab = Lab::new();
    lab.write("moko-mon.yaml", "prometheus:\n  retention:\n    time: 6h\n");
    lab.run(&["up"]).succeeds();
    lab.engine.forget();
    lab
}

/// The same with the demo on.
fn demo() -> Lab {
    let lab = up();
    lab.run(&["up", "--demo"]).succeeds();
    lab.engine.forget();
    lab
}

/// The demo is on, and neither kind of `up` has anything to do.
fn is_on(lab: &Lab) {
    assert_eq!(planned(lab), [""; 0]);
    lab.engine.forget();
    for arguments in [vec!["up"], vec!["up", "--demo"]] {
        let output = lab.run(&arguments).successful();
        assert!(output.stdout.starts_with("nothing to do"), "{}", output.text());
        assert!(output.stdout.contains("The demo data is on; `moko-mon demo stop` removes it"), "{}", output.text());
    }
    assert_eq!(lab.engine.writes(""), [""; 0]);
}

#[test]
fn the_data_is_written_while_prometheus_stands_and_the_feed_starts_last() {
    let lab = Lab::up();
    insta::assert_snapshot!(lab.run(&["up", "--demo", "--dry-run"]).text(), @"
    exit 0
    --- stdout
    project       create    moko-mon-demo                                goes on with the demo data
    project       write     7d of demo history                           into the storage of moko-mon-prometheus, which restarts
    project       start     moko-mon-demo                                until `moko-mon demo stop`
    --- stderr
    ");
    assert_eq!(lab.engine.writes(""), [""; 0]);
    let output = lab.run(&["up", "--demo"]);
    insta::assert_snapshot!(output.text(), @"
    exit 0
    --- stdout
    Prometheus    http://127.0.0.1:9090
    Alertmanager  http://127.0.0.1:9093
    Pushgateway   http://127.0.0.1:9091
    Grafana       http://127.0.0.1:3000

    Grafana's login is `admin`; `moko-mon status --show-secrets` shows its password

    The demo data is on; `moko-mon demo stop` removes it
    --- stderr
    project       create    moko-mon-demo
    project       write     7d of demo history
    project       start     moko-mon-demo
    ");
    let mut writes = lab.engine.writes("");
    writes.dedup();
    insta::assert_snapshot!(writes.join("\n"), @"
    POST /containers/create moko-mon-demo
    POST /containers/create
    PUT /containers/CHECK/archive /
    POST /containers/moko-mon-prometheus/stop
    POST /containers/CHECK/start
    POST /containers/CHECK/wait
    DELETE /containers/CHECK
    POST /containers/moko-mon-prometheus/start
    POST /containers/moko-mon-demo/start
    ");
    let feed = lab.engine.with(|state| state.named("moko-mon-demo").unwrap().config.clone());
    assert_eq!(feed["Image"], "prom/pushgateway:v1.11.3");
    assert_eq!((&feed["User"], &feed["HostConfig"]["ReadonlyRootfs"]), (&json!("65534:65534"), &json!(true)));
    assert_eq!(feed["HostConfig"]["PortBindings"], json!(null));
    is_on(&lab);
}

#[test]
fn stop_takes_everything_away_and_nothing_else() {
    let lab = demo();
    let before = lab.engine.with(|state| state.inventory());
    insta::assert_snapshot!(lab.run(&["demo", "stop"]).text(), @"
    exit 0
    --- stdout
    removed the demo data of project `moko-mon`; everything else is still there
    --- stderr
    removing the demo data from Prometheus' storage
    ");
    insta::assert_snapshot!(lab.engine.writes("").join("\n"), @"
    POST /containers/moko-mon-demo/stop
    POST /containers/create
    PUT /containers/CHECK/archive /
    POST /containers/moko-mon-prometheus/stop
    POST /containers/CHECK/start
    POST /containers/CHECK/wait
    DELETE /containers/CHECK
    POST /containers/moko-mon-prometheus/start
    POST /containers/moko-mon-demo/stop
    DELETE /containers/moko-mon-demo
    ");
    let after = lab.engine.with(|state| state.inventory());
    let gone: Vec<&String> = before.iter().filter(|of| !after.contains(of)).collect();
    assert_eq!(gone, ["container moko-mon-demo running"]);
    insta::assert_snapshot!(lab.run(&["demo", "stop"]).text(), @"
    exit 0
    --- stdout
    nothing to remove: project `moko-mon` has no demo data
    --- stderr
    ");
    lab.converges();
}

#[test]
fn what_was_cut_off_is_finished_by_doing_it_again() {
    for call in [
        "POST /containers/create moko-mon-demo",
        "PUT /containers/CHECK/archive /",
        "POST /containers/moko-mon-prometheus/stop",
        "POST /containers/CHECK/start",
        "POST /containers/moko-mon-demo/start",
    ] {
        let lab = up();
        lab.engine.fault(call, 1, Fault::Refuse(500, "injected"));
        assert_eq!(lab.run(&["up", "--demo"]).code(), 1, "{call}");
        lab.engine.release();
        lab.run(&["up", "--demo"]).succeeds();
        is_on(&lab);
        lab.run(&["demo", "stop"]).succeeds();
        lab.converges();
    }
}

#[test]
fn storage_that_cannot_be_written_is_told_in_its_own_words_and_prometheus_runs_again() {
    let lab = up();
    lab.engine.with(|state| state.check = (1, vec!["error: write block: no space left on device".to_owned()]));
    insta::assert_snapshot!(lab.run(&["up", "--demo"]).error(), @"
    error: could not change Prometheus' storage
      caused by: exit code 1
      caused by: error: write block: no space left on device
    hint: nothing of the real data was lost; `moko-mon demo stop` clears away what was begun
    ");
    assert_eq!(lab.engine.with(|state| state.named("moko-mon-prometheus").unwrap().status), Status::Running);
    let output = lab.run(&["up"]).successful();
    insta::assert_snapshot!(output.errors(), @"warning: the demo data is not complete: `moko-mon up --demo` writes it again, `moko-mon demo stop` removes it");
    lab.engine.with(|state| state.check = (0, Vec::new()));
    lab.run(&["demo", "stop"]).succeeds();
    lab.converges();
}

#[test]
fn data_that_down_has_left_in_the_volume_is_found() {
    let lab = demo();
    lab.run(&["down"]).succeeds();
    lab.run(&["up"]).succeeds();
    let output = lab.run(&["demo", "stop"]).successful();
    assert!(output.stdout.starts_with("removed the demo data"), "{}", output.text());
    assert!(!lab.engine.with(|state| state.demo));
}

#[test]
fn stop_needs_a_stack_that_runs() {
    let lab = demo();
    lab.engine.set_status("moko-mon-prometheus", Status::Exited);
    insta::assert_snapshot!(lab.run(&["demo", "stop"]).error(), @"
    error: `demo stop` needs the stack to run
      caused by: container `moko-mon-prometheus` is exited
    hint: bring it up with `moko-mon up` first
    ");
    lab.run(&["down"]).succeeds();
    insta::assert_snapshot!(lab.run(&["demo", "stop"]).error(), @"
    error: Prometheus of project `moko-mon` is not there
    hint: bring the stack up with `moko-mon up` first
    ");
}

#[test]
fn made_up_data_is_not_sent_to_others() {
    let lab = Lab::new();
    lab.write("moko-mon.yaml", "prometheus:\n  remote_write:\n    - url: http://example.com/push\n");
    let output = lab.run(&["up", "--demo"]);
    assert_eq!(output.code(), 2);
    insta::assert_snapshot!(output.error(), @"
    error: `up --demo` would send made-up data to `prometheus.remote_write`
      caused by: what was sent there cannot be removed by `demo stop`
    hint: use settings without it, in a project of its own: `moko-mon --project demo --config FILE up --demo`
    ");
    assert_eq!(lab.engine.writes(""), [""; 0]);
}

#[test]
fn down_takes_the_feed_with_it() {
    let lab = demo();
    lab.run(&["down", "--volumes", "--yes"]).succeeds();
    assert_eq!(lab.engine.with(|state| state.inventory()), [""; 0]);
}
