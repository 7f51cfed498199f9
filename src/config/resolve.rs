//! Puts the layers together: defaults < file < environment < flags, each value with its origin.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::build::Builder;
use super::decode::Decoder;
use super::problem::{Place, Problem, Problems};
use super::schema::{Kind, Leaf, PREFIX, SETTINGS, leaves};
use super::shape::Settings;
use super::{Config, files, names};
use crate::error::{Code, Error, Result};
use crate::yaml::{self, Limits};

/// The file that is looked for when none is named.
pub const FILE_NAME: &str = "moko-mon.yaml";

/// The environment variable that names the file.
pub const FILE_VARIABLE: &str = "MOKO_MON_CONFIG";

/// Variables with our prefix that are no settings.
const OTHER_VARIABLES: [&str; 2] = [FILE_VARIABLE, "MOKO_MON_OUTPUT"];

/// The limits of `moko-mon.yaml`.
const LIMITS: Limits = Limits { bytes: 256 << 10, depth: 32 };

/// Everything that settings can come from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The working directory.
    pub directory: PathBuf,
    /// The file named by `--config`.
    pub file: Option<PathBuf>,
    /// The environment; only names that start with `MOKO_MON_` count.
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
    let typed: Settings = serde_json::from_value(assemble(&settings)).map_err(|error| {
        Error::new(Code::ConfigInvalid, "the settings do not fit together")
            .cause(error.to_string())
            .hint("this is a bug in moko-mon: please report it with the configuration that shows it")
    })?;
    let config = builder.config(typed);
    let mut problems = builder.problems;
    if problems.is_empty() {
        return Ok(Resolved { config, settings, file, warnings: builder.warnings });
    }
    problems.sort_by_key(|problem| rank(problem, &shown));
    Err(Problems(problems).into())
}

/// The project's name alone, with warnings: for commands that must work while the rest of the file is wrong.
pub fn project(sources: &Sources) -> Result<(String, Vec<String>)> {
    let hint = "name the project with `--project NAME`, or mend the configuration";
    let mut layers = Layers::read(sources);
    let readable = layers.readable;
    let settings = layers.settings(sources);
    let setting = settings.into_iter().find(|setting| setting.key == "project");
    let (value, origin) = setting.map_or((json!(""), Origin::Default), |setting| (setting.value, setting.origin));
    let stronger = matches!(origin, Origin::Environment(_) | Origin::Flag(_));
    // A file whose text is in doubt, as with a key that is there twice, must not name what is to be taken down.
    let in_file = |problem: &Problem| matches!(problem.place, Place::File { .. });
    let doubtful = |problem: &Problem| !readable && in_file(problem) && problem.key.is_empty();
    let (fatal, other): (Vec<Problem>, Vec<Problem>) = layers
        .decoder
        .problems
        .into_iter()
        .partition(|problem| (problem.key == "project" || doubtful(problem)) && !(stronger && in_file(problem)));
    if !fatal.is_empty() {
        return Err(Error::from(Problems(fatal)).hint(hint));
    }
    let warnings = match other.len() {
        0 => Vec::new(),
        count => vec![format!("the configuration has {count} other problem(s); `moko-mon config check` lists them")],
    };
    Ok((value.as_str().unwrap_or_default().to_owned(), warnings))
}

/// The settings with nothing set anywhere.
pub fn defaults() -> Result<Config> {
    // A directory that cannot be: its `moko-mon.yaml` is nobody's.
    let sources = Sources { directory: PathBuf::from("/nonexistent/moko-mon"), ..Sources::default() };
    resolve(&sources).map(|resolved| resolved.config)
}

/// The sources as they are read, before they are put together.
struct Layers {
    /// The file that was read.
    file: Option<PathBuf>,
    /// What it holds, checked.
    tree: Value,
    /// Whether its text could be read to the end.
    readable: bool,
    decoder: Decoder,
}

