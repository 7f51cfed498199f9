//! What has to hold so that an expression has a result: its parts that compare a value with a limit.

use super::Comparison;
use super::token::{Token, pieces};
use Token::{Mark, Word};

/// The functions whose result has series exactly where their argument has.
const WRAPPERS: [&str; 8] = ["sum", "min", "max", "avg", "group", "count", "sort", "sort_desc"];

/// One part of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// What is compared; the whole part where nothing is.
    pub left: String,
    /// How, and with what; `None` where the part holds as soon as it has a result.
    pub limit: Option<(Comparison, String)>,
    /// Whether it stands behind `unless`: then it must not hold.
    pub negated: bool,
}

/// The parts of an expression that all have to hold, in their order. Where it has alternatives (`or`), it is one part.
#[must_use]
pub fn conditions(expression: &str) -> Vec<Condition> {
    let expression = bare(expression);
    let parts = operands(expression);
    if parts.len() > 1 {
        if parts.iter().any(|(joined, _)| *joined == Joined::Or) {
            return vec![whole(expression)];
        }
        let parts = parts.into_iter().flat_map(|(joined, part)| match joined {
            Joined::Unless => vec![Condition { negated: true, ..whole(part) }],
            Joined::And | Joined::Or => conditions(part),
        });
        return parts.collect();
    }
    if let Some((left, operator, right)) = compared(expression) {
        return vec![Condition {
            left: bare(left).to_owned(),
            limit: Some((operator, right.to_owned())),
            negated: false,
        }];
    }
    match wrapped(expression).map(conditions) {
        Some(inner) if inner.iter().any(|condition| condition.limit.is_some()) => inner,
        Some(_) | None => vec![whole(expression)],
    }
}

