//! Whether containers are what the settings ask for: image, ports, everything else.

use std::net::SocketAddr;

use super::{engine, with};
use crate::component::Component;
use crate::error::Result;
use crate::observed::Container;
use crate::stack::{ComponentSpec, ContainerSpec, Port};
use crate::verify::{Finding, World};

/// What makes a container what the settings ask for.
const UP: &str = "see what would change with `moko-mon up --dry-run`, then `moko-mon up`";

pub(super) async fn look_image(world: &World, component: Component) -> Result<Finding> {
    let local = match (world.spec(component), engine(world)) {
        (Some(spec), Some(engine)) => engine.docker.image_id(&spec.container.image).await?,
        _ => None,
    };
    let Some(local) = local else { return Ok(with(world, component, |spec, container| image(spec, container, None))) };
    let container = engine(world).and_then(|engine| engine.container(component));
    Ok(match (world.spec(component), container) {
        (Some(spec), Some(container)) => image(spec, container, Some(&local)),
        _ => Finding::skip(format!("no {} is part of the stack", component.title())),
    })
}

/// `local`: the id that the image's name stands for now, where it is still there.
fn image(spec: &ComponentSpec, container: &Container, local: Option<&str>) -> Finding {
    let wanted = &spec.container.image;
    let runs = container.spec.as_ref().map_or(&container.image, |spec| &spec.image);
    if runs != wanted {
        return Finding::fail(format!("it runs `{runs}`, and the settings ask for `{wanted}`"), UP);
    }
    if local.is_some_and(|id| id != container.image_id) {
        return Finding::fail(
            format!(
                "it runs an older build of `{wanted}`: {} instead of {}",
                short(&container.image_id),
                short(local.unwrap_or_default())
            ),
            UP,
        );
    }
    Finding::pass(format!("it runs `{wanted}` ({})", short(&container.image_id)))
}

/// `sha256:0123456789ab`.
fn short(id: &str) -> &str {
    id.get(..19).unwrap_or(id)
}

/// Everything but image and port, which have checks of their own.
pub(super) fn judge(spec: &ComponentSpec, container: &Container) -> Finding {
    let Some(running) = &container.spec else {
        return Finding::fail("the container was made by an unknown version of moko-mon", UP);
    };
    let alike =
        ContainerSpec { image: spec.container.image.clone(), port: spec.container.port.clone(), ..running.clone() };
    match spec.container.difference(&alike) {
        Some(difference) => Finding::fail(difference, UP),
        None => Finding::pass("command, environment, limits and volumes are those of the settings"),
    }
}

pub(super) fn judge_ports(spec: &ComponentSpec, container: &Container) -> Finding {
    ports(&spec.container.port, &container.ports)
}

/// Wider than configured is another check's: `exposure.ports`.
fn ports(port: &Port, published: &[String]) -> Finding {
    let wanted = port.host_address();
    let mut addresses = published.iter().filter_map(|text| super::super::published(text));
    let covers = |address: SocketAddr| {
        address.port() == port.host && (address.ip() == port.bind || address.ip().is_unspecified())
    };
    if addresses.any(covers) {
        return Finding::pass(format!("published on {}", published.join(", ")));
    }
    let found = if published.is_empty() { "no port".to_owned() } else { published.join(", ") };
    Finding::fail(format!("published is {found}, and the settings ask for {wanted}"), UP)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::Outcome;

    fn judged(bind: &str, published: &[&str]) -> Finding {
        let port = Port { bind: bind.parse().unwrap(), host: 9090, container: 9090 };
        ports(&port, &published.iter().map(|&text| text.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_port_is_where_the_settings_say_or_it_is_told_where_it_is() {
        assert_eq!(judged("127.0.0.1", &["127.0.0.1:9090"]).evidence, ["published on 127.0.0.1:9090"]);
        assert_eq!(judged("::1", &["::1:9090"]).outcome, Outcome::Pass, "the engine writes no brackets");
        assert_eq!(judged("::1", &["127.0.0.1:9090"]).outcome, Outcome::Fail);
        assert_eq!(
            judged("127.0.0.1", &["0.0.0.0:9090"]).outcome,
            Outcome::Pass,
            "reachable: `exposure.ports` judges it"
        );
        let finding = judged("127.0.0.1", &["127.0.0.1:9999"]);
        assert_eq!(finding.outcome, Outcome::Fail);
        assert_eq!(finding.evidence, ["published is 127.0.0.1:9999, and the settings ask for 127.0.0.1:9090"]);
        assert_eq!(
            judged("127.0.0.1", &[]).evidence,
            ["published is no port, and the settings ask for 127.0.0.1:9090"]
        );
    }
}
