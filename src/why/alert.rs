//! Asks the servers about one alert.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use futures_util::{join, try_join};
use serde::Deserialize;

use super::instance::{Instance, instances, mute};
use super::metric::{Need, Seen, Source};
use super::notify::{Answers, Manager, PATIENCE, Way, told};
use super::rule::Measured;
use super::words::epoch;
use super::{Link, Servers, State, Why, metric, rule};
use crate::alerting::routing::Routing;
use crate::error::Result;
use crate::http::alertmanager::{Alertmanager, calls};
use crate::http::prometheus::{Prometheus, Rule, RuleGroup, RuleKind, Sample};
use crate::promql::{self, Condition, conditions, inner_conditions};

/// After how many seconds Prometheus sends an alert again, which counts when Alertmanager was not there the first time.
const RESEND: f64 = 60.0;

/// Follows an alert whose rule is loaded. An error is Prometheus': without its answers there is nothing to follow.
pub async fn alert(servers: &Servers, groups: &[RuleGroup], group: &RuleGroup, rule: &Rule) -> Result<Why> {
    let prometheus = &servers.prometheus;
    let now = now(prometheus).await?;
    let (leaves, recorders) = metrics(groups, &rule.query);
    let (seen, targets, gateway, measured, manager, sends_to) = join!(
        join_all(leaves.iter().map(|name| seen(prometheus, name))),
        prometheus.targets(false),
        gateway(prometheus),
        measure_all(prometheus, conditions(&rule.query)),
        manager(servers, now),
        sends_to(prometheus),
    );
    let seen: Vec<Seen> = seen.into_iter().collect::<Result<_>>()?;
    let (held, silences) = match &manager {
        Manager::Answers(answers) => (answers.held.as_slice(), answers.silences.as_slice()),
        Manager::NotGiven | Manager::Lost(_) => Default::default(),
    };
    let instances = instances(rule, held, now);
    // What has a result lacks nothing.
    let need = if instances.is_empty() { Need::of(&rule.query) } else { Need::None };
    let way = Way {
        name: &rule.name,
        labels: &rule.labels,
        instances: &instances,
        sends_to,
        patience: RESEND + 2.0 * group.interval + 15.0,
        now,
    };
    let mut links = vec![
        metric::judge(&seen, &recorders, need, now),
        metric::scraped(&seen, &targets?.active_targets, gateway?.as_ref(), now),
        rule::judge(group, rule, &instances, &measured, now),
    ];
    links.extend(way.links(&manager));
    Ok(Why {
        kind: "alert",
        name: rule.name.clone(),
        verdict: verdict(&rule.name, &links, &instances, &told(&way, &manager)),
        hint: Why::culprit(&links).and_then(|link| link.hint.clone()),
        links,
        alerts: instances.iter().map(|instance| instance.json(held, silences, now)).collect(),
    })
}

/// The sentence about an alert: what it does, and where that ends.
fn verdict(name: &str, links: &[Link], instances: &[Instance], told: &str) -> String {
    match (rule::firing(instances), Why::culprit(links)) {
        (Some(fires), None) => format!("`{name}` {fires} and {told}"),
        (Some(fires), Some(link)) => format!("`{name}` {fires}; {}", link.because),
        (None, Some(link)) if link.state == State::Broken => format!("`{name}` cannot tell anybody: {}", link.because),
        (None, Some(link)) => format!("`{name}` does not tell anybody: {}", link.because),
        (None, None) => format!("nothing keeps `{name}` from telling, and it has nothing to tell"),
    }
}

/// An alert that the settings switch off.
#[must_use]
pub fn disabled(name: &str) -> Why {
    without_rule(
        name,
        Link::quiet("rule", "`rules.disabled` in the settings has it")
            .hint("take it out there, then run `moko-mon up`"),
    )
}

/// An alert that the settings have, and the running Prometheus has not.
#[must_use]
pub fn not_loaded(name: &str) -> Why {
    let link = Link::broken("rule", "the settings have its rule, and Prometheus has not loaded it");
    without_rule(name, link.hint("bring it with `moko-mon up`"))
}

fn without_rule(name: &str, link: Link) -> Why {
    Why {
        kind: "alert",
        name: name.to_owned(),
        verdict: verdict(name, std::slice::from_ref(&link), &[], ""),
        hint: link.hint.clone(),
        links: vec![link],
        alerts: Vec::new(),
    }
}

/// The time of Prometheus, in which it tells all others.
pub(super) async fn now(prometheus: &Prometheus) -> Result<f64> {
    Ok(prometheus.query("time()").await?.first().map_or(0.0, |sample| sample.value))
}

