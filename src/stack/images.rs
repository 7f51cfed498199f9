//! The one table of images.

use crate::component::Component;
use crate::config::Config;

/// The pinned image of a component: repository and tag on the public registry.
///
/// Prometheus is the long-term-support line (supported until 2027-07-31); the others are the newest release that an
/// official changelog or several independent users name. `-slim` Grafana images lack the Prometheus data source.
#[must_use]
pub const fn pinned(component: Component) -> (&'static str, &'static str) {
    match component {
        Component::Prometheus => ("prom/prometheus", "v3.13.2"),
        Component::Alertmanager => ("prom/alertmanager", "v0.34.0"),
        Component::Pushgateway => ("prom/pushgateway", "v1.11.3"),
        Component::Grafana => ("grafana/grafana", "13.2.3"),
    }
}

/// The reference to run: the configured image or the pinned one, below the configured mirror.
#[must_use]
pub fn reference(component: Component, config: &Config) -> String {
    let image = config.server(component).image.clone().unwrap_or_else(|| {
        let (repository, tag) = pinned(component);
        format!("{repository}:{tag}")
    });
    match &config.images.registry {
        Some(registry) => format!("{registry}/{image}"),
        None => image,
    }
}
