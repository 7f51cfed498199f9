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
use crate::config;
use crate::error::{Code, Error, Result};
use crate::ledger::Ledger;
use crate::publish::{Publisher, Settings};
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
    /// The `job` of the groups of scripts.
    job: String,
}

impl Push {
    /// Reads the settings group `push`; anything else in the settings may be wrong, as it is not needed.
    fn new(context: &Context<'_>) -> Result<Self> {
        let unread = || Error::new(Code::ConfigInvalid, "could not read the settings");
        let settings = config::push(&context.sources).ok_or_else(unread)?;
        if let Some(error) = settings.doubt {
            return Err(error);
        }
        let settings = Settings::new(settings, &context.environment);
        let (ledger, publisher) = (settings.ledger()?, Publisher::new(&settings)?);
        Ok(Self { ledger, publisher, job: settings.job })
    }
}
