//! Samples that Prometheus has refused.

use std::time::Duration;

use crate::component::Component;
use crate::config::PromDuration;
use crate::error::Result;
use crate::http::prometheus::Sample;
use crate::ui::human;
use crate::verify::checks::not_given;
use crate::verify::{Finding, World};

/// Prometheus' own counters, and what each counts.
const COUNTERS: [(&str, &str); 6] = [
    ("prometheus_target_scrapes_sample_out_of_order_total", "out of order: older than one that is there"),
    ("prometheus_target_scrapes_sample_duplicate_timestamp_total", "twice at one time with two values"),
    ("prometheus_target_scrapes_sample_out_of_bounds_total", "too old or too far in the future"),
    ("prometheus_target_scrapes_exceeded_sample_limit_total", "from a target with more than its `sample_limit`"),
    ("prometheus_target_scrapes_exceeded_body_size_limit_total", "from a target with more than its `body_size_limit`"),
    ("prometheus_target_scrape_pool_exceeded_label_limits_total", "with more labels than a limit allows"),
];

/// What marks the counter in the answer: `increase` takes the name away.
const MARK: &str = "moko_counter";
/// The shortest time to look back.
const SHORTEST: Duration = Duration::from_secs(60);

pub(super) async fn look(world: &World) -> Result<Finding> {
    let Some(prometheus) = world.prometheus() else { return Ok(not_given(Component::Prometheus)) };
    let interval = world.expected.as_ref().map(|expected| &expected.config.prometheus.scrape_interval);
    // Of a Prometheus of others the interval is not known; 1 m is its own default.
    let interval = interval.map_or(SHORTEST, PromDuration::as_duration);
    let window = (interval * 4).max(SHORTEST);
    let query = COUNTERS.map(|(name, _)| {
        format!("label_replace(sum(increase({name}[{}s])), \"{MARK}\", \"{name}\", \"\", \"\")", window.as_secs())
    });
    Ok(judge(&prometheus.query(&query.join(" or ")).await?, window))
}

fn judge(growth: &[Sample], window: Duration) -> Finding {
    let back = human(window);
    if growth.is_empty() {
        return Finding::skip(format!("not yet: Prometheus has not scraped itself twice in the last {back}"));
    }
    let grown = |name: &str| {
        let sample = growth.iter().find(|sample| sample.labels.get(MARK).is_some_and(|mark| mark == name))?;
        (sample.value > 0.5).then_some(sample.value)
    };
    let facts = COUNTERS.iter().filter_map(|(name, what)| {
        Some(format!("about {:.0} in the last {back} were refused as {what} (`{name}`)", grown(name)?.ceil()))
    });
    let hint = "`moko-mon logs prometheus` names the target: often two targets push or publish the same series";
    Finding::fail_if_any(facts.collect(), hint, format!("none was refused in the last {back}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::Outcome;

    fn sample(name: &str, value: f64) -> Sample {
        Sample { labels: [(MARK.to_owned(), name.to_owned())].into(), value }
    }

    #[test]
    fn only_growth_counts_and_is_named() {
        let window = Duration::from_secs(60);
        assert_eq!(judge(&[], window).outcome, Outcome::Skip);
        assert_eq!(judge(&[sample(COUNTERS[0].0, 0.0)], window).evidence, ["none was refused in the last 60 s"]);
        let finding = judge(&[sample(COUNTERS[0].0, 0.0), sample(COUNTERS[1].0, 13.2)], window);
        assert_eq!(finding.outcome, Outcome::Fail);
        assert_eq!(
            finding.evidence,
            ["about 14 in the last 60 s were refused as twice at one time with two values \
              (`prometheus_target_scrapes_sample_duplicate_timestamp_total`)"]
        );
        assert!(finding.hint.unwrap().contains("moko-mon logs prometheus"));
    }
}
