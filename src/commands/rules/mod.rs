//! `rules`: the alert rules of the running stack.

mod simulate;

use super::Context;
use crate::cli;
use crate::error::Result;
use crate::ui::Report;

pub(super) async fn run(context: &Context<'_>, what: &cli::Rules) -> Result<Report> {
    match what {
        cli::Rules::Simulate(flags) => simulate::run(context, flags).await,
    }
}
