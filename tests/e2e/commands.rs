//! The commands that look: `status`, `logs`, `open`, `password`.

use crate::support::{ALL, Stack, docker};

#[test]
fn status_tells_the_truth_from_any_folder() {
    let stack = Stack::new("status");
    // Nothing there yet.
    let empty = stack.run(&["status", "--output", "json"]).code(1).json();
    assert_eq!(empty["data"]["components"].as_array().unwrap().len(), 4, "{empty}");
    stack.up();
    let elsewhere = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_moko-mon"));
    command.args(["status", "--project", &stack.name, "--output", "json"]).current_dir(elsewhere.path());
    for component in ALL {
        command.env_remove(format!("MOKO_MON_{}_IMAGE", component.to_uppercase()));
    }
    let status = command.output().unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    for (component, found) in ALL.into_iter().zip(status["data"]["components"].as_array().unwrap()) {
        assert_eq!(found["component"], component);
        assert_eq!((&found["state"], &found["ready"]), (&"running".into(), &true.into()), "{found}");
        assert_eq!(found["url"], stack.url(component));
        assert_eq!(found["container"], stack.container(component));
    }
    assert!(!status.to_string().contains(&stack.password()), "{status}");
    let shown = stack.run(&["status", "--show-secrets"]).code(0);
    assert!(shown.stdout.contains(&stack.password()), "{shown}");

    docker(&["stop", &stack.container("alertmanager")]);
    docker(&["pause", &stack.container("prometheus")]);
    let status = stack.run(&["status", "--output", "json"]).code(1).json();
    let components = status["data"]["components"].as_array().unwrap();
    let seen: Vec<&str> = components.iter().map(|one| one["state"].as_str().unwrap()).collect();
    assert_eq!(seen, ["paused", "exited", "running", "running"], "{status}");
    assert_eq!((&status["status"], &status["error"]["code"]), (&"failed".into(), &"not_ready".into()));
    let text = stack.run(&["status"]).code(1);
    text.says(&["2 of 4", "alertmanager: exited with code 0", "prometheus: is paused", "moko-mon up"]);
}

#[test]
fn logs_are_shown_by_component_with_limits() {
    let stack = Stack::without_grafana("logs");
    stack.run(&["logs"]).code(1).says(&["moko-mon up"]);
    stack.up();
    let all = stack.run(&["logs"]).code(0);
    for component in ["prometheus", "alertmanager", "pushgateway"] {
        assert!(all.stdout.lines().any(|line| line.starts_with(component)), "{all}");
    }
    let one = stack.run(&["logs", "pushgateway", "--tail", "2"]).code(0);
    assert_eq!(one.stdout.lines().count(), 2, "{one}");
    assert!(one.stdout.lines().all(|line| line.starts_with("pushgateway ")), "{one}");
    assert_eq!(stack.run(&["logs", "--since", "1h"]).code(0).stdout.lines().count(), all.stdout.lines().count());
    let json = stack.run(&["logs", "prometheus", "--output", "json"]).code(0).json();
    assert_eq!(json["data"]["lines"][0]["component"], "prometheus");
    stack.run(&["logs", "grafana"]).code(1).says(&["no Grafana container"]);

    // Followed, it goes on until it is interrupted, which is no failure.
    let follow = stack.start(&["logs", "--follow", "prometheus"]);
    docker(&["kill", "--signal", "HUP", &stack.container("prometheus")]);
    std::thread::sleep(std::time::Duration::from_secs(1));
    follow.signal("INT");
    let follow = follow.end();
    assert_eq!(follow.code, 0, "{follow}");
    assert!(follow.stdout.lines().all(|line| line.starts_with("prometheus ")), "{follow}");
    assert!(!follow.stdout.is_empty());
}

#[test]
fn open_prints_the_address_and_password_shows_and_resets() {
    let stack = Stack::new("open");
    stack.run(&["password", "show"]).code(1).says(&["moko-mon up"]);
    stack.up();
    for component in ALL {
        let open = stack.run(&["open", component, "--print"]).code(0);
        assert_eq!(open.stdout.trim(), stack.url(component));
    }
    let old = stack.password();
    stack.run(&["password", "reset"]).code(0);
    let new = stack.password();
    assert_ne!(new, old);
    assert_eq!(stack.grafana_as(&new, "GET", "/api/org", None).0, 200);
    assert_eq!(stack.grafana_as(&old, "GET", "/api/org", None).0, 401);
    stack.assert_converged(&ALL);
}
