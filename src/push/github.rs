//! What GitHub says of its rate limits: in the headers of any answer, and as JSON at `/rate_limit`.

mod headers;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::config::quote;
use crate::error::{Code, Error, Result};

/// The quota that calls of the REST API use up; where an answer does not say which, it is this one.
const CORE: &str = "core";

/// The largest number that is taken for seconds since the epoch; beyond it are milliseconds.
const LAST_SECOND: u64 = 100_000_000_000;

/// One of GitHub's quotas, as an answer told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Calls in one window.
    pub limit: u64,
    /// Calls that are left in this window.
    pub remaining: u64,
    /// When the window ends, in seconds since the epoch.
    pub reset: u64,
}

/// The quotas in a text, by resource (`core`, `search`, `graphql`, …): answers with their headers, as `gh api -i` and
/// `curl -i` print them, or the JSON of `/rate_limit`, or both. Where a resource comes up twice, the last counts.
///
/// # Errors
///
/// Nothing in the text tells of a quota, or what tells of one is not made of numbers.
pub fn quotas(text: &str) -> Result<BTreeMap<String, Quota>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(refused().cause("stdin is empty").hint(HOW));
    }
    if text.trim_start().starts_with(['{', '[']) {
        let json: Value = serde_json::from_str(text)
            .map_err(|error| refused().cause(format!("stdin is not JSON: {error}")).hint(HOW))?;
        return document(&json)?.ok_or_else(|| {
            refused().cause("the JSON on stdin is not the one of `/rate_limit`: it has no `resources`").hint(HOW)
        });
    }
    let answers = headers::answers(text);
    if answers.is_empty() {
        return Err(refused().cause("stdin is neither an answer with its headers nor JSON").hint(HOW));
    }
    let mut quotas = BTreeMap::new();
    for answer in &answers {
        quotas.extend(answer.quota()?);
        // `gh api -i rate_limit` has them all in the body.
        if let Some(Ok(all)) = serde_json::from_str(answer.body).ok().map(|json| document(&json)) {
            quotas.extend(all.unwrap_or_default());
        }
    }
    if quotas.is_empty() {
        let last = answers.last().map_or("", |answer| answer.status);
        return Err(refused().cause(format!("the answer {} has no `x-ratelimit-…` headers", quote(last))).hint(
            "GitHub sends them with every answer of its API; a GitHub Enterprise Server only where rate limits are on",
        ));
    }
    Ok(quotas)
}

/// The value of the label `api` for a resource: the base alone is the REST API's quota, as rules and panels know it.
#[must_use]
pub fn api(base: &str, resource: &str) -> String {
    if resource == CORE { base.to_owned() } else { format!("{base}-{}", resource.replace('_', "-")) }
}

const HOW: &str = "pipe an answer with its headers into it, `gh api -i user | moko-mon push github-rate-limit`, or all \
                   quotas: `gh api rate_limit | moko-mon push github-rate-limit`";

fn refused() -> Error {
    Error::new(Code::Usage, "could not read GitHub's rate limits")
}

/// The quotas of the document at `/rate_limit`; `None` where it is another one. A resource with a limit of 0 is one that
/// this token may not use at all: that is no quota.
fn document(json: &Value) -> Result<Option<BTreeMap<String, Quota>>> {
    let Some(resources) = json.get("resources").and_then(Value::as_object) else { return Ok(None) };
    let mut quotas = BTreeMap::new();
    for (name, fields) in resources {
        let number = |field: &str| {
            fields.get(field).and_then(Value::as_u64).ok_or_else(|| {
                let found = fields.get(field).map_or_else(|| "is missing".to_owned(), |found| format!("is `{found}`"));
                refused().cause(format!("`resources.{}.{field}` {found}; expected a whole number", name.escape_debug()))
            })
        };
        let quota = Quota { limit: number("limit")?, remaining: number("remaining")?, reset: number("reset")? };
        if quota.limit > 0 {
            quotas.insert(name.clone(), quota.checked(name)?);
        }
    }
    Ok(Some(quotas))
}

