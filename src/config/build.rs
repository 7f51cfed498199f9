//! From typed settings to a [`Config`]: checks across settings, and the files that settings name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::address::Address;
use super::files::{self, Names, Search};
use super::names;
use super::problem::{Place, Problem};
use super::resolve::FILE_NAME;
use super::rules::{self, nearest};
use super::shape::{self, Nullable, Settings};
use super::thresholds::{contradictions, too_short_for};
use super::{
    Alertmanager, Config, Grafana, PromDuration, Prometheus, Rules, Server, Target, Thresholds, UserFile, dashboards,
};
use crate::alerting::OwnRoute;
use crate::component::Component;
use crate::rules::{clashes, doubts};

/// What the checks need to know and what they find.
#[derive(Debug)]
pub(crate) struct Builder {
    /// The directory to which paths are relative.
    pub(crate) base: PathBuf,
    /// How the user would name that directory, empty or with a trailing slash.
    pub(crate) shown_base: String,
    /// Where each value came from.
    pub(crate) places: BTreeMap<String, Place>,
    /// Everything wrong so far.
    pub(crate) problems: Vec<Problem>,
    /// What is odd but allowed.
    pub(crate) warnings: Vec<String>,
    /// The environment, for the variables that settings name.
    pub(crate) environment: BTreeMap<String, String>,
    /// Names in the secrets volumes.
    pub(crate) secrets: Names,
    /// The search for the files that patterns name.
    search: Search,
}

impl Builder {
    pub(crate) fn new(
        base: PathBuf,
        shown_base: String,
        places: BTreeMap<String, Place>,
        problems: Vec<Problem>,
    ) -> Self {
        Self {
            base,
            shown_base,
            places,
            problems,
            warnings: Vec::new(),
            environment: BTreeMap::new(),
            secrets: Names::default(),
            search: Search::default(),
        }
    }

    /// Checks and reads everything; the result means something only when there are no problems.
    pub(crate) fn config(&mut self, settings: Settings) -> Config {
        self.ports(&settings);
        self.bind(&settings);
        let mut images = settings.images;
        images.registry = images.registry.map(|registry| registry.trim_end_matches('/').to_owned());
        let targets = settings.targets.into_iter().map(|Nullable(target)| target).enumerate();
        let targets: Vec<Target> = targets.map(|(index, target)| self.target(index, target)).collect();
        self.repeated_targets(&targets);
        let (mut prometheus, grafana) = (settings.prometheus, settings.grafana);
        let mut remote_write = std::mem::take(&mut prometheus.remote_write);
        let mut remote_write_secrets = Vec::new();
        for (index, entry) in remote_write.iter_mut().enumerate() {
            self.deliver(&format!("prometheus.remote_write[{index}]"), entry, &mut remote_write_secrets);
        }
        let extra_rules = self.user_files("rules.extra", &settings.rules.extra, rules::LARGEST);
        for (shown, file) in &extra_rules {
            self.problems.extend(rules::check(shown, &file.content));
        }
        let contents: Vec<_> =
            extra_rules.iter().map(|(shown, file)| (shown.as_str(), file.content.as_slice())).collect();
        let disabled = settings.rules.disabled.iter().map(|Nullable(name)| name.as_str()).collect();
        let texts: Vec<_> = contents.iter().map(|(_, content)| *content).collect();
        for clash in clashes(&texts, &disabled, !settings.jobs.is_empty()) {
            let (file, position) = (contents[clash.file].0.to_owned(), Some(clash.at));
            let or = if clash.kind == "alert" { ", or ours listed under `rules.disabled`" } else { "" };
            self.problems.push(Problem {
                place: Place::File { file, position },
                key: clash.kind.to_owned(),
                found: format!("`{}` is the name of a rule of moko-mon's own", clash.name),
                expected: format!("a name of yours{or}"),
            });
        }
        self.warnings.extend(doubts(&contents));
        self.thresholds(&settings.rules.thresholds, &prometheus.scrape_interval);
        let address = |url: String| url.trim_end_matches('/').to_owned();
        let dashboards = if grafana.enabled {
            self.user_files("grafana.dashboards", &grafana.dashboards, dashboards::LARGEST)
        } else {
            Vec::new()
        };
        let mut uids = BTreeMap::new();
        for (shown, file) in &dashboards {
            self.problems.extend(dashboards::check(shown, &file.content, &mut uids));
        }
        let jobs = self.jobs(settings.jobs.into_iter().map(|Nullable(job)| job).collect());
        let checks = settings.checks.into_iter().map(|Nullable(check)| check).collect();
        let checks = self.checks(checks);
        let receivers = self.receivers(settings.receivers.into_iter().map(|Nullable(receiver)| receiver).collect());
        let notify = self.notify(settings.notify, &receivers);
        self.routes("routes", &settings.routes, true, &receivers);
        let own = settings.routes.into_iter().enumerate();
        let own = own
            .map(|(index, content)| OwnRoute { content, place: self.place(&format!("routes[{index}]")).to_string() });
        let routes = own.collect();
        let heartbeat = self.heartbeat(settings.heartbeat);
        let files = |files: Vec<(String, UserFile)>| files.into_iter().map(|(_, file)| file).collect();
        Config {
            project: settings.project,
            bind: settings.bind,
            images,
            prometheus: Prometheus {
                server: Server { port: prometheus.port, image: prometheus.image, memory: prometheus.memory.0 },
                scrape_interval: prometheus.scrape_interval,
                evaluation_interval: prometheus.evaluation_interval,
                retention_time: prometheus.retention.time,
                retention_size: prometheus.retention.size,
                external_labels: prometheus.external_labels,
                remote_write,
                remote_write_secrets,
            },
            alertmanager: Alertmanager {
                server: Server {
                    port: settings.alertmanager.port,
                    image: settings.alertmanager.image,
                    memory: settings.alertmanager.memory.0,
                },
                external_url: settings.alertmanager.external_url.map(address),
            },
            pushgateway: settings.pushgateway.into(),
            grafana: Grafana {
                enabled: grafana.enabled,
                server: Server { port: grafana.port, image: grafana.image, memory: grafana.memory.0 },
                external_url: grafana.external_url.map(address),
                dashboards: files(dashboards),
            },
            rules: Rules {
                disabled: settings.rules.disabled.into_iter().map(|Nullable(name)| name).collect(),
                runbooks: address(settings.rules.runbooks),
                thresholds: settings.rules.thresholds,
            },
            targets,
            extra_rules: files(extra_rules),
            receivers,
            notify,
            routes,
            heartbeat,
            push: settings.push,
            jobs,
            checks,
        }
    }

