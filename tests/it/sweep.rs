//! Every single call of a fresh `up` fails in turn, or its reply is lost: `up` says its goal and the fact, and the next
//! `up` converges.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::support::{Fault, Lab};

/// Every call of a fresh `up` with its number among the equal ones; without those that only a slow run makes.
fn calls_of_a_fresh_up() -> Vec<(String, usize)> {
    let lab = Lab::new();
    lab.run(&["up"]).succeeds();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let looks = |line: &String| line.starts_with("GET /containers/moko-mon-") && line.ends_with("/json");
    let calls = lab.engine.calls().into_iter().filter(|line| !looks(line));
    calls
        .map(|line| {
            let count = counts.entry(line.clone()).or_default();
            *count += 1;
            (line, *count)
        })
        .collect()
}

/// Runs the cases on two threads.
fn each(cases: Vec<(String, usize)>, try_one: impl Fn(&str, usize) + Sync) {
    let cases = Mutex::new(cases);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some((line, nth)) = cases.lock().unwrap().pop() else { break };
                    try_one(&line, nth);
                }
            });
        }
    });
}

#[test]
fn every_call_may_fail() {
    let cases = calls_of_a_fresh_up();
    assert!(cases.len() > 30, "{cases:#?}");
    each(cases, |line, nth| {
        let lab = Lab::new();
        lab.engine.fault(line, nth, Fault::Refuse(500, "injected"));
        let output = lab.run(&["up"]);
        let text = output.text();
        let connects = ["GET /version", "GET /info"].contains(&line);
        assert_eq!(output.code(), if connects { 3 } else { 1 }, "{line} ({nth}): {text}");
        let error = output.error();
        let mut lines = error.lines();
        let goal = lines.next().unwrap_or_default();
        assert!(goal.starts_with("error: ") && !goal.contains("injected"), "{line} ({nth}): {text}");
        assert!(
            lines.any(|line| line.trim_start().starts_with("caused by: ") && line.contains("injected")),
            "{line} ({nth}): {text}"
        );
        lab.converges();
    });
}

#[test]
fn every_reply_to_a_change_may_be_lost() {
    let cases = calls_of_a_fresh_up().into_iter().filter(|(line, _)| !line.starts_with("GET ")).collect();
    each(cases, |line, nth| {
        let lab = Lab::new();
        lab.engine.fault(line, nth, Fault::LoseReply);
        let output = lab.run(&["up"]);
        assert_eq!(output.code(), 1, "{line} ({nth}): {}", output.text());
        assert!(output.error().contains("caused by: "), "{line} ({nth}): {}", output.text());
        lab.converges();
        assert_eq!(lab.engine.with(|state| state.inventory()).len(), 4 + 1 + 9, "{line} ({nth})");
    });
}
