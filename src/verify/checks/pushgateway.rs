//! The Pushgateway and the groups in it.

use super::ready;
use crate::component::Component;
use crate::verify::{Check, World};

pub(in crate::verify) fn checks(_world: &World) -> Vec<Check> {
    vec![ready("pushgateway.ready", Component::Pushgateway)]
}
