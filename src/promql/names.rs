//! The names in an expression.

use std::collections::BTreeSet;

use super::token::{Token, closing, tokens};
use Token::{Mark, Number, Text, Word};

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
/// Keywords that a list of label names in parentheses follows.
const GROUPING: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];
/// All other words that are no names.
const WORDS: [&str; 8] = ["and", "or", "unless", "bool", "offset", "atan2", "inf", "nan"];

/// The names of the metrics that an expression asks for. Names of functions and labels, and what stands in texts and
/// comments, are none.
#[must_use]
pub fn metrics(expression: &str) -> BTreeSet<&str> {
    named(&tokens(expression))
}

/// The names of those that an expression asks for because they may be missing: inside of `absent`.
#[must_use]
pub fn missed(expression: &str) -> BTreeSet<&str> {
    let tokens = tokens(expression);
    let asks =
        |at: usize| matches!(tokens[at], Word("absent" | "absent_over_time")) && tokens.get(at + 1) == Some(&Mark("("));
    let inside = |at: usize| named(&tokens[at + 1..closing(&tokens, at + 1)]);
    (0..tokens.len()).filter(|at| asks(*at)).flat_map(inside).collect()
}

fn named<'a>(tokens: &[Token<'a>]) -> BTreeSet<&'a str> {
    let mut names = BTreeSet::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let opens = tokens.get(at + 1) == Some(&Mark("("));
        match token {
            Mark("{") => {
                let end = closing(tokens, at);
                names.extend(named_in_braces(&tokens[at..end]));
                at = end;
            }
            Mark("[") => at = closing(tokens, at),
            Word(word) => {
                let lower = word.to_ascii_lowercase();
                let lower = lower.as_str();
                if GROUPING.contains(&lower) {
                    if opens {
                        at = closing(tokens, at + 1);
                    }
                } else if !opens && !WORDS.contains(&lower) && !aggregates(tokens, at, lower) {
                    names.insert(*word);
                }
            }
            Number(_) | Text(_) | Mark(_) => {}
        }
        at += 1;
    }
    names
}

/// Whether a word is an aggregation whose labels stand before its parentheses: `sum by (job) (x)`.
fn aggregates(tokens: &[Token<'_>], at: usize, word: &str) -> bool {
    let Some(Word(next)) = tokens.get(at + 1) else { return false };
    AGGREGATIONS.contains(&word) && ["by", "without"].contains(&next.to_ascii_lowercase().as_str())
}

/// `{__name__="up"}`, or `{"up"}` as Prometheus 3 has it; a pattern names nothing.
pub(super) fn named_in_braces<'a>(tokens: &[Token<'a>]) -> Option<&'a str> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn of(expression: &str) -> Vec<&str> {
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
        assert_eq!(of(""), [""; 0]);
    }

    #[test]
    fn what_may_be_missing_is_what_absent_asks_for() {
        let missed = |expression| missed(expression).into_iter().collect::<Vec<_>>();
        assert_eq!(missed("absent(a{x=\"1\"}) or absent_over_time({\"b\"}[1h]) > 0 and c"), ["a", "b"]);
        assert_eq!(missed("absent + absently(a)"), [""; 0]);
    }

    fn ours(expression: &str) -> Vec<&str> {
        metrics(expression).into_iter().filter(|name| name.starts_with("moko_")).collect()
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
        assert_eq!(of("script_name:moko_x:p95 > 1"), ["script_name:moko_x:p95"]);
    }
}
