//! The limits in an expression.

use super::Comparison;
use super::token::{Token, closing, tokens};
use Token::{Mark, Number, Word};

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
            Mark(mark) if Comparison::of(mark).is_some() => {
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

#[cfg(test)]
mod tests {
    use super::*;

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
