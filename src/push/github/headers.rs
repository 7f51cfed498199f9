//! Answers with their headers, as tools print them: HTTP/1.1 or HTTP/2, names in any case, either line end, and several
//! one behind the other (a proxy, redirects, pages).

use std::collections::BTreeMap;

use super::{CORE, Quota, refused};
use crate::config::quote;
use crate::error::Result;

/// One answer in a text.
#[derive(Debug, PartialEq)]
pub(super) struct Answer<'a> {
    /// Its first line.
    pub(super) status: &'a str,
    /// Its headers, names in lower case.
    headers: BTreeMap<String, &'a str>,
    /// What stands between its headers and the next answer.
    pub(super) body: &'a str,
}

/// All answers of a text in order. A body is not looked into, except for the start of the next answer: a status line with
/// a header right below it.
pub(super) fn answers(text: &str) -> Vec<Answer<'_>> {
    let mut starts = text.match_indices("HTTP/").map(|(at, _)| at).filter(|at| begins(&text[*at..])).peekable();
    let mut answers = Vec::new();
    while let Some(start) = starts.next() {
        let end = starts.peek().copied().unwrap_or(text.len());
        answers.push(answer(&text[start..end]));
    }
    answers
}

/// Whether an answer begins here: a body, which may end without a line break, can stand in front.
fn begins(text: &str) -> bool {
    let mut lines = text.lines();
    let status = lines.next().is_some_and(is_status);
    status && lines.next().is_none_or(|line| line.is_empty() || header(line).is_some())
}

/// `HTTP/2 200`, `HTTP/1.1 200 OK`.
fn is_status(line: &str) -> bool {
    let mut words = line.split_ascii_whitespace();
    let version = words.next().and_then(|word| word.strip_prefix("HTTP/"));
    let version = version.is_some_and(|version| matches!(version, "1.0" | "1.1" | "2" | "2.0" | "3" | "3.0"));
    version && words.next().is_some_and(|code| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit()))
}

fn header(line: &str) -> Option<(String, &str)> {
    let (name, value) = line.split_once(':')?;
    let token = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (!name.is_empty() && name.chars().all(token)).then(|| (name.to_ascii_lowercase(), value.trim()))
}

fn answer(text: &str) -> Answer<'_> {
    let mut lines = text.split_inclusive('\n');
    let status = lines.next().unwrap_or_default();
    let mut length = status.len();
    let mut headers = BTreeMap::new();
    for line in lines {
        length += line.len();
        if line.trim_end().is_empty() {
            break;
        }
        headers.extend(header(line));
    }
    Answer { status: status.trim_end(), headers, body: text.get(length..).unwrap_or_default() }
}

impl Answer<'_> {
    /// The quota of which the headers tell, with the name of its resource; `None` where they tell of none.
    pub(super) fn quota(&self) -> Result<Option<(String, Quota)>> {
        if !self.headers.keys().any(|name| name.starts_with("x-ratelimit-")) {
            return Ok(None);
        }
        let number = |field: &str| {
            let name = format!("x-ratelimit-{field}");
            let value = self.headers.get(name.as_str()).copied();
            value.and_then(|value| value.parse::<u64>().ok()).ok_or_else(|| {
                let found = value.map_or_else(|| "is missing".to_owned(), |value| format!("is {}", quote(value)));
                refused().cause(format!("the header `{name}` {found}; expected a whole number"))
            })
        };
        let quota = Quota { limit: number("limit")?, remaining: number("remaining")?, reset: number("reset")? };
        let resource = self.headers.get("x-ratelimit-resource").copied().filter(|name| !name.is_empty());
        let resource = resource.unwrap_or(CORE).to_owned();
        Ok(Some((resource.clone(), quota.checked(&resource)?)))
    }
}
