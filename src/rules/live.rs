//! The rules that should be evaluated beside those that a Prometheus has loaded.

use std::collections::{BTreeMap, BTreeSet};

use super::file::{Group, Rule};
use crate::http::prometheus::{self as live, RuleGroup, RuleKind};

/// A rule file of the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path in Prometheus' container.
    pub path: String,
    /// Its name for people.
    pub shown: String,
    /// Whether it is ours and not the user's.
    pub ours: bool,
    /// What it says, disabled alerts included.
    pub groups: Vec<Group>,
    /// The names of its alerts that are disabled.
    pub disabled: BTreeSet<String>,
}

/// One rule: as its file has it, as Prometheus has it, or both.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The name of its file for people.
    pub file: String,
    /// Whether its file is ours; `None` when the stack has no such file.
    pub ours: Option<bool>,
    /// The name of its group.
    pub group: String,
    /// How often it is evaluated, in Prometheus' notation, where its file or Prometheus says so.
    pub interval: Option<String>,
    /// What it is.
    pub rule: Rule,
    /// Whether and how it runs.
    pub state: State,
}

/// Whether and how a rule runs.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// The settings disable it.
    Disabled,
    /// No Prometheus could be asked.
    Unknown,
    /// The settings have it, and Prometheus has not loaded it.
    NotLoaded,
    /// Prometheus has loaded it.
    Loaded(Box<live::Rule>),
}

impl Entry {
    /// Whether Prometheus has it and the settings do not.
    #[must_use]
    pub const fn is_unexpected(&self) -> bool {
        self.ours.is_none()
    }
}

/// Every rule, in the order of the files; then those that only Prometheus has. `None`: no Prometheus could be asked.
#[must_use]
pub fn entries(files: &[File], loaded: Option<&[RuleGroup]>) -> Vec<Entry> {
    let mut left: Vec<(&RuleGroup, &live::Rule)> =
        loaded.into_iter().flatten().flat_map(|group| group.rules.iter().map(move |rule| (group, rule))).collect();
    let mut entries = Vec::new();
    for (file, group, rule) in rules(files) {
        // Two rules of one name are told apart by their order.
        let same = |(of, found): &(&RuleGroup, &live::Rule)| {
            (&of.file, &of.name, &found.name, found.kind) == (&file.path, &group.name, &rule.name, rule.kind)
        };
        let disabled = file.disabled.contains(&rule.name);
        let found = left.iter().position(same).filter(|_| !disabled).map(|at| left.remove(at));
        let interval = found.map(|(group, _)| notation(group.interval));
        entries.push(Entry {
            file: file.shown.clone(),
            ours: Some(file.ours),
            group: group.name.clone(),
            interval: group.interval.clone().or(interval),
            rule: rule.clone(),
            state: match found {
                _ if disabled => State::Disabled,
                Some((_, rule)) => State::Loaded(Box::new(rule.clone())),
                None if loaded.is_some() => State::NotLoaded,
                None => State::Unknown,
            },
        });
    }
    entries.extend(left.into_iter().map(|(group, rule)| unexpected(files, group, rule)));
    entries
}

fn rules(files: &[File]) -> impl Iterator<Item = (&File, &Group, &Rule)> {
    let groups = files.iter().flat_map(|file| file.groups.iter().map(move |group| (file, group)));
    groups.flat_map(|(file, group)| group.rules.iter().map(move |rule| (file, group, rule)))
}

/// A rule that only Prometheus has, in the words of a file.
fn unexpected(files: &[File], group: &RuleGroup, rule: &live::Rule) -> Entry {
    let duration = |seconds: f64| (seconds > 0.0).then(|| notation(seconds));
    let shown = files.iter().find(|file| file.path == group.file).map_or(&group.file, |file| &file.shown);
    Entry {
        file: shown.clone(),
        ours: None,
        group: group.name.clone(),
        interval: Some(notation(group.interval)),
        rule: Rule {
            name: rule.name.clone(),
            name_at: (0, 0),
            kind: rule.kind,
            expression: rule.query.clone(),
            expression_at: (0, 0),
            r#for: duration(rule.duration),
            keep_firing_for: duration(rule.keep_firing_for),
            labels: rule.labels.clone(),
            annotations: BTreeMap::new(),
        },
        state: State::Loaded(Box::new(rule.clone())),
    }
}

