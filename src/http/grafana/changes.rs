//! All differences between two dashboards, both ways, for people; and the form of a dashboard that is kept in git.

use serde_json::{Map, Value};

use super::compare::SERVER_OWNED;
use crate::http::excerpt;

/// One difference: where, what the file has, what Grafana has.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Change {
    /// Path in the model, panels by their title: `panels["Success Rate Gauge"].targets[0].expr`.
    pub path: String,
    /// What the file has; null where it has nothing.
    pub file: Value,
    /// What Grafana has; null where it has nothing.
    pub grafana: Value,
}

impl std::fmt::Display for Change {
    /// Two lines of a diff below the path.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.path)?;
        for (sign, value) in [('-', &self.file), ('+', &self.grafana)] {
            if !value.is_null() {
                write!(f, "\n  {sign} {}", excerpt(&text(value)))?;
            }
        }
        Ok(())
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Every difference between a file and what Grafana has, without what Grafana sets by itself.
#[must_use]
pub fn changes(file: &Value, grafana: &Value) -> Vec<Change> {
    let mut found = Vec::new();
    collect(&kept(file), &kept(grafana), "", &mut found);
    found
}

fn collect(file: &Value, grafana: &Value, path: &str, found: &mut Vec<Change>) {
    match (file, grafana) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let new = theirs.keys().filter(|key| !ours.contains_key(*key));
            for key in ours.keys().chain(new) {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                collect(ours.get(key).unwrap_or(&Value::Null), theirs.get(key).unwrap_or(&Value::Null), &path, found);
            }
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            for index in 0..ours.len().max(theirs.len()) {
                let (ours, theirs) = (ours.get(index), theirs.get(index));
                let title = [ours, theirs].into_iter().flatten().find_map(|value| value["title"].as_str());
                let path = match title {
                    Some(title) => format!("{path}[{title:?}]"),
                    None => format!("{path}[{index}]"),
                };
                collect(ours.unwrap_or(&Value::Null), theirs.unwrap_or(&Value::Null), &path, found);
            }
        }
        // 1 and 1.0 are one number.
        (Value::Number(ours), Value::Number(theirs)) if ours.as_f64() == theirs.as_f64() => {}
        _ if file == grafana => {}
        _ => found.push(Change { path: path.to_owned(), file: file.clone(), grafana: grafana.clone() }),
    }
}

/// A dashboard as it is kept in a file: keys sorted, without what Grafana sets by itself, so that two exports of one
/// dashboard are equal and a change is a small diff.
#[must_use]
pub fn kept(json: &Value) -> Value {
    let mut sorted = sorted(json);
    if let Some(object) = sorted.as_object_mut() {
        object.retain(|key, _| !SERVER_OWNED.contains(&key.as_str()));
    }
    sorted
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut entries: Vec<(&String, &Value)> = object.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            Value::Object(entries.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn changes_go_both_ways_and_name_panels_by_title() {
        let file = json!({"id": null, "title": "a", "panels": [{"title": "P", "unit": "s"}], "old": 1});
        let grafana =
            json!({"id": 7, "version": 3, "title": "a", "panels": [{"title": "P", "unit": "ms"}, {"title": "Q"}]});
        let text: Vec<String> = changes(&file, &grafana).iter().map(ToString::to_string).collect();
        assert_eq!(text, ["old\n  - 1", "panels[\"P\"].unit\n  - s\n  + ms", "panels[\"Q\"]\n  + {\"title\":\"Q\"}"]);
        assert!(changes(&file, &file).is_empty());
    }

    #[test]
    fn two_exports_of_one_dashboard_are_equal() {
        let first = kept(&json!({"version": 1, "b": {"y": 1, "x": 2}, "a": 0, "id": 4}));
        let second = kept(&json!({"a": 0, "b": {"x": 2, "y": 1}, "id": 9, "version": 2}));
        assert_eq!(first.to_string(), r#"{"a":0,"b":{"x":2,"y":1}}"#);
        assert_eq!(first.to_string(), second.to_string());
    }
}
