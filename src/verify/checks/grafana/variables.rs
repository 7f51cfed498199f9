//! `grafana.variables`: what a person can choose at the top of a dashboard.

use super::super::few;
use super::behind::Behind;
use crate::error::Result;
use crate::http::grafana::Grafana;
use crate::verify::dashboard::{Ask, Source};
use crate::verify::facts::{Resolved, choices};
use crate::verify::{Finding, World};

/// How a variable stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    /// There is something to choose, or it is no query.
    Filled,
    /// Its query is refused.
    Broken(String),
    /// Nothing to choose although there are series to choose from.
    Empty(String),
    /// Nothing to choose, because its metric has no series (yet).
    Waiting,
    /// As waiting, and the name of the metric looks wrong.
    Misspelt(String),
}

pub(super) async fn look(world: &World) -> Result<Finding> {
    let grafana = world.facts.grafana.client(world).await?;
    let mut seen = Vec::new();
    for dashboard in world.facts.grafana.opened(world).await? {
        for variable in &dashboard.resolved {
            let name = format!("variable `{}` of dashboard `{}`", variable.declared.name, dashboard.title);
            let state = match (&variable.choices, &variable.source) {
                (Err(why), _) => State::Broken(why.clone()),
                (Ok(found), Source::Prometheus(uid)) if found.is_empty() => {
                    diagnose(grafana, Behind::new(world, grafana, uid), variable).await?
                }
                (Ok(_), _) => State::Filled,
            };
            seen.push((name, state));
        }
    }
    Ok(judge(seen, world.expected.is_some()))
}

/// Why there is nothing to choose.
async fn diagnose(grafana: &Grafana, behind: Behind<'_>, variable: &Resolved) -> Result<State> {
    let (selector, label) = match &variable.ask {
        Ask::LabelValues { selector: Some(selector), label } => (selector, Some(label)),
        Ask::Series(selector) => (selector, None),
        Ask::Fixed(_) | Ask::Free | Ask::Unknown => return Ok(State::Filled),
        // Whether these should find something, nobody can say.
        Ask::LabelValues { selector: None, .. } | Ask::LabelNames | Ask::Metrics(_) | Ask::QueryResult(_) => {
            return Ok(State::Waiting);
        }
    };
    let name = selector.split('{').next().unwrap_or_default().trim();
    if name.is_empty() {
        return Ok(State::Waiting);
    }
    if !behind.has(name).await? {
        return Ok(match behind.names().await?.meant(name) {
            Some(hint) => State::Misspelt(format!("there is no metric `{name}`{hint}")),
            None => State::Waiting,
        });
    }
    // The first series may have come just now.
    if choices(grafana, &variable.source, &variable.ask).await?.is_ok_and(|found| !found.is_empty()) {
        return Ok(State::Filled);
    }
    Ok(State::Empty(match label {
        Some(label) if behind.has(selector).await? => format!("no series of `{selector}` has a label `{label}`"),
        _ => format!("`{name}` has series, but none matches `{selector}`"),
    }))
}

fn judge(seen: Vec<(String, State)>, ours: bool) -> Finding {
    let hint = "mend the query under Dashboard settings > Variables, or in the dashboard's file; then `moko-mon up`";
    let count = seen.len();
    let waiting = seen.iter().filter(|(_, state)| *state == State::Waiting).count();
    let (mut failed, mut doubtful) = (Vec::new(), Vec::new());
    for (name, state) in seen {
        match state {
            State::Filled | State::Waiting => {}
            State::Broken(why) => failed.push(format!("{name}: its query is refused: {why}")),
            State::Empty(why) if ours => failed.push(format!("{name} is empty: {why}")),
            State::Misspelt(why) if ours => failed.push(format!("{name} is empty: {why}")),
            // Published dashboards have such variables on purpose.
            State::Empty(why) | State::Misspelt(why) => doubtful.push(format!("{name} is empty: {why}")),
        }
    }
    if !failed.is_empty() {
        failed.extend(doubtful);
        return Finding::fail_if_any(few(failed), hint, "");
    }
    let fine = match (count, waiting) {
        (0, _) => "the dashboards have no variables".to_owned(),
        (_, 0) => format!("{count} variables, each with something to choose"),
        _ => format!("{count} variables; {waiting} have nothing to choose yet, as there is no series of their metric"),
    };
    Finding::warn_if_any(few(doubtful), hint, fine)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::Outcome;

    fn of(states: &[State], ours: bool) -> Finding {
        judge(states.iter().map(|state| ("variable `v` of dashboard `D`".to_owned(), state.clone())).collect(), ours)
    }

    #[test]
    fn nothing_yet_is_no_fault() {
        assert_eq!(of(&[], true).evidence, ["the dashboards have no variables"]);
        let finding = of(&[State::Filled, State::Waiting], true);
        assert_eq!(finding.outcome, Outcome::Pass);
        assert_eq!(
            finding.evidence,
            ["2 variables; 1 have nothing to choose yet, as there is no series of their metric"]
        );
    }

    #[test]
    fn empty_among_series_fails_on_ours_and_warns_elsewhere() {
        let empty = State::Empty("no series of `up` has a label `x`".into());
        let finding = of(std::slice::from_ref(&empty), true);
        assert_eq!(finding.outcome, Outcome::Fail);
        assert_eq!(finding.evidence, ["variable `v` of dashboard `D` is empty: no series of `up` has a label `x`"]);
        assert!(finding.hint.unwrap().contains("Dashboard settings > Variables"));
        assert_eq!(of(&[empty], false).outcome, Outcome::Warn);
    }

    #[test]
    fn a_refused_query_fails_everywhere() {
        let finding = of(&[State::Broken("parse error".into())], false);
        assert_eq!(finding.outcome, Outcome::Fail);
        assert_eq!(finding.evidence, ["variable `v` of dashboard `D`: its query is refused: parse error"]);
    }
}
