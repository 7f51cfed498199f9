//! `status`: the truth about every component, from live probes; no configuration needed.

use serde_json::{Value, json};

use super::Context;
use crate::cli;
use crate::component::Component;
use crate::config as settings;
use crate::docker::Docker;
use crate::error::{Code, Error, Result};
use crate::http::Http;
use crate::observed::{Container, State};
use crate::server;
use crate::stack::{ADMIN_USER, container_name, ready_path};
use crate::ui::{Report, table};

/// How one component is.
struct Line {
    component: Component,
    container: String,
    image: Option<String>,
    state: &'static str,
    ready: bool,
    url: Option<String>,
    ports: Vec<String>,
    reason: Option<String>,
}

pub(super) async fn run(context: &Context<'_>, flags: &cli::Status) -> Result<Report> {
    let project = context.project()?;
    let docker = context.docker().await?;
    let http = Context::http()?;
    let (containers, volumes) =
        tokio::try_join!(docker.project_containers(&project), docker.project_volumes(&project))?;
    let switched_off = switched_off(context);
    let lines = Component::ALL.into_iter().filter_map(|component| {
        let container = containers.iter().find(|container| container.component == Some(component));
        let expected = containers.is_empty() || has_volumes(&volumes, &project, component);
        let part = container.is_some() || (expected && switched_off != Some(component));
        part.then_some((component, container))
    });
    let lines = lines.map(|(component, container)| line(&docker, &http, &project, component, container));
    let lines = futures_util::future::try_join_all(lines).await?;

    let password = match (flags.show_secrets, containers.iter().find(|of| of.component == Some(Component::Grafana))) {
        (true, Some(grafana)) => Some(super::password::read(&docker, grafana).await?),
        _ => None,
    };
    let mut data = json!({
        "project": project,
        "engine": docker.engine,
        "components": lines.iter().map(Line::json).collect::<Vec<_>>(),
    });
    let mut text = table(&lines);
    if let Some(password) = &password {
        data["grafana"] = json!({"user": ADMIN_USER, "password": password.expose()});
        text.push_str(&format!("\n\nGrafana's login: {ADMIN_USER} / {}", password.expose()));
    }
    let not_ready: Vec<&Line> = lines.iter().filter(|line| !line.ready).collect();
    let failed = (!not_ready.is_empty()).then(|| {
        let count = format!("{} of {} components are not ready", not_ready.len(), lines.len());
        let error = Error::new(Code::NotReady, count);
        let error = not_ready.iter().fold(error, |error, line| {
            error.cause(format!("{}: {}", line.component, line.reason.as_deref().unwrap_or(line.state)))
        });
        error.hint(hint(&containers, &not_ready))
    });
    Ok(Report { data, text, failed })
}

fn hint(containers: &[Container], not_ready: &[&Line]) -> String {
    match not_ready.first() {
        Some(line) if !containers.is_empty() && line.state == "running" => {
            format!("see what it is doing with `moko-mon logs {}`", line.component)
        }
        _ => "bring the stack up with `moko-mon up`".to_owned(),
    }
}

/// The component that the settings at hand switch off. Its data may still be there, and nobody has to be told that it
/// does not run. Settings that cannot be read, or none, switch nothing off.
fn switched_off(context: &Context<'_>) -> Option<Component> {
    let config = settings::resolve(&context.sources).ok()?.config;
    Component::ALL.into_iter().find(|component| !config.components().any(|of| of == *component))
}

/// A component that was never switched on has neither container nor volumes and is not part of the stack.
fn has_volumes(volumes: &[String], project: &str, component: Component) -> bool {
    let prefix = format!("{}-", container_name(project, component));
    volumes.iter().any(|volume| volume.starts_with(&prefix))
}

async fn line(
    docker: &Docker,
    http: &Http,
    project: &str,
    component: Component,
    container: Option<&Container>,
) -> Result<Line> {
    let Some(container) = container else {
        return Ok(Line {
            component,
            container: container_name(project, component),
            image: None,
            state: "missing",
            ready: false,
            url: None,
            ports: Vec::new(),
            reason: Some("there is no container".to_owned()),
        });
    };
    let url = container.spec.as_ref().map(|spec| spec.port.url());
    let probe = match (container.state, &url) {
        (State::Running, Some(url)) => server::answers(http, url, ready_path(component)).await.map_err(Some),
        _ => Err(None),
    };
    let reason = match &probe {
        Ok(()) => None,
        // In a crash loop a container runs most of the time.
        Err(Some(answer)) => match crashes(docker, container).await? {
            Some(crashes) => Some(crashes),
            None => Some(format!("does not answer as ready: {answer}")),
        },
        Err(None) => Some(stopped(docker, container).await?),
    };
    let image = container.spec.as_ref().map_or_else(|| container.image.clone(), |spec| spec.image.clone());
    Ok(Line {
        component,
        container: container.name.clone(),
        image: Some(image),
        state: container.state.as_str(),
        ready: probe.is_ok(),
        url,
        ports: container.ports.clone(),
        reason,
    })
}

/// Why a container does not run, in one line.
async fn stopped(docker: &Docker, container: &Container) -> Result<String> {
    let inspected = docker.inspect(&container.id).await?.unwrap_or_default();
    let state = inspected.state.unwrap_or_default();
    let restarts = inspected.restart_count.unwrap_or_default();
    let mut reason = match container.state {
        State::Created => "was never started".to_owned(),
        State::Paused => "is paused".to_owned(),
        _ if state.oom_killed == Some(true) => "was killed for using too much memory".to_owned(),
        State::Running | State::Restarting | State::Exited | State::Dead => {
            format!("exited with code {}", state.exit_code.unwrap_or_default())
        }
    };
    if container.state == State::Restarting {
        reason.push_str(&format!(", restarted {restarts} times"));
    }
    if let Some(words) = state.error.filter(|words| !words.is_empty()) {
        reason.push_str(&format!(": {}", crate::docker::error::clean(&words)));
    }
    Ok(reason)
}

/// What a container that runs at this moment did before, if the engine had to start it again.
async fn crashes(docker: &Docker, container: &Container) -> Result<Option<String>> {
    let inspected = docker.inspect(&container.id).await?.unwrap_or_default();
    let restarts = inspected.restart_count.unwrap_or_default();
    let code = inspected.state.and_then(|state| state.exit_code).unwrap_or_default();
    Ok((restarts > 0).then(|| match code {
        // A running container has 0; what its end was is not kept.
        0 => format!("does not answer as ready, and exited before: restarted {restarts} times"),
        code => format!("exited with code {code}, restarted {restarts} times"),
    }))
}

impl Line {
    fn json(&self) -> Value {
        json!({
            "component": self.component, "container": self.container, "image": self.image, "state": self.state,
            "ready": self.ready, "url": self.url, "ports": self.ports, "reason": self.reason,
        })
    }
}

fn table(lines: &[Line]) -> String {
    let heading = ["COMPONENT", "STATE", "READY", "URL", "IMAGE"].map(str::to_owned).to_vec();
    let rows = lines.iter().map(|line| {
        vec![
            line.component.to_string(),
            line.state.to_owned(),
            if line.ready { "yes" } else { "no" }.to_owned(),
            line.url.clone().unwrap_or_else(|| "-".to_owned()),
            line.image.clone().unwrap_or_else(|| "-".to_owned()),
        ]
    });
    table::columns(&std::iter::once(heading).chain(rows).collect::<Vec<_>>())
}
