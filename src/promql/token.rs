//! The words of an expression.

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

/// The tokens of an expression, each with the text that it was, quotes included; neither blanks nor comments.
pub(super) fn pieces(expression: &str) -> Vec<(Token<'_>, &str)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let mut pieces = Vec::new();
    let mut rest = expression.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '"' | '\'' | '`' => {
                let inner = text_length(&rest[1..], first);
                let end = (inner + 2).min(rest.len());
                pieces.push((Text(&rest[1..=inner]), &rest[..end]));
                end
            }
            '0'..='9' | '.' => {
                let end = number_length(rest);
                pieces.push((Number(&rest[..end]), &rest[..end]));
                end
            }
            c if is_name(c) => {
                let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
                pieces.push((Word(&rest[..end]), &rest[..end]));
                end
            }
            c => {
                let two = rest.get(..2).filter(|two| ["==", "!=", ">=", "<=", "=~", "!~"].contains(two));
                let end = two.map_or(c.len_utf8(), str::len);
                pieces.push((Mark(&rest[..end]), &rest[..end]));
                end
            }
        };
        rest = rest[end..].trim_start();
    }
    pieces
}

/// The tokens of an expression.
pub(super) fn tokens(expression: &str) -> Vec<Token<'_>> {
    pieces(expression).into_iter().map(|(token, _)| token).collect()
}

/// An expression without blanks and comments, for comparing: texts in quotes stay as they are.
#[must_use]
pub fn compact(expression: &str) -> String {
    let mut out = String::with_capacity(expression.len());
    let mut last_was_word = false;
    for (token, raw) in pieces(expression) {
        // Two words that were apart must not become one: `a or b` is not `aorb`.
        let is_word = matches!(token, Word(_) | Number(_));
        if is_word && last_was_word {
            out.push(' ');
        }
        last_was_word = is_word;
        out.push_str(raw);
    }
    out
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

    #[test]
    fn an_expression_is_the_same_however_it_is_laid_out() {
        let long = "sum by (a) (\n  rate(x[5m]) # per second\n)\n> 0 and  on ( ) y";
        assert_eq!(compact(long), "sum by(a)(rate(x[5m]))>0 and on()y");
        assert_eq!(compact(long), compact("sum by(a) (rate(x[5m]))>0  and on() y"));
        assert_ne!(compact("x{a=\"b c\"}"), compact("x{a=\"bc\"}"));
        assert_ne!(compact("a or b"), compact("aor b"));
        assert_ne!(compact("x{a='# no comment'}"), compact("x{a=''}"));
    }
}
