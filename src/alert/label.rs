//! The labels and matchers of a command line.

use std::collections::BTreeMap;

use crate::alerting::routing::Matcher;
use crate::config::{is_label, quote};
use crate::error::{Code, Error, Result};

/// `LABEL=VALUE`, once for each label; `goal` heads the error.
pub(crate) fn labels(goal: &str, words: &[String]) -> Result<BTreeMap<String, String>> {
    let refused = |fact: String| Error::new(Code::Usage, goal).cause(fact);
    let mut labels = BTreeMap::new();
    for word in words {
        let Some((name, value)) = word.split_once('=') else {
            let hint = format!("write labels as `name=value`; the alert's name is `alertname={}`", bare(word));
            return Err(refused(format!("{} is not a label", quote(word))).hint(hint));
        };
        if !is_label(name) {
            return Err(refused(format!("{} is not the name of a label", quote(name)))
                .hint("a name has letters, digits and `_`, and does not begin with a digit"));
        }
        if labels.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(refused(format!("the label `{name}` is there twice")).hint("give each label once"));
        }
    }
    Ok(labels)
}

/// What of a word could be the name of an alert.
fn bare(word: &str) -> &str {
    let is_name = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_name { word } else { "NAME" }
}

/// The matchers of a silence, such as `script_name=backup` and `severity=~"warning|info"`; `goal` heads the error.
pub(crate) fn matchers(goal: &str, words: &[String]) -> Result<Vec<Matcher>> {
    let refused = |fact: String| Error::new(Code::Usage, goal).cause(fact);
    let mut all = Vec::new();
    for word in words {
        for matcher in Matcher::read_all(word) {
            let matcher = matcher.ok_or_else(|| {
                refused(format!("{} is not a matcher", quote(word))).hint(format!(
                    "write `label=value`, `label!=value`, `label=~regex` or `label!~regex`; an alert is `alertname={}`",
                    bare(word)
                ))
            })?;
            if !is_label(&matcher.name) {
                return Err(refused(format!("{} is not the name of a label", quote(&matcher.name)))
                    .hint("a name has letters, digits and `_`, and does not begin with a digit"));
            }
            if matcher.flaw().is_some() {
                return Err(refused(format!("{} is not a regular expression", quote(&matcher.value)))
                    .hint("it has to be one of Go (RE2), and fit the value as a whole; for a plain text write `=`"));
            }
            all.push(matcher);
        }
    }
    // Alertmanager refuses it, too: it would silence whatever comes.
    if all.iter().all(|matcher| matcher.fits(Some("")) == crate::alerting::routing::Fits::Surely) {
        return Err(refused(
            "these matchers fit an alert that has no labels, and so would silence all alerts".to_owned(),
        )
        .hint("add one that a label has to fit, such as `alertname=JobFailed`"));
    }
    Ok(all)
}

/// The labels as people write them: `JobFailed{script_name="backup"}`.
pub(crate) fn shown(labels: &BTreeMap<String, String>) -> String {
    let rest = labels.iter().filter(|(name, _)| *name != "alertname").map(|(name, value)| format!("{name}={value:?}"));
    let rest = rest.collect::<Vec<_>>().join(", ");
    let name = labels.get("alertname").map_or("", String::as_str);
    if rest.is_empty() { name.to_owned() } else { format!("{name}{{{rest}}}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn labels_are_read_and_shown() {
        let all = labels("goal", &owned(&["alertname=JobFailed", "script_name=a=b", "team="])).unwrap();
        assert_eq!(shown(&all), r#"JobFailed{script_name="a=b", team=""}"#);
    }

    #[test]
    fn what_is_no_label_is_refused() {
        let refused = |words: &[&str]| labels("could not send the alert", &owned(words)).unwrap_err().to_string();
        insta::assert_snapshot!(refused(&["JobFailed"]), @"
        error: could not send the alert
          caused by: `JobFailed` is not a label
        hint: write labels as `name=value`; the alert's name is `alertname=JobFailed`
        ");
        insta::assert_snapshot!(refused(&["1a=b"]), @"
        error: could not send the alert
          caused by: `1a` is not the name of a label
        hint: a name has letters, digits and `_`, and does not begin with a digit
        ");
        insta::assert_snapshot!(refused(&["a=b", "a=c"]), @"
        error: could not send the alert
          caused by: the label `a` is there twice
        hint: give each label once
        ");
    }

    #[test]
    fn what_is_no_matcher_is_refused() {
        let refused = |words: &[&str]| matchers("could not add the silence", &owned(words)).unwrap_err().to_string();
        insta::assert_snapshot!(refused(&["JobFailed"]), @"
        error: could not add the silence
          caused by: `JobFailed` is not a matcher
        hint: write `label=value`, `label!=value`, `label=~regex` or `label!~regex`; an alert is `alertname=JobFailed`
        ");
        insta::assert_snapshot!(refused(&["a-b=c"]), @"
        error: could not add the silence
          caused by: `a-b` is not the name of a label
        hint: a name has letters, digits and `_`, and does not begin with a digit
        ");
        insta::assert_snapshot!(refused(&["a=~(b"]), @"
        error: could not add the silence
          caused by: `(b` is not a regular expression
        hint: it has to be one of Go (RE2), and fit the value as a whole; for a plain text write `=`
        ");
        insta::assert_snapshot!(refused(&["a=~.*", "b!=x"]), @"
        error: could not add the silence
          caused by: these matchers fit an alert that has no labels, and so would silence all alerts
        hint: add one that a label has to fit, such as `alertname=JobFailed`
        ");
        assert_eq!(matchers("", &owned(&["a=~.*", "{b=\"x\",c!~y}"])).unwrap().len(), 3);
    }
}
