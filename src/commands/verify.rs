//! `verify`: proof, check by check, that monitoring works.

use std::time::{Duration, Instant};

use serde_json::json;

use super::Context;
use crate::cli;
use crate::config::{Config, quote};
use crate::docker::Docker;
use crate::error::{Code, Error, Result};
use crate::http::{Http, Server};
use crate::stack::Stack;
use crate::ui::{Report, table};
use crate::verify::{self, Check, Engine, Expected, Facts, Selection, World, catalog, report};

/// The longest that one call may take; a healthy server answers in milliseconds.
const CALL: Duration = Duration::from_secs(5);

pub(super) async fn run(context: &Context<'_>, flags: &cli::Verify) -> Result<Report> {
    let config = context.config()?.config;
    let world = own(context, config, flags.timeout.as_duration()).await?;
    let catalog = catalog(&world);
    let selection = Selection { only: flags.only.clone(), skip: flags.skip.clone() };
    known(&selection, &catalog)?;
    if flags.list {
        return Ok(list(&catalog, &selection));
    }
    let checked = verify::run(&catalog, &world, &selection).await;
    Ok(Report {
        data: report::json(&checked),
        text: report::text(&checked),
        failed: report::failure(&checked, flags.strict),
    })
}

/// The stack that the settings describe, and where it runs.
async fn own(context: &Context<'_>, config: Config, limit: Duration) -> Result<World> {
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
    let facts = Facts::default();
    Ok(World { servers, expected: Some(Expected { config, stack }), engine: Some(engine), facts, limit, deadline })
}

async fn engine(context: &Context<'_>, stack: &Stack) -> Result<Engine> {
    let docker: Docker = context.docker().await?;
    let observed = docker.observe(stack).await?;
    Ok(Engine { docker, containers: observed.containers, foreign: observed.foreign_containers })
}

fn server(http: &Http, url: &str, limit: Duration) -> Server {
    Server::new(http, url, limit.min(CALL))
}

/// Refuses words that select nothing: a check that was meant and not made would look like a pass.
fn known(selection: &Selection, catalog: &[Check]) -> Result<()> {
    let Some(word) = selection.strangers(catalog).next() else { return Ok(()) };
    let hint = crate::config::did_you_mean(word, catalog.iter().map(|check| check.id.as_ref()));
    Err(Error::new(Code::Usage, format!("no check is named {}{hint}", quote(word)))
        .hint("`moko-mon verify --list` shows all; the beginning of a name up to a dot stands for all below it"))
}

fn list(catalog: &[Check], selection: &Selection) -> Report {
    let wanted: Vec<&Check> = catalog.iter().filter(|check| selection.wants(&check.id)).collect();
    let heading = ["CHECK", "COMPONENT", "PROVES", "NEEDS"].map(str::to_owned).to_vec();
    let row = |check: &&Check| {
        let needs = if check.needs.is_empty() { "-".to_owned() } else { check.needs.join(", ") };
        vec![check.id.to_string(), check.component.to_owned(), check.about.to_string(), needs]
    };
    let rows: Vec<_> = std::iter::once(heading).chain(wanted.iter().map(row)).collect();
    let data = wanted
        .iter()
        .map(|check| json!({"id": check.id, "component": check.component, "about": check.about, "needs": check.needs}));
    Report::new(json!({"checks": data.collect::<Vec<_>>()}), table::columns(&rows))
}
