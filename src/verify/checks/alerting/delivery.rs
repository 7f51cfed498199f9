//! From Alertmanager to the receivers.
//!
//! Counted by kind of integration and, where Alertmanager tells them apart as ours does, by receiver: one that works must
//! not hide one that does not. A notification is counted when it is begun, and it ends with a request that succeeds or
//! when the last try was given up, which by default is minutes later. So failed requests count as well, and what has
//! begun and not ended is on its way or hangs.

use std::collections::BTreeMap;

use futures_util::try_join;

use super::super::{few, not_given};
use crate::alerting::routing::Routing;
use crate::component::Component;
use crate::error::Result;
use crate::exposition::read::{Family, samples};
use crate::http::prometheus::{Prometheus, Sample};
use crate::verify::{Finding, World};

/// What "of late" means, in minutes.
const MINUTES: u64 = 5;
/// How long a receiver may take to answer, in seconds.
const PATIENCE: u64 = 30;

/// What happened to the notifications of one kind of integration.
#[derive(Debug, Clone, Default, PartialEq)]
struct Counts {
    /// Notifications that were begun.
    begun: f64,
    /// Those that were given up, by reason.
    failed: BTreeMap<String, f64>,
    /// Those that a reload cancelled; they are begun anew, and no failure of a receiver.
    cancelled: f64,
    /// Requests that were answered or given up.
    requests: f64,
    /// Those that failed.
    requests_failed: f64,
}

/// By kind of integration and name of the receiver, which is empty where it is not told.
type All = BTreeMap<(String, String), Counts>;

pub(super) async fn look(world: &World) -> Result<Finding> {
    let Some(server) = world.server(Component::Alertmanager) else { return Ok(not_given(Component::Alertmanager)) };
    let now = read(&world.facts.alertmanager.metrics(server).await?);
    let (before, begun) = match world.prometheus() {
        Some(prometheus) => past(&prometheus).await.unwrap_or_default(),
        None => <(All, All)>::default(),
    };
    Ok(judge(&now, &before, &begun, world.facts.alertmanager.routing(server).await?))
}

/// The counts as Prometheus scraped them: minutes ago, and long enough ago that an answer is due. Empty where it does not
/// scrape Alertmanager, or did not yet.
async fn past(prometheus: &Prometheus) -> Result<(All, All)> {
    let names = "alertmanager_notification(s_total|s_failed_total|_requests_total|_requests_failed_total)";
    let (lately, due) = (
        format!("{{__name__=~\"{names}\"}} offset {MINUTES}m"),
        format!("{{__name__=~\"{names}\"}} offset {PATIENCE}s"),
    );
    let (lately, due) = try_join!(prometheus.query(&lately), prometheus.query(&due))?;
    Ok((collect(&lately), collect(&due)))
}

fn collect(samples: &[Sample]) -> All {
    let mut all = All::new();
    for sample in samples {
        let label = |name: &str| sample.labels.get(name).map(String::as_str).unwrap_or_default();
        let of = (label("integration"), label("receiver_name"));
        add(&mut all, label("__name__"), of, label("reason"), sample.value);
    }
    all
}

