//! As much of `PromQL` as it takes to tell the names of series and the limits in an expression. Whether the expression
//! is right is promtool's to judge.

/// What an expression is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A name, a keyword or a function.
    Word(&'a str),
    /// A number or a duration.
    Number(&'a str),
    /// What stands between quotes.
    Text(&'a str),
    /// Anything else: operators, brackets, commas.
    Mark(&'a str),
}

use Token::{Mark, Number, Text, Word};

/// Keywords that a list of label names in parentheses follows.
const GROUPING: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];

/// The operators that keep what is beyond a limit.
pub(super) const COMPARISONS: [&str; 6] = ["==", "!=", ">=", "<=", ">", "<"];

/// The names that stand where a series is selected, in their order, keywords among them. Names of functions, of labels,
/// in texts and in comments are not.
#[must_use]
pub(super) fn selected(expression: &str) -> Vec<&str> {
    let tokens = tokens(expression);
    let mut names = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let next = tokens.get(at + 1);
        match token {
            Mark("{") => {
                let end = closing(&tokens, at);
                names.extend(named_in_braces(&tokens[at..end]));
                at = end;
            }
            Mark("[") => at = closing(&tokens, at),
            Word(word) if next == Some(&Mark("(")) => {
                if GROUPING.contains(&word.to_ascii_lowercase().as_str()) {
                    at = closing(&tokens, at + 1);
                }
            }
            Word(word) => names.push(*word),
            Number(_) | Text(_) | Mark(_) => {}
        }
        at += 1;
    }
    names
}

/// `{__name__="up"}`, or `{"up"}` as Prometheus 3 has it; a pattern names nothing.
fn named_in_braces<'a>(tokens: &[Token<'a>]) -> Option<&'a str> {
    let named = tokens.windows(3).find_map(|three| match three {
        [Word("__name__") | Text("__name__"), Mark("="), Text(name)] => Some(*name),
        _ => None,
    });
    // A text alone, neither label nor value: the one behind the last has no token of its own.
    let alone = |at: usize| {
        let before = matches!(tokens.get(at.wrapping_sub(1)), Some(Mark("{" | ",")));
        before && matches!(tokens.get(at + 1), None | Some(Mark(",")))
    };
    let quoted = || {
        tokens.iter().enumerate().find_map(|(at, token)| match token {
            Text(name) if alone(at) => Some(*name),
            _ => None,
        })
    };
    named.or_else(quoted)
}

/// The limits that an expression compares with, such as `> 0.05`: those that are not inside of others.
#[must_use]
pub fn thresholds(expression: &str) -> Vec<String> {
    let tokens = tokens(expression);
    let mut found: Vec<(usize, String)> = Vec::new();
    let (mut at, mut level) = (0, 0_usize);
    while let Some(token) = tokens.get(at) {
        match token {
            Mark("{" | "[") => at = closing(&tokens, at),
            Mark("(") => level += 1,
            Mark(")") => level = level.saturating_sub(1),
            Mark(mark) if COMPARISONS.contains(mark) => {
                found.extend(limit(&tokens[at + 1..]).map(|limit| (level, format!("{mark} {limit}"))));
            }
            _ => {}
        }
        at += 1;
    }
    let depth = found.iter().map(|(depth, _)| *depth).min();
    let outermost = found.into_iter().filter(|(of, _)| Some(*of) == depth);
    let mut limits: Vec<String> = outermost.map(|(_, limit)| limit).collect();
    limits.dedup();
    limits
}

