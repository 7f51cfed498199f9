//! Prometheus: its container, and the files it reads.

mod scrape;

use super::{
    Access, Check, ComponentSpec, ContainerSpec, FileSpec, Reload, SECRETS_PATH, VolumeKind, container, volume,
};
use crate::component::Component;
use crate::config::{Config, UserFile};
use crate::error::Result;
use crate::rules;
use crate::yaml;

/// `nobody` of the three images of the Prometheus family.
pub(super) const NOBODY: &str = "65534:65534";

const CONFIG_PATH: &str = "/etc/prometheus/prometheus.yml";
/// The folder of the rule files in the container; the user's own are in `extra` below it.
pub const RULES_PATH: &str = "/etc/prometheus/rules";

/// The names of our own scrape jobs, one for each component.
pub const SCRAPE_JOBS: [&str; 4] = ["prometheus", "alertmanager", "pushgateway", "grafana"];

pub(super) fn spec(config: &Config) -> Result<ComponentSpec> {
    let component = Component::Prometheus;
    let mut container = ContainerSpec {
        volumes: vec![
            volume(config, component, VolumeKind::Config, "/etc/prometheus"),
            volume(config, component, VolumeKind::Secrets, SECRETS_PATH),
            volume(config, component, VolumeKind::Data, "/prometheus"),
        ],
        // A large head block takes minutes to write; the operator of the same name waits ten.
        stop_timeout: 120,
        // Always there, so that a first target on this host is a change of a file and not of the container.
        extra_hosts: vec![super::host::line()],
        ..container(config, component, 9090, NOBODY)
    };
    container.command = vec![
        format!("--config.file={CONFIG_PATH}"),
        "--storage.tsdb.path=/prometheus".to_owned(),
        // The flags are deprecated since 3.8 but work in every version; read from the file, 3.8 to 3.10 keep
        // samples a million times too long.
        format!("--storage.tsdb.retention.time={}", config.prometheus.retention_time),
        format!("--storage.tsdb.retention.size={}", config.prometheus.retention_size),
        // How long a reload waits for a remote write that is gone; the default is a minute.
        "--storage.remote.flush-deadline=10s".to_owned(),
        format!("--web.external-url={}/", container.port.url()),
    ];
    Ok(ComponentSpec {
        component,
        container,
        files: files(config)?,
        generated: Vec::new(),
        ready_path: super::ready_path(component),
        reload: Some(Reload {
            metrics: "prometheus",
            main_file: CONFIG_PATH,
            running_path: "/api/v1/status/config",
            running_pointer: "/data/yaml",
            marker: "/etc/prometheus/.moko-mon-applied",
        }),
        check: check(config),
    })
}

/// Our own part is checked by tests; a container is spent on the check only when the user has added something.
fn check(config: &Config) -> Option<Check> {
    let settings = &config.prometheus;
    let ours_alone = config.extra_rules.is_empty()
        && config.jobs.is_empty()
        && config.targets.is_empty()
        && settings.remote_write.is_empty()
        && settings.external_labels.is_empty();
    let name = |file: &UserFile| (format!("{RULES_PATH}/extra/{}", file.name), file.path.display().to_string());
    (!ours_alone).then(|| Check {
        command: ["/bin/promtool", "check", "config", CONFIG_PATH].map(str::to_owned).to_vec(),
        names: config.extra_rules.iter().map(name).collect(),
        fragments: Vec::new(),
    })
}

/// Everything that Prometheus reads; the main file last, so that what it names is there before it.
fn files(config: &Config) -> Result<Vec<FileSpec>> {
    let mut files: Vec<FileSpec> =
        rule_files(config).map(|(path, content)| FileSpec { path, content, access: Access::Public }).collect();
    let secret = Access::Secret { uid: 65534, gid: 65534 };
    files.extend(config.targets.iter().filter_map(|target| target.auth.as_ref()).map(|auth| {
        let file = auth.secret();
        FileSpec { path: secret_path(&file.name), content: file.content.clone(), access: secret }
    }));
    files.extend(config.prometheus.remote_write_secrets.iter().map(|file| FileSpec {
        path: secret_path(&file.name),
        content: file.content.clone(),
        access: secret,
    }));
    files.push(FileSpec {
        path: CONFIG_PATH.to_owned(),
        content: yaml::to_string(&scrape::configuration(config))?.into_bytes(),
        access: Access::Public,
    });
    Ok(files)
}

/// Where a secret is in the container.
pub(super) fn secret_path(name: &str) -> String {
    format!("{SECRETS_PATH}/{name}")
}

