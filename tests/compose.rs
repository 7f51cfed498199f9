//! `render compose`: what it writes, and what it leaves alone.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use moko_mon::config;
use moko_mon::render::{File, compose};
use moko_mon::stack::Stack;
use serde_json::Value;

const REGENERATE: &str = "regenerate it with `cargo run -- render compose -o compose`";

/// `render compose -o out` in a folder, with nothing in the environment.
fn render(folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_moko-mon"));
    command.args(["render", "compose", "-o", "out", "--output", "json"]).env_clear().current_dir(folder);
    command.output().unwrap()
}

fn envelope(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

fn settings(folder: &Path, text: &str) {
    std::fs::write(folder.join("moko-mon.yaml"), text).unwrap();
}

/// The rendering of settings, as parsed YAML of the main file and all files by path.
fn rendered(text: &str, files: &[(&str, &str)]) -> (Value, BTreeMap<String, File>) {
    let folder = tempfile::tempdir().unwrap();
    settings(folder.path(), text);
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    let sources = config::Sources { directory: folder.path().to_owned(), ..config::Sources::default() };
    let config = config::resolve(&sources).unwrap().config;
    let files = compose::files(&config, &Stack::desired(&config).unwrap()).unwrap();
    let files: BTreeMap<String, File> = files.into_iter().map(|file| (file.path.clone(), file)).collect();
    let main = String::from_utf8(files[compose::FILE].content.clone()).unwrap();
    (moko_mon::yaml::from_str(&main).unwrap(), files)
}

#[test]
fn the_committed_rendering_is_the_default_one() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("compose");
    let config = config::defaults().unwrap();
    let files = compose::files(&config, &Stack::desired(&config).unwrap()).unwrap();
    for file in &files {
        let committed = std::fs::read(folder.join(&file.path)).unwrap_or_default();
        assert!(committed == file.content, "compose/{} is not what the code renders: {REGENERATE}", file.path);
    }
    let committed = std::fs::read_to_string(folder.join(compose::FILE)).unwrap();
    for path in compose::written(&committed) {
        assert!(files.iter().any(|file| file.path == path), "compose/{path} is no longer rendered: {REGENERATE}");
    }
}

#[test]
fn no_secret_is_in_the_main_file_and_none_is_made() {
    let password = "hunter2hunter2";
    let (main, files) = rendered(
        "targets:\n  - job: api\n    address: localhost:8080\n    basic_auth: {username: u, password_file: pw}\n",
        &[("pw", password)],
    );
    let secrets: Vec<&str> = files.values().filter(|file| file.secret).map(|file| file.path.as_str()).collect();
    assert_eq!(secrets, ["secrets/prometheus/pw"]);
    let holds = |file: &File| String::from_utf8_lossy(&file.content).contains(password);
    assert!(files.values().all(|file| file.secret == holds(file)));
    let mounts = main["services"]["prometheus"]["volumes"].as_array().unwrap();
    let mount = mounts.iter().find(|mount| mount["target"] == "/run/secrets/moko-mon").unwrap();
    assert_eq!((&mount["source"], &mount["read_only"]), (&"./secrets/prometheus".into(), &true.into()));
    let environment = main["services"]["grafana"]["environment"].to_string();
    assert!(environment.contains("GF_SECURITY_ADMIN_PASSWORD=$$__file{/var/lib/grafana/moko-mon/admin-password}"));
    assert!(!environment.contains("/run/secrets"), "{environment}");
}

#[test]
fn settings_reach_the_file() {
    let (main, files) = rendered(
        "project: team\nbind: \"::1\"\nimages: {registry: mirror:5000/x, pull: always}\n\
         prometheus: {port: 9190, memory: 300MiB, retention: {time: 2d}}\ngrafana: {enabled: false}\n\
         rules: {extra: [r.yml]}\n",
        &[("r.yml", "\u{FEFF}groups: []\n")],
    );
    assert_eq!(main["name"], "team-compose");
    let services: Vec<&String> = main["services"].as_object().unwrap().keys().collect();
    assert_eq!(services, ["prometheus", "alertmanager", "pushgateway"]);
    let prometheus = &main["services"]["prometheus"];
    assert_eq!(prometheus["image"], "${MOKO_MON_PROMETHEUS_IMAGE:-mirror:5000/x/prom/prometheus:v3.13.2}");
    assert_eq!((&prometheus["pull_policy"], &prometheus["mem_limit"]), (&"always".into(), &"300m".into()));
    assert_eq!(prometheus["ports"][0]["host_ip"], "::1");
    let command = prometheus["command"].to_string();
    assert!(command.contains("--web.external-url=http://[::1]:${MOKO_MON_PROMETHEUS_PORT:-9190}/"), "{command}");
    assert!(command.contains("--storage.tsdb.retention.time=2d"), "{command}");
    assert!(!files.keys().any(|path| path.starts_with("grafana/")));
    assert_eq!(files["prometheus/rules/extra/r.yml"].content, format!("{}\ngroups: []\n", compose::MARK).into_bytes());
}

