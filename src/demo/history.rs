//! History as `OpenMetrics` text: every series of the contract, what the rules record, and the alerts of the incidents.

use std::fmt::Write as _;

use super::{JOB, LABELS, alerts, jobs, team};
use crate::contract::{Metric, MetricType, REQUIRED};

/// The upper bounds of the duration histogram, in seconds; `+Inf` comes after them.
pub const BUCKETS: [i64; 13] = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200];

/// How many seconds a recorded series and an alert look back.
pub(super) const WINDOW: i64 = 3_600;

/// The span of one text and of the block made from it, in seconds: a step of Prometheus' own ladder (2 h times three,
/// twice) and no larger than what it makes itself with a retention of a week and a half.
pub const BLOCK: i64 = 18 * 3_600;

/// History from `start` to `end`.
pub struct History {
    start: i64,
    end: i64,
    /// Seconds between samples of the newest hours.
    step: i64,
    scripts: Vec<Script>,
    findings: Vec<Vec<i64>>,
    alerts: Vec<alerts::Episode>,
}

/// The runs of one script, ready to be counted.
struct Script {
    success: Vec<i64>,
    failure: Vec<i64>,
    /// Ends of the runs of each bucket, `+Inf` last.
    buckets: Vec<Vec<i64>>,
    /// The sum of durations after so many runs, in hundredths of a second.
    sums: Vec<i64>,
    /// When runs began, those of the day after the end among them.
    starts: Vec<i64>,
}

/// How many of these times are not after `at`.
fn until(times: &[i64], at: i64) -> usize {
    times.partition_point(|time| *time <= at)
}

/// How many of these times are in the window that ends at `at`.
fn recent(times: &[i64], at: i64) -> usize {
    until(times, at) - until(times, at - WINDOW)
}

impl Script {
    fn of(which: usize, start: i64, end: i64) -> Self {
        let runs = team::runs(which, start, end, end);
        let ends = |wanted: &dyn Fn(&team::Run) -> bool| {
            runs.iter().filter(|run| wanted(run)).map(|run| run.at).collect::<Vec<i64>>()
        };
        let bounds = BUCKETS.iter().map(|bound| bound * 100).chain([i64::MAX]);
        let sums = runs.iter().scan(0, |sum, run| {
            *sum += run.hundredths;
            Some(*sum)
        });
        Self {
            success: ends(&|run| run.success),
            failure: ends(&|run| !run.success),
            buckets: bounds.map(|bound| ends(&|run| run.hundredths <= bound)).collect(),
            sums: std::iter::once(0).chain(sums).collect(),
            starts: team::runs(which, start, end + team::DAY, end).iter().map(team::Run::start).collect(),
        }
    }

    /// The quantile of the durations in the window that ends at `at`, as `histogram_quantile` estimates it.
    fn quantile(&self, quantile: f64, at: i64) -> Option<f64> {
        let counts: Vec<f64> = self.buckets.iter().map(|ends| recent(ends, at) as f64).collect();
        let rank = quantile * counts.last().copied().filter(|all| *all > 0.0)?;
        let bucket = counts.iter().position(|count| *count >= rank)?;
        let upper = BUCKETS.get(bucket).map_or(BUCKETS[BUCKETS.len() - 1] as f64, |bound| *bound as f64);
        let (lower, below) = match bucket {
            0 => (0.0, 0.0),
            _ => (BUCKETS[bucket - 1] as f64, counts[bucket - 1]),
        };
        Some(lower + (upper - lower) * (rank - below) / (counts[bucket] - below))
    }
}

impl History {
    /// The history before `end` that Prometheus would have, scraping every `step` seconds.
    #[must_use]
    pub fn new(length: i64, end: i64, step: i64) -> Self {
        let start = end - length;
        let mut history = Self {
            start,
            end,
            step,
            scripts: (0..team::SCRIPTS.len()).map(|which| Script::of(which, end - super::WEEK - WINDOW, end)).collect(),
            findings: (0..team::FINDINGS.len())
                .map(|which| team::findings(which, end - super::WEEK, end, end))
                .collect(),
            alerts: Vec::new(),
        };
        history.alerts = alerts::episodes(&history);
        history
    }

