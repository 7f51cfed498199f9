//! The variables that a dashboard declares, and the values that a person who opens it sees.

use serde_json::Value;

use super::expand::{Picked, mentions};

/// A declared variable.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::verify) struct Declared {
    pub(in crate::verify) name: String,
    /// What its choices are made from.
    pub(in crate::verify) ask: Ask,
    /// The data source of a query, as it is said.
    pub(in crate::verify) source: Value,
    /// What was chosen when it was saved.
    current: Vec<String>,
    /// What "All" stands for, if not for all values.
    all_value: Option<String>,
    has_all: bool,
    many: bool,
    /// Choices are cut out of the answer with a regular expression, which we do not do.
    pub(in crate::verify) filtered: bool,
    /// The text in which it may refer to others.
    text: String,
}

/// What the choices of a variable are made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::verify) enum Ask {
    /// They are in the dashboard.
    Fixed(Vec<String>),
    /// Anything may be chosen: a text field, a data source.
    Free,
    /// The values of a label, of a metric's series or of all.
    LabelValues { selector: Option<String>, label: String },
    /// The names of all labels.
    LabelNames,
    /// The names of metrics that match.
    Metrics(String),
    /// The series of a query's answer.
    QueryResult(String),
    /// The series of a selector.
    Series(String),
    /// A query to something else than Prometheus, or in a form that we do not know.
    Unknown,
}

/// The variables of a dashboard, each after those that it refers to.
pub(in crate::verify) fn declared(dashboard: &Value) -> Vec<Declared> {
    let list = dashboard["templating"]["list"].as_array().into_iter().flatten();
    let mut waiting: Vec<Declared> = list.filter_map(read).collect();
    let mut ordered = Vec::new();
    while !waiting.is_empty() {
        let free = waiting.iter().position(|one| !waiting.iter().any(|other| one.refers_to(&other.name)));
        // A circle is Grafana's problem; any order does.
        ordered.push(waiting.remove(free.unwrap_or(0)));
    }
    ordered
}

fn read(json: &Value) -> Option<Declared> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let query = text(&json["query"]).or_else(|| text(&json["query"]["query"])).or_else(|| text(&json["definition"]));
    let query = query.unwrap_or_default();
    let current = match &json["current"]["value"] {
        Value::Array(values) => values.iter().filter_map(text).collect(),
        value => text(value).into_iter().collect(),
    };
    let ask = match json["type"].as_str()? {
        "query" => asked(&query),
        "custom" => Ask::Fixed(choices(&query)),
        "constant" => Ask::Fixed(vec![query.clone()]),
        "interval" => Ask::Fixed(query.split(',').map(|choice| choice.trim().to_owned()).collect()),
        "datasource" | "textbox" => Ask::Free,
        // Ad hoc filters and whatever comes later have no value to put in.
        _ => return None,
    };
    let flag = |key: &str| json[key] == true;
    Some(Declared {
        name: text(&json["name"])?,
        ask,
        source: json["datasource"].clone(),
        current,
        all_value: text(&json["allValue"]).filter(|value| !value.is_empty()),
        has_all: flag("includeAll"),
        many: flag("multi") || flag("includeAll"),
        filtered: json["regex"].as_str().is_some_and(|regex| !regex.is_empty()),
        text: format!("{query} {}", json["datasource"]),
    })
}

/// `a, b : c`: values with or without a text before them; `\,` is a comma.
fn choices(text: &str) -> Vec<String> {
    let parts = text.replace("\\,", "\u{1}");
    let value = |part: &str| part.split_once(" : ").map_or(part, |(_, value)| value).trim().replace('\u{1}', ",");
    parts.split(',').map(value).filter(|value| !value.is_empty()).collect()
}

/// The functions that Grafana's Prometheus data source knows in a variable's query.
fn asked(query: &str) -> Ask {
    let query = query.trim();
    let inside = |name: &str| Some(query.strip_prefix(name)?.trim_start().strip_prefix('(')?.strip_suffix(')')?.trim());
    if let Some(inner) = inside("label_values") {
        let (selector, label) = match inner.rsplit_once(',') {
            // A comma between braces is none that parts the two.
            Some((selector, label)) if !label.contains('}') => (Some(selector.trim().to_owned()), label.trim()),
            _ => (None, inner),
        };
        return Ask::LabelValues { selector, label: label.to_owned() };
    }
    if inside("label_names").is_some() {
        return Ask::LabelNames;
    }
    match (inside("metrics"), inside("query_result")) {
        (Some(pattern), _) => Ask::Metrics(pattern.to_owned()),
        (_, Some(expression)) => Ask::QueryResult(expression.to_owned()),
        _ if query.is_empty() => Ask::Unknown,
        _ => Ask::Series(query.to_owned()),
    }
}

