//! Numbers, times and labels in words.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The labels that name a thing, best first; behind them the labels of where a series came from say nothing more.
const NAMING: [&str; 4] = ["script_name", "api", "service", "finding_type"];
/// As many are named; more are counted.
const FEW: usize = 5;

/// `41.2`, `0.05`, `1200`: four digits are enough to compare.
pub(super) fn number(value: f64) -> String {
    if !value.is_finite() || value.fract() == 0.0 || value.abs() >= 10_000.0 {
        return format!("{value:.0}");
    }
    if value.abs() < 0.001 {
        return format!("{value:.1e}");
    }
    let decimals = if value.abs() < 1.0 {
        4
    } else if value.abs() < 100.0 {
        2
    } else {
        1
    };
    format!("{value:.decimals$}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A length of time in one unit: `40 s`, `12 min`, `5 h`, `3 days`.
pub(crate) fn span(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    if seconds < 90.0 {
        format!("{seconds:.0} s")
    } else if seconds < 5400.0 {
        format!("{:.0} min", seconds / 60.0)
    } else if seconds < 129_600.0 {
        format!("{:.0} h", seconds / 3600.0)
    } else {
        format!("{:.0} days", seconds / 86_400.0)
    }
}

/// RFC 3339 as seconds since the epoch; `None` for the year 1, by which servers mean never.
pub(crate) fn epoch(text: &str) -> Option<f64> {
    let seconds = text.parse::<Timestamp>().ok()?.as_duration().as_secs_f64();
    (seconds > 0.0).then_some(seconds)
}

/// `18:00 UTC`, with the date if it is not today.
pub(crate) fn until(text: &str, now: f64) -> String {
    let Ok(time) = text.parse::<Timestamp>() else { return text.to_owned() };
    #[expect(clippy::cast_possible_truncation, reason = "no date is that far away")]
    let today = Timestamp::from_second(now as i64).unwrap_or_default().to_zoned(TimeZone::UTC).date();
    let time = time.to_zoned(TimeZone::UTC);
    let format = if time.date() == today { "%H:%M UTC" } else { "%Y-%m-%d %H:%M UTC" };
    time.strftime(format).to_string()
}

/// What labels are about: `backup.sh`, `db1:9100`, `code="x", job="y"`; empty if there is nothing to tell apart. `common` are the
/// labels of the rule.
pub(crate) fn subject(labels: &BTreeMap<String, String>, common: &BTreeMap<String, String>) -> String {
    let own: Vec<(&String, &String)> = labels
        .iter()
        .filter(|(name, _)| !common.contains_key(*name) && !["alertname", "__name__"].contains(&name.as_str()))
        .collect();
    let value = |wanted: &str| own.iter().find(|(name, _)| *name == wanted).map(|(_, value)| (*value).clone());
    if let Some(named) = NAMING.into_iter().find_map(value) {
        return named;
    }
    let is_target = own.iter().all(|(name, _)| ["job", "instance"].contains(&name.as_str()));
    match value("instance").filter(|_| is_target) {
        Some(instance) => instance,
        None => own.iter().map(|(name, value)| format!("{name}={value:?}")).collect::<Vec<_>>().join(", "),
    }
}

/// ` for a, b`; nothing where there is no subject.
pub(super) fn for_whom<'a>(subjects: impl IntoIterator<Item = &'a String>) -> String {
    let named: Vec<String> = subjects.into_iter().filter(|subject| !subject.is_empty()).cloned().collect();
    if named.is_empty() { String::new() } else { format!(" for {}", few(named).join(", ")) }
}

/// The first few, and how many more there are.
pub(crate) fn few(mut all: Vec<String>) -> Vec<String> {
    if all.len() > FEW + 1 {
        let more = all.len() - FEW;
        all.truncate(FEW);
        all.push(format!("and {more} more"));
    }
    all
}

/// `1 series`, `2 targets`: `what` is one of them.
pub(crate) fn many(count: usize, what: &str) -> String {
    let ending = if count == 1 || what.ends_with('s') { "" } else { "s" };
    format!("{count} {what}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn numbers_are_short() {
        let all = [41.23, 0.05, 1200.0, 0.0, 300.04, 12345.67, f64::NAN, 0.000_02, 0.123_456, 1.0 / 3.0];
        let all: Vec<String> = all.into_iter().map(number).collect();
        assert_eq!(all, ["41.23", "0.05", "1200", "0", "300", "12346", "NaN", "2.0e-5", "0.1235", "0.3333"]);
    }

    #[test]
    fn times_are_one_unit() {
        let all: Vec<String> = [0.4, 89.0, 720.0, 18_000.0, 260_000.0].into_iter().map(span).collect();
        assert_eq!(all, ["0 s", "89 s", "12 min", "5 h", "3 days"]);
        let now = epoch("2026-01-02T12:00:00Z").unwrap();
        assert_eq!(until("2026-01-02T18:00:00.5Z", now), "18:00 UTC");
        assert_eq!(until("2026-01-03T18:00:00Z", now), "2026-01-03 18:00 UTC");
        assert_eq!(epoch("0001-01-01T00:00:00Z"), None);
    }

    #[test]
    fn a_subject_is_what_differs() {
        let rule = labels(&[("severity", "warning")]);
        let of = |pairs: &[(&str, &str)]| subject(&labels(pairs), &rule);
        assert_eq!(of(&[("alertname", "X"), ("severity", "warning"), ("script_name", "a.sh"), ("job", "b")]), "a.sh");
        assert_eq!(of(&[("api", "github"), ("job", "b")]), "github");
        assert_eq!(of(&[("job", "a"), ("instance", "b")]), "b");
        assert_eq!(of(&[("job", "a"), ("code", "b")]), r#"code="b", job="a""#);
        assert_eq!(of(&[("alertname", "X")]), "");
        let names: Vec<String> = (0..8).map(|index| index.to_string()).collect();
        assert_eq!(for_whom(&names), " for 0, 1, 2, 3, 4, and 3 more");
        assert_eq!(for_whom(&[String::new()]), "");
        assert_eq!(
            (many(1, "series"), many(1, "target"), many(2, "target")),
            ("1 series".into(), "1 target".into(), "2 targets".into())
        );
    }
}
