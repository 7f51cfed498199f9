//! The checks of the user.

use futures_util::FutureExt as _;

use super::{check, few, not_given};
use crate::component::Component;
use crate::config::{CustomCheck, Expectation, Severity};
use crate::error::{Error, Result};
use crate::http::prometheus::Sample;
use crate::verify::{Check, Finding, Outcome, World};

pub(in crate::verify) fn checks(world: &World) -> Vec<Check> {
    let settings = world.expected.iter().flat_map(|expected| &expected.config.checks);
    settings
        .map(|custom| {
            let about = custom.message.clone().unwrap_or_else(|| format!("`{}` is {}.", custom.expr, custom.expect));
            let custom = custom.clone();
            check(format!("custom.{}", custom.name), "custom", about, &["prometheus.ready"], move |world| {
                let custom = custom.clone();
                async move { look(world, &custom).await }.boxed()
            })
        })
        .collect()
}

async fn look(world: &World, custom: &CustomCheck) -> Result<Finding> {
    let Some(prometheus) = world.prometheus() else { return Ok(not_given(Component::Prometheus)) };
    Ok(match prometheus.query(&custom.expr).await {
        Ok(samples) => judge(custom, &samples),
        Err(refused) => judge_refused(custom, refused),
    })
}

/// A query that Prometheus does not understand is broken, whatever the severity of its result.
fn judge_refused(custom: &CustomCheck, refused: Error) -> Finding {
    let hint = format!("mend `expr` of the check `{}` at {}", custom.name, custom.place);
    Finding { hint: Some(hint), ..Finding::from(refused) }
}

fn judge(custom: &CustomCheck, samples: &[Sample]) -> Finding {
    let CustomCheck { expr, expect, .. } = custom;
    let returned = match samples {
        [] => "no series".to_owned(),
        [one] => format!("`{}`", one.value),
        many => format!("{} series", many.len()),
    };
    let wrong: Vec<String> = match expect {
        Expectation::Every(relation, number) => {
            samples.iter().filter(|sample| !relation.holds(sample.value, *number)).map(named).collect()
        }
        Expectation::Absent => samples.iter().map(named).collect(),
        Expectation::AtLeast(_) => Vec::new(),
    };
    let holds = match expect {
        Expectation::Every(..) => wrong.is_empty() && !samples.is_empty(),
        Expectation::Absent => samples.is_empty(),
        Expectation::AtLeast(count) => samples.len() >= *count,
    };
    let fact = format!("`{expr}` returned {returned}, expected is `{expect}`");
    if holds {
        return Finding::pass(format!("`{expr}` returned {returned}, as expected (`{expect}`)"));
    }
    let outcome = match custom.severity {
        Severity::Fail => Outcome::Fail,
        Severity::Warn => Outcome::Warn,
    };
    let mut evidence: Vec<String> = custom.message.iter().cloned().collect();
    evidence.push(fact);
    if samples.len() > 1 {
        evidence.extend(few(wrong));
    }
    let mut hint = format!("this is a check of your own, at {}", custom.place);
    if samples.is_empty() && matches!(expect, Expectation::Every(..)) {
        hint.push_str("; where no series means 0, write `or vector(0)` behind the query");
    }
    Finding { outcome, evidence, hint: Some(hint) }
}

/// `{job="a"} is 3`.
fn named(sample: &Sample) -> String {
    let labels = sample.labels.iter().map(|(name, value)| format!("{name}={value:?}"));
    format!("{{{}}} is {}", labels.collect::<Vec<_>>().join(", "), sample.value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    fn custom(expect: &str, severity: Severity) -> CustomCheck {
        CustomCheck {
            name: "jobs".to_owned(),
            expr: "jobs".to_owned(),
            expect: expect.parse().unwrap(),
            message: Some("Too few jobs.".to_owned()),
            severity,
            place: "moko-mon.yaml:4:11".to_owned(),
        }
    }

    fn sample(job: &str, value: f64) -> Sample {
        Sample { labels: [("job".to_owned(), job.to_owned())].into(), value }
    }

    fn outcome(expect: &str, samples: &[Sample]) -> Outcome {
        judge(&custom(expect, Severity::Fail), samples).outcome
    }

    #[test]
    fn every_series_must_be_as_expected_and_there_must_be_one() {
        let two = [sample("a", 1.0), sample("b", 0.0)];
        assert_eq!(outcome(">= 0", &two), Outcome::Pass);
        assert_eq!(outcome("> 0", &[]), Outcome::Fail);
        assert_eq!(outcome("absent", &[]), Outcome::Pass);
        assert_eq!(outcome("absent", &two), Outcome::Fail);
        assert_eq!(outcome("at least 2 series", &two), Outcome::Pass);
        assert_eq!(outcome("at least 3 series", &two), Outcome::Fail);
        assert_eq!(outcome("== 1", &[sample("a", f64::NAN)]), Outcome::Fail);
        let finding = judge(&custom("> 0", Severity::Warn), &two);
        assert_eq!(finding.outcome, Outcome::Warn);
        assert_eq!(
            finding.evidence,
            ["Too few jobs.", "`jobs` returned 2 series, expected is `> 0`", "{job=\"b\"} is 0"]
        );
        assert_eq!(finding.hint.unwrap(), "this is a check of your own, at moko-mon.yaml:4:11");
        assert!(judge(&custom("> 0", Severity::Fail), &[]).hint.unwrap().contains("`or vector(0)`"));
    }

    #[test]
    fn a_query_that_is_refused_fails_with_the_server_s_words() {
        let refused = Error::new(Code::NotReady, "Prometheus refused `GET x`").cause("parse error");
        let finding = judge_refused(&custom("> 0", Severity::Warn), refused);
        assert_eq!(finding.outcome, Outcome::Fail);
        assert_eq!(finding.evidence, ["Prometheus refused `GET x`", "parse error"]);
        assert_eq!(finding.hint.unwrap(), "mend `expr` of the check `jobs` at moko-mon.yaml:4:11");
    }
}
