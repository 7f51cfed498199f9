//! `verify`: proof, check by check, that monitoring works.

mod modes;
mod reports;
pub(super) mod servers;
mod settle;

use std::time::{Duration, Instant};

use serde_json::json;

pub(super) use settle::settled;

use super::Context;
use crate::cli;
use crate::component::Component;
use crate::config::{Config, quote};
use crate::docker::Docker;
use crate::error::{Code, Error, Result};
use crate::http::{Http, Server};
use crate::stack::Stack;
use crate::ui::{Format, Report, table};
use crate::verify::report::{self, Look, Verdict};
use crate::verify::{Check, Engine, Expected, Facts, Refused, Selection, World, canary, catalog};

/// The longest that one call may take; a healthy server answers in milliseconds.
const CALL: Duration = Duration::from_secs(5);

pub(super) async fn run(context: &Context<'_>, flags: &cli::Verify) -> Result<Report> {
    reports::check(&flags.report)?;
    let selection = Selection { only: flags.only.clone(), skip: flags.skip.clone() };
    let target = Target::of(context, flags)?;
    if flags.list {
        return list(context, &target, &selection, flags).await;
    }
    if flags.deep {
        can_fly(&target, &selection)?;
    }
    let verdict = modes::Job { context, target: &target, selection: &selection, flags, refused: Refused::default() }
        .run()
        .await?;
    reports::write(context, flags, &verdict)?;
    if context.stop.asked() && !flags.watch {
        return Err(context.stop.error_of_look("`verify`"));
    }
    // What `--watch` found is on the screen already.
    let text = if flags.watch { String::new() } else { rendered(context, flags, &verdict) };
    Ok(Report { data: report::json(&verdict), text, failed: verdict.failure(flags.strict) })
}

/// The results as the terminal wants them.
fn rendered(context: &Context<'_>, flags: &cli::Verify, verdict: &Verdict) -> String {
    match context.ui.format() {
        Format::Junit => report::junit(verdict, flags.strict),
        Format::Markdown => report::markdown(verdict),
        Format::Text | Format::Json => {
            report::text(verdict, Look { width: context.ui.width(), colors: context.ui.colors() })
        }
    }
}

/// What is verified.
enum Target {
    /// The stack that the settings describe.
    Own(Box<Config>),
    /// Servers that are given by their addresses.
    Given(Vec<(Component, Server)>),
}

impl Target {
    fn of(context: &Context<'_>, flags: &cli::Verify) -> Result<Self> {
        let timeout = flags.timeout.as_duration().min(CALL);
        match servers::given(&context.sources.directory, &flags.servers, timeout)? {
            Some(servers) => Ok(Self::Given(servers)),
            None => Ok(Self::Own(Box::new(context.config()?.config))),
        }
    }

    /// The world as of now, of which nothing was asked yet.
    async fn world(&self, context: &Context<'_>, limit: Duration, refused: &Refused) -> Result<World> {
        match self {
            Self::Own(config) => own(context, Config::clone(config), limit, refused).await,
            Self::Given(servers) => Ok(World {
                servers: servers.clone(),
                expected: None,
                engine: None,
                facts: Facts::default(),
                refused: refused.clone(),
                limit,
                deadline: Instant::now() + limit,
            }),
        }
    }
}

/// The stack that the settings describe, and where it runs.
pub(super) async fn own(context: &Context<'_>, config: Config, limit: Duration, refused: &Refused) -> Result<World> {
    let deadline = Instant::now() + limit;
    let stack = Stack::desired(&config)?;
    let http = Context::http()?;
    let engine = engine(context, &stack).await;
    let servers = stack.components.iter().map(|spec| {
        // Where it really is published; that may not be where the settings say.
        let containers = engine.iter().flat_map(|engine| &engine.containers);
        let container = containers.into_iter().find(|container| container.component == Some(spec.component));
        let found = container.and_then(|container| container.spec.as_ref()).map(|spec| spec.port.url());
        let url = found.unwrap_or_else(|| spec.url());
        (spec.component, server(&http, &url, limit))
    });
    let servers = servers.collect();
    let (facts, refused) = (Facts::default(), refused.clone());
    let expected = Some(Expected { config, stack });
    Ok(World { servers, expected, engine: Some(engine), facts, refused, limit, deadline })
}

