//! The way of one canary, hop by hop.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::ground::{self, Ground, Scrape};
use super::patience::{Waited, late, wait};
use super::{ALERT, Hop, JOB, LABEL, METRIC, PARTS, RECEIVER};
use crate::error::Result;
use crate::http::Server;
use crate::http::pushgateway::GroupKey;
use crate::ui::human;
use crate::verify::{Finding, Outcome};

/// One canary on its way.
pub(super) struct Flight<'a> {
    pub(super) id: &'a str,
    pub(super) pushgateway: &'a Server,
    pub(super) prometheus: &'a Server,
    pub(super) alertmanager: &'a Server,
    /// Whether the stack is ours, so that the rule and the route have to be there.
    ours: bool,
    path: String,
}

impl<'a> Flight<'a> {
    pub(super) fn new(
        id: &'a str,
        pushgateway: &'a Server,
        prometheus: &'a Server,
        alertmanager: &'a Server,
        ours: bool,
    ) -> Self {
        let path = GroupKey::new(JOB).with(LABEL, id).path();
        Self { id, pushgateway, prometheus, alertmanager, ours, path }
    }

    /// Goes as far as it can, and takes everything back whatever came of it.
    pub(super) async fn fly(&self, stop: &CancellationToken, tell: impl Fn(&Hop)) -> Vec<Hop> {
        let mut hops: Vec<Hop> = Vec::new();
        let ground = self.ground().await;
        let way = async {
            for part in PARTS.iter().take_while(|part| part.name != "removed") {
                let begun = Instant::now();
                let finding = match hops.last() {
                    Some(last) if last.finding.outcome == Outcome::Fail => {
                        Finding::skip(format!("needs `canary.{}`, which is `fail`", last.name))
                    }
                    Some(last) if last.finding.outcome == Outcome::Skip => last.finding.clone(),
                    _ => self.hop(part.name, &ground).await.unwrap_or_else(Finding::from),
                };
                let hop = Hop { name: part.name, finding, took: begun.elapsed() };
                tell(&hop);
                hops.push(hop);
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = way => {}
        }
        cut_off(&mut hops, &tell);
        let begun = Instant::now();
        let removed = self.removed(&ground).await.unwrap_or_else(Finding::from);
        // What was refused may have arrived all the same, but if it cannot be removed either, that is the same trouble.
        let refused = hops.first().is_some_and(|hop| hop.finding.outcome == Outcome::Fail);
        let finding = if refused && removed.outcome == Outcome::Fail {
            Finding::skip("needs `canary.pushed`, which is `fail`")
        } else {
            removed
        };
        let hop = Hop { name: "removed", finding, took: begun.elapsed() };
        tell(&hop);
        hops.push(hop);
        hops
    }

    async fn hop(&self, name: &str, ground: &Ground) -> Result<Finding> {
        match name {
            "pushed" => self.pushed(ground).await,
            "scraped" => self.scraped(ground).await,
            "fired" => self.fired(ground).await,
            "received" => self.received().await,
            "notified" => self.notified(ground).await,
            _ => self.resolved(ground).await,
        }
    }

    async fn pushed(&self, ground: &Ground) -> Result<Finding> {
        // Where nothing would keep the alert from people, it is not set off.
        let fires = matches!((&ground.rule, &ground.route), (Ok(Some(_)), Ok(true)));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        self.put(if fires { now } else { 0 }).await?;
        Ok(Finding::pass(format!("`PUT {}{}` was taken", self.pushgateway.url(), self.path)))
    }

    async fn put(&self, value: u64) -> Result<()> {
        let text = format!(
            "# HELP {METRIC} When a canary of `moko-mon verify --deep` was sent; 0: it is being taken back.\n\
             # TYPE {METRIC} gauge\n{METRIC} {value}\n"
        );
        let answer = self.pushgateway.put_text(&self.path, &text).await?;
        if answer.is_success() { Ok(()) } else { Err(answer.unexpected()) }
    }

    async fn scraped(&self, ground: &Ground) -> Result<Finding> {
        let hint = "see what is wrong with the target with `moko-mon verify --only prometheus.targets`";
        let scrape = match &ground.scrape {
            Ok(Some(scrape)) => scrape,
            Ok(None) => return Ok(Finding::fail("Prometheus scrapes no Pushgateway", hint)),
            Err(error) => return Err(error.clone().hint("see what Prometheus says with `moko-mon logs prometheus`")),
        };
        let query = format!("{METRIC}{{{LABEL}=\"{}\"}}", self.id);
        let begun = Instant::now();
        let seen = async || {
            let answer = ground::ask(self.prometheus, "/api/v1/query", &[("query", &query)]).await?;
            if let Some(series) = answer["data"]["result"].get(0) {
                return Ok(Some(Ok(series["metric"]["job"].clone())));
            }
            // One scrape may fail; where two had their time, waiting for another brings nothing.
            let fault = if begun.elapsed() > scrape.interval * 2 { self.fault(scrape).await? } else { None };
            Ok(fault.map(Err))
        };
        Ok(match wait(scrape.interval, seen).await {
            Waited::Came(Ok(job)) if job == JOB => {
                Finding::pass(format!("Prometheus has it; it scrapes {} every {}", scrape.name, human(scrape.interval)))
            }
            Waited::Came(Ok(job)) => Finding::fail(
                format!("the pushed label `job` came as `exported_job`; `job` is {job}, that of the scrape"),
                "set `honor_labels: true` in the scrape job of the Pushgateway",
            ),
            Waited::Came(Err(fault)) => {
                Finding::fail(format!("Prometheus cannot scrape {}: {fault}", scrape.name), hint)
            }
            Waited::Late(limit, error) => {
                let what = format!("Prometheus does not have it after {}", human(limit));
                late(what, error, &format!("scrapes {} every {}", scrape.name, human(scrape.interval)), hint)
            }
        })
    }

    /// What Prometheus says of the newest scrape, if that failed.
    async fn fault(&self, scrape: &Scrape) -> Result<Option<String>> {
        let targets = ground::targets(self.prometheus).await?;
        Ok(ground::fault(&targets, scrape))
    }

    async fn fired(&self, ground: &Ground) -> Result<Finding> {
        let interval = match (&ground.rule, &ground.route) {
            (Ok(Some(interval)), Ok(true)) => *interval,
            (Err(error), _) | (_, Err(error)) => return Err(error.clone()),
            (Ok(rule), Ok(_)) => {
                let what = if rule.is_none() {
                    format!("Prometheus has no rule `{ALERT}`")
                } else {
                    format!("Alertmanager has no receiver `{RECEIVER}`, so the alert would reach people")
                };
                return Ok(if self.ours {
                    Finding::fail(what, "`moko-mon up` puts it right")
                } else {
                    Finding::skip(format!("{what}; moko-mon adds it to the stacks that it makes"))
                });
            }
        };
        let seen = async || Ok(self.alert_in_prometheus().await?.filter(|alert| alert["state"] == "firing"));
        Ok(match wait(interval, seen).await {
            Waited::Came(alert) => {
                // Without the parts of a second.
                let since = alert["activeAt"].as_str().and_then(|time| time.get(..19)).unwrap_or_default();
                Finding::pass(format!("`{ALERT}` fires since {since}Z; it is evaluated every {}", human(interval)))
            }
            Waited::Late(limit, error) => late(
                format!("`{ALERT}` does not fire after {}", human(limit)),
                error,
                &format!("is evaluated every {}", human(interval)),
                "see whether rules are evaluated with `moko-mon verify --only rules`",
            ),
        })
    }

    async fn received(&self) -> Result<Finding> {
        let seen = async || self.alert_in_alertmanager().await;
        Ok(match wait(Duration::ZERO, seen).await {
            Waited::Came(alert) => judge_received(&alert),
            Waited::Late(limit, error) => late(
                format!("Alertmanager does not have it {} after it fired", human(limit)),
                error,
                "is asked at `/api/v2/alerts`",
                "see whether Prometheus sends with `moko-mon verify --only alerting`",
            ),
        })
    }

    async fn notified(&self, ground: &Ground) -> Result<Finding> {
        self.told(ground, 1.0, "the alert").await
    }

    /// Waits for so many notifications since the start.
    async fn told(&self, ground: &Ground, count: f64, what: &str) -> Result<Finding> {
        let before = ground.calls.clone()?;
        let seen = async || {
            let now = ground::calls(self.alertmanager).await?;
            Ok((now.answered - before.answered >= count).then_some(now))
        };
        Ok(match wait(Duration::ZERO, seen).await {
            Waited::Came(_) => {
                let others = ground::groups(self.pushgateway).await?;
                let others = others.iter().filter(|group| group.id != self.id).count();
                Finding::pass(ground::told(what, others))
            }
            Waited::Late(limit, error) => {
                let failed = ground::calls(self.alertmanager).await.map_or(0.0, |now| now.failed - before.failed);
                let fact = if failed > 0.0 {
                    format!("{failed} calls of the webhook of receiver `{RECEIVER}` failed")
                } else {
                    format!("the webhook of receiver `{RECEIVER}` was not called")
                };
                let late = format!("nobody was told of {what} within {}", human(limit));
                let hint = "the reason is in `moko-mon logs alertmanager`";
                let mut finding = Finding::fail(fact, hint);
                finding.evidence.push(late);
                finding.evidence.extend(error.map(|error| error.message));
                finding
            }
        })
    }

    async fn resolved(&self, ground: &Ground) -> Result<Finding> {
        self.put(0).await?;
        let expected = ground.round();
        let gone = async || {
            let (prometheus, alertmanager) = (self.alert_in_prometheus().await?, self.alert_in_alertmanager().await?);
            Ok((prometheus.is_none() && alertmanager.is_none()).then_some(()))
        };
        match wait(expected, gone).await {
            Waited::Came(()) => self.told(ground, 2.0, "its end").await,
            Waited::Late(limit, error) => Ok(late(
                format!("the alert is not over {} after its reason", human(limit)),
                error,
                &format!("a scrape and an evaluation take at most {}", human(expected)),
                "see Prometheus' alerts with `moko-mon open prometheus`",
            )),
        }
    }

    /// Deletes its group, and those of canaries that never came to this.
    async fn removed(&self, ground: &Ground) -> Result<Finding> {
        let groups = ground::groups(self.pushgateway).await?;
        let left = ground::leftovers(&groups, self.id, ground.flight());
        for path in std::iter::once(&self.path).chain(&left) {
            let answer = self.pushgateway.delete(path).await?;
            if !answer.is_success() {
                return Err(answer.unexpected());
            }
        }
        // A deletion is queued: it was done when the list says so.
        let gone = async || {
            let groups = ground::groups(self.pushgateway).await?;
            Ok((!groups.iter().any(|group| group.id == self.id)).then_some(()))
        };
        let others = match left.len() {
            0 => String::new(),
            count => format!(", and {count} of canaries that were killed"),
        };
        Ok(match wait(Duration::ZERO, gone).await {
            Waited::Came(()) => Finding::pass(format!("its group is gone from the Pushgateway{others}")),
            Waited::Late(limit, error) => late(
                format!("its group is still there after {}", human(limit)),
                error,
                "was deleted",
                &format!("delete it with `curl -X DELETE {}{}`", self.pushgateway.url(), self.path),
            ),
        })
    }

    async fn alert_in_prometheus(&self) -> Result<Option<Value>> {
        let answer = ground::rules(self.prometheus).await?;
        let groups = answer["data"]["groups"].as_array().into_iter().flatten();
        let rules = groups.flat_map(|group| group["rules"].as_array().into_iter().flatten());
        let mut alerts =
            rules.filter(|rule| rule["name"] == ALERT).filter_map(|rule| rule["alerts"].as_array()).flatten();
        Ok(alerts.find(|alert| alert["labels"][LABEL] == self.id).cloned())
    }

    async fn alert_in_alertmanager(&self) -> Result<Option<Value>> {
        let filter = format!("{LABEL}=\"{}\"", self.id);
        let answer = ground::ask(self.alertmanager, "/api/v2/alerts", &[("filter", &filter)]).await?;
        Ok(answer.get(0).cloned())
    }
}

/// What was not done when the canary was called back proves nothing: the first of it fails, and no report says that all
/// is well.
fn cut_off(hops: &mut Vec<Hop>, tell: impl Fn(&Hop)) {
    let done = hops.len();
    for (index, part) in PARTS.iter().take_while(|part| part.name != "removed").enumerate().skip(done) {
        let finding = if index == done {
            Finding::fail("interrupted before it was done", "send another with `moko-mon verify --deep`")
        } else {
            Finding::skip(format!("needs `{}`, which is `fail`", PARTS[done].id))
        };
        let hop = Hop { name: part.name, finding, took: Duration::ZERO };
        tell(&hop);
        hops.push(hop);
    }
}

/// Whether Alertmanager will tell the canary's receiver, and only that.
fn judge_received(alert: &Value) -> Finding {
    let receivers =
        alert["receivers"].as_array().into_iter().flatten().filter_map(|receiver| receiver["name"].as_str());
    let receivers: Vec<&str> = receivers.collect();
    if receivers != [RECEIVER] {
        return Finding::fail(
            format!("Alertmanager leads it to {}, and not to `{RECEIVER}` alone", receivers.join(", ")),
            "the route of the canary has to be the first; `moko-mon up` puts it right",
        );
    }
    if alert["status"]["state"] == "suppressed" {
        let by = ["silencedBy", "inhibitedBy", "mutedBy"].into_iter().find_map(|how| {
            let by = alert["status"][how].as_array()?.first()?.as_str()?;
            Some(format!("{how} {by}"))
        });
        return Finding::fail(
            format!("Alertmanager keeps it quiet: {}", by.unwrap_or_else(|| "suppressed".to_owned())),
            "end the silence in Alertmanager's page: `moko-mon open alertmanager`",
        );
    }
    Finding::pass(format!("Alertmanager has it for receiver `{RECEIVER}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_that_is_called_back_proves_nothing_of_what_it_did_not_do() {
        let pushed = Hop { name: "pushed", finding: Finding::pass("taken"), took: Duration::ZERO };
        let mut hops = vec![pushed];
        cut_off(&mut hops, |_| {});
        let told: Vec<(&str, Outcome, &str)> =
            hops.iter().map(|hop| (hop.name, hop.finding.outcome, hop.first())).collect();
        assert_eq!(told[1], ("scraped", Outcome::Fail, "interrupted before it was done"));
        assert_eq!(told[2], ("fired", Outcome::Skip, "needs `canary.scraped`, which is `fail`"));
        assert_eq!(told.last().unwrap().0, "resolved", "it is taken back all the same");
    }
}