/// The number behind a comparison, unless more is calculated with it.
fn limit(tokens: &[Token<'_>]) -> Option<String> {
    let tokens = tokens.strip_prefix(&[Word("bool")]).unwrap_or(tokens);
    let (sign, tokens) = tokens.strip_prefix(&[Mark("-")]).map_or(("", tokens), |rest| ("-", rest));
    let (Number(number), rest) = tokens.split_first()? else { return None };
    let calculated = matches!(rest.first(), Some(Mark("+" | "-" | "*" | "/" | "%" | "^")));
    (!calculated).then(|| format!("{sign}{number}"))
}

/// Where the bracket that opens at `at` is closed, or the end.
pub(super) fn closing(tokens: &[Token<'_>], at: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(at) {
        match token {
            Mark("(" | "{" | "[") => depth += 1,
            Mark(")" | "}" | "]") => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return index;
        }
    }
    tokens.len()
}

pub(super) fn tokens(expression: &str) -> Vec<Token<'_>> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let mut tokens = Vec::new();
    let mut rest = expression.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = |while_true: &dyn Fn(char) -> bool| rest.find(|c| !while_true(c)).unwrap_or(rest.len());
        let end = match first {
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '"' | '\'' | '`' => {
                let inner = text_length(&rest[1..], first);
                tokens.push(Text(&rest[1..=inner]));
                (inner + 2).min(rest.len())
            }
            '0'..='9' | '.' => {
                let end = number_length(rest);
                tokens.push(Number(&rest[..end]));
                end
            }
            c if is_name(c) => {
                let end = length(&is_name);
                tokens.push(Word(&rest[..end]));
                end
            }
            c => {
                let two = rest.get(..2).filter(|two| ["==", "!=", ">=", "<=", "=~", "!~"].contains(two));
                let end = two.map_or(c.len_utf8(), str::len);
                tokens.push(Mark(&rest[..end]));
                end
            }
        };
        rest = rest[end..].trim_start();
    }
    tokens
}

/// The length of a text up to its closing quote; only backquotes know no escapes.
fn text_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote != '`' => escaped = true,
            c if c == quote => return at,
            _ => {}
        }
    }
    text.len()
}

/// The length of `5`, `0x1f`, `1.5e-3`, `1h30m`.
fn number_length(text: &str) -> usize {
    let mut before = ' ';
    let decimal = !text.starts_with("0x") && !text.starts_with("0X");
    for (at, c) in text.char_indices() {
        let sign = decimal && matches!(c, '+' | '-') && matches!(before, 'e' | 'E');
        if !(c.is_ascii_alphanumeric() || c == '.' || c == '_' || sign) {
            return at;
        }
        before = c;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(expression: &str) -> Vec<&str> {
        selected(expression).into_iter().filter(|name| name.starts_with("moko_")).collect()
    }

    #[test]
    fn only_what_selects_a_series_is_a_name() {
        for (expression, expected) in [
            ("moko_a", vec!["moko_a"]),
            (
                "sum by (moko_label) (rate(moko_a[5m])) / on(moko_label) group_left (moko_b) moko_c",
                vec!["moko_a", "moko_c"],
            ),
            ("sum(moko_a) BY (moko_label)", vec!["moko_a"]),
            (r#"moko_a{x="moko_b", moko_label!="moko_c", y=~'moko_d\' moko_e'}"#, vec!["moko_a"]),
            (r#"{__name__="moko_a", job="x"} or {job="x",__name__='moko_b'}"#, vec!["moko_a", "moko_b"]),
            (r#"{__name__=~"moko_.*"} or {__name__!="moko_a"}"#, vec![]),
            (
                r#"{"moko_a"} or {"moko_b", x="moko_c"} or {"x"="moko_d"} or {x="y", "moko_e"}"#,
                vec!["moko_a", "moko_b", "moko_e"],
            ),
            ("moko_a # moko_b\n+ moko_c", vec!["moko_a", "moko_c"]),
            ("`moko_a` + label_replace(up, \"moko_b\", '$1', 'moko_c', \"\") + moko_function(1)", vec![]),
            ("max_over_time(moko_a[1h:5m] offset 5m) @ end() > bool 1e-3", vec!["moko_a"]),
            ("(moko_a", vec!["moko_a"]),
            ("moko_a{x=\"", vec!["moko_a"]),
            ("", vec![]),
        ] {
            assert_eq!(ours(expression), expected, "{expression}");
        }
    }

    #[test]
    fn recorded_series_are_names_as_a_whole() {
        assert_eq!(selected("script_name:moko_x:p95 > 1"), ["script_name:moko_x:p95"]);
    }

    #[test]
    fn the_limit_is_the_outermost_comparison_with_a_number() {
        for (expression, expected) in [
            ("sum(a) / (sum(b) >= 10) > 0.05", vec!["> 0.05"]),
            ("max by (x) (a == 1)", vec!["== 1"]),
            ("(a > 0 and a <= 300) and b < 0.1", vec!["< 0.1"]),
            ("a > 0 and a <= 3e2", vec!["> 0", "<= 3e2"]),
            ("a > bool -5", vec!["> -5"]),
            ("a > 2 * b", vec![]),
            (r#"a{x!="1"} unless b[5m]"#, vec![]),
            ("absent(a)", vec![]),
        ] {
            assert_eq!(thresholds(expression), expected, "{expression}");
        }
    }
}