    /// Reports a problem at the place of `key`, or of what surrounds it.
    pub(crate) fn problem(&mut self, key: &str, found: impl Into<String>, expected: impl Into<String>) {
        let place = self.place(key);
        let (found, expected) = (found.into(), expected.into());
        self.problems.push(Problem { place, key: key.to_owned(), found, expected });
    }

    /// Where `key`, or what surrounds it, is written.
    pub(crate) fn place(&self, key: &str) -> Place {
        nearest(&self.places, key).unwrap_or_else(|| Place::File { file: FILE_NAME.to_owned(), position: None })
    }

    /// Three of the four servers ask nobody for a password.
    fn bind(&mut self, settings: &Settings) {
        if !settings.bind.is_loopback() {
            let address = settings.bind;
            self.warnings.push(format!(
                "bind: `{address}` opens the stack to the network, and all but Grafana ask for no password; \
                 put a firewall or a proxy with a login in front"
            ));
        }
    }

    /// Thresholds that are right by themselves and not together.
    fn thresholds(&mut self, thresholds: &Thresholds, scrape_interval: &PromDuration) {
        for (key, found, expected) in contradictions(thresholds) {
            // One that was refused has its default here, which is nobody's mistake.
            let group = key.rsplit_once('.').map_or(key.as_str(), |(group, _)| group);
            if !self.problems.iter().any(|problem| problem.key.starts_with(group)) {
                self.problem(&key, found, expected);
            }
        }
        let short = too_short_for(thresholds, scrape_interval);
        if !short.is_empty() {
            self.warnings.push(format!(
                "rules.thresholds: fewer than three scrapes (`prometheus.scrape_interval` is `{scrape_interval}`) fall \
                 into {}, so the alerts that look there may never fire",
                short.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
            ));
        }
    }

