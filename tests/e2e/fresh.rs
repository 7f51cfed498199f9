//! The first `up`, and the second.

use serde_json::{Value, json};

use crate::support::docker::{file, inspect, lines};
use crate::support::{ALL, Stack, docker, eventually, http, when};

#[test]
fn a_fresh_up_gives_four_servers_that_know_each_other() {
    let stack = Stack::new("fresh");
    let output = stack.up();
    stack.assert_converged(&ALL);

    // Prometheus scrapes all four.
    for job in ALL {
        stack.sample(&format!("up{{job=\"{job}\"}} == 1"));
    }
    // Both rule files are loaded, and every rule evaluates.
    let rules = eventually("healthy rules", || {
        let rules = http::json(&format!("{}/api/v1/rules", stack.url("prometheus")))?;
        let groups = rules["data"]["groups"].as_array().unwrap().clone();
        let rules: Vec<Value> = groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect();
        let healthy = !rules.is_empty() && rules.iter().all(|rule| rule["health"] == "ok");
        when(healthy, &rules).map(|()| groups)
    });
    for name in ["alerts-config.yml", "stack-alerts.yml"] {
        let loaded = rules.iter().any(|group| group["file"].as_str().unwrap().ends_with(name));
        assert!(loaded, "{name} is not among {rules:?}");
    }
    // Prometheus has found Alertmanager.
    let found = eventually("an active Alertmanager", || {
        let found = http::json(&format!("{}/api/v1/alertmanagers", stack.url("prometheus")))?;
        let active = found["data"]["activeAlertmanagers"].as_array().unwrap().clone();
        when(!active.is_empty(), found).map(|()| active)
    });
    assert_eq!(found, [json!({"url": "http://alertmanager:9093/api/v2/alerts"})]);

    // Grafana has the data source and the dashboard, in our folder.
    let (status, source) = stack.grafana("GET", "/api/datasources/uid/moko-mon-prometheus", None);
    assert_eq!(
        (status, &source["type"], &source["url"]),
        (200, &json!("prometheus"), &json!("http://prometheus:9090"))
    );
    let (status, dashboard) = stack.grafana("GET", "/api/dashboards/uid/moko-standards-monitoring", None);
    assert_eq!((status, &dashboard["meta"]["folderUid"]), (200, &json!("moko-mon")));
    // Nobody gets in without the password.
    assert_eq!(stack.grafana_as("admin", "GET", "/api/org", None).0, 401);
    assert_eq!(http::get(&format!("{}/api/search", stack.url("grafana"))).0, 401);

    for component in ALL {
        assert!(output.stdout.contains(&stack.url(component)), "{output}");
    }
    assert!(output.stdout.contains("status --show-secrets"), "{output}");
    let status = stack.run(&["status", "--output", "json"]).code(0).json();
    let ready: Vec<bool> =
        status["data"]["components"].as_array().unwrap().iter().map(|one| one["ready"] == true).collect();
    assert_eq!(ready, [true; 4], "{status}");
}

