//! The time intervals in which routes tell nobody, or alone tell somebody.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde_json::Value;

use super::list;

const WEEKDAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// The intervals of a configuration, each with the entries of which one has to fit.
pub(super) struct Intervals(BTreeMap<String, Vec<Value>>);

impl Intervals {
    /// Reads `time_intervals`, and `mute_time_intervals` as they were once called.
    pub(super) fn read(config: &Value) -> Self {
        let all = ["time_intervals", "mute_time_intervals"].into_iter().flat_map(|key| list(&config[key]));
        let named = all.map(|interval| {
            let name = interval["name"].as_str().unwrap_or_default().to_owned();
            (name, list(&interval["time_intervals"]).cloned().collect())
        });
        Self(named.collect())
    }

    /// Whether it is always now: one of its entries restricts nothing.
    pub(super) fn is_always(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|entries| entries.iter().any(is_unrestricted))
    }

    /// Whether it is never now: it has no entry.
    pub(super) fn is_never(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(Vec::is_empty)
    }
}

/// Whether an entry fits at any time. Years are a restriction: they come to an end.
fn is_unrestricted(entry: &Value) -> bool {
    let is_free = |key: &str, mut all: Range<i64>, number: &dyn Fn(&str) -> Option<i64>| {
        let ranges: Vec<&Value> = list(&entry[key]).collect();
        let covered: BTreeSet<i64> = ranges.iter().flat_map(|range| values(range, number)).collect();
        ranges.is_empty() || all.all(|value| covered.contains(&value))
    };
    is_free("weekdays", 0..7, &|day| position(&WEEKDAYS, day))
        && is_free("months", 1..13, &|month| position(&MONTHS, month).map(|at| at + 1).or(month.parse().ok()))
        && (is_free("days_of_month", 1..32, &|day| day.parse().ok())
            || is_free("days_of_month", -31..0, &|day| day.parse().ok()))
        && is_free("times", 0..1440, &minute)
        && list(&entry["years"]).next().is_none()
}

/// What a range covers: `monday:friday`, `1`, or the minutes from `start_time` to before `end_time`.
fn values(range: &Value, number: &dyn Fn(&str) -> Option<i64>) -> Vec<i64> {
    let of = |text: &str| number(text.trim()).unwrap_or(i64::MAX);
    match (range.as_str(), range.as_i64()) {
        (Some(text), _) => {
            let (first, last) = text.split_once(':').unwrap_or((text, text));
            (of(first)..=of(last)).take(1440).collect()
        }
        (None, Some(only)) => vec![only],
        (None, None) => {
            let time = |key: &str| of(range[key].as_str().unwrap_or_default());
            (time("start_time")..time("end_time")).take(1440).collect()
        }
    }
}

fn position(names: &[&str], name: &str) -> Option<i64> {
    let at = names.iter().position(|of| of.eq_ignore_ascii_case(name))?;
    i64::try_from(at).ok()
}

/// The minute of the day of `HH:MM`.
fn minute(text: &str) -> Option<i64> {
    let (hour, minute) = text.split_once(':')?;
    Some(hour.parse::<i64>().ok()? * 60 + minute.parse::<i64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml;

    fn is_always(entry: &str) -> bool {
        let config = format!("time_intervals: [{{name: x, time_intervals: [{{years: ['2001']}}, {entry}]}}]");
        Intervals::read(&yaml::from_str(&config).unwrap()).is_always("x")
    }

    #[test]
    fn an_interval_is_always_where_one_of_its_entries_restricts_nothing() {
        for entry in [
            "{}",
            "{location: Europe/Berlin}",
            "{times: [{start_time: '00:00', end_time: '24:00'}]}",
            "{times: [{start_time: '12:00', end_time: '24:00'}, {start_time: '00:00', end_time: '12:00'}]}",
            "{weekdays: ['monday:saturday', 'sunday'], months: ['1:12']}",
            "{months: ['January:december'], days_of_month: ['1:31']}",
            "{days_of_month: ['-31:-1']}",
        ] {
            assert!(is_always(entry), "{entry}");
        }
        for entry in [
            "{times: [{start_time: '00:00', end_time: '23:59'}]}",
            "{weekdays: ['monday:friday']}",
            "{months: ['1:11']}",
            "{days_of_month: ['1:28']}",
            "{years: ['2020:2099']}",
            "{weekdays: ['noday']}",
        ] {
            assert!(!is_always(entry), "{entry}");
        }
    }

    #[test]
    fn an_interval_without_entries_is_never() {
        let config = yaml::from_str("mute_time_intervals: [{name: x}, {name: y, time_intervals: [{}]}]").unwrap();
        let intervals = Intervals::read(&config);
        assert!(intervals.is_never("x") && !intervals.is_never("y") && !intervals.is_never("z"));
        assert!(intervals.is_always("y") && !intervals.is_always("x"));
    }
}