    /// When it begins and ends.
    #[must_use]
    pub const fn span(&self) -> (i64, i64) {
        (self.start, self.end)
    }

    /// The alerts that were raised in it.
    #[must_use]
    pub fn alerts(&self) -> &[alerts::Episode] {
        &self.alerts
    }

    /// The spans of the texts, each of which becomes one block: from, and up to but without.
    pub fn blocks(&self) -> impl Iterator<Item = (i64, i64)> + use<> {
        let (start, end) = (self.start, self.end + 1);
        let first = start - start.rem_euclid(BLOCK);
        (first..end)
            .step_by(usize::try_from(BLOCK).unwrap_or(usize::MAX))
            .map(move |from| (from.max(start), (from + BLOCK).min(end)))
            .filter(|(from, to)| from < to)
    }

    /// Seconds between samples at a time: the scrape interval for what is looked at closely, and what the five minutes
    /// of a query's look-back need for the rest.
    fn step(&self, at: i64) -> i64 {
        match self.end - at {
            ..7_200 => self.step,
            7_200..43_200 => 60,
            _ => 240,
        }
    }

    /// The times of the samples from `from` and before `to`.
    fn times(&self, from: i64, to: i64) -> Vec<i64> {
        let next = |at: &i64| {
            let next = at + self.step(*at);
            Some(next - next.rem_euclid(self.step(next)))
        };
        std::iter::successors(Some(from), next).take_while(|at| *at < to).collect()
    }

    /// Writes the text of all samples from `from` and before `to`.
    pub fn write(&self, from: i64, to: i64, text: &mut String) {
        let mut text = Text { text, times: self.times(from, to) };
        for (metric, series) in published() {
            text.family(metric);
            for (name, of) in series {
                text.series(&name, |at| self.value(of, at));
            }
        }
        text.gauge("script_name_status:moko_script_executions_total:increase1h");
        for (which, script) in self.scripts.iter().enumerate() {
            for (status, ends) in [("failure", &script.failure), ("success", &script.success)] {
                let labels = [("script_name", team::SCRIPTS[which].name), ("status", status)];
                let name = series("script_name_status:moko_script_executions_total:increase1h", None, &labels);
                text.series(&name, |at| Some(recent(ends, at) as f64));
            }
        }
        text.gauge("script_name_status:moko_script_executions_total:delta1m");
        let before = from - self.step(from);
        for (which, script) in self.scripts.iter().enumerate() {
            for (status, ends) in [("failure", &script.failure), ("success", &script.success)] {
                let labels = [("script_name", team::SCRIPTS[which].name), ("status", status)];
                let name = series("script_name_status:moko_script_executions_total:delta1m", None, &labels);
                text.differences(&name, before, |at| until(ends, at) as f64);
            }
        }
        for (quantile, name) in QUANTILES {
            text.gauge(name);
            for (which, script) in self.scripts.iter().enumerate() {
                let name = series(name, None, &[("script_name", team::SCRIPTS[which].name)]);
                text.series(&name, |at| script.quantile(quantile, at));
            }
        }
        // A short alert is not to fall between two samples.
        text.times = (from + (-from).rem_euclid(60)..to).step_by(60).collect();
        alerts::write(&self.alerts, &mut text);
        text.text.push_str("# EOF\n");
    }

