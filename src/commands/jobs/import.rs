//! `jobs import` and `jobs wrap`: from what a machine runs already to the manifest, and from the crontab to one that is
//! watched. Both only show, unless `import` is told to write.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::super::Context;
use crate::cli;
use crate::config::{FILE_NAME, quote};
use crate::error::{Code, Error, Goal as _, Result};
use crate::jobs::import::{Import, Wrapped, crontab, timers, wrapped};
use crate::jobs::zone;
use crate::ui::Report;
use crate::yaml;

/// No crontab and no unit is larger.
const LARGEST: u64 = 1 << 20;

pub(super) fn import(context: &Context<'_>, flags: &cli::JobsImport) -> Result<Report> {
    let timezone = machine_zone();
    let mut found = match (&flags.crontab, &flags.systemd) {
        (Some(file), _) => {
            let (text, system) = (read(context, file)?, is_system(file));
            crontab(&text, system, timezone.as_deref(), &file.display().to_string())
        }
        (None, Some(folder)) => timers(&units(context, folder)?, timezone.as_deref()),
        (None, None) => Import::default(),
    };
    for name in &flags.names {
        if !found.jobs.iter().any(|job| job.name == *name) {
            let names = found.jobs.iter().map(|job| job.name.as_str());
            let hint = crate::config::did_you_mean(name, names);
            return Err(Error::new(Code::Usage, format!("no job {} was found{hint}", quote(name)))
                .hint("without a name, the command shows all that it finds"));
        }
    }
    found.jobs.retain(|job| flags.names.is_empty() || flags.names.contains(&job.name));
    for fact in &found.skipped {
        context.ui.warn(format!("left out: {fact}"));
    }
    for fact in &found.notes {
        context.ui.warn(fact);
    }
    if found.jobs.is_empty() {
        return Ok(Report::new(
            json!({"jobs": [], "skipped": found.skipped, "notes": found.notes, "written": null}),
            "no job was found".to_owned(),
        ));
    }
    let proposal = yaml::to_string(&json!({"jobs": found.jobs}))?;
    let written = if flags.write { Some(write(context, &proposal)?) } else { None };
    let text = match &written {
        Some(file) => {
            let count = if found.jobs.len() == 1 { "1 job".to_owned() } else { format!("{} jobs", found.jobs.len()) };
            format!("wrote {count} to {file}; `moko-mon up` is next")
        }
        None => proposal.trim_end().to_owned(),
    };
    let data = json!({"jobs": found.jobs, "skipped": found.skipped, "notes": found.notes, "written": written});
    Ok(Report::new(data, text))
}

pub(super) fn wrap(context: &Context<'_>, flags: &cli::JobsWrap) -> Result<Report> {
    let config = context.config()?.config;
    let (text, shown, system) = match flags.crontab.as_ref().and_then(Option::as_ref) {
        Some(file) => (read(context, file)?, file.display().to_string(), is_system(file)),
        None => (own_crontab()?, "crontab".to_owned(), false),
    };
    let known = |command: &str| {
        let same = |words: &Vec<String>| {
            words.join(" ") == command
                || words.get(..2).is_some_and(|front| front == ["sh", "-c"])
                    && words.get(2).is_some_and(|line| line == command)
        };
        config.jobs.iter().find(|job| job.command.as_ref().is_some_and(same)).map(|job| job.name.clone())
    };
    let Wrapped { changes, left } = wrapped(&text, system, &shown, known);
    for fact in &left {
        context.ui.warn(format!("{fact}; the line stays as it is"));
    }
    if changes.is_empty() {
        let every = if left.is_empty() { "every command" } else { "every other command" };
        return Ok(Report::new(
            json!({"changes": [], "left": left}),
            format!("nothing to do: {every} has `moko-mon run` in front"),
        ));
    }
    let mut diff = format!("--- {shown}\n+++ {shown}");
    for (number, before, after) in &changes {
        diff.push_str(&format!("\n@@ -{number} +{number} @@\n-{before}\n+{after}"));
    }
    context
        .ui
        .warn("cron looks for programs in `/usr/bin` and `/bin` unless the crontab sets PATH; nothing was changed");
    let data = changes.iter().map(|(line, before, after)| json!({"line": line, "before": before, "after": after}));
    Ok(Report::new(json!({"changes": data.collect::<Vec<_>>(), "left": left}), diff))
}

/// Adds the jobs to the settings, where these have none yet.
fn write(context: &Context<'_>, proposal: &str) -> Result<String> {
    let resolved = context.config()?;
    let path = resolved.file.unwrap_or_else(|| context.sources.directory.join(FILE_NAME));
    let shown = path.display().to_string();
    let goal = || format!("could not write the jobs to `{shown}`");
    let before = if path.exists() {
        std::fs::read_to_string(&path).map_err(|error| Error::new(Code::Io, error.to_string())).goal(goal)?
    } else {
        String::new()
    };
    if before.lines().any(|line| line.starts_with("jobs:")) {
        return Err(Error::new(Code::ConfigInvalid, goal())
            .cause("it has `jobs` already")
            .hint("leave out `--write`, and put what you want of the proposal below them"));
    }
    let gap = match before.as_str() {
        "" => "",
        text if text.ends_with('\n') => "\n",
        _ => "\n\n",
    };
    super::super::dashboard::write(&path, &format!("{before}{gap}{proposal}"))
        .map_err(|error| Error::new(Code::Io, goal()).cause(error.to_string()).hint("see who may write to it"))?;
    Ok(shown)
}

fn read(context: &Context<'_>, file: &Path) -> Result<String> {
    let bytes = crate::config::read_file(&context.sources.directory.join(file), LARGEST).map_err(|fact| {
        Error::new(Code::Usage, format!("could not read `{}`", file.display()))
            .cause(format!("it {fact}"))
            .hint("name a file that you may read; `crontab -l > FILE` writes your own crontab to one")
    })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The units of a folder by file name; links lead to the unit.
fn units(context: &Context<'_>, folder: &Path) -> Result<BTreeMap<String, String>> {
    let refuse = |error: std::io::Error| {
        Error::new(Code::Usage, format!("could not read the units in `{}`", folder.display()))
            .cause(error.to_string())
            .hint("name a folder such as `/etc/systemd/system` or `~/.config/systemd/user`")
    };
    let mut units = BTreeMap::new();
    for entry in std::fs::read_dir(context.sources.directory.join(folder)).map_err(refuse)? {
        let entry = entry.map_err(refuse)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if Path::new(&name).extension().is_some_and(|kind| kind == "timer" || kind == "service")
            && let Ok(bytes) = crate::config::read_file(&entry.path(), LARGEST)
        {
            units.insert(name, String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    Ok(units)
}

/// Whether the lines of a crontab name a user.
fn is_system(file: &Path) -> bool {
    file == Path::new("/etc/crontab") || file.starts_with("/etc/cron.d")
}

/// The crontab of whoever asks.
fn own_crontab() -> Result<String> {
    let hint = "name a file with `--crontab FILE`";
    let output = Command::new("crontab").arg("-l").output().map_err(|error| {
        Error::new(Code::NotFound, "could not read your crontab").cause(format!("`crontab -l`: {error}")).hint(hint)
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Error::new(Code::NotFound, "could not read your crontab").cause(said).hint(hint));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The machine's time zone, where it is another than UTC.
fn machine_zone() -> Option<String> {
    let link = std::fs::read_link("/etc/localtime").ok()?;
    let (_, name) = link.to_str()?.rsplit_once("zoneinfo/")?;
    zone(name).ok().filter(|_| !matches!(name, "UTC" | "Etc/UTC")).map(|_| name.to_owned())
}
