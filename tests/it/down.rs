//! `down`, from every state that there can be.

use serde_json::json;

use crate::support::servers::{Kind, Manner};
use crate::support::{Fault, Lab, Status};

/// What is left after `down` of everything with data.
fn clears(lab: &Lab) {
    lab.run(&["down", "--volumes", "--yes"]).succeeds();
    assert_eq!(lab.engine.with(|state| state.inventory()), [""; 0]);
}

#[test]
fn where_nothing_is_there_is_nothing_to_remove() {
    let lab = Lab::new();
    insta::assert_snapshot!(lab.run(&["down"]).text(), @"
    exit 0
    --- stdout
    nothing to remove: project `moko-mon` is not up
    --- stderr
    ");
    insta::assert_snapshot!(lab.run(&["down", "--volumes"]).text(), @"
    exit 0
    --- stdout
    nothing to remove: project `moko-mon` is not up
    --- stderr
    ");
    assert_eq!(lab.engine.writes(""), [""; 0]);
}

#[test]
fn data_is_kept_unless_told_and_is_there_again_after_up() {
    let lab = Lab::up();
    let password = lab.engine.password();
    let output = lab.run(&["down"]);
    insta::assert_snapshot!(output.stdout, @"
    removed 4 containers, 1 network of project `moko-mon`
    kept 9 volumes with its data; `moko-mon down --volumes` removes them
    ");
    assert_eq!(lab.engine.with(|state| state.inventory()).iter().filter(|of| !of.starts_with("volume")).count(), 0);
    insta::assert_snapshot!(lab.run(&["down"]).text(), @"
    exit 0
    --- stdout
    nothing to remove: project `moko-mon` is not up
    kept 9 volumes with its data; `moko-mon down --volumes` removes them
    --- stderr
    ");
    lab.converges();
    assert_eq!(lab.engine.password(), password);
}

#[test]
fn volumes_need_a_yes_where_nobody_can_be_asked() {
    let lab = Lab::up();
    let before = lab.engine.with(|state| state.inventory());
    insta::assert_snapshot!(lab.run(&["down", "--volumes"]).text(), @"
    exit 2
    --- stdout

    --- stderr
    error: `down --volumes` removes all data and asks first
      caused by: there is no terminal to ask on
    hint: add `--yes` if that is what you want
    ");
    let (output, envelope) = lab.json(&["down", "--volumes"]);
    assert_eq!((output.code(), envelope["error"]["code"].as_str()), (2, Some("confirmation_required")));
    assert_eq!(lab.engine.with(|state| state.inventory()), before);
    insta::assert_snapshot!(lab.run(&["down", "--volumes", "--images", "--yes"]).stdout, @"removed 4 containers, 1 network, 9 volumes, 4 images of project `moko-mon`");
    assert_eq!(lab.engine.with(|state| (state.inventory().len(), state.images.len())), (0, 0));
}

#[test]
fn an_image_that_somebody_else_uses_stays_with_a_warning() {
    let lab = Lab::up();
    lab.engine.with(|state| {
        state.add_foreign("theirs", Status::Running, None);
        state.named("theirs").unwrap().config["Image"] = json!("prom/prometheus:v3.13.2");
    });
    let output = lab.run(&["down", "--images"]).successful();
    insta::assert_snapshot!(output.errors().lines().filter(|line| line.starts_with("warning")).collect::<String>(), @r#"warning: could not remove image `prom/prometheus:v3.13.2`: conflict: unable to remove repository reference "prom/prometheus:v3.13.2" (must force) - container [id] is using its referenced image"#);
    assert_eq!(lab.engine.with(|state| state.images.len()), 1);
}

#[test]
fn it_works_from_every_state_that_a_failed_up_leaves() {
    for call in [
        "POST /networks/create",
        "POST /containers/create moko-mon-grafana",
        "PUT /containers/moko-mon-prometheus/archive /etc/prometheus",
        "POST /containers/moko-mon-alertmanager/start",
    ] {
        for fault in [Fault::Refuse(500, "injected"), Fault::LoseReply] {
            let lab = Lab::new();
            lab.engine.fault(call, 1, fault);
            assert_eq!(lab.run(&["up"]).code(), 1);
            clears(&lab);
        }
    }
}

#[test]
fn it_works_whatever_state_the_containers_are_in() {
    let lab = Lab::up();
    lab.engine.set_status("moko-mon-prometheus", Status::Exited);
    lab.engine.set_status("moko-mon-alertmanager", Status::Dead);
    lab.engine.set_status("moko-mon-pushgateway", Status::Restarting);
    lab.engine.pause("moko-mon-grafana");
    clears(&lab);
    let lab = Lab::new();
    lab.engine.with(|state| state.manners.insert(Kind::Grafana, Manner::Exits { code: 1, oom: false, lines: vec![] }));
    assert_eq!(lab.run(&["up"]).code(), 1);
    clears(&lab);
}

#[test]
fn leftovers_go_too_and_no_configuration_is_needed() {
    let lab = Lab::up();
    lab.engine.with(|state| {
        let check = json!({"moko-mon.project": "moko-mon", "moko-mon.check": "true"});
        state.add_own("quirky_hopper", &check);
        state.add_network("moko-mon", json!({"moko-mon.project": "moko-mon"}));
    });
    lab.write("moko-mon.yaml", "prometheus: [broken\n");
    let elsewhere = lab.command(&["down", "--volumes", "--yes"]).folder(lab.path("home")).run();
    elsewhere.succeeds();
    assert_eq!(lab.engine.with(|state| state.inventory()), [""; 0]);
}

#[test]
fn a_file_that_cannot_be_read_needs_the_project_s_name() {
    let lab = Lab::up();
    lab.write("moko-mon.yaml", "prometheus: [broken\n");
    assert_eq!(lab.run(&["down"]).code(), 2);
    lab.run(&["down", "--project", "moko-mon"]).succeeds();
}

#[test]
fn a_refused_call_is_told_and_the_next_down_goes_on() {
    let lab = Lab::up();
    lab.engine.fault(
        "DELETE /containers/moko-mon-grafana",
        1,
        Fault::Refuse(500, "driver failed to remove root filesystem"),
    );
    insta::assert_snapshot!(lab.run(&["down"]).error(), @"
    error: could not remove container `moko-mon-grafana`
      caused by: driver failed to remove root filesystem
    ");
    clears(&lab);
    let lab = Lab::up();
    lab.engine.fault(
        "DELETE /containers/moko-mon-grafana",
        1,
        Fault::Refuse(409, "removal of container x is already in progress"),
    );
    lab.engine.fault("POST /containers/moko-mon-grafana/stop", 1, Fault::Refuse(404, "No such container: x"));
    let _ = lab.run(&["down"]);
    clears(&lab);
}
