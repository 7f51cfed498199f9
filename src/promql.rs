//! As much of `PromQL` as can be said without a server: the words of an expression.

use std::collections::BTreeSet;

/// Words that aggregate, which may stand apart from their parentheses.
const AGGREGATIONS: [&str; 14] = [
    "sum",
    "min",
    "max",
    "avg",
    "group",
    "stddev",
    "stdvar",
    "count",
    "count_values",
    "bottomk",
    "topk",
    "quantile",
    "limitk",
    "limit_ratio",
];
/// Words behind which a list of labels stands.
const LABEL_LISTS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];
/// All other words that are no names.
const WORDS: [&str; 8] = ["and", "or", "unless", "bool", "offset", "atan2", "inf", "nan"];

/// A piece of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token<'a> {
    /// A name or keyword.
    Word(&'a str),
    /// A text without its quotes.
    Text(&'a str),
    /// Anything else, as it stands.
    Other(&'a str),
}

/// The names of the metrics that an expression asks for.
#[must_use]
pub fn metrics(expression: &str) -> BTreeSet<String> {
    let tokens = tokens(expression);
    let at = |index: usize| tokens.get(index);
    let opens = |index: usize| matches!(at(index), Some(Token::Other("(")));
    let mut names = BTreeSet::new();
    let mut index = 0;
    while let Some(token) = at(index) {
        match token {
            Token::Word(word) => {
                let lower = word.to_ascii_lowercase();
                if LABEL_LISTS.contains(&lower.as_str()) {
                    if opens(index + 1) {
                        index = behind(&tokens, index + 1, "(", ")");
                        continue;
                    }
                } else if !opens(index + 1) && !WORDS.contains(&lower.as_str()) && !aggregates(&tokens, index, &lower) {
                    names.insert((*word).to_owned());
                }
            }
            Token::Other("{") => {
                let end = behind(&tokens, index, "{", "}");
                names.extend(named(tokens.get(index..end).unwrap_or_default()));
                index = end;
                continue;
            }
            Token::Other("[") => {
                index = behind(&tokens, index, "[", "]");
                continue;
            }
            // `@ start()` and `@ end()` are calls; a number is no word.
            Token::Text(_) | Token::Other(_) => {}
        }
        index += 1;
    }
    names
}

/// An expression without blanks and comments, for comparing: texts in quotes stay as they are.
#[must_use]
pub fn compact(expression: &str) -> String {
    // Two words that were apart must not become one: `a or b` is not `aorb`.
    let mut out = String::with_capacity(expression.len());
    let mut last_was_word = false;
    for piece in pieces(expression) {
        let word = piece.starts_with(is_word);
        if word && last_was_word {
            out.push(' ');
        }
        last_was_word = word;
        out.push_str(piece);
    }
    out
}

/// Whether a word is an aggregation whose labels stand before its parentheses: `sum by (job) (x)`.
fn aggregates(tokens: &[Token<'_>], index: usize, word: &str) -> bool {
    let next = match tokens.get(index + 1) {
        Some(Token::Word(next)) => next.to_ascii_lowercase(),
        _ => return false,
    };
    AGGREGATIONS.contains(&word) && (next == "by" || next == "without")
}

/// The name in `{__name__="x", …}` or `{"x", …}`.
fn named(braces: &[Token<'_>]) -> Option<String> {
    let quoted = braces.windows(3).find_map(|three| match three {
        [Token::Word("__name__"), Token::Other("="), Token::Text(name)] => Some((*name).to_owned()),
        _ => None,
    });
    let bare = braces.windows(3).find_map(|three| match three {
        [Token::Other("{" | ","), Token::Text(name), Token::Other("}" | ",")] => Some((*name).to_owned()),
        _ => None,
    });
    quoted.or(bare)
}

/// The index behind the bracket that closes the one at `index`.
fn behind(tokens: &[Token<'_>], index: usize, open: &str, close: &str) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(index) {
        match token {
            Token::Other(other) if *other == open => depth += 1,
            Token::Other(other) if *other == close => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    tokens.len()
}

fn tokens(expression: &str) -> Vec<Token<'_>> {
    let token = |piece| {
        let text: &str = piece;
        match text.chars().next() {
            Some('"' | '\'' | '`') => Token::Text(text.get(1..text.len().saturating_sub(1)).unwrap_or_default()),
            Some(first) if is_word(first) && !first.is_ascii_digit() => Token::Word(text),
            _ => Token::Other(text),
        }
    };
    pieces(expression).map(token).collect()
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == ':' || c == '.'
}

/// Words, numbers, texts with their quotes, and single other characters; neither blanks nor comments.
fn pieces(expression: &str) -> impl Iterator<Item = &str> {
    let mut rest = expression;
    std::iter::from_fn(move || {
        loop {
            rest = rest.trim_start();
            match rest.strip_prefix('#') {
                Some(comment) => rest = comment.split_once('\n').map_or("", |(_, behind)| behind),
                None => break,
            }
        }
        let first = rest.chars().next()?;
        let length = match first {
            '"' | '\'' | '`' => quoted(rest, first),
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (piece, behind) = rest.split_at(length);
        rest = behind;
        Some(piece)
    })
}

/// The length of a text that starts with this quote, both quotes included.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == quote && !escaped {
            return at + c.len_utf8();
        }
        escaped = c == '\\' && !escaped && quote != '`';
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(expression: &str) -> Vec<String> {
        metrics(expression).into_iter().collect()
    }

    #[test]
    fn metrics_are_told_from_everything_else() {
        assert_eq!(of("up"), ["up"]);
        assert_eq!(of("sum by (job, le) (rate(a_total{job=\"x\", b!~'y{2}'}[5m] offset 1h)) > 2.5e3"), ["a_total"]);
        assert_eq!(of("sum(rate(a[5m])) by (job) / on(job) group_left(team) b:c"), ["a", "b:c"]);
        assert_eq!(of("a and on() b unless ignoring (x) c or vector(time()) > bool Inf"), ["a", "b", "c"]);
        assert_eq!(of("{__name__=\"a\", x=\"b\"} + {\"c.d\"} # and e\n + f @ start()"), ["a", "c.d", "f"]);
        assert_eq!(of("histogram_quantile(0.9, sum without (instance) (rate(a_bucket[10m:1m])))"), ["a_bucket"]);
        assert_eq!(of("count_values(\"version\", build_info) == 1 or absent(b)"), ["b", "build_info"]);
        assert_eq!(of("topk by (job) (3, a) and SUM BY (x) (b)"), ["a", "b"]);
        assert_eq!(of("sum == 1"), ["sum"], "a metric may be named as people like");
        assert_eq!(of("label_replace(a, \"x\", \"$1\", \"y\", `(.*)\\`)"), ["a"]);
        assert_eq!(of(""), Vec::<String>::new());
    }

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
