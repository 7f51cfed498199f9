//! What a panel's query brought, read from the frames of `/api/ds/query`.

use serde_json::Value;

use crate::http::excerpt;

/// How a query or a panel stands, worst last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::verify) enum Class {
    /// At least one number that is not zero.
    Data,
    /// Numbers, and all of them zero.
    Zeros,
    /// No number: no series, or nothing but NaN.
    Empty,
    /// Refused: says why.
    Error(String),
}

/// The class of one query's result, `results.A` of the answer.
pub(in crate::verify) fn classify(result: &Value) -> Class {
    if let Some(error) = result["error"].as_str().filter(|error| !error.is_empty()) {
        return Class::Error(excerpt(error));
    }
    if let Some(status) = result["status"].as_u64().filter(|status| *status >= 400) {
        return Class::Error(format!("status {status} without a reason"));
    }
    let mut class = Class::Empty;
    for frame in result["frames"].as_array().into_iter().flatten() {
        let fields = frame["schema"]["fields"].as_array().into_iter().flatten();
        let values = frame["data"]["values"].as_array().into_iter().flatten();
        for (_, values) in fields.zip(values).filter(|(field, _)| field["type"] != "time") {
            match of(values) {
                Class::Data => return Class::Data,
                found => class = class.min(found),
            }
        }
    }
    class
}

/// The class of one column. Text is data: a table of labels shows something.
fn of(values: &Value) -> Class {
    let mut class = Class::Empty;
    for value in values.as_array().into_iter().flatten() {
        match value {
            Value::Null => {}
            Value::Number(number) if number.as_f64() == Some(0.0) => class = Class::Zeros,
            _ => return Class::Data,
        }
    }
    class
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of_values(values: &Value) -> Class {
        let fields = json!([{ "type": "time" }, { "type": "number" }]);
        classify(
            &json!({ "status": 200, "frames": [{ "schema": { "fields": fields }, "data": { "values": [[1, 2], values] } }] }),
        )
    }

    #[test]
    fn data_zeros_and_nothing_are_told_apart() {
        assert_eq!(of_values(&json!([0, 0.5])), Class::Data);
        assert_eq!(of_values(&json!([0, null])), Class::Zeros);
        assert_eq!(of_values(&json!([null, null])), Class::Empty);
    }

    #[test]
    fn both_forms_of_empty_and_both_forms_of_an_error_are_known() {
        assert_eq!(classify(&json!({ "status": 200, "frames": [] })), Class::Empty);
        let frame = json!({ "schema": { "fields": [] }, "data": { "values": [] } });
        assert_eq!(classify(&json!({ "frames": [frame] })), Class::Empty);
        assert_eq!(classify(&json!({ "status": 400, "error": "parse error" })), Class::Error("parse error".into()));
        assert_eq!(classify(&json!({ "status": 500 })), Class::Error("status 500 without a reason".into()));
    }
}
