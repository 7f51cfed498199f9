//! Whether what Grafana holds is what we gave it.

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::http::excerpt;

/// What Grafana sets by itself when it saves a dashboard.
pub(super) const SERVER_OWNED: [&str; 2] = ["id", "version"];

/// The result of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// Everything of ours is there.
    Same,
    /// Something of ours is not: the first place, and what is there instead.
    Different(String),
}

/// Compares a dashboard of ours with what Grafana gives back.
///
/// Grafana adds keys (`id`, `version`, and on newer ones defaults), so the same means: every key and value of ours
/// is there. Lists have an order and a length that mean something; `null` and absent mean the same.
#[must_use]
pub fn same_dashboard(ours: &Value, theirs: &Value) -> Comparison {
    let mut ours = ours.clone();
    if let Some(object) = ours.as_object_mut() {
        object.retain(|key, _| !SERVER_OWNED.contains(&key.as_str()));
    }
    match difference(&ours, theirs, "") {
        None => Comparison::Same,
        Some(why) => Comparison::Different(why),
    }
}

/// The first place where something of `ours` is not in `theirs`.
pub(super) fn difference(ours: &Value, theirs: &Value, path: &str) -> Option<String> {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => ours.iter().find_map(|(key, value)| {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            difference(value, theirs.get(key).unwrap_or(&Value::Null), &path)
        }),
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            let pairs = ours.iter().zip(theirs).enumerate();
            pairs.into_iter().find_map(|(index, (ours, theirs))| difference(ours, theirs, &format!("{path}[{index}]")))
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            Some(format!("`{path}` has {} entries, not {}", theirs.len(), ours.len()))
        }
        // 1 and 1.0 are one number; a server that knows only floats may answer either.
        (Value::Number(ours), Value::Number(theirs)) if ours.as_f64() == theirs.as_f64() => None,
        _ if ours == theirs => None,
        (_, Value::Null) => Some(format!("`{path}` is not there")),
        (Value::Object(_) | Value::Array(_), _) | (_, Value::Object(_) | Value::Array(_)) => {
            Some(format!("`{path}` differs"))
        }
        _ => Some(format!("`{path}` is `{}`, not `{}`", short(theirs), short(ours))),
    }
}

fn short(value: &Value) -> String {
    excerpt(&value.as_str().map_or_else(|| value.to_string(), Into::into))
}

/// The first 16 hex digits of the SHA-256 of the canonical JSON (keys sorted, no white space): names a dashboard's
/// content in its version history.
#[must_use]
pub fn content_hash(json: &Value) -> String {
    let mut hash = format!("{:x}", Sha256::digest(sorted(json).to_string()));
    hash.truncate(16);
    hash
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let entries: BTreeMap<_, _> = object.iter().collect();
            entries.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect()
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn why(ours: &Value, theirs: &Value) -> Option<String> {
        match same_dashboard(ours, theirs) {
            Comparison::Same => None,
            Comparison::Different(why) => Some(why),
        }
    }

    #[test]
    fn what_grafana_adds_is_no_difference() {
        let ours = json!({ "id": null, "title": "T", "panels": [{ "id": 1, "w": 1.0, "links": null }] });
        let theirs =
            json!({ "title": "T", "id": 7, "version": 3, "panels": [{ "w": 1, "id": 1, "pluginVersion": "9" }] });
        assert_eq!(why(&ours, &theirs), None);
    }

    #[test]
    fn the_first_difference_is_named_with_its_place() {
        let ours = json!({ "title": "T", "panels": [{ "title": "A" }, { "title": "B", "options": { "x": [1] } }] });
        let theirs = |edit: fn(&mut Value)| {
            let mut copy = ours.clone();
            edit(&mut copy);
            why(&ours, &copy).unwrap_or_default()
        };
        assert_eq!(theirs(|v| v["panels"][1]["title"] = "b".into()), "`panels[1].title` is `b`, not `B`");
        assert_eq!(theirs(|v| v["panels"] = json!([])), "`panels` has 0 entries, not 2");
        assert_eq!(theirs(|v| v["panels"][1]["options"]["x"] = 1.into()), "`panels[1].options.x` differs");
        assert_eq!(theirs(|v| v["title"] = Value::Null), "`title` is not there");
    }

    #[test]
    fn a_panels_own_id_and_version_count() {
        assert_eq!(
            why(&json!({ "panels": [{ "id": 1 }] }), &json!({ "panels": [{ "id": 2 }] })).as_deref(),
            Some("`panels[0].id` is `2`, not `1`")
        );
    }

    #[test]
    fn the_hash_is_of_the_meaning_not_of_the_text() {
        let one: Value = serde_json::from_str(r#"{"a":1,"b":[{"c":"x","d":null}]}"#).unwrap();
        let two: Value = serde_json::from_str(r#"{ "b": [ { "d": null, "c": "x" } ], "a": 1 }"#).unwrap();
        assert_eq!(content_hash(&one), content_hash(&two));
        assert_eq!(content_hash(&one).len(), 16);
        assert_ne!(content_hash(&one), content_hash(&json!({ "a": 1 })));
    }
}
