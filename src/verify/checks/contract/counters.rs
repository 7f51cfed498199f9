//! Counters that do not count, and series that are gone.

use std::collections::BTreeMap;

use futures_util::try_join;

use super::super::{few, many, not_given};
use super::{NOBODY, listed};
use crate::component::Component;
use crate::error::Result;
use crate::http::prometheus::{Prometheus, Sample};
use crate::verify::{Finding, World};

/// How far back is looked: long enough for a daily script's second run to be missed.
const WINDOW: &str = "1d";
/// The labels that tell one script on one machine from the others.
const BY: &str = "job, instance, script_name";

/// What helps against a counter that does not count.
pub(crate) const CONSTANT_HINT: &str =
    "push a total that is kept between runs: the Pushgateway replaces values, it does not add them up";

/// What was seen of a script's counter.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Script {
    pub(crate) name: String,
    /// How often the counter changed.
    pub(crate) counted: f64,
    /// Its value, all ways to end together.
    pub(crate) value: f64,
    /// How often the time of the last run changed; `None` if it is not published.
    pub(crate) ran: Option<f64>,
    /// How often its group was pushed to.
    pub(crate) pushed: f64,
}

pub(super) async fn look_constants(world: &World) -> Result<Finding> {
    let Some(prometheus) = world.prometheus() else { return Ok(not_given(Component::Prometheus)) };
    Ok(judge_constants(&scripts(&prometheus).await?))
}

/// The counters of all scripts.
pub(crate) async fn scripts(prometheus: &Prometheus) -> Result<Vec<Script>> {
    let changes = |metric: &str| format!("sum by ({BY}) (changes({metric}[{WINDOW}]))");
    let (counted, ran) =
        (changes("moko_script_executions_total"), changes("moko_script_last_execution_timestamp_seconds"));
    let value = format!("sum by ({BY}) (moko_script_executions_total)");
    let pushed = format!("max by ({BY}) (changes(push_time_seconds[{WINDOW}]))");
    let (value, ran, pushed) = try_join!(prometheus.query(&value), prometheus.query(&ran), prometheus.query(&pushed))?;
    // Later than the others: what was scraped in between then counts for the script, never against it.
    let counted = prometheus.query(&counted).await?;
    let key = |sample: &Sample| {
        ["job", "instance", "script_name"].map(|label| sample.labels.get(label).cloned().unwrap_or_default())
    };
    let map = |samples: Vec<Sample>| -> BTreeMap<[String; 3], f64> {
        samples.into_iter().map(|sample| (key(&sample), sample.value)).collect()
    };
    let (counted, ran, pushed) = (map(counted), map(ran), map(pushed));
    let script = |sample: &Sample| {
        let own = key(sample);
        // Of a group for several scripts, all are pushed at once.
        let [job, instance, _] = &own;
        let shared = [job.clone(), instance.clone(), String::new()];
        Script {
            name: own[2].clone(),
            counted: counted.get(&own).copied().unwrap_or(0.0),
            value: sample.value,
            ran: ran.get(&own).copied(),
            pushed: pushed.get(&own).or_else(|| pushed.get(&shared)).copied().unwrap_or(0.0),
        }
    };
    Ok(value.iter().map(script).collect())
}

/// A pushed 1 replaces the 1 before it: the counter never grows, and no rule ever sees a run.
fn judge_constants(scripts: &[Script]) -> Finding {
    if scripts.is_empty() {
        return Finding::pass(NOBODY);
    }
    let facts = scripts.iter().filter_map(|script| Some(format!("script `{}` {}", script.name, script.constant()?)));
    Finding::fail_if_any(
        few(facts.collect()),
        CONSTANT_HINT,
        format!("the counters of {}, none is pushed as a constant", many(scripts.len(), "script")),
    )
}

