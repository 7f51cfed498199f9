//! The links of a script: its series, its runs, its pushes, the alerts about it.

use std::collections::BTreeSet;

use super::metric::Source;
use super::words::{few, many, span};
use super::{Link, State, Why};
use crate::verify::counters::{CONSTANT_HINT, Script};

/// The series of a script.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Series {
    /// Whether there are any now; if not, the rest is of the last day.
    pub(super) is_there: bool,
    pub(super) count: usize,
    pub(super) metrics: BTreeSet<String>,
    pub(super) sources: Vec<Source>,
    /// When there were first and last some within a day.
    pub(super) first: Option<f64>,
    pub(super) last: Option<f64>,
}

/// When a run last ended so.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Run {
    pub(super) status: String,
    pub(super) at: f64,
}

/// A group of the Pushgateway: when it was last pushed, and when a push last failed; 0 if never.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    pub(super) source: Source,
    pub(super) pushed: f64,
    pub(super) failed: f64,
}

/// What an alert has to do with a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Relation {
    /// It is pending or firing for the script.
    Active,
    /// It reads what the script publishes, all scripts together.
    Fed,
    /// It tells scripts apart, and is about others now.
    Others,
}

/// An alert that has to do with a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Concern {
    pub(super) alert: String,
    pub(super) relation: Relation,
    /// `inactive`, `pending` or `firing`.
    pub(super) state: String,
}

const A_DAY: f64 = 86_400.0;

pub(super) fn series(found: &Series, now: f64) -> Link {
    let name = "series";
    let from: Vec<String> = found
        .sources
        .iter()
        .map(|source| match source.instance.as_str() {
            "" => format!("job `{}`", source.job),
            instance => format!("job `{}`, instance `{instance}`", source.job),
        })
        .collect();
    if !found.is_there {
        let fact = match found.last {
            Some(last) => format!("it has no series now; the last were seen {} ago", span(now - last)),
            None => "it has had no series within a day".to_owned(),
        };
        let evidence =
            std::iter::once(fact.clone()).chain(from.into_iter().map(|from| format!("they came from {from}")));
        return Link::new(name, State::Quiet, evidence.collect(), fact)
            .hint("a push brings it back; see what is there with `moko-mon open pushgateway`");
    }
    // The first step of the window lies a step behind its beginning.
    let since = match found.first.map(|first| now - first) {
        Some(age) if age < A_DAY - 600.0 => format!("since {}", span(age)),
        Some(_) => "since more than a day".to_owned(),
        None => "since a moment".to_owned(),
    };
    let metrics: Vec<String> = found.metrics.iter().map(|metric| format!("`{metric}`")).collect();
    let mut evidence = vec![
        format!("{} of {}, {since}", many(found.count, "series"), many(metrics.len(), "metric")),
        few(metrics).join(", "),
    ];
    evidence.extend(few(from).into_iter().map(|from| format!("from {from}")));
    Link::ok(name, evidence)
}

/// The newest run.
fn newest(runs: &[Run]) -> Option<&Run> {
    runs.iter().max_by(|a, b| a.at.total_cmp(&b.at))
}

pub(super) fn ran(runs: &[Run], now: f64) -> Link {
    let name = "last run";
    let Some(last) = newest(runs) else {
        return Link::unknown(name, "it publishes no `moko_script_last_execution_timestamp_seconds`");
    };
    if last.at > now + 60.0 {
        let fact = format!("its last run lies {} in the future: is its time in seconds?", span(last.at - now));
        return Link::broken(name, fact)
            .hint("publish `moko_script_last_execution_timestamp_seconds` in seconds since 1970, and set the clock");
    }
    let mut runs: Vec<&Run> = runs.iter().collect();
    runs.sort_by(|a, b| b.at.total_cmp(&a.at));
    Link::ok(name, runs.into_iter().map(|run| format!("{} {} ago", run.status, span(now - run.at))).collect())
}

