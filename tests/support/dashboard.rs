//! The queries of the dashboard as Grafana sends them: variables filled in, step and range worked out.
//!
//! What is not known here (a variable, a kind of target or annotation) ends the test, so that nothing new in the
//! dashboard goes unproved.

use serde_json::Value;

/// What somebody looks at.
pub(crate) struct View<'a> {
    /// The time range, in seconds since the epoch.
    pub(crate) from: i64,
    pub(crate) to: i64,
    /// The chosen scripts; empty for "All".
    pub(crate) scripts: &'a [&'a str],
    /// The chosen APIs; empty for "All".
    pub(crate) apis: &'a [&'a str],
}

/// One request to Prometheus.
#[derive(Debug)]
pub(crate) struct Query {
    /// Panel and letter (`6B`), or `variable NAME`, or `annotation NAME`.
    pub(crate) key: String,
    pub(crate) kind: Kind,
    /// The expression; for the values of a label the selector.
    pub(crate) expression: String,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Instant { at: i64 },
    Range { start: i64, end: i64, step: i64 },
    LabelValues { label: String, start: i64, end: i64 },
}

impl Query {
    /// The address that answers it.
    pub(crate) fn url(&self, server: &str) -> String {
        let (path, pairs) = match &self.kind {
            Kind::Instant { at } => {
                ("query".to_owned(), vec![("query", self.expression.clone()), ("time", at.to_string())])
            }
            Kind::Range { start, end, step } => (
                "query_range".to_owned(),
                vec![
                    ("query", self.expression.clone()),
                    ("start", start.to_string()),
                    ("end", end.to_string()),
                    ("step", step.to_string()),
                ],
            ),
            Kind::LabelValues { label, start, end } => (
                format!("label/{label}/values"),
                vec![("match[]", self.expression.clone()), ("start", start.to_string()), ("end", end.to_string())],
            ),
        };
        reqwest::Url::parse_with_params(&format!("{server}/api/v1/{path}"), pairs).unwrap().into()
    }
}

/// The panels, also those in rows.
pub(crate) fn panels(dashboard: &Value) -> Vec<&Value> {
    let list = dashboard["panels"].as_array().into_iter().flatten();
    list.flat_map(|panel| if panel["type"] == "row" { panels(panel) } else { vec![panel] }).collect()
}

/// Every query of the dashboard: of its variables, its annotations and its panels.
pub(crate) fn queries(dashboard: &Value, view: &View<'_>) -> Vec<Query> {
    let mut found = Vec::new();
    for variable in dashboard["templating"]["list"].as_array().unwrap() {
        match variable["type"].as_str().unwrap() {
            "datasource" => {}
            "query" => found.push(variable_query(variable, view)),
            other => panic!("a variable of type `{other}` is not known here"),
        }
    }
    for annotation in dashboard["annotations"]["list"].as_array().unwrap() {
        if annotation["builtIn"] != 1 {
            let key = format!("annotation {}", text(annotation, "name"));
            let step = seconds(text(annotation, "step"));
            found.push(range(key, text(annotation, "expr"), step, view));
        }
    }
    for panel in panels(dashboard) {
        for target in panel["targets"].as_array().unwrap_or_else(|| panic!("no targets: {panel}")) {
            let key = format!("{}{}", panel["id"], text(target, "refId"));
            let step = step(panel, target, view);
            match (target["instant"].as_bool(), target["range"].as_bool()) {
                (Some(true), Some(false)) => {
                    let expression = fill(text(target, "expr"), step, view);
                    found.push(Query { key, kind: Kind::Instant { at: view.to }, expression });
                }
                (Some(false), Some(true)) => found.push(range(key, text(target, "expr"), step, view)),
                other => panic!("panel {key} is neither an instant nor a range query: {other:?}"),
            }
        }
    }
    found
}

/// `label_values(METRIC, LABEL)`.
fn variable_query(variable: &Value, view: &View<'_>) -> Query {
    let text = text(&variable["query"], "query");
    let inside = text.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')'));
    let (metric, label) = inside.and_then(|inside| inside.rsplit_once(", ")).unwrap_or_else(|| panic!("`{text}`"));
    Query {
        key: format!("variable {}", variable["name"].as_str().unwrap()),
        kind: Kind::LabelValues { label: label.to_owned(), start: view.from, end: view.to },
        expression: fill(metric, 15, view),
    }
}

/// A range query: Grafana moves both ends to a multiple of the step.
fn range(key: String, expression: &str, step: i64, view: &View<'_>) -> Query {
    let kind = Kind::Range { start: view.from / step * step, end: view.to / step * step, step };
    Query { key, kind, expression: fill(expression, step, view) }
}

/// The step: as many points as the panel is wide (or says), rounded to a time that people use, and not below the
/// minimum of query and data source.
fn step(panel: &Value, target: &Value, view: &View<'_>) -> i64 {
    let width = panel["gridPos"]["w"].as_i64().unwrap() * 1200 / 24; // pixels, in a window 1280 wide
    let points = panel["maxDataPoints"].as_i64().unwrap_or(width);
    let least = [&target["interval"], &panel["interval"]].into_iter().find_map(Value::as_str).map_or(15, seconds);
    // Below `.0` seconds, `.1` is taken.
    let rounds =
        [(15, 10), (25, 20), (45, 30), (90, 60), (210, 120), (450, 300), (750, 600), (1050, 900), (1500, 1200)];
    let wanted = (view.to - view.from) / points;
    let rounded = rounds.iter().find(|(below, _)| wanted < *below).unwrap_or_else(|| panic!("a step of {wanted} s")).1;
    rounded.max(least)
}

/// `1h` as seconds.
fn seconds(text: &str) -> i64 {
    let (number, unit) = text.split_at(text.len() - 1);
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => panic!("`{text}` is not a time"),
    };
    number.parse::<i64>().unwrap() * unit
}

#[track_caller]
fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("no `{key}` in {value}"))
}

/// Fills in `$name`, `${name}` and `${name:regex}`.
fn fill(template: &str, step: i64, view: &View<'_>) -> String {
    let mut pieces = template.split('$');
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let (name, rest) = match piece.strip_prefix('{').and_then(|inside| inside.split_once('}')) {
            Some((name, rest)) => (name.trim_end_matches(":regex"), rest),
            None => piece.split_at(piece.find(|c| !word(c)).unwrap_or(piece.len())),
        };
        filled += &match name {
            "script" => choice(view.scripts),
            "api" => choice(view.apis),
            "__range" => format!("{}s", view.to - view.from),
            "__range_s" => (view.to - view.from).to_string(),
            "__interval" => format!("{step}s"),
            // Four scrapes, or one more than the step.
            "__rate_interval" => format!("{}s", (step + 15).max(60)),
            "DS_PROMETHEUS" => "moko-mon-prometheus".to_owned(),
            _ => panic!("`${name}` is not known here: {template}"),
        };
        filled += rest;
    }
    filled
}

/// The value of a variable with "All" and several choices, inside the quotes of a regular expression.
fn choice(chosen: &[&str]) -> String {
    let escaped: Vec<String> = chosen.iter().map(|value| escape(value)).collect();
    match escaped.as_slice() {
        [] => ".*".to_owned(),
        [one] => one.clone(),
        several => format!("({})", several.join("|")),
    }
}

/// Two backslashes before each special character: one for the quotes, one for the expression.
fn escape(value: &str) -> String {
    value.chars().fold(String::new(), |text, c| match c {
        '\\' => text + r"\\\\",
        c if "$^*{}[]+?.()|".contains(c) => text + r"\\" + &c.to_string(),
        c => text + &c.to_string(),
    })
}
