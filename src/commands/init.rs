//! `init`: a file to start from.

use std::io::Write as _;

use serde_json::json;

use super::Context;
use crate::config;
use crate::error::{Code, Error, Result};
use crate::ui::Report;

pub(super) fn run(context: &Context<'_>) -> Result<Report> {
    let name = context.sources.file.clone().unwrap_or_else(|| config::FILE_NAME.into());
    let path = context.sources.directory.join(&name);
    let goal = format!("could not write `{}`", name.display());
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Error::new(Code::Usage, goal.clone())
            .cause("it exists already, and a file of yours is never overwritten")
            .hint("edit it, or name another with `--config FILE`"),
        _ => Error::new(Code::Io, goal.clone()).cause(error.to_string()).hint("choose a folder that you may write to"),
    };
    // Whole or not at all: written beside it and then linked under its name, which fails if the name is taken.
    let folder = path.parent().unwrap_or(&context.sources.directory);
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(config::starting_file().as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    file.persist_noclobber(&path).map_err(|error| failed(error.error))?;
    let text = format!("wrote {}: every setting is in it, commented out with its default", name.display());
    Ok(Report::new(json!({"file": name}), text))
}
