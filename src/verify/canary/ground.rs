//! What the way of a canary depends on: the intervals in force, the rule, the route, and what is left of others.

use std::time::Duration;

use serde_json::Value;

use super::flight::Flight;
use super::patience::{GRACE, Waited, wait};
use super::{ALERT, JOB, LABEL, RECEIVER};
use crate::config::PromDuration;
use crate::error::Result;
use crate::exposition::read::{Family, samples};
use crate::http::Server;
use crate::http::alertmanager::Alertmanager;
use crate::http::pushgateway::GroupKey;
use crate::yaml;

/// What the servers say before the start.
pub(super) struct Ground {
    /// How Prometheus scrapes the Pushgateway, if it does.
    pub(super) scrape: Result<Option<Scrape>>,
    /// How often the rule is evaluated, if it is loaded.
    pub(super) rule: Result<Option<Duration>>,
    /// Whether Alertmanager has the receiver.
    pub(super) route: Result<bool>,
    /// The calls of the receiver's webhook so far.
    pub(super) calls: Result<Calls>,
}

/// How a Pushgateway is scraped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scrape {
    /// `job/instance`.
    pub(super) name: String,
    /// The time between two scrapes.
    pub(super) interval: Duration,
    /// When the last one was before the start, in the server's words.
    last: String,
}

/// Calls of an integration since Alertmanager started.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Calls {
    /// Those that were answered with success.
    pub(super) answered: f64,
    /// Those that were not.
    pub(super) failed: f64,
}

/// A group that a canary pushed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    pub(super) id: String,
    /// When, in the Unix seconds of the Pushgateway's own clock.
    pub(super) pushed: f64,
}

impl Ground {
    /// A scrape and an evaluation, which is what the end of the alert takes.
    pub(super) fn round(&self) -> Duration {
        let scrape = self.scrape.as_ref().ok().and_then(Option::as_ref).map(|scrape| scrape.interval);
        let rule = self.rule.as_ref().ok().copied().flatten();
        scrape.unwrap_or_default() + rule.unwrap_or_default()
    }

    /// The longest that a whole flight takes.
    pub(super) fn flight(&self) -> Duration {
        (self.round() * 2 + GRACE * 3) * 2
    }
}

impl Flight<'_> {
    pub(super) async fn ground(&self) -> Ground {
        // A Prometheus that has just started knows of no targets for some seconds.
        let scrape = async {
            match wait(Duration::ZERO, async || scrape(self.prometheus).await).await {
                Waited::Came(scrape) => Ok(scrape),
                Waited::Late(_, None) => Ok(None),
                Waited::Late(_, Some(error)) => Err(error),
            }
        };
        let (scrape, rule, route, calls) =
            tokio::join!(scrape, rule(self.prometheus), route(self.alertmanager), calls(self.alertmanager));
        Ground { scrape, rule, route, calls }
    }
}

/// A JSON answer; any status but 2xx is an error.
pub(super) async fn ask(server: &Server, path: &str, parameters: &[(&str, &str)]) -> Result<Value> {
    let answer = server.get(path, parameters).await?;
    if answer.is_success() { answer.json() } else { Err(answer.unexpected()) }
}

/// The groups of rules that have the canary's; a server too old to filter gives all.
pub(super) async fn rules(prometheus: &Server) -> Result<Value> {
    ask(prometheus, "/api/v1/rules", &[("type", "alert"), ("rule_name[]", ALERT)]).await
}

async fn rule(prometheus: &Server) -> Result<Option<Duration>> {
    let answer = rules(prometheus).await?;
    let has = |group: &&Value| {
        let mut rules = group["rules"].as_array().into_iter().flatten();
        rules.any(|rule| rule["name"] == ALERT)
    };
    let group = answer["data"]["groups"].as_array().into_iter().flatten().find(has);
    Ok(group.and_then(|group| group["interval"].as_f64()).map(Duration::from_secs_f64))
}

/// The rarest scrape of what says of itself that it is a Pushgateway: which of several is meant cannot be known. Where
/// nothing was scraped yet, it may be any target; `None` where there are no targets yet.
async fn scrape(prometheus: &Server) -> Result<Option<Option<Scrape>>> {
    // One that cannot be scraped now may have been an hour ago.
    let query = [("query", "count by (job, instance) (last_over_time(pushgateway_build_info[1h]))")];
    let gateways = ask(prometheus, "/api/v1/query", &query).await?;
    let targets = targets(prometheus).await?;
    let are_known = targets.as_array().is_some_and(|targets| !targets.is_empty());
    Ok(are_known.then(|| rarest(&gateways["data"]["result"], &targets)))
}

