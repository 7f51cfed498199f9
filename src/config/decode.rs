//! From a YAML tree to checked values, guided by the table of settings.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::names;
use super::problem::{Place, Problem};
use super::scalar::Complaint;
use super::schema::{Field, Kind, Leaf, join, leaves};
use crate::yaml::{Entry, Fault, Node, Value as Yaml};

/// Decodes one file; problems and places add up.
#[derive(Debug)]
pub(crate) struct Decoder {
    /// What may stand in the file.
    table: &'static [Field],
    /// The file as the user would name it.
    pub(crate) file: String,
    /// Everything wrong so far.
    pub(crate) problems: Vec<Problem>,
    /// Where each value stands, by its key.
    pub(crate) places: BTreeMap<String, Place>,
    /// The keys that are in no table, each with its place and without what is in front of its last dot.
    pub(crate) strangers: Vec<(Place, String)>,
}

impl Decoder {
    /// A decoder for `file`, in which `table` may stand.
    pub(crate) fn new(file: impl Into<String>, table: &'static [Field]) -> Self {
        Self { table, file: file.into(), problems: Vec::new(), places: BTreeMap::new(), strangers: Vec::new() }
    }

    /// The whole file; what is wrong is left out.
    pub(crate) fn document(&mut self, root: &Node) -> Value {
        self.group(self.table, "", root)
    }

    /// Takes over what is wrong with the text itself.
    pub(crate) fn faults(&mut self, faults: Vec<Fault>) {
        for Fault { position, mut found, expected, line } in faults {
            if let Some(line) = line.map(|line| line.trim().to_owned())
                && !line.is_empty()
                && !names::may_hold_secret(&line)
            {
                found = format!("{found}, in {}", names::quote(&line));
            }
            let place = Place::File { file: self.file.clone(), position };
            self.problems.push(Problem { place, key: String::new(), found, expected });
        }
    }

    /// The mapping of `fields` at `path`; what is wrong is left out.
    fn group(&mut self, fields: &[Field], path: &str, node: &Node) -> Value {
        let required = || fields.iter().filter(|field| field.required);
        let entries = match &node.value {
            Yaml::Mapping(entries) => entries.as_slice(),
            // A heading whose keys are all commented out.
            Yaml::Scalar { text, plain: true } if is_null(text) && required().next().is_none() => &[],
            Yaml::Scalar { .. } | Yaml::Sequence(_) => {
                self.wrong_shape(path, node, "a mapping (`key: value` lines)");
                return json!({});
            }
        };
        let mut out = Map::new();
        for entry in entries {
            let key = join(path, &entry.key);
            let Some(field) = fields.iter().find(|field| field.key == entry.key) else {
                self.unknown(fields, path, entry);
                continue;
            };
            let (line, column) = match field.kind {
                Kind::Scalar(_) => (entry.value.line, entry.value.column),
                Kind::Group(_) | Kind::List(_) | Kind::Labels | Kind::Map(_) | Kind::Foreign(_) => {
                    (entry.line, entry.column)
                }
            };
            self.places.insert(key.clone(), self.place(line, column));
            if let Some(value) = self.value(&field.kind, &key, &entry.value) {
                out.insert(entry.key.clone(), value);
            }
        }
        for field in required() {
            if !entries.iter().any(|entry| entry.key == field.key) {
                let expected = match &field.kind {
                    Kind::Scalar(scalar) => scalar.expected(),
                    Kind::Group(_) | Kind::List(_) | Kind::Labels | Kind::Map(_) | Kind::Foreign(_) => {
                        "a list".to_owned()
                    }
                };
                self.complain(&join(path, field.key), node, Complaint::new("the key is missing", expected));
            }
        }
        Value::Object(out)
    }