    /// The value of a series of the contract; `None` before it has one.
    #[must_use]
    pub fn value(&self, of: Series, at: i64) -> Option<f64> {
        let number = |count: usize| Some(count as f64);
        match of {
            Series::Runs { script, success } => number(until(self.scripts[script].ended(success), at)),
            Series::Bucket { script, bucket } => number(until(&self.scripts[script].buckets[bucket], at)),
            Series::Seconds { script } => {
                let script = &self.scripts[script];
                Some(script.sums[until(&script.buckets[BUCKETS.len()], at)] as f64 / 100.0)
            }
            Series::Last { script, success } => {
                let ended = self.scripts[script].ended(success);
                ended[..until(ended, at)].last().map(|last| *last as f64)
            }
            Series::Left { api } => Some(team::quota(api, at, self.end).0 as f64),
            Series::Reset { api } => Some(team::quota(api, at, self.end).1 as f64),
            Series::Limit { api } => Some(team::APIS[api].limit as f64),
            Series::Breaker { service } => Some(team::breaker(service, at, self.end) as f64),
            Series::Findings { finding } => number(until(&self.findings[finding], at)),
            Series::Job { job, fact } => jobs::value(self, job, fact, at),
        }
    }

    /// When the last run began that has ended.
    pub(super) fn last_start(&self, script: usize, at: i64) -> Option<i64> {
        let script = &self.scripts[script];
        let ended = until(&script.buckets[BUCKETS.len()], at);
        ended.checked_sub(1).map(|last| script.starts[last])
    }

    /// When the first run begins after the last success.
    pub(super) fn next_start(&self, script: usize, at: i64) -> Option<i64> {
        let script = &self.scripts[script];
        let success = script.success[..until(&script.success, at)].last()?;
        script.starts.get(until(&script.starts, *success)).copied()
    }

    /// Failed runs and all runs in the window that ends at `at`.
    pub(super) fn failures(&self, at: i64) -> (usize, usize) {
        let count = |ends: fn(&Script) -> &[i64]| self.scripts.iter().map(|script| recent(ends(script), at)).sum();
        let failed = count(|script| &script.failure);
        let succeeded: usize = count(|script| &script.success);
        (failed, failed + succeeded)
    }

    /// The 95th percentile that is recorded for a script.
    pub(super) fn p95(&self, script: usize, at: i64) -> Option<f64> {
        self.scripts[script].quantile(0.95, at)
    }

    /// When a run of any script last ended.
    pub(super) fn last_run(&self, at: i64) -> Option<i64> {
        let ends = self.scripts.iter().map(|script| &script.buckets[BUCKETS.len()]);
        ends.filter_map(|ends| ends[..until(ends, at)].last().copied()).max()
    }

    /// New findings of a kind in the `window` seconds that end at `at`.
    pub(super) fn new_findings(&self, finding: usize, at: i64, window: i64) -> usize {
        until(&self.findings[finding], at) - until(&self.findings[finding], at - window)
    }
}

impl Script {
    fn ended(&self, success: bool) -> &[i64] {
        if success { &self.success } else { &self.failure }
    }
}

/// The recorded quantiles.
const QUANTILES: [(f64, &str); 2] =
    [(0.5, "script_name:moko_script_duration_seconds:p50"), (0.95, "script_name:moko_script_duration_seconds:p95")];

/// A series of the contract, by what it counts or measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "indices into the tables of `team`")]
pub enum Series {
    Runs { script: usize, success: bool },
    Bucket { script: usize, bucket: usize },
    Seconds { script: usize },
    Last { script: usize, success: bool },
    Left { api: usize },
    Reset { api: usize },
    Limit { api: usize },
    Breaker { service: usize },
    Findings { finding: usize },
    Job { job: usize, fact: jobs::Fact },
}

/// Every metric of the contract and of jobs with the names of its series.
pub fn published() -> impl Iterator<Item = (&'static Metric, Vec<(String, Series)>)> {
    REQUIRED.iter().map(|metric| (metric, series_of(metric))).chain(jobs::all())
}

