//! The rules that should be loaded, by the files that were delivered.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::config::PromDuration;
use crate::error::{Code, Error, Result};
use crate::http::prometheus::RuleKind;
use crate::stack::ComponentSpec;
use crate::yaml::{self, Limits, Node, Value as Yaml};

/// A group of rules in a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    /// The file's path in the container.
    pub(super) file: String,
    /// Unique in its file.
    pub(super) name: String,
    /// Seconds between two evaluations.
    pub(super) interval: f64,
    /// Its rules, in their order.
    pub(super) rules: Vec<Rule>,
}

/// A rule as it stands in its file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rule {
    pub(super) kind: RuleKind,
    pub(super) name: String,
    pub(super) expr: String,
    /// Seconds of `for`.
    pub(super) wait: f64,
    /// Seconds of `keep_firing_for`.
    pub(super) keep: f64,
    /// The labels of the rule and of its group.
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
}

/// The groups of all rule files that `spec` names; `interval` is that of groups without one.
pub(super) fn groups(spec: &ComponentSpec, interval: Duration) -> Result<Vec<Group>> {
    let unreadable =
        |what: &str| Error::new(Code::VerifyFailed, format!("cannot read `{what}` as the settings make it"));
    let file = |path: &str| spec.files.iter().find(|file| file.path == path);
    let main = spec.reload.map(|reload| reload.main_file).unwrap_or_default();
    let content = file(main).ok_or_else(|| unreadable(main))?;
    let content: Value = yaml::from_str(&String::from_utf8_lossy(&content.content)).map_err(|_| unreadable(main))?;
    let mut out = Vec::new();
    for path in content["rule_files"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let content = &file(path).ok_or_else(|| unreadable(path))?.content;
        let parsed = yaml::parse(content, Limits { bytes: content.len() + 1, depth: 32 });
        let root =
            parsed.root.filter(|_| parsed.complete && parsed.faults.is_empty()).ok_or_else(|| unreadable(path))?;
        out.extend(items(&root, "groups").map(|node| group(path, node, interval)));
    }
    Ok(out)
}

fn group(file: &str, node: &Node, interval: Duration) -> Group {
    let labels = labels(node, "labels");
    let interval = seconds(node, "interval").filter(|seconds| *seconds > 0.0).unwrap_or(interval.as_secs_f64());
    let rules = items(node, "rules").map(|node| rule(node, &labels)).collect();
    Group { file: file.to_owned(), name: text(node, "name"), interval, rules }
}

fn rule(node: &Node, of_group: &BTreeMap<String, String>) -> Rule {
    let alert = text(node, "alert");
    let (kind, name) =
        if alert.is_empty() { (RuleKind::Recording, text(node, "record")) } else { (RuleKind::Alerting, alert) };
    let mut all = of_group.clone();
    all.extend(labels(node, "labels"));
    // A label that is set to nothing is taken away.
    all.retain(|_, value| !value.is_empty());
    Rule {
        kind,
        name,
        expr: text(node, "expr"),
        wait: seconds(node, "for").unwrap_or_default(),
        keep: seconds(node, "keep_firing_for").unwrap_or_default(),
        labels: all,
        annotations: labels(node, "annotations"),
    }
}

fn get<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    let Yaml::Mapping(entries) = &node.value else { return None };
    entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
}

fn items<'a>(node: &'a Node, key: &str) -> impl Iterator<Item = &'a Node> {
    let items = get(node, key).and_then(|node| match &node.value {
        Yaml::Sequence(items) => Some(items),
        Yaml::Scalar { .. } | Yaml::Mapping(_) => None,
    });
    items.into_iter().flatten()
}

fn scalar(node: &Node) -> Option<&str> {
    match &node.value {
        Yaml::Scalar { text, .. } => Some(text),
        Yaml::Sequence(_) | Yaml::Mapping(_) => None,
    }
}

fn text(node: &Node, key: &str) -> String {
    get(node, key).and_then(scalar).unwrap_or_default().to_owned()
}

fn seconds(node: &Node, key: &str) -> Option<f64> {
    let duration: PromDuration = get(node, key).and_then(scalar)?.parse().ok()?;
    Some(duration.as_duration().as_secs_f64())
}

fn labels(node: &Node, key: &str) -> BTreeMap<String, String> {
    let Some(Yaml::Mapping(entries)) = get(node, key).map(|node| &node.value) else { return BTreeMap::new() };
    let text = |node: &Node| scalar(node).unwrap_or_default().to_owned();
    entries.iter().map(|entry| (entry.key.clone(), text(&entry.value))).collect()
}
