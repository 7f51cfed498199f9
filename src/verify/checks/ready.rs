//! Whether a server serves, and whether it is the one that it is taken for.

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use serde_json::Value;

use super::{needs_running, not_given};
use crate::component::Component;
use crate::error::Result;
use crate::http::Server;
use crate::stack::ready_path;
use crate::verify::{Check, Finding, World};

/// The check that a server answers as ready, which everything else about it needs.
pub(super) fn ready(id: &'static str, component: Component) -> Check {
    Check {
        id: id.into(),
        component: component.name(),
        about: format!("{} answers as ready.", component.title()).into(),
        needs: needs_running(component),
        look: Box::new(move |world| look_ready(world, component).boxed()),
    }
}

async fn look_ready(world: &World, component: Component) -> Result<Finding> {
    let Some(server) = world.server(component) else {
        return Ok(not_given(component));
    };
    // Addresses that somebody gave may be mixed up; ours come from the containers.
    if world.engine.is_none()
        && let Some(other) = mistaken(server, component).await
    {
        return Ok(judge_mistaken(server.url(), component, other));
    }
    let answer = server.get(ready_path(component), &[]).await.map_err(|error| match (&error.hint, &world.engine) {
        (None, Some(_)) => error.hint("see what runs with `moko-mon status`; `moko-mon up` starts what does not"),
        (None, None) => error.hint("is the address right, and does the server run?"),
        (Some(_), _) => error,
    })?;
    let seen = format!("`{}` was answered with {}", answer.request, answer.seen());
    Ok(if answer.is_success() {
        Finding::pass(seen)
    } else {
        let hint = match (answer.status, &world.engine) {
            (401 | 403, None) => {
                "give a login: `--username NAME --password-file FILE`, or `--token-file FILE`".to_owned()
            }
            (404, None) => "give the path that a proxy puts in front with the address".to_owned(),
            (_, None) => format!("see the log of that {}", component.title()),
            (_, Some(_)) => format!("see what it is doing with `moko-mon logs {component}`"),
        };
        Finding::fail(seen, hint)
    })
}

/// What another server is behind the address of this one, if it surely is: three of the four say alike that they are ready.
async fn mistaken(server: &Server, wanted: Component) -> Option<Component> {
    if answers_as(server, wanted).await {
        return None;
    }
    let others = Component::ALL.into_iter().filter(|component| *component != wanted);
    let found = join_all(others.map(|other| async move { answers_as(server, other).await.then_some(other) })).await;
    found.into_iter().flatten().next()
}

/// Whether a server answers what only this one answers so. Others that understand its language, such as a Thanos, may not.
async fn answers_as(server: &Server, component: Component) -> bool {
    let (path, pointer) = match component {
        Component::Prometheus => ("/api/v1/status/buildinfo", "/data/version"),
        Component::Alertmanager => ("/api/v2/status", "/versionInfo/version"),
        Component::Pushgateway => ("/api/v1/status", "/data/build_information/version"),
        Component::Grafana => ("/api/health", "/database"),
    };
    let Ok(answer) = server.get(path, &[]).await else { return false };
    answer.is_success() && answer.json::<Value>().is_ok_and(|body| body.pointer(pointer).is_some())
}

fn judge_mistaken(url: &str, wanted: Component, found: Component) -> Finding {
    let article = |component| if component == Component::Alertmanager { "an" } else { "a" };
    Finding::fail(
        format!("{url} is {} {}, not {} {}", article(found), found.title(), article(wanted), wanted.title()),
        format!("give it as `--{found}-url`, and the address of the {} as `--{wanted}-url`", wanted.title()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_another_one_is_named() {
        let finding = judge_mistaken("http://a:9093", Component::Prometheus, Component::Alertmanager);
        assert_eq!(finding.evidence, ["http://a:9093 is an Alertmanager, not a Prometheus"]);
        assert_eq!(
            finding.hint.unwrap(),
            "give it as `--alertmanager-url`, and the address of the Prometheus as `--prometheus-url`"
        );
    }
}
