//! From our own values to the Engine API's; pure.

use std::collections::HashMap;

use bollard::models::{
    ContainerCreateBody, EndpointSettings, HostConfig, HostConfigLogConfig, Mount, MountType, MountVolumeOptions,
    NetworkingConfig, PortBinding, RestartPolicy, RestartPolicyNameEnum,
};

use super::labels;
use crate::component::Component;
use crate::stack::{ContainerSpec, VolumeKind};

/// The body of the create call for a component's container, attached to the network of that id.
#[must_use]
pub fn create_body(
    project: &str,
    component: Component,
    spec: &ContainerSpec,
    image_id: &str,
    network: &str,
) -> ContainerCreateBody {
    let port = format!("{}/tcp", spec.port.container);
    let endpoint = EndpointSettings { aliases: Some(vec![component.to_string()]), ..EndpointSettings::default() };
    ContainerCreateBody {
        image: Some(spec.image.clone()),
        cmd: (!spec.command.is_empty()).then(|| spec.command.clone()),
        env: Some(spec.environment.clone()),
        user: Some(spec.user.clone()),
        labels: Some(labels::container(project, component, spec_json(spec), image_id)),
        exposed_ports: Some(vec![port.clone()]),
        stop_timeout: Some(spec.stop_timeout),
        host_config: Some(HostConfig {
            network_mode: Some(network.to_owned()),
            port_bindings: Some(HashMap::from([(
                port,
                Some(vec![PortBinding {
                    host_ip: Some(spec.port.bind.to_string()),
                    host_port: Some(spec.port.host.to_string()),
                }]),
            )])),
            mounts: Some(spec.volumes.iter().map(|volume| mount(project, component, volume)).collect()),
            extra_hosts: Some(spec.extra_hosts.clone()),
            ..lasting(spec)
        }),
        networking_config: Some(NetworkingConfig {
            endpoints_config: Some(HashMap::from([(network.to_owned(), endpoint)])),
        }),
        ..ContainerCreateBody::default()
    }
}

/// The body of a container that stays beside the servers, publishes nothing and keeps nothing: only its image, user and
/// limits are the spec's.
#[must_use]
pub fn helper_body(
    project: &str,
    role: &str,
    spec: &ContainerSpec,
    network: &str,
    entrypoint: Vec<String>,
    environment: Vec<String>,
) -> ContainerCreateBody {
    ContainerCreateBody {
        image: Some(spec.image.clone()),
        entrypoint: Some(entrypoint),
        cmd: Some(Vec::new()),
        env: Some(environment),
        user: Some(spec.user.clone()),
        labels: Some(labels::helper(project, role)),
        host_config: Some(HostConfig { network_mode: Some(network.to_owned()), ..lasting(spec) }),
        ..ContainerCreateBody::default()
    }
}

/// What a container needs that runs until it is removed.
fn lasting(spec: &ContainerSpec) -> HostConfig {
    HostConfig {
        // `unless-stopped` does not bring a container back after the engine was killed; `always` does.
        restart_policy: Some(RestartPolicy { name: Some(RestartPolicyNameEnum::ALWAYS), maximum_retry_count: None }),
        log_config: Some(HostConfigLogConfig {
            typ: Some("json-file".to_owned()),
            config: Some(HashMap::from([
                ("max-size".to_owned(), "10m".to_owned()),
                ("max-file".to_owned(), "3".to_owned()),
            ])),
        }),
        ..hardening(spec)
    }
}

/// What keeps a server that was taken over from reaching further.
fn hardening(spec: &ContainerSpec) -> HostConfig {
    let memory = i64::try_from(spec.memory).unwrap_or(i64::MAX);
    HostConfig {
        readonly_rootfs: Some(spec.read_only),
        cap_drop: Some(vec!["ALL".to_owned()]),
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        pids_limit: Some(spec.pids),
        memory: Some(memory),
        // Equal to `memory`: no swap beyond it.
        memory_swap: Some(memory),
        tmpfs: Some(HashMap::from([("/tmp".to_owned(), "rw,noexec,nosuid,size=64m".to_owned())])),
        // No `nofile` limit of our own: an engine without the right to raise it (rootless, nested) starts nothing then.
        ..HostConfig::default()
    }
}

fn mount(project: &str, component: Component, volume: &crate::stack::VolumeMount) -> Mount {
    Mount {
        target: Some(volume.path.clone()),
        source: Some(volume.name.clone()),
        typ: Some(MountType::VOLUME),
        volume_options: Some(MountVolumeOptions {
            // A data volume starts as the image's own folder, with its owner; the others hold only what we deliver.
            no_copy: Some(volume.kind != VolumeKind::Data),
            labels: Some(labels::volume(project, component, volume.kind.name())),
            ..MountVolumeOptions::default()
        }),
        ..Mount::default()
    }
}

/// The body of a container that only runs one command of an image on delivered files and is removed afterwards.
#[must_use]
pub fn check_body(project: &str, spec: &ContainerSpec, entrypoint: Vec<String>) -> ContainerCreateBody {
    let mut labels = labels::project(project);
    labels.insert(labels::CHECK.to_owned(), "true".to_owned());
    ContainerCreateBody {
        image: Some(spec.image.clone()),
        entrypoint: Some(entrypoint),
        cmd: Some(Vec::new()),
        user: Some(spec.user.clone()),
        labels: Some(labels),
        host_config: Some(HostConfig {
            network_mode: Some("none".to_owned()),
            // Files are delivered into the container's own layer, which an upload needs to be able to write.
            readonly_rootfs: Some(false),
            ..hardening(spec)
        }),
        ..ContainerCreateBody::default()
    }
}

/// The body of a container that works on the data of a stopped server: a check with the server's data volume.
#[must_use]
pub fn data_body(
    project: &str,
    component: Component,
    spec: &ContainerSpec,
    entrypoint: Vec<String>,
) -> ContainerCreateBody {
    let mut body = check_body(project, spec, entrypoint);
    let data = spec.volumes.iter().filter(|volume| volume.kind == VolumeKind::Data);
    let mounts = data.map(|volume| mount(project, component, volume)).collect();
    body.host_config = body.host_config.map(|host| HostConfig { mounts: Some(mounts), ..host });
    body
}

/// The spec as it is kept in a label.
#[must_use]
pub fn spec_json(spec: &ContainerSpec) -> String {
    serde_json::to_string(spec).unwrap_or_default()
}
