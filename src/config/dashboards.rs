//! The user's dashboards: what can be imported, each with a uid of its own, and the place of what is wrong.

use std::collections::BTreeMap;

use serde_json::Value;

use super::problem::{Place, Problem};
use crate::http::grafana::{DATA_SOURCE_UID, Dashboard, is_wrapped};

/// The largest dashboard; Grafana's own largest examples are below 1 MiB.
pub(crate) const LARGEST: u64 = 5 << 20;

/// Checks one file; `uids` holds those seen so far, each with its file.
pub(crate) fn check(file: &str, content: &[u8], uids: &mut BTreeMap<String, String>) -> Vec<Problem> {
    let problem = |position: (usize, usize), key: &str, found: String, expected: String| Problem {
        place: Place::File { file: file.to_owned(), position: Some(position) },
        key: key.to_owned(),
        found,
        expected,
    };
    let content = content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(content);
    let json = match serde_json::from_slice::<Value>(content) {
        Ok(json) => json,
        Err(error) => {
            let text = error.to_string();
            let fact = text.split(" at line ").next().unwrap_or_default();
            let position = (error.line().max(1), error.column().max(1));
            let expected = "a dashboard as Grafana exports it".to_owned();
            return vec![problem(position, "", format!("not JSON: {fact}"), expected)];
        }
    };
    let text = String::from_utf8_lossy(content);
    let outer: &[&str] = if is_wrapped(&json) { &["dashboard"] } else { &[] };
    let place_of = |key: &str| place_of(&text, &[outer, &[key]].concat());
    let named = json.pointer(if outer.is_empty() { "/uid" } else { "/dashboard/uid" });
    let named = named.and_then(Value::as_str).is_some_and(|uid| !uid.is_empty());
    match Dashboard::check(file, json, DATA_SOURCE_UID) {
        Ok(dashboard) => match uids.insert(dashboard.uid.clone(), file.to_owned()) {
            None => Vec::new(),
            Some(first) => {
                let made = if named { "is" } else { "is made from the file's name, and is" };
                let found = format!("`{}` {made} the uid of `{first}` too", dashboard.uid);
                vec![problem(place_of("uid"), "uid", found, "a uid of its own".to_owned())]
            }
        },
        Err(all) => {
            let all = all.into_iter();
            all.map(|unfit| problem(place_of(unfit.key), unfit.key, unfit.found, unfit.expected)).collect()
        }
    }
}

/// Line and column of the key at the end of this path of keys; of the last one on the way that is there.
///
/// The text is known to be JSON, so that it is enough to tell strings from what nests.
fn place_of(text: &str, path: &[&str]) -> (usize, usize) {
    let mut best = (1, 1);
    let mut path = path.iter();
    let Some(mut wanted) = path.next().map(|key| format!("\"{key}\"")) else { return best };
    let (mut line, mut column, mut depth, mut on_path) = (1, 1, 0_usize, 1);
    let (mut in_string, mut escaped) = (false, false);
    for (index, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => {
                let is_key = |rest: &str| rest.trim_start().starts_with(':');
                let rest = text.get(index..).unwrap_or_default();
                if !in_string && depth == on_path && rest.strip_prefix(&wanted).is_some_and(is_key) {
                    best = (line, column);
                    let Some(key) = path.next() else { return best };
                    wanted = format!("\"{key}\"");
                    on_path += 1;
                }
                in_string = !in_string;
            }
            '{' | '[' if !in_string => depth += 1,
            '}' | ']' if !in_string => {
                depth = depth.saturating_sub(1);
                // Out of the object on the path: what comes behind it is somebody else's.
                if depth < on_path {
                    return best;
                }
            }
            _ => {}
        }
        (line, column) = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
    }
    best
}
