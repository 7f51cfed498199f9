//! The report of a test run for build servers: `JUnit` XML, one test case for each test file.

use std::time::Duration;

/// What came of one test file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Its name for people.
    pub name: String,
    /// Whether it is bundled and not the user's.
    pub bundled: bool,
    /// What promtool said, when a test of it failed.
    pub failure: Option<Vec<String>>,
    /// How long it took, container included.
    pub took: Duration,
}

impl Outcome {
    /// Whose test file it is, in output for programs.
    #[must_use]
    pub const fn origin(&self) -> &'static str {
        if self.bundled { "bundled" } else { "user" }
    }
}

/// The report.
#[must_use]
pub fn junit(outcomes: &[Outcome]) -> String {
    let failures = outcomes.iter().filter(|outcome| outcome.failure.is_some()).count();
    let took: Duration = outcomes.iter().map(|outcome| outcome.took).sum();
    let counts =
        format!("tests=\"{}\" failures=\"{failures}\" errors=\"0\" time=\"{:.3}\"", outcomes.len(), took.as_secs_f64());
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n  <testsuite name=\"moko-mon rules test\" {counts} skipped=\"0\">\n"
    );
    for outcome in outcomes {
        let case = format!(
            "    <testcase name=\"{}\" classname=\"{}\" time=\"{:.3}\"",
            escaped(&outcome.name),
            outcome.origin(),
            outcome.took.as_secs_f64()
        );
        match &outcome.failure {
            None => xml.push_str(&format!("{case}/>\n")),
            Some(lines) => xml.push_str(&format!(
                "{case}>\n      <failure message=\"promtool test rules failed\">{}</failure>\n    </testcase>\n",
                escaped(&lines.join("\n"))
            )),
        }
    }
    xml + "  </testsuite>\n</testsuites>\n"
}

/// A text for XML: marks as entities; control characters, which XML 1.0 cannot hold, are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push('\n'),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_a_case_for_each_file_and_promtool_s_words() {
        let passed =
            Outcome { name: "a.yml".to_owned(), bundled: true, failure: None, took: Duration::from_millis(250) };
        let words = vec!["  exp:[\"<\u{1b}>&\"]".to_owned(), "  got:[]".to_owned()];
        let failed =
            Outcome { name: "my \"b\".yml".to_owned(), bundled: false, failure: Some(words), ..passed.clone() };
        assert_eq!(
            junit(&[passed, failed]),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <testsuites tests=\"2\" failures=\"1\" errors=\"0\" time=\"0.500\">\n  \
             <testsuite name=\"moko-mon rules test\" tests=\"2\" failures=\"1\" errors=\"0\" time=\"0.500\" skipped=\"0\">\n    \
             <testcase name=\"a.yml\" classname=\"bundled\" time=\"0.250\"/>\n    \
             <testcase name=\"my &quot;b&quot;.yml\" classname=\"user\" time=\"0.250\">\n      \
             <failure message=\"promtool test rules failed\">  exp:[&quot;&lt;&gt;&amp;&quot;]\n  got:[]</failure>\n    \
             </testcase>\n  </testsuite>\n</testsuites>\n"
        );
    }
}
