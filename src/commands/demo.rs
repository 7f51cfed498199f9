//! `up --demo` and `demo stop`: demo data in the running stack, and out again.
//!
//! The feed's container is the mark of a demo. It is created before anything is written and started last; it is stopped
//! first and removed last. So whatever was cut off half-way is seen, and doing it again finishes it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::Context;
use crate::component::Component;
use crate::config::{Config, PromDuration};
use crate::demo::history::History;
use crate::demo::storage::Work;
use crate::demo::{self, feed};
use crate::docker::Docker;
use crate::error::{Code, Error, Result};
use crate::http::Http;
use crate::http::prometheus::Prometheus;
use crate::lock::Lock;
use crate::observed::{Container, State};
use crate::plan::{Action, Step};
use crate::stack::ready_path;
use crate::ui::{Event, Report};
use crate::{platform, server};

/// How long `demo stop` waits until Prometheus is ready again.
const PATIENCE: Duration = Duration::from_secs(120);

/// The containers that a demo has to do with.
struct Parts {
    prometheus: Container,
    pushgateway: Container,
    feed: Option<Container>,
}

impl Parts {
    fn of(mut containers: Vec<Container>, project: &str) -> Result<Self> {
        let feed = feed_of(&containers).cloned();
        let mut take = |component: Component| {
            let at = containers.iter().position(|container| container.component == Some(component));
            at.map(|at| containers.swap_remove(at)).ok_or_else(|| {
                Error::new(Code::NotFound, format!("{} of project `{project}` is not there", component.title()))
                    .hint("bring the stack up with `moko-mon up` first")
            })
        };
        Ok(Self { prometheus: take(Component::Prometheus)?, pushgateway: take(Component::Pushgateway)?, feed })
    }
}

/// The feed among the containers of a project.
pub(super) fn feed_of(containers: &[Container]) -> Option<&Container> {
    containers.iter().find(|container| container.demo)
}

/// Whether the demo is on: its feed runs, in the network that the servers are in.
pub(super) fn is_on(containers: &[Container]) -> bool {
    let network = containers.iter().find(|container| container.component == Some(Component::Pushgateway));
    let network = network.map(|container| container.network.as_str());
    feed_of(containers).is_some_and(|feed| feed.state == State::Running && Some(feed.network.as_str()) == network)
}

/// Whether demo data may go into the stack of these settings.
pub(super) fn check(config: &Config) -> Result<()> {
    if config.prometheus.remote_write.is_empty() {
        return Ok(());
    }
    Err(Error::new(Code::ConfigInvalid, "`up --demo` would send made-up data to `prometheus.remote_write`")
        .cause("what was sent there cannot be removed by `demo stop`")
        .hint("use settings without it, in a project of its own: `moko-mon --project demo --config FILE up --demo`"))
}

/// What `up --demo` does once the stack is up; nothing where the demo is on.
pub(super) fn steps(config: &Config, containers: &[Container]) -> Vec<Step> {
    if is_on(containers) {
        return Vec::new();
    }
    let feed = demo::container_name(&config.project);
    let prometheus = crate::stack::container_name(&config.project, Component::Prometheus);
    let left = feed_of(containers).map(|_| step("remove", &feed, "an earlier demo that is not complete"));
    let length = history_length(&config.prometheus.retention_time);
    let history = format!("{} of demo history", days(length));
    let new = [
        step("create", &feed, "goes on with the demo data"),
        step("write", &history, &format!("into the storage of {prometheus}, which restarts")),
        step("start", &feed, "until `moko-mon demo stop`"),
    ];
    left.into_iter().chain(new).collect()
}

fn step(verb: &'static str, subject: &str, cause: &str) -> Step {
    Step { component: None, action: Action::Demo(verb), subject: subject.to_owned(), cause: cause.to_owned() }
}

/// As much history as Prometheus does not delete at once.
fn history_length(retention: &PromDuration) -> i64 {
    i64::try_from(retention.as_duration().as_secs()).unwrap_or(i64::MAX).min(demo::WEEK)
}

