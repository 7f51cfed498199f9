//! Grafana's HTTP API, as far as we use it: log in, one data source, one folder, some dashboards.
//!
//! The calls are the classic ones (`/api/…`), which work unchanged from 9.0 to 13; 13 calls them deprecated and keeps
//! them (grafana `docs/sources/developer-resources/api-reference/http-api/apis-migration.md`). Where versions answer
//! differently, we ask for what exists, fall back, and say which.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::try_join_all;
use futures_util::try_join;
use reqwest::{Method, Url};
use serde_json::Value;

use crate::error::{Code, Error, Goal, Result};
use crate::http::{Answer, Auth, Http, Login, Server, TOTAL_TIMEOUT};
use crate::secret::Secret;

mod changes;
mod compare;
mod content;
mod dashboard;
mod data_source;
mod folder;
mod inputs;
mod query;
mod refusal;

pub use changes::{Change, changes, kept};
pub use compare::{Comparison, content_hash, same_dashboard};
pub use content::{Content, DATA_SOURCE_NAME, DATA_SOURCE_UID, Dashboard, DataSource, Folder, Item, State};
pub use dashboard::StoredDashboard;
pub use data_source::{DataSourceHealth, Proof};
pub(crate) use inputs::is_wrapped;
pub use inputs::{Unfit, resolve_inputs};
pub use refusal::OLDEST_SUPPORTED;

use refusal::{Subject, refusal};

/// One Grafana and a login to it.
///
/// A password that was refused once is not sent again by this value. Whoever makes several calls at once makes one
/// alone first ([`Grafana::login_check`] or [`Grafana::state`]): each of them would count as a wrong login.
#[derive(Debug)]
pub struct Grafana {
    server: Server,
    /// Set by the first 401: five wrong logins lock the user out for five minutes.
    login_refused: AtomicBool,
    version: OnceLock<Option<String>>,
}

impl Grafana {
    /// The Grafana at `base_url` (`http://127.0.0.1:3000`, with a path if it has one). Asks nothing yet.
    #[must_use]
    pub fn new(http: &Http, base_url: &str, user: &str, password: Secret) -> Self {
        let login = Auth::Basic(Login { user: user.into(), password });
        Self::at(Server::new(http, base_url, TOTAL_TIMEOUT).with_auth(Some(login)))
    }

    /// The Grafana at a server, with the login or token that the server is asked with. Asks nothing yet.
    #[must_use]
    pub const fn at(server: Server) -> Self {
        Self { server, login_refused: AtomicBool::new(false), version: OnceLock::new() }
    }

    /// The version of a Grafana that serves and has its database; `None` if it does not tell. Needs no login.
    pub async fn health(&self) -> Result<Option<String>> {
        let url = self.url(&["health"])?;
        let answer = self.server.ask(Method::GET, url.as_str(), None).await.goal(|| Subject::SERVER.goal(true))?;
        if !answer.is_success() {
            return Err(refusal(Subject::SERVER, &answer, None));
        }
        let body: Value = read(Subject::SERVER, &answer)?;
        if body.get("database").is_none() {
            return Err(refusal::not_grafana(&answer).goal(Subject::SERVER.goal(true)));
        }
        let version = body["version"].as_str().filter(|version| !version.is_empty()).map(Into::into);
        Ok(self.version.get_or_init(|| version).clone())
    }

    /// Tries the login once (`GET /api/org`, which every role may ask).
    pub async fn login_check(&self) -> Result<()> {
        let answer = self.ask(Subject::SERVER, &["org"], &[]).await?;
        self.accept(Subject::SERVER, &answer).map(drop)
    }