/// The targets that Prometheus scrapes.
pub(super) async fn targets(prometheus: &Server) -> Result<Value> {
    let mut answer = ask(prometheus, "/api/v1/targets", &[("state", "active")]).await?;
    Ok(answer["data"]["activeTargets"].take())
}

/// Why the newest scrape failed, if it did and was after the start.
pub(super) fn fault(targets: &Value, scrape: &Scrape) -> Option<String> {
    let target = targets.as_array()?.iter().find(|target| name(target).as_ref() == Some(&scrape.name))?;
    let failed = target["health"] == "down" && target["lastScrape"] != scrape.last.as_str();
    failed.then(|| target["lastError"].as_str().unwrap_or_default().to_owned())
}

/// `job/instance`.
fn name(target: &Value) -> Option<String> {
    Some(format!("`{}/{}`", target["labels"]["job"].as_str()?, target["labels"]["instance"].as_str()?))
}

fn rarest(gateways: &Value, targets: &Value) -> Option<Scrape> {
    let gateways: Vec<&Value> = gateways.as_array()?.iter().map(|series| &series["metric"]).collect();
    let targets: Vec<&Value> = targets.as_array()?.iter().collect();
    let with = |same: &[&str]| -> Vec<&Value> {
        let is_gateway = |target: &&&Value| {
            let labels = &target["labels"];
            gateways.is_empty() || gateways.iter().any(|of| same.iter().all(|name| of[*name] == labels[*name]))
        };
        targets.iter().filter(is_gateway).copied().collect()
    };
    // Where its address was changed to a wrong one, the job is still the same.
    let found = Some(with(&["job", "instance"])).filter(|found| !found.is_empty()).unwrap_or_else(|| with(&["job"]));
    let scrape = |target: &Value| {
        let interval: PromDuration = target["scrapeInterval"].as_str()?.parse().ok()?;
        let last = target["lastScrape"].as_str().unwrap_or_default().to_owned();
        Some(Scrape { name: name(target)?, interval: interval.as_duration(), last })
    };
    found.into_iter().filter_map(scrape).max_by_key(|scrape| scrape.interval)
}

async fn route(alertmanager: &Server) -> Result<bool> {
    let answer = ask(alertmanager, "/api/v2/status", &[]).await?;
    let configuration: Value = yaml::from_str(answer["config"]["original"].as_str().unwrap_or_default())?;
    let mut receivers = configuration["receivers"].as_array().into_iter().flatten();
    Ok(receivers.any(|receiver| receiver["name"] == RECEIVER))
}

/// The calls of the webhook of the canary's receiver.
pub(super) async fn calls(alertmanager: &Server) -> Result<Calls> {
    let answer = Alertmanager::at(alertmanager).metrics().await?;
    Ok(read_calls(&answer.metrics()?))
}

