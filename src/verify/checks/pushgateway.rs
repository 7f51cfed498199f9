//! The Pushgateway and the groups in it.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::Timestamp;
use serde_json::Value;

use super::{check, few, not_given, ready};
use crate::component::Component;
use crate::error::Result;
use crate::http::prometheus::{Prometheus, Sample};
use crate::verify::facts::PushGroup;
use crate::verify::{Check, Finding, World};

/// The longest that a group may be without a push where no settings say otherwise: a daily script and its delay.
const STALE: Duration = Duration::from_secs(26 * 3600);

pub(in crate::verify) fn checks(_world: &World) -> Vec<Check> {
    let component = Component::Pushgateway.name();
    vec![
        ready("pushgateway.ready", Component::Pushgateway),
        check(
            "pushgateway.honor_labels",
            Component::Prometheus.name(),
            "Prometheus keeps the labels of pushed metrics (`honor_labels`), so that they name the script, not the gateway.",
            &["pushgateway.ready", "prometheus.ready"],
            |world| look_honor_labels(world).boxed(),
        ),
        check(
            "pushgateway.failed",
            component,
            "The last push to each group was accepted, and no push was refused of late.",
            &["pushgateway.ready"],
            |world| look_failed(world).boxed(),
        ),
        check(
            "pushgateway.stale",
            component,
            "Each group is pushed to from time to time.",
            &["pushgateway.ready"],
            |world| look_stale(world).boxed(),
        ),
    ]
}

