//! The user's files, checked by the very server that will read them, before anything of the stack is changed.

use std::time::Duration;

use super::Apply;
use crate::docker::archive::{Entry, pack};
use crate::docker::one_shot::OneShot;
use crate::docker::translate::check_body;
use crate::error::{Code, Error, Result};
use crate::plan::{Action, Plan};
use crate::stack::{Check, ComponentSpec};

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

/// Runs one command of the component's image on the files, in a container without a network that is then removed.
async fn run(apply: &Apply<'_>, spec: &ComponentSpec, check: &Check) -> Result<()> {
    let body = check_body(&apply.stack.project, &spec.container, check.command.clone());
    let container = OneShot::create(apply.docker, body).await?;
    let outcome = outcome(spec, &container).await;
    // The next `up` removes it as a leftover if this fails.
    let removed = container.remove().await;
    let (code, lines) = outcome?;
    removed?;
    if code == 0 {
        return Ok(());
    }
    let mut error = Error::new(Code::ConfigInvalid, format!("{} refuses the configuration", spec.component.title()));
    for line in lines {
        error = error.cause(check.names.iter().fold(line, |line, (path, name)| line.replace(path, name)));
    }
    Err(error.hint("mend it and try again; nothing was changed"))
}

async fn outcome(spec: &ComponentSpec, container: &OneShot<'_>) -> Result<(i64, Vec<String>)> {
    let entries = spec.files.iter().map(|file| Entry {
        path: file.path.trim_start_matches('/'),
        content: &file.content,
        access: file.access,
    });
    container.upload(pack(entries)?).await?;
    let (code, lines) = container.run(LIMIT).await?;
    let told = |line: &String| !line.contains("SUCCESS") && !line.starts_with("Checking");
    Ok((code, lines.into_iter().filter(told).collect()))
}
