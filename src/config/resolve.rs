//! Puts the layers together: defaults < file < environment < flags, each value with its origin.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::Config;
use super::build::Builder;
use super::decode::Decoder;
use super::layers::Layers;
use super::names;
use super::problem::{Place, Problem, Problems};
use super::shape::Settings;
use crate::error::{Code, Error, Result};

/// The file that is looked for when none is named.
pub const FILE_NAME: &str = "moko-mon.yaml";

/// The environment variable that names the file.
pub const FILE_VARIABLE: &str = "MOKO_MON_CONFIG";

/// Everything that settings can come from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The working directory.
    pub directory: PathBuf,
    /// The file named by `--config`.
    pub file: Option<PathBuf>,
    /// The environment; what starts with `MOKO_MON_` is a setting, and settings may name others.
    pub environment: BTreeMap<String, String>,
    /// Flags in their order: the flag as it was typed, the key of the setting, its value. The last one wins.
    pub flags: Vec<(String, String, String)>,
}

/// A valid configuration and how it came about.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The settings.
    pub config: Config,
    /// Every setting with its value and origin, in the order of the table.
    pub settings: Vec<Setting>,
    /// The file that was read, if there is one.
    pub file: Option<PathBuf>,
    /// What is odd but allowed.
    pub warnings: Vec<String>,
}

/// One setting as `config show` lists it.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The key, such as `prometheus.retention.time`.
    pub key: String,
    /// The value as it would stand in the file; null where nothing is set and nothing is the default.
    pub value: Value,
    /// Where it came from.
    pub origin: Origin,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// The file.
    File {
        /// The file as the user would name it.
        file: String,
        /// The line of the value.
        line: usize,
    },
    /// An environment variable of that name.
    Environment(String),
    /// A flag, without its value.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.pad("default"),
            Self::File { file, line } => f.pad(&format!("{file}:{line}")),
            Self::Environment(name) => f.pad(name),
            Self::Flag(flag) => f.pad(flag),
        }
    }
}

/// Reads and checks everything; every problem of every source is in the error.
pub fn resolve(sources: &Sources) -> Result<Resolved> {
    let mut layers = Layers::read(sources);
    let settings = layers.settings(sources);
    let Layers { file, decoder, .. } = layers;
    let shown = decoder.file;
    let (base, shown_base) = base(sources, file.as_deref(), &shown);
    let mut builder = Builder::new(base, shown_base, decoder.places, decoder.problems);
    builder.environment.clone_from(&sources.environment);
    let typed: Settings = serde_json::from_value(assemble(&settings)).map_err(|error| {
        Error::new(Code::ConfigInvalid, "the settings do not fit together")
            .cause(error.to_string())
            .hint("this is a bug in moko-mon: please report it with the configuration that shows it")
    })?;
    let config = builder.config(typed);
    let mut problems = builder.problems;
    if problems.is_empty() {
        builder.warnings.extend(crate::alerting::doubts(&config)?);
        return Ok(Resolved { config, settings, file, warnings: builder.warnings });
    }
    problems.sort_by_key(|problem| rank(problem, &shown));
    Err(Problems(problems).into())
}

/// The project's name alone, with warnings: for commands that must work while the rest of the file is wrong.
pub fn project(sources: &Sources) -> Result<(String, Vec<String>)> {
    let hint = "name the project with `--project NAME`, or mend the configuration";
    let mut layers = Layers::read(sources);
    let settings = layers.settings(sources);
    let setting = settings.into_iter().find(|setting| setting.key == "project");
    let (value, origin) = setting.map_or((json!(""), Origin::Default), |setting| (setting.value, setting.origin));
    // A source that was meant to name it, misspelt or not read, must not lead to what bears the default name.
    let named = match origin {
        Origin::Default => Strength::Default,
        Origin::File { .. } => Strength::File,
        Origin::Environment(_) => Strength::Environment,
        Origin::Flag(_) => Strength::Flag,
    };
    let Decoder { problems, strangers, .. } = layers.decoder;
    let (fatal, other): (Vec<Problem>, Vec<Problem>) =
        problems.into_iter().partition(|problem| doubt(problem, &strangers).is_some_and(|strength| named <= strength));
    if !fatal.is_empty() {
        return Err(Error::from(Problems(fatal)).hint(hint));
    }
    let warnings = match other.len() {
        0 => Vec::new(),
        1 => vec!["the configuration has another problem; `moko-mon config check` shows it".to_owned()],
        count => vec![format!("the configuration has {count} other problems; `moko-mon config check` lists them")],
    };
    Ok((value.as_str().unwrap_or_default().to_owned(), warnings))
}

/// How strong the source is that names the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    Default,
    File,
    Environment,
    Flag,
}

/// How strong a name a problem may have hidden; only what is stronger still names the project beyond doubt.
fn doubt(problem: &Problem, strangers: &[(Place, String)]) -> Option<Strength> {
    let strength = match problem.place {
        Place::File { .. } => Strength::File,
        Place::Environment(_) => Strength::Environment,
        Place::Flag(_) => Strength::Flag,
    };
    if problem.key == "project" {
        return Some(strength);
    }
    let Some((_, key)) = strangers.iter().find(|(place, _)| *place == problem.place) else {
        // A whole file is in doubt: it cannot be read, a key is there twice, or it is no mapping.
        return problem.key.is_empty().then_some(Strength::File);
    };
    let may_name = names::may_mean(key, "project");
    match problem.place {
        // `MOKO_MON_PROJECT` beside a variable that looks like it is the one that was meant.
        Place::Environment(_) => (may_name || names::may_mean(key, "config")).then_some(Strength::File),
        Place::Flag(_) => may_name.then_some(Strength::Environment),
        Place::File { .. } => may_name.then_some(strength),
    }
}

/// The settings with nothing set anywhere.
pub fn defaults() -> Result<Config> {
    // A directory that cannot be: its `moko-mon.yaml` is nobody's.
    let sources = Sources { directory: PathBuf::from("/nonexistent/moko-mon"), ..Sources::default() };
    resolve(&sources).map(|resolved| resolved.config)
}

/// The settings as one tree.
pub(super) fn assemble(settings: &[Setting]) -> Value {
    let mut root = Map::new();
    for Setting { key, value, .. } in settings {
        let mut parts: Vec<&str> = key.split('.').collect();
        let last = parts.pop().unwrap_or_default();
        let mut level = Some(&mut root);
        for part in parts {
            level = level.and_then(|level| level.entry(part).or_insert_with(|| json!({})).as_object_mut());
        }
        if let Some(level) = level {
            level.insert(last.to_owned(), value.clone());
        }
    }
    Value::Object(root)
}

/// The directory to which paths in the file are relative, and how the user would name it.
pub(super) fn base(sources: &Sources, file: Option<&Path>, shown: &str) -> (PathBuf, String) {
    let base = file.and_then(Path::parent).map_or_else(|| sources.directory.clone(), Path::to_path_buf);
    let shown = shown.rfind('/').and_then(|slash| shown.get(..=slash)).unwrap_or_default();
    (base, shown.to_owned())
}

/// The order in which problems are told: the settings file from top to bottom, the user's files, environment, flags.
fn rank(problem: &Problem, main: &str) -> (u8, String, (usize, usize)) {
    match &problem.place {
        Place::File { file, position } if file == main => (0, String::new(), position.unwrap_or_default()),
        Place::File { file, position } => (1, file.clone(), position.unwrap_or_default()),
        Place::Environment(name) => (2, name.clone(), (0, 0)),
        Place::Flag(_) => (3, String::new(), (0, 0)),
    }
}
