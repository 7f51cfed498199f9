//! Metrics as text, in Prometheus' text format 0.0.4: what is pushed, and what files for other collectors hold.

pub mod read;

use crate::contract::{Metric, MetricType};

/// One metric with its samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// What it is, for the lines above the samples.
    pub metric: &'static Metric,
    /// Its samples; none with the same name and labels twice.
    pub samples: Vec<Sample>,
}

/// One line of a family.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// What follows the metric's name: `_bucket`, `_sum` or `_count` of a histogram, else nothing.
    pub suffix: &'static str,
    /// Its labels, each name once.
    pub labels: Vec<(&'static str, String)>,
    /// Its value.
    pub value: f64,
}

impl Family {
    /// The samples of a counter or gauge.
    #[must_use]
    pub fn of(metric: &'static Metric, samples: Vec<(Vec<(&'static str, String)>, f64)>) -> Self {
        let samples = samples.into_iter().map(|(labels, value)| Sample { suffix: "", labels, value }).collect();
        Self { metric, samples }
    }

    /// A histogram from its cumulative buckets, smallest first and without `+Inf`, the sum and the count.
    #[must_use]
    pub fn histogram(
        metric: &'static Metric,
        labels: &[(&'static str, String)],
        buckets: &[(f64, f64)],
        sum: f64,
        count: f64,
    ) -> Self {
        let bucket = |&(le, value): &(f64, f64)| {
            let labels = labels.iter().cloned().chain([("le", number(le))]).collect();
            Sample { suffix: "_bucket", labels, value }
        };
        let total = |suffix, value| Sample { suffix, labels: labels.to_vec(), value };
        let mut samples: Vec<Sample> = buckets.iter().chain([&(f64::INFINITY, count)]).map(bucket).collect();
        samples.extend([total("_sum", sum), total("_count", count)]);
        Self { metric, samples }
    }
}

/// The whole text, each family with its `# HELP` and `# TYPE` line.
#[must_use]
pub fn text(families: &[Family]) -> String {
    let mut text = String::new();
    for family @ Family { metric, samples } in families {
        let help = metric.help.replace('\\', r"\\").replace('\n', r"\n");
        text.push_str(&format!("# HELP {0} {help}\n# TYPE {0} {1}\n", metric.name, metric.kind.as_str()));
        debug_assert!(metric.kind == MetricType::Histogram || samples.iter().all(|sample| sample.suffix.is_empty()));
        text.push_str(&untyped(std::slice::from_ref(family)));
    }
    text
}

/// The samples alone: each name is a metric without a type, as plain `name value` lines make it.
#[must_use]
pub fn untyped(families: &[Family]) -> String {
    let lines = families.iter().flat_map(|Family { metric, samples }| {
        samples.iter().map(|sample| format!("{}{} {}\n", metric.name, sample.selector(), number(sample.value)))
    });
    lines.collect()
}

impl Sample {
    /// What stands behind the metric's name: suffix and labels, which is also how a query selects it.
    #[must_use]
    pub fn selector(&self) -> String {
        let labels: Vec<String> =
            self.labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escape(value))).collect();
        if labels.is_empty() { self.suffix.to_owned() } else { format!("{}{{{}}}", self.suffix, labels.join(",")) }
    }
}

/// A label's value between its quotes, in this format and in a query.
#[must_use]
pub fn escape(value: &str) -> String {
    value.replace('\\', r"\\").replace('\n', r"\n").replace('"', "\\\"")
}

/// A number as the format writes it.
#[must_use]
pub fn number(value: f64) -> String {
    if value.is_infinite() { if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned() } else { value.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::REQUIRED;

    #[test]
    fn a_text_has_help_type_and_escaped_labels() {
        let family = Family::of(&REQUIRED[3], vec![(vec![("api", "a\"b\\c\nd".to_owned())], 12.5)]);
        assert_eq!(
            text(&[family]),
            "# HELP moko_api_rate_limit_remaining Calls that an API still allows in the present quota window.\n\
             # TYPE moko_api_rate_limit_remaining gauge\n\
             moko_api_rate_limit_remaining{api=\"a\\\"b\\\\c\\nd\"} 12.5\n"
        );
    }

    #[test]
    fn a_histogram_ends_with_all_its_observations() {
        let labels = [("script_name", "x".to_owned())];
        let family = Family::histogram(&REQUIRED[1], &labels, &[(0.5, 1.0), (300.0, 2.0)], 700.25, 3.0);
        let text = text(&[family]);
        assert_eq!(
            text.lines().skip(2).collect::<Vec<_>>(),
            [
                r#"moko_script_duration_seconds_bucket{script_name="x",le="0.5"} 1"#,
                r#"moko_script_duration_seconds_bucket{script_name="x",le="300"} 2"#,
                r#"moko_script_duration_seconds_bucket{script_name="x",le="+Inf"} 3"#,
                r#"moko_script_duration_seconds_sum{script_name="x"} 700.25"#,
                r#"moko_script_duration_seconds_count{script_name="x"} 3"#,
            ]
        );
    }
}
