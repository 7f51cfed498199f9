//! One snapshot of the engine: the generated models are optional all the way down and are unwrapped here, once.

use std::collections::BTreeMap;
use std::net::IpAddr;

use bollard::models::{ContainerSummary, ContainerSummaryStateEnum, PortSummaryTypeEnum};
use futures_util::future::try_join_all;

use super::{Docker, labels};
use crate::component::Component;
use crate::error::Result;
use crate::observed::{Container, FileState, Network, Observed, State};
use crate::stack::{ContainerSpec, Stack, VolumeKind};

impl Docker {
    /// Everything the plan for `stack` depends on, as far as the engine knows it.
    pub async fn observe(&self, stack: &Stack) -> Result<Observed> {
        let mut observed = self.survey(stack).await?;
        let found = try_join_all(observed.containers.iter().map(|container| self.files(stack, container))).await?;
        for (container, files) in observed.containers.iter_mut().zip(found) {
            container.files = files;
        }
        Ok(observed)
    }

    /// The same without the files in the containers, which take longer than all the rest.
    pub async fn survey(&self, stack: &Stack) -> Result<Observed> {
        let project = &stack.project;
        let references: Vec<&str> = stack.components.iter().map(|spec| spec.container.image.as_str()).collect();
        let images = try_join_all(references.iter().map(|reference| self.image_id(reference)));
        let (summaries, networks, volumes, ids) =
            tokio::try_join!(self.containers(), self.networks(project), self.volumes(project), images)?;

        let needed: Vec<&str> = stack.components.iter().map(|spec| spec.container.name.as_str()).collect();
        let mut observed = Observed {
            networks: own_networks(networks, project),
            images: references.into_iter().map(str::to_owned).zip(ids).collect(),
            ..Observed::default()
        };
        let wanted: Vec<&str> = stack
            .components
            .iter()
            .flat_map(|spec| spec.container.volumes.iter().map(|volume| volume.name.as_str()))
            .collect();
        for volume in volumes.volumes.unwrap_or_default() {
            if wanted.contains(&volume.name.as_str()) {
                let ours = volume.labels.get(labels::PROJECT) == Some(project);
                observed.volumes.insert(volume.name, ours);
            }
        }
        let bind = stack.components.first().map(|spec| spec.container.port.bind);
        for summary in summaries {
            if label(&summary, labels::PROJECT) == Some(project.as_str()) {
                observed.containers.push(container(summary));
            } else {
                let name = name(&summary);
                if needed.contains(&name.as_str()) {
                    observed.foreign_containers.push(name.clone());
                }
                for port in published(&summary, bind) {
                    observed.held_ports.entry(port).or_insert_with(|| format!("container `{name}`"));
                }
            }
        }
        Ok(observed)
    }

    /// The containers of a project, without their files.
    pub async fn project_containers(&self, project: &str) -> Result<Vec<Container>> {
        let summaries = self.containers().await?;
        let ours = |summary: &ContainerSummary| label(summary, labels::PROJECT) == Some(project);
        Ok(summaries.into_iter().filter(ours).map(container).collect())
    }

    /// The networks of a project.
    pub async fn project_networks(&self, project: &str) -> Result<Vec<Network>> {
        let networks = own_networks(self.networks(project).await?, project);
        Ok(networks.into_iter().filter(|network| network.ours).collect())
    }

    /// The names of a project's volumes.
    pub async fn project_volumes(&self, project: &str) -> Result<Vec<String>> {
        let volumes = self.volumes(project).await?.volumes.unwrap_or_default();
        let ours =
            volumes.into_iter().filter(|volume| volume.labels.get(labels::PROJECT).is_some_and(|of| of == project));
        let mut names: Vec<String> = ours.map(|volume| volume.name).collect();
        names.sort();
        Ok(names)
    }

    /// What a container has in its config and secrets volumes.
    pub async fn files(&self, stack: &Stack, container: &Container) -> Result<BTreeMap<String, FileState>> {
        if let Some(files) = self.untouched(stack, container).await {
            return Ok(files);
        }
        let folders = container.spec.iter().flat_map(|spec| &spec.volumes);
        let folders = folders.filter(|volume| volume.kind != VolumeKind::Data);
        let found = try_join_all(folders.map(|volume| self.download(&container.id, &container.name, &volume.path)));
        Ok(found.await?.into_iter().flatten().collect())
    }
}