    /// A value of any kind; `None` when it is wrong.
    fn value(&mut self, kind: &Kind, path: &str, node: &Node) -> Option<Value> {
        match kind {
            Kind::Group(fields) => Some(self.group(fields, path, node)),
            Kind::Labels => Some(self.labels(path, node)),
            Kind::Map(item) => Some(self.map(item, path, node)),
            Kind::Foreign(notation) => Some(self.foreign(*notation, path, node)),
            Kind::List(item) => match &node.value {
                Yaml::Sequence(items) => Some(self.items(item, path, items)),
                Yaml::Scalar { text, plain: true } if is_null(text) => Some(json!([])),
                Yaml::Scalar { .. } | Yaml::Mapping(_) => {
                    self.wrong_shape(path, node, "a list (lines that start with `- `)");
                    None
                }
            },
            Kind::Scalar(scalar) => match &node.value {
                Yaml::Scalar { text, plain } => match scalar.check(text, *plain) {
                    Ok(value) => Some(value),
                    Err(complaint) => {
                        self.complain(path, node, complaint);
                        None
                    }
                },
                Yaml::Sequence(_) | Yaml::Mapping(_) => {
                    self.wrong_shape(path, node, &scalar.expected());
                    None
                }
            },
        }
    }

    /// The items of a list; one that is wrong leaves null behind, so that the others keep their number.
    fn items(&mut self, kind: &Kind, path: &str, items: &[Node]) -> Value {
        let mut out = Vec::new();
        for (index, node) in items.iter().enumerate() {
            let path = format!("{path}[{index}]");
            self.places.insert(path.clone(), self.place(node.line, node.column));
            out.push(self.value(kind, &path, node).unwrap_or(Value::Null));
        }
        Value::Array(out)
    }

    /// A mapping of names that the user chooses.
    fn map(&mut self, kind: &Kind, path: &str, node: &Node) -> Value {
        let entries = match &node.value {
            Yaml::Mapping(entries) => entries.as_slice(),
            Yaml::Scalar { text, plain: true } if is_null(text) => &[],
            Yaml::Scalar { .. } | Yaml::Sequence(_) => {
                self.wrong_shape(path, node, "a mapping (`key: value` lines)");
                &[]
            }
        };
        let mut out = Map::new();
        for entry in entries {
            let key = join(path, &entry.key);
            self.places.insert(key.clone(), self.place(entry.line, entry.column));
            out.extend(self.value(kind, &key, &entry.value).map(|value| (entry.key.clone(), value)));
        }
        Value::Object(out)
    }

    /// A mapping of label names to label values.
    fn labels(&mut self, path: &str, node: &Node) -> Value {
        let entries = match &node.value {
            Yaml::Mapping(entries) => entries.as_slice(),
            Yaml::Scalar { text, plain: true } if is_null(text) => &[],
            Yaml::Scalar { .. } | Yaml::Sequence(_) => {
                self.wrong_shape(path, node, "a mapping of label names to values");
                &[]
            }
        };
        let mut out = Map::new();
        for Entry { key, line, column, value } in entries {
            let place = self.place(*line, *column);
            if !names::is_label(key) {
                let expected = "letters, digits and `_`, not starting with a digit";
                self.push(place, path, format!("{} is not a label name", names::quote(key)), expected);
            } else if key.starts_with("__") {
                let expected = "a name that does not start with `__`, which is reserved";
                self.push(place, path, format!("{} is not a label name", names::quote(key)), expected);
            }
            match &value.value {
                Yaml::Scalar { text, plain } if !(*plain && is_null(text)) => {
                    out.insert(key.clone(), json!(text));
                }
                Yaml::Scalar { .. } => {
                    self.complain(&join(path, key), value, Complaint::new("the value is empty", "a text"));
                }
                Yaml::Sequence(_) | Yaml::Mapping(_) => self.wrong_shape(&join(path, key), value, "a text"),
            }
        }
        Value::Object(out)
    }

