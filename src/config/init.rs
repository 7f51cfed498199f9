//! The commented starting file of `moko-mon init`.

use super::schema::{Field, Kind, SETTINGS};

/// How wide the lines of explanation are.
const WIDTH: usize = 100;

const HEAD: &str = "\
# The settings of moko-mon. Every line below shows a default: a setting that is left out keeps it.
#
# `#key: value` is a setting to uncomment (together with the heading above it); `# text` explains.
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

fn fields(lines: &mut Vec<String>, fields_: &[Field], indent: usize) {
    let margin = " ".repeat(indent);
    for field in fields_ {
        if indent == 0 {
            lines.push(String::new());
        }
        lines.extend(wrapped(field.doc, &format!("# {margin}")));
        match (&field.kind, field.default) {
            (Kind::Group(inner), _) => {
                lines.push(format!("#{margin}{}:", field.key));
                fields(lines, inner, indent + 2);
                continue;
            }
            (_, Some(default)) => lines.push(format!("#{margin}{}: {default}", field.key)),
            (_, None) => {}
        }
        example(lines, field, &margin);
    }
}

/// What to write where the default does not show it, as lines that are no settings yet.
fn example(lines: &mut Vec<String>, field: &Field, margin: &str) {
    let Some(example) = field.example else { return };
    lines.push(format!("# {margin}For example:"));
    if matches!(field.kind, Kind::Scalar(_)) {
        lines.push(format!("# {margin}  {}: {example}", field.key));
    } else {
        lines.push(format!("# {margin}  {}:", field.key));
        lines.extend(example.lines().map(|line| format!("# {margin}    {line}")));
    }
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
