//! `prometheus.yml` as typed values: scrape jobs, rule files, Alertmanager, remote write.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{SECRETS_PATH, rule_files, secret_path};
use crate::component::Component;
use crate::config::{Config, Target, TargetAuth};
use crate::stack::host;

/// The main file.
#[derive(Serialize)]
pub(super) struct Configuration {
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

pub(super) fn configuration(config: &Config) -> Configuration {
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
            external_labels: config.prometheus.external_labels.iter().map(literal).collect(),
        },
        rule_files: rule_files(config).map(|(path, _)| path).collect(),
        alerting: Alerting {
            alertmanagers: vec![Alertmanagers {
                static_configs: vec![StaticConfig::of("alertmanager:9093".to_owned())],
            }],
        },
        scrape_configs: own.chain(user_jobs(&config.targets)).collect(),
        remote_write: config.prometheus.remote_write_below(SECRETS_PATH),
    }
}

/// Prometheus 3 puts environment variables into external labels; what the user wrote is meant as it stands.
fn literal((name, value): (&String, &String)) -> (String, String) {
    (name.clone(), value.replace('$', "$$"))
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
    let mut jobs: Vec<(&str, ScrapeConfig)> = Vec::new();
    for target in targets {
        let candidate = scrape_config(target);
        let same = |(name, job): &&mut (&str, ScrapeConfig)| {
            *name == target.job
                && job.scheme == candidate.scheme
                && job.metrics_path == candidate.metrics_path
                && job.basic_auth == candidate.basic_auth
                && job.authorization == candidate.authorization
        };
        if let Some((_, job)) = jobs.iter_mut().find(same) {
            job.static_configs.extend(candidate.static_configs);
            continue;
        }
        let taken = |name: &str| jobs.iter().any(|(_, job)| job.job_name == name);
        let mut name = target.job.clone();
        let mut number = 2;
        while taken(&name) {
            name = format!("{}-{number}", target.job);
            number += 1;
        }
        jobs.push((&target.job, ScrapeConfig { job_name: name, ..candidate }));
    }
    jobs.into_iter().map(|(_, job)| job).collect()
}

fn scrape_config(target: &Target) -> ScrapeConfig {
    let mut labels = target.labels.clone();
    labels.entry("job".to_owned()).or_insert_with(|| target.job.clone());
    // What the user wrote stays visible, whatever address the container has to use.
    labels.entry("instance".to_owned()).or_insert_with(|| target.address.clone());
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
        static_configs: vec![StaticConfig { targets: vec![host::reachable(&target.address)], labels }],
        ..ScrapeConfig::default()
    }
}
