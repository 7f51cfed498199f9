//! The queries of a dashboard's panels, and which data source each goes to.

use serde_json::{Value, json};

use super::Variables;

/// A query of a panel, ready to be sent.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::verify) struct Query {
    /// The panel's title, or its number.
    pub(in crate::verify) panel: String,
    /// Counts the panels of the dashboard.
    pub(in crate::verify) index: usize,
    /// `A`, `B`, …
    pub(in crate::verify) reference: String,
    /// Where it goes.
    pub(in crate::verify) source: Source,
    /// The expression with the dashboard's variables filled in; Grafana's own are left.
    pub(in crate::verify) expression: String,
    /// What `/api/ds/query` wants.
    pub(in crate::verify) body: Value,
    /// When it begins: the panel's own time, or the dashboard's.
    pub(in crate::verify) from: String,
}

/// Where a query goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::verify) enum Source {
    /// A Prometheus, by uid.
    Prometheus(String),
    /// There is no such data source: what the panel says.
    Missing(String),
    /// Nothing of ours: Grafana itself, another panel, an expression, another kind of server.
    Other,
}

/// The data sources of a Grafana.
#[derive(Debug, Clone, Default)]
pub(in crate::verify) struct Sources(pub(in crate::verify) Option<Vec<Value>>);

/// The time that a dashboard shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::verify) struct Span {
    /// `now-6h` or epoch milliseconds.
    pub(in crate::verify) from: String,
    pub(in crate::verify) to: String,
}

impl Span {
    pub(in crate::verify) fn of(dashboard: &Value) -> Self {
        let time = |key: &str, default: &str| dashboard["time"][key].as_str().unwrap_or(default).to_owned();
        Self { from: time("from", "now-6h"), to: time("to", "now") }
    }

    /// The length where it is plain to see, for `$__range` in an expression that we ask Prometheus ourselves.
    pub(in crate::verify) fn length(&self) -> &str {
        self.from.strip_prefix("now-").filter(|length| !length.contains('/')).unwrap_or("6h")
    }
}

impl Sources {
    /// Where `said` leads: `{"type", "uid"}`, an old name, or nothing for the default.
    pub(in crate::verify) fn find(&self, said: &Value, variables: &Variables) -> Source {
        let name = said.as_str().or_else(|| said["uid"].as_str()).unwrap_or_default();
        let name = variables.expand(name);
        let kind = said["type"].as_str();
        if matches!(name.as_str(), "grafana" | "__expr__" | "-100") || name.starts_with("-- ") {
            return Source::Other;
        }
        let is_prometheus = |kind: Option<&str>| kind.is_none_or(|kind| kind == "prometheus");
        let Some(all) = &self.0 else {
            // They may not be listed: what the panel says has to do.
            let usable = is_prometheus(kind) && !name.is_empty();
            return if usable { Source::Prometheus(name) } else { Source::Other };
        };
        let found = match name.as_str() {
            "" | "default" => all.iter().find(|source| source["isDefault"] == true),
            name => all
                .iter()
                .find(|source| source["uid"] == name)
                .or_else(|| all.iter().find(|source| source["name"] == name)),
        };
        match found {
            Some(found) if found["type"] == "prometheus" => {
                Source::Prometheus(found["uid"].as_str().unwrap_or_default().to_owned())
            }
            Some(_) => Source::Other,
            None if name.is_empty() || !is_prometheus(kind) => Source::Other,
            None => Source::Missing(name),
        }
    }
}

/// The uids of library panels that have to be read before a dashboard's queries can be seen.
pub(in crate::verify) fn library_panels(dashboard: &Value) -> Vec<String> {
    let bare = panels(dashboard).into_iter().filter(|panel| panel["targets"].is_null());
    bare.filter_map(|panel| panel["libraryPanel"]["uid"].as_str()).map(str::to_owned).collect()
}

/// Every query that the dashboard's panels make when they are shown; `library` gives the model of a library panel.
pub(in crate::verify) fn queries(
    dashboard: &Value,
    variables: &Variables,
    sources: &Sources,
    library: impl Fn(&str) -> Option<Value>,
) -> Vec<Query> {
    let span = Span::of(dashboard);
    let mut found = Vec::new();
    for (index, shown) in panels(dashboard).into_iter().enumerate() {
        let kept = shown["libraryPanel"]["uid"].as_str().filter(|_| shown["targets"].is_null()).and_then(&library);
        let panel = kept.as_ref().unwrap_or(shown);
        let from = match panel["timeFrom"].as_str().filter(|text| !text.is_empty()) {
            Some(length) if length.starts_with("now") => length.to_owned(),
            Some(length) => format!("now-{length}"),
            None => span.from.clone(),
        };
        for target in panel["targets"].as_array().into_iter().flatten() {
            // Hidden ones are not made; a query that was begun and left empty is none.
            let expression = target["expr"].as_str().unwrap_or_default().trim();
            if target["hide"] == true || expression.is_empty() {
                continue;
            }
            let said = if target["datasource"].is_null() { &panel["datasource"] } else { &target["datasource"] };
            let source = sources.find(said, variables);
            if source == Source::Other {
                continue;
            }
            let expression = variables.expand(expression);
            let body = body(target, &expression, &source, panel, variables);
            let reference = target["refId"].as_str().unwrap_or("A").to_owned();
            found.push(Query { panel: title(panel), index, reference, source, expression, body, from: from.clone() });
        }
    }
    found
}

/// How many points of a curve are asked for: whether there is data is seen with few.
const POINTS: u64 = 100;