pub(super) fn pushed(groups: &[Group], is_there: bool, now: f64) -> Link {
    let name = "push";
    let shown = |group: &Group| match group.source.instance.as_str() {
        "" => format!("group job=`{}`", group.source.job),
        instance => format!("group job=`{}`, instance=`{instance}`", group.source.job),
    };
    let refused = groups.iter().find(|group| group.failed > group.pushed);
    if let Some(group) = refused {
        let fact = format!("the last push of {} was refused, {} ago", shown(group), span(now - group.failed));
        return Link::broken(name, fact).hint("see why with `moko-mon logs pushgateway`");
    }
    let lines: Vec<String> =
        groups.iter().map(|group| format!("{} was pushed {} ago", shown(group), span(now - group.pushed))).collect();
    match (lines.is_empty(), is_there) {
        (false, _) => Link::ok(name, few(lines)),
        (true, true) => {
            Link::ok(name, vec!["no group of the Pushgateway has its labels: it is scraped elsewhere".to_owned()])
        }
        (true, false) => Link::quiet(name, "the Pushgateway holds no group of it"),
    }
}

/// Is what it counts seen? There may be several: one for each machine that it runs on.
pub(super) fn counted(scripts: &[Script]) -> Link {
    let name = "counted";
    if let Some(fact) = scripts.iter().find_map(Script::constant) {
        return Link::broken(name, format!("it {fact}")).hint(CONSTANT_HINT);
    }
    if scripts.is_empty() {
        return Link::unknown(name, "it publishes no `moko_script_executions_total` now");
    }
    let changes: f64 = scripts.iter().map(|script| script.counted).sum();
    let fact = if changes > 0.0 {
        format!("its counter has changed {changes} {} within a day", if changes > 1.0 { "times" } else { "time" })
    } else {
        "its counter has not changed within a day, and no run is known that it has missed".to_owned()
    };
    Link::ok(name, vec![fact])
}

pub(super) fn concerns(all: &[Concern]) -> Link {
    let name = "alerts";
    if all.is_empty() {
        return Link::quiet(name, "no alert reads what it publishes");
    }
    let line = |concern: &Concern| {
        let (alert, state) = (&concern.alert, &concern.state);
        match (concern.relation, state.as_str()) {
            (Relation::Active, "firing") => format!("`{alert}` fires for it"),
            (Relation::Active, _) => format!("`{alert}` is pending for it"),
            (Relation::Others, _) => format!("`{alert}` is {state}, for others"),
            (Relation::Fed, _) => format!("`{alert}` reads its series: {state}"),
        }
    };
    Link::ok(name, all.iter().map(line).collect())
}

/// The sentence about a script.
pub(super) fn verdict(name: &str, links: &[Link], runs: &[Run], concerned: &[Concern], now: f64) -> String {
    if let Some(link) = Why::culprit(links) {
        let word = if link.state == State::Broken { "cannot be watched" } else { "is not watched now" };
        return format!("`{name}` {word}: {}", link.because);
    }
    let run = match newest(runs) {
        Some(run) => format!(", its last run ({}) ended {} ago", run.status, span(now - run.at)),
        None => String::new(),
    };
    let named = |state: &str, verb: &str| {
        let is_it = |concern: &&Concern| concern.relation == Relation::Active && concern.state == state;
        let names: Vec<String> = concerned.iter().filter(is_it).map(|concern| format!("`{}`", concern.alert)).collect();
        (!names.is_empty()).then(|| format!("{} {verb} for it", few(names).join(", ")))
    };
    let alerts: Vec<String> =
        [named("firing", "fires"), named("pending", "is pending")].into_iter().flatten().collect();
    let alerts = if alerts.is_empty() { "no alert is about it now".to_owned() } else { alerts.join(", and ") };
    format!("`{name}` is watched{run}; {alerts}")
}

#[cfg(test)]
mod tests;