impl Declared {
    /// Whether its choices depend on another variable.
    pub(in crate::verify) fn refers_to(&self, name: &str) -> bool {
        mentions(&self.text, name)
    }

    /// What a person sees who opens the dashboard, given the choices there are now.
    pub(in crate::verify) fn pick(&self, choices: &[String]) -> Picked {
        let chosen: Vec<String> = self.current.iter().filter(|value| *value != "$__all").cloned().collect();
        let all = self.current.iter().any(|value| value == "$__all");
        let fits = match self.ask {
            Ask::Free | Ask::Unknown => true,
            _ => self.filtered || chosen.iter().all(|value| choices.contains(value)),
        };
        if !all && !chosen.is_empty() && fits {
            return self.of(chosen);
        }
        if self.has_all {
            return match &self.all_value {
                Some(value) => Picked::Raw(value.clone()),
                // Nothing to choose from, or choices that are not those: what is meant is all there is.
                None if choices.is_empty() || self.filtered => Picked::Raw(".*".to_owned()),
                None => Picked::Many(choices.to_vec()),
            };
        }
        self.of(choices.first().cloned().into_iter().collect())
    }

    fn of(&self, mut values: Vec<String>) -> Picked {
        if values.first().is_some_and(|value| value.starts_with("$__auto_interval")) {
            return Picked::Raw("1m".to_owned());
        }
        if self.many { Picked::Many(values) } else { Picked::One(values.pop().unwrap_or_default()) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(json: &Value) -> Declared {
        declared(&json!({ "templating": { "list": [json] } })).remove(0)
    }

    #[test]
    fn queries_of_every_form_are_read() {
        let labels = |selector: Option<&str>, label: &str| Ask::LabelValues {
            selector: selector.map(str::to_owned),
            label: label.to_owned(),
        };
        assert_eq!(asked("label_values(job)"), labels(None, "job"));
        assert_eq!(asked("label_values(up{a=\"x\", b=\"y\"}, job)"), labels(Some("up{a=\"x\", b=\"y\"}"), "job"));
        assert_eq!(asked("label_names()"), Ask::LabelNames);
        assert_eq!(asked("metrics(node_.*)"), Ask::Metrics("node_.*".into()));
        assert_eq!(asked("query_result(max(up) > 0)"), Ask::QueryResult("max(up) > 0".into()));
        assert_eq!(asked("up{job=\"x\"}"), Ask::Series("up{job=\"x\"}".into()));
    }

    #[test]
    fn a_variable_comes_after_those_it_refers_to() {
        let query = |name: &str, query: &str| json!({ "type": "query", "name": name, "query": { "query": query } });
        let list = [
            query("b", "label_values(up{x=\"$a\"}, b)"),
            query("a", "label_values(a)"),
            json!({ "type": "adhoc", "name": "f" }),
        ];
        let names: Vec<String> =
            declared(&json!({ "templating": { "list": list } })).into_iter().map(|one| one.name).collect();
        assert_eq!(names, ["a", "b"]);
    }

    #[test]
    fn the_value_is_what_a_person_sees() {
        let choices = ["x".to_owned(), "y".to_owned()];
        let query = |more: Value| {
            let mut json = json!({ "type": "query", "name": "v", "query": "label_values(v)" });
            json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            one(&json)
        };
        let all = json!({ "value": ["$__all"] });
        assert_eq!(
            query(json!({ "includeAll": true, "allValue": ".+", "current": all })).pick(&choices),
            Picked::Raw(".+".into())
        );
        assert_eq!(query(json!({ "includeAll": true, "current": all })).pick(&choices), Picked::Many(choices.to_vec()));
        assert_eq!(query(json!({ "includeAll": true, "current": all })).pick(&[]), Picked::Raw(".*".into()));
        assert_eq!(query(json!({ "current": { "value": "y" } })).pick(&choices), Picked::One("y".into()));
        // What was saved is gone: the first there is.
        assert_eq!(query(json!({ "current": { "value": "old" } })).pick(&choices), Picked::One("x".into()));
        let custom = one(&json!({ "type": "custom", "name": "c", "query": "a, Label : b\\,c" }));
        assert_eq!(custom.ask, Ask::Fixed(vec!["a".into(), "b,c".into()]));
        let source =
            one(&json!({ "type": "datasource", "name": "ds", "query": "prometheus", "current": { "value": "uid" } }));
        assert_eq!(source.pick(&[]), Picked::One("uid".into()));
    }
}