/// The metrics that an expression reads, those behind recorded series among them; and the recorded series with the errors
/// of their rules.
pub(super) fn metrics(groups: &[RuleGroup], expression: &str) -> (BTreeSet<String>, Vec<(String, String)>) {
    let rules = || groups.iter().flat_map(|group| &group.rules).filter(|rule| rule.kind == RuleKind::Recording);
    let (mut leaves, mut recorders) = (BTreeSet::new(), BTreeMap::new());
    let mut open: Vec<String> = promql::metrics(expression).into_iter().map(str::to_owned).collect();
    while let Some(name) = open.pop() {
        let by: Vec<&Rule> = rules().filter(|rule| rule.name == name).collect();
        if by.is_empty() {
            leaves.insert(name);
            continue;
        }
        recorders.entry(name).or_insert_with(|| {
            let (errors, queries): (Vec<&str>, Vec<&str>) =
                by.iter().map(|rule| (rule.last_error.as_str(), rule.query.as_str())).unzip();
            open.extend(queries.into_iter().flat_map(promql::metrics).map(str::to_owned));
            errors.concat()
        });
    }
    (leaves, recorders.into_iter().collect())
}

/// When there last were series within a day: to the minute, and what did not live that long, to five seconds.
pub(super) async fn last(prometheus: &Prometheus, selector: &str) -> Result<Option<f64>> {
    for window in ["1d:1m", "1h:5s"] {
        let samples = prometheus.query(&format!("max_over_time(timestamp(group({selector}))[{window}])")).await?;
        if let Some(sample) = samples.first() {
            return Ok(Some(sample.value));
        }
    }
    Ok(None)
}

async fn seen(prometheus: &Prometheus, name: &str) -> Result<Seen> {
    let selector = format!("{{__name__={name:?}}}");
    let sources = async |series: &str| -> Result<Vec<(Source, usize)>> {
        let samples = prometheus.query(&format!("count by (job, instance) ({series})")).await?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        Ok(samples.iter().map(|sample| (Source::of(&sample.labels), sample.value as usize)).collect())
    };
    let now = sources(&selector).await?;
    let mut before = None;
    if now.is_empty() {
        let from = sources(&format!("last_over_time({selector}[1d])")).await?;
        if let Some(last) = last(prometheus, &selector).await?.filter(|_| !from.is_empty()) {
            before = Some((last, from.into_iter().map(|(source, _)| source).collect()));
        }
    }
    Ok(Seen { name: name.to_owned(), now, before })
}

/// How the Pushgateway's own series are labelled; `None` if there is no Pushgateway.
pub(super) async fn gateway(prometheus: &Prometheus) -> Result<Option<Source>> {
    let samples = prometheus.query("last_over_time(pushgateway_build_info[1d])").await?;
    Ok(samples.first().map(|sample| Source::of(&sample.labels)))
}

async fn measure_all(prometheus: &Prometheus, all: Vec<Condition>) -> Vec<Measured> {
    join_all(all.into_iter().map(async |condition| {
        let inner = inner_conditions(&condition.left);
        let mut measured = measure(prometheus, condition).await;
        if measured.values.as_ref().is_ok_and(Vec::is_empty) {
            measured.inner = join_all(inner.into_iter().map(|condition| measure(prometheus, condition))).await;
        }
        measured
    }))
    .await
}

async fn measure(prometheus: &Prometheus, condition: Condition) -> Measured {
    let query = async |expression: String| prometheus.query(&expression).await.map_err(|error| error.in_one_line());
    let values = query(condition.left.clone()).await;
    let limit: Option<f64> = condition.limit.as_ref().and_then(|(_, right)| right.parse().ok());
    let holding = match &condition.limit {
        Some((operator, right)) if limit.is_none() => {
            let whole = format!("({}) {} {right}", condition.left, operator.sign());
            // Where it cannot be asked so, nothing is said against it.
            query(whole).await.map_or(1, |samples| samples.len())
        }
        Some(_) | None => 0,
    };
    Measured { condition, values, limit, holding, inner: Vec::new() }
}

/// Where Prometheus sends alerts to.
async fn sends_to(prometheus: &Prometheus) -> Result<Vec<String>, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Known {
        active_alertmanagers: Vec<Address>,
    }
    #[derive(Deserialize)]
    struct Address {
        url: String,
    }
    let known: Result<Known> = prometheus.ask("/api/v1/alertmanagers", &[]).await;
    known
        .map(|known| known.active_alertmanagers.into_iter().map(|of| of.url).collect())
        .map_err(|error| error.in_one_line())
}

async fn manager(servers: &Servers, now: f64) -> Manager {
    match &servers.alertmanager {
        None => Manager::NotGiven,
        Some(Err(error)) => Manager::Lost(error.in_one_line()),
        Some(Ok(alertmanager)) => match answers(&servers.prometheus, alertmanager, now).await {
            Ok(answers) => Manager::Answers(Box::new(answers)),
            Err(error) => Manager::Lost(error.in_one_line()),
        },
    }
}