/// The counts as Alertmanager tells them itself.
fn read(metrics: &[Family<'_>]) -> All {
    let mut all = All::new();
    for sample in samples(metrics) {
        let label = |name: &str| sample.label(name).unwrap_or_default();
        let of = (label("integration"), label("receiver_name"));
        add(&mut all, &sample.name, of, label("reason"), sample.value);
    }
    all
}

fn add(all: &mut All, name: &str, (integration, receiver): (&str, &str), reason: &str, value: f64) {
    if integration.is_empty() {
        return;
    }
    let counts = all.entry((integration.to_owned(), receiver.to_owned())).or_default();
    match name {
        "alertmanager_notifications_total" => counts.begun += value,
        "alertmanager_notifications_failed_total" if reason == "contextCanceled" => counts.cancelled += value,
        "alertmanager_notifications_failed_total" => *counts.failed.entry(reason.to_owned()).or_default() += value,
        "alertmanager_notification_requests_total" => counts.requests += value,
        "alertmanager_notification_requests_failed_total" => counts.requests_failed += value,
        _ => {}
    }
}

impl Counts {
    /// Notifications that came through or were given up.
    fn ended(&self) -> f64 {
        self.requests - self.requests_failed + self.failed.values().sum::<f64>() + self.cancelled
    }
}

/// By how much a count grew; after a restart, all of it.
fn grown(now: f64, before: f64) -> f64 {
    if now < before { now } else { now - before }
}

fn judge(now: &All, before: &All, due: &All, routing: &Routing) -> Finding {
    let (mut failed, mut doubtful) = (Vec::new(), Vec::new());
    let mut begun = 0.0;
    let when = if before.is_empty() {
        "since Alertmanager was started".to_owned()
    } else {
        format!("within {MINUTES} minutes")
    };
    let none = Counts::default();
    for (of, now) in now {
        let (was, due) = (before.get(of).unwrap_or(&none), due.get(of).unwrap_or(&none));
        let (kind, receiver) = (&of.0, &of.1);
        let receivers = routing.receivers_with(kind);
        // What a receiver did that is configured no more is past.
        if !receiver.is_empty() && !receivers.iter().any(|of| of == receiver) {
            continue;
        }
        let who = match receivers.as_slice() {
            _ if !receiver.is_empty() => format!("`{kind}` of receiver `{receiver}`"),
            [] => format!("`{kind}`"),
            receivers => format!("`{kind}` (receivers with it: {})", receivers.join(", ")),
        };
        let all = grown(now.begun, was.begun);
        begun += all;
        let reasons: Vec<(&str, f64)> = now
            .failed
            .iter()
            .map(|(reason, count)| (reason.as_str(), grown(*count, was.failed.get(reason).copied().unwrap_or(0.0))))
            .filter(|(_, count)| *count > 0.0)
            .collect();
        let given_up: f64 = reasons.iter().map(|(_, count)| count).sum();
        // Each that was cancelled took the request with it that was under way.
        let cancelled = grown(now.cancelled, was.cancelled);
        let refused = grown(now.requests_failed, was.requests_failed);
        let cancelled = cancelled.min(refused);
        let (requests, refused) = (grown(now.requests, was.requests) - cancelled, refused - cancelled);
        let hangs = due.begun > now.ended() && now.begun >= due.begun && !routing.hides_resolved(kind, receiver);
        if given_up > 0.0 {
            let reasons: Vec<&str> = reasons.iter().map(|(reason, _)| *reason).collect();
            let fact = format!("{who}: {given_up} of {all} notifications failed {when}: {}", reasons.join(", "));
            // Without the past, one of last week would fail for ever.
            let recovered = before.is_empty() && given_up < all;
            if recovered { doubtful.push(fact) } else { failed.push(fact) }
        } else if refused > 0.0 && refused >= requests {
            failed.push(format!("{who}: all {requests} requests {when} failed, and Alertmanager goes on trying"));
        } else if hangs && refused == 0.0 {
            failed.push(format!("{who}: a notification that was begun more than {PATIENCE} s ago has no answer yet"));
        } else if hangs {
            failed.push(format!(
                "{who}: {refused} of {requests} requests {when} failed, and Alertmanager goes on trying"
            ));
        } else if refused > 0.0 {
            doubtful.push(format!("{who}: {refused} of {requests} requests {when} failed before one succeeded"));
        }
    }
    let hint = "see the receiver's answer with `moko-mon logs alertmanager`";
    if !failed.is_empty() {
        failed.extend(doubtful);
        return Finding::fail_if_any(few(failed), hint, "");
    }
    Finding::warn_if_any(few(doubtful), hint, format!("{begun} notifications {when}, none failed"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposition::read::parse;
    use crate::verify::Outcome;

    fn counts(page: &str) -> All {
        read(&parse(page).unwrap())
    }

    fn page(begun: u32, failed: u32, requests: u32, refused: u32) -> All {
        counts(&format!(
            "# TYPE alertmanager_notifications_total counter\n\
             alertmanager_notifications_total{{integration=\"webhook\"}} {begun}\n\
             alertmanager_notifications_failed_total{{integration=\"webhook\",reason=\"serverError\"}} {failed}\n\
             alertmanager_notifications_failed_total{{integration=\"webhook\",reason=\"other\"}} 0\n\
             alertmanager_notification_requests_total{{integration=\"webhook\"}} {requests}\n\
             alertmanager_notification_requests_failed_total{{integration=\"webhook\"}} {refused}\n\
             alertmanager_notification_latency_seconds_count{{integration=\"webhook\"}} 9\n"
        ))
    }

    fn routing() -> Routing {
        Routing::read("route: {receiver: ops}\nreceivers: [{name: ops, webhook_configs: [{url: x}]}]").unwrap()
    }

    fn judged(now: &All, before: &All, due: &All) -> Finding {
        judge(now, before, due, &routing())
    }

    #[test]
    fn failed_notifications_name_receiver_and_reason() {
        let finding = judged(&page(5, 3, 9, 7), &page(1, 0, 1, 0), &All::new());
        assert_eq!(finding.outcome, Outcome::Fail);
        assert_eq!(
            finding.evidence,
            ["`webhook` (receivers with it: ops): 3 of 4 notifications failed within 5 minutes: serverError"]
        );
        assert_eq!(finding.hint.as_deref(), Some("see the receiver's answer with `moko-mon logs alertmanager`"));
        // Of which nothing happened of late.
        assert_eq!(
            judged(&page(5, 3, 9, 7), &page(5, 3, 9, 7), &All::new()),
            Finding::pass("0 notifications within 5 minutes, none failed")
        );
        // How long ago is not known, and others came through.
        assert_eq!(judged(&page(5, 3, 9, 7), &All::new(), &All::new()).outcome, Outcome::Warn);
    }

    #[test]
    fn a_receiver_that_works_does_not_hide_one_that_does_not() {
        let of = |receiver: &str, requests: u32, refused: u32| {
            format!(
                "alertmanager_notifications_total{{integration=\"webhook\",receiver_name=\"{receiver}\"}} 1\n\
                 alertmanager_notification_requests_total{{integration=\"webhook\",receiver_name=\"{receiver}\"}} {requests}\n\
                 alertmanager_notification_requests_failed_total{{integration=\"webhook\",receiver_name=\"{receiver}\"}} \
                 {refused}\n"
            )
        };
        let page = of("ops", 3, 3) + &of("canary", 2, 0) + &of("gone", 5, 5);
        let routing = "route: {receiver: ops}\nreceivers: [{name: ops, webhook_configs: [{url: x}]}, \
                       {name: canary, webhook_configs: [{url: y}]}]";
        let finding = judge(&counts(&page), &All::new(), &All::new(), &Routing::read(routing).unwrap());
        assert_eq!(
            finding.evidence,
            [
                "`webhook` of receiver `ops`: all 3 requests since Alertmanager was started failed, and Alertmanager goes on \
              trying"
            ]
        );
    }

    #[test]
    fn what_a_reload_cancelled_is_no_failure() {
        let page = "alertmanager_notifications_total{integration=\"webhook\",receiver_name=\"ops\"} 1\n\
                    alertmanager_notifications_failed_total{integration=\"webhook\",reason=\"contextCanceled\",\
                    receiver_name=\"ops\"} 1\n";
        assert_eq!(judged(&counts(page), &All::new(), &All::new()).outcome, Outcome::Pass);
    }

    #[test]
    fn refused_requests_count_before_alertmanager_gives_up() {
        let finding = judged(&page(1, 0, 4, 4), &page(0, 0, 0, 0), &All::new());
        assert_eq!(
            finding.evidence,
            [
                "`webhook` (receivers with it: ops): all 4 requests within 5 minutes failed, and Alertmanager goes on trying"
            ]
        );
        assert_eq!(judged(&page(1, 0, 4, 3), &page(0, 0, 0, 0), &All::new()).outcome, Outcome::Warn);
    }

    #[test]
    fn a_request_that_a_reload_cancelled_is_no_failure_either() {
        let mut now = page(2, 0, 2, 1);
        now.values_mut().next().unwrap().cancelled = 1.0;
        assert_eq!(judged(&now, &page(0, 0, 0, 0), &All::new()).outcome, Outcome::Pass);
        now.values_mut().next().unwrap().requests_failed = 2.0;
        assert_eq!(judged(&now, &page(0, 0, 0, 0), &All::new()).outcome, Outcome::Fail);
    }

    #[test]
    fn one_that_hangs_does_not_hide_behind_the_retries_of_another() {
        // Long ago one needed three tries; now one came through, and one has hung for a while.
        let (before, now) = (page(1, 0, 3, 2), page(3, 0, 4, 2));
        let finding = judged(&now, &before, &page(3, 0, 3, 2));
        assert_eq!(
            finding.evidence,
            ["`webhook` (receivers with it: ops): a notification that was begun more than 30 s ago has no answer yet"]
        );
        // One succeeds, and another is tried again and again.
        let finding = judged(&page(2, 0, 6, 5), &page(0, 0, 0, 0), &page(2, 0, 3, 2));
        assert_eq!(
            finding.evidence,
            [
                "`webhook` (receivers with it: ops): 5 of 6 requests within 5 minutes failed, and Alertmanager goes on trying"
            ]
        );
    }

    #[test]
    fn what_nobody_wants_to_be_told_is_no_silence() {
        // The end of an alert counts as a notification that began, and no request is made for it.
        let routing =
            "route: {receiver: ops}\nreceivers: [{name: ops, webhook_configs: [{url: x, send_resolved: false}]}]";
        let (now, before) = (page(2, 0, 1, 0), page(0, 0, 0, 0));
        let finding = judge(&now, &before, &page(2, 0, 1, 0), &Routing::read(routing).unwrap());
        assert_eq!(finding.outcome, Outcome::Pass, "{finding:?}");
        assert_eq!(judged(&now, &before, &page(2, 0, 1, 0)).outcome, Outcome::Fail);
    }

    #[test]
    fn a_receiver_that_never_answers_is_seen_by_what_is_missing() {
        let finding = judged(&page(1, 0, 0, 0), &page(0, 0, 0, 0), &page(1, 0, 0, 0));
        assert_eq!(
            finding.evidence,
            ["`webhook` (receivers with it: ops): a notification that was begun more than 30 s ago has no answer yet"]
        );
        // The end of an alert is begun, and then nobody is called.
        let ends = "route: {receiver: ops}\nreceivers: [{name: ops, webhook_configs: [{send_resolved: false}]}]";
        let ends = Routing::read(ends).unwrap();
        assert_eq!(judge(&page(2, 0, 1, 0), &All::new(), &page(2, 0, 1, 0), &ends).outcome, Outcome::Pass);
        // Begun just now.
        assert_eq!(judged(&page(1, 0, 0, 0), &page(0, 0, 0, 0), &page(0, 0, 0, 0)).outcome, Outcome::Pass);
        // Restarted since.
        assert_eq!(judged(&page(0, 0, 0, 0), &page(3, 0, 3, 0), &page(3, 0, 3, 0)).outcome, Outcome::Pass);
    }
}
