//! The user's files, checked by the very server that will read them, before anything of the stack is changed.

use std::time::Duration;

use super::Apply;
use crate::docker::archive::Entry;
use crate::docker::one_shot::Once;
use crate::error::{Code, Error, Result};
use crate::plan::{Action, Plan};
use crate::stack::{Check, ComponentSpec, FileSpec};

/// How long a check may take; reading a thousand rules takes well under a second.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs the checks of every component whose files the plan changes.
pub async fn check_files(apply: &Apply<'_>, plan: &Plan) -> Result<()> {
    for spec in &apply.stack.components {
        let changes = plan.chain(spec.component).any(|step| matches!(step.action, Action::Write { .. }));
        if let Some(check) = spec.check.as_ref().filter(|_| changes) {
            run(apply, spec, check).await?;
        }
    }
    Ok(())
}

/// Runs one command of the component's image on its files.
async fn run(apply: &Apply<'_>, spec: &ComponentSpec, check: &Check) -> Result<()> {
    let Some(mut lines) = refusal(apply, spec, check, &spec.files).await? else { return Ok(()) };
    let mut error = Error::new(Code::ConfigInvalid, format!("{} refuses the configuration", spec.component.title()));
    for fragment in &check.fragments {
        let alone = |file: &FileSpec| match file.path == fragment.path {
            true => FileSpec { content: fragment.content.clone(), ..file.clone() },
            false => file.clone(),
        };
        let files: Vec<FileSpec> = spec.files.iter().map(alone).collect();
        if let Some(refusal) = refusal(apply, spec, check, &files).await? {
            // What it says of lines is about a file that the user never sees.
            lines = refusal.into_iter().map(|line| format!("{}: {line}", fragment.place)).collect();
            break;
        }
    }
    for line in lines {
        error = error.cause(check.names.iter().fold(line, |line, (path, name)| line.replace(path, name)));
    }
    Err(error.hint("mend it and try again; nothing was changed"))
}

/// What the command says against the files; `None`: nothing.
async fn refusal(
    apply: &Apply<'_>,
    spec: &ComponentSpec,
    check: &Check,
    files: &[FileSpec],
) -> Result<Option<Vec<String>>> {
    let (project, command) = (apply.stack.project.as_str(), check.command.clone());
    let once = Once { project, spec: &spec.container, command, limit: LIMIT, lines: 40 };
    let (code, lines) = apply.docker.run_once(once, files.iter().map(Entry::below_root)).await?;
    let lines = lines.iter().map(|line| line.trim().to_owned());
    let lines = lines.filter(|line| !line.contains("SUCCESS") && !line.starts_with("Checking"));
    Ok((code != 0).then(|| lines.collect()))
}
