//! A rule file as typed groups, each rule with the place of its name and of its expression.

use std::collections::BTreeMap;

use crate::http::prometheus::RuleKind;
use crate::yaml::{self, Limits, Node};

/// A group of rules, as its file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Unique in its file.
    pub name: String,
    /// How often it is evaluated; `None`: as often as the server's configuration says.
    pub interval: Option<String>,
    /// Its rules.
    pub rules: Vec<Rule>,
}

/// A rule, as its file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The name of the alert, or of the recorded series.
    pub name: String,
    /// Line and column of the name, from 1.
    pub name_at: (usize, usize),
    /// What kind it is.
    pub kind: RuleKind,
    /// The expression.
    pub expression: String,
    /// Line and column of the expression, from 1.
    pub expression_at: (usize, usize),
    /// How long the expression has to hold, in Prometheus' notation.
    pub r#for: Option<String>,
    /// How long the alert goes on when the expression no longer holds, in Prometheus' notation.
    pub keep_firing_for: Option<String>,
    /// The labels that it adds.
    pub labels: BTreeMap<String, String>,
    /// The texts of an alert, as templates.
    pub annotations: BTreeMap<String, String>,
}

/// The groups of a rule file. What is no rule is left out: whether a file is right is checked elsewhere.
#[must_use]
pub fn groups(content: &[u8]) -> Vec<Group> {
    let limits = Limits { bytes: usize::MAX, depth: 32 };
    let root = yaml::parse(content, limits).root;
    let groups = root.as_ref().and_then(|root| root.get("groups"));
    groups.into_iter().flat_map(Node::items).map(group).collect()
}

fn group(node: &Node) -> Group {
    Group {
        name: text(node, "name").unwrap_or_default(),
        interval: text(node, "interval"),
        rules: node.get("rules").into_iter().flat_map(Node::items).filter_map(rule).collect(),
    }
}

fn rule(node: &Node) -> Option<Rule> {
    let named = |key, kind| node.get(key).map(|name| (name, kind));
    let (name, kind) = named("alert", RuleKind::Alerting).or_else(|| named("record", RuleKind::Recording))?;
    let expression = node.get("expr")?;
    let texts = |key: &str| {
        let texts = node.get(key).into_iter().flat_map(Node::texts);
        texts.map(|(key, text)| (key.to_owned(), text.to_owned())).collect()
    };
    Some(Rule {
        name: name.text()?.to_owned(),
        name_at: (name.line, name.column),
        kind,
        expression: expression.text()?.trim().to_owned(),
        expression_at: (expression.line, expression.column),
        r#for: text(node, "for"),
        keep_firing_for: text(node, "keep_firing_for"),
        labels: texts("labels"),
        annotations: texts("annotations"),
    })
}

fn text(node: &Node, key: &str) -> Option<String> {
    node.get(key)?.text().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assets;

    #[test]
    fn a_rule_has_its_place_and_all_that_its_file_says() {
        let text = "groups:\n- name: g\n  interval: 1m\n  rules:\n  - alert: A\n    expr: |-\n      up\n      == 0\n    for: 5m\n    labels: {severity: info}\n  - record: a:b\n    expr: sum(up)\n  - neither: x\n";
        let groups = groups(text.as_bytes());
        assert_eq!((groups[0].name.as_str(), groups[0].interval.as_deref()), ("g", Some("1m")));
        let [alert, record] = groups[0].rules.as_slice() else { unreachable!("{groups:?}") };
        assert_eq!((alert.name.as_str(), alert.name_at, alert.expression.as_str()), ("A", (5, 12), "up\n== 0"));
        assert_eq!((alert.expression_at, alert.r#for.as_deref()), ((7, 7), Some("5m")));
        assert_eq!(alert.labels, BTreeMap::from([("severity".to_owned(), "info".to_owned())]));
        assert_eq!((record.name.as_str(), record.kind, record.r#for.as_deref()), ("a:b", RuleKind::Recording, None));
    }

    #[test]
    fn our_files_are_read_to_their_last_rule() {
        for text in [assets::ALERTS_CONFIG, assets::STACK_ALERTS] {
            let count = text.lines().filter(|line| line.contains("- alert: ") || line.contains("- record: ")).count();
            assert_eq!(groups(text.as_bytes()).iter().map(|group| group.rules.len()).sum::<usize>(), count);
        }
    }
}