impl Script {
    /// How it is seen that the counter does not count; `None` where it counts, or that cannot be told.
    pub(crate) fn constant(&self) -> Option<String> {
        let Self { counted, value, ran, pushed, .. } = self;
        match ran {
            _ if *counted > 0.0 => None,
            Some(ran) if *ran >= 2.0 => Some(format!(
                "ended at least {ran} times within {WINDOW}, but its counter `moko_script_executions_total` stays at {value}"
            )),
            // Who publishes no time of the last run is judged by the pushes.
            None if *pushed >= 3.0 && *value <= 1.0 => Some(format!(
                "was pushed {pushed} times within {WINDOW}, each time with {value} as its counter `moko_script_executions_total`"
            )),
            _ => None,
        }
    }
}

pub(super) async fn look_stale(world: &World) -> Result<Finding> {
    let Some(prometheus) = world.prometheus() else { return Ok(not_given(Component::Prometheus)) };
    let (gone, there) = (
        format!(
            "count by (script_name) (last_over_time(moko_script_executions_total[{WINDOW}])) \
             unless count by (script_name) (moko_script_executions_total)"
        ),
        "count by (script_name) (moko_script_executions_total)",
    );
    let (gone, there) = try_join!(prometheus.query(&gone), prometheus.query(there))?;
    let names = |samples: &[Sample]| -> Vec<String> {
        samples.iter().map(|sample| sample.labels.get("script_name").cloned().unwrap_or_default()).collect()
    };
    Ok(judge_stale(&names(&gone), there.len()))
}

fn judge_stale(gone: &[String], there: usize) -> Finding {
    if gone.is_empty() && there == 0 {
        return Finding::pass(NOBODY);
    }
    let names: Vec<&str> = gone.iter().map(String::as_str).collect();
    let fact = (!gone.is_empty())
        .then(|| format!("scripts that reported within {WINDOW} and do not any more: {}", listed(&names)));
    Finding::warn_if_any(
        fact.into_iter().collect(),
        "see whether what publishes them still runs: `moko-mon verify --only prometheus.targets,pushgateway`",
        format!("{there} scripts report; none fell silent within {WINDOW}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::Outcome;

    fn script(counted: f64, value: f64, ran: Option<f64>, pushed: f64) -> Finding {
        judge_constants(&[Script { name: "backup".to_owned(), counted, value, ran, pushed }])
    }

    #[test]
    fn a_counter_that_stays_while_the_script_runs_fails() {
        let finding = script(0.0, 1.0, Some(3.0), 4.0);
        assert_eq!(finding.outcome, Outcome::Fail);
        assert_eq!(
            finding.evidence,
            [
                "script `backup` ended at least 3 times within 1d, but its counter `moko_script_executions_total` stays at 1"
            ]
        );
        assert!(finding.hint.unwrap().contains("kept between runs"));
        let finding = script(0.0, 1.0, None, 4.0);
        assert_eq!(
            finding.evidence,
            [
                "script `backup` was pushed 4 times within 1d, each time with 1 as its counter `moko_script_executions_total`"
            ]
        );
    }

    #[test]
    fn a_counter_without_a_run_is_no_fault() {
        // Ran once; counts; a long total that is pushed again without a run.
        for fine in [script(0.0, 1.0, Some(0.0), 9.0), script(2.0, 3.0, Some(2.0), 3.0), script(0.0, 7.0, None, 9.0)] {
            assert_eq!(fine, Finding::pass("the counters of 1 script, none is pushed as a constant"));
        }
        assert_eq!(judge_constants(&[]), Finding::pass(NOBODY));
    }

    #[test]
    fn scripts_that_fell_silent_are_named() {
        let finding = judge_stale(&["backup".to_owned()], 2);
        assert_eq!(
            (finding.outcome, finding.evidence),
            (Outcome::Warn, vec!["scripts that reported within 1d and do not any more: `backup`".to_owned()])
        );
        assert_eq!(judge_stale(&[], 2).evidence, ["2 scripts report; none fell silent within 1d"]);
        assert_eq!(judge_stale(&[], 0), Finding::pass(NOBODY));
    }
}
