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
        let alone = |file: &FileSpec| {
            let content = if file.path == fragment.path { &fragment.content } else { &file.content };
            FileSpec { content: content.clone(), ..file.clone() }
        };
        let files: Vec<FileSpec> = spec.files.iter().map(alone).collect();
        if let Some(refusal) = refusal(apply, spec, check, &files).await? {
            // What it says of lines is about a file that the user never sees.
            lines = refusal.into_iter().map(|line| format!("{}: {}", fragment.place, without_line(&line))).collect();
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
    Ok((code != 0).then(|| lines.iter().filter_map(|line| reason(line)).collect()))
}

/// What a line of a checking tool says against a file; `None`: nothing that helps.
fn reason(line: &str) -> Option<String> {
    let line = line.trim();
    // One tool says it behind the name of the file, the other on lines of its own.
    let line = match line.split_once("FAILED: ") {
        Some((_, reason)) => reason,
        None if line.starts_with("Checking") || line.contains("SUCCESS") || line.contains("failed to validate") => {
            return None;
        }
        None => line,
    };
    Some(line.to_owned())
}

/// Without the number of a line in a file that the user never sees.
fn without_line(reason: &str) -> &str {
    let rest = reason.strip_prefix("line ").and_then(|rest| rest.split_once(": "));
    rest.filter(|(number, _)| number.chars().all(|c| c.is_ascii_digit())).map_or(reason, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_a_tool_prints_the_reason_is_left() {
        let line =
            "Checking '/etc/alertmanager/alertmanager.yml'  FAILED: undefined time interval \"nope\" used in route";
        assert_eq!(reason(line).as_deref(), Some("undefined time interval \"nope\" used in route"));
        assert_eq!(reason("amtool: error: failed to validate 1 file(s)"), None);
        assert_eq!(reason("  Checking /etc/prometheus/prometheus.yml"), None);
        assert_eq!(reason("  FAILED: parsing YAML").as_deref(), Some("parsing YAML"));
        assert_eq!(without_line("line 8: field x not found"), "field x not found");
        assert_eq!(without_line("line of x: y"), "line of x: y");
    }
}
