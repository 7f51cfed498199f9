//! What an expression selects, read from Prometheus' own parser (`/api/v1/parse_query`).

use serde_json::Value;

/// One selector of an expression.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::verify) struct Selector {
    /// The metric's name.
    pub(in crate::verify) name: String,
    /// The whole selector, without range and offset: `up{job="x"}`.
    pub(in crate::verify) text: String,
    /// Whether it asks for more than the name.
    pub(in crate::verify) narrowed: bool,
}

/// All selectors with a name in a syntax tree, each once.
pub(in crate::verify) fn selectors(tree: &Value) -> Vec<Selector> {
    let mut found = Vec::new();
    collect(tree, &mut found);
    found.sort();
    found.dedup();
    found
}

fn collect(node: &Value, found: &mut Vec<Selector>) {
    if matches!(node["type"].as_str(), Some("vectorSelector" | "matrixSelector")) {
        found.extend(selector(node));
    }
    match node {
        Value::Object(object) => object.values().for_each(|value| collect(value, found)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

fn selector(node: &Value) -> Option<Selector> {
    let name = node["name"].as_str().filter(|name| !name.is_empty())?.to_owned();
    let matchers = node["matchers"].as_array().into_iter().flatten().filter(|matcher| matcher["name"] != "__name__");
    let matchers: Vec<String> = matchers
        .filter_map(|matcher| {
            let part = |key: &str| matcher[key].as_str();
            Some(format!("{}{}{}", part("name")?, part("type")?, Value::from(part("value")?)))
        })
        .collect();
    let text = if matchers.is_empty() { name.clone() } else { format!("{name}{{{}}}", matchers.join(",")) };
    Some(Selector { narrowed: !matchers.is_empty(), name, text })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// As 3.5.3 answers for `rate(a{x="1"}[5m]) > b` with `b` twice.
    #[test]
    fn selectors_are_found_at_any_depth() {
        let b = json!({ "type": "vectorSelector", "name": "b", "matchers": [{ "name": "__name__", "type": "=", "value": "b" }] });
        let a = json!({ "type": "matrixSelector", "name": "a", "range": 300_000, "matchers": [
            { "name": "x", "type": "=~", "value": "1\"" }, { "name": "__name__", "type": "=", "value": "a" }] });
        let tree = json!({ "type": "binaryExpr", "op": ">", "rhs": b.clone(),
            "lhs": { "type": "call", "args": [a, b] } });
        let found = selectors(&tree);
        assert_eq!(found.iter().map(|one| one.text.as_str()).collect::<Vec<_>>(), [r#"a{x=~"1\""}"#, "b"]);
        assert!(found[0].narrowed && !found[1].narrowed);
    }
}