    /// A key that is not in the table.
    fn unknown(&mut self, fields: &[Field], path: &str, entry: &Entry) {
        let place = self.place(entry.line, entry.column);
        self.strangers.push((place.clone(), entry.key.clone()));
        let file = format!("{}_file", entry.key);
        if names::is_secret(&entry.key) || fields.iter().any(|field| field.key == file) {
            let env = format!("{}_env", entry.key);
            if fields.iter().any(|field| field.key == env) {
                let found = format!("{} would put a secret into this file", names::quote(&entry.key));
                let expected = format!(
                    "`{file}` with the path of a file that holds it, or `{env}` with the name of an environment variable"
                );
                self.push(place, &join(path, &entry.key), found, expected);
            } else {
                self.refuse_secret(place, &join(path, &entry.key), &entry.key);
            }
            return;
        }
        let mut hint = names::did_you_mean(&entry.key, fields.iter().map(|field| field.key));
        if hint.is_empty() {
            hint = elsewhere(self.table, path, &entry.key);
        }
        let expected = match fields {
            [] => "nothing here".to_owned(),
            [one] => format!("`{}`", one.key),
            many => format!("one of {}", names::list(many.iter().map(|field| field.key))),
        };
        self.push(place, path, format!("unknown key {}{hint}", names::quote(&entry.key)), expected);
    }

    /// A secret that stands in the file itself; its value is not repeated.
    pub(crate) fn refuse_secret(&mut self, place: Place, path: &str, key: &str) {
        let found = format!("{} would put a secret into this file", names::quote(key));
        let instead = match key {
            "password" | "bearer_token" | "credentials" | "client_secret" | "key" => format!("{key}_file"),
            "user_key" | "token" | "routing_key" | "service_key" | "api_key" | "api_secret" | "auth_password"
            | "auth_secret" | "bot_token" | "webhook_url" | "api_url" | "app_token"
                if path.contains("_configs") =>
            {
                format!("{key}_file")
            }
            "token" => "bearer_token_file".to_owned(),
            "secrets" => "files".to_owned(),
            _ => String::new(),
        };
        let instead = if instead.is_empty() {
            "no secret here, only the name of a file that holds it".to_owned()
        } else {
            format!("`{instead}` with the path of a file that holds it")
        };
        self.push(place, path, found, instead);
    }

    /// A value of the wrong shape; shows it only where it cannot be a secret.
    pub(crate) fn wrong_shape(&mut self, path: &str, node: &Node, expected: &str) {
        let secret = path.contains("auth") || path.rsplit('.').next().is_some_and(names::is_secret);
        let found = match &node.value {
            Yaml::Scalar { text, plain: true } if is_null(text) => "the value is empty".to_owned(),
            Yaml::Scalar { .. } if secret => "the value is a text".to_owned(),
            Yaml::Scalar { text, .. } if text.contains("://") => format!("{} is a single value", names::veiled(text)),
            Yaml::Scalar { text, .. } => {
                let hint = if text.contains(':') { " (a `:` needs a blank behind it)" } else { "" };
                format!("{} is a single value{hint}", names::quote(text))
            }
            Yaml::Sequence(_) => "the value is a list".to_owned(),
            Yaml::Mapping(_) => "the value is a mapping".to_owned(),
        };
        self.complain(path, node, Complaint::new(found, expected));
    }

    /// Reports what is wrong with the value at `node`.
    pub(crate) fn complain(&mut self, path: &str, node: &Node, complaint: Complaint) {
        let place = self.place(node.line, node.column);
        self.push(place, path, complaint.found, complaint.expected);
    }

    fn push(&mut self, place: Place, key: &str, found: String, expected: impl Into<String>) {
        self.problems.push(Problem { place, key: key.to_owned(), found, expected: expected.into() });
    }

    /// A place in this file.
    pub(crate) fn place(&self, line: usize, column: usize) -> Place {
        Place::File { file: self.file.clone(), position: Some((line, column)) }
    }
}

/// Whether unquoted text stands for no value at all.
pub(crate) fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null")
}

/// Where a key that is unknown here would belong: to one setting of that name, or one level deeper.
fn elsewhere(table: &'static [Field], path: &str, key: &str) -> String {
    let flat = |path: &str| path.replace('.', "_");
    let full = flat(&join(path, key));
    let fits = |leaf: &Leaf| leaf.field.key == key || flat(&leaf.path) == full;
    match leaves(table).into_iter().filter(fits).collect::<Vec<_>>().as_slice() {
        [leaf] => format!(" (did you mean `{}`?)", leaf.path),
        _ => String::new(),
    }
}