/// Networks of exactly our name (the engine's filter matches parts of names).
fn own_networks(networks: Vec<bollard::models::Network>, project: &str) -> Vec<Network> {
    let named = networks.into_iter().filter(|network| network.name.as_deref() == Some(project));
    let mut networks: Vec<Network> = named
        .map(|network| Network {
            id: network.id.unwrap_or_default(),
            name: network.name.unwrap_or_default(),
            ours: network.labels.unwrap_or_default().get(labels::PROJECT).is_some_and(|of| of == project),
        })
        .collect();
    networks.sort_by(|a, b| a.id.cmp(&b.id));
    networks
}

fn label<'a>(summary: &'a ContainerSummary, key: &str) -> Option<&'a str> {
    summary.labels.as_ref()?.get(key).map(String::as_str)
}

fn name(summary: &ContainerSummary) -> String {
    let first = summary.names.as_ref().and_then(|names| names.first());
    first.map(|name| name.trim_start_matches('/').to_owned()).unwrap_or_default()
}

/// The TCP ports that a container holds on addresses which overlap with `bind`.
fn published(summary: &ContainerSummary, bind: Option<IpAddr>) -> impl Iterator<Item = u16> {
    let overlaps = move |ip: Option<&str>| {
        let held = ip.and_then(|ip| ip.parse::<IpAddr>().ok());
        match (held, bind) {
            (Some(held), Some(bind)) => held == bind || held.is_unspecified() || bind.is_unspecified(),
            // What cannot be told apart may be the same.
            _ => true,
        }
    };
    let tcp = summary.ports.iter().flatten().filter(|port| port.typ == Some(PortSummaryTypeEnum::TCP));
    tcp.filter(move |port| overlaps(port.ip.as_deref())).filter_map(|port| port.public_port)
}

/// One of our containers; its files are read later.
fn container(summary: ContainerSummary) -> Container {
    let labels_of = |key| label(&summary, key);
    let spec = labels_of(labels::SPEC).and_then(|json| serde_json::from_str::<ContainerSpec>(json).ok());
    let check = labels_of(labels::CHECK).is_some();
    let component = labels_of(labels::COMPONENT).and_then(Component::from_name).filter(|_| !check);
    let image_id = labels_of(labels::IMAGE_ID).map(str::to_owned).or_else(|| summary.image_id.clone());
    // Created with the network's id as its mode, so this names the network even before the first start.
    let network = summary.host_config.as_ref().and_then(|host| host.network_mode.clone());
    let attached = summary.network_settings.as_ref().and_then(|settings| settings.networks.as_ref());
    let attached = attached.is_some_and(|networks| networks.values().any(|endpoint| endpoint.network_id == network));
    let mut ports: Vec<String> = summary
        .ports
        .iter()
        .flatten()
        .filter_map(|port| Some(format!("{}:{}", port.ip.as_deref().unwrap_or("0.0.0.0"), port.public_port?)))
        .collect();
    ports.sort();
    ports.dedup();
    Container {
        name: name(&summary),
        component,
        demo: labels_of(labels::COMPONENT) == Some(crate::demo::feed::ROLE),
        spec,
        image_id: image_id.unwrap_or_default(),
        image: summary.image.clone().unwrap_or_default(),
        network: network.unwrap_or_default(),
        attached,
        state: state(summary.state),
        files: BTreeMap::new(),
        ready: false,
        ports,
        id: summary.id.unwrap_or_default(),
    }
}

fn state(state: Option<ContainerSummaryStateEnum>) -> State {
    match state {
        Some(ContainerSummaryStateEnum::CREATED) => State::Created,
        Some(ContainerSummaryStateEnum::RUNNING | ContainerSummaryStateEnum::STOPPING) => State::Running,
        Some(ContainerSummaryStateEnum::PAUSED) => State::Paused,
        Some(ContainerSummaryStateEnum::RESTARTING) => State::Restarting,
        Some(ContainerSummaryStateEnum::EXITED) => State::Exited,
        Some(
            ContainerSummaryStateEnum::REMOVING | ContainerSummaryStateEnum::DEAD | ContainerSummaryStateEnum::EMPTY,
        )
        | None => State::Dead,
    }
}
