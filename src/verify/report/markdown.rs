//! Markdown, for the step summary of a pipeline.

use super::{Verdict, harmless};
use crate::verify::{Checked, Outcome};

/// The sentence, a table of what failed or warns, and the rest folded away.
#[must_use]
pub fn markdown(verdict: &Verdict) -> String {
    let title = match (verdict.count(Outcome::Fail), verdict.count(Outcome::Warn)) {
        (0, _) if verdict.unproved().is_some() => "Something was not proved",
        (0, 0) => "Monitoring works",
        (0, _) => "Monitoring works, with warnings",
        _ => "Monitoring is broken",
    };
    let mut out = format!("## {title}\n\n{}\n", cell(&verdict.sentence()));
    let loud: Vec<&Checked> = verdict.of(Outcome::Fail).chain(verdict.of(Outcome::Warn)).collect();
    if !loud.is_empty() {
        out.push_str("\n| outcome | check | evidence | hint |\n| --- | --- | --- | --- |\n");
        for check in &loud {
            let hint = check.finding.hint.as_deref().map(cell).unwrap_or_default();
            let evidence = cell(&check.finding.evidence.join("\n"));
            out.push_str(&format!(
                "| **{}** | `{}` | {evidence} | {hint} |\n",
                check.finding.outcome.as_str(),
                check.id
            ));
        }
    }
    if let Some(canary) = &verdict.canary {
        out.push_str("\n| canary | outcome | seconds | evidence |\n| --- | --- | ---: | --- |\n");
        for hop in &canary.hops {
            let outcome = hop.finding.outcome.as_str();
            let evidence = cell(&hop.finding.evidence.join("\n"));
            out.push_str(&format!("| {} | {outcome} | {:.1} | {evidence} |\n", hop.name, hop.took.as_secs_f64()));
        }
    }
    let quiet: Vec<&Checked> = verdict.of(Outcome::Skip).chain(verdict.of(Outcome::Pass)).collect();
    if !quiet.is_empty() {
        let (passed, skipped) = (verdict.count(Outcome::Pass), verdict.count(Outcome::Skip));
        out.push_str(&format!("\n<details><summary>{passed} passed, {skipped} skipped</summary>\n\n"));
        out.push_str("| outcome | check | evidence |\n| --- | --- | --- |\n");
        for check in quiet {
            let outcome = check.finding.outcome.as_str();
            out.push_str(&format!("| {outcome} | `{}` | {} |\n", check.id, cell(check.first())));
        }
        out.push_str("\n</details>\n");
    }
    out
}

/// Text in a cell: one line, no HTML of somebody else's, no end of the cell.
fn cell(text: &str) -> String {
    let text = harmless(text).replace('\\', "\\\\").replace('&', "&amp;").replace('<', "&lt;").replace('|', "\\|");
    text.replace('\n', "<br>")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_cell_holds_any_text() {
        assert_eq!(super::cell("a|b\n<script> & \u{1b}\\"), "a\\|b<br>&lt;script> &amp;  \\\\");
    }
}
