//! Dashboard files as people share them, made ready for `POST /api/dashboards/db`.
//!
//! An export "for sharing" refers to its data source as `${DS_NAME}` and declares it under `__inputs`; the import
//! dialog asks for the value. The API that we use does not, so we fill in ours.

use std::collections::HashSet;
use std::fmt;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::Dashboard;
use crate::config::quote;
use crate::error::{Code, Error, Result};

/// Grafana's limit for uids (`services/dashboards/errors.go`).
const MAX_UID: usize = 40;
/// What only the import dialog reads.
const DIALOG_ONLY: [&str; 3] = ["__inputs", "__requires", "__elements"];

impl Dashboard {
    /// A dashboard from a user's file: unwrapped, inputs resolved, `id` nulled, with a uid in any case.
    ///
    /// `origin` is the file's path; its name gives the uid where the file has none, so that the next import replaces
    /// this one.
    pub fn from_file(origin: &str, json: Value, data_source_uid: &str) -> Result<Self> {
        Self::check(origin, json, data_source_uid).map_err(|unfit| {
            let message = format!("`{origin}` is no dashboard that can be imported");
            Error {
                causes: unfit.iter().map(ToString::to_string).collect(),
                ..Error::new(Code::ConfigInvalid, message)
            }
            .hint("mend the file, or export it from Grafana anew; nothing was changed")
        })
    }

    /// As [`Self::from_file`], with everything wrong apart, for who knows the place of each key.
    pub(crate) fn check(origin: &str, json: Value, data_source_uid: &str) -> Result<Self, Vec<Unfit>> {
        let mut json = unwrap(json);
        if json["apiVersion"].is_string() || json["elements"].is_object() {
            let key = if json["apiVersion"].is_string() { "apiVersion" } else { "elements" };
            let expected = "the classic format: Export > Export as code > Classic";
            return Err(vec![Unfit::new(key, "the dashboard is in Grafana's newer resource format", expected)]);
        }
        if !json.is_object() {
            return Err(vec![Unfit::new("", "not a JSON object", "a dashboard as Grafana exports it")]);
        }
        let mut unfit = Vec::new();
        unfit.extend(resolve_inputs(&mut json, data_source_uid).err());
        let title = title(&json).map_err(|wrong| unfit.push(wrong)).unwrap_or_default();
        let uid = match &json["uid"] {
            Value::Null => uid_from_name(origin),
            Value::String(uid) if uid.is_empty() => uid_from_name(origin),
            Value::String(uid) if is_uid(uid) => uid.clone(),
            other => {
                let found = other.as_str().map_or_else(|| other.to_string(), str::to_owned);
                let expected = format!("at most {MAX_UID} letters, digits, `-` and `_`");
                unfit.push(Unfit::new("uid", format!("{} is not a uid", quote(&found)), expected));
                String::new()
            }
        };
        if !unfit.is_empty() {
            return Err(unfit);
        }
        json["title"] = title.as_str().into();
        json["uid"] = uid.as_str().into();
        json["id"] = Value::Null;
        Ok(Self { uid, title, json, origin: origin.into() })
    }
}

/// Why a file is no dashboard that can be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// The key of the dashboard that is wrong or missing; empty where the whole file is meant.
    pub key: &'static str,
    /// What is wrong.
    pub found: String,
    /// What would have been right.
    pub expected: String,
}

impl Unfit {
    fn new(key: &'static str, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { key, found: found.into(), expected: expected.into() }
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "{}; expected {}", self.found, self.expected)
    }
}

/// Whether it is an answer of `GET /api/dashboards/uid/:uid`, which has the dashboard in it; people save that, too.
pub(crate) fn is_wrapped(json: &Value) -> bool {
    json["dashboard"].is_object() && json.get("panels").is_none() && json.get("title").is_none()
}

fn unwrap(mut json: Value) -> Value {
    if is_wrapped(&json) { json["dashboard"].take() } else { json }
}

fn title(json: &Value) -> Result<String, Unfit> {
    let found = match json.get("title") {
        None => "the key is missing".to_owned(),
        Some(Value::String(title)) if title.trim().is_empty() => "the title is empty".to_owned(),
        Some(Value::String(title)) => return Ok(title.trim().to_owned()),
        Some(other) => format!("{} is not a text", quote(&other.to_string())),
    };
    Err(Unfit::new("title", found, "the title of the dashboard"))
}

