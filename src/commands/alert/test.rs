//! `alert test`: a marked message through the real integrations of receivers.

use serde_json::json;

use super::super::Context;
use super::Asked;
use crate::alert::delivery::{Test, has_route};
use crate::alert::{Delivery, Outcome};
use crate::alerting::routing::Routing;
use crate::cli;
use crate::config::{did_you_mean, list, quote};
use crate::error::{Code, Error, Result};
use crate::ui::{Report, human, table};

pub(super) async fn run(context: &Context<'_>, flags: &cli::AlertTest) -> Result<Report> {
    let asked = Asked::find(context, &flags.asked).await?;
    let routing = asked.routing().await?;
    let receivers = chosen(&flags.receivers, &routing)?;
    let test = Test {
        alertmanager: &asked.alertmanager,
        routing: &routing,
        log: asked.log(),
        limit: flags.timeout.as_duration(),
        stop: &context.stop.token,
    };
    let deliveries = test.deliver(&receivers).await?;
    if context.stop.asked() {
        let interrupted = context.stop.error_of_look("`alert test`");
        return Err(interrupted.hint("a message that is on its way may still arrive; no other follows"));
    }
    Ok(Report { failed: failure(&deliveries, flags.timeout.as_str()), ..report(&deliveries) })
}

/// The receivers to test: the named ones, or all that can be.
fn chosen(names: &[String], routing: &Routing) -> Result<Vec<String>> {
    let all: Vec<&str> = routing.receivers.keys().map(String::as_str).collect();
    let can = |name: &str| routing.tells(name) && has_route(routing, name);
    if names.is_empty() {
        let able: Vec<String> = all.into_iter().filter(|name| can(name)).map(str::to_owned).collect();
        if able.is_empty() {
            return Err(Error::new(Code::NotFound, "there is no receiver to test: nobody is told of alerts")
                .cause("Alertmanager has no receiver with an integration and a test route")
                .hint("declare one under `receivers` in moko-mon.yaml, and run `moko-mon up`"));
        }
        return Ok(able);
    }
    let mut error = Error::new(Code::NotFound, "could not test these receivers");
    for name in names {
        if !routing.receivers.contains_key(name) {
            let meant = did_you_mean(name, all.iter().copied());
            error = error.cause(format!("Alertmanager has no receiver {}{meant}", quote(name)));
        } else if !routing.tells(name) {
            error = error.cause(format!("receiver `{name}` has no integration: it tells nobody"));
        } else if !can(name) {
            error = error.cause(format!("no test route leads to receiver `{name}`"));
        }
    }
    if !error.causes.is_empty() {
        let able = list(all.into_iter().filter(|name| can(name)));
        let able = if able.is_empty() { "none".to_owned() } else { able };
        return Err(
            error.hint(format!("receivers that can be tested: {able}; `moko-mon up` brings those of the settings"))
        );
    }
    let mut chosen: Vec<String> = Vec::new();
    for name in names {
        if !chosen.contains(name) {
            chosen.push(name.clone());
        }
    }
    Ok(chosen)
}

fn report(deliveries: &[Delivery]) -> Report {
    let heading = ["RECEIVER", "INTEGRATION", "RESULT", "AFTER"].map(str::to_owned).to_vec();
    let rows = deliveries.iter().map(|delivery| {
        let Delivery { receiver, integration, outcome, took, .. } = delivery;
        vec![receiver.clone(), integration.clone(), outcome.as_str().to_owned(), human(*took)]
    });
    let text = table::columns(&std::iter::once(heading).chain(rows).collect::<Vec<_>>());
    let data = deliveries.iter().map(|delivery| {
        json!({
            "receiver": delivery.receiver,
            "integration": delivery.integration,
            "outcome": delivery.outcome.as_str(),
            "error": delivery.error,
            "seconds": delivery.took.as_secs_f64(),
        })
    });
    Report::new(json!({"deliveries": data.collect::<Vec<_>>()}), text)
}

