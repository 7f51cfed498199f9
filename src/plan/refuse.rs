//! What stands in the way of a plan: objects and ports of others.

use std::collections::BTreeSet;

use super::reconcile::current;
use crate::error::{Code, Error, Result};
use crate::observed::{Observed, State};
use crate::stack::{ComponentSpec, Stack};

/// The host ports that containers to be created or started are going to bind: `(port, setting)`.
#[must_use]
pub fn needed_ports(stack: &Stack, observed: &Observed) -> Vec<(u16, String)> {
    let needs = |spec: &&ComponentSpec| match current(spec, observed) {
        Some(container) if matches!(container.state, State::Running | State::Paused | State::Restarting) => {
            container.spec.as_ref().is_none_or(|running| running.port != spec.container.port)
        }
        Some(_) | None => true,
    };
    let own: BTreeSet<u16> = observed
        .containers
        .iter()
        .filter(|container| matches!(container.state, State::Running | State::Paused | State::Restarting))
        .filter_map(|container| Some(container.spec.as_ref()?.port.host))
        .collect();
    stack
        .components
        .iter()
        .filter(needs)
        .map(|spec| (spec.container.port.host, format!("{}.port", spec.component)))
        // A port that moves from one of our containers to another is freed before it is bound again.
        .filter(|(port, _)| !own.contains(port))
        .collect()
}

/// Objects that are not ours under names that we need: all of them at once.
pub(super) fn refuse_foreign(stack: &Stack, observed: &Observed) -> Result<()> {
    let project = &stack.project;
    let containers = observed.foreign_containers.iter().map(|name| (format!("container `{name}`"), "rm"));
    let volumes = observed.volumes.iter().filter(|(_, ours)| !**ours);
    let volumes = volumes.map(|(name, _)| (format!("volume `{name}`"), "volume rm"));
    let networks = observed.networks.iter().filter(|network| !network.ours);
    let networks = networks.map(|network| (format!("network `{}`", network.name), "network rm"));
    let foreign: Vec<(String, &str)> = containers.chain(volumes).chain(networks).collect();
    let Some((first, remove)) = foreign.first() else { return Ok(()) };
    let mut error = Error::new(Code::ForeignObject, format!("project `{project}` cannot use a name that is taken"));
    for (object, _) in &foreign {
        error = error.cause(format!("{object} exists and was not made by project `{project}` of moko-mon"));
    }
    let name = first.split('`').nth(1).unwrap_or_default();
    Err(error.hint(format!(
        "choose another name with `--project NAME`, or, if nobody needs it, remove it with `docker {remove} {name}`"
    )))
}

/// Ports that we need and somebody else holds: all of them at once.
pub(super) fn refuse_held_ports(stack: &Stack, observed: &Observed) -> Result<()> {
    let held: Vec<(u16, String, &String)> = needed_ports(stack, observed)
        .into_iter()
        .filter_map(|(port, setting)| Some((port, setting, observed.held_ports.get(&port)?)))
        .collect();
    let Some((_, setting, holder)) = held.first() else { return Ok(()) };
    let mut error = Error::new(Code::PortTaken, "a port that the stack needs is taken");
    for (port, _, holder) in &held {
        error = error.cause(format!("host port {port} is held by {holder}"));
    }
    let stop = match holder.strip_prefix("container `").and_then(|rest| rest.strip_suffix('`')) {
        Some(name) => format!("stop it with `docker stop {name}`, or"),
        None => "stop it, or".to_owned(),
    };
    Err(error.hint(format!("{stop} set `{setting}` in moko-mon.yaml to a free port")))
}
