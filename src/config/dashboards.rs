//! The user's dashboards: valid JSON, with a title, each with a uid of its own.

use std::collections::BTreeMap;

use serde_json::Value;

use super::names;
use super::problem::{Place, Problem};

/// The largest dashboard; Grafana's own largest examples are below 1 MiB.
pub(crate) const LARGEST: u64 = 5 << 20;

/// Checks one file; `uids` holds those seen so far, each with its file.
pub(crate) fn check(file: &str, content: &[u8], uids: &mut BTreeMap<String, String>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut report = |position: Option<(usize, usize)>, key: &str, found: String, expected: &str| {
        let place = Place::File { file: file.to_owned(), position };
        problems.push(Problem { place, key: key.to_owned(), found, expected: expected.to_owned() });
    };
    let content = content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(content);
    let value = match serde_json::from_slice::<Value>(content) {
        Ok(value) => value,
        Err(error) => {
            let text = error.to_string();
            let fact = text.split(" at line ").next().unwrap_or_default();
            let position = Some((error.line().max(1), error.column().max(1)));
            report(position, "", format!("not JSON: {fact}"), "a dashboard as Grafana exports it");
            return problems;
        }
    };
    let Value::Object(dashboard) = value else {
        report(Some((1, 1)), "", "not a JSON object".to_owned(), "a dashboard as Grafana exports it");
        return problems;
    };
    let text = String::from_utf8_lossy(content);
    let mut report =
        |key: &str, found: String, expected: &str| report(Some(place_of(&text, key)), key, found, expected);
    match dashboard.get("title") {
        Some(Value::String(title)) if !title.trim().is_empty() => {}
        None if dashboard.get("dashboard").is_some_and(Value::is_object) => {
            let found = "the dashboard is wrapped in `dashboard`, as in an API answer".to_owned();
            report("title", found, "what stands under `dashboard` alone");
            return problems;
        }
        None => report("title", "the key is missing".to_owned(), "the title of the dashboard"),
        Some(Value::String(_)) => report("title", "the title is empty".to_owned(), "the title of the dashboard"),
        Some(other) => {
            report(
                "title",
                format!("{} is not a text", names::quote(&other.to_string())),
                "the title of the dashboard",
            );
        }
    }
    match dashboard.get("uid") {
        // Grafana gives a uid to a dashboard that has none.
        None | Some(Value::Null) => {}
        Some(Value::String(uid)) if uid.is_empty() => {}
        Some(Value::String(uid)) if is_uid(uid) => {
            if let Some(first) = uids.insert(uid.clone(), file.to_owned()) {
                report("uid", format!("`{uid}` is the uid of `{first}` too"), "a uid of its own");
            }
        }
        Some(other) => {
            let found = other.as_str().map_or_else(|| other.to_string(), str::to_owned);
            let found = format!("{} is not a uid", names::quote(&found));
            report("uid", found, "at most 40 letters, digits, `-` and `_`");
        }
    }
    problems
}

/// Line and column of a key of the outermost object; of the object itself when it has no such key.
///
/// The text is known to be JSON, so that it is enough to tell strings from what nests.
fn place_of(text: &str, key: &str) -> (usize, usize) {
    let wanted = format!("\"{key}\"");
    let (mut line, mut column, mut depth) = (1, 1, 0_usize);
    let (mut in_string, mut escaped) = (false, false);
    for (index, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => {
                let is_key = |rest: &str| rest.trim_start().starts_with(':');
                let rest = text.get(index..).unwrap_or_default();
                if !in_string && depth == 1 && rest.strip_prefix(&wanted).is_some_and(is_key) {
                    return (line, column);
                }
                in_string = !in_string;
            }
            '{' | '[' if !in_string => depth += 1,
            '}' | ']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        (line, column) = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
    }
    (1, 1)
}

/// What Grafana takes as a uid.
fn is_uid(text: &str) -> bool {
    text.len() <= 40 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}