/// What was not delivered, each with the reason.
fn failure(deliveries: &[Delivery], limit: &str) -> Option<Error> {
    let lost: Vec<&Delivery> = deliveries.iter().filter(|delivery| delivery.outcome != Outcome::Delivered).collect();
    let first = lost.first()?;
    let goal = match deliveries.len() {
        1 => "the test message was not delivered".to_owned(),
        all => format!("{} of {all} test messages were not delivered", lost.len()),
    };
    let causes = lost.iter().map(|delivery| {
        let what = match delivery.outcome {
            Outcome::Late => format!("no outcome within {limit}"),
            _ => delivery.outcome.as_str().to_owned(),
        };
        let why = delivery.error.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        format!("`{}` by {}: {what}{why}", delivery.receiver, delivery.integration)
    });
    let error = Error { causes: causes.collect(), ..Error::new(Code::NotDelivered, goal) };
    Some(error.hint(match first.outcome {
        Outcome::Quiet => "`moko-mon alert silence list` shows the silences".to_owned(),
        _ => {
            format!("put the receiver's settings right, run `moko-mon up` and `moko-mon alert test {}`", first.receiver)
        }
    }))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const CONFIG: &str = "
route:
  receiver: nobody
  routes:
  - matchers: ['alertname=\"MokoMonTest\"']
    receiver: nobody
    routes: [{matchers: ['receiver=\"mail\"'], receiver: mail}, {matchers: ['receiver=\"nobody\"'], receiver: nobody}]
receivers: [{name: nobody}, {name: mail, email_configs: [{to: x}]}, {name: canary, webhook_configs: [{url: x}]}]
";

    fn choose(names: &[&str]) -> Result<Vec<String>> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        chosen(&names, &Routing::read(CONFIG).unwrap())
    }

    #[test]
    fn receivers_with_an_integration_and_a_test_route_can_be_tested() {
        assert_eq!(choose(&[]).unwrap(), ["mail"]);
        assert_eq!(choose(&["mail", "mail"]).unwrap(), ["mail"]);
        insta::assert_snapshot!(choose(&["mial", "nobody", "canary", "mail"]).unwrap_err(), @"
        error: could not test these receivers
          caused by: Alertmanager has no receiver `mial` (did you mean `mail`?)
          caused by: receiver `nobody` has no integration: it tells nobody
          caused by: no test route leads to receiver `canary`
        hint: receivers that can be tested: `mail`; `moko-mon up` brings those of the settings
        ");
        let silent = Routing::read("route: {receiver: a}\nreceivers: [{name: a}]").unwrap();
        insta::assert_snapshot!(chosen(&[], &silent).unwrap_err(), @"
        error: there is no receiver to test: nobody is told of alerts
          caused by: Alertmanager has no receiver with an integration and a test route
        hint: declare one under `receivers` in moko-mon.yaml, and run `moko-mon up`
        ");
    }

    #[test]
    fn what_was_not_delivered_is_told_with_the_reason() {
        let delivery = |receiver: &str, outcome, error: Option<&str>| Delivery {
            receiver: receiver.to_owned(),
            integration: "webhook".to_owned(),
            outcome,
            error: error.map(str::to_owned),
            took: Duration::from_millis(300),
        };
        let deliveries = [
            delivery("a", Outcome::Delivered, None),
            delivery("b", Outcome::Failed, Some("unexpected status code 500")),
            delivery("c", Outcome::Late, None),
        ];
        assert_eq!(failure(&deliveries[..1], "30s"), None);
        insta::assert_snapshot!(failure(&deliveries, "30s").unwrap(), @"
        error: 2 of 3 test messages were not delivered
          caused by: `b` by webhook: failed: unexpected status code 500
          caused by: `c` by webhook: no outcome within 30s
        hint: put the receiver's settings right, run `moko-mon up` and `moko-mon alert test b`
        ");
        let quiet = [delivery("d", Outcome::Quiet, Some("the silence 3f keeps it quiet"))];
        insta::assert_snapshot!(failure(&quiet, "30s").unwrap(), @"
        error: the test message was not delivered
          caused by: `d` by webhook: quiet: the silence 3f keeps it quiet
        hint: `moko-mon alert silence list` shows the silences
        ");
        insta::assert_snapshot!(report(&deliveries).text, @"
        RECEIVER  INTEGRATION  RESULT     AFTER
        a         webhook      delivered  0.3 s
        b         webhook      failed     0.3 s
        c         webhook      late       0.3 s
        ");
    }
}
