//! `grafana.panels`: every query of every panel, made through Grafana.
//!
//! Grafana 9.4 answers a broken expression like one that finds nothing, so whatever comes back empty is put to
//! Prometheus itself as well: broken, no data yet and no match are three different answers.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::few;
use super::why::{self, Why};
use crate::error::Result;
use crate::http::excerpt;
use crate::http::grafana::Grafana;
use crate::verify::dashboard::{Class, Query, Source, Span, classify, queries};
use crate::verify::facts::Opened;
use crate::verify::{Finding, World, bounded};

/// How many queries one request makes: Grafana takes longer to check a password than to make a query.
const IN_ONE: usize = 10;

/// A query, and what was seen of it.
type Pair = (Query, Seen);

/// What was seen of a query.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    /// Dashboard and position: the panel as such.
    key: (usize, usize),
    /// `panel "Runs" of dashboard "D", query A`.
    place: String,
    class: Class,
    /// Why nothing came back, where somebody should know.
    doubt: Option<String>,
}

pub(super) async fn look(world: &World) -> Result<Finding> {
    let facts = &world.facts.grafana;
    let (grafana, sources, opened) =
        (facts.client(world).await?, facts.sources(world).await?, facts.opened(world).await?);
    let spans: Vec<Span> = opened.iter().map(|dashboard| Span::of(&dashboard.stored.json)).collect();
    let mut all = Vec::new();
    for (number, dashboard) in opened.iter().enumerate() {
        let library =
            |uid: &str| dashboard.library.iter().find(|(of, _)| of == uid).and_then(|(_, model)| model.clone());
        let own = queries(&dashboard.stored.json, &dashboard.variables, sources, library);
        all.extend(own.into_iter().map(|query| paired(number, dashboard, query)));
    }
    let made = bounded(batches(all, &spans).into_iter().map(|(to, batch)| make(grafana, to, batch))).await?;
    let (empty, seen): (Vec<_>, Vec<_>) = made.into_iter().flatten().partition(|(_, seen)| seen.class == Class::Empty);
    let question = |query: &Query, seen: &Seen| {
        Some((uid(query)?.to_owned(), plain(&query.expression, spans[seen.key.0].length())))
    };
    let why =
        why::ask(world, grafana, empty.iter().filter_map(|(query, seen)| question(query, seen)).collect()).await?;
    let asked = empty.iter().map(|(query, seen)| {
        let why = question(query, seen).and_then(|question| why.get(&question)).unwrap_or(&Why::Quiet);
        explained(grafana, query, seen.clone(), why)
    });
    let asked = bounded(asked).await?;
    let mut seen: Vec<Seen> = seen.into_iter().map(|(_, seen)| seen).chain(asked).collect();
    seen.sort_by_key(|seen| seen.key);
    let lost = opened.iter().flat_map(|dashboard| {
        let gone = dashboard.library.iter().filter(|(_, model)| model.is_none());
        gone.map(|(uid, _)| format!("dashboard `{}`: its library panel `{uid}` is not there", dashboard.title))
    });
    Ok(judge(&seen, lost.collect()))
}

fn uid(query: &Query) -> Option<&str> {
    match &query.source {
        Source::Prometheus(uid) => Some(uid),
        Source::Missing(_) | Source::Other => None,
    }
}

fn paired(number: usize, dashboard: &Opened, query: Query) -> Pair {
    let place = format!("panel `{}` of dashboard `{}`, query {}", query.panel, dashboard.title, query.reference);
    let seen = Seen { key: (number, query.index), place, class: Class::Empty, doubt: None };
    (query, seen)
}

/// Queries that one request can make, each with the end of its time: to one data source, over one time. To one that is not
/// there each goes alone, as it takes the whole request with it.
fn batches(all: Vec<Pair>, spans: &[Span]) -> Vec<(&str, Vec<Pair>)> {
    let mut groups: BTreeMap<(String, String, &str), Vec<Pair>> = BTreeMap::new();
    for (query, seen) in all {
        let key = (format!("{:?}", query.source), query.from.clone(), spans[seen.key.0].to.as_str());
        groups.entry(key).or_default().push((query, seen));
    }
    let mut batches = Vec::new();
    for ((_, _, to), pairs) in groups {
        let size = pairs.first().and_then(|(query, _)| uid(query)).map_or(1, |_| IN_ONE);
        let mut pairs = pairs.into_iter().peekable();
        while pairs.peek().is_some() {
            batches.push((to, pairs.by_ref().take(size).collect()));
        }
    }
    batches
}

