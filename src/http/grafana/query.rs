//! What dashboards ask through Grafana: queries of panels, and Prometheus' own API behind a data source.

use serde_json::{Value, json};

use super::Grafana;
use super::folder::text;
use super::refusal::{Kind, Subject};
use crate::error::Result;
use crate::http::Answer;

impl Grafana {
    /// All data sources; `None` if the login may not list them, which takes the role Admin.
    pub async fn data_sources(&self) -> Result<Option<Vec<Value>>> {
        let answer = self.ask(Subject::SERVER, &["datasources"], &[]).await?;
        if answer.status == 403 {
            return Ok(None);
        }
        let list = self.accept(Subject::SERVER, &answer)?;
        Ok(Some(list.as_array().cloned().unwrap_or_default()))
    }

    /// The uids of all dashboards that the login may see, up to 5000.
    pub async fn dashboard_uids(&self) -> Result<Vec<String>> {
        let answer = self.ask(Subject::SERVER, &["search"], &[("type", "dash-db"), ("limit", "5000")]).await?;
        let hits = self.accept(Subject::SERVER, &answer)?;
        Ok(hits.as_array().into_iter().flatten().map(|hit| text(hit, "uid")).collect())
    }

    /// The panel that a library keeps under this uid.
    pub async fn library_panel(&self, uid: &str) -> Result<Option<Value>> {
        let found = self.get(Subject { kind: Kind::Dashboard, name: uid }, &["library-elements", uid]).await?;
        Ok(found.map(|mut body| body["result"]["model"].take()))
    }

    /// Makes queries as a panel makes them, whatever comes back. `from` and `to` are `now-6h` or epoch milliseconds.
    pub async fn run_queries(&self, queries: &[Value], from: &str, to: &str) -> Result<Answer> {
        self.post(Subject::SERVER, &["ds", "query"], &json!({ "from": from, "to": to, "queries": queries })).await
    }

    /// Asks the API of the server behind a data source, as variables and editors do; `path` has no slash in front.
    pub async fn resource(&self, uid: &str, path: &str, parameters: &[(&str, &str)]) -> Result<Answer> {
        let path = ["datasources", "uid", uid, "resources"].into_iter().chain(path.split('/')).collect::<Vec<_>>();
        self.ask(Subject::SERVER, &path, parameters).await
    }
}
