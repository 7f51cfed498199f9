//! `push`: what scripts know themselves, and what the Pushgateway holds.

mod count;
mod delete;
mod flush;
mod groups;
mod list;
mod prune;
mod sources;
mod status;

use super::Context;
use crate::cli;
use crate::error::Result;
use crate::ledger::Ledger;
use crate::publish::Publisher;
use crate::ui::Report;

pub(super) async fn run(context: &Context<'_>, what: &cli::Push) -> Result<Report> {
    match what {
        cli::Push::Inc(flags) => count::inc(context, flags).await,
        cli::Push::Set(flags) => count::set(context, flags).await,
        cli::Push::Observe(flags) => count::observe(context, flags).await,
        cli::Push::Text(flags) => sources::text(context, flags).await,
        cli::Push::GithubRateLimit(flags) => sources::github_rate_limit(context, flags).await,
        cli::Push::Findings(flags) => sources::findings(context, flags).await,
        cli::Push::List => list::run(context).await,
        cli::Push::Delete(flags) => delete::run(context, flags).await,
        cli::Push::Prune(flags) => prune::run(context, flags).await,
        cli::Push::Flush => flush::run(context).await,
        cli::Push::Status => status::run(context),
    }
}

/// Where totals are kept, and who publishes them.
struct Push {
    ledger: Ledger,
    publisher: Publisher,
}

impl Push {
    fn new(context: &Context<'_>) -> Result<Self> {
        let settings = context.config()?.config.push;
        Ok(Self { ledger: settings.ledger()?, publisher: Publisher::new(&settings)? })
    }
}