/// Seconds in Prometheus' notation, in the largest unit that takes them whole.
fn notation(seconds: f64) -> String {
    for (unit, length) in [("h", 3600.0), ("m", 60.0), ("s", 1.0)] {
        let count = seconds / length;
        if count >= 1.0 && count.fract() == 0.0 {
            return format!("{count}{unit}");
        }
    }
    format!("{}ms", (seconds * 1000.0).round())
}

impl RuleKind {
    /// The word in a rule file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alerting => "alert",
            Self::Recording => "record",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::groups;

    fn file(path: &str, alerts: &[&str]) -> File {
        let rules = alerts.iter().map(|name| format!("  - alert: {name}\n    expr: up\n")).collect::<Vec<_>>().concat();
        let groups = groups(format!("groups:\n- name: g\n  rules:\n{rules}").as_bytes());
        File {
            path: path.to_owned(),
            shown: path.trim_start_matches('/').to_owned(),
            ours: true,
            groups,
            disabled: BTreeSet::new(),
        }
    }

    fn loaded(path: &str, alerts: &[&str]) -> RuleGroup {
        let rules: Vec<_> = alerts
            .iter()
            .map(|name| serde_json::json!({"name": name, "type": "alerting", "query": "up", "health": "ok", "duration": 90}))
            .collect();
        serde_json::from_value(serde_json::json!({"name": "g", "file": path, "interval": 15, "rules": rules})).unwrap()
    }

    /// `file name state`, one line for each entry.
    fn lines(entries: &[Entry]) -> Vec<String> {
        let state = |entry: &Entry| match entry.state {
            State::Disabled => "disabled",
            State::Unknown => "unknown",
            State::NotLoaded => "not loaded",
            State::Loaded(_) if entry.is_unexpected() => "unexpected",
            State::Loaded(_) => "loaded",
        };
        entries.iter().map(|entry| format!("{} {} {}", entry.file, entry.rule.name, state(entry))).collect()
    }

    #[test]
    fn what_is_missing_and_what_is_too_much_is_seen() {
        let files = [file("/a.yml", &["A", "Twice", "Twice", "Gone"]), file("/b.yml", &["B"])];
        let running = [loaded("/a.yml", &["Twice", "A", "Twice", "New"]), loaded("/c.yml", &["B"])];
        assert_eq!(
            lines(&entries(&files, Some(&running))),
            [
                "a.yml A loaded",
                "a.yml Twice loaded",
                "a.yml Twice loaded",
                "a.yml Gone not loaded",
                "b.yml B not loaded",
                "a.yml New unexpected",
                "/c.yml B unexpected"
            ]
        );
        assert_eq!(lines(&entries(&files[1..], None)), ["b.yml B unknown"]);
        assert_eq!(lines(&entries(&files[1..], Some(&[]))), ["b.yml B not loaded"]);
    }

    #[test]
    fn what_is_disabled_is_not_expected_to_run() {
        let disabled = BTreeSet::from(["A".to_owned()]);
        let files = [File { disabled, ..file("/a.yml", &["A", "B"]) }];
        assert_eq!(lines(&entries(&files, None)), ["a.yml A disabled", "a.yml B unknown"]);
        assert_eq!(lines(&entries(&files, Some(&[loaded("/a.yml", &["B"])])))[0], "a.yml A disabled");
        // Disabled after the last `up`.
        let running = [loaded("/a.yml", &["A", "B"])];
        assert_eq!(
            lines(&entries(&files, Some(&running))),
            ["a.yml A disabled", "a.yml B loaded", "a.yml A unexpected"]
        );
    }

    #[test]
    fn what_only_prometheus_has_is_told_in_the_notation_of_files() {
        let entries = entries(&[], Some(&[loaded("/c.yml", &["B"])]));
        assert_eq!((entries[0].interval.as_deref(), entries[0].rule.r#for.as_deref()), (Some("15s"), Some("90s")));
        assert_eq!([3600.0, 120.0, 0.5].map(notation), ["1h", "2m", "500ms"]);
    }
}