#[test]
fn a_second_rendering_replaces_the_first_and_removes_what_is_no_longer_wanted() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("d.json"), r#"{"uid": "mine", "title": "Mine"}"#).unwrap();
    settings(folder.path(), "grafana: {dashboards: [d.json]}\n");
    assert!(render(folder.path()).status.success());
    let dashboard = folder.path().join("out/grafana/dashboards/mine.json");
    std::fs::write(&dashboard, "{}").unwrap();
    assert!(render(folder.path()).status.success(), "a JSON file of an earlier rendering is ours");
    assert!(std::fs::read_to_string(&dashboard).unwrap().contains("Mine"));

    settings(folder.path(), "project: other\n");
    let output = render(folder.path());
    assert_eq!(envelope(&output)["data"]["removed"], serde_json::json!(["grafana/dashboards/mine.json"]));
    assert!(!dashboard.exists());
    let main = std::fs::read_to_string(folder.path().join("out").join(compose::FILE)).unwrap();
    assert!(main.contains("name: other-compose"));
}

#[test]
fn what_somebody_else_wrote_is_not_overwritten_and_then_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    std::fs::create_dir_all(out.join("prometheus/prometheus.yml")).unwrap();
    std::fs::create_dir_all(out.join("grafana/dashboards")).unwrap();
    std::fs::write(out.join("docker-compose.yml"), "services: {}\n").unwrap();
    std::fs::write(out.join("grafana/dashboards/moko-standards-monitoring.json"), "{}").unwrap();
    let output = render(folder.path());
    assert_eq!(output.status.code(), Some(2));
    let error = &envelope(&output)["error"];
    assert_eq!(
        error["causes"],
        serde_json::json!([
            "`grafana/dashboards/moko-standards-monitoring.json` is there and was not written by `moko-mon render compose`",
            "`prometheus/prometheus.yml` is there and was not written by `moko-mon render compose`",
            "`docker-compose.yml` is there and was not written by `moko-mon render compose`",
        ])
    );
    assert_eq!(std::fs::read_to_string(out.join("docker-compose.yml")).unwrap(), "services: {}\n");
    assert!(!out.join("alertmanager").exists());
}

#[test]
fn a_list_of_files_that_leads_out_of_the_folder_removes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let precious = folder.path().join("precious");
    std::fs::write(&precious, "x").unwrap();
    std::fs::create_dir(folder.path().join("out")).unwrap();
    let forged = format!("{}\nx-moko-mon:\n  files: [../precious, {}]\n", compose::MARK, precious.display());
    std::fs::write(folder.path().join("out/docker-compose.yml"), forged).unwrap();
    assert!(render(folder.path()).status.success());
    assert!(precious.exists());
}

#[cfg(unix)]
#[test]
fn the_server_can_read_what_other_users_of_the_host_cannot() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), "t0ken").unwrap();
    settings(folder.path(), "targets: [{job: a, address: \"a:1\", bearer_token_file: token}]\n");
    let status = Command::new("sh")
        .args(["-c", "umask 077 && exec \"$0\" render compose -o out", env!("CARGO_BIN_EXE_moko-mon")])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .current_dir(folder.path())
        .status()
        .unwrap();
    assert!(status.success());
    let mode = |path: &str| folder.path().join("out").join(path).metadata().unwrap().permissions().mode() & 0o777;
    // The container sees the inner folder as its mount; from the host the outer one is in the way.
    assert_eq!((mode("secrets"), mode("secrets/prometheus"), mode("secrets/prometheus/token")), (0o700, 0o755, 0o444));
    assert_eq!((mode("prometheus"), mode("prometheus/prometheus.yml")), (0o755, 0o644));
    assert_eq!(
        std::fs::read_to_string(folder.path().join("out/secrets/.gitignore")).unwrap(),
        format!("{}\n*\n", compose::MARK)
    );
}
