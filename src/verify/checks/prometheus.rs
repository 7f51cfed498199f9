//! Prometheus: its configuration, its targets, its storage.

use super::ready;
use crate::component::Component;
use crate::verify::{Check, World};

pub(in crate::verify) fn checks(_world: &World) -> Vec<Check> {
    vec![ready("prometheus.ready", Component::Prometheus)]
}
