//! What makes two results of two reports the same finding.
//!
//! A tool's own fingerprint says it best. Without one, a finding is known by its rule and its place: the file with the
//! text found there, because lines move, or the line where the report does not have the text.

use std::collections::BTreeMap;

use super::log::{FoundResult, Location, Run};
use crate::docker::archive::digest;

/// Hex digits of a fingerprint: with a million findings, two are the same by chance once in 10^26.
const LENGTH: usize = 32;

/// The fingerprint of each result, in order.
pub(super) fn all(run: &Run, results: &[&FoundResult]) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let of = |result: &&FoundResult| {
        // The same fingerprint is the same finding, however often it is listed.
        if let Some(identity) = given(run, result) {
            return hash(&identity);
        }
        // The same thing found twice on lines that look alike, or twice on one line, is two findings.
        let identity = hash(&place(run, result));
        let count = seen.entry(identity.clone()).and_modify(|count| *count += 1).or_insert(1);
        if *count == 1 { identity } else { hash(&[identity, count.to_string()]) }
    };
    results.iter().map(of).collect()
}

/// What the tool says: `fingerprints`, or `partialFingerprints`, which tell results of one rule in one file apart.
fn given(run: &Run, result: &FoundResult) -> Option<Vec<String>> {
    // Semgrep writes this text instead of a fingerprint for those who have no account.
    let known = |value: &&String| !value.is_empty() && *value != "requires login";
    let pairs = |of: &BTreeMap<String, String>| {
        let pairs = of.iter().filter(|(_, value)| known(value)).flat_map(|(name, value)| [name.clone(), value.clone()]);
        Some(pairs.collect::<Vec<_>>()).filter(|pairs| !pairs.is_empty())
    };
    let own = |name: &str, with: Vec<String>| [vec![name.to_owned(), run.rule_id(result).to_owned()], with].concat();
    if let Some(pairs) = pairs(&result.fingerprints) {
        return Some(own("fingerprints", pairs));
    }
    let pairs = pairs(&result.partial_fingerprints)?;
    Some([own("partial", pairs), files(run, result)].concat())
}

fn files(run: &Run, result: &FoundResult) -> Vec<String> {
    let physical = result.locations.iter().filter_map(|location| location.physical_location.as_ref());
    physical.filter_map(|location| run.uri(location)).map(str::to_owned).collect()
}

fn place(run: &Run, result: &FoundResult) -> Vec<String> {
    let mut identity = vec!["place".to_owned(), run.rule_id(result).to_owned()];
    let places: Vec<String> = result.locations.iter().flat_map(|location| parts(run, location)).collect();
    if places.is_empty() {
        // Nowhere in particular: then it is what it says.
        identity.extend(result.message.as_ref().and_then(|message| message.text.clone()));
    }
    identity.extend(places);
    identity
}

fn parts(run: &Run, location: &Location) -> Vec<String> {
    let mut parts = Vec::new();
    if let Some(physical) = &location.physical_location {
        parts.push(run.uri(physical).unwrap_or_default().to_owned());
        if let Some(region) = &physical.region {
            let text = region.snippet.as_ref().and_then(|snippet| snippet.text.as_deref()).map(str::trim);
            let line = || format!("{}:{}", region.start_line.unwrap_or_default(), region.start_column.unwrap_or(1));
            parts.push(text.filter(|text| !text.is_empty()).map_or_else(line, |text| format!("text:{text}")));
        }
    }
    let names = location.logical_locations.iter();
    parts.extend(names.filter_map(|at| at.fully_qualified_name.clone().or_else(|| at.name.clone())));
    parts
}

/// Parts cannot flow into each other: each goes in with its length.
fn hash(parts: &(impl AsRef<[String]> + ?Sized)) -> String {
    let mut bytes = Vec::new();
    for part in parts.as_ref() {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part.as_bytes());
    }
    digest(&bytes)[..LENGTH].to_owned()
}
