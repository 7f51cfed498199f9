//! For people: what is broken first, with all its evidence; then a line for each other check; then one sentence.

use super::{Verdict, exact, harmless};
use crate::verify::{Checked, Outcome};

/// How a text is to look.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// The columns that it may take.
    pub width: usize,
    /// Whether outcomes are in colour; they are words in any case.
    pub colors: bool,
}

/// The space before what belongs to the check above it.
const INDENT: &str = "      ";

/// The whole text.
#[must_use]
pub fn text(verdict: &Verdict, look: Look) -> String {
    let mut out = String::new();
    for check in verdict.of(Outcome::Fail).chain(verdict.of(Outcome::Warn)) {
        out.push_str(&block(check, look));
    }
    if let Some(canary) = &verdict.canary {
        out.push_str(&format!("canary `{}`, {}\n", canary.id, exact(canary.took())));
        for hop in &canary.hops {
            let head = format!("{:<9} {:>7}  ", hop.name, exact(hop.took));
            let room = look.width.saturating_sub(INDENT.len() + head.chars().count());
            out.push_str(&format!("{}  {head}{}\n", word(hop.finding.outcome, look), cut(hop.first(), room)));
        }
        out.push('\n');
    }
    // The hops of the canary stand there already.
    let quiet = verdict.of(Outcome::Skip).chain(verdict.of(Outcome::Pass));
    let quiet: Vec<&Checked> = quiet.filter(|check| !check.id.starts_with("canary.")).collect();
    let id_width = quiet.iter().map(|check| check.id.chars().count()).max().unwrap_or_default();
    for check in &quiet {
        let room = look.width.saturating_sub(INDENT.len() + id_width + 2);
        out.push_str(&format!(
            "{}  {:<id_width$}  {}\n",
            word(check.finding.outcome, look),
            check.id,
            cut(check.first(), room)
        ));
    }
    if !quiet.is_empty() {
        out.push('\n');
    }
    out.push_str(&verdict.sentence());
    out.push('\n');
    out
}

/// Only what is broken or warns, and the sentence.
#[must_use]
pub fn brief(verdict: &Verdict, look: Look) -> String {
    let loud = verdict.of(Outcome::Fail).chain(verdict.of(Outcome::Warn)).map(|check| block(check, look));
    format!("{}{}\n", loud.collect::<String>(), verdict.sentence())
}

/// A check that wants attention.
fn block(check: &Checked, look: Look) -> String {
    let mut out = format!("{}  {}\n", word(check.finding.outcome, look), check.id);
    let room = look.width.saturating_sub(INDENT.len());
    for line in &check.finding.evidence {
        push_wrapped(&mut out, line, "", room);
    }
    if let Some(hint) = &check.finding.hint {
        push_wrapped(&mut out, hint, "hint: ", room);
    }
    out.push('\n');
    out
}

/// The outcome, louder the worse it is.
fn word(outcome: Outcome, look: Look) -> String {
    let (word, color) = match outcome {
        Outcome::Fail => ("FAIL", "1;31"),
        Outcome::Warn => ("WARN", "1;33"),
        Outcome::Skip => ("skip", "2"),
        Outcome::Pass => ("pass", "32"),
    };
    if look.colors { format!("\u{1b}[{color}m{word}\u{1b}[0m") } else { word.to_owned() }
}

/// The beginning of a text, as much as there is room for.
fn cut(text: &str, room: usize) -> String {
    let text = harmless(text).replace('\n', " ");
    if text.chars().count() <= room {
        return text;
    }
    text.chars().take(room.saturating_sub(1)).chain(['…']).collect()
}

/// Adds a text in lines of at most `room` columns, broken between words where that is possible.
fn push_wrapped(out: &mut String, text: &str, prefix: &str, room: usize) {
    let room = room.saturating_sub(prefix.len()).max(20);
    let mut first = true;
    let mut push = |line: &str| {
        let prefix = if std::mem::take(&mut first) { prefix.to_owned() } else { " ".repeat(prefix.len()) };
        out.push_str(&format!("{INDENT}{prefix}{line}\n"));
    };
    for line in harmless(text).lines() {
        let mut current = String::new();
        for word in line.split_inclusive(' ') {
            let fits = |current: &str, more: &str| current.chars().count() + more.trim_end().chars().count() <= room;
            if !current.is_empty() && !fits(&current, word) {
                push(current.trim_end());
                current.clear();
            }
            let mut word = word;
            // A word that is longer than a line, such as an address, goes on in the next.
            while !fits("", word) {
                let end = word.char_indices().nth(room).map_or(word.len(), |(end, _)| end);
                let (head, rest) = word.split_at(end);
                push(head);
                word = rest;
            }
            current.push_str(word);
        }
        push(current.trim_end());
    }
}