impl Layers {
    /// Reads the file, if there is one.
    fn read(sources: &Sources) -> Self {
        let variable = sources.environment.get(FILE_VARIABLE);
        let named = sources.file.clone().or_else(|| variable.map(PathBuf::from));
        let shown = named.as_deref().unwrap_or(Path::new(FILE_NAME)).display().to_string();
        let decoder = Decoder::new(shown, SETTINGS);
        let mut layers = Self { file: None, tree: json!({}), readable: true, decoder };
        if named.as_deref().is_some_and(|named| named.as_os_str().is_empty()) {
            let place = match sources.file {
                Some(_) => Place::Flag("--config".to_owned()),
                None => Place::Environment(FILE_VARIABLE.to_owned()),
            };
            layers.unreadable(place, "the value is empty");
            return layers;
        }
        let path = sources.directory.join(named.as_deref().unwrap_or(Path::new(FILE_NAME)));
        // A dangling link called moko-mon.yaml was meant to be read; nothing at all was not.
        if named.is_none() && path.symlink_metadata().is_err() {
            return layers;
        }
        match files::read(&path, LIMITS.bytes as u64) {
            Ok(content) => layers.parse(&content),
            Err(fact) => {
                let place = Place::File { file: layers.decoder.file.clone(), position: None };
                layers.unreadable(place, &format!("the file {fact}"));
            }
        }
        layers.file = Some(path);
        layers
    }

    fn unreadable(&mut self, place: Place, found: &str) {
        let expected = format!("a configuration file of at most {} KiB", LIMITS.bytes / 1024);
        self.decoder.problems.push(Problem { place, key: String::new(), found: found.to_owned(), expected });
        self.readable = false;
    }

    fn parse(&mut self, content: &[u8]) {
        let mut parsed = yaml::parse(content, LIMITS);
        if content.trim_ascii().is_empty() {
            // Nothing at all is what a crash while writing leaves behind; it must not pass for "all defaults".
            for fault in &mut parsed.faults {
                "empty config: the file has no content".clone_into(&mut fault.found);
                "settings, or at least a comment".clone_into(&mut fault.expected);
            }
        }
        self.readable = parsed.complete && parsed.faults.is_empty();
        self.decoder.faults(parsed.faults);
        if let Some(root) = parsed.root {
            self.tree = self.decoder.document(&root);
        }
    }

    /// Every setting with the value of its strongest source.
    fn settings(&mut self, sources: &Sources) -> Vec<Setting> {
        let leaves = leaves(SETTINGS);
        let mut overlay = Overlay { problems: Vec::new(), values: HashMap::new() };
        overlay.environment(&leaves, &sources.environment);
        overlay.flags(&leaves, &sources.flags);
        self.decoder.problems.append(&mut overlay.problems);
        let mut settings = Vec::new();
        for leaf in leaves {
            let (value, origin) = match overlay.values.remove(&leaf.path) {
                Some((value, place)) => {
                    let origin = origin(&place);
                    self.decoder.places.insert(leaf.path.clone(), place);
                    (value, origin)
                }
                None => match at(&self.tree, &leaf.path) {
                    Some(value) => (value.clone(), self.decoder.places.get(&leaf.path).map_or(Origin::Default, origin)),
                    None => (default(&leaf), Origin::Default),
                },
            };
            settings.push(Setting { key: leaf.path, value, origin });
        }
        settings
    }
}

/// Values from the environment and from flags.
struct Overlay {
    problems: Vec<Problem>,
    values: HashMap<String, (Value, Place)>,
}

