//! Durations in Prometheus' own grammar.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The units from largest to smallest, each with its length in milliseconds.
const UNITS: [(&str, u64); 7] = [
    ("y", 365 * 24 * 3_600_000),
    ("w", 7 * 24 * 3_600_000),
    ("d", 24 * 3_600_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// The longest duration Prometheus can hold: what fits 63 bits of nanoseconds, about 292 years.
const MAX_MILLISECONDS: u64 = (i64::MAX / 1_000_000) as u64;

/// A duration as Prometheus writes it: `15s`, `1h30m`, `15d`.
///
/// Keeps the user's own text, so that a generated file says what the user said.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct PromDuration {
    text: String,
    milliseconds: u64,
}

impl PromDuration {
    /// The length as a standard duration.
    #[must_use]
    pub const fn as_duration(&self) -> Duration {
        Duration::from_millis(self.milliseconds)
    }

    /// The user's own text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for PromDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl serde::Serialize for PromDuration {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl TryFrom<String> for PromDuration {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for PromDuration {
    /// What is wrong, as a remark behind the text: `is not a valid duration`.
    type Err = String;

    /// Accepts and refuses exactly what Prometheus does: whole numbers, each unit once, from large to small.
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "0" {
            return Ok(Self { text: text.to_owned(), milliseconds: 0 });
        }
        if text.is_empty() {
            return Err("is an empty duration".to_owned());
        }
        let (mut rest, mut smaller, mut total) = (text, UNITS.as_slice(), 0_u64);
        while !rest.is_empty() {
            let (number, behind) = split_at_first(rest, |c| !c.is_ascii_digit());
            let (unit, behind) = split_at_first(behind, |c| c.is_ascii_digit());
            if number.is_empty() {
                return Err("is not a valid duration".to_owned());
            }
            if unit.is_empty() {
                return Err("is a duration without a unit".to_owned());
            }
            if !UNITS.iter().any(|(name, _)| *name == unit) {
                return Err(format!("has the unknown unit `{unit}`"));
            }
            let Some(index) = smaller.iter().position(|(name, _)| *name == unit) else {
                return Err("does not have its units once each, from large to small".to_owned());
            };
            let length = smaller.get(index).map_or(0, |(_, length)| *length);
            total = number
                .parse::<u64>()
                .ok()
                .and_then(|count| count.checked_mul(length))
                .and_then(|part| total.checked_add(part))
                .filter(|total| *total <= MAX_MILLISECONDS)
                .ok_or("is a duration out of range")?;
            smaller = smaller.get(index + 1..).unwrap_or_default();
            rest = behind;
        }
        Ok(Self { text: text.to_owned(), milliseconds: total })
    }
}

/// Splits in front of the first character that `stop` names.
fn split_at_first(text: &str, stop: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(stop).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_prometheus_accepts() {
        for (text, seconds) in [
            ("0", 0.0),
            ("0s", 0.0),
            ("15s", 15.0),
            ("500ms", 0.5),
            ("1h30m", 5400.0),
            ("15d", 1_296_000.0),
            ("1y2w3d4h5m6s7ms", 31_536_000.0 + 1_209_600.0 + 259_200.0 + 14_400.0 + 300.0 + 6.007),
            ("007s", 7.0),
            ("1h60m", 7200.0),
            ("292y", 292.0 * 31_536_000.0),
        ] {
            let duration: PromDuration = text.parse().unwrap();
            assert!((duration.as_duration().as_secs_f64() - seconds).abs() < 1e-6, "{text}");
            assert_eq!(duration.to_string(), text);
        }
    }

    #[test]
    fn what_prometheus_refuses() {
        for (text, verdict) in [
            ("", "is an empty duration"),
            ("15", "is a duration without a unit"),
            ("1 minute", "has the unknown unit ` minute`"),
            ("5 s", "has the unknown unit ` s`"),
            ("-1m", "is not a valid duration"),
            ("1.5h", "has the unknown unit `.`"),
            ("1m1h", "does not have its units once each, from large to small"),
            ("1s1s", "does not have its units once each, from large to small"),
            ("99999y", "is a duration out of range"),
            ("293y", "is a duration out of range"),
            ("99999999999999999999s", "is a duration out of range"),
            ("1H", "has the unknown unit `H`"),
            ("s", "is not a valid duration"),
            ("٣s", "is not a valid duration"),
        ] {
            assert_eq!(text.parse::<PromDuration>(), Err(verdict.to_owned()), "{text}");
        }
    }
}
