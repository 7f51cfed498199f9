//! Writes YAML that every reader understands alike.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

use crate::error::{Code, Error, Result};

/// Words that a YAML 1.1 reader takes for a boolean or null, in lower case.
const TRAPS: [&str; 10] = ["true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan"];

/// `value` as YAML in block style, keys in the order in which they were declared.
///
/// Fails only for what has no JSON form, such as a map whose keys are not strings.
pub fn to_string<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    let value = serde_json::to_value(value)
        .map_err(|error| Error::new(Code::Io, "could not write YAML").cause(error.to_string()))?;
    let mut out = String::new();
    match &value {
        Value::Object(entries) if !entries.is_empty() => mapping(&mut out, entries, 0, false),
        Value::Array(items) if !items.is_empty() => sequence(&mut out, items, 0, false),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            // Indented, or else a line `---` in a text would end the document.
            out.push_str(&scalar(&value, 2));
            out.push('\n');
        }
    }
    Ok(out)
}

/// Writes the entries of a mapping; `inline` leaves out the first indentation, for use after `- `.
fn mapping(out: &mut String, entries: &serde_json::Map<String, Value>, indent: usize, inline: bool) {
    for (index, (key, value)) in entries.iter().enumerate() {
        if index > 0 || !inline {
            out.push_str(&" ".repeat(indent));
        }
        out.push_str(&quoted_if_needed(key));
        out.push(':');
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                out.push('\n');
                mapping(out, inner, indent + 2, false);
            }
            Value::Array(items) if !items.is_empty() => {
                out.push('\n');
                sequence(out, items, indent + 2, false);
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                out.push(' ');
                out.push_str(&scalar(value, indent + 2));
                out.push('\n');
            }
        }
    }
}

/// Writes the items of a sequence; `inline` as in [`mapping`].
fn sequence(out: &mut String, items: &[Value], indent: usize, inline: bool) {
    for (index, item) in items.iter().enumerate() {
        if index > 0 || !inline {
            out.push_str(&" ".repeat(indent));
        }
        out.push_str("- ");
        match item {
            Value::Object(inner) if !inner.is_empty() => mapping(out, inner, indent + 2, true),
            Value::Array(inner) if !inner.is_empty() => sequence(out, inner, indent + 2, true),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                out.push_str(&scalar(item, indent + 2));
                out.push('\n');
            }
        }
    }
}

/// What fits behind `key:` or `- `, without the final line break; `indent` is that of a block beneath it.
fn scalar(value: &Value, indent: usize) -> String {
    match value {
        Value::String(text) => block(text, indent).unwrap_or_else(|| quoted_if_needed(text)),
        Value::Array(_) => "[]".to_owned(),
        Value::Object(_) => "{}".to_owned(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// A text of several lines as a literal block, if that form keeps it exactly.
fn block(text: &str, indent: usize) -> Option<String> {
    let body = text.trim_end_matches('\n');
    let exact = body.contains('\n')
        && !body.starts_with([' ', '\n'])
        && body.chars().all(|c| c == '\n' || is_printable(c))
        && body.lines().all(|line| !line.ends_with(' '));
    if !exact {
        return None;
    }
    let header = match text.len() - body.len() {
        0 => "|-",
        1 => "|",
        _ => return None,
    };
    let margin = " ".repeat(indent);
    let lines: Vec<String> =
        body.split('\n').map(|line| if line.is_empty() { String::new() } else { format!("{margin}{line}") }).collect();
    Some(format!("{header}\n{}", lines.join("\n")))
}

/// The text itself where no reader can take it for anything else, or else in double quotes.
fn quoted_if_needed(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { quoted(text) }
}

/// Whether every YAML reader takes the bare text for this very string.
///
/// Deliberately narrow: words and paths that start with a letter, `/` or `_`, and durations. What starts with
/// another digit may be a number, a date or a time to somebody.
fn is_plain(text: &str) -> bool {
    let word = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '_')
        && !text.ends_with(':')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_./:-".contains(c))
        && !TRAPS.contains(&text.to_ascii_lowercase().as_str());
    let duration = text.starts_with(|c: char| c.is_ascii_digit())
        && text.ends_with(|c| "smhdwy".contains(c))
        && text.chars().all(|c| c.is_ascii_digit() || "smhdwy".contains(c));
    word || duration
}

/// The text in double quotes, with everything escaped that a reader may refuse or change.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_printable(c) => out.push(c),
            c => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\U{:08X}", u32::from(c));
            }
        }
    }
    out.push('"');
    out
}

