//! Dashboard files as people share them, made ready for `POST /api/dashboards/db`.
//!
//! An export "for sharing" refers to its data source as `${DS_NAME}` and declares it under `__inputs`; the import
//! dialog asks for the value. The API that we use does not, so we fill in ours.

use std::collections::HashSet;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::Dashboard;
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
        let wrong = |fact: String| {
            Error::new(Code::ConfigInvalid, format!("`{origin}` is no dashboard that can be imported")).cause(fact)
        };
        let mut json = unwrap(json);
        if json["apiVersion"].is_string() || json["elements"].is_object() {
            return Err(wrong("it is in Grafana's newer resource format".into())
                .hint("export it in the classic format: Export > Export as code > Classic"));
        }
        if !json.is_object() {
            return Err(wrong("it is not a JSON object".into()));
        }
        resolve_inputs(&mut json, data_source_uid).map_err(|error| wrong(error.message))?;
        let title = json["title"].as_str().map(str::trim).filter(|title| !title.is_empty());
        let title = title.ok_or_else(|| wrong("it has no `title`".into()))?.to_owned();
        let uid = match json["uid"].as_str() {
            Some(uid) if is_uid(uid) => uid.to_owned(),
            None | Some("") => uid_from_name(origin),
            Some(uid) => {
                return Err(wrong(format!("its `uid` is `{uid}`"))
                    .hint(format!("Grafana takes at most {MAX_UID} letters, digits, `-` and `_`")));
            }
        };
        json["title"] = title.as_str().into();
        json["uid"] = uid.as_str().into();
        json["id"] = Value::Null;
        Ok(Self { uid, title, json, origin: origin.into() })
    }
}

/// What `GET /api/dashboards/uid/:uid` gives is wrapped; people save that, too.
fn unwrap(mut json: Value) -> Value {
    if json["dashboard"].is_object() && json.get("panels").is_none() { json["dashboard"].take() } else { json }
}

/// Fills in `${DS_…}` with our data source and `${VAR_…}` with its declared value, and drops what only the import
/// dialog reads. References that are no `${…}` stay as they are.
///
/// An undeclared `${DS_…}` is ours as well, unless the dashboard has a variable of that name. A data source of
/// another kind than Prometheus cannot be resolved: an error whose message says which.
pub fn resolve_inputs(json: &mut Value, data_source_uid: &str) -> Result<()> {
    let mut known: Vec<(String, String)> = Vec::new();
    for input in json["__inputs"].as_array().into_iter().flatten() {
        let text = |key: &str| input[key].as_str().unwrap_or_default();
        let value = match (text("type"), text("pluginId")) {
            ("datasource", "prometheus" | "") => data_source_uid,
            // Grafana's own server-side expressions, always there under this uid.
            ("datasource", "__expr__") => "__expr__",
            ("datasource", plugin) => {
                let fact = format!("its input `{}` wants a data source of type `{plugin}`", text("name"));
                return Err(Error::new(Code::ConfigInvalid, fact));
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
        assert_eq!(fact(json!([])), "it is not a JSON object");
        assert_eq!(fact(json!({ "title": " " })), "it has no `title`");
        assert_eq!(fact(json!({ "title": "T", "uid": "a b" })), "its `uid` is `a b`");
        assert_eq!(fact(json!({ "title": "T", "uid": "x".repeat(41) })), format!("its `uid` is `{}`", "x".repeat(41)));
        assert_eq!(
            fact(json!({ "apiVersion": "dashboard.grafana.app/v2", "kind": "Dashboard" })),
            "it is in Grafana's newer resource format"
        );
        let loki = json!({ "title": "T", "__inputs": [{ "name": "DS_L", "type": "datasource", "pluginId": "loki" }] });
        assert_eq!(fact(loki), "its input `DS_L` wants a data source of type `loki`");
    }
}
