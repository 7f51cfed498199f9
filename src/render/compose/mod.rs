//! The stack as a Compose file with its configuration files beside it; pure.
//!
//! Everything comes from the [`Stack`] that `up` uses, so both run the same containers. Three things differ, because
//! Compose cannot deliver files or make secrets: files are mounted from the folder, Grafana is filled from files, and
//! Grafana's container makes its own password at its first start.

mod grafana;
mod model;

use std::collections::BTreeMap;

use self::model::{
    ComposeFile, Driver, Healthcheck, Limits, Logging, LoggingOptions, Mount, PublishedPort, Service, Written, escape,
};
use super::File;
use crate::component::Component;
use crate::config::{Config, Pull};
use crate::error::Result;
use crate::stack::{ComponentSpec, SECRETS_PATH, Stack, VolumeKind};
use crate::yaml;

/// The name of the main file.
pub const FILE: &str = "docker-compose.yml";

/// The first line of every file of ours that can have a comment; what lacks it is not overwritten.
pub const MARK: &str = "# Written by `moko-mon render compose`; edit moko-mon.yaml instead";

/// The folder that keeps other users of the machine away from the secrets in it.
pub const SECRETS: &str = "secrets";

/// The stack as files, the main one last.
pub fn files(config: &Config, stack: &Stack) -> Result<Vec<File>> {
    let mut files: Vec<File> = stack.components.iter().flat_map(delivered).collect();
    if files.iter().any(|file| file.secret) {
        files.push(marked(format!("{SECRETS}/.gitignore"), "*\n"));
    }
    if let Some(content) = &stack.grafana {
        files.extend(grafana::provisioning(content)?);
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let written = Written { files: files.iter().map(|file| file.path.clone()).collect() };
    let file = compose_file(config, stack, written);
    files.push(marked(FILE.to_owned(), &format!("{}{}", heading(stack), yaml::to_string(&file)?)));
    Ok(files)
}

/// The paths that an earlier rendering lists in its main file; none if `text` is not such a file.
#[must_use]
pub fn written(text: &str) -> Vec<String> {
    if !text.starts_with(MARK) {
        return Vec::new();
    }
    yaml::from_str::<model::Earlier>(text).map(|earlier| earlier.written.files).unwrap_or_default()
}

/// What a reader of the file has to know.
fn heading(stack: &Stack) -> String {
    let mut lines = vec![
        String::new(),
        format!("  docker compose -f {FILE} up -d --wait"),
        String::new(),
        "The environment chooses images and ports, by the names that moko-mon knows: MOKO_MON_PROMETHEUS_IMAGE,"
            .to_owned(),
        "MOKO_MON_PROMETHEUS_PORT and so on. The project is not the one of `moko-mon up`: the two never share data."
            .to_owned(),
    ];
    if stack.grafana.is_some() {
        lines.extend(grafana::heading());
    }
    lines.iter().fold(String::new(), |text, line| format!("{text}{}\n", format!("# {line}").trim_end()))
}

/// A text file of ours, its first line says so.
fn marked(path: String, text: &str) -> File {
    File { path, content: format!("{MARK}\n{text}").into_bytes(), secret: false }
}

/// The files that `up` uploads to a component, each where the mounts of its service expect it.
fn delivered(spec: &ComponentSpec) -> impl Iterator<Item = File> {
    let component = spec.component;
    let config = spec.volume(VolumeKind::Config).map(|volume| volume.path.as_str());
    spec.files.iter().map(move |file| {
        let below = |folder: &str| file.path.strip_prefix(folder).map(|path| path.trim_start_matches('/').to_owned());
        match (below(SECRETS_PATH), config.and_then(below)) {
            (Some(path), _) => {
                File { path: format!("{SECRETS}/{component}/{path}"), content: file.content.clone(), secret: true }
            }
            (None, path) => {
                // A byte order mark is allowed at the very beginning only, and that is now ours.
                let text = String::from_utf8_lossy(&file.content);
                let path = path.unwrap_or_else(|| file.path.trim_start_matches('/').to_owned());
                marked(format!("{component}/{path}"), text.trim_start_matches('\u{FEFF}'))
            }
        }
    })
}

fn compose_file(config: &Config, stack: &Stack, written: Written) -> ComposeFile {
    let data = stack.components.iter().filter(|spec| spec.volume(VolumeKind::Data).is_some());
    ComposeFile {
        // Not the project's own name: Compose would take the containers of `moko-mon up` for its own and replace them.
        name: format!("{}-compose", stack.project),
        services: stack.components.iter().map(|spec| (spec.component, service(config, spec))).collect(),
        networks: BTreeMap::from([("default".to_owned(), Driver { driver: "bridge" })]),
        volumes: data.map(|spec| (data_volume(spec.component), BTreeMap::new())).collect(),
        written,
    }
}

fn data_volume(component: Component) -> String {
    format!("{component}-data")
}

fn service(config: &Config, spec: &ComponentSpec) -> Service {
    let container = &spec.container;
    let mut service = Service {
        image: with_variable(spec.component, "IMAGE", &container.image),
        pull_policy: match config.images.pull {
            // Compose's own default.
            Pull::Missing => None,
            Pull::Always => Some("always"),
            Pull::Never => Some("never"),
        },
        entrypoint: Vec::new(),
        command: container.command.iter().map(|text| address(spec, text)).collect(),
        environment: container.environment.iter().map(|text| address(spec, text)).collect(),
        user: container.user.clone(),
        ports: vec![PublishedPort {
            host_ip: container.port.bind.to_string(),
            published: with_variable(spec.component, "PORT", &container.port.host.to_string()),
            target: container.port.container,
            protocol: "tcp",
        }],
        extra_hosts: container.extra_hosts.clone(),
        volumes: mounts(spec),
        healthcheck: healthcheck(spec),
        read_only: container.read_only,
        tmpfs: vec!["/tmp:rw,noexec,nosuid,size=64m"],
        cap_drop: vec!["ALL"],
        security_opt: vec!["no-new-privileges"],
        limits: Limits::of(container),
        // As in `up`: `unless-stopped` does not bring a container back after the engine was killed.
        restart: "always",
        stop_grace_period: format!("{}s", container.stop_timeout),
        logging: Logging { driver: "json-file", options: LoggingOptions { max_size: "10m", max_file: "3" } },
    };
    if !spec.generated.is_empty() {
        grafana::adapt(&mut service, spec);
    }
    service
}

/// `${MOKO_MON_PROMETHEUS_PORT:-9090}`: the environment's value under the CLI's own name, else ours.
fn with_variable(component: Component, setting: &str, value: &str) -> String {
    format!("${{MOKO_MON_{}_{setting}:-{value}}}", component.name().to_uppercase())
}

/// A text of the spec for Compose: the server's own address follows the port that the environment chooses.
fn address(spec: &ComponentSpec, text: &str) -> String {
    let port = &spec.container.port;
    let url = spec.url();
    let host = url.strip_suffix(&port.host.to_string()).unwrap_or(&url);
    let chosen = format!("{host}{}/", with_variable(spec.component, "PORT", &port.host.to_string()));
    escape(text).replace(&format!("{url}/"), &chosen)
}

/// Folders of ours read-only, and one named volume for what the server writes.
fn mounts(spec: &ComponentSpec) -> Vec<Mount> {
    let component = spec.component;
    let secrets = spec.files.iter().any(|file| file.path.starts_with(SECRETS_PATH));
    spec.container
        .volumes
        .iter()
        .filter_map(|volume| match volume.kind {
            VolumeKind::Config => Some(Mount::folder(&component.to_string(), &volume.path)),
            VolumeKind::Secrets => secrets.then(|| Mount::folder(&format!("{SECRETS}/{component}"), &volume.path)),
            VolumeKind::Data => Some(Mount::named(data_volume(component), &volume.path)),
        })
        .collect()
}

/// Asks the server itself; `wget` is in all four images. A plain GET: the Pushgateway refuses HEAD.
fn healthcheck(spec: &ComponentSpec) -> Healthcheck {
    let url = format!("http://127.0.0.1:{}{}", spec.container.port.container, spec.ready_path);
    Healthcheck {
        test: ["CMD", "wget", "-q", "-O", "/dev/null", url.as_str()].map(str::to_owned).to_vec(),
        interval: "5s",
        timeout: "5s",
        retries: 3,
        // Prometheus answers 503 until it has read its write-ahead log, which takes minutes when there is much of it.
        start_period: "2m",
    }
}