fn days(seconds: i64) -> String {
    match (seconds / 86_400, seconds / 3_600) {
        (0, hours) => format!("{hours}h"),
        (days, _) => format!("{days}d"),
    }
}

/// Performs the steps of [`steps`]; the stack is up and ready.
pub(super) async fn start(
    context: &Context<'_>,
    docker: &Docker,
    http: &Http,
    config: &Config,
    steps: &[Step],
    deadline: Instant,
) -> Result<()> {
    let parts = Parts::of(docker.project_containers(&config.project).await?, &config.project)?;
    let name = demo::container_name(&config.project);
    let scrape = config.prometheus.scrape_interval.as_duration().as_secs();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let end = i64::try_from(now).unwrap_or_default();
    let step = i64::try_from(scrape).unwrap_or(60).clamp(15, 60);
    let history = History::new(history_length(&config.prometheus.retention_time), end, step);
    let mut id = String::new();
    for step in steps {
        if context.stop.asked() {
            return Err(context.stop.error("`up --demo`").hint("run `moko-mon up --demo` again: it starts over"));
        }
        context.ui.event(&Event::Started(step));
        let started = Instant::now();
        let result = match step.action.verb() {
            "remove" => remove_feed(docker, parts.feed.as_ref()).await,
            "create" => {
                let environment = feed::environment(&history, scrape.max(1));
                create(docker, &config.project, &parts, environment).await.map(|created| id = created)
            }
            "write" => write(context, docker, http, config, &parts, &history, deadline).await,
            _ => run_feed(context, docker, http, &parts, &id, &name, deadline).await,
        };
        match &result {
            Ok(()) => context.ui.event(&Event::Done(step, started.elapsed())),
            Err(_) => context.ui.event(&Event::Failed(step)),
        }
        result?;
    }
    Ok(())
}

async fn create(docker: &Docker, project: &str, parts: &Parts, environment: Vec<String>) -> Result<String> {
    let pushgateway = &parts.pushgateway;
    let spec = pushgateway.spec.as_ref().ok_or_else(|| {
        Error::new(
            Code::NotFound,
            format!("container `{}` was made by an unknown version of moko-mon", pushgateway.name),
        )
    })?;
    let body = feed::body(project, spec, &pushgateway.network, environment);
    docker.create_container(Some(&demo::container_name(project)), body).await
}

async fn write(
    context: &Context<'_>,
    docker: &Docker,
    http: &Http,
    config: &Config,
    parts: &Parts,
    history: &History,
    deadline: Instant,
) -> Result<()> {
    // What an earlier demo has pushed would be scraped again.
    delete_group(http, &parts.pushgateway).await?;
    let work = Work::prepare(docker, &config.project, &parts.prometheus, Some(history)).await?;
    work.perform().await?;
    let url = url(&parts.prometheus)?;
    ready(context, http, &url, deadline, "`up --demo`").await?;
    if Prometheus::new(http, &url).has_series(&[demo::selector()]).await? {
        return Ok(());
    }
    Err(Error::new(Code::NotReady, "Prometheus does not have the demo history")
        .cause("its storage was written, and it finds no series of it")
        .hint("see what it says of its blocks with `moko-mon logs prometheus`"))
}