    /// No two servers on one port of the host.
    fn ports(&mut self, settings: &Settings) {
        let mut taken: BTreeMap<u16, String> = BTreeMap::new();
        for component in Component::ALL {
            let port = match component {
                Component::Prometheus => settings.prometheus.port,
                Component::Alertmanager => settings.alertmanager.port,
                Component::Pushgateway => settings.pushgateway.port,
                Component::Grafana if !settings.grafana.enabled => continue,
                Component::Grafana => settings.grafana.port,
            };
            let key = format!("{component}.port");
            // A port that was refused has its default here, which is nobody's mistake.
            if self.problems.iter().any(|problem| problem.key == key) {
                continue;
            }
            let Some(first) = taken.insert(port, key.clone()) else { continue };
            // The one that was set is the one to change.
            let (blamed, other) = if self.places.contains_key(&key) { (key, first) } else { (first, key) };
            let found = format!("`{port}` is the port of `{other}` too");
            self.problem(&blamed, found, "a port that no other component has");
        }
    }

    /// One target, its address taken apart and its secret read.
    fn target(&mut self, index: usize, target: shape::Target) -> Target {
        let path = format!("targets[{index}]");
        // A wrong address was reported; the rest of the target is still checked.
        let address = Address::parse(&target.address).ok();
        let from_url = address.as_ref();
        if let (Some(url), Some(set)) = (from_url.and_then(|url| url.scheme.as_deref()), target.scheme.as_deref())
            && url != set
        {
            let found = format!("{} contradicts the address {}", names::quote(set), names::quote(&target.address));
            self.problem(&format!("{path}.scheme"), found, format!("`{url}`, or no scheme here"));
        }
        if let (Some(url), Some(set)) = (from_url.and_then(|url| url.path.as_deref()), target.metrics_path.as_deref())
            && url != set
        {
            let found = format!("{} contradicts the address {}", names::quote(set), names::quote(&target.address));
            self.problem(&format!("{path}.metrics_path"), found, format!("`{url}`, or no path here"));
        }
        let either = |url: Option<&String>, set: Option<String>, default: &str| {
            url.cloned().or(set).unwrap_or_else(|| default.to_owned())
        };
        let scheme = either(from_url.and_then(|url| url.scheme.as_ref()), target.scheme, "http");
        let metrics_path = either(from_url.and_then(|url| url.path.as_ref()), target.metrics_path, "/metrics");
        let auth = self.auth(&path, target.basic_auth, target.bearer_token_file);
        let address = address.map(|address| address.host_port).unwrap_or_default();
        Target { job: target.job, address, scheme, metrics_path, labels: target.labels, auth }
    }

    /// The same thing scraped twice under one name would be counted twice.
    fn repeated_targets(&mut self, targets: &[Target]) {
        for (index, target) in targets.iter().enumerate().filter(|(_, target)| !target.address.is_empty()) {
            let same = |other: &Target| {
                (&other.job, &other.address, &other.metrics_path)
                    == (&target.job, &target.address, &target.metrics_path)
            };
            if let Some(first) = targets.iter().take(index).position(same) {
                let found = format!(
                    "`{}{}` in job {} is there twice",
                    target.address,
                    target.metrics_path,
                    names::quote(&target.job)
                );
                let expected = format!("it once: `targets[{first}]` is the same");
                self.problem(&format!("targets[{index}].address"), found, expected);
            }
        }
    }

    /// The files that a list of patterns names, each with the name to show.
    fn user_files(&mut self, key: &str, patterns: &[Nullable<String>], limit: u64) -> Vec<(String, UserFile)> {
        let (mut seen, mut unique, mut out) = (BTreeSet::new(), Names::default(), Vec::new());
        for (index, Nullable(pattern)) in patterns.iter().enumerate().filter(|(_, pattern)| !pattern.0.is_empty()) {
            let key = format!("{key}[{index}]");
            let paths = match self.search.expand(&self.base, pattern) {
                Ok(paths) => paths,
                Err((fact, expected)) => {
                    self.problem(&key, format!("{} {fact}", names::quote(pattern)), expected);
                    continue;
                }
            };
            for path in paths {
                if !seen.insert(path.clone()) {
                    continue;
                }
                let shown = self.shown(&path);
                match files::read(&path, limit) {
                    Ok(content) => out.push((shown, UserFile { name: unique.unique(&path), path, content })),
                    Err(fact) => {
                        let expected = format!("a file of at most {} KiB", limit / 1024);
                        self.problem(&key, format!("{} {fact}", names::quote(&shown)), expected);
                    }
                }
            }
        }
        out
    }

    /// A path as the user would name it.
    pub(crate) fn shown(&self, path: &Path) -> String {
        match path.strip_prefix(&self.base) {
            Ok(inner) => format!("{}{}", self.shown_base, inner.display()),
            Err(_) => path.display().to_string(),
        }
    }
}
