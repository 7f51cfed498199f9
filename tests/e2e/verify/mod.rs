//! `verify`: every fault is injected for real, and the check that has to find it is held by its id.

mod core;
mod healthy;
mod paths;
mod prometheus;
mod sink;

pub(crate) use paths::reconfigure;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{Stack, eventually, when};

/// The results of all checks.
#[track_caller]
pub(crate) fn checks(stack: &Stack) -> Vec<Value> {
    let output = stack.run(&["verify", "--output", "json"]);
    output.json()["data"]["checks"].as_array().unwrap_or_else(|| panic!("no checks\n{output}")).clone()
}

/// The ids of checks with that outcome.
pub(crate) fn with_outcome(checks: &[Value], outcome: &str) -> BTreeSet<String> {
    let wanted = checks.iter().filter(|check| check["outcome"] == outcome);
    wanted.map(|check| check["id"].as_str().unwrap().to_owned()).collect()
}

/// Waits until exactly these checks fail; another that fails on the way fails the test. Returns all results.
#[track_caller]
pub(crate) fn failing(stack: &Stack, ids: &[&str]) -> Vec<Value> {
    let expected: BTreeSet<String> = ids.iter().map(|&id| id.to_owned()).collect();
    eventually(&format!("{ids:?} fail"), || {
        let checks = checks(stack);
        let failed = with_outcome(&checks, "fail");
        let others: Vec<&Value> =
            checks.iter().filter(|check| check["outcome"] == "fail" && !expected.contains(id(check))).collect();
        assert!(others.is_empty(), "only {ids:?} should fail, and these do: {others:#?}");
        if failed == expected { Ok(checks) } else { Err(format!("{failed:?}")) }
    })
}

/// Waits until no check fails, whatever fails until then: servers need a moment to recover.
#[track_caller]
pub(crate) fn recovered(stack: &Stack) -> Vec<Value> {
    eventually("no check fails", || {
        let checks = checks(stack);
        let failed: Vec<&Value> = checks.iter().filter(|check| check["outcome"] == "fail").collect();
        if failed.is_empty() { Ok(checks) } else { Err(format!("{failed:?}")) }
    })
}

/// The evidence of a check, a line for each fact.
#[track_caller]
pub(crate) fn evidence(checks: &[Value], wanted: &str) -> String {
    let check = checks.iter().find(|check| id(check) == wanted).unwrap_or_else(|| panic!("no check `{wanted}`"));
    check["evidence"].as_str().unwrap().to_owned()
}

fn id(check: &Value) -> &str {
    check["id"].as_str().unwrap()
}

/// Holds text in a piece of evidence.
#[track_caller]
pub(crate) fn says(checks: &[Value], id: &str, parts: &[&str]) {
    let text = evidence(checks, id);
    for part in parts {
        assert!(text.contains(part), "`{id}` does not say `{part}`:\n{text}");
    }
}

/// Nothing fails, and nothing is left to wait for.
#[track_caller]
pub(crate) fn healthy(stack: &Stack) -> Vec<Value> {
    eventually("all is well", || {
        let checks = recovered(stack);
        let waits = checks.iter().filter(|check| check["evidence"].as_str().unwrap().starts_with("not yet"));
        let waits: Vec<&Value> = waits.collect();
        when(waits.is_empty(), &waits).map(|()| checks.clone())
    })
}

/// Waits until Prometheus has scraped a server of ours again.
#[track_caller]
pub(crate) fn scraped(stack: &Stack, job: &str) {
    stack.sample(&format!("up{{job=\"{job}\"}} == 1"));
}