/// Rule files as paths in the container and their bytes: ours, the canary's of `verify --deep`, the watchdog's, then the
/// user's.
fn rule_files(config: &Config) -> impl Iterator<Item = (String, Vec<u8>)> {
    let ours = rules::files(config).into_iter().chain(rules::own().map(|(name, text)| (name, text.to_owned())));
    let ours = ours.map(|(name, text)| (format!("{RULES_PATH}/{name}"), text.into_bytes()));
    let extra = config.extra_rules.iter();
    ours.chain(extra.map(|file| (format!("{RULES_PATH}/extra/{}", file.name), file.content.clone())))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::config::{Target, defaults};

    fn target(job: &str, address: &str) -> Target {
        Target {
            job: job.to_owned(),
            address: address.to_owned(),
            scheme: "http".to_owned(),
            metrics_path: "/metrics".to_owned(),
            labels: BTreeMap::new(),
            auth: None,
        }
    }

    fn yaml_of(change: impl FnOnce(&mut Config)) -> serde_json::Value {
        let mut config = defaults().unwrap();
        change(&mut config);
        let files = files(&config).unwrap();
        let main = files.last().unwrap();
        assert_eq!(main.path, CONFIG_PATH, "the main file comes last, so that what it names is there before it");
        yaml::from_str(std::str::from_utf8(&main.content).unwrap()).unwrap()
    }

    #[test]
    fn the_four_servers_are_scraped_and_only_pushed_labels_are_honored() {
        let yaml = yaml_of(|_| {});
        let jobs: Vec<&str> =
            yaml["scrape_configs"].as_array().unwrap().iter().filter_map(|job| job["job_name"].as_str()).collect();
        assert_eq!(jobs, SCRAPE_JOBS);
        let honored = yaml["scrape_configs"].as_array().unwrap().iter().filter(|job| job["honor_labels"] == true);
        assert_eq!(honored.map(|job| job["job_name"].as_str().unwrap()).collect::<Vec<_>>(), ["pushgateway"]);
        assert_eq!(yaml["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"][0], "alertmanager:9093");
    }

    #[test]
    fn a_stack_without_grafana_does_not_scrape_one() {
        let yaml = yaml_of(|config| config.grafana.enabled = false);
        assert!(!yaml.to_string().contains("grafana:3000"));
    }

    #[test]
    fn a_dollar_in_an_external_label_is_a_dollar() {
        let yaml = yaml_of(|config| {
            config.prometheus.external_labels.insert("team".to_owned(), "a$b".to_owned());
        });
        assert_eq!(yaml["global"]["external_labels"]["team"], "a$$b");
    }

    #[test]
    fn the_address_that_the_user_wrote_is_the_instance() {
        let yaml = yaml_of(|config| config.targets = vec![target("app", "localhost:8000")]);
        let group = &yaml["scrape_configs"][4]["static_configs"][0];
        assert_eq!(group["targets"][0], "host.docker.internal:8000");
        assert_eq!(group["labels"]["instance"], "localhost:8000");
        assert_eq!(group["labels"]["job"], "app");
    }

    #[test]
    fn targets_of_one_job_share_it_unless_they_are_asked_differently() {
        let other_path = Target { metrics_path: "/m".to_owned(), ..target("app", "c:1") };
        let yaml = yaml_of(|config| config.targets = vec![target("app", "a:1"), target("app", "b:1"), other_path]);
        let jobs = yaml["scrape_configs"].as_array().unwrap();
        assert_eq!(jobs[4]["job_name"], "app");
        assert_eq!(jobs[4]["static_configs"].as_array().unwrap().len(), 2);
        assert_eq!(jobs[5]["job_name"], "app-2");
        assert_eq!(jobs[5]["static_configs"][0]["labels"]["job"], "app");
    }

    #[test]
    fn a_password_is_a_file_that_only_the_server_can_read() {
        let mut config = defaults().unwrap();
        let password = UserFile { path: "p".into(), name: "app-password".to_owned(), content: b"hunter2".to_vec() };
        let auth = Some(crate::config::TargetAuth::Basic { username: "u".to_owned(), password });
        config.targets = vec![Target { auth, ..target("app", "a:1") }];
        let files = files(&config).unwrap();
        let secret = files.iter().find(|file| file.path == "/run/secrets/moko-mon/app-password").unwrap();
        assert_eq!(secret.access.owner_and_mode(), (65534, 65534, 0o400));
        let main = String::from_utf8_lossy(&files.last().unwrap().content).into_owned();
        assert!(main.contains("password_file: /run/secrets/moko-mon/app-password"), "{main}");
        assert!(!main.contains("hunter2"));
        assert!(!format!("{files:?}").contains("hunter2"));
    }
}