impl Quota {
    fn checked(self, resource: &str) -> Result<Self> {
        if self.reset < LAST_SECOND {
            return Ok(self);
        }
        Err(refused().cause(format!(
            "the reset time of {} is {}; expected seconds since the epoch, and that are milliseconds",
            quote(resource),
            self.reset
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CURL: &str = "HTTP/2 200 \r\nserver: github.com\r\nx-ratelimit-limit: 5000\r\nx-ratelimit-remaining: 4321\r\n\
                        x-ratelimit-reset: 1800000000\r\nx-ratelimit-used: 679\r\nx-ratelimit-resource: core\r\n\r\n\
                        {\"login\": \"octocat\"}";

    fn quota(limit: u64, remaining: u64, reset: u64) -> Quota {
        Quota { limit, remaining, reset }
    }

    fn read(text: &str) -> Vec<(String, Quota)> {
        quotas(text).unwrap().into_iter().collect()
    }

    #[test]
    fn the_headers_of_curl_and_of_gh_are_read() {
        let core = vec![("core".to_owned(), quota(5000, 4321, 1_800_000_000))];
        assert_eq!(read(CURL), core);
        // gh writes the names in its own case, and plain line ends.
        let gh = "HTTP/2.0 200 OK\nContent-Type: application/json\nX-Ratelimit-Limit: 30\nX-Ratelimit-Remaining: 0\n\
                  X-Ratelimit-Reset: 1800000060\nX-Ratelimit-Resource: search\n\n{}\n";
        assert_eq!(read(gh), [("search".to_owned(), quota(30, 0, 1_800_000_060))]);
        // Only headers, as `curl -sI` has them, and no resource, as older servers answer.
        let old = "HTTP/1.1 304 Not Modified\nX-RateLimit-Limit: 60\nX-RateLimit-Remaining:  59 \nX-RateLimit-Reset: 7";
        assert_eq!(read(old), [("core".to_owned(), quota(60, 59, 7))]);
    }

    #[test]
    fn of_several_answers_the_last_one_of_each_resource_counts() {
        let proxy = "HTTP/1.1 200 Connection established\r\n\r\n";
        let moved = "HTTP/2 301 \r\nlocation: https://api.github.com/x\r\nx-ratelimit-limit: 5000\r\n\
                     x-ratelimit-remaining: 4400\r\nx-ratelimit-reset: 1800000000\r\n\r\n";
        assert_eq!(read(&format!("{proxy}{moved}{CURL}")), read(CURL));
        // `gh api -i --paginate` goes on right behind the body.
        let next = "HTTP/2.0 200 OK\r\nX-Ratelimit-Limit: 5000\r\nX-Ratelimit-Remaining: 4320\r\n\
                    X-Ratelimit-Reset: 1800000000\r\nX-Ratelimit-Resource: core\r\n\r\n[]";
        assert_eq!(read(&format!("{CURL}{next}"))[0].1.remaining, 4320);
        let search = next.replace("core", "search").replace("5000", "30");
        assert_eq!(read(&format!("{CURL}{search}")).len(), 2);
    }

    #[test]
    fn a_body_that_speaks_of_headers_is_not_believed() {
        let body = "\n# How to\nx-ratelimit-remaining: 1\nHTTP/1.1 is old, HTTP/1.1 200 OK\nbody\n";
        assert_eq!(read(&format!("{CURL}{body}")), read(CURL));
    }

    #[test]
    fn all_quotas_come_from_the_document() {
        let json = r#"{"resources": {"core": {"limit": 5000, "used": 1, "remaining": 4999, "reset": 1800000000},
            "code_search": {"limit": 10, "remaining": 10, "reset": 1800000060},
            "scim": {"limit": 0, "remaining": 0, "reset": 1800000060}},
            "rate": {"limit": 5000, "remaining": 4999, "reset": 1800000000}}"#;
        let all = read(json);
        let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["code_search", "core"]);
        assert_eq!(all[1].1, quota(5000, 4999, 1_800_000_000));
        let with_headers = format!(
            "HTTP/2.0 200 OK\nX-Ratelimit-Limit: 5000\nX-Ratelimit-Remaining: 1\nX-Ratelimit-Reset: 7\n\n{json}"
        );
        assert_eq!(read(&with_headers), all, "the document counts");
        assert_eq!(["core", "code_search"].map(|name| api("github", name)), ["github", "github-code-search"]);
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_what_was_expected() {
        let error = |text: &str| quotas(text).unwrap_err().to_string();
        insta::assert_snapshot!(error("\n"), @r"
        error: could not read GitHub's rate limits
          caused by: stdin is empty
        hint: pipe an answer with its headers into it, `gh api -i user | moko-mon push github-rate-limit`, or all quotas: `gh api rate_limit | moko-mon push github-rate-limit`
        ");
        insta::assert_snapshot!(error("{\"login\": 1}"), @r"
        error: could not read GitHub's rate limits
          caused by: the JSON on stdin is not the one of `/rate_limit`: it has no `resources`
        hint: pipe an answer with its headers into it, `gh api -i user | moko-mon push github-rate-limit`, or all quotas: `gh api rate_limit | moko-mon push github-rate-limit`
        ");
        insta::assert_snapshot!(error("{\"login\": "), @r"
        error: could not read GitHub's rate limits
          caused by: stdin is not JSON: EOF while parsing a value at line 1 column 10
        hint: pipe an answer with its headers into it, `gh api -i user | moko-mon push github-rate-limit`, or all quotas: `gh api rate_limit | moko-mon push github-rate-limit`
        ");
        insta::assert_snapshot!(error("curl: (6) Could not resolve host"), @r"
        error: could not read GitHub's rate limits
          caused by: stdin is neither an answer with its headers nor JSON
        hint: pipe an answer with its headers into it, `gh api -i user | moko-mon push github-rate-limit`, or all quotas: `gh api rate_limit | moko-mon push github-rate-limit`
        ");
        insta::assert_snapshot!(error("HTTP/2 200 \nserver: x\n\n{}"), @r"
        error: could not read GitHub's rate limits
          caused by: the answer `HTTP/2 200` has no `x-ratelimit-…` headers
        hint: GitHub sends them with every answer of its API; a GitHub Enterprise Server only where rate limits are on
        ");
        insta::assert_snapshot!(error(&CURL.replace("4321", "many")), @r"
        error: could not read GitHub's rate limits
          caused by: the header `x-ratelimit-remaining` is `many`; expected a whole number
        ");
        insta::assert_snapshot!(error(&CURL.replace("x-ratelimit-reset", "x-other")), @r"
        error: could not read GitHub's rate limits
          caused by: the header `x-ratelimit-reset` is missing; expected a whole number
        ");
        insta::assert_snapshot!(error(&CURL.replace("1800000000", "1800000000000")), @r"
        error: could not read GitHub's rate limits
          caused by: the reset time of `core` is 1800000000000; expected seconds since the epoch, and that are milliseconds
        ");
        insta::assert_snapshot!(error(r#"{"resources": {"core": {"limit": 5000, "remaining": -1}}}"#), @r"
        error: could not read GitHub's rate limits
          caused by: `resources.core.remaining` is `-1`; expected a whole number
        ");
    }
}
