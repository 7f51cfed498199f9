//! JUnit XML, as pipelines read it: a suite for each component, a case for each check.

use std::time::Duration;

use super::{Verdict, harmless};
use crate::verify::{Checked, Outcome};

/// The whole document. A warning is a passed case that says so in its output, and with `strict` a failed one.
#[must_use]
pub fn junit(verdict: &Verdict, strict: bool) -> String {
    let mut components: Vec<&str> = verdict.checked.iter().map(|check| check.component).collect();
    // Neighbours in the catalogue; what stands apart gets into the same suite all the same.
    let mut seen = Vec::new();
    components.retain(|component| {
        !seen.contains(component) && {
            seen.push(*component);
            true
        }
    });
    let all: Vec<&Checked> = verdict.checked.iter().collect();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    out.push_str(&format!("<testsuites name=\"moko-mon verify\" {}>\n", counts(&all, strict, verdict.took)));
    for component in components {
        let cases: Vec<&Checked> = all.iter().copied().filter(|check| check.component == component).collect();
        let took = cases.iter().map(|check| check.duration).sum();
        out.push_str(&format!("  <testsuite name=\"{}\" {}>\n", escape(component), counts(&cases, strict, took)));
        for check in cases {
            out.push_str(&case(check, strict));
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn counts(cases: &[&Checked], strict: bool, took: Duration) -> String {
    let failed = cases.iter().filter(|check| is_failure(check, strict)).count();
    let skipped = cases.iter().filter(|check| check.finding.outcome == Outcome::Skip).count();
    let (tests, time) = (cases.len(), took.as_secs_f64());
    format!("tests=\"{tests}\" failures=\"{failed}\" errors=\"0\" skipped=\"{skipped}\" time=\"{time:.3}\"")
}

fn is_failure(check: &Checked, strict: bool) -> bool {
    check.finding.outcome == Outcome::Fail || (strict && check.finding.outcome == Outcome::Warn)
}

fn case(check: &Checked, strict: bool) -> String {
    let finding = &check.finding;
    let mut body = finding.evidence.join("\n");
    if let Some(hint) = &finding.hint {
        body.push_str(&format!("\nhint: {hint}"));
    }
    let (first, body) = (escape(check.first()), escape(&body));
    let inner = match finding.outcome {
        _ if is_failure(check, strict) => {
            format!("<failure type=\"{}\" message=\"{first}\">{body}</failure>", finding.outcome.as_str())
        }
        Outcome::Skip => format!("<skipped message=\"{first}\"/>"),
        Outcome::Warn => format!("<system-out>warning: {body}</system-out>"),
        Outcome::Pass | Outcome::Fail => format!("<system-out>{body}</system-out>"),
    };
    format!(
        "    <testcase classname=\"moko-mon.{}\" name=\"{}\" time=\"{:.3}\">\n      {inner}\n    </testcase>\n",
        escape(check.component),
        escape(&check.id),
        check.duration.as_secs_f64()
    )
}

/// Text for a document or an attribute: XML 1.0 has no way at all to write most control characters.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in harmless(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            // Not only for looks: `]]>` may not stand in text.
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn everything_that_xml_cannot_hold_is_escaped_or_gone() {
        let odd = "a<b> & \"c\" 'd' ]]> \u{0}\u{1b}[1m\u{ffff}ä\nnext";
        let escaped = "a&lt;b&gt; &amp; &quot;c&quot; &apos;d&apos; ]]&gt;   [1m\u{fffd}ä\nnext";
        assert_eq!(super::escape(odd), escaped);
    }
}
