//! Alertmanager: a single node, its routes, and the pairs of alerts of which the worse silences the milder.

use serde::Serialize;

use super::{Access, ComponentSpec, ContainerSpec, FileSpec, Reload, SECRETS_PATH, VolumeKind, container, volume};
use crate::component::Component;
use crate::config::Config;
use crate::error::Result;
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
    group_by: Vec<&'static str>,
    group_wait: &'static str,
    group_interval: &'static str,
    repeat_interval: &'static str,
}

#[derive(Serialize)]
struct Receiver {
    name: String,
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

fn configuration() -> Configuration {
    Configuration {
        route: Route {
            receiver: NOBODY_TOLD.to_owned(),
            group_by: vec!["alertname", "service", "api", "script_name"],
            group_wait: "30s",
            group_interval: "5m",
            repeat_interval: "12h",
        },
        receivers: vec![Receiver { name: NOBODY_TOLD.to_owned() }],
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
        ],
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
