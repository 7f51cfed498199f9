//! `render`: the stack for other tools.

use super::Context;
use crate::cli;
use crate::error::{Code, Error, Result};
use crate::ui::Report;

pub(super) fn run(_context: &Context<'_>, what: &cli::Render) -> Result<Report> {
    match what {
        cli::Render::Compose(_) => Err(Error::new(Code::Usage, "not yet")),
    }
}
