//! What is taken, what is refused, and in which words.

mod points;
mod round_trip;
mod texts;

use super::*;
use crate::contract::MetricType;
use crate::ledger::{State, Value};
use crate::publish::text;

/// A point of a command line: `inc NAME 2 a=b`.
fn point(line: &str) -> Result<Point, Fault> {
    let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    let number = value(&words[1], &words[2])?;
    let change = match words[0].as_str() {
        "inc" => Change::Inc(number),
        "set" => Change::Set(number),
        _ => Change::Observe(number),
    };
    Ok(Point { name: words[1].clone(), labels: labels(&words[3..])?, change, line: None })
}

fn own(kind: MetricType) -> Declared {
    Declared { kind: Some(kind), ..Declared::default() }
}

/// Counts a command line with what is said of its metric.
fn push(state: &mut State, line: &str, said: Declared) -> Result<(), Faults> {
    let mut batch = Batch::one(point(line).map_err(Faults::one)?, said);
    assert_eq!(batch.script()?, None);
    let definitions = batch.definitions(|name| state.families.get(name).cloned())?;
    batch.apply(&definitions, state).unwrap();
    Ok(())
}

fn refused(line: &str) -> String {
    refused_with(line, Declared::default(), &mut State::new("backup"))
}

fn refused_with(line: &str, said: Declared, state: &mut State) -> String {
    push(state, line, said).unwrap_err().error("could not push it").to_string()
}

fn stdin(state: &mut State, text: &str) -> Result<Batch, Faults> {
    let known = |name: &str| state.families.get(name).cloned();
    let batch = Batch::read(text, |name| known(name).map(|family| family.kind))?;
    let definitions = batch.definitions(known)?;
    batch.apply(&definitions, state).unwrap();
    Ok(batch)
}

fn refused_text(text: &str) -> String {
    stdin(&mut State::new("backup"), text).unwrap_err().error("could not push it").to_string()
}