async fn look_honor_labels(world: &World) -> Result<Finding> {
    let Some(prometheus) = world.prometheus() else { return Ok(not_given(Component::Prometheus)) };
    let configuration = world.facts.prometheus.configuration(&prometheus).await?;
    let jobs = jobs_of_pushgateways(world, &prometheus).await?;
    let renamed = prometheus.query(r#"count(push_time_seconds{exported_job!=""})"#).await?;
    Ok(judge_honor_labels(configuration, &jobs, !renamed.is_empty(), world.expected.is_some()))
}

/// The scrape jobs behind which a Pushgateway was seen.
async fn jobs_of_pushgateways(world: &World, prometheus: &Prometheus) -> Result<BTreeSet<String>> {
    let seen = prometheus.query("pushgateway_build_info").await?;
    if seen.is_empty() {
        return Ok(BTreeSet::new());
    }
    let targets = world.facts.prometheus.targets(prometheus, world.expected.is_some()).await?;
    let met = targets.active_targets.iter().filter(|target| {
        let same = |sample: &Sample, label: &str| target.labels.get(label) == sample.labels.get(label);
        seen.iter().any(|sample| same(sample, "job") && same(sample, "instance"))
    });
    Ok(met.map(|target| target.scrape_pool.clone()).collect())
}

fn judge_honor_labels(configuration: &Value, seen: &BTreeSet<String>, renamed: bool, ours: bool) -> Finding {
    let all = configuration["scrape_configs"].as_array().into_iter().flatten();
    let named = |job: &Value| job["job_name"].as_str().unwrap_or_default().to_owned();
    let jobs = all.filter(|job| {
        let name = named(job);
        // Before the first scrape of ours, its name has to do.
        seen.contains(&name) || (seen.is_empty() && ours && name == Component::Pushgateway.name())
    });
    let (kept, lost): (Vec<&Value>, Vec<&Value>) = jobs.partition(|job| job["honor_labels"] == true);
    let hint = if ours {
        "bring Prometheus' configuration back with `moko-mon up`"
    } else {
        "set `honor_labels: true` in that scrape job, then reload Prometheus"
    };
    if kept.is_empty() && lost.is_empty() {
        return Finding::skip("no scrape job of Prometheus has met a Pushgateway (yet)");
    }
    let lost = lost.into_iter().map(named).map(|job| {
        let effect = if renamed { "; pushed series carry `exported_job` already" } else { "" };
        format!("scrape job `{job}` lacks `honor_labels`: each pushed `job` and `instance` is replaced by the gateway's own{effect}")
    });
    let kept: Vec<String> = kept.into_iter().map(|job| format!("`{}`", named(job))).collect();
    Finding::fail_if_any(lost.collect(), hint, format!("`honor_labels` is set in scrape job {}", kept.join(", ")))
}

async fn look_failed(world: &World) -> Result<Finding> {
    let Some(server) = world.server(Component::Pushgateway) else { return Ok(not_given(Component::Pushgateway)) };
    let groups = world.facts.pushgateway.groups(server).await?;
    let page = server.get("/metrics", &[]).await?;
    if !page.is_success() {
        return Ok(Finding::fail(
            format!("it cannot show what was pushed: `{}` was answered with {}", page.request, page.seen()),
            "one push has spoilt it for all: delete the newest group, or start afresh with `curl -X PUT …/api/v1/admin/wipe`",
        ));
    }
    let refused = match world.prometheus() {
        // A push that cannot be read is not booked on its group; only the count of answers shows it.
        Some(prometheus) => prometheus
            .query(r#"sum(increase(pushgateway_http_requests_total{handler="push",code=~"4.."}[5m]))"#)
            .await
            .map(|found| found.first().map_or(0.0, |sample| sample.value))
            .unwrap_or_default(),
        None => 0.0,
    };
    Ok(judge_failed(groups, refused))
}

fn judge_failed(groups: &[PushGroup], refused: f64) -> Finding {
    let failed = groups.iter().filter(|group| !group.successful);
    let failed: Vec<String> = failed
        .map(|group| {
            let older = if group.pushed > 0.0 { "its metrics are those of an older push" } else { "it has no metrics" };
            format!("the last push to group {{{}}} was refused, so {older}", group.name())
        })
        .collect();
    let hint = "run the script by hand and read what the Pushgateway answers; usual: a type that differs from another \
                group's, the same series twice, no newline at the end";
    if !failed.is_empty() {
        return Finding::fail_if_any(few(failed), hint, "");
    }
    let refused = (refused > 0.0)
        .then(|| format!("{} pushes were refused within 5 minutes: they could not be read", refused.ceil()));
    Finding::warn_if_any(
        refused.into_iter().collect(),
        hint,
        format!("{} groups, the last push to each was accepted", groups.len()),
    )
}

async fn look_stale(world: &World) -> Result<Finding> {
    let Some(server) = world.server(Component::Pushgateway) else { return Ok(not_given(Component::Pushgateway)) };
    let groups = world.facts.pushgateway.groups(server).await?;
    let thresholds = world.expected.as_ref().map(|expected| &expected.config.rules.thresholds);
    let limit = thresholds.map_or(STALE, |thresholds| thresholds.push_stale.age.as_duration());
    Ok(judge_stale(groups, limit, Timestamp::now().as_second()))
}

fn judge_stale(groups: &[PushGroup], limit: Duration, now: i64) -> Finding {
    #[expect(clippy::cast_precision_loss, reason = "seconds since the epoch are exact in a double")]
    let age = |group: &PushGroup| Duration::try_from_secs_f64(now as f64 - group.pushed).unwrap_or_default();
    let stale = groups.iter().filter(|group| group.pushed > 0.0 && age(group) > limit);
    let stale = stale.map(|group| format!("nobody has pushed to group {{{}}} for {}", group.name(), hours(age(group))));
    Finding::warn_if_any(
        few(stale.collect()),
        "see whether the script still runs; a group left behind goes with `curl -X DELETE …/metrics/job/<job>`",
        format!("{} groups, none without a push for more than {}", groups.len(), hours(limit)),
    )
}

/// A time that is long for people: `26h`, `2h 30m`.
fn hours(duration: Duration) -> String {
    let minutes = duration.as_secs() / 60;
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes}m"),
        (hours, 0) => format!("{hours}h"),
        (hours, minutes) => format!("{hours}h {minutes}m"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::verify::Outcome;

    fn group(successful: bool, pushed: f64) -> PushGroup {
        PushGroup { labels: [("job".to_owned(), "backup".to_owned())].into(), successful, pushed }
    }

    #[test]
    fn a_refused_push_is_named_by_its_group() {
        let finding = judge_failed(&[group(true, 5.0), group(false, 5.0)], 1.0);
        assert_eq!(finding.outcome, Outcome::Fail);
        assert_eq!(
            finding.evidence,
            ["the last push to group {job=\"backup\"} was refused, so its metrics are those of an older push"]
        );
        assert!(finding.hint.unwrap().contains("newline"));
        let unread = judge_failed(&[group(true, 5.0)], 1.2);
        assert_eq!(
            (unread.outcome, unread.evidence[0].as_str()),
            (Outcome::Warn, "2 pushes were refused within 5 minutes: they could not be read")
        );
        assert_eq!(judge_failed(&[], 0.0), Finding::pass("0 groups, the last push to each was accepted"));
    }

    #[test]
    fn a_group_is_stale_by_the_alerts_own_limit() {
        let hour = Duration::from_secs(3600);
        let finding = judge_stale(&[group(true, 1_000.0), group(true, 9_000.0), group(false, 0.0)], hour, 10_000);
        assert_eq!(finding.outcome, Outcome::Warn);
        assert_eq!(finding.evidence, ["nobody has pushed to group {job=\"backup\"} for 2h 30m"]);
        assert_eq!(judge_stale(&[group(true, 9_000.0)], hour, 10_000).outcome, Outcome::Pass);
        // The gateway's clock runs ahead of ours.
        assert_eq!(judge_stale(&[group(true, 99_000.0)], hour, 10_000).outcome, Outcome::Pass);
    }

    #[test]
    fn honor_labels_is_wanted_of_jobs_that_meet_a_pushgateway() {
        let jobs = |honor: bool| json!({ "scrape_configs": [{ "job_name": "node" }, { "job_name": "push", "honor_labels": honor }] });
        let seen = BTreeSet::from(["push".to_owned()]);
        let finding = judge_honor_labels(&jobs(false), &seen, true, false);
        assert_eq!(finding.outcome, Outcome::Fail);
        assert_eq!(
            finding.evidence,
            [
                "scrape job `push` lacks `honor_labels`: each pushed `job` and `instance` is replaced by the gateway's own; pushed series carry `exported_job` already"
            ]
        );
        assert_eq!(
            judge_honor_labels(&jobs(true), &seen, false, false).evidence,
            ["`honor_labels` is set in scrape job `push`"]
        );
        assert_eq!(judge_honor_labels(&jobs(true), &BTreeSet::new(), false, true).outcome, Outcome::Skip);
        let ours = json!({ "scrape_configs": [{ "job_name": "pushgateway" }] });
        assert_eq!(judge_honor_labels(&ours, &BTreeSet::new(), false, true).outcome, Outcome::Fail);
    }
}