impl Overlay {
    fn environment(&mut self, leaves: &[Leaf], environment: &BTreeMap<String, String>) {
        let known: Vec<(String, &Leaf)> = leaves.iter().map(|leaf| (leaf.variable(), leaf)).collect();
        for (name, text) in environment.iter().filter(|(name, _)| name.starts_with(PREFIX)) {
            let place = Place::Environment(name.clone());
            if let Some((_, leaf)) = known.iter().find(|(variable, _)| variable == name) {
                self.set(leaf, text, place);
            } else if !OTHER_VARIABLES.contains(&name.as_str()) {
                let names = known.iter().map(|(variable, _)| variable.as_str()).chain(OTHER_VARIABLES);
                let found = format!("no setting has this name{}", similar(name, names));
                self.problem(place, "", found, "`MOKO_MON_` and a key in capitals, with `_` for each dot");
            }
        }
    }

    fn flags(&mut self, leaves: &[Leaf], flags: &[(String, String, String)]) {
        for (typed, key, text) in flags {
            // What stands behind `=` may be a secret that somebody took for a setting.
            let shown = typed.split('=').next().unwrap_or_default();
            let place = Place::Flag(shown.to_owned());
            if let Some(leaf) = leaves.iter().find(|leaf| leaf.path == *key) {
                self.set(leaf, text, place);
            } else {
                let hint = names::did_you_mean(key, leaves.iter().map(|leaf| leaf.path.as_str()));
                let found = format!("unknown key {}{hint}", names::quote(key));
                self.problem(place, "", found, "a key from `moko-mon config schema`");
            }
        }
    }

    /// A stronger source replaces a weaker one; a list has no form that fits one text.
    fn set(&mut self, leaf: &Leaf, text: &str, place: Place) {
        let Some(scalar) = leaf.scalar() else {
            let kind = if matches!(leaf.field.kind, Kind::Labels) { "mapping" } else { "list" };
            let expected = format!("it in {FILE_NAME}");
            self.problem(place, &leaf.path, format!("a {kind} cannot be set here"), &expected);
            return;
        };
        match scalar.check(text, true) {
            Ok(value) => {
                self.values.insert(leaf.path.clone(), (value, place));
            }
            Err(complaint) => self.problem(place, &leaf.path, complaint.found, &complaint.expected),
        }
    }

    fn problem(&mut self, place: Place, key: &str, found: String, expected: &str) {
        self.problems.push(Problem { place, key: key.to_owned(), found, expected: expected.to_owned() });
    }
}

/// A variable that was meant, judged without the prefix that all of them share.
fn similar<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> String {
    let bare = |name: &'a str| name.strip_prefix(PREFIX).unwrap_or(name);
    let hint = names::did_you_mean(name.strip_prefix(PREFIX).unwrap_or(name), names.map(bare));
    hint.replacen('`', &format!("`{PREFIX}"), 1)
}

/// The value at a dotted key.
fn at<'a>(tree: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(tree, |value, key| value.get(key))
}

/// The value that a setting has when nobody sets it.
pub(crate) fn default(leaf: &Leaf) -> Value {
    match (leaf.scalar(), leaf.field.default) {
        (_, None) => Value::Null,
        (Some(scalar), Some(text)) => scalar.check(text, true).unwrap_or(Value::Null),
        (None, Some(_)) if matches!(leaf.field.kind, Kind::List(_)) => json!([]),
        (None, Some(_)) => json!({}),
    }
}

/// The settings as one tree.
fn assemble(settings: &[Setting]) -> Value {
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
fn base(sources: &Sources, file: Option<&Path>, shown: &str) -> (PathBuf, String) {
    let base = file.and_then(Path::parent).map_or_else(|| sources.directory.clone(), Path::to_path_buf);
    let shown = shown.rfind('/').and_then(|slash| shown.get(..=slash)).unwrap_or_default();
    (base, shown.to_owned())
}

fn origin(place: &Place) -> Origin {
    match place {
        Place::File { file, position } => {
            Origin::File { file: file.clone(), line: position.map_or(1, |(line, _)| line) }
        }
        Place::Environment(name) => Origin::Environment(name.clone()),
        Place::Flag(flag) => Origin::Flag(flag.clone()),
    }
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