async fn engine(context: &Context<'_>, stack: &Stack) -> Result<Engine> {
    let docker: Docker = context.docker().await?;
    let observed = docker.survey(stack).await?;
    Ok(Engine { docker, containers: observed.containers, foreign: observed.foreign_containers })
}

fn server(http: &Http, url: &str, limit: Duration) -> Server {
    Server::new(http, url, limit.min(CALL))
}

/// Refuses words that select nothing: a check that was meant and not made would look like a pass.
fn known(selection: &Selection, catalog: &[Check], deep: bool) -> Result<()> {
    let all: Vec<Check> = canary::checks();
    let strangers = selection.strangers(catalog);
    let hops: Vec<&str> = selection.strangers(&all).collect();
    for word in strangers {
        // Named only by the canary's hops.
        if !hops.contains(&word) {
            if deep || !selection.only.iter().any(|only| only == word) {
                continue;
            }
            return Err(Error::new(Code::Usage, format!("{} is made with `--deep` only", quote(word)))
                .hint("add `--deep`; it takes a minute or two"));
        }
        let hint = crate::config::did_you_mean(word, catalog.iter().chain(&all).map(|check| check.id.as_ref()));
        return Err(Error::new(Code::Usage, format!("no check is named {}{hint}", quote(word)))
            .hint("`moko-mon verify --list` shows all; the beginning of a name up to a dot stands for all below it"));
    }
    something(selection, catalog.iter().chain(all.iter().filter(|_| deep)))
}

/// Refuses a selection of which nothing is left: no check would be made, and none would fail.
fn something<'a>(selection: &Selection, mut all: impl Iterator<Item = &'a Check>) -> Result<()> {
    if all.any(|check| selection.wants(&check.id)) {
        return Ok(());
    }
    let what = if selection.only.is_empty() { "all checks" } else { "all that `--only` names" };
    Err(Error::new(Code::Usage, format!("`--skip` leaves out {what}, so nothing would be proved"))
        .hint("take something out of `--skip`; `moko-mon verify --list` shows all checks"))
}

/// Refuses a canary that could not be sent, or of which nothing would be told.
fn can_fly(target: &Target, selection: &Selection) -> Result<()> {
    if !canary::checks().iter().any(|check| selection.wants(&check.id)) {
        return Err(Error::new(
            Code::Usage,
            "`--deep` sends a canary, and `--only` or `--skip` leaves out all its hops",
        )
        .hint("leave out `--deep`, or add `canary` to `--only`"));
    }
    let Target::Given(servers) = target else { return Ok(()) };
    let is_given = |wanted: &Component| servers.iter().any(|(component, _)| component == wanted);
    match canary::WAY.iter().find(|component| !is_given(component)) {
        None => Ok(()),
        Some(missing) => Err(Error::new(
            Code::Usage,
            format!(
                "`--deep` sends a canary from a Pushgateway through Prometheus to Alertmanager, and no {} is given",
                missing.title()
            ),
        )
        .hint(format!("add `--{missing}-url URL`, or leave out `--deep`"))),
    }
}

async fn list(context: &Context<'_>, target: &Target, selection: &Selection, flags: &cli::Verify) -> Result<Report> {
    if !matches!(context.ui.format(), Format::Text | Format::Json) {
        return Err(Error::new(Code::Usage, "`verify --list` makes no checks, so there are no results to write")
            .hint("use `moko-mon verify --list --output json`"));
    }
    let world = target.world(context, flags.timeout.as_duration(), &Refused::default()).await?;
    let mut all = catalog(&world);
    known(selection, &all, true)?;
    all.extend(canary::checks());
    let wanted: Vec<&Check> = all.iter().filter(|check| selection.wants(&check.id)).collect();
    let heading = ["CHECK", "COMPONENT", "PROVES", "NEEDS"].map(str::to_owned).to_vec();
    let row = |check: &&Check| {
        let needs = if check.needs.is_empty() { "-".to_owned() } else { check.needs.join(", ") };
        vec![check.id.to_string(), check.component.to_owned(), check.about.to_string(), needs]
    };
    let rows: Vec<_> = std::iter::once(heading).chain(wanted.iter().map(row)).collect();
    let data = wanted
        .iter()
        .map(|check| json!({"id": check.id, "component": check.component, "about": check.about, "needs": check.needs}));
    Ok(Report::new(json!({"checks": data.collect::<Vec<_>>()}), table::columns(&rows)))
}