#[test]
fn everything_is_labelled_and_every_container_is_hardened_and_on_loopback_only() {
    let stack = Stack::new("hard");
    stack.up();
    let project = json!(stack.name);
    for component in ALL {
        let seen = stack.inspect(component);
        let (labels, host) = (&seen["Config"]["Labels"], &seen["HostConfig"]);
        assert_eq!(labels["moko-mon.project"], project, "{component}");
        assert_eq!(labels["moko-mon.component"], component);
        assert_eq!(labels["com.docker.compose.project"], project, "{component}");
        assert_eq!(labels["com.docker.compose.service"], component);

        let ports = seen["NetworkSettings"]["Ports"].as_object().unwrap();
        let published: Vec<&Value> = ports.values().filter(|bindings| !bindings.is_null()).collect();
        let expected = json!([{"HostIp": "127.0.0.1", "HostPort": stack.port(component).to_string()}]);
        assert_eq!(published, [&expected], "{component}: {ports:?}");

        let user = seen["Config"]["User"].as_str().unwrap();
        assert!(!user.is_empty() && !user.starts_with('0') && !user.starts_with("root"), "{component}: {user}");
        assert_eq!(host["CapDrop"], json!(["ALL"]), "{component}");
        assert_eq!(host["CapAdd"], Value::Null, "{component}");
        assert_eq!(host["Privileged"], false, "{component}");
        assert_eq!(host["SecurityOpt"], json!(["no-new-privileges"]), "{component}");
        assert_eq!(host["ReadonlyRootfs"], component != "grafana", "{component}");
        assert!(host["Memory"].as_u64().unwrap() > 0, "{component}");
        assert_eq!(host["MemorySwap"], host["Memory"], "{component}");
        assert!(host["PidsLimit"].as_u64().unwrap() > 0, "{component}");
        assert_eq!(host["RestartPolicy"]["Name"], "always", "{component}");
        let mounts = seen["Mounts"].as_array().unwrap();
        assert!(mounts.iter().all(|mount| mount["Type"] == "volume"), "{component}: {mounts:?}");
        // What is set is also what the process has: user, no capability, no way to gain any.
        let status = docker(&["exec", &stack.container(component), "cat", "/proc/1/status"]);
        let line = |key: &str| status.lines().find_map(|line| line.strip_prefix(key)).unwrap().trim().to_owned();
        assert!(!line("Uid:").starts_with('0'), "{component}: {status}");
        assert_eq!(line("CapEff:"), "0000000000000000", "{component}");
        assert_eq!(line("NoNewPrivs:"), "1", "{component}");
    }
    let networks = stack.networks();
    assert_eq!(inspect("network", &networks[0])["Labels"]["com.docker.compose.project"], project);
    let volumes = stack.volumes();
    assert_eq!(volumes.len(), 9, "{volumes:?}");
    for volume in volumes {
        assert_eq!(inspect("volume", &volume)["Labels"]["com.docker.compose.project"], project, "{volume}");
    }
    // Administration over HTTP is off.
    for (component, path) in [
        ("prometheus", "/-/reload"),
        ("prometheus", "/api/v1/admin/tsdb/snapshot"),
        ("pushgateway", "/api/v1/admin/wipe"),
    ] {
        let method = if path.contains("wipe") { "PUT" } else { "POST" };
        let (status, body) = http::request(method, &format!("{}{path}", stack.url(component)), None, None);
        assert!((400..=503).contains(&status), "{component}{path}: {status} {body}");
    }
}

#[test]
fn secrets_are_files_of_the_server_s_user_and_nowhere_else() {
    let stack = Stack::new("secret");
    let output = stack.up();
    let container = stack.container("grafana");
    let secrets: Vec<String> = ["admin-password", "secret-key"]
        .iter()
        .map(|name| {
            let (mode, uid, _, text) = file(&container, &format!("/run/secrets/moko-mon/{name}"));
            assert_eq!((mode, uid), (0o400, 472), "{name}");
            // 128 bits need 22 characters of Base64.
            assert!(text.trim().len() >= 22, "{name} is short");
            text.trim().to_owned()
        })
        .collect();
    assert_eq!(stack.password(), secrets[0]);

    let mut places = vec![("the output of up", format!("{}{}", output.stdout, output.stderr))];
    for component in ALL {
        let name = stack.container(component);
        places.push(("inspect", stack.inspect(component).to_string()));
        places.push(("logs", crate::support::docker::attempt(&["logs", &name]).to_string()));
        places.push(("processes", docker(&["top", &name, "-eo", "pid,args"])));
    }
    for volume in stack.volumes() {
        places.push(("volume", inspect("volume", &volume).to_string()));
    }
    for process in lines(&["top", &container, "-eo", "pid"]).iter().skip(1) {
        let environment = std::fs::read(format!("/proc/{}/environ", process.trim())).unwrap_or_default();
        places.push(("environment of a process", String::from_utf8_lossy(&environment).into_owned()));
    }
    let other = stack.run(&["status"]).code(0);
    places.push(("status", format!("{}{}", other.stdout, other.stderr)));
    let other = stack.run(&["logs"]).code(0);
    places.push(("logs", other.stdout));
    for secret in &secrets {
        for (place, text) in &places {
            assert!(!text.contains(secret.as_str()), "a secret is in {place}");
        }
    }
}

#[test]
fn a_second_up_plans_nothing_and_changes_nothing() {
    let stack = Stack::new("second");
    stack.up();
    let (lives, networks, volumes) = (stack.lives(), stack.networks(), stack.volumes());
    let since = docker(&["info", "--format", "{{.SystemTime}}"]);
    assert_eq!(stack.plan(), Vec::<String>::new());
    let output = stack.up();
    let until = docker(&["info", "--format", "{{.SystemTime}}"]);
    assert_eq!((stack.lives(), stack.networks(), stack.volumes()), (lives, networks, volumes));
    // The engine itself has nothing to tell but that files were read.
    let label = format!("label=moko-mon.project={}", stack.name);
    let events =
        lines(&["events", "--since", &since, "--until", &until, "--filter", &label, "--format", "{{.Action}}"]);
    let changes: Vec<&String> = events.iter().filter(|event| *event != "archive-path").collect();
    assert_eq!(changes, Vec::<&String>::new());
    assert!(output.stdout.contains("nothing to do"), "{output}");
}
