//! The way of an alert from Prometheus through Alertmanager to a receiver.

mod delivery;
mod routes;
mod sending;

use futures_util::FutureExt as _;

use super::{check, not_given, ready};
use crate::component::Component;
use crate::error::Result;
use crate::exposition::read::value;
use crate::server::difference_told;
use crate::verify::{Check, Finding, World};

pub(in crate::verify) fn checks(world: &World) -> Vec<Check> {
    let (alertmanager, prometheus) = (Component::Alertmanager.name(), Component::Prometheus.name());
    let sending_needs: &[&str] = match world.server(Component::Alertmanager) {
        Some(_) => &["alerting.discovery", "alerting.ready"],
        None => &["alerting.discovery"],
    };
    vec![
        ready("alerting.ready", Component::Alertmanager),
        check(
            "alerting.discovery",
            prometheus,
            "Prometheus sends alerts to our Alertmanager and drops none of its kind.",
            &["prometheus.ready"],
            |world| sending::look_discovery(world).boxed(),
        ),
        check(
            "alerting.sending",
            prometheus,
            "Alerts that Prometheus sent of late were taken, and none wait in its queue.",
            sending_needs,
            |world| sending::look_sending(world).boxed(),
        ),
        check(
            "alerting.config",
            alertmanager,
            "Alertmanager took its last configuration, and it is the one that moko-mon wrote.",
            &["alerting.ready", "engine.files.alertmanager"],
            |world| look_config(world).boxed(),
        ),
        check(
            "alerting.receivers",
            alertmanager,
            "Every route ends in a receiver that tells somebody.",
            &["alerting.ready"],
            |world| routes::look_receivers(world).boxed(),
        ),
        check(
            "alerting.routes",
            alertmanager,
            "Every route can be reached by an alert of the rules that are loaded, and is not muted at any time.",
            &["alerting.ready", "prometheus.ready"],
            |world| routes::look_routes(world).boxed(),
        ),
        check(
            "alerting.heartbeat",
            alertmanager,
            "The alert that always fires goes to the heartbeat's address, so that the end of monitoring is noticed.",
            &["alerting.ready"],
            |world| routes::look_heartbeat(world).boxed(),
        ),
        check(
            "alerting.delivery",
            alertmanager,
            "Receivers took the notifications that were sent to them of late.",
            &["alerting.ready"],
            |world| delivery::look(world).boxed(),
        ),
    ]
}

pub(super) async fn look_config(world: &World) -> Result<Finding> {
    let Some(server) = world.server(Component::Alertmanager) else { return Ok(not_given(Component::Alertmanager)) };
    let facts = &world.facts.alertmanager;
    if value(&facts.metrics(server).await?, "alertmanager_config_last_reload_successful") == Some(0.0) {
        return Ok(Finding::fail(
            "it refused its file when it last read it, and runs the configuration before",
            "see why with `moko-mon logs alertmanager`; `moko-mon up` puts the file right",
        ));
    }
    let delivered = world.spec(Component::Alertmanager).and_then(|spec| Some((spec, spec.reload?)));
    let Some((spec, reload)) = delivered else {
        return Ok(Finding::pass("the last reload succeeded; what should be in the file is not known"));
    };
    Ok(match difference_told(spec, reload, &facts.status(server).await?.body)? {
        None => Finding::pass("the last reload succeeded; it runs what `moko-mon up` delivered"),
        Some(difference) => {
            Finding::fail(format!("it runs another configuration: {difference}"), "bring it back with `moko-mon up`")
        }
    })
}
