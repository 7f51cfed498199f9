//! Somebody or something broke the stack; one `up` mends it.

use crate::support::docker::{attempt, file, put_file};
use crate::support::stack::wait_for_state;
use crate::support::{ALL, Stack, docker, eventually, http, when};

const THREE: [&str; 3] = ["prometheus", "alertmanager", "pushgateway"];

#[test]
fn a_container_that_is_deleted_stopped_or_paused_comes_back_with_its_data() {
    let stack = Stack::new("gone");
    stack.up();
    stack.push("e2e_kept", "3");
    let password = stack.password();

    for component in ALL {
        let before = stack.lives();
        docker(&["rm", "--force", &stack.container(component)]);
        stack.up();
        assert_eq!(stack.touched(&before), [component], "deleted");
        stack.assert_converged(&ALL);
    }
    let before = stack.lives();
    docker(&["stop", &stack.container("pushgateway"), &stack.container("grafana")]);
    let status = stack.run(&["status", "--output", "json"]).code(1).json();
    assert_eq!(status["error"]["code"], "not_ready", "{status}");
    stack.up();
    assert_eq!(stack.touched(&before), ["grafana", "pushgateway"], "stopped");
    stack.assert_converged(&ALL);

    let before = stack.lives();
    docker(&["pause", &stack.container("alertmanager"), &stack.container("grafana")]);
    stack.up();
    assert_eq!(stack.touched(&before), Vec::<String>::new(), "paused: unfrozen, not replaced");
    stack.assert_converged(&ALL);
    assert_eq!(stack.sample("e2e_kept")["value"][1], "3");
    assert_eq!(stack.password(), password);
}

#[test]
fn a_network_removed_or_cut_behind_our_back_is_made_anew() {
    let stack = Stack::without_grafana("net");
    stack.up();
    let network = stack.networks().remove(0);
    for component in THREE {
        docker(&["network", "disconnect", "--force", &network, &stack.container(component)]);
    }
    docker(&["network", "rm", &network]);
    stack.up();
    stack.assert_converged(&THREE);
    assert_ne!(stack.networks().remove(0), network);
    stack.sample("up{job=\"alertmanager\"} == 1");

    // A second network of the same name, as two ups on two machines can leave on an old engine.
    let label = format!("moko-mon.project={}", stack.name);
    let twin = attempt(&["network", "create", "--label", &label, &stack.name]);
    if twin.code == 0 {
        stack.up();
        stack.assert_converged(&THREE);
    }
}

#[test]
fn a_file_edited_in_the_volume_is_put_right_by_a_reload() {
    let stack = Stack::without_grafana("edited");
    stack.up();
    let container = stack.container("prometheus");
    let (before, wanted) = (stack.lives(), file(&container, "/etc/prometheus/prometheus.yml"));
    put_file(&container, "/etc/prometheus", "prometheus.yml", "global: {}\n");
    docker(&["kill", "--signal", "HUP", &container]);
    eventually("the edit is in use", || {
        let found = stack.query("count(up)");
        let config = http::get(&format!("{}/api/v1/status/config", stack.url("prometheus"))).1;
        when(!config.contains("alertmanager:9093"), found)
    });
    stack.up();
    assert_eq!(file(&container, "/etc/prometheus/prometheus.yml"), wanted);
    assert_eq!(stack.touched(&before), Vec::<String>::new());
    let config = http::get(&format!("{}/api/v1/status/config", stack.url("prometheus"))).1;
    assert!(config.contains("alertmanager:9093"), "{config}");
    assert_eq!(stack.plan(), Vec::<String>::new());
}

#[test]
fn a_crash_between_delivery_and_reload_is_made_good() {
    let stack = Stack::without_grafana("torn");
    let with_target = "targets:\n  - job: late\n    address: localhost:9\n";
    stack.config(with_target);
    stack.up();
    let container = stack.container("prometheus");
    let delivered = file(&container, "/etc/prometheus/prometheus.yml").3;
    stack.config("# nothing\n");
    stack.up();
    let config = || http::get(&format!("{}/api/v1/status/config", stack.url("prometheus"))).1;
    assert!(!config().contains("late"));

    // As a killed `up` leaves it: the new file is there, the server has not read it.
    put_file(&container, "/etc/prometheus", "prometheus.yml", &delivered);
    stack.config(with_target);
    let before = stack.lives();
    let plan = stack.plan();
    assert_eq!(plan[0], format!("prometheus reload {container}"), "{plan:?}");
    stack.up();
    assert!(config().contains("late"), "{}", config());
    assert_eq!(stack.touched(&before), Vec::<String>::new());
    assert_eq!(stack.plan(), Vec::<String>::new());
}

#[test]
fn a_lost_secrets_volume_is_said_and_a_password_reset_heals() {
    let stack = Stack::new("lost");
    stack.up();
    let old = stack.password();
    docker(&["rm", "--force", &stack.container("grafana")]);
    docker(&["volume", "rm", &format!("{}-grafana-secrets", stack.name)]);
    let output = stack.run(&["up"]).code(1);
    wait_for_state(&stack, "grafana", "running");
    output.says(&["could not log in to Grafana", "password reset"]);
    assert_eq!(stack.grafana_as(&old, "GET", "/api/org", None).0, 200, "Grafana still has the old one");

    let reset = stack.run(&["password", "reset"]).code(0);
    assert_ne!(stack.password(), old);
    assert_eq!(stack.grafana("GET", "/api/org", None).0, 200, "{reset}");
    stack.up();
    stack.assert_converged(&ALL);
}

#[test]
fn a_password_changed_in_grafana_is_tried_once_and_a_reset_heals() {
    let stack = Stack::new("changed");
    stack.up();
    // As somebody does in the web page; Grafana's own tool is there in every Grafana.
    let tool = "echo changed-by-hand | grafana cli --homepath /usr/share/grafana admin reset-admin-password \
                --password-from-stdin";
    docker(&["exec", &stack.container("grafana"), "sh", "-c", tool]);
    assert_eq!(stack.grafana_as("changed-by-hand", "GET", "/api/org", None).0, 200);
    for _ in 0..4 {
        let output = stack.run(&["up"]).code(1);
        output.says(&["does not fit", "password reset"]);
    }
    // Five wrong logins lock the user out, for the right password too: each `up` has used one.
    assert_eq!(stack.grafana_as("changed-by-hand", "GET", "/api/org", None).0, 200);
    stack.run(&["password", "reset"]).code(0);
    assert_eq!(stack.grafana("GET", "/api/org", None).0, 200);
    stack.assert_converged(&ALL);
}
