//! The user's own checks: a query, and what it must return.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::build::Builder;
use super::names;
use super::shape;
use crate::promql::Comparison;

/// A check of the user for `verify`.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomCheck {
    /// The name; the check's id is `custom.` and this.
    pub name: String,
    /// The query, which Prometheus alone can judge.
    pub expr: String,
    /// What it must return.
    pub expect: Expectation,
    /// What to say when it does not.
    pub message: Option<String>,
    /// What it then is.
    pub severity: Severity,
    /// Where it is written: file, line and column.
    pub place: String,
}

/// How bad it is when a check of the user does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// A failure.
    Fail,
    /// A warning.
    Warn,
}

/// What a query must return.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Expectation {
    /// At least one series, and every one of them compares like this with a number.
    Every(Comparison, f64),
    /// No series at all.
    Absent,
    /// As many series or more, whatever their values.
    AtLeast(usize),
}

impl FromStr for Expectation {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text == "absent" {
            return Ok(Self::Absent);
        }
        if let Some(rest) = text.strip_prefix("at least ") {
            let count = rest.strip_suffix(" series").and_then(|count| count.trim().parse().ok());
            return count.filter(|count| *count > 0).map(Self::AtLeast).ok_or("does not say how many series");
        }
        let (comparison, number) = Comparison::leading(text).ok_or("is nothing that can be expected")?;
        let number = number.trim();
        let plain = number.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit());
        let number = number.parse().ok().filter(|_| plain).ok_or("does not compare with a number")?;
        Ok(Self::Every(comparison, number))
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every(comparison, number) => write!(f, "{} {number}", comparison.sign()),
            Self::Absent => f.write_str("absent"),
            Self::AtLeast(count) => write!(f, "at least {count} series"),
        }
    }
}

impl Builder {
    /// The user's checks; one that was refused has been reported and is not among them.
    pub(crate) fn checks(&mut self, checks: Vec<shape::Check>) -> Vec<CustomCheck> {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let mut out = Vec::new();
        for (index, check) in checks.into_iter().enumerate().filter(|(_, check)| !check.name.is_empty()) {
            if let Some(first) = seen.insert(check.name.clone(), index) {
                let expected = format!("another name: `checks[{first}]` has it already");
                self.problem(
                    &format!("checks[{index}].name"),
                    format!("{} is there twice", names::quote(&check.name)),
                    expected,
                );
            }
            let Ok(expect) = check.expect.parse() else { continue };
            let severity = if check.severity.as_deref() == Some("warn") { Severity::Warn } else { Severity::Fail };
            let place = self.place(&format!("checks[{index}].expr")).to_string();
            out.push(CustomCheck {
                name: check.name,
                expr: check.expr,
                expect,
                message: check.message,
                severity,
                place,
            });
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectations_read_as_they_are_written() {
        for text in ["> 0", ">= 1", "< 5.5", "<= -2", "== 5", "!= 0", "absent", "at least 3 series"] {
            assert_eq!(text.parse::<Expectation>().unwrap().to_string(), text);
        }
        assert_eq!(">0".parse(), Ok(Expectation::Every(Comparison::Above, 0.0)));
        for (text, fact) in [
            ("more than 3", "is nothing that can be expected"),
            ("= 3", "is nothing that can be expected"),
            ("> many", "does not compare with a number"),
            ("> NaN", "does not compare with a number"),
            (">", "does not compare with a number"),
            ("at least three series", "does not say how many series"),
            ("at least 0 series", "does not say how many series"),
        ] {
            assert_eq!(text.parse::<Expectation>(), Err(fact), "{text}");
        }
    }

    #[test]
    fn relations_are_those_of_numbers() {
        assert!(Comparison::Above.holds(1.0, 0.0) && !Comparison::Above.holds(0.0, 0.0));
        assert!(
            Comparison::Equal.holds(5.0, 5.0)
                && Comparison::AtMost.holds(5.0, 5.0)
                && Comparison::AtLeast.holds(5.0, 5.0)
        );
        assert!(!Comparison::Below.holds(f64::NAN, 5.0) && !Comparison::Equal.holds(f64::NAN, f64::NAN));
    }
}
