//! Grafana: login, data source, dashboards, every query of every panel.

mod behind;
mod content;
mod panels;
mod variables;
mod why;

use futures_util::FutureExt as _;

use super::{check, ready};
use crate::component::Component;
use crate::error::Result;
use crate::verify::facts::Access;
use crate::verify::{Check, Finding, World};

pub(in crate::verify) fn checks(world: &World) -> Vec<Check> {
    let grafana = Component::Grafana.name();
    // A Prometheus that is down is one failure; where none is given, the way through Grafana is looked at all the same.
    let health_needs: &[&str] = match world.server(Component::Prometheus) {
        Some(_) => &["grafana.data_source", "prometheus.ready"],
        None => &["grafana.data_source"],
    };
    vec![
        ready("grafana.ready", Component::Grafana),
        check(
            "grafana.login",
            grafana,
            "The login is accepted; it is tried once only, because five wrong ones lock the user out.",
            &["grafana.ready"],
            |world| look_login(world).boxed(),
        ),
        check(
            "grafana.data_source",
            grafana,
            "The data source is there, is ours and leads to our Prometheus.",
            &["grafana.login"],
            |world| content::look_data_source(world).boxed(),
        ),
        check(
            "grafana.data_source_health",
            grafana,
            "A query goes through Grafana to Prometheus and back.",
            health_needs,
            |world| content::look_health(world).boxed(),
        ),
        check(
            "grafana.folder",
            grafana,
            "The folder is there and holds the dashboards.",
            &["grafana.login"],
            |world| content::look_folder(world).boxed(),
        ),
        check(
            "grafana.dashboard",
            grafana,
            "The dashboards are there and equal to the files they were imported from.",
            &["grafana.folder"],
            |world| content::look_dashboards(world).boxed(),
        ),
        check(
            "grafana.variables",
            grafana,
            "Every variable of the dashboards has something to choose where there is something to choose from.",
            &["grafana.data_source_health"],
            |world| variables::look(world).boxed(),
        ),
        check(
            "grafana.panels",
            grafana,
            "Every query of every panel, made through Grafana, is accepted and finds what it should find.",
            &["grafana.data_source_health"],
            |world| panels::look(world).boxed(),
        ),
    ]
}

async fn look_login(world: &World) -> Result<Finding> {
    Ok(match world.facts.grafana.access(world).await? {
        Access::Granted(_) => Finding::pass("`GET /api/org` was answered"),
        Access::Unknown(why) => Finding::skip(why.clone()),
    })
}
