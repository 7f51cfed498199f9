//! Prometheus: what it scrapes, which rules it evaluates, whom it tells.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    Access, Check, ComponentSpec, ContainerSpec, FileSpec, Reload, SECRETS_PATH, VolumeKind, container, volume,
};
use crate::assets;
use crate::component::Component;
use crate::config::{Config, Target, TargetAuth, UserFile};
use crate::error::Result;
use crate::yaml;

/// `nobody` of the three images of the Prometheus family.
pub(super) const NOBODY: &str = "65534:65534";

const CONFIG_PATH: &str = "/etc/prometheus/prometheus.yml";
const RULES_PATH: &str = "/etc/prometheus/rules";

/// The name by which a container reaches the Docker host.
const HOST: &str = "host.docker.internal";

/// The names of our own scrape jobs, one for each component.
pub const SCRAPE_JOBS: [&str; 4] = ["prometheus", "alertmanager", "pushgateway", "grafana"];

pub(super) fn spec(config: &Config) -> Result<ComponentSpec> {
    let component = Component::Prometheus;
    let mut container = ContainerSpec {
        volumes: vec![
            volume(config, component, VolumeKind::Config, "/etc/prometheus"),
            volume(config, component, VolumeKind::Secrets, SECRETS_PATH),
            volume(config, component, VolumeKind::Data, "/prometheus"),
        ],
        // A large head block takes minutes to write; the operator of the same name waits ten.
        stop_timeout: 120,
        // Always there, so that a first target on this host is a change of a file and not of the container.
        extra_hosts: vec![format!("{HOST}:host-gateway")],
        ..container(config, component, 9090, NOBODY)
    };
    container.command = vec![
        format!("--config.file={CONFIG_PATH}"),
        "--storage.tsdb.path=/prometheus".to_owned(),
        // The flags are deprecated since 3.8 but work in every version; read from the file, 3.8 to 3.10 keep
        // samples a million times too long.
        format!("--storage.tsdb.retention.time={}", config.prometheus.retention_time),
        format!("--storage.tsdb.retention.size={}", config.prometheus.retention_size),
        format!("--web.external-url={}/", container.port.url()),
    ];
    Ok(ComponentSpec {
        component,
        container,
        files: files(config)?,
        generated: Vec::new(),
        ready_path: "/-/ready",
        reload: Some(Reload {
            metrics: "prometheus",
            main_file: CONFIG_PATH,
            running_path: "/api/v1/status/config",
            running_pointer: "/data/yaml",
            marker: "/etc/prometheus/.moko-mon-applied",
        }),
        check: check(config),
    })
}

/// Our own part is checked by tests; a container is spent on the check only when the user has added something.
fn check(config: &Config) -> Option<Check> {
    let settings = &config.prometheus;
    let ours_alone = config.extra_rules.is_empty()
        && config.targets.is_empty()
        && settings.remote_write.is_empty()
        && settings.external_labels.is_empty();
    let name = |file: &UserFile| (format!("{RULES_PATH}/extra/{}", file.name), file.path.display().to_string());
    (!ours_alone).then(|| Check {
        command: ["/bin/promtool", "check", "config", CONFIG_PATH].map(str::to_owned).to_vec(),
        names: config.extra_rules.iter().map(name).collect(),
    })
}

/// Everything that Prometheus reads; the main file last, so that what it names is there before it.
fn files(config: &Config) -> Result<Vec<FileSpec>> {
    let mut files: Vec<FileSpec> = rule_files(config)
        .map(|(path, content)| FileSpec { path, content: content.to_vec(), access: Access::Public })
        .collect();
    let secret = Access::Secret { uid: 65534, gid: 65534 };
    files.extend(config.targets.iter().filter_map(|target| target.auth.as_ref()).map(|auth| {
        let (TargetAuth::Basic { password: file, .. } | TargetAuth::Bearer { token: file }) = auth;
        FileSpec { path: secret_path(&file.name), content: file.content.clone(), access: secret }
    }));
    files.extend(config.prometheus.remote_write_secrets.iter().map(|file| FileSpec {
        path: secret_path(&file.name),
        content: file.content.clone(),
        access: secret,
    }));
    files.push(FileSpec {
        path: CONFIG_PATH.to_owned(),
        content: yaml::to_string(&configuration(config))?.into_bytes(),
        access: Access::Public,
    });
    Ok(files)
}

fn secret_path(name: &str) -> String {
    format!("{SECRETS_PATH}/{name}")
}

/// Rule files as paths in the container and their bytes: ours, then the user's.
fn rule_files(config: &Config) -> impl Iterator<Item = (String, &[u8])> {
    let ours = [("alerts-config.yml", assets::ALERTS_CONFIG), ("stack-alerts.yml", assets::STACK_ALERTS)];
    let ours = ours.into_iter().map(|(name, text)| (format!("{RULES_PATH}/{name}"), text.as_bytes()));
    let extra = config.extra_rules.iter();
    ours.chain(extra.map(|file| (format!("{RULES_PATH}/extra/{}", file.name), file.content.as_slice())))
}

#[derive(Serialize)]
struct Configuration {
    global: Global,
    rule_files: Vec<String>,
    alerting: Alerting,
    scrape_configs: Vec<ScrapeConfig>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    remote_write: Vec<serde_json::Value>,
}

