//! `password`: Grafana's login, kept in the secrets volume and shown only when asked for.

use serde_json::json;

use super::Context;
use crate::cli;
use crate::component::Component;
use crate::docker::Docker;
use crate::docker::archive::{Entry, pack};
use crate::error::{Code, Error, Result};
use crate::http::grafana::Grafana;
use crate::lock::Lock;
use crate::observed::{Container, State};
use crate::platform;
use crate::secret::Secret;
use crate::stack::{ADMIN_PASSWORD, ADMIN_USER, Access, SECRETS_PATH, admin_password};
use crate::ui::Report;

pub(super) async fn run(context: &Context<'_>, what: cli::Password) -> Result<Report> {
    let project = context.project()?;
    let docker = context.docker().await?;
    match what {
        cli::Password::Show => {
            let password = read(&docker, &grafana(&docker, &project).await?).await?;
            Ok(report(&password, &format!("{ADMIN_USER} / {}", password.expose())))
        }
        cli::Password::Reset => {
            let _lock = Lock::take(&platform::lock_folder(), &docker.engine.id, &project, "password reset")?;
            let password = reset(&docker, &grafana(&docker, &project).await?).await?;
            let text = format!("Grafana's login is now {ADMIN_USER} / {}", password.expose());
            Ok(report(&password, &text))
        }
    }
}

fn report(password: &Secret, text: &str) -> Report {
    Report::new(json!({"user": ADMIN_USER, "password": password.expose()}), text)
}

pub(super) async fn grafana(docker: &Docker, project: &str) -> Result<Container> {
    let containers = docker.project_containers(project).await?;
    containers.into_iter().find(|container| container.component == Some(Component::Grafana)).ok_or_else(|| {
        Error::new(Code::NotFound, format!("project `{project}` has no Grafana container"))
            .hint("bring the stack up with `moko-mon up`; its password is kept with its data")
    })
}

/// The password in the secrets volume.
pub(super) async fn read(docker: &Docker, container: &Container) -> Result<Secret> {
    let files = docker.download(&container.id, &container.name, SECRETS_PATH).await?;
    admin_password(&files).ok_or_else(|| {
        Error::new(Code::NotFound, "the secrets volume has no Grafana password")
            .hint("make a new one with `moko-mon password reset`")
    })
}

/// Makes a password, gives it to Grafana with Grafana's own tool, and keeps it once it is seen to work.
async fn reset(docker: &Docker, container: &Container) -> Result<Secret> {
    if container.state != State::Running {
        return Err(Error::new(Code::NotReady, "Grafana has to run to be given a new password")
            .cause(format!("container `{}` is {}", container.name, container.state.as_str()))
            .hint("start it with `moko-mon up`"));
    }
    let password = Secret::random()?;
    give(docker, container, &password).await?;
    let content = password.expose().as_bytes();
    let path = ADMIN_PASSWORD[SECRETS_PATH.len()..].trim_start_matches('/');
    let uid = container.spec.as_ref().and_then(|spec| spec.user.split(':').next()?.parse().ok()).unwrap_or(472);
    let access = Access::Secret { uid, gid: 0 };
    let archive = pack([Entry { path, content, access }])?;
    docker.upload(&container.id, &container.name, SECRETS_PATH, archive).await.map_err(|failed| {
        failed.goal("Grafana has a new password, but it could not be kept").hint("run `moko-mon password reset` again")
    })?;
    if let Some(spec) = &container.spec {
        Grafana::new(&Context::http()?, &spec.port.url(), ADMIN_USER, password.clone()).login_check().await?;
    }
    Ok(password)
}

/// Gives Grafana a password with its own tool, which needs no login. Up to 9.3 the tool has a name of its own.
async fn give(docker: &Docker, container: &Container, password: &Secret) -> Result<()> {
    // `--homepath` because the tool looks for its defaults in the working directory otherwise; the password goes
    // through standard input, where no list of processes shows it.
    let reset = ["--homepath", "/usr/share/grafana", "admin", "reset-admin-password", "--password-from-stdin"];
    let input = format!("{}\n", password.expose());
    let mut failure = None;
    for tool in [&["grafana", "cli"][..], &["grafana-cli"]] {
        let command: Vec<String> = tool.iter().chain(&reset).map(|word| (*word).to_owned()).collect();
        let typed = command.join(" ");
        match docker.exec(&container.id, command, &input).await {
            Ok((0, _)) => return Ok(()),
            Ok((code, output)) => {
                let said = crate::docker::error::clean(&output);
                failure.get_or_insert(format!("`{typed}` ended with code {code}: {said}"));
            }
            // An engine may refuse to start what is not there.
            Err(failed) => {
                failure.get_or_insert(format!("`{typed}`: {}", failed.causes.join(": ")));
            }
        }
    }
    Err(Error::new(Code::GrafanaRefused, "Grafana's own tool could not reset the password")
        .cause(failure.unwrap_or_default())
        .hint("see `moko-mon logs grafana`"))
}