/// Fills in `${DS_…}` with our data source and `${VAR_…}` with its declared value, and drops what only the import
/// dialog reads. References that are no `${…}` stay as they are.
///
/// An undeclared `${DS_…}` is ours as well, unless the dashboard has a variable of that name. A data source of
/// another kind than Prometheus cannot be resolved.
pub fn resolve_inputs(json: &mut Value, data_source_uid: &str) -> Result<(), Unfit> {
    let mut known: Vec<(String, String)> = Vec::new();
    for input in json["__inputs"].as_array().into_iter().flatten() {
        let text = |key: &str| input[key].as_str().unwrap_or_default();
        let value = match (text("type"), text("pluginId")) {
            ("datasource", "prometheus" | "") => data_source_uid,
            // Grafana's own server-side expressions, always there under this uid.
            ("datasource", "__expr__") => "__expr__",
            ("datasource", plugin) => {
                let (name, plugin) = (quote(text("name")), quote(plugin));
                let found = format!("the input {name} wants a data source of type {plugin}");
                let expected = "only inputs of type `prometheus`, which is the stack's only data source";
                return Err(Unfit::new("__inputs", found, expected));
            }
            _ => text("value"),
        };
        known.push((format!("${{{}}}", text("name")), value.to_owned()));
    }
    let variables: HashSet<String> = variables(json).map(|name| format!("${{{name}}}")).collect();
    if let Some(object) = json.as_object_mut() {
        object.retain(|key, _| !DIALOG_ONLY.contains(&key.as_str()));
        object.values_mut().for_each(|value| fill(value, &known, &variables, data_source_uid));
    }
    Ok(())
}

fn variables(json: &Value) -> impl Iterator<Item = &str> {
    json["templating"]["list"].as_array().into_iter().flatten().filter_map(|variable| variable["name"].as_str())
}

