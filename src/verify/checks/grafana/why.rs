//! Why queries found nothing: broken, no data yet, or data that they do not match. Asked of Prometheus itself.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::try_join;
use serde_json::Value;

use super::behind::{Behind, Names};
use crate::error::Result;
use crate::http::grafana::Grafana;
use crate::verify::dashboard::{Selector, selectors};
use crate::verify::facts::Reply;
use crate::verify::{World, bounded};

/// An expression that found nothing, and the uid of the data source it was put to.
pub(super) type Question = (String, String);

/// Why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Why {
    /// There is nothing to find yet.
    Quiet,
    /// There is something to find now.
    Found,
    /// It is refused.
    Broken(String),
    /// It is right, and yet somebody should look at it.
    Doubt(String),
}

/// What the server said of an expression.
enum Said {
    Finds,
    Selects(Vec<Selector>),
    Refused(String),
    Strange(String),
}

/// The answers to all questions; what they have in common is asked once.
pub(super) async fn ask(
    world: &World,
    grafana: &Grafana,
    questions: BTreeSet<Question>,
) -> Result<BTreeMap<Question, Why>> {
    let said =
        bounded(questions.iter().map(|(uid, expression)| read(Behind::new(world, grafana, uid), expression))).await?;
    let said: BTreeMap<Question, Said> = questions.into_iter().zip(said).collect();
    let mut wanted: BTreeMap<&str, BTreeSet<&Selector>> = BTreeMap::new();
    for ((uid, _), said) in &said {
        if let Said::Selects(selectors) = said {
            wanted.entry(uid).or_default().extend(selectors);
        }
    }
    let known =
        bounded(wanted.into_iter().map(|(uid, selectors)| look_up(Behind::new(world, grafana, uid), selectors)))
            .await?;
    let known: BTreeMap<String, Known> = known.into_iter().collect();
    let why = |uid: &str, said: &Said| match (said, known.get(uid)) {
        (Said::Finds, _) => Why::Found,
        (Said::Refused(error), _) => Why::Broken(error.clone()),
        (Said::Strange(answer), _) => {
            Why::Doubt(format!("nothing came back, and Prometheus could not be asked why: {answer}"))
        }
        (Said::Selects(selectors), Some(known)) => {
            selectors.iter().find_map(|selector| known.doubt(selector)).map_or(Why::Quiet, Why::Doubt)
        }
        (Said::Selects(_), None) => Why::Quiet,
    };
    Ok(said.iter().map(|((uid, expression), said)| ((uid.clone(), expression.clone()), why(uid, said))).collect())
}

/// Puts an expression to the server, and to its parser. Older servers have none to ask; then no selector is known.
async fn read(behind: Behind<'_>, expression: &str) -> Result<Said> {
    let parameters = [("query", expression)];
    let (evaluated, parsed) = try_join!(behind.ask("query", &parameters), behind.ask("parse_query", &parameters))?;
    Ok(match (evaluated, parsed) {
        (Reply::Refused(error), _) => Said::Refused(error),
        (Reply::Strange(answer), _) => Said::Strange(answer),
        (Reply::Data(found), _) if has_number(&found) => Said::Finds,
        (Reply::Data(_), Reply::Data(tree)) => Said::Selects(selectors(&tree)),
        (Reply::Data(_), _) => Said::Selects(Vec::new()),
    })
}

/// Whether an instant query's answer has a number; NaN is none.
fn has_number(data: &Value) -> bool {
    let result = data["result"].as_array().into_iter().flatten();
    result.filter_map(|one| one["value"][1].as_str()).any(|value| value != "NaN")
}

/// What is there to be selected.
struct Known {
    /// The names of metrics that have series now.
    alive: BTreeSet<String>,
    /// The selectors that find some.
    matching: BTreeSet<String>,
    names: Names,
}

async fn look_up(behind: Behind<'_>, selectors: BTreeSet<&Selector>) -> Result<(String, Known)> {
    let listed: BTreeSet<&str> = selectors.iter().map(|selector| selector.name.as_str()).collect();
    let pattern = Value::from(listed.into_iter().collect::<Vec<_>>().join("|"));
    let alive = format!("count by (__name__) ({{__name__=~{pattern}}})");
    let parameters = [("query", alive.as_str())];
    let (alive, names) = try_join!(behind.ask("query", &parameters), behind.names())?;
    let alive: BTreeSet<String> = match alive {
        Reply::Data(data) => {
            let series = data["result"].as_array().into_iter().flatten();
            series.filter_map(|one| one["metric"]["__name__"].as_str()).map(str::to_owned).collect()
        }
        Reply::Refused(_) | Reply::Strange(_) => BTreeSet::new(),
    };
    let narrowed: Vec<&&Selector> =
        selectors.iter().filter(|selector| selector.narrowed && alive.contains(&selector.name)).collect();
    let found = bounded(narrowed.iter().map(|selector| behind.has(&selector.text))).await?;
    let matching = narrowed.iter().zip(found).filter(|(_, found)| *found);
    let matching = matching.map(|(selector, _)| selector.text.clone()).collect();
    Ok((behind.uid.to_owned(), Known { alive, matching, names }))
}

impl Known {
    fn doubt(&self, selector: &Selector) -> Option<String> {
        let Selector { name, text, narrowed } = selector;
        // As it should be: an alert has series only while it fires.
        if ["ALERTS", "ALERTS_FOR_STATE"].contains(&name.as_str()) {
            return None;
        }
        if !self.alive.contains(name) {
            return self.names.meant(name).map(|hint| format!("there is no metric `{name}`{hint}"));
        }
        (*narrowed && !self.matching.contains(text)).then(|| format!("`{name}` has series, but none matches `{text}`"))
    }
}
