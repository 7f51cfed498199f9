//! Findings of scans against what the ledger remembers: the new ones are counted, the open ones shown.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::sarif::{Scan, Severity};
use crate::error::Result;
use crate::ledger::State;

/// The name of the note in the ledger.
const NOTE: &str = "findings";
const NEW: &str = "moko_security_findings_total";
const OPEN: &str = "moko_security_findings_open";

/// What is known of one type of findings.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Known {
    /// By fingerprint, as of the last scan.
    open: BTreeMap<String, Severity>,
    /// Fingerprints of those that were open once: they are not new if they come back.
    gone: BTreeSet<String>,
}

/// What a scan changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The value of `finding_type`.
    pub finding_type: String,
    /// Findings that no scan had before, by severity.
    pub new: BTreeMap<Severity, usize>,
    /// Findings that are open now, by severity.
    pub open: BTreeMap<Severity, usize>,
    /// Findings of the scan before that are not there any more.
    pub fixed: usize,
    /// Whether the scan came to its end.
    pub complete: bool,
}

/// The scans of a call as one for each type of findings: `finding_type`, or else the name of the tool.
#[must_use]
pub fn by_type(scans: Vec<Scan>, finding_type: Option<&str>) -> BTreeMap<String, Scan> {
    let mut types: BTreeMap<String, Scan> = BTreeMap::new();
    for scan in scans {
        let name = finding_type.map_or_else(|| type_of(&scan.tool), str::to_owned);
        match types.entry(name) {
            std::collections::btree_map::Entry::Vacant(free) => drop(free.insert(scan)),
            std::collections::btree_map::Entry::Occupied(mut taken) => {
                let all = taken.get_mut();
                all.complete &= scan.complete;
                all.findings.extend(scan.findings);
            }
        }
    }
    types
}

/// `Semgrep OSS` is the type `semgrep-oss`.
fn type_of(tool: &str) -> String {
    tool.split_whitespace().collect::<Vec<_>>().join("-").to_lowercase()
}

/// Counts the findings of a call, and remembers them.
pub fn count(types: &BTreeMap<String, Scan>, state: &mut State) -> Result<Vec<Outcome>> {
    // A note that cannot be read is one of another version: then everything is new once.
    let note = state.notes.remove(NOTE).unwrap_or_default();
    let mut all: BTreeMap<String, Known> = serde_json::from_value(note).unwrap_or_default();
    let mut outcomes = Vec::new();
    for (finding_type, scan) in types {
        let known = all.entry(finding_type.clone()).or_default();
        let outcome = known.take(finding_type, scan);
        for severity in Severity::ALL {
            let labels = [("severity", severity.as_str()), ("finding_type", finding_type)];
            state.inc(NEW, &labels, number(&outcome.new, severity))?;
            state.set(OPEN, &labels, number(&outcome.open, severity))?;
        }
        outcomes.push(outcome);
    }
    state.notes.insert(NOTE.to_owned(), json!(all));
    Ok(outcomes)
}

#[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 findings")]
fn number(counts: &BTreeMap<Severity, usize>, severity: Severity) -> f64 {
    counts.get(&severity).copied().unwrap_or_default() as f64
}

impl Known {
    fn take(&mut self, finding_type: &str, scan: &Scan) -> Outcome {
        let mut new: BTreeMap<Severity, usize> = BTreeMap::new();
        for (fingerprint, severity) in &scan.findings {
            if !self.gone.remove(fingerprint) && !self.open.contains_key(fingerprint) {
                *new.entry(*severity).or_default() += 1;
            }
        }
        let mut fixed = 0;
        if scan.complete {
            for fingerprint in std::mem::take(&mut self.open).into_keys() {
                if !scan.findings.contains_key(&fingerprint) {
                    fixed += 1;
                    self.gone.insert(fingerprint);
                }
            }
        }
        self.open.extend(scan.findings.clone());
        let mut open: BTreeMap<Severity, usize> = BTreeMap::new();
        for severity in self.open.values() {
            *open.entry(*severity).or_default() += 1;
        }
        Outcome { finding_type: finding_type.to_owned(), new, open, fixed, complete: scan.complete }
    }
}

