//! The desired stack: a pure value computed from the configuration.
//!
//! This is the one place that knows the four components; Docker, plan and terminal never name one. Each component is
//! one small file: options in, [`ComponentSpec`] out, nothing performed.

mod alertmanager;
mod grafana;
mod host;
pub mod images;
mod prometheus;
mod pushgateway;
pub mod spec;

use crate::component::Component;
use crate::config::Config;
use crate::error::Result;
use crate::http::grafana as grafana_api;
use crate::jobs::Job;

pub use alertmanager::text as alertmanager_configuration;
pub use grafana::{ADMIN_PASSWORD, ADMIN_USER, DASHBOARD_UID, admin_password, folder as grafana_folder};
pub use prometheus::{RULES_PATH, SCRAPE_JOBS};
pub use spec::{
    Access, Check, ComponentSpec, ContainerSpec, FileSpec, Fragment, GeneratedSecret, Port, Reload, VolumeKind,
    VolumeMount,
};

/// The folder in a container that holds the secrets volume.
pub const SECRETS_PATH: &str = "/run/secrets/moko-mon";

/// What should run.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    /// The project's name, which is also the network's.
    pub project: String,
    /// The components, in the order of [`Component::ALL`].
    pub components: Vec<ComponentSpec>,
    /// The jobs that the Pushgateway should know.
    pub jobs: Vec<Job>,
    /// What Grafana should contain, if there is one.
    pub grafana: Option<grafana_api::Content>,
}

impl Stack {
    /// The stack that a configuration asks for.
    pub fn desired(config: &Config) -> Result<Self> {
        let components = config
            .components()
            .map(|component| match component {
                Component::Prometheus => prometheus::spec(config),
                Component::Alertmanager => alertmanager::spec(config),
                Component::Pushgateway => Ok(pushgateway::spec(config)),
                Component::Grafana => Ok(grafana::spec(config)),
            })
            .collect::<Result<_>>()?;
        let grafana = config.grafana.enabled.then(|| grafana::content(config)).transpose()?;
        Ok(Self { project: config.project.clone(), components, jobs: config.jobs.clone(), grafana })
    }

    /// The component's spec, if the stack has it.
    #[must_use]
    pub fn get(&self, component: Component) -> Option<&ComponentSpec> {
        self.components.iter().find(|spec| spec.component == component)
    }
}

/// The name of a component's container.
#[must_use]
pub fn container_name(project: &str, component: Component) -> String {
    format!("{project}-{component}")
}

/// How many seconds a server is given between SIGTERM and SIGKILL, unless it needs longer.
pub const STOP_TIMEOUT: i64 = 30;

/// The path that answers 200 once a component serves.
#[must_use]
pub const fn ready_path(component: Component) -> &'static str {
    match component {
        Component::Prometheus | Component::Alertmanager | Component::Pushgateway => "/-/ready",
        Component::Grafana => "/api/health",
    }
}

/// What the four containers have in common.
fn container(config: &Config, component: Component, port: u16, user: &str) -> ContainerSpec {
    let server = config.server(component);
    ContainerSpec {
        name: container_name(&config.project, component),
        image: images::reference(component, config),
        command: Vec::new(),
        environment: Vec::new(),
        user: user.to_owned(),
        port: Port { bind: config.bind, host: server.port, container: port },
        volumes: Vec::new(),
        read_only: true,
        memory: server.memory,
        pids: 256,
        stop_timeout: STOP_TIMEOUT,
        extra_hosts: Vec::new(),
    }
}

/// A volume of a component.
fn volume(config: &Config, component: Component, kind: VolumeKind, path: &str) -> VolumeMount {
    VolumeMount { name: format!("{}-{component}-{}", config.project, kind.name()), kind, path: path.to_owned() }
}
