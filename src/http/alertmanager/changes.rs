//! What is told to Alertmanager: alerts and silences.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Alertmanager, SilenceMatcher};
use crate::error::{Code, Error, Result};
use crate::http::Answer;

/// An alert as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fired {
    /// Its labels, `alertname` among them.
    pub labels: BTreeMap<String, String>,
    /// Its texts.
    pub annotations: BTreeMap<String, String>,
    /// Since when it fires.
    pub starts_at: Timestamp,
    /// When it ends; in the past: it has ended.
    pub ends_at: Timestamp,
}

impl Alertmanager {
    /// Makes alerts fire or end.
    pub async fn fire(&self, alerts: &[Fired]) -> Result<()> {
        let alerts = alerts.iter().map(|alert| {
            let Fired { labels, annotations, starts_at, ends_at } = alert;
            let [starts_at, ends_at] = [starts_at, ends_at].map(Timestamp::to_string);
            json!({"labels": labels, "annotations": annotations, "startsAt": starts_at, "endsAt": ends_at})
        });
        taken(self.server.post("/api/v2/alerts", &alerts.collect()).await?, "the alert").map(drop)
    }

    /// Keeps what fits all matchers quiet from now on until `end`; gives the id of the silence.
    pub async fn silence(&self, matchers: &[SilenceMatcher], end: Timestamp, by: &str, why: &str) -> Result<String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Made {
            #[serde(rename = "silenceID")]
            silence_id: String,
        }
        let silence = json!({
            "matchers": matchers, "startsAt": Timestamp::now().to_string(), "endsAt": end.to_string(), "createdBy": by, "comment": why,
        });
        let made: Made = taken(self.server.post("/api/v2/silences", &silence).await?, "the silence")?.json()?;
        Ok(made.silence_id)
    }

    /// Ends a silence.
    pub async fn expire(&self, id: &str) -> Result<()> {
        let answer = self.server.delete(&format!("/api/v2/silence/{id}")).await?;
        if answer.is_success() { Ok(()) } else { Err(answer.unexpected()) }
    }
}

/// The answer, if the server took what it was sent; or else why not, in its words.
fn taken(answer: Answer, what: &str) -> Result<Answer> {
    if answer.is_success() {
        return Ok(answer);
    }
    let error = Error::new(Code::NotReady, format!("Alertmanager did not take {what}"));
    // A refusal is a text in JSON, or an object with a message.
    let words = answer.json::<Value>().ok();
    let words = words.as_ref().and_then(|words| words.as_str().or_else(|| words["message"].as_str()));
    Err(match words {
        Some(words) => error.cause(format!("HTTP {}: {}", answer.status, crate::http::excerpt(words))),
        None => error.cause(answer.seen()),
    })
}
