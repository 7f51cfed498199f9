//! The commented starting file of `moko-mon init`.

use super::schema::{Field, Kind, SETTINGS};

/// How wide the lines of explanation are.
const WIDTH: usize = 100;

const HEAD: &str = "\
# The settings of moko-mon. Every line below shows a default: a setting that is left out keeps it.
#
# `#key: value` is a setting: take the `#` away, and that of the heading above it. `# text` explains.
# Stronger than this file are environment variables (`MOKO_MON_PROMETHEUS_PORT=9090`) and flags
# (`--set prometheus.port=9090`). `moko-mon config check` checks it, `moko-mon config show` tells where each
# value comes from, `moko-mon config schema > moko-mon.schema.json` lets editors complete it.
";

/// The text of the file: every setting with its explanation, commented out.
#[must_use]
pub fn starting_file() -> String {
    let mut lines = Vec::new();
    fields(&mut lines, SETTINGS, 0);
    format!("{HEAD}{}\n", lines.join("\n"))
}

/// Each field with its explanation; the margin stands in front of the `#`, so that taking the `#` away is enough.
fn fields(lines: &mut Vec<String>, table: &[Field], indent: usize) {
    let margin = " ".repeat(indent);
    for field in table {
        if indent == 0 {
            lines.push(String::new());
        }
        lines.extend(wrapped(field.doc, &format!("{margin}# ")));
        if let Kind::Group(inner) = field.kind {
            lines.push(format!("{margin}#{}:", field.key));
            fields(lines, inner, indent + 2);
            continue;
        }
        if let Some(default) = field.default {
            lines.push(format!("{margin}#{}: {default}", field.key));
        }
        if let Some(example) = field.example {
            lines.push(format!("{margin}# For example:"));
            lines.extend(example_lines(field, example).iter().map(|line| format!("{margin}#   {line}")));
        }
    }
}

/// A field as somebody might set it.
fn example_lines(field: &Field, example: &str) -> Vec<String> {
    if matches!(field.kind, Kind::Scalar(_)) {
        return vec![format!("{}: {example}", field.key)];
    }
    let mut lines = vec![format!("{}:", field.key)];
    lines.extend(example.lines().map(|line| format!("  {line}")));
    lines
}

/// The words of a text in lines that start with `prefix`.
fn wrapped(text: &str, prefix: &str) -> Vec<String> {
    let mut lines = vec![prefix.to_owned()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < WIDTH || line.len() == prefix.len() => {
                if line.len() > prefix.len() {
                    line.push(' ');
                }
                line.push_str(word);
            }
            _ => lines.push(format!("{prefix}{word}")),
        }
    }
    lines
}
