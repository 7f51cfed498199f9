//! The time intervals in which routes tell nobody, or alone tell somebody.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
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
#[derive(Debug, Clone, PartialEq)]
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

    /// Whether it is at this time; `None` where that depends on a time zone that nobody knows.
    pub(super) fn holds(&self, name: &str, at: Timestamp) -> Option<bool> {
        let all: Vec<Option<bool>> = self.0.get(name)?.iter().map(|entry| holds(entry, at)).collect();
        if all.contains(&Some(true)) { Some(true) } else { (!all.contains(&None)).then_some(false) }
    }

    /// When it is, in words.
    pub(super) fn words(&self, name: &str) -> String {
        let all: Vec<String> = self.0.get(name).into_iter().flatten().map(words).collect();
        if all.is_empty() { "never".to_owned() } else { all.join(", or ") }
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
        && is_free("months", 1..13, &month)
        && (is_free("days_of_month", 1..32, &|day| day.parse().ok())
            || is_free("days_of_month", -31..0, &|day| day.parse().ok()))
        && is_free("times", 0..1440, &minute)
        && list(&entry["years"]).next().is_none()
}

/// Whether an entry fits a time; `None` for an unknown time zone.
fn holds(entry: &Value, at: Timestamp) -> Option<bool> {
    let zone = match entry["location"].as_str() {
        None | Some("" | "UTC" | "Local") => TimeZone::UTC,
        Some(name) => TimeZone::get(name).ok()?,
    };
    let at: Zoned = at.to_zoned(zone);
    let fits = |key: &str, value: i64, number: &dyn Fn(&str) -> Option<i64>| {
        let ranges: Vec<&Value> = list(&entry[key]).collect();
        ranges.is_empty() || ranges.iter().any(|range| values(range, number).contains(&value))
    };
    let days = i64::from(at.days_in_month());
    // The last day of the month is -1.
    let day = |text: &str| text.parse::<i64>().ok().map(|day| if day < 0 { (days + day + 1).max(1) } else { day });
    Some(
        fits("times", i64::from(at.hour()) * 60 + i64::from(at.minute()), &minute)
            && fits("weekdays", i64::from(at.weekday().to_sunday_zero_offset()), &|day| position(&WEEKDAYS, day))
            && fits("days_of_month", i64::from(at.day()), &day)
            && fits("months", i64::from(at.month()), &month)
            && fits("years", i64::from(at.year()), &|year| year.parse().ok()),
    )
}

/// An entry in words: `22:00 to 24:00, monday:friday, Europe/Berlin`.
fn words(entry: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let times =
        list(&entry["times"]).map(|range| format!("{} to {}", text(&range["start_time"]), text(&range["end_time"])));
    let times = times.collect::<Vec<_>>().join(" and ");
    let ranges = [("weekdays", ""), ("days_of_month", "day "), ("months", "month "), ("years", "")];
    let ranges = ranges.into_iter().map(|(key, what)| {
        let all = list(&entry[key]).map(|range| format!("{what}{}", text(range).replace(':', " to ")));
        all.collect::<Vec<_>>().join(" and ")
    });
    let location = text(entry.get("location").unwrap_or(&Value::from("")));
    let all: Vec<String> =
        std::iter::once(times).chain(ranges).chain([location]).filter(|text| !text.is_empty()).collect();
    if is_unrestricted(entry) { "at any time".to_owned() } else { all.join(", ") }
}

fn month(text: &str) -> Option<i64> {
    position(&MONTHS, text).map(|at| at + 1).or(text.parse().ok())
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
    fn an_entry_holds_in_its_own_time_zone() {
        let holds = |entry: &str, at: &str| {
            let config = format!("time_intervals: [{{name: x, time_intervals: [{entry}]}}]");
            Intervals::read(&yaml::from_str(&config).unwrap()).holds("x", at.parse().unwrap())
        };
        let night = "{times: [{start_time: '22:00', end_time: '24:00'}], location: Europe/Berlin}";
        // A Friday; Berlin is two hours ahead.
        assert_eq!(holds(night, "2026-07-31T20:00:00Z"), Some(true));
        assert_eq!(holds(night, "2026-07-31T22:00:00Z"), Some(false));
        for (entry, expected) in [
            ("{weekdays: ['monday:friday']}", true),
            ("{weekdays: ['saturday', 'sunday']}", false),
            ("{days_of_month: ['-1']}", true),
            ("{days_of_month: ['30:-1'], months: ['july']}", true),
            ("{days_of_month: ['1:30']}", false),
            ("{months: ['1:6']}", false),
            ("{years: ['2020:2026']}", true),
            ("{years: [2027]}", false),
        ] {
            assert_eq!(holds(entry, "2026-07-31T12:00:00Z"), Some(expected), "{entry}");
        }
        assert_eq!(holds("{location: Nowhere/Land}", "2026-07-31T12:00:00Z"), None);
        let config = yaml::from_str(&format!("time_intervals: [{{name: x, time_intervals: [{night}]}}]")).unwrap();
        assert_eq!(Intervals::read(&config).words("x"), "22:00 to 24:00, Europe/Berlin");
    }

    #[test]
    fn an_interval_without_entries_is_never() {
        let config = yaml::from_str("mute_time_intervals: [{name: x}, {name: y, time_intervals: [{}]}]").unwrap();
        let intervals = Intervals::read(&config);
        assert!(intervals.is_never("x") && !intervals.is_never("y") && !intervals.is_never("z"));
        assert!(intervals.is_always("y") && !intervals.is_always("x"));
    }
}
