//! Why somebody is told of something, or nobody is: the way of one alert, or of one script, link by link.
//!
//! ```text
//! metric ─► scraped ─► rule ─► alertmanager ─► route ─► receiver ─► notification     an alert
//! series ─► last run ─► push ─► scraped ─► counted ─► alerts                                    a script
//! ```
//!
//! `alert` and `script` ask the servers; the other files judge what they answered, and write it down.

mod alert;
pub(crate) mod instance;
mod metric;
mod notify;
mod rule;
mod script;
mod script_links;
pub(crate) mod words;

use serde_json::{Value, json};

use crate::error::{Code, Error};
use crate::http::alertmanager::Alertmanager;
use crate::http::prometheus::Prometheus;

pub use alert::{alert, disabled, not_loaded};
pub use script::script;

/// The servers to ask.
#[derive(Debug)]
pub struct Servers {
    /// Where rules are evaluated.
    pub prometheus: Prometheus,
    /// Where alerts are sent; `None` if nobody said where it is, an error if it does not run.
    pub alertmanager: Option<Result<Alertmanager, Error>>,
}

/// How a link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It passes things on.
    Ok,
    /// It works, and has nothing to pass on, or keeps it.
    Quiet,
    /// It does not work.
    Broken,
    /// It cannot be known.
    Unknown,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Quiet => "quiet",
            Self::Broken => "broken",
            Self::Unknown => "unknown",
        }
    }
}

/// One link of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its name: `metric`, `scraped`, `rule`, …
    pub link: &'static str,
    /// How it is.
    pub state: State,
    /// What was seen, most telling first; never empty.
    pub evidence: Vec<String>,
    /// Why nothing passes, as the end of a sentence about what it is all about.
    because: String,
    /// The next command, where there is one.
    hint: Option<String>,
}

impl Link {
    fn new(link: &'static str, state: State, evidence: Vec<String>, because: impl Into<String>) -> Self {
        Self { link, state, evidence, because: because.into(), hint: None }
    }

    fn ok(link: &'static str, evidence: Vec<String>) -> Self {
        Self::new(link, State::Ok, evidence, "")
    }

    /// One line says both what was seen and why nothing passes.
    fn quiet(link: &'static str, fact: impl Into<String>) -> Self {
        let fact = fact.into();
        Self::new(link, State::Quiet, vec![fact.clone()], fact)
    }

    fn broken(link: &'static str, fact: impl Into<String>) -> Self {
        Self { state: State::Broken, ..Self::quiet(link, fact) }
    }

    fn unknown(link: &'static str, fact: impl Into<String>) -> Self {
        Self { state: State::Unknown, ..Self::quiet(link, fact) }
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    fn passes(&self) -> bool {
        matches!(self.state, State::Ok | State::Unknown)
    }
}

/// The answer to `why`.
#[derive(Debug, Clone, PartialEq)]
pub struct Why {
    /// `alert` or `script`.
    pub kind: &'static str,
    /// What was asked about.
    pub name: String,
    /// The chain.
    pub links: Vec<Link>,
    /// One sentence.
    pub verdict: String,
    /// The next command, where there is one.
    pub hint: Option<String>,
    /// What is pending or firing, with what became of it; for a script, the alerts that concern it.
    pub alerts: Vec<Value>,
}

impl Why {
    /// The link that the question is about: the first broken one, or else the first quiet one.
    #[must_use]
    pub fn culprit(links: &[Link]) -> Option<&Link> {
        let broken = links.iter().find(|link| link.state == State::Broken);
        broken.or_else(|| links.iter().find(|link| !link.passes()))
    }

    /// One line for each link, then the sentence.
    #[must_use]
    pub fn text(&self) -> String {
        let width = self.links.iter().map(|link| link.link.len()).max().unwrap_or_default();
        let mut out = String::new();
        for link in &self.links {
            for (index, line) in link.evidence.iter().enumerate() {
                let (name, state) = if index == 0 { (link.link, link.state.as_str()) } else { ("", "") };
                out.push_str(format!("{name:<width$}  {state:<7}  {line}").trim_end());
                out.push('\n');
            }
        }
        out.push_str(&format!("\n{}\n", self.verdict));
        if let Some(hint) = self.hint.as_ref().filter(|_| !self.is_broken()) {
            out.push_str(&format!("hint: {hint}\n"));
        }
        out
    }

    /// `data` of the envelope.
    #[must_use]
    pub fn json(&self) -> Value {
        let link = |link: &Link| json!({"link": link.link, "state": link.state, "evidence": link.evidence});
        json!({
            "kind": self.kind,
            "name": self.name,
            "links": self.links.iter().map(link).collect::<Vec<_>>(),
            "verdict": self.verdict,
            "hint": self.hint,
            "alerts": self.alerts,
        })
    }

    fn is_broken(&self) -> bool {
        self.links.iter().any(|link| link.state == State::Broken)
    }

    /// The error that makes the exit status, where a link is broken.
    #[must_use]
    pub fn failure(&self) -> Option<Error> {
        let broken = self.links.iter().find(|link| link.state == State::Broken)?;
        let error =
            Error::new(Code::ChainBroken, format!("the chain of `{}` is broken at `{}`", self.name, broken.link))
                .cause(broken.evidence.first().map_or("", String::as_str));
        Some(Error { hint: self.hint.clone(), ..error })
    }
}

/// When nothing can be asked about a name: Prometheus is where it is all known.
#[must_use]
pub fn unanswered(name: &str, error: &Error) -> Why {
    let link = Link::broken("prometheus", error.in_one_line()).hint("see how the servers are with `moko-mon status`");
    Why {
        kind: "alert",
        name: name.to_owned(),
        verdict: format!("nothing can be said of `{name}`: Prometheus does not answer"),
        hint: link.hint.clone(),
        links: vec![link],
        alerts: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_one_line_for_each_link_and_a_sentence() {
        let links = vec![
            Link::ok("metric", vec!["`up`: 4 series".to_owned(), "and more".to_owned()]),
            Link::quiet("rule", "no value is above 1").hint("wait"),
        ];
        let why = Why {
            kind: "alert",
            name: "X".to_owned(),
            verdict: "`X` does not tell anybody: no value is above 1".to_owned(),
            hint: Why::culprit(&links).unwrap().hint.clone(),
            links,
            alerts: Vec::new(),
        };
        insta::assert_snapshot!(why.text(), @r"
        metric  ok       `up`: 4 series
                         and more
        rule    quiet    no value is above 1

        `X` does not tell anybody: no value is above 1
        hint: wait
        ");
        assert_eq!(why.failure(), None);
        assert_eq!(why.json()["links"][1]["state"], "quiet");
    }

    #[test]
    fn what_is_broken_is_named_before_what_is_quiet() {
        let links = [Link::quiet("rule", "a"), Link::broken("alertmanager", "b")];
        assert_eq!(Why::culprit(&links).unwrap().link, "alertmanager");
        let error = Error::new(Code::NotReady, "`GET x` was not answered").cause("refused");
        let why = unanswered("X", &error);
        assert_eq!(why.verdict, "nothing can be said of `X`: Prometheus does not answer");
        assert_eq!(
            why.failure().unwrap().to_string(),
            "error: the chain of `X` is broken at `prometheus`\n  caused by: `GET x` was not answered: refused\n\
             hint: see how the servers are with `moko-mon status`"
        );
    }
}