impl Outcome {
    /// For programs: every severity, also those without a finding.
    #[must_use]
    pub fn json(&self) -> Value {
        let all = |counts: &BTreeMap<Severity, usize>| {
            let of =
                |severity: Severity| (severity.as_str().to_owned(), counts.get(&severity).copied().unwrap_or_default());
            json!(BTreeMap::from(Severity::ALL.map(of)))
        };
        json!({
            "finding_type": self.finding_type,
            "new": all(&self.new),
            "open": all(&self.open),
            "fixed": self.fixed,
            "complete": self.complete,
        })
    }

    /// For people: `semgrep: 2 new (1 critical, 1 high), 7 open, 1 fixed`.
    #[must_use]
    pub fn text(&self) -> String {
        let worst_first = |counts: &BTreeMap<Severity, usize>| {
            let words = counts.iter().rev().map(|(severity, count)| format!("{count} {}", severity.as_str()));
            words.collect::<Vec<_>>().join(", ")
        };
        let sum = |counts: &BTreeMap<Severity, usize>| {
            let sum: usize = counts.values().sum();
            if sum == 0 { sum.to_string() } else { format!("{sum} ({})", worst_first(counts)) }
        };
        format!("{}: new {}, open {}, fixed {}", self.finding_type, sum(&self.new), sum(&self.open), self.fixed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(findings: &[(&str, Severity)], complete: bool) -> BTreeMap<String, Scan> {
        let findings = findings.iter().map(|(name, severity)| ((*name).to_owned(), *severity)).collect();
        by_type(vec![Scan { tool: "Scan Pro".to_owned(), findings, complete }], None)
    }

    #[test]
    fn a_finding_counts_once_however_often_it_is_seen() {
        use Severity::{Critical, High, Low};
        let mut state = State::new("nightly");
        let mut text =
            |findings: &[(&str, Severity)], complete| count(&scan(findings, complete), &mut state).unwrap()[0].text();
        assert_eq!(
            text(&[("a", High), ("b", Low)], true),
            "scan-pro: new 2 (1 high, 1 low), open 2 (1 high, 1 low), fixed 0"
        );
        assert_eq!(text(&[("a", High), ("b", Low)], true), "scan-pro: new 0, open 2 (1 high, 1 low), fixed 0");
        // What another severity was given to, and what comes back, is not new.
        assert_eq!(text(&[("a", Critical)], true), "scan-pro: new 0, open 1 (1 critical), fixed 1");
        assert_eq!(text(&[("b", Low), ("c", Low)], true), "scan-pro: new 1 (1 low), open 2 (2 low), fixed 1");
        // A scan that broke off has not shown that anything is gone.
        assert_eq!(text(&[("d", Low)], false), "scan-pro: new 1 (1 low), open 3 (3 low), fixed 0");
        let of = |severity| [("severity", severity), ("finding_type", "scan-pro")];
        assert_eq!(state.get(NEW, &of("low")), Some(3.0));
        assert_eq!((state.get(NEW, &of("high")), state.get(NEW, &of("critical"))), (Some(1.0), Some(0.0)));
        assert_eq!((state.get(OPEN, &of("low")), state.get(OPEN, &of("high"))), (Some(3.0), Some(0.0)));
    }

    #[test]
    fn types_are_counted_apart_and_one_name_brings_them_together() {
        let tool = |tool: &str, finding: &str, complete| Scan {
            tool: tool.to_owned(),
            findings: BTreeMap::from([(finding.to_owned(), Severity::High)]),
            complete,
        };
        let scans = vec![tool("A", "x", true), tool("B", "y", true), tool("A", "z", false)];
        let types = by_type(scans.clone(), None);
        assert_eq!(
            types.iter().map(|(name, scan)| (name.as_str(), scan.findings.len())).collect::<Vec<_>>(),
            [("a", 2), ("b", 1)]
        );
        assert!(!types["a"].complete && types["b"].complete);
        assert_eq!(by_type(scans, Some("code"))["code"].findings.len(), 3);
    }

    #[test]
    fn another_type_is_left_alone() {
        let mut state = State::new("nightly");
        count(&scan(&[("a", Severity::High)], true), &mut state).unwrap();
        let other = by_type(vec![Scan { tool: "other".to_owned(), findings: BTreeMap::new(), complete: true }], None);
        assert_eq!(count(&other, &mut state).unwrap()[0].text(), "other: new 0, open 0, fixed 0");
        assert_eq!(state.get(OPEN, &[("severity", "high"), ("finding_type", "scan-pro")]), Some(1.0));
    }
}
