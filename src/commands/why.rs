//! `why`: the way of an alert or a script, link by link, and where it ends.

use std::time::Duration;

use super::Context;
use super::verify::servers::given;
use crate::cli;
use crate::component::Component;
use crate::config::{did_you_mean, quote};
use crate::error::{Code, Error, Result};
use crate::http::Server;
use crate::http::alertmanager::Alertmanager;
use crate::http::prometheus::{Prometheus, Rule, RuleGroup, RuleKind};
use crate::observed::{Container, State as Life};
use crate::rules::{self, Entry, File, State};
use crate::ui::Report;
use crate::why::{self, Servers, Why};

pub(super) async fn run(context: &Context<'_>, flags: &cli::Why) -> Result<Report> {
    let (servers, files) = match given(&context.sources.directory, &flags.servers, flags.timeout.as_duration())? {
        Some(servers) => (of_addresses(&servers)?, Vec::new()),
        None => own(context, flags.timeout.as_duration()).await?,
    };
    let why = follow(context, &servers, &files, &flags.name).await?;
    Ok(Report { failed: why.failure(), ..Report::new(why.json(), why.text()) })
}

/// Servers that are given by their addresses; only Prometheus is needed.
fn of_addresses(servers: &[(Component, Server)]) -> Result<Servers> {
    let server = |wanted| servers.iter().find(|(component, _)| *component == wanted).map(|(_, server)| server);
    let prometheus = server(Component::Prometheus).ok_or_else(|| {
        Error::new(Code::Usage, "`why` asks Prometheus above all, and its address is not given")
            .hint("add `--prometheus-url URL`")
    })?;
    Ok(Servers {
        prometheus: Prometheus::at(prometheus),
        alertmanager: server(Component::Alertmanager).map(|server| Ok(Alertmanager::at(server))),
    })
}

/// The servers of the project where they run, and the rule files of its settings.
async fn own(context: &Context<'_>, timeout: Duration) -> Result<(Servers, Vec<File>)> {
    let config = context.config()?.config;
    let files = super::rules::files(&config, &context.sources.directory);
    let containers = context.docker().await?.project_containers(&config.project).await?;
    let http = Context::http()?;
    let url = |component| address(&containers, config.project.as_str(), component);
    let prometheus = url(Component::Prometheus)
        .map_err(|error| error.goal("`why` can only follow what runs").hint("bring the stack up with `moko-mon up`"))?;
    let server = |url: &str| Server::new(&http, url, timeout);
    let servers = Servers {
        prometheus: Prometheus::at(&server(&prometheus)),
        alertmanager: Some(url(Component::Alertmanager).map(|url| Alertmanager::at(&server(&url)))),
    };
    Ok((servers, files))
}

fn address(containers: &[Container], project: &str, component: Component) -> Result<String> {
    let missing = |fact: String| Error::new(Code::NotFound, fact);
    let container = containers.iter().find(|container| container.component == Some(component));
    let container =
        container.ok_or_else(|| missing(format!("project `{project}` has no {} container", component.title())))?;
    match &container.spec {
        Some(spec) if container.state == Life::Running => Ok(spec.port.url()),
        _ => Err(missing(format!("container `{}` is {}", container.name, container.state.as_str()))),
    }
}

/// Finds out what the name is, and follows it.
async fn follow(context: &Context<'_>, servers: &Servers, files: &[File], name: &str) -> Result<Why> {
    let prometheus = &servers.prometheus;
    let groups = match prometheus.rules().await {
        Ok(groups) => groups,
        Err(error) => return Ok(why::unanswered(name, &error)),
    };
    let scripts: Vec<String> = match prometheus.ask("/api/v1/label/script_name/values", &[]).await {
        Ok(scripts) => scripts,
        Err(error) => return Ok(why::unanswered(name, &error)),
    };
    let entries = rules::entries(files, Some(&groups));
    let alerts: Vec<&Entry> = entries.iter().filter(|entry| entry.rule.kind == RuleKind::Alerting).collect();
    let named: Vec<&Entry> = alerts.iter().copied().filter(|entry| entry.rule.name == name).collect();
    let is_script = scripts.iter().any(|script| script == name);
    if named.is_empty() && !is_script {
        return Err(unknown(name, &entries, &alerts, &scripts));
    }
    if named.is_empty() {
        let answer = why::script(servers, &groups, name).await;
        return Ok(answer.unwrap_or_else(|error| why::unanswered(name, &error)));
    }
    if is_script {
        context.ui.warn(format!("{} is an alert and a script; this is about the alert", quote(name)));
    }
    let loaded = loaded(&groups, name);
    if loaded.len() > 1 {
        context.ui.warn(format!("{} rules are named {}; this is about the loudest", loaded.len(), quote(name)));
    }
    match loaded.first() {
        Some((group, rule)) => {
            // The file under the name that people know.
            let file = named
                .iter()
                .find(|entry| matches!(&entry.state, State::Loaded(loaded) if **loaded == **rule))
                .map(|entry| &entry.file);
            let group = RuleGroup { file: file.unwrap_or(&group.file).clone(), ..(*group).clone() };
            let answer = why::alert(servers, &groups, &group, rule).await;
            Ok(answer.unwrap_or_else(|error| why::unanswered(name, &error)))
        }
        None if named.iter().any(|entry| entry.state == State::Disabled) => Ok(why::disabled(name)),
        None => Ok(why::not_loaded(name)),
    }
}

/// The loaded rules of that name, loudest first.
fn loaded<'a>(groups: &'a [RuleGroup], name: &str) -> Vec<(&'a RuleGroup, &'a Rule)> {
    let all = groups.iter().flat_map(|group| group.rules.iter().map(move |rule| (group, rule)));
    let mut found: Vec<_> = all.filter(|(_, rule)| rule.kind == RuleKind::Alerting && rule.name == name).collect();
    let volume = |rule: &Rule| match rule.state.as_str() {
        "firing" => 0,
        "pending" => 1,
        _ => 2,
    };
    found.sort_by_key(|(_, rule)| volume(rule));
    found
}

fn unknown(name: &str, entries: &[Entry], alerts: &[&Entry], scripts: &[String]) -> Error {
    if entries.iter().any(|entry| entry.rule.name == name) {
        return Error::new(Code::NotFound, format!("{} is a series that a rule records, not an alert", quote(name)))
            .hint(format!("`moko-mon rules show {name}` shows the rule"));
    }
    let names = alerts.iter().map(|entry| entry.rule.name.as_str()).chain(scripts.iter().map(String::as_str));
    Error::new(Code::NotFound, format!("there is no alert and no script {}{}", quote(name), did_you_mean(name, names)))
        .hint("`moko-mon rules list` lists the alerts; a script is known once it has published series with its `script_name`")
}
