//! What must not be touched, and what is refused before anything is touched.

use std::net::TcpListener;

use crate::support::docker::{Foreign, attempt, docker};
use crate::support::stack::image;
use crate::support::{Stack, eventually};

#[test]
fn a_foreign_container_network_or_volume_with_our_name_is_left_alone() {
    let stack = Stack::without_grafana("foreign");
    let name = stack.container("pushgateway");
    let foreign = Foreign::run(&["--name", &name, "--entrypoint", "sleep", &image("pushgateway"), "1000"]);
    let output = stack.run(&["up"]).code(1);
    stack.assert_nothing_there();
    assert_eq!(docker(&["inspect", "--format", "{{.State.Running}}", &foreign.id]), "true");
    output.says(&[&name, "was not made by", "--project"]);
    stack.run(&["down", "--volumes", "--yes"]).code(0);
    assert_eq!(docker(&["inspect", "--format", "{{.State.Running}}", &foreign.id]), "true");
    drop(foreign);

    let volume = format!("{name}-data");
    docker(&["volume", "create", &volume]);
    let output = stack.run(&["up"]);
    stack.assert_nothing_there();
    docker(&["volume", "rm", &volume]);
    output.code(1).says(&[&volume]);

    docker(&["network", "create", &stack.name]);
    let output = stack.run(&["up"]);
    stack.assert_nothing_there();
    docker(&["network", "rm", &stack.name]);
    output.code(1).says(&[&stack.name]);
}

#[test]
fn a_port_held_by_a_process_is_named_with_its_holder_and_nothing_is_made() {
    let stack = Stack::without_grafana("proc");
    for address in ["127.0.0.1", "0.0.0.0"] {
        // A child of another test may have the one dropped before for the moment between its fork and exec.
        let holder = eventually("a free port", || {
            TcpListener::bind((address, stack.port("alertmanager"))).map_err(|error| error.to_string())
        });
        let output = stack.run(&["up"]).code(1);
        stack.assert_nothing_there();
        let port = format!("host port {}", stack.port("alertmanager"));
        output.says(&[&port, &format!("process {}", std::process::id()), "alertmanager.port"]);
        drop(holder);
    }
    stack.up();
}

#[test]
fn a_port_held_by_a_container_is_named_with_its_holder_and_nothing_is_made() {
    let stack = Stack::without_grafana("cont");
    let name = format!("{}x-holder", stack.name);
    let publish = format!("127.0.0.1:{}:9091", stack.port("pushgateway"));
    let holder =
        Foreign::run(&["--name", &name, "--publish", &publish, "--entrypoint", "sleep", &image("pushgateway"), "1000"]);
    let output = stack.run(&["up"]).code(1);
    stack.assert_nothing_there();
    output.says(&[&format!("container `{name}`"), &format!("docker stop {name}"), "pushgateway.port"]);
    drop(holder);
    stack.up();
}

#[test]
fn a_wrong_configuration_is_refused_whole_before_the_engine_is_touched() {
    let mut stack = Stack::without_grafana("wrong");
    stack.unset("MOKO_MON_PROMETHEUS_PORT");
    stack.config(
        "prometheus:\n  port: 70000\n  scrape_intervall: 15s\n  retention:\n    time: soon\nrules:\n  extra:\n    - nothing/*.yml\n",
    );
    let output = stack.run(&["up"]).code(2);
    stack.assert_nothing_there();
    output.says(&["moko-mon.yaml:2", "70000", "scrape_interval", "soon", "nothing/*.yml"]);
}

#[test]
fn an_image_that_is_not_there_and_may_not_be_pulled_stops_everything() {
    let mut stack = Stack::without_grafana("noimage");
    stack.set("MOKO_MON_ALERTMANAGER_IMAGE", "moko-mon-e2e/there-is-no-such:image");
    let output = stack.run(&["up"]).code(1);
    stack.assert_nothing_there();
    output.says(&["moko-mon-e2e/there-is-no-such:image", "never"]);
    assert_ne!(attempt(&["image", "inspect", "moko-mon-e2e/there-is-no-such:image"]).code, 0);
}

#[test]
fn without_an_engine_the_address_the_reason_and_the_way_out_are_told() {
    let mut stack = Stack::without_grafana("noengine");
    let socket = format!("unix://{}/none.sock", stack.directory.path().display());
    stack.set("DOCKER_HOST", &socket);
    for command in [&["up"][..], &["down"], &["status"], &["logs"]] {
        stack.run(command).code(3).says(&[&socket, "does not exist", "start Docker"]);
    }
    let socket = stack.directory.path().join("refused.sock");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    stack.set("DOCKER_HOST", &format!("unix://{}", socket.display()));
    stack.run(&["up"]).code(3).says(&["refused"]);
    stack.unset("DOCKER_HOST");
}