#[derive(Serialize)]
struct Global {
    scrape_interval: String,
    evaluation_interval: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    external_labels: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Alerting {
    alertmanagers: Vec<Alertmanagers>,
}

#[derive(Serialize)]
struct Alertmanagers {
    static_configs: Vec<StaticConfig>,
}

#[derive(Serialize, Default)]
struct ScrapeConfig {
    job_name: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    honor_labels: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheme: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    basic_auth: Option<BasicAuth>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization: Option<Authorization>,
    static_configs: Vec<StaticConfig>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    metric_relabel_configs: Vec<Relabel>,
}

#[derive(Serialize, PartialEq, Clone)]
struct BasicAuth {
    username: String,
    password_file: String,
}

#[derive(Serialize, PartialEq, Clone)]
struct Authorization {
    credentials_file: String,
}

#[derive(Serialize)]
struct Relabel {
    source_labels: Vec<&'static str>,
    regex: &'static str,
    action: &'static str,
}

#[derive(Serialize)]
struct StaticConfig {
    targets: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, String>,
}

impl StaticConfig {
    fn of(target: String) -> Self {
        Self { targets: vec![target], labels: BTreeMap::new() }
    }
}

fn configuration(config: &Config) -> Configuration {
    let own = config.components().map(|component| {
        let (port, push) = match component {
            Component::Prometheus => (9090, false),
            Component::Alertmanager => (9093, false),
            Component::Pushgateway => (9091, true),
            Component::Grafana => (3000, false),
        };
        ScrapeConfig {
            job_name: component.to_string(),
            honor_labels: push,
            static_configs: vec![StaticConfig::of(format!("{component}:{port}"))],
            metric_relabel_configs: if push { vec![refuse_forgeries()] } else { Vec::new() },
            ..ScrapeConfig::default()
        }
    });
    Configuration {
        global: Global {
            scrape_interval: config.prometheus.scrape_interval.to_string(),
            evaluation_interval: config.prometheus.evaluation_interval.to_string(),
            external_labels: config.prometheus.external_labels.clone(),
        },
        rule_files: rule_files(config).map(|(path, _)| path).collect(),
        alerting: Alerting {
            alertmanagers: vec![Alertmanagers {
                static_configs: vec![StaticConfig::of("alertmanager:9093".to_owned())],
            }],
        },
        scrape_configs: own.chain(user_jobs(&config.targets)).collect(),
        remote_write: config.prometheus.remote_write.clone(),
    }
}

/// With `honor_labels` a push could pretend to be another target's health or an alert; those names are dropped.
fn refuse_forgeries() -> Relabel {
    Relabel { source_labels: vec!["__name__"], regex: "up|scrape_.*|ALERTS|ALERTS_FOR_STATE", action: "drop" }
}

/// One scrape job for each job name; targets that differ in how they are asked get jobs of their own.
///
/// Prometheus wants job names to be unique, so the second of two such jobs is told apart by a number and carries the
/// user's name as its `job` label.
fn user_jobs(targets: &[Target]) -> Vec<ScrapeConfig> {
    let mut jobs: Vec<ScrapeConfig> = Vec::new();
    for target in targets {
        let candidate = scrape_config(target);
        let same = |job: &&mut ScrapeConfig| {
            job.static_configs.iter().any(|group| group.labels.get("job") == Some(&target.job))
                && job.scheme == candidate.scheme
                && job.metrics_path == candidate.metrics_path
                && job.basic_auth == candidate.basic_auth
                && job.authorization == candidate.authorization
        };
        if let Some(job) = jobs.iter_mut().find(same) {
            job.static_configs.extend(candidate.static_configs);
            continue;
        }
        let taken = |name: &str| jobs.iter().any(|job| job.job_name == name);
        let mut name = target.job.clone();
        let mut number = 2;
        while taken(&name) {
            name = format!("{}-{number}", target.job);
            number += 1;
        }
        jobs.push(ScrapeConfig { job_name: name, ..candidate });
    }
    jobs
}

fn scrape_config(target: &Target) -> ScrapeConfig {
    let mut labels = target.labels.clone();
    labels.insert("job".to_owned(), target.job.clone());
    // What the user wrote stays visible, whatever address the container has to use.
    labels.insert("instance".to_owned(), target.address.clone());
    let (basic_auth, authorization) = match &target.auth {
        Some(TargetAuth::Basic { username, password }) => {
            (Some(BasicAuth { username: username.clone(), password_file: secret_path(&password.name) }), None)
        }
        Some(TargetAuth::Bearer { token }) => {
            (None, Some(Authorization { credentials_file: secret_path(&token.name) }))
        }
        None => (None, None),
    };
    ScrapeConfig {
        scheme: (target.scheme != "http").then(|| target.scheme.clone()),
        metrics_path: (target.metrics_path != "/metrics").then(|| target.metrics_path.clone()),
        basic_auth,
        authorization,
        static_configs: vec![StaticConfig { targets: vec![reachable(&target.address)], labels }],
        ..ScrapeConfig::default()
    }
}

/// The address as the container has to use it: loopback means the Docker host, not the container itself.
fn reachable(address: &str) -> String {
    let loopback = ["localhost:", "127.0.0.1:", "[::1]:"];
    match loopback.iter().find_map(|prefix| address.strip_prefix(prefix)) {
        Some(port) => format!("{HOST}:{port}"),
        None => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::reachable;

    #[test]
    fn loopback_means_the_docker_host() {
        assert_eq!(reachable("localhost:8000"), "host.docker.internal:8000");
        assert_eq!(reachable("127.0.0.1:8000"), "host.docker.internal:8000");
        assert_eq!(reachable("[::1]:8000"), "host.docker.internal:8000");
        assert_eq!(reachable("exporter:8000"), "exporter:8000");
        assert_eq!(reachable("localhost.example:8000"), "localhost.example:8000");
    }
}
