//! `jobs`: the manifest, what comes of it, and how to get one.

mod check;
mod import;
mod list;

use super::Context;
use crate::cli;
use crate::component::Component;
use crate::config::Config;
use crate::error::Result;
use crate::http::prometheus::Prometheus;
use crate::stack::Port;
use crate::ui::Report;

pub(super) async fn run(context: &Context<'_>, what: &cli::Jobs) -> Result<Report> {
    match what {
        cli::Jobs::List => list::run(context).await,
        cli::Jobs::Check => check::run(context).await,
        cli::Jobs::Import(flags) => import::import(context, flags),
        cli::Jobs::Wrap(flags) => import::wrap(context, flags),
    }
}

/// The Prometheus of the settings, whether or not it runs.
fn prometheus(config: &Config) -> Result<Prometheus> {
    let port = config.server(Component::Prometheus).port;
    Ok(Prometheus::new(&Context::http()?, &Port { bind: config.bind, host: port, container: 0 }.url()))
}
