//! The sources as they are read, one above the other.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::decode::Decoder;
use super::problem::{Place, Problem};
use super::resolve::{FILE_NAME, FILE_VARIABLE, Origin, Setting, Sources};
use super::schema::{Kind, Leaf, PREFIX, SETTINGS, leaves};
use super::{files, names};
use crate::yaml::{self, Limits};

/// Variables with our prefix that are no settings.
const OTHER_VARIABLES: [&str; 4] =
    [FILE_VARIABLE, "MOKO_MON_OUTPUT", crate::run::SCRIPT_VARIABLE, crate::run::RUN_VARIABLE];

/// The limits of `moko-mon.yaml`.
const LIMITS: Limits = Limits { bytes: 256 << 10, depth: 32 };

/// The sources as they are read, before they are put together.
pub(crate) struct Layers {
    /// The file that was read.
    pub(crate) file: Option<PathBuf>,
    /// What it holds, checked.
    tree: Value,
    /// What is wrong, and where each value stands.
    pub(crate) decoder: Decoder,
}

impl Layers {
    /// Reads the file, if there is one.
    pub(crate) fn read(sources: &Sources) -> Self {
        let variable = sources.environment.get(FILE_VARIABLE);
        let named = sources.file.clone().or_else(|| variable.map(PathBuf::from));
        let shown = named.as_deref().unwrap_or(Path::new(FILE_NAME)).display().to_string();
        let decoder = Decoder::new(shown, SETTINGS);
        let mut layers = Self { file: None, tree: json!({}), decoder };
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
        self.decoder.faults(parsed.faults);
        if let Some(root) = parsed.root {
            self.tree = self.decoder.document(&root);
        }
    }

    /// Every setting with the value of its strongest source.
    pub(crate) fn settings(&mut self, sources: &Sources) -> Vec<Setting> {
        self.settings_of(sources, |_| true)
    }

    /// The same of the settings with certain keys; every source is read as a whole, whatever they are.
    pub(crate) fn settings_of(&mut self, sources: &Sources, wanted: impl Fn(&str) -> bool) -> Vec<Setting> {
        let leaves = leaves(SETTINGS);
        let mut overlay = Overlay { problems: Vec::new(), strangers: Vec::new(), values: HashMap::new() };
        overlay.environment(&leaves, &sources.environment);
        overlay.flags(&leaves, &sources.flags);
        self.decoder.problems.append(&mut overlay.problems);
        self.decoder.strangers.append(&mut overlay.strangers);
        let mut settings = Vec::new();
        for leaf in leaves.into_iter().filter(|leaf| wanted(&leaf.path)) {
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
    strangers: Vec<(Place, String)>,
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
                self.strangers.push((place.clone(), name.trim_start_matches(PREFIX).to_owned()));
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
                self.strangers.push((place.clone(), key.rsplit('.').next().unwrap_or_default().to_owned()));
                self.problem(place, "", found, "a key from `moko-mon config schema`");
            }
        }
    }

    /// A stronger source replaces a weaker one; a list has no form that fits one text.
    fn set(&mut self, leaf: &Leaf, text: &str, place: Place) {
        let Some(scalar) = leaf.scalar() else {
            let kind = if matches!(leaf.field.kind, Kind::List(_)) { "list" } else { "mapping" };
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
fn default(leaf: &Leaf) -> Value {
    match (leaf.scalar(), leaf.field.default) {
        (_, None) => Value::Null,
        (Some(scalar), Some(text)) => scalar.check(text, true).unwrap_or(Value::Null),
        (None, Some(_)) if matches!(leaf.field.kind, Kind::List(_)) => json!([]),
        (None, Some(_)) => json!({}),
    }
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
