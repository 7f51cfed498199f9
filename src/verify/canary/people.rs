//! The last hop: the receivers of the settings take a test message.
//!
//! The canary itself reaches no person. What it proves up to Alertmanager's door is proved behind it by marked messages,
//! to those receivers that may be told without waking anybody.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::alert::delivery::{Test, has_route};
use crate::alert::log::Log;
use crate::alert::{Delivery, Outcome};
use crate::component::Component;
use crate::error::Result;
use crate::http::Server;
use crate::http::alertmanager::Alertmanager;
use crate::ui::human;
use crate::verify::{Finding, World};

/// How long a receiver may take.
const LIMIT: Duration = Duration::from_secs(15);

/// Sends a test message to every receiver that takes one from `verify --deep`.
pub(super) async fn deliver(world: &World, server: &Server, stop: &CancellationToken) -> Result<Finding> {
    let Some(expected) = &world.expected else {
        return Ok(Finding::skip("the receivers of a stack that moko-mon did not make are not told"));
    };
    let with = expected.config.receivers.iter().filter(|receiver| receiver.integration.is_some());
    let (tested, left): (Vec<_>, Vec<_>) = with.partition(|receiver| receiver.verify);
    let names = |of: &[&crate::alerting::Receiver]| of.iter().map(|receiver| receiver.name.clone()).collect::<Vec<_>>();
    let (tested, left) = (names(&tested), names(&left));
    if tested.is_empty() {
        return Ok(Finding::skip("no receiver of the settings takes a test message (`verify: true`)"));
    }
    let routing = world.facts.alertmanager.routing(server).await?;
    if let Some(name) = tested.iter().find(|name| !routing.tells(name) || !has_route(routing, name)) {
        return Ok(Finding::fail(
            format!("Alertmanager does not have receiver `{name}` of the settings"),
            "bring the settings with `moko-mon up`",
        ));
    }
    let engine = world.engine.as_ref().and_then(|engine| engine.as_ref().ok());
    let log = engine.and_then(|engine| {
        Some(Log { docker: &engine.docker, container: &engine.container(Component::Alertmanager)?.id })
    });
    let test = Test { alertmanager: &Alertmanager::at(server), routing, log, limit: LIMIT, stop };
    Ok(judge(&test.deliver(&tested).await?, &left))
}

fn judge(deliveries: &[Delivery], left: &[String]) -> Finding {
    let (told, lost): (Vec<&Delivery>, Vec<&Delivery>) =
        deliveries.iter().partition(|delivery| delivery.outcome == Outcome::Delivered);
    let line = |delivery: &&Delivery| {
        let what = match delivery.outcome {
            Outcome::Delivered => format!("a test message was taken after {}", human(delivery.took)),
            Outcome::Failed => "a test message was not taken".to_owned(),
            Outcome::Late => format!("a test message had no outcome within {}", human(LIMIT)),
            Outcome::Quiet => "a test message was kept quiet by a silence".to_owned(),
        };
        let why = delivery.error.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        format!("`{}` by {}: {what}{why}", delivery.receiver, delivery.integration)
    };
    let mut lines: Vec<String> = lost.iter().chain(&told).map(line).collect();
    if !left.is_empty() {
        lines.push(format!("not tested, so that nobody is woken: {}", left.join(", ")));
    }
    match lost.first() {
        None => Finding { outcome: crate::verify::Outcome::Pass, evidence: lines, hint: None },
        Some(first) => {
            let hint =
                format!("put the receiver right, run `moko-mon up`, and try `moko-mon alert test {}`", first.receiver);
            Finding::fail_if_any(lines, hint, "")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::Outcome as Judged;

    fn delivery(receiver: &str, outcome: Outcome, error: Option<&str>) -> Delivery {
        Delivery {
            receiver: receiver.to_owned(),
            integration: "email".to_owned(),
            outcome,
            error: error.map(str::to_owned),
            took: Duration::from_millis(300),
        }
    }

    #[test]
    fn every_receiver_is_told_of_and_one_that_was_not_reached_is_a_failure() {
        let fine = judge(&[delivery("ops", Outcome::Delivered, None)], &["pager".to_owned()]);
        assert_eq!(fine.outcome, Judged::Pass);
        assert_eq!(
            fine.evidence.join("\n"),
            "`ops` by email: a test message was taken after 0.3 s\nnot tested, so that nobody is woken: pager"
        );
        let lost = judge(
            &[delivery("ops", Outcome::Delivered, None), delivery("dev", Outcome::Failed, Some("connection refused"))],
            &[],
        );
        assert_eq!(lost.outcome, Judged::Fail);
        assert_eq!(lost.evidence[0], "`dev` by email: a test message was not taken: connection refused");
        assert_eq!(
            lost.hint.as_deref(),
            Some("put the receiver right, run `moko-mon up`, and try `moko-mon alert test dev`")
        );
    }
}
