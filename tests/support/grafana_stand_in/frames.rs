//! Data frames, as 9.4 makes them of Prometheus' answers (recorded; `pkg/util/converter`).

use serde_json::{Map, Value, json};

use super::variables::{Span, go_duration};

/// The frames of one answer: one per series, none where Prometheus found nothing or refused.
pub(super) fn frames(query: &Value, expr: &str, span: Span, answer: &Value) -> Vec<Value> {
    let data = &answer["data"];
    let kind = data["resultType"].as_str().unwrap_or_default();
    let frame = |labels: &Map<String, Value>, points: &[Value]| {
        let meta = json!({
            "type": "timeseries-multi",
            "custom": { "resultType": kind },
            "executedQueryString": format!("Expr: {expr}\nStep: {}", go_duration(span.step)),
        });
        let name = name(query["legendFormat"].as_str().unwrap_or_default(), expr, labels);
        let mut value = match kind {
            "string" => json!({ "name": "Value", "type": "string", "typeInfo": { "frame": "string" } }),
            _ => json!({ "name": "Value", "type": "number", "typeInfo": { "frame": "float64" } }),
        };
        value["labels"] = labels.clone().into();
        let mut schema = json!({ "refId": query["refId"], "meta": meta });
        if !name.is_empty() {
            schema["name"] = name.as_str().into();
            value["config"] = json!({ "displayNameFromDS": name });
        }
        let time = json!({
            "name": "Time", "type": "time", "typeInfo": { "frame": "time.Time" }, "config": { "interval": span.step },
        });
        schema["fields"] = json!([time, value]);
        json!({ "schema": schema, "data": values(kind, points) })
    };
    let none = Map::new();
    let points = std::slice::from_ref(&data["result"]);
    match (kind, data["result"].as_array()) {
        ("scalar" | "string", Some(_)) => vec![frame(&none, points)],
        ("matrix" | "vector", Some(series)) => series
            .iter()
            .map(|one| {
                let labels = one["metric"].as_object().unwrap_or(&none);
                match one["values"].as_array() {
                    Some(points) => frame(labels, points),
                    None => frame(labels, std::slice::from_ref(&one["value"])),
                }
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// Times and values; JSON has no NaN, so those are null and listed beside.
fn values(kind: &str, points: &[Value]) -> Value {
    let mut entities = Map::new();
    let mut times = Vec::new();
    let mut values = Vec::new();
    for (index, point) in points.iter().enumerate() {
        times.push(json!((point[0].as_f64().unwrap_or_default() * 1000.0).round()));
        let text = point[1].as_str().unwrap_or_default();
        let special = match text {
            "NaN" => "NaN",
            "+Inf" => "Inf",
            "-Inf" => "NegInf",
            _ => {
                values.push(if kind == "string" { text.into() } else { json!(text.parse::<f64>().ok()) });
                continue;
            }
        };
        values.push(Value::Null);
        if let Value::Array(list) = entities.entry(special).or_insert(json!([])) {
            list.push(index.into());
        }
    }
    let mut data = json!({ "values": [times, values] });
    if !entities.is_empty() {
        data["entities"] = json!([null, entities]);
    }
    data
}

/// The legend: the format filled in, or the series as Prometheus writes it; without labels, the expression.
fn name(format: &str, expr: &str, labels: &Map<String, Value>) -> String {
    let name = match format {
        "" => series(labels),
        "__auto" if labels.is_empty() => series(labels),
        "__auto" => String::new(),
        _ => fill(format, labels),
    };
    if name == "{}" { expr.to_owned() } else { name }
}

fn series(labels: &Map<String, Value>) -> String {
    let metric = labels.get("__name__").and_then(Value::as_str);
    let mut pairs: Vec<_> =
        labels.iter().filter(|(key, _)| *key != "__name__").map(|(key, value)| format!("{key}={value}")).collect();
    pairs.sort();
    match (metric, pairs.is_empty()) {
        (Some(metric), true) => metric.to_owned(),
        _ => format!("{}{{{}}}", metric.unwrap_or_default(), pairs.join(", ")),
    }
}

fn fill(format: &str, labels: &Map<String, Value>) -> String {
    let mut out = String::new();
    let mut rest = format;
    while let Some((before, tail)) = rest.split_once("{{") {
        let Some((label, after)) = tail.split_once("}}") else { break };
        out.push_str(before);
        out.push_str(labels.get(label.trim()).and_then(Value::as_str).unwrap_or_default());
        rest = after;
    }
    out + rest
}
