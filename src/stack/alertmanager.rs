//! Alertmanager: a single node, its routes, and the pairs of alerts of which the worse silences the milder.

use serde::Serialize;

use super::{Access, ComponentSpec, ContainerSpec, FileSpec, Reload, SECRETS_PATH, VolumeKind, container, volume};
use crate::component::Component;
use crate::config::Config;
use crate::error::Result;
use crate::verify::canary;
use crate::yaml;

const CONFIG_PATH: &str = "/etc/alertmanager/alertmanager.yml";

pub(super) fn spec(config: &Config) -> Result<ComponentSpec> {
    let component = Component::Alertmanager;
    let mut container = ContainerSpec {
        volumes: vec![
            volume(config, component, VolumeKind::Config, "/etc/alertmanager"),
            volume(config, component, VolumeKind::Secrets, SECRETS_PATH),
            volume(config, component, VolumeKind::Data, "/alertmanager"),
        ],
        ..container(config, component, 9093, super::prometheus::NOBODY)
    };
    container.command = vec![
        format!("--config.file={CONFIG_PATH}"),
        "--storage.path=/alertmanager".to_owned(),
        // One node: without this it opens port 9094 and waits for peers before its first notification.
        "--cluster.listen-address=".to_owned(),
        // Silences younger than this are lost when the process is killed; the default is 15 minutes.
        "--data.maintenance-interval=1m".to_owned(),
        // `verify` tells receivers apart.
        "--enable-feature=receiver-name-in-metrics".to_owned(),
        format!("--web.external-url={}/", container.port.url()),
    ];
    let file = FileSpec {
        path: CONFIG_PATH.to_owned(),
        content: yaml::to_string(&configuration())?.into_bytes(),
        access: Access::Public,
    };
    Ok(ComponentSpec {
        component,
        container,
        files: vec![file],
        generated: Vec::new(),
        ready_path: super::ready_path(component),
        reload: Some(Reload {
            metrics: "alertmanager",
            main_file: CONFIG_PATH,
            running_path: "/api/v2/status",
            running_pointer: "/config/original",
            marker: "/etc/alertmanager/.moko-mon-applied",
        }),
        // Nothing in it is the user's yet.
        check: None,
    })
}

#[derive(Serialize)]
struct Configuration {
    route: Route,
    receivers: Vec<Receiver>,
    inhibit_rules: Vec<InhibitRule>,
}

#[derive(Serialize)]
struct Route {
    receiver: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    matchers: Vec<String>,
    group_by: Vec<&'static str>,
    group_wait: &'static str,
    group_interval: &'static str,
    repeat_interval: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    routes: Vec<Route>,
}

#[derive(Serialize)]
struct Receiver {
    name: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    webhook_configs: Vec<Webhook>,
}

#[derive(Serialize)]
struct Webhook {
    url: &'static str,
}

#[derive(Serialize)]
struct InhibitRule {
    source_matchers: Vec<String>,
    target_matchers: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    equal: Vec<&'static str>,
}

/// The receiver that has no integration: alerts are visible in Alertmanager, nobody is told.
const NOBODY_TOLD: &str = "nobody";

/// Where the canary's notification ends: a query, which Prometheus answers whatever is posted with it, and which changes
/// nothing. It is the one server of every stack that Alertmanager reaches wherever the engine is.
const CANARY_SINK: &str = "http://prometheus:9090/api/v1/query?query=vector(0)";

fn configuration() -> Configuration {
    Configuration {
        route: Route {
            receiver: NOBODY_TOLD.to_owned(),
            matchers: Vec::new(),
            group_by: vec!["alertname", "service", "api", "script_name"],
            group_wait: "30s",
            group_interval: "5m",
            repeat_interval: "12h",
            // Before all others, so that a canary reaches no person.
            routes: vec![canary_route()],
        },
        receivers: vec![
            Receiver { name: NOBODY_TOLD.to_owned(), webhook_configs: Vec::new() },
            Receiver { name: canary::RECEIVER.to_owned(), webhook_configs: vec![Webhook { url: CANARY_SINK }] },
        ],
        inhibit_rules: vec![
            // Both are about all scripts together, so there is no label that would tell two subjects apart.
            inhibit("CriticalScriptFailureRate", "HighScriptFailureRate", vec![]),
            inhibit("CriticalAPIRateLimitUsage", "HighAPIRateLimitUsage", vec!["api"]),
            inhibit("CircuitBreakerStuckOpen", "CircuitBreakerOpen", vec!["service"]),
            inhibit(
                "HighSeveritySecurityFinding",
                "SecurityFindingsDetected",
                vec!["finding_type", "finding_severity"],
            ),
            // Why it is late is known then.
            inhibit("JobFailed", "JobLate", vec!["script_name"]),
            inhibit("JobRunningTooLong", "JobLate", vec!["script_name"]),
        ],
    }
}

/// The way of `verify --deep`'s canary: at once, and each for itself.
fn canary_route() -> Route {
    Route {
        receiver: canary::RECEIVER.to_owned(),
        matchers: vec![format!("alertname=\"{}\"", canary::ALERT)],
        group_by: vec![canary::LABEL],
        group_wait: "0s",
        group_interval: "1s",
        repeat_interval: "12h",
        routes: Vec::new(),
    }
}

/// `target` is not notified while `source` fires for the same subject.
///
/// Matched by name, never by severity alone: labels in `equal` that both sides lack count as equal, and a generic
/// "critical silences warning" rule would silence unrelated alerts.
fn inhibit(source: &str, target: &str, equal: Vec<&'static str>) -> InhibitRule {
    let matcher = |name: &str| vec![format!("alertname=\"{name}\"")];
    InhibitRule { source_matchers: matcher(source), target_matchers: matcher(target), equal }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_canary_takes_its_route_and_it_comes_first() {
        let configuration = configuration();
        let first = &configuration.route.routes[0];
        assert_eq!(
            (first.receiver.as_str(), first.matchers.as_slice()),
            (canary::RECEIVER, ["alertname=\"MokoMonCanary\"".to_owned()].as_slice())
        );
        let rule = crate::assets::CANARY;
        for word in [canary::ALERT, canary::METRIC, canary::JOB, canary::LABEL] {
            assert!(rule.contains(word), "assets/canary.yml says nothing of {word}");
        }
    }
}
