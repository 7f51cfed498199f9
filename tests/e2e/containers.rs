//! Containers that do not serve: said at once, with what they said last.

use std::time::{Duration, Instant};

use crate::support::docker::Image;
use crate::support::stack::image;
use crate::support::{ALL, Stack};

#[test]
fn a_container_that_exits_is_reported_at_once_with_code_and_last_words() {
    let mut stack = Stack::without_grafana("exits");
    let broken = Image::build(
        &format!("moko-mon-e2e/{}:broken", stack.name),
        &image("pushgateway"),
        "ENTRYPOINT [\"/bin/sh\", \"-c\", \"echo cannot find my hat; exit 7\"]",
    );
    stack.set("MOKO_MON_PUSHGATEWAY_IMAGE", &broken.name);
    let started = Instant::now();
    let output = stack.run(&["up"]).code(1);
    assert!(started.elapsed() < Duration::from_secs(60), "it waited for the dead");
    output.says(&[
        "could not bring up Pushgateway",
        "exit code is 7",
        "cannot find my hat",
        "moko-mon logs pushgateway",
    ]);
    // What works is kept; and in whichever moment of the crash loop it is asked, `status` tells the loop.
    for _ in 0..5 {
        let status = stack.run(&["status", "--output", "json"]).code(1).json();
        let components = status["data"]["components"].as_array().unwrap();
        let ready: Vec<(&str, bool)> = components
            .iter()
            .map(|component| (component["component"].as_str().unwrap(), component["ready"] == true))
            .collect();
        assert_eq!(ready, [("prometheus", true), ("alertmanager", true), ("pushgateway", false)]);
        let reason = components[2]["reason"].as_str().unwrap();
        assert!(reason.contains("exited") && reason.contains("restarted"), "{status}");
    }

    stack.set("MOKO_MON_PUSHGATEWAY_IMAGE", &image("pushgateway"));
    stack.up();
    stack.assert_converged(&["prometheus", "alertmanager", "pushgateway"]);
}

#[test]
fn a_container_that_cannot_be_started_is_reported_in_the_engine_s_words() {
    let mut stack = Stack::without_grafana("nostart");
    let broken = Image::build(
        &format!("moko-mon-e2e/{}:nostart", stack.name),
        &image("pushgateway"),
        "ENTRYPOINT [\"/there/is/no/such/program\"]",
    );
    stack.set("MOKO_MON_PUSHGATEWAY_IMAGE", &broken.name);
    let output = stack.run(&["up"]).code(1);
    output.says(&["could not bring up Pushgateway", "/there/is/no/such/program"]);
    stack.set("MOKO_MON_PUSHGATEWAY_IMAGE", &image("pushgateway"));
    stack.up();
    stack.assert_converged(&["prometheus", "alertmanager", "pushgateway"]);
}

#[test]
fn a_server_killed_for_its_memory_is_told_with_the_limit() {
    let mut stack = Stack::new("oom");
    // Reads without end into one variable.
    let hungry = Image::build(
        &format!("moko-mon-e2e/{}:hungry", stack.name),
        &image("pushgateway"),
        "ENTRYPOINT [\"/bin/sh\", \"-c\", \"x=0123456789abcdef; while :; do x=$x$x; done\"]",
    );
    stack.set("MOKO_MON_PUSHGATEWAY_IMAGE", &hungry.name);
    stack.set("MOKO_MON_PUSHGATEWAY_MEMORY", "32MiB");
    let output = stack.run(&["up"]).code(1);
    output.says(&["could not bring up Pushgateway", "32 MiB", "pushgateway.memory"]);
    stack.set("MOKO_MON_PUSHGATEWAY_IMAGE", &image("pushgateway"));
    stack.unset("MOKO_MON_PUSHGATEWAY_MEMORY");
    stack.up();
    stack.assert_converged(&ALL);
}
