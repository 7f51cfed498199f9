//! The data source: Grafana's way to Prometheus.

use serde_json::{Value, json};

use super::compare::difference;
use super::folder::text;
use super::refusal::{Kind, Subject};
use super::{DataSource, Grafana, Item};
use crate::error::{Code, Error, Result};
use crate::http::excerpt;

/// A data source that works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSourceHealth {
    /// How it was proved.
    pub proof: Proof,
    /// What Grafana, or Prometheus through it, said.
    pub message: String,
}

/// How the health of a data source was proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Grafana's own check, `/api/datasources/uid/:uid/health`.
    HealthCheck,
    /// The query `1+1` made as a panel makes it, for versions (9.4) whose Prometheus plugin has no check.
    PanelQuery,
}

impl Proof {
    /// The proof in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HealthCheck => "Grafana's health check of the data source",
            Self::PanelQuery => "a query like a panel's, as this Grafana has no health check of the data source",
        }
    }
}

impl Grafana {
    /// The data source of that uid as Grafana describes it.
    pub async fn data_source(&self, uid: &str) -> Result<Option<Value>> {
        self.get(Subject { kind: Kind::DataSource, name: uid }, &["datasources", "uid", uid]).await
    }

    /// How the data source stands.
    pub async fn data_source_state(&self, desired: &DataSource) -> Result<Item> {
        Ok(match self.data_source(&desired.uid).await? {
            None => Item::Missing,
            Some(found) => difference(&desired.json(), &found, "").map_or(Item::Same, Item::Different),
        })
    }

    /// Makes the data source what it should be: creates it, or sets what differs and keeps the rest.
    ///
    /// Asks for a new one first, like [`Grafana::apply_folder`].
    pub async fn apply_data_source(&self, desired: &DataSource) -> Result<()> {
        let subject = Subject { kind: Kind::DataSource, name: &desired.name };
        let mut answer = self.post(subject, &["datasources"], &desired.json()).await?;
        if answer.status == 409 {
            match self.data_source(&desired.uid).await? {
                Some(found) if difference(&desired.json(), &found, "").is_none() => return Ok(()),
                // The version that we read goes back with it: Grafana then refuses to undo somebody else's change.
                Some(mut body) => {
                    overlay(&mut body, desired.json());
                    answer = self.put(subject, &["datasources", "uid", &desired.uid], &body).await?;
                }
                // Another data source has the name: the first answer says so.
                None => {}
            }
        }
        self.accept(subject, &answer).map(drop)
    }

    /// Whether Grafana reaches Prometheus through the data source; an error says why not.
    ///
    /// Grafana 9.4 answers 404 to the health check. There `/api/ds/query` proves the same; the proxy by uid does not
    /// do, because 9.x loses its way when the uid has a hyphen (`pkg/services/datasourceproxy`).
    pub async fn data_source_health(&self, uid: &str) -> Result<DataSourceHealth> {
        let subject = Subject { kind: Kind::DataSource, name: uid };
        let answer = self.ask(subject, &["datasources", "uid", uid, "health"], &[]).await?;
        let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        match (answer.status, body["status"].as_str()) {
            (200, Some("OK")) => Ok(DataSourceHealth { proof: Proof::HealthCheck, message: text(&body, "message") }),
            (200 | 400, Some(_)) => Err(unhealthy(uid, &text(&body, "message"))),
            (404, _) => self.panel_health(subject).await,
            // 9.4 says so when there is no such data source.
            (500, _) => Err(unhealthy(uid, &answer.seen())),
            _ => Err(self.accept(subject, &answer).err().unwrap_or_else(|| unhealthy(uid, &answer.seen()))),
        }
    }

    async fn panel_health(&self, subject: Subject<'_>) -> Result<DataSourceHealth> {
        let body = json!({
            "from": "now-1m",
            "to": "now",
            "queries": [{
                "refId": "A",
                "datasource": { "type": "prometheus", "uid": subject.name },
                "expr": "1+1",
                "instant": true,
                "range": false,
            }],
        });
        let answer = self.post(subject, &["ds", "query"], &body).await?;
        if matches!(answer.status, 404 | 500) {
            return Err(unhealthy(subject.name, &answer.seen()));
        }
        let found = self.accept(subject, &answer)?;
        if found["results"]["A"]["frames"][0]["data"]["values"][1][0].as_f64() == Some(2.0) {
            return Ok(DataSourceHealth { proof: Proof::PanelQuery, message: "the query `1+1` came back as 2".into() });
        }
        // Old plugins swallow what Prometheus answered and give no frames.
        Err(unhealthy(subject.name, "the query `1+1` came back without a value"))
    }
}

fn unhealthy(uid: &str, seen: &str) -> Error {
    Error::new(Code::NotReady, format!("Grafana cannot query Prometheus through data source `{uid}`"))
        .cause(excerpt(seen))
        .hint("see whether Prometheus is up with `moko-mon status`")
}

/// Sets everything that `ours` says and keeps the rest.
fn overlay(theirs: &mut Value, ours: Value) {
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => {
            for (key, value) in ours {
                overlay(theirs.entry(key).or_insert(Value::Null), value);
            }
        }
        (theirs, ours) => *theirs = ours,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_keeps_what_is_not_ours() {
        let mut found = json!({ "url": "http://old", "version": 3, "jsonData": { "cacheLevel": "High" } });
        overlay(&mut found, json!({ "url": "http://new", "jsonData": { "httpMethod": "POST" } }));
        assert_eq!(
            found,
            json!({ "url": "http://new", "version": 3, "jsonData": { "cacheLevel": "High", "httpMethod": "POST" } })
        );
    }
}