fn body(target: &Value, expression: &str, source: &Source, panel: &Value, variables: &Variables) -> Value {
    let (Source::Prometheus(uid) | Source::Missing(uid)) = source else { return Value::Null };
    let text = |value: &Value| value.as_str().map(|text| variables.expand(text));
    let interval = text(&target["interval"]).filter(|text| !text.is_empty()).or_else(|| text(&panel["interval"]));
    let instant = target["instant"] == true;
    json!({
        "refId": target["refId"].as_str().unwrap_or("A"),
        "datasource": { "type": "prometheus", "uid": uid },
        "expr": expression,
        "instant": instant,
        "range": target["range"].as_bool().unwrap_or(!instant),
        "format": target["format"].as_str().unwrap_or("time_series"),
        "interval": interval.unwrap_or_default(),
        "maxDataPoints": POINTS,
    })
}

/// All panels, those in rows among them, in both forms that rows ever had.
fn panels(dashboard: &Value) -> Vec<&Value> {
    let old = list_in(&dashboard["rows"]).flat_map(|row| list_in(&row["panels"]));
    let new = list_in(&dashboard["panels"]).flat_map(|panel| {
        let inner = if panel["type"] == "row" { &panel["panels"] } else { &Value::Null };
        std::iter::once(panel).filter(|panel| panel["type"] != "row").chain(list_in(inner))
    });
    old.chain(new).collect()
}

fn list_in(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn title(panel: &Value) -> String {
    match panel["title"].as_str().filter(|title| !title.is_empty()) {
        Some(title) => title.to_owned(),
        None => format!("panel {}", panel["id"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::dashboard::{Expansion, Picked};

    fn sources() -> Sources {
        Sources(Some(vec![
            json!({ "uid": "p", "name": "Prom", "type": "prometheus", "isDefault": true }),
            json!({ "uid": "l", "name": "Logs", "type": "loki" }),
        ]))
    }

    fn seen(dashboard: &Value) -> Vec<String> {
        let variables = Variables(vec![Expansion { name: "ds".into(), value: Picked::One("p".into()) }]);
        let library = |uid: &str| (uid == "lib").then(|| json!({ "title": "Kept", "targets": [{ "expr": "kept" }] }));
        let all = queries(dashboard, &variables, &sources(), library);
        all.iter()
            .map(|query| format!("{} {} {:?} {}", query.panel, query.reference, query.source, query.expression))
            .collect()
    }

    #[test]
    fn rows_library_panels_and_every_way_to_name_a_data_source_are_known() {
        let target = |source: Value| json!([{ "refId": "A", "expr": "up", "datasource": source }]);
        let panel = |title: &str, source: Value| json!({ "type": "stat", "title": title, "targets": target(source) });
        let row = json!({ "type": "row", "title": "Row", "panels": [panel("In a row", json!({ "type": "prometheus", "uid": "${ds}" }))] });
        let mixed =
            json!({ "title": "Mixed", "datasource": { "uid": "-- Mixed --" }, "targets": target(json!("Prom")) });
        let library = json!({ "libraryPanel": { "uid": "lib", "name": "Kept" } });
        let dashboard = json!({
            "panels": [row, mixed, library, panel("Default", Value::Null), panel("Wrong", json!({ "type": "prometheus", "uid": "gone" }))],
            "rows": [{ "panels": [panel("Old row", json!({ "uid": "p" }))] }],
        });
        assert_eq!(library_panels(&dashboard), ["lib"]);
        assert_eq!(
            seen(&dashboard),
            [
                r#"Old row A Prometheus("p") up"#,
                r#"In a row A Prometheus("p") up"#,
                r#"Mixed A Prometheus("p") up"#,
                r#"Kept A Prometheus("p") kept"#,
                r#"Default A Prometheus("p") up"#,
                r#"Wrong A Missing("gone") up"#,
            ]
        );
    }

    #[test]
    fn what_is_hidden_or_not_for_prometheus_is_left_out() {
        let target = |source: Value| json!({ "refId": "A", "expr": "up", "datasource": source });
        let hidden = json!({ "refId": "B", "expr": "up", "hide": true });
        let others = [
            json!({ "uid": "-- Grafana --" }),
            json!({ "uid": "__expr__" }),
            json!({ "uid": "-- Dashboard --" }),
            json!("Logs"),
        ];
        let targets: Vec<Value> =
            others.into_iter().map(target).chain([hidden, json!({ "refId": "C", "expr": " " })]).collect();
        let text = json!({ "type": "text", "title": "Words" });
        assert_eq!(seen(&json!({ "panels": [text, { "title": "Others", "targets": targets }] })), Vec::<String>::new());
    }

    #[test]
    fn without_a_list_of_data_sources_what_a_panel_says_has_to_do() {
        let unknown = Sources(None);
        let find = |said: Value| unknown.find(&said, &Variables::default());
        assert_eq!(find(json!({ "type": "prometheus", "uid": "x" })), Source::Prometheus("x".into()));
        assert_eq!(find(json!({ "type": "loki", "uid": "x" })), Source::Other);
        assert_eq!(find(Value::Null), Source::Other);
    }

    #[test]
    fn a_range_is_sent_as_the_browser_does() {
        let panel = json!({ "id": 4, "timeFrom": "2h", "interval": "1m", "targets": [{ "expr": "up", "instant": true, "interval": "" }] });
        let all = queries(&json!({ "panels": [panel] }), &Variables::default(), &sources(), |_| None);
        assert_eq!((all[0].panel.as_str(), all[0].from.as_str()), ("panel 4", "now-2h"));
        assert_eq!((&all[0].body["range"], &all[0].body["interval"]), (&json!(false), &json!("1m")));
    }
}
