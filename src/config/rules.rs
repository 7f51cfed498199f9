//! The user's rule files: their shape, with positions. What `PromQL` says is promtool's to judge.

use std::collections::BTreeMap;

use serde_json::Value;

use super::decode::Decoder;
use super::names;
use super::problem::{Place, Problem};
use super::scalar::Scalar;
use super::schema::{Field, Kind};
use crate::yaml::{self, Limits};

/// Generated rule files of large projects are a few hundred KiB.
pub(crate) const LARGEST: u64 = 2 << 20;

const ANY_DURATION: Scalar = Scalar::Duration { floor: "0s", ceiling: None };

/// A rule file, as Prometheus 3 reads it.
static FILE: &[Field] = &[Field::required_list("groups", &Kind::Group(GROUP), "Groups of rules.")];

static GROUP: &[Field] = &[
    Field::required("name", Scalar::Text, "The name of the group, once per file."),
    Field::optional("interval", ANY_DURATION, "1m", "How often the group is evaluated."),
    Field::optional("limit", Scalar::Count { floor: 0 }, "100", "How many alerts or series a rule may make."),
    Field::optional("query_offset", ANY_DURATION, "1m", "How far back queries look."),
    Field::labels("labels", None, "Labels for every rule of the group."),
    Field::list("rules", &Kind::Group(RULE), "", "The rules."),
];

static RULE: &[Field] = &[
    Field::optional("record", Scalar::Metric, "job:runs:rate5m", "The name of the new series."),
    Field::optional("alert", Scalar::Text, "BackupFailed", "The name of the alert."),
    Field::required("expr", Scalar::Text, "The query."),
    Field::optional("for", ANY_DURATION, "5m", "How long before it fires."),
    Field::optional("keep_firing_for", ANY_DURATION, "5m", "How long it goes on firing."),
    Field::labels("labels", None, "Labels to add."),
    Field::labels("annotations", None, "Texts for people."),
];

/// Everything wrong with the shape of one rule file.
pub(crate) fn check(file: &str, content: &[u8]) -> Vec<Problem> {
    let limits = Limits { bytes: usize::try_from(LARGEST).unwrap_or(usize::MAX), depth: 32 };
    let parsed = yaml::parse(content, limits);
    let mut decoder = Decoder::new(file, FILE);
    decoder.faults(parsed.faults);
    if !parsed.complete {
        return decoder.problems;
    }
    let Some(root) = parsed.root else {
        decoder.problems.push(Problem {
            place: Place::File { file: file.to_owned(), position: None },
            key: String::new(),
            found: "the file holds only comments".to_owned(),
            expected: "`groups:` with rules".to_owned(),
        });
        return decoder.problems;
    };
    let rules = decoder.document(&root);
    let Decoder { mut problems, places, .. } = decoder;
    let mut report = |path: &str, found: String, expected: &str| {
        let place = nearest(&places, path).unwrap_or(Place::File { file: file.to_owned(), position: None });
        problems.push(Problem { place, key: path.to_owned(), found, expected: expected.to_owned() });
    };
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, group) in items(&rules, "groups").enumerate() {
        let path = format!("groups[{index}]");
        if let Some(name) = group.get("name").and_then(Value::as_str)
            && let Some(first) = seen.insert(name, index)
        {
            let expected = format!("another name: `groups[{first}]` has it already");
            report(&format!("{path}.name"), format!("{} is there twice", names::quote(name)), &expected);
        }
        for (number, rule) in items(group, "rules").enumerate() {
            let path = format!("{path}.rules[{number}]");
            // A key whose value was wrong has a place but no value: it was reported, it is not missing.
            let has = |key: &str| rule.get(key).is_some() || places.contains_key(&format!("{path}.{key}"));
            match (has("alert"), has("record")) {
                (true, true) => report(&path, "the rule has both `alert` and `record`".to_owned(), "one of them"),
                (false, false) if rule.is_object() => {
                    report(&path, "the rule has neither `alert` nor `record`".to_owned(), "one of them");
                }
                (false, true) => {
                    for key in ["for", "keep_firing_for", "annotations"].into_iter().filter(|key| has(key)) {
                        let found = format!("`{key}` stands in a recording rule");
                        report(&format!("{path}.{key}"), found, "it only in a rule with `alert`");
                    }
                }
                _ => {}
            }
        }
    }
    problems
}

/// The items of a list that may be missing.
fn items<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// The place of a key, or of what surrounds it.
pub(crate) fn nearest(places: &BTreeMap<String, Place>, path: &str) -> Option<Place> {
    let mut path = path;
    loop {
        if let Some(place) = places.get(path) {
            return Some(place.clone());
        }
        path = path.get(..path.rfind(['.', '['])?)?;
    }
}