fn fill(value: &mut Value, known: &[(String, String)], variables: &HashSet<String>, data_source_uid: &str) {
    match value {
        Value::String(text) if text.contains("${") => {
            for (reference, value) in known {
                *text = text.replace(reference, value);
            }
            // Undeclared: only where the reference is the whole string can it be nothing else.
            let name = text.strip_prefix("${DS_").and_then(|rest| rest.strip_suffix('}'));
            if name.is_some_and(is_uid) && !variables.contains(text) {
                data_source_uid.clone_into(text);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| fill(item, known, variables, data_source_uid)),
        Value::Object(object) => fill_all(object, known, variables, data_source_uid),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn fill_all(object: &mut Map<String, Value>, known: &[(String, String)], variables: &HashSet<String>, uid: &str) {
    object.values_mut().for_each(|value| fill(value, known, variables, uid));
}

fn is_uid(uid: &str) -> bool {
    !uid.is_empty()
        && uid.len() <= MAX_UID
        && uid.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// A uid made of the file's name: its letters and digits to read, a hash to be unique.
fn uid_from_name(origin: &str) -> String {
    let name = origin.rsplit(['/', '\\']).next().unwrap_or(origin);
    let stem = name.strip_suffix(".json").unwrap_or(name).to_ascii_lowercase();
    let words: Vec<_> = stem.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let mut hash = format!("{:x}", Sha256::digest(name));
    hash.truncate(8);
    let mut slug = words.join("-");
    slug.truncate(MAX_UID - hash.len() - 1);
    format!("{slug}-{hash}").trim_start_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn import(json: Value) -> Result<Dashboard> {
        Dashboard::from_file("dash/Node Exporter (full).json", json, "prom")
    }

    fn fact(json: Value) -> String {
        import(json).unwrap_err().causes.join("; ")
    }

    #[test]
    fn inputs_become_our_data_source_and_their_constants() {
        let dashboard = import(json!({
            "__inputs": [
                { "name": "DS_PROM", "type": "datasource", "pluginId": "prometheus" },
                { "name": "DS_EXPR", "type": "datasource", "pluginId": "__expr__" },
                { "name": "VAR_JOB", "type": "constant", "value": "node" }
            ],
            "__requires": [], "__elements": {},
            "id": 7, "title": " Nodes ", "uid": "nodes",
            "panels": [
                { "datasource": "${DS_PROM}", "targets": [{ "expr": "up{job=\"${VAR_JOB}\"}" }] },
                { "datasource": { "type": "prometheus", "uid": "${DS_PROM}" } },
                { "datasource": "Old name" },
                { "datasource": { "uid": "${DS_EXPR}" } },
                { "datasource": { "uid": "${DS_UNDECLARED}" } },
                { "datasource": { "uid": "${DS_PICKED}" } },
                { "datasource": { "uid": "$datasource" }, "title": "${DS_A} and ${DS_B}" }
            ],
            "templating": { "list": [{ "name": "DS_PICKED", "type": "datasource" }] }
        }))
        .unwrap();
        assert_eq!((dashboard.uid.as_str(), dashboard.title.as_str()), ("nodes", "Nodes"));
        assert_eq!(
            dashboard.json,
            json!({
                "id": null, "title": "Nodes", "uid": "nodes",
                "panels": [
                    { "datasource": "prom", "targets": [{ "expr": "up{job=\"node\"}" }] },
                    { "datasource": { "type": "prometheus", "uid": "prom" } },
                    { "datasource": "Old name" },
                    { "datasource": { "uid": "__expr__" } },
                    { "datasource": { "uid": "prom" } },
                    { "datasource": { "uid": "${DS_PICKED}" } },
                    { "datasource": { "uid": "$datasource" }, "title": "${DS_A} and ${DS_B}" }
                ],
                "templating": { "list": [{ "name": "DS_PICKED", "type": "datasource" }] }
            })
        );
    }

    #[test]
    fn a_file_without_uid_gets_one_from_its_name() {
        let uid = import(json!({ "title": "T" })).unwrap().uid;
        assert_eq!(uid, "node-exporter-full-413d4ef8");
        assert_eq!(import(json!({ "title": "T", "uid": "" })).unwrap().uid, uid);
        let long = uid_from_name(&format!("{}.json", "x".repeat(100)));
        assert!(is_uid(&long) && long.len() == MAX_UID, "{long}");
        assert!(is_uid(&uid_from_name("ä/ö.json")));
        assert_ne!(uid_from_name("a_b.json"), uid_from_name("a-b.json"));
    }

    #[test]
    fn a_wrapped_dashboard_is_unwrapped() {
        let wrapped = json!({ "meta": {}, "dashboard": { "title": "T", "uid": "u", "panels": [] } });
        assert_eq!(import(wrapped).unwrap().uid, "u");
    }

    #[test]
    fn what_cannot_be_imported_is_refused_with_its_reason() {
        let loki = json!([{ "name": "DS_L", "type": "datasource", "pluginId": "loki" }]);
        let all = [
            json!([]),
            json!({ "title": " " }),
            json!({ "title": "T", "uid": "a b" }),
            json!({ "uid": 7 }),
            json!({ "title": "T", "uid": "x".repeat(41) }),
            json!({ "apiVersion": "dashboard.grafana.app/v2", "kind": "Dashboard" }),
            json!({ "title": "T", "elements": {} }),
            json!({ "title": "T", "__inputs": loki.clone() }),
            json!({ "meta": {}, "dashboard": { "uid": "u", "__inputs": loki } }),
        ];
        insta::assert_snapshot!(all.map(fact).join("\n"), @"
        not a JSON object; expected a dashboard as Grafana exports it
        title: the title is empty; expected the title of the dashboard
        uid: `a b` is not a uid; expected at most 40 letters, digits, `-` and `_`
        title: the key is missing; expected the title of the dashboard; uid: `7` is not a uid; expected at most 40 letters, digits, `-` and `_`
        uid: `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx` is not a uid; expected at most 40 letters, digits, `-` and `_`
        apiVersion: the dashboard is in Grafana's newer resource format; expected the classic format: Export > Export as code > Classic
        elements: the dashboard is in Grafana's newer resource format; expected the classic format: Export > Export as code > Classic
        __inputs: the input `DS_L` wants a data source of type `loki`; expected only inputs of type `prometheus`, which is the stack's only data source
        __inputs: the input `DS_L` wants a data source of type `loki`; expected only inputs of type `prometheus`, which is the stack's only data source; title: the key is missing; expected the title of the dashboard
        ");
        insta::assert_snapshot!(import(json!({})).unwrap_err(), @"
        error: `dash/Node Exporter (full).json` is no dashboard that can be imported
          caused by: title: the key is missing; expected the title of the dashboard
        hint: mend the file, or export it from Grafana anew; nothing was changed
        ");
    }
}