async fn make(grafana: &Grafana, to: &str, mut pairs: Vec<Pair>) -> Result<Vec<Pair>> {
    if request(grafana, to, &mut pairs).await? || pairs.len() == 1 {
        return Ok(pairs);
    }
    // One of them made the whole request fail: each for itself.
    for pair in &mut pairs {
        request(grafana, to, std::slice::from_mut(pair)).await?;
    }
    Ok(pairs)
}

/// Makes queries in one request; false if the request failed as a whole.
async fn request(grafana: &Grafana, to: &str, pairs: &mut [Pair]) -> Result<bool> {
    let bodies = pairs.iter().enumerate().map(|(index, (query, _))| {
        let mut body = query.body.clone();
        body["refId"] = format!("Q{index}").into();
        body
    });
    let from = pairs.first().map(|(query, _)| query.from.clone()).unwrap_or_default();
    let answer = grafana.run_queries(&bodies.collect::<Vec<_>>(), &from, to).await?;
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let seen_as = answer.seen();
    // Ten curves of hundreds of series are large enough once.
    drop(answer);
    let mut complete = true;
    for (index, (query, seen)) in pairs.iter_mut().enumerate() {
        let result = &body["results"][format!("Q{index}")];
        complete &= result.is_object();
        seen.class = match (result.is_object(), &query.source) {
            (true, _) => classify(result),
            (false, Source::Missing(uid)) => {
                Class::Error(format!("there is no data source `{uid}` ({})", said(&seen_as, &body)))
            }
            (false, _) => Class::Error(said(&seen_as, &body)),
        };
    }
    Ok(complete)
}

/// Grafana's own words for a request that failed as a whole.
fn said(seen: &str, body: &Value) -> String {
    body["message"].as_str().map_or_else(|| seen.to_owned(), |message| format!("Grafana says: {}", excerpt(message)))
}

/// An empty answer, explained. What began to report a moment ago lies behind the last point of a curve: it is asked for
/// again as of now.
async fn explained(grafana: &Grafana, query: &Query, mut seen: Seen, why: &Why) -> Result<Seen> {
    match why.clone() {
        Why::Quiet => {}
        Why::Broken(error) => seen.class = Class::Error(error),
        Why::Doubt(doubt) => seen.doubt = Some(doubt),
        Why::Found => {
            let mut now = query.body.clone();
            (now["instant"], now["range"]) = (true.into(), false.into());
            let answer = grafana.run_queries(&[now], "now-5m", "now").await?;
            let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
            seen.class = classify(&body["results"][&query.reference]);
            if seen.class == Class::Empty {
                seen.doubt = Some("Prometheus finds something, and Grafana shows nothing".to_owned());
            }
        }
    }
    Ok(seen)
}

/// The expression with Grafana's own variables filled in, as good as any values for whether it is right.
fn plain(expression: &str, range: &str) -> String {
    let values = [
        ("rate_interval_ms", "60000"),
        ("rate_interval", "1m"),
        ("interval_ms", "60000"),
        ("interval", "1m"),
        ("range_ms", "3600000"),
        ("range_s", "3600"),
        ("range", range),
        ("from", "0"),
        ("to", "0"),
    ];
    values.iter().fold(expression.to_owned(), |text, (name, value)| {
        text.replace(&format!("${{__{name}}}"), value).replace(&format!("$__{name}"), value)
    })
}

/// The panel's class is that of its queries: an error counts most, then data.
fn of_panels(seen: &[Seen]) -> Vec<Class> {
    let mut panels: BTreeMap<(usize, usize), Class> = BTreeMap::new();
    for one in seen {
        let class = panels.entry(one.key).or_insert_with(|| one.class.clone());
        *class = match (&*class, &one.class) {
            (Class::Error(why), _) | (_, Class::Error(why)) => Class::Error(why.clone()),
            (known, new) => known.min(new).clone(),
        };
    }
    panels.into_values().collect()
}

