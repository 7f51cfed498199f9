//! `run`: the flags of the command line as a plan.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::cli::{self, Global};
use crate::config::{self, PushSettings, Sources, quote};
use crate::error::{Code, Error, Result};
use crate::jobs::Job;
use crate::run::{self, Plan};
use crate::ui::Ui;

/// Runs the command and returns the exit status of the process. Settings that are wrong do not keep it from running.
#[must_use]
pub fn run(flags: &cli::Run, global: &Global, environment: Result<BTreeMap<String, String>>) -> u8 {
    let directory = std::env::current_dir().unwrap_or_default();
    let (environment, mut doubt) = match environment {
        Ok(environment) => (environment, None),
        // What is text still counts.
        Err(error) => (texts(), Some(error)),
    };
    let sources = super::sources(global, &environment, directory.clone()).unwrap_or_else(|error| {
        doubt.get_or_insert(error);
        Sources { directory, file: global.config.clone(), environment: environment.clone(), flags: Vec::new() }
    });
    let mut settings = config::push(&sources);
    match plan(flags, &sources, settings.as_mut()) {
        Ok((plan, job)) => {
            let settings = settings.map(|mut settings| {
                settings.doubt = doubt.or(settings.doubt);
                settings
            });
            run::run(&plan, job, settings, &environment)
        }
        Err(error) => Ui::new(global.output, &environment).finish("run", Err(error)) as u8,
    }
}

fn texts() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// What is to be run; only a job that is not there, or has no command, is an error.
fn plan(flags: &cli::Run, sources: &Sources, mut settings: Option<&mut PushSettings>) -> Result<(Plan, Option<Job>)> {
    let named = flags.job.clone().or_else(|| flags.name.clone().filter(|name| !name.is_empty()));
    let name =
        named.unwrap_or_else(|| base_name(flags.command.first().map_or(OsStr::new(""), |word| word.as_os_str())));
    let job = settings.as_mut().and_then(|settings| settings.job(&name));
    let mut command = flags.command.clone();
    if command.is_empty() {
        command = job.iter().filter_map(|job| job.command.clone()).flatten().map(OsString::from).collect();
    }
    if command.is_empty() {
        let fact = match job {
            Some(_) => format!("the job {} has no command", quote(&name)),
            None => format!("there is no job {}", quote(&name)),
        };
        return Err(
            Error::new(Code::Usage, fact).hint("to run a command, write it behind `--`: `moko-mon run -- ./backup.sh`")
        );
    }
    let plan = Plan {
        name,
        command,
        timeout: flags.timeout.as_ref().map(config::PromDuration::as_duration),
        no_overlap: flags.no_overlap,
        capture: flags.capture.map(usize::from),
        textfile: flags.textfile.as_ref().map(|folder| sources.directory.join(folder)),
        variables: settings.map(|settings| std::mem::take(&mut settings.variables)).unwrap_or_default(),
    };
    Ok((plan, job))
}

/// The last part of the command's path, as people call the script.
fn base_name(command: &OsStr) -> String {
    Path::new(command).file_name().unwrap_or(command).to_string_lossy().into_owned()
}
