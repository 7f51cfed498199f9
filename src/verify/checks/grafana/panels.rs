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

/// One panel, or rather its queries to one data source, which one request makes.
struct Panel<'a> {
    /// Dashboard and position: the panel as such.
    key: (usize, usize),
    place: String,
    span: &'a Span,
    queries: Vec<Query>,
}

/// What was seen of a query.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
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
    let mut panels = Vec::new();
    for (number, (dashboard, span)) in opened.iter().zip(&spans).enumerate() {
        let library =
            |uid: &str| dashboard.library.iter().find(|(of, _)| of == uid).and_then(|(_, model)| model.clone());
        let all = queries(&dashboard.stored.json, &dashboard.variables, sources, library);
        panels.extend(grouped(number, dashboard, span, all));
    }
    let made = bounded(panels.into_iter().map(|panel| make(grafana, panel))).await?;
    let (empty, seen): (Vec<_>, Vec<_>) = made.into_iter().flatten().partition(|(_, seen)| seen.class == Class::Empty);
    let question = |query: &Query, seen: &Seen| {
        Some((uid(query)?.to_owned(), plain(&query.expression, spans[seen.key.0].length())))
    };
    let why = why::ask(grafana, empty.iter().filter_map(|(query, seen)| question(query, seen)).collect()).await?;
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

/// Queries that one request can make: of one panel, to one data source, over one time.
fn grouped<'a>(number: usize, dashboard: &Opened, span: &'a Span, all: Vec<Query>) -> Vec<Panel<'a>> {
    let mut groups: BTreeMap<(usize, String), Panel<'a>> = BTreeMap::new();
    for query in all {
        let key = (query.index, format!("{:?}", query.source));
        let place = format!("panel `{}` of dashboard `{}`", query.panel, dashboard.title);
        let group =
            groups.entry(key).or_insert_with(|| Panel { key: (number, query.index), place, span, queries: Vec::new() });
        group.queries.push(query);
    }
    groups.into_values().collect()
}

async fn make(grafana: &Grafana, panel: Panel<'_>) -> Result<Vec<(Query, Seen)>> {
    let Panel { key, place, span, queries } = panel;
    let bodies: Vec<Value> = queries.iter().map(|query| query.body.clone()).collect();
    let from = queries.first().map_or(span.from.as_str(), |query| query.from.as_str());
    let answer = grafana.run_queries(&bodies, from, &span.to).await?;
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let seen = queries.into_iter().map(|query| {
        let result = &body["results"][&query.reference];
        let class = match (result.is_object(), &query.source) {
            (true, _) => classify(result),
            (false, Source::Missing(uid)) => {
                Class::Error(format!("there is no data source `{uid}` ({})", said(&answer.seen(), &body)))
            }
            (false, _) => Class::Error(said(&answer.seen(), &body)),
        };
        let place = format!("{place}, query {}", query.reference);
        (query, Seen { key, place, class, doubt: None })
    });
    Ok(seen.collect())
}

/// Grafana's own words for a request that failed as a whole.
fn said(seen: &str, body: &Value) -> String {
    body["message"].as_str().map_or_else(|| seen.to_owned(), |message| format!("Grafana says: {}", excerpt(message)))
}

/// An empty answer, explained. What began to report minutes ago lies between two points of a coarse curve: it is asked for
/// again over the last minutes.
async fn explained(grafana: &Grafana, query: &Query, mut seen: Seen, why: &Why) -> Result<Seen> {
    match why.clone() {
        Why::Quiet => {}
        Why::Broken(error) => seen.class = Class::Error(error),
        Why::Doubt(doubt) => seen.doubt = Some(doubt),
        Why::Found => {
            let answer = grafana.run_queries(std::slice::from_ref(&query.body), "now-5m", "now").await?;
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
