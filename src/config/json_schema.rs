//! The JSON Schema of `moko-mon.yaml`, so that editors complete and check it.

use serde_json::{Map, Value, json};

use super::schema::{Field, Foreign, Kind, SETTINGS};

/// The schema, in draft 2020-12.
#[must_use]
pub fn json_schema() -> Value {
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".to_owned(), json!("moko-mon.yaml"));
    schema.insert("description".to_owned(), json!("The settings of moko-mon; every one of them has a default."));
    schema.extend(group(SETTINGS));
    Value::Object(schema)
}

/// A mapping with exactly these keys; nothing at all stands for an empty one.
fn group(fields: &[Field]) -> Map<String, Value> {
    let properties: Map<String, Value> = fields.iter().map(|field| (field.key.to_owned(), property(field))).collect();
    let required: Vec<&str> = fields.iter().filter(|field| field.required).map(|field| field.key).collect();
    let mut out = Map::new();
    // A mapping that must have keys cannot be left empty.
    out.insert("type".to_owned(), if required.is_empty() { json!(["object", "null"]) } else { json!("object") });
    out.insert("properties".to_owned(), Value::Object(properties));
    if !required.is_empty() {
        out.insert("required".to_owned(), json!(required));
    }
    out.insert("additionalProperties".to_owned(), json!(false));
    out
}

/// One setting with its description and default.
fn property(field: &Field) -> Value {
    let mut out = shape(&field.kind);
    out.insert("description".to_owned(), json!(field.doc));
    let default = match (&field.kind, field.default) {
        (Kind::Scalar(scalar), Some(text)) => scalar.check(text, true).ok(),
        (Kind::List(_), Some(_)) => Some(json!([])),
        (Kind::Labels | Kind::Map(_), Some(_)) => Some(json!({})),
        (Kind::Scalar(_) | Kind::Group(_) | Kind::List(_) | Kind::Labels | Kind::Map(_) | Kind::Foreign(_), _) => None,
    };
    if let Some(default) = default {
        out.insert("default".to_owned(), default);
    }
    if let (Kind::Scalar(_), Some(example)) = (&field.kind, field.example) {
        out.insert("examples".to_owned(), json!([example]));
    }
    Value::Object(out)
}

/// What may stand at a key.
fn shape(kind: &Kind) -> Map<String, Value> {
    let value = match kind {
        Kind::Scalar(scalar) => scalar.json_schema(),
        Kind::Group(fields) => return group(fields),
        Kind::List(item) => json!({"type": ["array", "null"], "items": shape(item)}),
        Kind::Labels => json!({
            "type": ["object", "null"],
            "propertyNames": {"pattern": "^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$"},
            "additionalProperties": {"type": ["string", "number", "boolean"]},
        }),
        Kind::Map(item) => json!({"type": ["object", "null"], "additionalProperties": shape(item)}),
        Kind::Foreign(Foreign::Integrations) => json!({
            "type": "object",
            "patternProperties": {"^[a-z0-9]+_configs$": {"type": "array", "items": {"type": "object"}}},
            "additionalProperties": false,
        }),
        Kind::Foreign(Foreign::Route) => json!({
            "type": "object",
            "properties": {"receiver": {"type": "string"}, "matchers": {"type": "array", "items": {"type": "string"}}},
        }),
        Kind::Foreign(Foreign::RemoteWrite) => json!({
            "type": "object",
            "properties": {"url": {"type": "string", "pattern": "^https?://[^@\\s]+$"}},
            "required": ["url"],
        }),
    };
    match value {
        Value::Object(map) => map,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    }
}
