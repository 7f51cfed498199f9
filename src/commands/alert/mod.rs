//! `alert`: who is told of alerts, tried out; alerts by hand; silences.

mod list;
mod routes;
mod send;
mod silence;
mod test;

use std::time::Duration;

use super::Context;
use super::verify::servers::given;
use crate::alert::log::Log;
use crate::alerting::routing::Routing;
use crate::cli;
use crate::component::Component;
use crate::docker::Docker;
use crate::error::{Code, Error, Result};
use crate::http::Server;
use crate::http::alertmanager::{Alert, Alertmanager};
use crate::observed::State;
use crate::ui::Report;
use crate::why::instance::mute;

/// How long each call may take.
const CALL: Duration = Duration::from_secs(10);

pub(super) async fn run(context: &Context<'_>, what: &cli::Alert) -> Result<Report> {
    match what {
        cli::Alert::Test(flags) => test::run(context, flags).await,
        cli::Alert::Send(flags) => send::run(context, flags).await,
        cli::Alert::List(flags) => list::run(context, flags).await,
        cli::Alert::Routes(flags) => routes::run(context, flags),
        cli::Alert::Silence(cli::Silence::Add(flags)) => silence::add(context, flags).await,
        cli::Alert::Silence(cli::Silence::List(flags)) => silence::list(context, flags).await,
        cli::Alert::Silence(cli::Silence::Expire(flags)) => silence::expire(context, flags).await,
    }
}

/// The Alertmanager that is asked.
struct Asked {
    alertmanager: Alertmanager,
    /// Where its log is, if it is ours: the engine, and the id of the container.
    container: Option<(Docker, String)>,
}

impl Asked {
    /// The one that the flags give, or else the one of the project.
    async fn find(context: &Context<'_>, flags: &cli::Asked) -> Result<Self> {
        if let Some(servers) = given(&context.sources.directory, &flags.servers, CALL)? {
            let server = servers.iter().find(|(component, _)| *component == Component::Alertmanager);
            let (_, server) = server.ok_or_else(|| {
                Error::new(Code::Usage, "`alert` asks Alertmanager, and its address is not given")
                    .hint("add `--alertmanager-url URL`")
            })?;
            return Ok(Self { alertmanager: Alertmanager::at(server), container: None });
        }
        let project = context.project()?;
        let docker = context.docker().await?;
        let containers = docker.project_containers(&project).await?;
        let lost = |fact: String| {
            Error::new(Code::NotFound, "there is no Alertmanager to ask")
                .cause(fact)
                .hint("bring the stack up with `moko-mon up`, or say where it is with `--alertmanager-url URL`")
        };
        let container = containers.into_iter().find(|container| container.component == Some(Component::Alertmanager));
        let container = container.ok_or_else(|| lost(format!("project `{project}` has no Alertmanager container")))?;
        let url = container.spec.as_ref().filter(|_| container.state == State::Running).map(|spec| spec.port.url());
        let url = url.ok_or_else(|| lost(format!("container `{}` is {}", container.name, container.state.as_str())))?;
        let alertmanager = Alertmanager::at(&Server::new(&Context::http()?, &url, CALL));
        Ok(Self { alertmanager, container: Some((docker, container.id)) })
    }

    /// The log, if it can be read.
    fn log(&self) -> Option<Log<'_>> {
        self.container.as_ref().map(|(docker, container)| Log { docker, container })
    }

    /// The routes and receivers that it runs with.
    async fn routing(&self) -> Result<Routing> {
        Routing::read(&self.alertmanager.configuration().await?)
    }

    /// What it holds of the alerts that fit these matchers, with the time intervals that mute them.
    async fn held(&self, matchers: &[String]) -> Result<Vec<Alert>> {
        let (held, groups) = tokio::join!(self.alertmanager.alerts_with(matchers), self.alertmanager.groups());
        let mut held = held?;
        mute(&mut held, &groups?);
        Ok(held)
    }
}