fn series_of(metric: &Metric) -> Vec<(String, Series)> {
    let name = |labels: &[(&str, &str)]| series(metric.name, Some(JOB), labels);
    let both = |of: fn(usize, bool) -> Series| -> Vec<(String, Series)> {
        let all = team::SCRIPTS.iter().enumerate().flat_map(|(index, script)| {
            [(false, "failure"), (true, "success")].map(|(success, status)| (index, script.name, success, status))
        });
        all.map(|(index, script, success, status)| {
            (name(&[("script_name", script), ("status", status)]), of(index, success))
        })
        .collect()
    };
    let apis = |of: fn(usize) -> Series| -> Vec<(String, Series)> {
        team::APIS.iter().enumerate().map(|(index, api)| (name(&[("api", api.name)]), of(index))).collect()
    };
    match metric.name {
        "moko_script_executions_total" => both(|script, success| Series::Runs { script, success }),
        "moko_script_last_execution_timestamp_seconds" => both(|script, success| Series::Last { script, success }),
        "moko_script_duration_seconds" => {
            (0..team::SCRIPTS.len()).flat_map(|script| histogram(metric, script)).collect()
        }
        "moko_api_rate_limit_remaining" => apis(|api| Series::Left { api }),
        "moko_api_rate_limit_reset_timestamp_seconds" => apis(|api| Series::Reset { api }),
        "moko_api_rate_limit_total" => apis(|api| Series::Limit { api }),
        "moko_circuit_breaker_state" => (team::SERVICES.iter().enumerate())
            .map(|(service, of)| (name(&[("service", of)]), Series::Breaker { service }))
            .collect(),
        "moko_security_findings_total" => (team::FINDINGS.iter().enumerate())
            .map(|(finding, of)| {
                (name(&[("finding_type", of.kind), ("severity", of.severity)]), Series::Findings { finding })
            })
            .collect(),
        // A test holds that the contract has no other.
        _ => Vec::new(),
    }
}

fn histogram(metric: &Metric, script: usize) -> Vec<(String, Series)> {
    let of = ("script_name", team::SCRIPTS[script].name);
    let name = |suffix: &str, labels: &[(&str, &str)]| series(&format!("{}{suffix}", metric.name), Some(JOB), labels);
    let bounds = BUCKETS.iter().map(|bound| format!("{bound}.0")).chain(["+Inf".to_owned()]);
    let buckets =
        bounds.enumerate().map(|(bucket, le)| (name("_bucket", &[of, ("le", &le)]), Series::Bucket { script, bucket }));
    let totals = [
        (name("_sum", &[of]), Series::Seconds { script }),
        (name("_count", &[of]), Series::Bucket { script, bucket: BUCKETS.len() }),
    ];
    buckets.chain(totals).collect()
}

/// The name of a demo series with all its labels.
pub(super) fn series(metric: &str, job: Option<&str>, labels: &[(&str, &str)]) -> String {
    let all = LABELS.iter().copied().chain(job.map(|job| ("job", job))).chain(labels.iter().copied());
    let all: Vec<String> = all.map(|(name, value)| format!("{name}=\"{value}\"")).collect();
    format!("{metric}{{{}}}", all.join(","))
}

/// A text in the making.
pub(super) struct Text<'a> {
    text: &'a mut String,
    times: Vec<i64>,
}

impl Text<'_> {
    fn family(&mut self, metric: &Metric) {
        // Here a counter's family goes without the suffix of its series.
        let name = match metric.kind {
            MetricType::Counter => metric.name.trim_end_matches("_total"),
            MetricType::Gauge | MetricType::Histogram => metric.name,
        };
        let _ = writeln!(self.text, "# TYPE {name} {}", metric.kind.as_str());
    }

    pub(super) fn gauge(&mut self, name: &str) {
        let _ = writeln!(self.text, "# TYPE {name} gauge");
    }

    /// What a total grew by between each sample and the one before it; `before` is the time of the one before the first.
    fn differences(&mut self, name: &str, before: i64, total: impl Fn(i64) -> f64) {
        let mut last = total(before);
        for at in &self.times {
            let now = total(*at);
            let _ = writeln!(self.text, "{name} {} {at}", now - last);
            last = now;
        }
    }

    pub(super) fn series(&mut self, name: &str, value: impl Fn(i64) -> Option<f64>) {
        for at in &self.times {
            if let Some(value) = value(*at) {
                let _ = writeln!(self.text, "{name} {value} {at}");
            }
        }
    }
}
