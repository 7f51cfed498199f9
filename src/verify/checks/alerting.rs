//! The way of an alert from Prometheus through Alertmanager to a receiver.

use super::ready;
use crate::component::Component;
use crate::verify::{Check, World};

pub(in crate::verify) fn checks(_world: &World) -> Vec<Check> {
    vec![ready("alerting.ready", Component::Alertmanager)]
}
