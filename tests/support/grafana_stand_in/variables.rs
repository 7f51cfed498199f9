//! What Grafana's Prometheus plugin makes of times, steps and `$__…` (`pkg/tsdb/prometheus/models/query.go` and
//! `pkg/tsdb/intervalv2` of 9.4).

use serde_json::Value;

/// The steps that Grafana rounds to, up to a day.
const STEPS: [u64; 26] = [
    10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000,
    900_000, 1_200_000, 1_800_000, 3_600_000, 7_200_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000,
];
/// Prometheus gives at most 11,000 points for a series.
const SAFE_POINTS: u64 = 11_000;
const DEFAULT_POINTS: u64 = 100;
const DEFAULT_SCRAPE: u64 = 15_000;

/// What a query's time range comes to, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) step: u64,
    scrape: u64,
}

impl Span {
    /// The step is wide enough for `maxDataPoints` and for Prometheus, and no finer than asked for.
    pub(super) fn new(from: u64, to: u64, query: &Value, scrape_interval: &str) -> Self {
        let scrape = parse_duration(scrape_interval).unwrap_or(DEFAULT_SCRAPE);
        let text = query["interval"].as_str().filter(|text| !text.contains('$'));
        // Without `intervalMs` the SDK asks for one second, which the plugin takes for "not said".
        let least = text.and_then(parse_duration).or(query["intervalMs"].as_u64()).unwrap_or(scrape);
        let points = query["maxDataPoints"].as_u64().filter(|points| *points > 0).unwrap_or(DEFAULT_POINTS);
        let range = to.saturating_sub(from);
        let wide = if range / points < least { least } else { round(range / points) };
        Self { from, to, step: wide.max(round(range / SAFE_POINTS)), scrape }
    }

    /// Start and end, rounded down to whole steps.
    pub(super) const fn aligned(&self) -> (u64, u64) {
        (self.from - self.from % self.step, self.to - self.to % self.step)
    }

    /// The expression with Grafana's own variables filled in; the dashboard's are the browser's business.
    pub(super) fn expand(&self, expr: &str) -> String {
        let range = self.to.saturating_sub(self.from);
        let seconds = (range + 500) / 1000;
        let rate = (self.step + self.scrape).max(4 * self.scrape);
        let values = [
            // Longer names first: `$__interval` begins `$__interval_ms`.
            ("interval_ms", self.step.to_string()),
            ("interval", format_duration(self.step)),
            ("range_ms", range.to_string()),
            ("range_s", seconds.to_string()),
            ("range", format!("{seconds}s")),
            ("rate_interval", go_duration(rate)),
        ];
        values.iter().fold(expr.to_owned(), |expr, (name, value)| {
            expr.replace(&format!("$__{name}"), value).replace(&format!("${{__{name}}}"), value)
        })
    }
}

/// The nearest step; in the middle, the wider.
fn round(millis: u64) -> u64 {
    let middle = |pair: &[u64]| u64::midpoint(pair[0], pair[1]);
    STEPS.windows(2).find(|pair| millis < middle(pair)).map_or(STEPS[STEPS.len() - 1], |pair| pair[0])
}

/// `now`, `now-15m`, or milliseconds since 1970; nothing is 1970.
pub(super) fn parse_time(text: &str, now: u64) -> Option<u64> {
    match text.strip_prefix("now") {
        Some("") => Some(now),
        Some(ago) => Some(now.saturating_sub(parse_duration(ago.strip_prefix('-')?)?)),
        None if text.is_empty() => Some(0),
        None => text.parse().ok(),
    }
}

/// `15s`, `1h30m`, `500ms`, and a bare number of seconds.
fn parse_duration(text: &str) -> Option<u64> {
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(seconds * 1000);
    }
    let mut rest = text;
    let mut total = 0;
    while !rest.is_empty() {
        let (number, tail) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let (unit, tail) = tail.split_at(tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len()));
        let unit = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            "y" => 31_536_000_000,
            _ => return None,
        };
        total += number.parse::<u64>().ok()? * unit;
        rest = tail;
    }
    (total > 0).then_some(total)
}

/// One number and the largest unit that fits: `$__interval`.
fn format_duration(millis: u64) -> String {
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")];
    let fitting = units.into_iter().find(|(unit, _)| millis >= *unit).unwrap_or((1, "ms"));
    format!("{}{}", (millis / fitting.0).max(1), fitting.1)
}

/// As Go prints durations: `2m0s`.
pub(super) fn go_duration(millis: u64) -> String {
    let (hours, minutes, rest) = (millis / 3_600_000, millis / 60_000 % 60, millis % 60_000);
    let seconds = match rest % 1000 {
        0 => format!("{}s", rest / 1000),
        _ if millis < 1000 => return format!("{millis}ms"),
        part => format!("{}.{}s", rest / 1000, format!("{part:03}").trim_end_matches('0')),
    };
    match (hours, minutes) {
        (0, 0) => seconds,
        (0, _) => format!("{minutes}m{seconds}"),
        _ => format!("{hours}h{minutes}m{seconds}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Steps and expansions as recorded from 9.4, over five minutes with a scrape interval of 5 s.
    #[test]
    fn steps_and_variables_are_those_of_9_4() {
        let span = |query: Value| Span::new(0, 300_000, &query, "5s");
        assert_eq!(span(json!({ "intervalMs": 15000, "maxDataPoints": 20 })).step, 15_000);
        assert_eq!(span(json!({ "intervalMs": 60000, "maxDataPoints": 3 })).step, 120_000);
        assert_eq!(span(json!({})).step, 5_000);
        let span = span(json!({ "intervalMs": 15000, "maxDataPoints": 20 }));
        assert_eq!(
            span.expand("[$__rate_interval] [$__interval] $__interval_ms $__range ${__range_s} $__range_ms $job"),
            "[20s] [15s] 15000 300s 300 300000 $job"
        );
    }

    #[test]
    fn durations_are_printed_like_go_does() {
        let cases = [(15_000, "15s"), (120_000, "2m0s"), (3_600_000, "1h0m0s"), (500, "500ms"), (1_500, "1.5s")];
        for (millis, text) in cases {
            assert_eq!(go_duration(millis), text);
        }
    }

    #[test]
    fn times_are_relative_absolute_or_1970() {
        assert_eq!(parse_time("now-1h30m", 6_000_000), Some(600_000));
        assert_eq!(parse_time("1234", 0), Some(1234));
        assert_eq!((parse_time("", 5), parse_time("yesterday", 5)), (Some(0), None));
    }
}