/// Requests, not notifications: the latter are counted when they are begun, and their failure when the last try was given
/// up. Where receivers are not told apart in metrics, any webhook counts.
fn read_calls(metrics: &[Family<'_>]) -> Calls {
    let count = |name: &str| -> f64 {
        let of: Vec<_> = samples(metrics).filter(|sample| sample.name == name).collect();
        let apart = of.iter().any(|sample| sample.label("receiver_name").is_some());
        let (label, own) = if apart { ("receiver_name", RECEIVER) } else { ("integration", "webhook") };
        of.iter().filter(|sample| sample.label(label) == Some(own)).map(|sample| sample.value).sum()
    };
    let failed = count("alertmanager_notification_requests_failed_total");
    Calls { answered: count("alertmanager_notification_requests_total") - failed, failed }
}

/// What a call says. Alertmanager counts calls, and does not say of which canary.
pub(super) fn told(what: &str, others: usize) -> String {
    let sure = format!("the webhook of receiver `{RECEIVER}` was told of {what}");
    match others {
        0 => sure,
        1 => format!("{sure}, or of another canary that is on its way"),
        others => format!("{sure}, or of one of {others} others that are on their way"),
    }
}

/// The groups of all canaries.
pub(super) async fn groups(pushgateway: &Server) -> Result<Vec<Group>> {
    let answer = ask(pushgateway, "/api/v1/metrics", &[]).await?;
    Ok(read_groups(&answer))
}

fn read_groups(answer: &Value) -> Vec<Group> {
    let groups = answer["data"].as_array().into_iter().flatten().filter(|group| group["labels"]["job"] == JOB);
    let group = |group: &Value| {
        let pushed = group["push_time_seconds"]["metrics"].get(0).and_then(|metric| metric["value"].as_str());
        Some(Group {
            id: group["labels"][LABEL].as_str()?.to_owned(),
            pushed: pushed.and_then(|value| value.parse().ok()).unwrap_or_default(),
        })
    };
    groups.filter_map(group).collect()
}

/// The paths of groups that are older than any flight: whoever pushed them was killed. Ages are told by the one clock of
/// the Pushgateway; without a group of our own there is none to compare with.
pub(super) fn leftovers(groups: &[Group], own: &str, flight: Duration) -> Vec<String> {
    let Some(now) = groups.iter().find(|group| group.id == own).map(|group| group.pushed) else { return Vec::new() };
    let old = groups.iter().filter(|group| now - group.pushed > flight.as_secs_f64());
    old.map(|group| GroupKey::new(JOB).with(LABEL, &group.id).path()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposition::read::parse;
    use serde_json::json;

    #[test]
    fn the_interval_is_that_of_the_pushgateway_and_of_no_other_target() {
        let gateways = json!([{"metric": {"job": "push", "instance": "a:9091"}}]);
        let target = |job: &str, instance: &str, interval: &str| {
            json!({
                "labels": {"job": job, "instance": instance}, "scrapeInterval": interval, "health": "down",
                "lastScrape": "2026-11-23T12:00:00Z", "lastError": "connection refused",
            })
        };
        let targets =
            json!([target("push", "a:9091", "15s"), target("push", "b:9091", "1h"), target("x", "a:9091", "2h")]);
        let scrape = rarest(&gateways, &targets).unwrap();
        let (name, last) = ("`push/a:9091`".to_owned(), "2026-11-23T12:00:00Z".to_owned());
        assert_eq!(scrape, Scrape { name, last, interval: Duration::from_secs(15) });
        assert_eq!(fault(&targets, &scrape), None, "that scrape was before the start");
        let earlier = Scrape { last: "2026-11-23T11:59:45Z".to_owned(), ..scrape };
        assert_eq!(fault(&targets, &earlier).as_deref(), Some("connection refused"));
        assert_eq!(rarest(&json!([]), &targets).unwrap().interval.as_secs(), 7200, "nothing was scraped yet");
        assert_eq!(rarest(&json!([]), &json!([])), None);
        let moved = json!([target("push", "a:9999", "15s"), target("x", "a:9091", "2h")]);
        assert_eq!(rarest(&gateways, &moved).unwrap().name, "`push/a:9999`", "its job is the same");
        assert_eq!(rarest(&gateways, &json!([target("x", "a:9091", "2h")])), None, "none is scraped any more");
    }

    #[test]
    fn only_answered_calls_of_the_own_receiver_count() {
        let page = "alertmanager_notification_requests_total{integration=\"webhook\",receiver_name=\"ops\"} 9\n\
                    alertmanager_notification_requests_total{integration=\"webhook\",receiver_name=\"moko-mon-canary\"} 5\n\
                    alertmanager_notification_requests_failed_total{integration=\"webhook\",receiver_name=\"moko-mon-canary\"} 2\n";
        assert_eq!(read_calls(&parse(page).unwrap()), Calls { answered: 3.0, failed: 2.0 });
        let plain = "alertmanager_notification_requests_total{integration=\"webhook\"} 4\n\
                     alertmanager_notification_requests_total{integration=\"email\"} 7\n";
        assert_eq!(read_calls(&parse(plain).unwrap()), Calls { answered: 4.0, failed: 0.0 });
    }

    #[test]
    fn a_call_that_may_be_for_another_canary_is_not_claimed() {
        let own = "the webhook of receiver `moko-mon-canary` was told of the alert";
        assert_eq!(told("the alert", 0), own);
        assert_eq!(told("the alert", 1), format!("{own}, or of another canary that is on its way"));
        assert_eq!(told("the alert", 2), format!("{own}, or of one of 2 others that are on their way"));
    }

    #[test]
    fn only_canaries_that_must_have_been_killed_are_removed() {
        let group = |id: &str, pushed: f64| json!({"labels": {"job": JOB, LABEL: id}, "push_time_seconds": {"metrics": [{"value": format!("{pushed:e}")}]}});
        let other = json!({"labels": {"job": "backup"}, "push_time_seconds": {"metrics": [{"value": "1"}]}});
        let answer = json!({"data": [group("own", 2000.0), group("flies", 1950.0), group("killed", 1000.0), other]});
        let groups = read_groups(&answer);
        assert_eq!(groups.len(), 3);
        let paths = leftovers(&groups, "own", Duration::from_secs(120));
        assert_eq!(paths, ["/metrics/job/moko-mon-canary/canary/killed"]);
        assert_eq!(leftovers(&groups, "never pushed", Duration::from_secs(120)), [""; 0]);
    }
}