async fn answers(prometheus: &Prometheus, alertmanager: &Alertmanager, now: f64) -> Result<Answers> {
    let (mut held, groups, silences, (configuration, started), page) = try_join!(
        alertmanager.alerts(),
        alertmanager.groups(),
        alertmanager.silences(),
        alertmanager.status(),
        alertmanager.metrics(),
    )?;
    mute(&mut held, &groups);
    let (routing, metrics) = (Routing::read(&configuration)?, page.metrics()?);
    let counted = routing.receivers.keys().flat_map(|receiver| {
        let of = calls(&metrics, Some(receiver)).into_iter();
        of.map(|(kind, calls)| ((receiver.clone(), kind), calls)).collect::<Vec<_>>()
    });
    let counted = counted.collect();
    // Prometheus may not scrape Alertmanager; then this is not known.
    let grew = "max_over_time(timestamp(sum by (integration, receiver_name) \
                (increase(alertmanager_notification_requests_total[2m])) > 0)[1d:1m])";
    let due = format!("sum by (integration, receiver_name) (alertmanager_notifications_total offset {PATIENCE}s)");
    let (last, due) = join!(prometheus.query(grew), prometheus.query(&due));
    let by_receiver = |samples: Result<Vec<Sample>>| -> BTreeMap<(String, String), f64> {
        let label = |sample: &Sample, name| sample.labels.get(name).cloned().unwrap_or_default();
        let key = |sample: &Sample| (label(sample, "receiver_name"), label(sample, "integration"));
        samples.unwrap_or_default().iter().map(|sample| (key(sample), sample.value)).collect()
    };
    let last = by_receiver(last).into_iter().map(|(of, when)| (of, (now - when).max(0.0))).collect();
    let runs = epoch(&started).map_or(f64::INFINITY, |started| now - started);
    Ok(Answers { runs, last, due: by_receiver(due), held, silences, routing, calls: counted })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::instance::tests::{NOW, active, rule};
    use super::*;

    #[test]
    fn the_sentence_says_what_the_alert_does_and_where_that_ends() {
        let firing = instances(&rule(&json!([active("firing")])), &[], NOW);
        let fine = [Link::ok("metric", Vec::new())];
        assert_eq!(
            verdict("X", &fine, &firing, "is told to receiver `ops`"),
            "`X` fires for backup.sh since 12 min and is told to receiver `ops`"
        );
        let kept =
            [Link::quiet("alertmanager", "Alertmanager holds it, silenced by 3f… until 18:00 UTC (by jmi: known)")];
        assert_eq!(
            verdict("X", &kept, &firing, ""),
            "`X` fires for backup.sh since 12 min; Alertmanager holds it, silenced by 3f… until 18:00 UTC (by jmi: known)"
        );
        assert_eq!(
            verdict("X", &[Link::quiet("rule", "no value is above 1")], &[], ""),
            "`X` does not tell anybody: no value is above 1"
        );
        assert_eq!(
            verdict("X", &[Link::broken("rule", "it cannot be evaluated: no")], &[], ""),
            "`X` cannot tell anybody: it cannot be evaluated: no"
        );
    }

    #[test]
    fn an_alert_without_a_rule_is_told_with_the_way_to_bring_it() {
        let off = disabled("X");
        assert_eq!(off.verdict, "`X` does not tell anybody: `rules.disabled` in the settings has it");
        assert_eq!((off.failure(), off.hint.as_deref()), (None, Some("take it out there, then run `moko-mon up`")));
        assert_eq!(
            not_loaded("X").failure().unwrap().to_string(),
            "error: the chain of `X` is broken at `rule`\n  \
             caused by: the settings have its rule, and Prometheus has not loaded it\nhint: bring it with `moko-mon up`"
        );
    }

    #[test]
    fn metrics_are_found_behind_recorded_series() {
        let recording = |name: &str, query: &str, error: &str| json!({"name": name, "type": "recording", "query": query, "health": "ok", "lastError": error});
        let group = json!({"name": "g", "file": "f", "interval": 1, "rules": [
            recording("a:b", "sum(a:c) by (x)", ""), recording("a:c", "rate(a_total[1h]) + a:b", "no"),
        ]});
        let groups = [serde_json::from_value(group).unwrap()];
        let (leaves, recorders) = metrics(&groups, "max(a:b) > 1 and up");
        assert_eq!(leaves.into_iter().collect::<Vec<_>>(), ["a_total", "up"]);
        assert_eq!(recorders, [("a:b".to_owned(), String::new()), ("a:c".to_owned(), "no".to_owned())]);
    }
}
