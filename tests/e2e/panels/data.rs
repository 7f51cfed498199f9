//! Made-up metrics: eight hours before the end of a case, scraped every 15 s.

use std::collections::BTreeMap;
use std::fmt::Write as _;

pub(crate) const MINUTE: i64 = 60;
pub(crate) const HOUR: i64 = 3600;
const SCRAPE: i64 = 15;
const LENGTH: i64 = 8 * HOUR;

/// The upper ends of the duration histogram's buckets.
const BUCKETS: [(&str, i64); 4] = [("60.0", 60), ("300.0", 300), ("600.0", 600), ("+Inf", i64::MAX)];

/// Samples as `OpenMetrics` text, by metric. All times are seconds before or after the end of the case: -300 is five
/// minutes before it.
pub(crate) struct Data {
    end: i64,
    families: BTreeMap<(&'static str, &'static str), String>,
}

impl Data {
    pub(crate) fn new(end: i64) -> Self {
        Self { end, families: BTreeMap::new() }
    }

    fn series(
        &mut self,
        family: (&'static str, &'static str),
        suffix: &str,
        labels: &[(&str, &str)],
        value: impl Fn(i64) -> Option<f64>,
    ) {
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        let series = format!("{}{suffix}{{{}}}", family.0, labels.join(","));
        let text = self.families.entry(family).or_default();
        for at in (-LENGTH..=0).step_by(usize::try_from(SCRAPE).unwrap()) {
            if let Some(value) = value(at) {
                writeln!(text, "{series} {value} {}", self.end + at).unwrap();
            }
        }
    }

    /// A gauge that may change and come and go.
    pub(crate) fn gauge(&mut self, name: &'static str, labels: &[(&str, &str)], value: impl Fn(i64) -> Option<f64>) {
        self.series((name, "gauge"), "", labels, value);
    }

    /// A gauge that always has one value.
    pub(crate) fn constant(&mut self, name: &'static str, labels: &[(&str, &str)], value: f64) {
        self.gauge(name, labels, |_| Some(value));
    }

    /// A gauge that holds a time.
    pub(crate) fn time(&mut self, name: &'static str, labels: &[(&str, &str)], at: i64) {
        let value = seconds(self.end + at);
        self.constant(name, labels, value);
    }

    /// How often a script ended in this way: a total of any kind.
    pub(crate) fn total(&mut self, instance: &str, script: &str, status: &str, value: impl Fn(i64) -> Option<f64>) {
        let labels = [("instance", instance), ("script_name", script), ("status", status)];
        self.series(("moko_script_executions", "counter"), "_total", &labels, value);
    }

    /// How often a script ended in this way: there all the time, and 100 before the first of these ends.
    pub(crate) fn runs(&mut self, instance: &str, script: &str, status: &str, ends: &[i64]) {
        self.total(instance, script, status, |at| Some(100.0 + count(ends, at)));
    }

    /// How long runs took: end and seconds.
    pub(crate) fn durations(&mut self, instance: &str, script: &str, runs: &[(i64, i64)]) {
        for (le, most) in BUCKETS {
            let ends: Vec<i64> = runs.iter().filter(|(_, took)| *took <= most).map(|(end, _)| *end).collect();
            let labels = [("instance", instance), ("le", le), ("script_name", script)];
            let family = ("moko_script_duration_seconds", "histogram");
            self.series(family, "_bucket", &labels, |at| Some(100.0 + count(&ends, at)));
        }
    }

    /// When a script last ended in this way.
    pub(crate) fn last(&mut self, instance: &str, script: &str, status: &str, at: i64) {
        let labels = [("instance", instance), ("script_name", script), ("status", status)];
        self.time("moko_script_last_execution_timestamp_seconds", &labels, at);
    }

    /// What is left of an API's quota, out of how much.
    pub(crate) fn quota(&mut self, instance: &str, api: &str, remaining: f64, total: f64) {
        let labels = [("api", api), ("instance", instance)];
        self.constant("moko_api_rate_limit_remaining", &labels, remaining);
        self.constant("moko_api_rate_limit_total", &labels, total);
    }

    /// When an API's quota starts again.
    pub(crate) fn reset(&mut self, instance: &str, api: &str, at: i64) {
        self.time("moko_api_rate_limit_reset_timestamp_seconds", &[("api", api), ("instance", instance)], at);
    }

    /// The state of a circuit breaker.
    pub(crate) fn breaker(&mut self, instance: &str, service: &str, state: f64) {
        self.constant("moko_circuit_breaker_state", &[("instance", instance), ("service", service)], state);
    }

    /// An alert as Prometheus records it while it is pending or fires.
    pub(crate) fn alert(&mut self, name: &str, state: &str, active_at: i64, seen: std::ops::Range<i64>) {
        let there = |at: i64| seen.contains(&at);
        let since = seconds(self.end + active_at);
        let labels = [("alertname", name), ("severity", "warning")];
        self.gauge("ALERTS_FOR_STATE", &labels, |at| there(at).then_some(since));
        let labels = [("alertname", name), ("alertstate", state), ("severity", "warning")];
        self.gauge("ALERTS", &labels, |at| there(at).then_some(1.0));
    }

    /// The whole as `OpenMetrics` text; `None` when there is nothing.
    pub(crate) fn text(&self) -> Option<String> {
        let family = |((name, kind), text): (&(&str, &str), &String)| format!("# TYPE {name} {kind}\n{text}");
        (!self.families.is_empty()).then(|| self.families.iter().map(family).collect::<String>() + "# EOF\n")
    }
}

/// Ends that come again and again, the last of them `last` from the end of the case.
pub(crate) fn every(period: i64, last: i64) -> Vec<i64> {
    (0..=LENGTH / period).map(|back| last - back * period).filter(|at| *at > -LENGTH).collect()
}

#[expect(clippy::cast_precision_loss, reason = "less than a thousand")]
fn count(ends: &[i64], at: i64) -> f64 {
    ends.iter().filter(|end| **end <= at).count() as f64
}

#[expect(clippy::cast_precision_loss, reason = "seconds since the epoch, with ten digits")]
fn seconds(time: i64) -> f64 {
    time as f64
}
