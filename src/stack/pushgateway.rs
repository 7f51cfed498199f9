//! The Pushgateway: flags only, no file.

use super::{ComponentSpec, ContainerSpec, VolumeKind, container, volume};
use crate::component::Component;
use crate::config::Config;

pub(super) fn spec(config: &Config) -> ComponentSpec {
    let component = Component::Pushgateway;
    let container = ContainerSpec {
        command: vec![
            "--persistence.file=/pushgateway/metrics.store".to_owned(),
            // The default of five minutes loses every push since the last write when the process is killed.
            "--persistence.interval=1s".to_owned(),
        ],
        volumes: vec![volume(config, component, VolumeKind::Data, "/pushgateway")],
        ..container(config, component, 9091, super::prometheus::NOBODY)
    };
    ComponentSpec {
        component,
        container,
        files: Vec::new(),
        generated: Vec::new(),
        ready_path: super::ready_path(component),
        reload: None,
        check: None,
    }
}
