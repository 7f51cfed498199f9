//! `--report`: the results in files, in the format that the file's name says.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::cli;
use crate::commands::Context;
use crate::error::{Code, Error, Result};
use crate::platform;
use crate::ui::{Format, envelope};
use crate::verify::report::{self, Look, Verdict};

/// The columns of a text in a file, which has no width of its own.
const WIDTH: usize = 120;

/// Refuses names of unknown formats before any work is done.
pub(super) fn check(files: &[PathBuf]) -> Result<()> {
    files.iter().try_for_each(|file| format(file).map(drop))
}

/// Writes all of them.
pub(super) fn write(context: &Context<'_>, flags: &cli::Verify, verdict: &Verdict) -> Result<()> {
    for file in &flags.report {
        let text = match format(file)? {
            Format::Text => report::text(verdict, Look { width: WIDTH, colors: false }),
            Format::Json => {
                let failed = verdict.failure(flags.strict);
                format!("{:#}\n", envelope("verify", &report::json(verdict), &context.ui.warnings(), failed.as_ref()))
            }
            Format::Junit => report::junit(verdict, flags.strict),
            Format::Markdown => report::markdown(verdict),
        };
        replace(&context.sources.directory.join(file), &text).map_err(|error| {
            Error::new(Code::Io, format!("could not write `{}`", file.display()))
                .cause(error.to_string())
                .hint("name a file in a folder that you may write to with `--report FILE`")
        })?;
    }
    Ok(())
}

fn format(file: &Path) -> Result<Format> {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("json") => Ok(Format::Json),
        Some("xml") => Ok(Format::Junit),
        Some("md") => Ok(Format::Markdown),
        Some("txt") => Ok(Format::Text),
        _ => Err(Error::new(Code::Usage, format!("`--report {}` does not say in which format", file.display()))
            .hint("end the name with `.json`, `.xml` (JUnit), `.md` or `.txt`")),
    }
}

/// The old file or the new one, never half of it.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
    file.write_all(text.as_bytes())?;
    // It is made for others: what collects it in a pipeline may be another user.
    platform::set_mode(file.path(), 0o644)?;
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|error| error.error)
}
