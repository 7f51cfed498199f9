//! The committed Compose file, brought up by the real Compose with the images and ports that the environment chooses.
//!
//! Grafana may be the stand-in, which knows the API and no provisioning; what a Grafana that does know it makes of the
//! files is then not looked at.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use moko_mon::http::Http;
use serde_json::Value;

const PORTS: [(&str, &str); 4] = [
    ("MOKO_MON_PROMETHEUS_PORT", "19790"),
    ("MOKO_MON_ALERTMANAGER_PORT", "19793"),
    ("MOKO_MON_PUSHGATEWAY_PORT", "19791"),
    ("MOKO_MON_GRAFANA_PORT", "19730"),
];
const PROMETHEUS: &str = "http://127.0.0.1:19790";
const GRAFANA: &str = "http://127.0.0.1:19730";

/// A Compose project that is gone when the test ends, however it ends.
struct Project {
    binary: String,
    name: String,
}

impl Project {
    fn new() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/compose-plugin");
        let output = Command::new(script).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let binary = String::from_utf8(output.stdout).unwrap().trim().to_owned();
        Self { binary, name: format!("moko-mon-test-compose-{}", std::process::id()) }
    }

    fn run(&self, arguments: &[&str]) -> String {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("compose/docker-compose.yml");
        let mut command = Command::new(&self.binary);
        let output =
            command.arg("-p").arg(&self.name).arg("-f").arg(file).args(arguments).envs(PORTS).output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}:\n{out}{err}");
        out.into_owned()
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        self.run(&["down", "--volumes", "--timeout", "5"]);
    }
}

async fn json(http: &Http, url: &str) -> Value {
    serde_json::from_str(&http.get_text(url, Duration::from_secs(5)).await.unwrap()).unwrap()
}

#[tokio::test]
async fn the_committed_file_brings_up_a_stack_that_works() {
    let project = Project::new();
    project.run(&["config", "--quiet"]);
    project.run(&["up", "--detach", "--wait"]);
    let http = Http::new().unwrap();

    let rules = json(&http, &format!("{PROMETHEUS}/api/v1/rules")).await;
    let files: Vec<&str> =
        rules["data"]["groups"].as_array().unwrap().iter().map(|group| group["file"].as_str().unwrap()).collect();
    for file in ["/etc/prometheus/rules/alerts-config.yml", "/etc/prometheus/rules/stack-alerts.yml"] {
        assert!(files.contains(&file), "{files:?}");
    }
    // The first scrape of each comes within one interval.
    let started = Instant::now();
    loop {
        let targets = json(&http, &format!("{PROMETHEUS}/api/v1/targets?state=active")).await;
        let targets = targets["data"]["activeTargets"].as_array().unwrap().clone();
        let up: Vec<&str> = targets
            .iter()
            .filter(|target| target["health"] == "up")
            .map(|target| target["labels"]["job"].as_str().unwrap())
            .collect();
        if up.len() == 4 {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(40), "{targets:#?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let managers = json(&http, &format!("{PROMETHEUS}/api/v1/alertmanagers")).await;
    assert_eq!(managers["data"]["activeAlertmanagers"][0]["url"], "http://alertmanager:9093/api/v2/alerts");

    // Made by the container itself, readable for the server alone, and no password that anybody could guess.
    let password = project.run(&["exec", "-T", "grafana", "cat", "/var/lib/grafana/moko-mon/admin-password"]);
    assert_eq!(password.len(), 32, "192 bits in base64");
    let modes = project.run(&["exec", "-T", "grafana", "ls", "-l", "/var/lib/grafana/moko-mon"]);
    assert_eq!(modes.matches("-rw-------").count(), 2, "{modes}");
    let login = |password: &str| moko_mon::http::Login {
        user: "admin".to_owned(),
        password: moko_mon::secret::Secret::new(password),
    };
    let org = format!("{GRAFANA}/api/org");
    assert!(http.get(&org, Some(&login(&password))).await.unwrap().is_success());
    assert_eq!(http.get(&org, Some(&login("admin"))).await.unwrap().status, 401);

    // A container made anew keeps both.
    project.run(&["up", "--detach", "--wait", "--force-recreate", "--no-deps", "grafana"]);
    assert_eq!(project.run(&["exec", "-T", "grafana", "cat", "/var/lib/grafana/moko-mon/admin-password"]), password);

    // Second time: nothing to do.
    let before = project.run(&["ps", "--quiet"]);
    project.run(&["up", "--detach", "--wait"]);
    assert_eq!(project.run(&["ps", "--quiet"]), before);
}