fn judge(seen: &[Seen], lost: Vec<String>) -> Finding {
    let panels = of_panels(seen);
    let count = |wanted: fn(&Class) -> bool| panels.iter().filter(|class| wanted(class)).count();
    let empty = count(|class| *class == Class::Empty);
    let parts = [
        (count(|class| *class == Class::Data), "data"),
        (count(|class| *class == Class::Zeros), "only zeros"),
        (empty, "empty"),
        (count(|class| matches!(class, Class::Error(_))), "error"),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(count, word)| *count > 0 || *word == "data")
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let yet = if empty == panels.len() && empty > 0 { ": nothing has reported yet" } else { "" };
    let summary = match panels.len() {
        0 => "no dashboard has a panel with a query to Prometheus".to_owned(),
        all => format!("{all} panels with {} queries: {}{yet}", seen.len(), parts.join(", ")),
    };
    let errors = seen.iter().filter_map(|one| match &one.class {
        Class::Error(why) => Some(format!("{}: {why}", one.place)),
        _ => None,
    });
    let errors: Vec<String> = lost.into_iter().chain(errors).collect();
    let doubts = seen.iter().filter_map(|one| Some(format!("{} is empty: {}", one.place, one.doubt.as_ref()?)));
    let doubts: Vec<String> = doubts.collect();
    let told = |facts: Vec<String>| few(facts).into_iter().chain([summary.clone()]).collect();
    if !errors.is_empty() {
        let hint = "open the panel in Grafana, or mend the dashboard's file and run `moko-mon up`";
        return Finding::fail_if_any(told(errors), hint, "");
    }
    if doubts.is_empty() {
        return Finding::pass(summary);
    }
    Finding::warn_if_any(
        told(doubts),
        "compare the labels with what scripts publish: `moko-mon verify --only contract`",
        "",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::Outcome;

    fn seen(panel: usize, class: Class) -> Seen {
        Seen { key: (0, panel), place: format!("panel `P{panel}` of dashboard `D`, query A"), class, doubt: None }
    }

    #[test]
    fn a_fresh_stack_is_counted_not_failed() {
        let finding = judge(&[seen(1, Class::Empty), seen(2, Class::Empty), seen(2, Class::Empty)], vec![]);
        assert_eq!(finding, Finding::pass("2 panels with 3 queries: 0 data, 2 empty: nothing has reported yet"));
    }

    #[test]
    fn data_beats_zeros_beats_empty() {
        let all = [
            seen(1, Class::Empty),
            seen(1, Class::Data),
            seen(2, Class::Zeros),
            seen(2, Class::Empty),
            seen(3, Class::Empty),
        ];
        assert_eq!(judge(&all, vec![]), Finding::pass("3 panels with 5 queries: 1 data, 1 only zeros, 1 empty"));
        assert_eq!(judge(&[], vec![]), Finding::pass("no dashboard has a panel with a query to Prometheus"));
    }

    #[test]
    fn one_broken_query_fails_and_is_named_first() {
        let finding = judge(&[seen(1, Class::Data), seen(1, Class::Error("parse error".into()))], vec![]);
        assert_eq!(finding.outcome, Outcome::Fail);
        assert_eq!(
            finding.evidence,
            ["panel `P1` of dashboard `D`, query A: parse error", "1 panels with 2 queries: 0 data, 1 error"]
        );
        assert!(finding.hint.unwrap().contains("moko-mon up"));
    }

    #[test]
    fn empty_among_series_warns() {
        let doubt = Some("`up` has series, but none matches `up{job=\"x\"}`".to_owned());
        let finding = judge(&[Seen { doubt, ..seen(1, Class::Empty) }, seen(2, Class::Data)], vec![]);
        assert_eq!(finding.outcome, Outcome::Warn);
        assert_eq!(
            finding.evidence[0],
            "panel `P1` of dashboard `D`, query A is empty: `up` has series, but none matches `up{job=\"x\"}`"
        );
    }

    #[test]
    fn grafanas_own_variables_get_values() {
        assert_eq!(
            plain("rate(a[$__rate_interval]) / ${__range_s} + b[$__range] * $__interval_ms", "6h"),
            "rate(a[1m]) / 3600 + b[6h] * 60000"
        );
    }
}
