//! A setting changes: what has to be touched is touched, the rest is left alone.

use crate::support::docker::{Image, inspect};
use crate::support::stack::{free_port, image};
use crate::support::{ALL, Stack, http};

const THREE: [&str; 3] = ["prometheus", "alertmanager", "pushgateway"];

#[test]
fn changed_retention_replaces_prometheus_alone_and_keeps_its_data() {
    let stack = Stack::new("retain");
    stack.config("prometheus:\n  retention:\n    time: 10d\n");
    stack.up();
    stack.push("e2e_before", "7");
    let before = stack.lives();
    // What is pushed again would prove nothing.
    let gone = http::request("DELETE", &format!("{}/metrics/job/e2e", stack.url("pushgateway")), None, None);
    assert_eq!(gone.0, 202, "{gone:?}");

    stack.config("prometheus:\n  retention:\n    time: 20d\n");
    let plan = stack.plan().join("\n");
    assert!(plan.contains("prometheus remove") && !plan.contains("grafana"), "{plan}");
    let output = stack.up();
    assert_eq!(stack.touched(&before), ["prometheus"]);
    let flags = http::json(&format!("{}/api/v1/status/flags", stack.url("prometheus"))).unwrap();
    assert_eq!(flags["data"]["storage.tsdb.retention.time"], "20d");
    let kept = stack.sample("last_over_time(e2e_before[10m])");
    assert_eq!(kept["value"][1], "7");
    stack.assert_converged(&ALL);
    assert!(output.stderr.contains("prometheus    create"), "{output}");
}

#[test]
fn a_changed_port_moves_one_server_and_two_can_swap_theirs() {
    let mut stack = Stack::without_grafana("port");
    stack.up();
    let before = stack.lives();
    let new = free_port().to_string();
    stack.run(&["up", "--set", &format!("pushgateway.port={new}")]).code(0);
    assert_eq!(stack.touched(&before), ["pushgateway"]);
    assert_eq!(http::get(&format!("http://127.0.0.1:{new}/-/ready")).0, 200);
    assert_eq!(http::get(&format!("{}/-/ready", stack.url("pushgateway"))).0, 0);

    stack.up();
    stack.assert_converged(&THREE);
    // A port that one of ours has and another of ours wants is nobody else's.
    let (first, second) = (stack.port("pushgateway").to_string(), stack.port("alertmanager").to_string());
    stack.set("MOKO_MON_PUSHGATEWAY_PORT", &second);
    stack.set("MOKO_MON_ALERTMANAGER_PORT", &first);
    let swapped = stack.run(&["up"]);
    if swapped.code != 0 {
        // Both are replaced side by side, so the first try may find a port not yet free; the second heals.
        stack.up();
    }
    assert_eq!(stack.plan(), Vec::<String>::new());
    let text = http::get(&format!("http://127.0.0.1:{first}/metrics")).1;
    assert!(text.contains("alertmanager_build_info"), "{text}");
}

#[test]
fn an_image_that_was_built_anew_under_its_name_replaces_its_container() {
    let mut stack = Stack::without_grafana("image");
    let base = image("pushgateway");
    let built = Image::build(&format!("moko-mon-e2e/{}:tag", stack.name), &base, "LABEL e2e=one");
    stack.set("MOKO_MON_PUSHGATEWAY_IMAGE", &built.name);
    stack.up();
    let before = stack.lives();
    stack.assert_converged(&THREE);

    built.rebuild(&base, "LABEL e2e=two");
    stack.up();
    assert_eq!(stack.touched(&before), ["pushgateway"]);
    assert_eq!(stack.inspect("pushgateway")["Image"], inspect("image", &built.name)["Id"]);
    stack.assert_converged(&THREE);

    // Another name for the same thing is another image too.
    let before = stack.lives();
    stack.set("MOKO_MON_PUSHGATEWAY_IMAGE", &base);
    stack.up();
    assert_eq!(stack.touched(&before), ["pushgateway"]);
    stack.assert_converged(&THREE);
}

#[test]
fn settings_come_from_file_environment_and_flags_in_this_order() {
    let mut stack = Stack::without_grafana("layers");
    stack.config("pushgateway:\n  memory: 64MiB\nalertmanager:\n  memory: 64MiB\nprometheus:\n  memory: 256MiB\n");
    stack.set("MOKO_MON_ALERTMANAGER_MEMORY", "72MiB");
    stack.set("MOKO_MON_PROMETHEUS_MEMORY", "272MiB");
    stack.run(&["up", "--set", "prometheus.memory=288MiB"]).code(0);
    let memory = |component: &str| stack.inspect(component)["HostConfig"]["Memory"].as_u64().unwrap() >> 20;
    assert_eq!(THREE.map(memory), [288, 72, 64]);
}

#[test]
fn without_grafana_the_rest_works_and_its_data_waits() {
    let mut stack = Stack::new("nograf");
    stack.up();
    let (before, volumes, password) = (stack.lives(), stack.volumes(), stack.password());
    stack.set("MOKO_MON_GRAFANA_ENABLED", "false");
    stack.up();
    assert_eq!(stack.containers().len(), 3, "{:?}", stack.containers());
    // Its scrape job is gone as well, by a reload.
    assert_eq!(stack.touched(&before), ["grafana"]);
    assert_eq!(stack.volumes(), volumes);
    stack.assert_converged(&THREE);
    stack.set("MOKO_MON_GRAFANA_ENABLED", "true");
    stack.up();
    stack.assert_converged(&ALL);
    assert_eq!(stack.password(), password);
    assert_eq!(stack.grafana("GET", "/api/org", None).0, 200);
}