/// Starts the feed and waits for its first push.
async fn run_feed(
    context: &Context<'_>,
    docker: &Docker,
    http: &Http,
    parts: &Parts,
    id: &str,
    name: &str,
    deadline: Instant,
) -> Result<()> {
    docker.start(id, name).await?;
    let metrics = format!("{}/metrics", url(&parts.pushgateway)?);
    let mark = format!("{}=\"{}\"", demo::LABELS[0].0, demo::LABELS[0].1);
    loop {
        let page = http.get_text(&metrics, Duration::from_secs(10)).await?;
        if page.lines().any(|line| line.starts_with("push_time_seconds{") && line.contains(&mark)) {
            return Ok(());
        }
        if context.stop.asked() {
            return Err(context.stop.error("`up --demo`").hint("`moko-mon demo stop` removes what is there"));
        }
        if Instant::now() > deadline {
            let failed = Error::new(Code::NotReady, "the feed of the demo data does not push");
            let lines = docker.last_lines(id, 5).await;
            return Err(lines
                .into_iter()
                .fold(failed, Error::cause)
                .hint("the Pushgateway's image needs `sh`, `awk` and `wget`, and nobody may have pushed the same metrics without a `# TYPE` line"));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// `demo stop`.
pub(super) async fn stop(context: &Context<'_>) -> Result<Report> {
    let project = context.project()?;
    let docker = context.docker().await?;
    let http = Context::http()?;
    let _lock = Lock::take(&platform::lock_folder(), &docker.engine.id, &project, "demo stop")?;
    // What a killed `up --demo` or `demo stop` has left may still be at work on the storage.
    let containers = docker.project_containers(&project).await?;
    for left in containers.iter().filter(|container| container.component.is_none() && !container.demo) {
        docker.remove_container(&left.id, &left.name).await?;
    }
    let parts = Parts::of(containers, &project)?;
    for container in [&parts.prometheus, &parts.pushgateway] {
        if container.state != State::Running {
            return Err(Error::new(Code::NotReady, "`demo stop` needs the stack to run")
                .cause(format!("container `{}` is {}", container.name, container.state.as_str()))
                .hint("bring it up with `moko-mon up` first"));
        }
    }
    let prometheus = url(&parts.prometheus)?;
    let deadline = Instant::now() + PATIENCE;
    ready(context, &http, &prometheus, deadline, "`demo stop`").await?;
    let server = Prometheus::new(&http, &prometheus);
    if parts.feed.is_none() && !server.has_series(&demo::selectors()).await? {
        return Ok(Report::new(
            json!({"project": project, "removed": false}),
            format!("nothing to remove: project `{project}` has no demo data"),
        ));
    }
    if let Some(feed) = &parts.feed {
        docker.stop(&feed.id, &feed.name, 10).await?;
    }
    delete_group(&http, &parts.pushgateway).await?;
    context.ui.event(&Event::Note("removing the demo data from Prometheus' storage"));
    Work::prepare(&docker, &project, &parts.prometheus, None).await?.perform().await?;
    ready(context, &http, &prometheus, Instant::now() + PATIENCE, "`demo stop`").await?;
    if server.has_series(&demo::selectors()).await? {
        return Err(Error::new(Code::NotReady, "Prometheus still has demo data")
            .cause("series that it was told to delete are there again: something else pushes them")
            .hint("look for what else pushes with the label `demo`, then run `moko-mon demo stop` again"));
    }
    remove_feed(&docker, parts.feed.as_ref()).await?;
    Ok(Report::new(
        json!({"project": project, "removed": true}),
        format!("removed the demo data of project `{project}`; everything else is still there"),
    ))
}

async fn remove_feed(docker: &Docker, feed: Option<&Container>) -> Result<()> {
    let Some(feed) = feed else { return Ok(()) };
    docker.stop(&feed.id, &feed.name, 10).await?;
    docker.remove_container(&feed.id, &feed.name).await
}

async fn delete_group(http: &Http, pushgateway: &Container) -> Result<()> {
    let answer = http.delete(&format!("{}{}", url(pushgateway)?, feed::group_path())).await?;
    if answer.is_success() { Ok(()) } else { Err(answer.unexpected()) }
}

/// Waits until Prometheus is ready.
async fn ready(context: &Context<'_>, http: &Http, url: &str, deadline: Instant, what: &str) -> Result<()> {
    loop {
        let Err(last) = server::answers(http, url, ready_path(Component::Prometheus)).await else { return Ok(()) };
        if context.stop.asked() {
            return Err(context.stop.error(what).hint("run it again: it continues where it stopped"));
        }
        if Instant::now() > deadline {
            return Err(Error::new(Code::NotReady, "Prometheus was not ready again in time")
                .cause(format!("{url} said last: {last}"))
                .hint("see what it is doing with `moko-mon logs prometheus`"));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn url(container: &Container) -> Result<String> {
    let spec = container.spec.as_ref().map(|spec| spec.port.url());
    spec.ok_or_else(|| Error::new(Code::NotFound, format!("container `{}` has no published port", container.name)))
}
