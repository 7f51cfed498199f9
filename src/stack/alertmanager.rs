//! Alertmanager: a single node, whom it tells, and the pairs of alerts of which the worse silences the milder.

mod integrations;
mod routes;

use serde_json::{Value, json};

use super::{
    Access, Check, ComponentSpec, ContainerSpec, FileSpec, Fragment, Reload, SECRETS_PATH, VolumeKind, container, host,
    volume,
};
use crate::alerting::{HEARTBEAT, Integration, NOBODY, Receiver};
use crate::assets;
use crate::component::Component;
use crate::config::Config;
use crate::error::Result;
use crate::verify::canary;
use crate::yaml;

const CONFIG_PATH: &str = "/etc/alertmanager/alertmanager.yml";
/// Our own messages, all in one file.
const MESSAGES_PATH: &str = "/etc/alertmanager/messages.tmpl";

pub(super) fn spec(config: &Config) -> Result<ComponentSpec> {
    let component = Component::Alertmanager;
    let mut container = ContainerSpec {
        volumes: vec![
            volume(config, component, VolumeKind::Config, "/etc/alertmanager"),
            volume(config, component, VolumeKind::Secrets, SECRETS_PATH),
            volume(config, component, VolumeKind::Data, "/alertmanager"),
        ],
        // Always there, so that a first receiver on this host is a change of a file and not of the container.
        extra_hosts: vec![host::line()],
        ..container(config, component, 9093, super::prometheus::NOBODY)
    };
    let url = config.alertmanager.external_url.clone().unwrap_or_else(|| container.port.url());
    container.command = vec![
        format!("--config.file={CONFIG_PATH}"),
        "--storage.path=/alertmanager".to_owned(),
        // One node: without this it opens port 9094 and waits for peers before its first notification.
        "--cluster.listen-address=".to_owned(),
        // Silences younger than this are lost when the process is killed; the default is 15 minutes.
        "--data.maintenance-interval=1m".to_owned(),
        // `verify` and `alert test` tell receivers apart.
        "--enable-feature=receiver-name-in-metrics".to_owned(),
        format!("--web.external-url={url}/"),
    ];
    if config.alertmanager.external_url.is_some() {
        // The path of that address is a proxy's matter.
        container.command.push("--web.route-prefix=/".to_owned());
    }
    Ok(ComponentSpec {
        component,
        container,
        files: files(config)?,
        generated: Vec::new(),
        ready_path: super::ready_path(component),
        reload: Some(Reload {
            metrics: "alertmanager",
            main_file: CONFIG_PATH,
            running_path: "/api/v2/status",
            running_pointer: "/config/original",
            marker: "/etc/alertmanager/.moko-mon-applied",
        }),
        check: check(config)?,
    })
}

/// Everything that Alertmanager reads; the main file last, so that what it names is there before it.
fn files(config: &Config) -> Result<Vec<FileSpec>> {
    let messages: Vec<&str> = assets::MESSAGES.iter().map(|(_, text)| *text).collect();
    let messages =
        FileSpec { path: MESSAGES_PATH.to_owned(), content: messages.concat().into_bytes(), access: Access::Public };
    let integrations = config.receivers.iter().filter_map(|receiver| receiver.integration.as_ref());
    let heartbeat = config.heartbeat.iter().filter_map(|heartbeat| heartbeat.url.secret());
    let secrets = integrations.flat_map(Integration::secrets).chain(heartbeat).map(|file| FileSpec {
        path: super::prometheus::secret_path(&file.name),
        content: integrations::reachable_secret(&file.content),
        access: Access::Secret { uid: 65534, gid: 65534 },
    });
    let main = FileSpec { path: CONFIG_PATH.to_owned(), content: text(config)?.into_bytes(), access: Access::Public };
    Ok(std::iter::once(messages).chain(secrets).chain([main]).collect())
}

