//! All checks, in the order in which people read them: what carries the others first.

use futures_util::FutureExt as _;

use super::{Check, Finding, World};
use crate::component::Component;
use crate::error::Result;
use crate::stack::ready_path;

/// Every check that can be made of `world`; the user's own come last.
#[must_use]
pub fn catalog(_world: &World) -> Vec<Check> {
    let ready = |id: &'static str, component: Component| Check {
        id: id.into(),
        component: component.name(),
        about: format!("{} answers as ready.", component.title()).into(),
        needs: &[],
        look: Box::new(move |world| ready(world, component).boxed()),
    };
    vec![
        ready("prometheus.ready", Component::Prometheus),
        ready("alerting.ready", Component::Alertmanager),
        ready("pushgateway.ready", Component::Pushgateway),
        ready("grafana.ready", Component::Grafana),
    ]
}

async fn ready(world: &World, component: Component) -> Result<Finding> {
    let Some(server) = world.server(component) else {
        return Ok(Finding::skip(format!("no {} is given", component.title())));
    };
    let path = ready_path(component);
    let answer = server.get(path, &[]).await?;
    Ok(if answer.is_success() {
        Finding::pass(format!("`{}` was answered with {}", answer.request, answer.seen()))
    } else {
        Finding::fail(
            format!("`{}` was answered with {}", answer.request, answer.seen()),
            format!("see what it is doing with `moko-mon logs {component}`"),
        )
    })
}