/// Whether a character may stand as it is: printable in YAML, visible, and not a line break to any reader.
fn is_printable(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}')
        && !super::read::is_bidi(c)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::yaml::from_str;

    #[test]
    fn block_style_with_quotes_only_where_a_reader_needs_them() {
        let value = json!({
            "global": {"scrape_interval": "15s", "external_labels": {}},
            "rule_files": ["/etc/prometheus/rules/*.yml"],
            "scrape_configs": [{"job_name": "prometheus", "static_configs": [{"targets": ["localhost:9090"]}]}],
            "on": "off",
            "port": 9090, "text": "9090", "none": null, "empty": "", "lists": [[1, 2], []],
            "expr": "sum(\n  x\n)", "doc": "two\nlines\n", "odd": " two\nlines",
        });
        insta::assert_snapshot!(to_string(&value).unwrap(), @r#"
        global:
          scrape_interval: 15s
          external_labels: {}
        rule_files:
          - "/etc/prometheus/rules/*.yml"
        scrape_configs:
          - job_name: prometheus
            static_configs:
              - targets:
                  - localhost:9090
        "on": "off"
        port: 9090
        text: "9090"
        none: null
        empty: ""
        lists:
          - - 1
            - 2
          - []
        expr: |-
          sum(
            x
          )
        doc: |
          two
          lines
        odd: " two\nlines"
        "#);
    }

    /// Strings that one reader or another takes for something else (YAML 1.1: `PyYAML`, Go's older readers).
    #[rustfmt::skip]
    const AWKWARD: &[&str] = &[
        "on", "off", "yes", "no", "y", "n", "Y", "N", "Yes", "NO", "On", "TRUE", "False", "null", "Null", "~", "",
        "12:30:00", "2026-11-22", "2026-11-22T10:00:00Z", "1_000", "0x1f", "0o17", "017", "0b1", "1e3", "1.5", ".5",
        ".inf", "-.INF", ".nan", "NaN", "+1", "-1", "=", "<<", "!x", "&x", "*x", "- x", "-", "? x", ": x", "x: y",
        "x:", "x #y", "#x", "{x}", "[x]", "{{ $labels.instance }}", "@x", "`x`", "%x", "|", ">", "'", "\"", "\\",
        "x\ty", " x", "x ", "a\nb", "a\nb\n", "a\n\nb\n\n", "\na", " a\nb", "a \nb", "a\r\nb", "\u{7f}", "\u{85}",
        "\u{a0}", "\u{2028}", "\u{feff}x", "\u{202e}x", "ä", "😀", "\0", "15s", "1h30m", "1d", "0d", "---", "...",
        "--- a\n--- b", "a\n---\nb", "/etc/x", "prom/prometheus:v3.1.0", "http://a:1/b", "C:\\x", "1.2.3.4:9090",
        "::1", "x,y", "a\n# b\n",
    ];

    #[test]
    fn every_string_comes_back_as_that_string() {
        for text in AWKWARD {
            for value in
                [json!(text), json!({"k": text}), json!([text]), json!({"k": [{"j": text}]}), json!({*text: 1})]
            {
                let yaml = to_string(&value).unwrap();
                assert_eq!(from_str::<Value>(&yaml).unwrap(), value, "serde_yaml reads {yaml}");
            }
        }
    }

    #[test]
    fn words_that_yaml_1_1_reads_as_something_else_are_quoted() {
        for text in AWKWARD.iter().filter(|text| !text.contains('\n')) {
            let yaml = to_string(&json!({"k": text})).unwrap();
            let bare = yaml.trim_end().trim_start_matches("k: ");
            let safe = bare.starts_with('"') || is_plain(text);
            assert!(safe, "{yaml}");
        }
        for trap in ["on", "No", "y", "12:30:00", "2026-11-22", "1_000", "=", "<<", "1e3", "0x1f", ".inf", "~"] {
            assert_eq!(to_string(trap).unwrap(), format!("\"{trap}\"\n"));
        }
    }
}