    /// How everything in `desired` stands now; changes nothing.
    pub async fn state(&self, desired: &Content) -> Result<State> {
        // The login first and alone: several wrong ones at once would lock the user out.
        let ((), version) = try_join!(self.login_check(), self.health())?;
        if let Some(version) = version.as_deref().filter(|version| refusal::is_too_old(version)) {
            return Err(refusal::too_old(version));
        }
        let dashboards = desired.dashboards.iter().map(|dashboard| self.dashboard_state(dashboard, &desired.folder));
        let (data_source, folder, dashboards) = try_join!(
            self.data_source_state(&desired.data_source),
            self.folder_state(&desired.folder),
            try_join_all(dashboards)
        )?;
        Ok(State { version, data_source, folder, dashboards })
    }

    /// `GET /api/…`: the body, or `None` if there is no such thing.
    async fn get(&self, subject: Subject<'_>, path: &[&str]) -> Result<Option<Value>> {
        let answer = self.ask(subject, path, &[]).await?;
        self.found(subject, &answer)
    }

    /// `GET /api/…`: whatever comes back.
    async fn ask(&self, subject: Subject<'_>, path: &[&str], query: &[(&str, &str)]) -> Result<Answer> {
        self.may_log_in()?;
        let mut url = self.url(path)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let answer = self.server.ask(Method::GET, url.as_str(), None).await.goal(|| subject.goal(true))?;
        Ok(self.noted(answer))
    }

    /// `POST /api/…`: whatever comes back.
    async fn post(&self, subject: Subject<'_>, path: &[&str], body: &Value) -> Result<Answer> {
        self.may_log_in()?;
        let url = self.url(path)?;
        let answer = self.server.ask(Method::POST, url.as_str(), Some(body)).await.goal(|| subject.goal(false))?;
        Ok(self.noted(answer))
    }

    /// `PUT /api/…`: whatever comes back.
    async fn put(&self, subject: Subject<'_>, path: &[&str], body: &Value) -> Result<Answer> {
        self.may_log_in()?;
        let url = self.url(path)?;
        let answer = self.server.ask(Method::PUT, url.as_str(), Some(body)).await.goal(|| subject.goal(false))?;
        Ok(self.noted(answer))
    }

    fn may_log_in(&self) -> Result<()> {
        if self.login_refused.load(Ordering::Relaxed) {
            return Err(refusal::login_not_tried());
        }
        Ok(())
    }

    fn noted(&self, answer: Answer) -> Answer {
        if answer.status == 401 {
            self.login_refused.store(true, Ordering::Relaxed);
        }
        answer
    }

    /// The JSON of a successful answer; `None` for Grafana's 404.
    fn found(&self, subject: Subject<'_>, answer: &Answer) -> Result<Option<Value>> {
        match answer.status {
            404 if serde_json::from_str::<Value>(&answer.body).is_ok() => Ok(None),
            _ => self.accept(subject, answer).map(Some),
        }
    }

    /// The JSON of a successful answer, else the refusal in words.
    fn accept(&self, subject: Subject<'_>, answer: &Answer) -> Result<Value> {
        if answer.is_success() {
            return read(subject, answer);
        }
        let version = self.version.get().and_then(Option::as_deref);
        Err(refusal(subject, answer, version))
    }

    fn url(&self, path: &[&str]) -> Result<Url> {
        let wrong = |fact: String| {
            Error::new(Code::Usage, format!("`{}` is no address of a Grafana", self.server.url())).cause(fact)
        };
        let mut url = Url::parse(self.server.url()).map_err(|error| wrong(error.to_string()))?;
        url.path_segments_mut()
            .map_err(|()| wrong("it cannot have a path".into()))?
            .pop_if_empty()
            .push("api")
            .extend(path);
        Ok(url)
    }
}

/// The JSON of an answer that is Grafana's.
fn read(subject: Subject<'_>, answer: &Answer) -> Result<Value> {
    let body: Option<Value> = serde_json::from_str(&answer.body).ok();
    body.filter(|body| body.is_object() || body.is_array())
        .ok_or_else(|| refusal::not_grafana(answer).goal(subject.goal(answer.request.starts_with("GET "))))
}