/// The comparisons inside of the brackets of an expression: where none of a part's values passes them, it has no result.
#[must_use]
pub fn inner_conditions(expression: &str) -> Vec<Condition> {
    let all = levels(expression);
    let content = |index: usize| {
        let (start, depth, token) = *all.get(index)?;
        let closed = |(_, of, token): &&(usize, usize, Token<'_>)| *of == depth && *token == Mark(")");
        let (end, _, _) = all.iter().skip(index).find(closed).filter(|_| token == Mark("("))?;
        Some(&expression[start + 1..*end])
    };
    let contents = (0..all.len()).filter_map(content).filter(|content| operands(content).len() == 1);
    let compared = contents.filter_map(|content| {
        let (left, operator, right) = compared(content)?;
        Some(Condition { left: bare(left).to_owned(), limit: Some((operator, right.to_owned())), negated: false })
    });
    compared.collect()
}

fn whole(part: &str) -> Condition {
    Condition { left: bare(part).to_owned(), limit: None, negated: false }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joined {
    And,
    Or,
    Unless,
}

/// Tokens with where they begin and how many brackets are open there.
fn levels(expression: &str) -> Vec<(usize, usize, Token<'_>)> {
    let mut depth = 0_usize;
    let mut levels = Vec::new();
    for (token, raw) in pieces(expression) {
        let at = raw.as_ptr() as usize - expression.as_ptr() as usize;
        if matches!(token, Mark(")" | "}" | "]")) {
            depth = depth.saturating_sub(1);
        }
        levels.push((at, depth, token));
        if matches!(token, Mark("(" | "{" | "[")) {
            depth += 1;
        }
    }
    levels
}

/// What `and`, `or` and `unless` join, without the labels that they match on.
fn operands(expression: &str) -> Vec<(Joined, &str)> {
    let (mut parts, mut start, mut joined) = (Vec::new(), 0, Joined::And);
    for (at, depth, token) in levels(expression) {
        let Word(word) = token else { continue };
        let next = match word.to_ascii_lowercase().as_str() {
            "and" => Joined::And,
            "or" => Joined::Or,
            "unless" => Joined::Unless,
            _ => continue,
        };
        if depth == 0 {
            parts.push((joined, without_matching(&expression[start..at])));
            (start, joined) = (at + word.len(), next);
        }
    }
    parts.push((joined, without_matching(&expression[start..])));
    parts
}

/// Drops `on (…)`, `ignoring (…)`, `group_left (…)`, `bool` in front of an operand.
fn without_matching(text: &str) -> &str {
    let text = text.trim();
    let all = levels(text);
    let Some((_, _, Word(word))) = all.first() else { return text };
    let word = word.to_ascii_lowercase();
    if word == "bool" {
        return without_matching(&text[word.len()..]);
    }
    if !["on", "ignoring", "group_left", "group_right"].contains(&word.as_str()) {
        return text;
    }
    if !matches!(all.get(1), Some((_, 0, Mark("(")))) {
        return if word.starts_with("group") { without_matching(&text[word.len()..]) } else { text };
    }
    let closed = all.iter().find(|(_, depth, token)| *depth == 0 && *token == Mark(")"));
    closed.map_or(text, |(at, _, _)| without_matching(&text[at + 1..]))
}

/// Without parentheses around all of it.
fn bare(text: &str) -> &str {
    let text = text.trim();
    let Some(inner) = text.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) else { return text };
    let closed = levels(text).into_iter().find(|(_, depth, token)| *depth == 0 && *token == Mark(")"));
    if closed.is_some_and(|(at, _, _)| at + 1 == text.len()) { bare(inner) } else { text }
}

/// Splits at the last comparison that is not inside of brackets.
fn compared(expression: &str) -> Option<(&str, Comparison, &str)> {
    let is_it = |(_, depth, token): &(usize, usize, Token<'_>)| {
        *depth == 0 && matches!(token, Mark(mark) if Comparison::of(mark).is_some())
    };
    let (at, _, token) = levels(expression).into_iter().rfind(is_it)?;
    let Mark(mark) = token else { return None };
    Some((&expression[..at], Comparison::of(mark)?, without_matching(&expression[at + mark.len()..])))
}

/// The argument of a function that is all of the expression and has a result where its argument has.
fn wrapped(expression: &str) -> Option<&str> {
    let all = levels(expression);
    let Some((_, 0, Word(function))) = all.first() else { return None };
    if !WRAPPERS.contains(&function.to_ascii_lowercase().as_str()) {
        return None;
    }
    let rest = expression[function.len()..].trim_start();
    let grouped = |text: &'_ str| {
        let word = levels(text).first().map(|(_, _, token)| *token);
        matches!(word, Some(Word(word)) if ["by", "without"].contains(&word.to_ascii_lowercase().as_str()))
    };
    let behind = |text| {
        let closed = levels(text).into_iter().find(|(_, depth, token)| *depth == 0 && *token == Mark(")"))?;
        Some(closed.0 + 1)
    };
    let argument = if grouped(rest) { rest[behind(rest)?..].trim_start() } else { rest };
    let end = behind(argument)?;
    let tail = argument[end..].trim();
    (argument.starts_with('(') && (tail.is_empty() || (grouped(tail) && behind(tail)? == tail.len())))
        .then(|| argument[1..end - 1].trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(expression: &str) -> Vec<String> {
        let conditions = conditions(expression).into_iter().map(|condition| {
            let limit = condition.limit.map(|(operator, right)| format!(" | {} | {right}", operator.sign()));
            format!("{}{}{}", if condition.negated { "not " } else { "" }, condition.left, limit.unwrap_or_default())
        });
        conditions.collect()
    }

    #[test]
    fn an_expression_is_taken_apart_where_it_compares() {
        for (expression, expected) in [
            ("up == 0", vec!["up | == | 0"]),
            ("(sum(a) / (sum(b) >= 10)) > 0.05", vec!["sum(a) / (sum(b) >= 10) | > | 0.05"]),
            ("max by (x) (a:b) > 300", vec!["max by (x) (a:b) | > | 300"]),
            ("max by (x) (a == 1)", vec!["a | == | 1"]),
            ("max(a == 1) by (x)", vec!["a | == | 1"]),
            ("max by (x) (a)", vec!["max by (x) (a)"]),
            ("max by (x) ((a > 0) and (b - time() <= 3e2))", vec!["a | > | 0", "b - time() | <= | 3e2"]),
            ("a > on(x) group_left(y) b and ignoring (z) c < bool 5", vec!["a | > | b", "c | < | 5"]),
            ("a > 1 unless on() b > 2", vec!["a | > | 1", "not b > 2"]),
            ("(a == 0 or absent(a)) unless on () (abs(b) < 9)", vec!["a == 0 or absent(a)", "not abs(b) < 9"]),
            ("vector(1)", vec!["vector(1)"]),
            (r#"a{x="1 > 0 and (",y!="z"} - 1 != -5"#, vec![r#"a{x="1 > 0 and (",y!="z"} - 1 | != | -5"#]),
            ("(a) + (b) > 1", vec!["(a) + (b) | > | 1"]),
            ("", vec![""]),
            ("(a", vec!["(a"]),
        ] {
            assert_eq!(shown(expression), expected, "{expression}");
        }
    }

    #[test]
    fn comparisons_inside_of_a_part_are_found() {
        let inner = inner_conditions("sum(a) / (sum(b{x=\"(>\"}[1h]) >= 10) + sum by (x) (c)");
        assert_eq!(inner.len(), 1);
        assert_eq!(
            (inner[0].left.as_str(), inner[0].limit.clone()),
            ("sum(b{x=\"(>\"}[1h])", Some((Comparison::AtLeast, "10".to_owned())))
        );
    }

    #[test]
    fn what_is_no_number_is_beyond_no_limit() {
        assert!(
            Comparison::Above.holds(2.0, 1.0)
                && !Comparison::Above.holds(1.0, 1.0)
                && Comparison::AtLeast.holds(1.0, 1.0)
        );
        assert!(!Comparison::Above.holds(f64::NAN, 1.0) && !Comparison::AtMost.holds(f64::NAN, 1.0));
        assert!(Comparison::Unequal.holds(f64::NAN, 1.0) && Comparison::Equal.holds(1.0, 1.0));
    }
}
