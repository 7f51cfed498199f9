//! What the Pushgateway is told of each job, so that its rules know since when it should run and when first.

use jiff::Timestamp;

use super::Job;
use super::metrics::{DECLARATION, DECLARED, INFO, MAX_RUNTIME, NEXT_DUE};
use crate::exposition::{Family, text};
use crate::http::pushgateway::{Group, GroupKey};

/// The group of a job's declaration.
#[must_use]
pub fn key(name: &str) -> GroupKey {
    GroupKey::new(DECLARATION).with("script_name", name)
}

/// The job that a group declares; `None` for a group of something else.
#[must_use]
pub fn declared_job(group: &Group) -> Option<&str> {
    let is_declaration = group.labels.get("job").is_some_and(|job| job == DECLARATION);
    group.labels.get("script_name").filter(|_| is_declaration).map(String::as_str)
}

/// Why a job has to be declared; `None` when the Pushgateway has its declaration.
#[must_use]
pub fn cause(job: &Job, groups: &[Group]) -> Option<String> {
    let Some(group) = groups.iter().find(|group| declared_job(group) == Some(&job.name)) else {
        return Some("missing".to_owned());
    };
    let Some(since) = since(job, group) else { return Some("schedule changed".to_owned()) };
    let same = families(job, since).iter().all(|family| {
        let held = group.values(family.metric.name);
        let [sample] = family.samples.as_slice() else { return held.is_empty() };
        let [(labels, value)] = held.as_slice() else { return false };
        let has = |(name, value): &(&str, String)| labels.get(*name).is_some_and(|held| held == value);
        // Whole seconds: exact in both.
        sample.labels.iter().all(has) && (sample.value - value).abs() < 0.5
    });
    (!same).then(|| "settings changed".to_owned())
}

/// The text to push for a job, which keeps the time of its declaration while its schedule is the same.
#[must_use]
pub fn declaration(job: &Job, groups: &[Group], now: Timestamp) -> String {
    let held = groups.iter().find(|group| declared_job(group) == Some(&job.name));
    text(&families(job, held.and_then(|group| since(job, group)).unwrap_or(now)))
}

/// Since when a group declares a job with its present schedule.
fn since(job: &Job, group: &Group) -> Option<Timestamp> {
    let values = group.values(INFO.name);
    let (labels, _) = values.first()?;
    let same = [("schedule", job.schedule.text()), ("timezone", job.schedule.zone_name().unwrap_or_default())];
    if !same.iter().all(|(name, value)| labels.get(*name).map_or("", String::as_str) == *value) {
        return None;
    }
    let (_, seconds) = group.values(DECLARED.name).first().cloned()?;
    #[expect(clippy::cast_possible_truncation, reason = "a time far out of range is no time, and refused")]
    Timestamp::from_second(seconds as i64).ok()
}

#[expect(clippy::cast_precision_loss, reason = "seconds since the epoch are exact for millions of years")]
fn families(job: &Job, since: Timestamp) -> Vec<Family> {
    let labels = || vec![("script_name", job.name.clone())];
    let one = |metric, value: f64| Family::of(metric, vec![(labels(), value)]);
    let due = job.schedule.next_after(since);
    let mut info = labels();
    info.extend([
        ("schedule", job.schedule.text().to_owned()),
        ("timezone", job.schedule.zone_name().unwrap_or_default().to_owned()),
        ("team", job.team.clone()),
    ]);
    // The Pushgateway leaves out labels without a value, and so do we.
    info.retain(|(_, value)| !value.is_empty());
    let mut families = vec![one(DECLARED, since.as_second() as f64)];
    families.extend(due.map(|due| one(NEXT_DUE, due.as_second() as f64)));
    families.push(one(MAX_RUNTIME, job.max_runtime.as_secs_f64()));
    families.push(Family::of(INFO, vec![(info, 1.0)]));
    families
}
