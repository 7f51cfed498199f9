//! The generated secrets appear nowhere but where they belong.

use base64::Engine as _;

use crate::support::Lab;

#[test]
fn no_output_and_no_request_but_the_upload_holds_a_secret() {
    let lab = Lab::new();
    lab.run(&["up"]).succeeds();
    lab.run(&["up", "--output", "json"]).succeeds();
    lab.run(&["up", "--dry-run"]).succeeds();
    lab.run(&["status"]).succeeds();
    lab.run(&["logs"]).succeeds();
    lab.run(&["config", "show"]).succeeds();
    // A failure with Grafana in it.
    let password = lab.engine.password();
    lab.engine.with(|state| state.change_grafana_password("other"));
    assert_eq!(lab.run(&["up"]).code(), 1);
    lab.engine.with(|state| state.change_grafana_password(&password));
    lab.engine.fault("POST /containers/moko-mon-grafana/start", 1, crate::support::Fault::Refuse(500, "injected"));
    lab.engine.remove("moko-mon-grafana");
    assert_eq!(lab.run(&["up"]).code(), 1);
    lab.converges();
    lab.run(&["down"]).succeeds();

    let key = lab.engine.file("moko-mon-grafana-secrets", "secret-key").unwrap();
    let key = String::from_utf8(key.content).unwrap();
    assert!(password.len() >= 32 && key.len() >= 32 && password != key, "192 bits each, and not the same");
    let login = base64::engine::general_purpose::STANDARD.encode(format!("admin:{password}"));
    let seen = lab.seen();
    for secret in [&password, &key, &login] {
        assert!(!seen.contains(secret.as_str()), "{seen}");
        lab.engine.with(|state| {
            for call in state.calls.iter().filter(|call| call.method != "PUT") {
                let body = String::from_utf8_lossy(&call.body);
                assert!(!call.request.contains(secret.as_str()) && !body.contains(secret.as_str()), "{}", call.line);
            }
            // Nor does what `docker inspect` shows.
            let configs: Vec<String> = state.containers.iter().map(|container| container.config.to_string()).collect();
            assert!(configs.iter().all(|config| !config.contains(secret.as_str())));
        });
    }
    for entry in std::fs::read_dir(lab.path("tmp")).unwrap() {
        let content = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!String::from_utf8_lossy(&content).contains(&password));
    }
}

#[test]
fn what_is_published_is_loopback_and_hardened() {
    let lab = Lab::up();
    let configs = lab.engine.with(|state| state.containers.iter().map(|of| of.config.clone()).collect::<Vec<_>>());
    for config in configs {
        let host = &config["HostConfig"];
        let bindings: Vec<_> = host["PortBindings"].as_object().unwrap().values().collect();
        assert!(bindings.iter().all(|binding| binding[0]["HostIp"] == "127.0.0.1"), "{host:#}");
        assert_eq!(host["CapDrop"], serde_json::json!(["ALL"]));
        assert_eq!(host["SecurityOpt"], serde_json::json!(["no-new-privileges"]));
        assert_eq!(host["RestartPolicy"]["Name"], "always");
        assert!(host["Memory"].as_i64().unwrap() > 0 && host["PidsLimit"].as_i64().unwrap() > 0);
        assert!(!config["User"].as_str().unwrap().starts_with('0'));
        assert!(!host.to_string().contains("docker.sock"));
    }
}
