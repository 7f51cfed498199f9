//! `rules`: what the stack evaluates, what it says now, and whether it is right.

mod list;
mod show;
mod simulate;
mod test;

use std::collections::BTreeSet;
use std::path::Path;

use super::Context;
use crate::cli;
use crate::component::Component;
use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::http::prometheus::{Prometheus, RuleGroup};
use crate::observed::State;
use crate::rules::{self, Entry, File};
use crate::stack::{RULES_PATH, Stack};
use crate::ui::Report;

pub(super) async fn run(context: &Context<'_>, what: &cli::Rules) -> Result<Report> {
    match what {
        cli::Rules::List => list::run(context).await,
        cli::Rules::Show { name } => show::run(context, name).await,
        cli::Rules::Test { files, junit } => test::run(context, files, junit.as_deref()).await,
        cli::Rules::Simulate(flags) => simulate::run(context, flags).await,
    }
}

/// Every rule of the settings and of the running Prometheus, and whether there is one that could be asked.
async fn entries(context: &Context<'_>) -> Result<(Vec<Entry>, bool)> {
    let config = context.config()?.config;
    let stack = Stack::desired(&config)?;
    let own = rules::own().map(|(name, text)| File {
        path: format!("{RULES_PATH}/{name}"),
        shown: name.to_owned(),
        ours: true,
        groups: rules::groups(text.as_bytes()),
        disabled: BTreeSet::new(),
    });
    let mut files = files(&config, &context.sources.directory);
    let theirs = files.iter().position(|file| !file.ours).unwrap_or(files.len());
    files.splice(theirs..theirs, own);
    let loaded = match loaded(context, &stack).await {
        Ok(loaded) => Some(loaded),
        Err(why) => {
            context.ui.warn(format!("the state of the rules is not known: {}", why.in_one_line()));
            None
        }
    };
    Ok((rules::entries(&files, loaded.as_deref()), loaded.is_some()))
}

/// The rule files of the stack: ours, then the user's under the names that he knows.
pub(super) fn files(config: &Config, directory: &Path) -> Vec<File> {
    let mut everything = config.clone();
    everything.rules.disabled.clear();
    let ours = rules::files(&everything).into_iter().map(|(name, text)| File {
        path: format!("{RULES_PATH}/{name}"),
        shown: name.to_owned(),
        ours: true,
        groups: rules::groups(text.as_bytes()),
        disabled: config.rules.disabled.clone(),
    });
    let theirs = config.extra_rules.iter().map(|file| File {
        path: format!("{RULES_PATH}/extra/{}", file.name),
        shown: file.path.strip_prefix(directory).unwrap_or(&file.path).display().to_string(),
        ours: false,
        groups: rules::groups(&file.content),
        disabled: BTreeSet::new(),
    });
    ours.chain(theirs).collect()
}

/// What the running Prometheus has loaded. Warns where its files are not those that the settings ask for.
async fn loaded(context: &Context<'_>, stack: &Stack) -> Result<Vec<RuleGroup>> {
    let docker = context.docker().await?;
    let containers = docker.project_containers(&stack.project).await?;
    let running = containers
        .iter()
        .find(|container| container.component == Some(Component::Prometheus) && container.state == State::Running);
    let (container, url) = running
        .and_then(|of| Some((of, of.spec.as_ref()?.port.url())))
        .ok_or_else(|| Error::new(Code::NotFound, format!("project `{}` has no running Prometheus", stack.project)))?;
    let loaded = Prometheus::new(&Context::http()?, &url).rules().await?;
    let delivered = docker.download(&container.id, &container.name, RULES_PATH).await?;
    let specs = stack.get(Component::Prometheus).into_iter().flat_map(|spec| &spec.files);
    let mut rule_files = specs.filter(|file| file.path.starts_with(RULES_PATH));
    if rule_files.any(|file| delivered.get(&file.path).is_none_or(|found| found.content != file.content)) {
        context
            .ui
            .warn("the running Prometheus has other rule files than the settings ask for; `moko-mon up` brings them");
    }
    Ok(loaded)
}