/// Our own part is checked by tests; a container is spent on the check only when the user has added something.
fn check(config: &Config) -> Result<Option<Check>> {
    if config.receivers.is_empty() && config.routes.is_empty() && config.heartbeat.is_none() {
        return Ok(None);
    }
    let raw = config.receivers.iter().filter(|receiver| matches!(receiver.integration, Some(Integration::Raw { .. })));
    let raw = raw.map(|receiver| {
        let alone = json!({"route": {"receiver": receiver.name}, "receivers": [integrations::receiver(receiver)]});
        (receiver.place.clone(), alone)
    });
    let routes = config.routes.iter().map(|route| {
        let alone = json!({
            "route": {"receiver": NOBODY, "routes": [route.content]},
            "receivers": receivers(config),
            "time_intervals": routes::time_intervals(config),
        });
        (route.place.clone(), alone)
    });
    let fragments = raw.chain(routes).map(|(place, alone)| {
        Ok(Fragment { place, path: CONFIG_PATH.to_owned(), content: yaml::to_string(&alone)?.into_bytes() })
    });
    Ok(Some(Check {
        command: ["/bin/amtool", "check-config", CONFIG_PATH].map(str::to_owned).to_vec(),
        names: vec![(CONFIG_PATH.to_owned(), "the generated alertmanager.yml".to_owned())],
        fragments: fragments.collect::<Result<_>>()?,
    }))
}

/// The text of `alertmanager.yml`.
pub fn text(config: &Config) -> Result<String> {
    yaml::to_string(&configuration(config))
}

fn configuration(config: &Config) -> Value {
    let mut all = json!({
        "route": routes::root(config),
        "receivers": receivers(config),
        "inhibit_rules": inhibit_rules(),
        "templates": [MESSAGES_PATH],
    });
    let intervals = routes::time_intervals(config);
    if !intervals.is_empty() {
        all["time_intervals"] = intervals.into();
    }
    all
}

/// Where the canary's notification ends: a query, which Prometheus answers whatever is posted with it, and which changes
/// nothing. It is the one server of every stack that Alertmanager reaches wherever the engine is.
const CANARY_SINK: &str = "http://prometheus:9090/api/v1/query?query=vector(0)";

/// Ours, then the user's.
fn receivers(config: &Config) -> Vec<Value> {
    let mut all =
        vec![json!({"name": NOBODY}), json!({"name": canary::RECEIVER, "webhook_configs": [{"url": CANARY_SINK}]})];
    if let Some(heartbeat) = &config.heartbeat {
        let mut webhook = integrations::url(&heartbeat.url);
        webhook["send_resolved"] = false.into();
        all.push(json!({"name": HEARTBEAT, "webhook_configs": [webhook]}));
    }
    all.extend(config.receivers.iter().map(|receiver: &Receiver| integrations::receiver(receiver)));
    all
}

fn inhibit_rules() -> Vec<Value> {
    vec![
        // Both are about all scripts together, so there is no label that would tell two subjects apart.
        inhibit("CriticalScriptFailureRate", "HighScriptFailureRate", &[]),
        inhibit("CriticalAPIRateLimitUsage", "HighAPIRateLimitUsage", &["api"]),
        inhibit("CircuitBreakerStuckOpen", "CircuitBreakerOpen", &["service"]),
        inhibit("HighSeveritySecurityFinding", "SecurityFindingsDetected", &["finding_type", "finding_severity"]),
        // Why it is late is known then.
        inhibit("JobFailed", "JobLate", &["script_name"]),
        inhibit("JobRunningTooLong", "JobLate", &["script_name"]),
    ]
}

/// `target` is not notified while `source` fires for the same subject.
///
/// Matched by name, never by severity alone: labels in `equal` that both sides lack count as equal, and a generic
/// "critical silences warning" rule would silence unrelated alerts.
fn inhibit(source: &str, target: &str, equal: &[&str]) -> Value {
    let matcher = |name: &str| vec![format!("alertname=\"{name}\"")];
    let mut rule = json!({"source_matchers": matcher(source), "target_matchers": matcher(target)});
    if !equal.is_empty() {
        rule["equal"] = equal.into();
    }
    rule
}
