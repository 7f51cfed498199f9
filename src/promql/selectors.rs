//! What an expression asks of the labels of its metrics.

use super::names::{metrics, named_in_braces};
use super::token::{Token, closing, tokens};
use Token::{Mark, Text, Word};

/// `name{label="value"}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector<'a> {
    /// The metric.
    pub name: &'a str,
    /// What its labels have to be.
    pub matchers: Vec<Matcher<'a>>,
}

/// `label="value"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matcher<'a> {
    /// The label.
    pub label: &'a str,
    /// `=`, `!=`, `=~` or `!~`.
    pub sign: &'a str,
    /// What stands between the quotes.
    pub value: &'a str,
}

/// The selectors of an expression that name their metric and say something of its labels.
#[must_use]
pub fn selectors(expression: &str) -> Vec<Selector<'_>> {
    let (tokens, names) = (tokens(expression), metrics(expression));
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if *token == Mark("{") {
            let end = closing(&tokens, at);
            let before = match at.checked_sub(1).and_then(|at| tokens.get(at)) {
                // Not the `or` between two of them.
                Some(Word(name)) => names.get(name).copied(),
                _ => None,
            };
            let matchers: Vec<Matcher<'_>> = tokens[at..end].windows(3).filter_map(matcher).collect();
            let name = named_in_braces(&tokens[at..end]).or(before);
            found.extend(name.filter(|_| !matchers.is_empty()).map(|name| Selector { name, matchers }));
            at = end;
        }
        at += 1;
    }
    found
}

fn matcher<'a>(tokens: &[Token<'a>]) -> Option<Matcher<'a>> {
    match tokens {
        [Word(label) | Text(label), Mark(sign @ ("=" | "!=" | "=~" | "!~")), Text(value)] if *label != "__name__" => {
            Some(Matcher { label, sign, value })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_of_labels_is_read_with_its_metric() {
        let told = |expression| {
            let of = |matcher: &Matcher<'_>| format!("{}{}{}", matcher.label, matcher.sign, matcher.value);
            let told = |selector: Selector<'_>| {
                format!("{} {}", selector.name, selector.matchers.iter().map(of).collect::<Vec<_>>().join(" "))
            };
            selectors(expression).into_iter().map(told).collect::<Vec<_>>()
        };
        assert_eq!(told("rate(a{x=\"1\", y!~'b|c'}[5m]) / on (x) b{} + c"), ["a x=1 y!~b|c"]);
        assert_eq!(told("{__name__=\"a\", x!=\"\"} or {\"b\", \"y z\"=~\"1\"} or {x=\"1\"}"), ["a x!=", "b y z=~1"]);
        assert_eq!(told("sum by (x) (a) and b{x="), [""; 0]);
    }
}
