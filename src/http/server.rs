//! A server to ask: where it is, who asks, and how long an answer may take.

use std::time::Duration;

use reqwest::{Method, Url};
use serde_json::Value;

use super::{Answer, Asker, Body, Http, Login};
use crate::error::{Code, Error, Result};
use crate::secret::Secret;

/// Who asks.
#[derive(Debug, Clone)]
pub enum Auth {
    /// HTTP basic authentication.
    Basic(Login),
    /// `Authorization: Bearer`, a token of Grafana or of a proxy.
    Bearer(Secret),
}

/// A server at an address, which may have a path in front of all paths of the server's own.
#[derive(Debug, Clone)]
pub struct Server {
    http: Http,
    url: String,
    auth: Option<Auth>,
    timeout: Duration,
}

impl Server {
    /// The server at `url`, asked by nobody in particular. `timeout` is for each call.
    #[must_use]
    pub fn new(http: &Http, url: &str, timeout: Duration) -> Self {
        Self { http: http.clone(), url: url.trim_end_matches('/').to_owned(), auth: None, timeout }
    }

    /// The same server, asked by somebody.
    #[must_use]
    pub fn with_auth(self, auth: Option<Auth>) -> Self {
        Self { auth, ..self }
    }

    /// Who asks.
    #[must_use]
    pub const fn auth(&self) -> Option<&Auth> {
        self.auth.as_ref()
    }

    /// Where it is, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `GET`, any status. `path` starts with a slash.
    pub async fn get(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Answer> {
        self.dated(path, parameters).await.map(|(answer, _)| answer)
    }

    /// Like [`Self::get`], with the time at which the server says it answered, to the second.
    pub async fn dated(&self, path: &str, parameters: &[(&str, &str)]) -> Result<(Answer, Option<jiff::Timestamp>)> {
        let mut url = Url::parse(&format!("{}{path}", self.url)).map_err(|error| {
            Error::new(Code::Usage, format!("`{}` is not the address of a server", self.url)).cause(error.to_string())
        })?;
        if !parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(parameters);
        }
        self.http.respond(Method::GET, url.as_str(), self.asker(), None, self.timeout).await
    }

    /// The body of a successful `GET`; any status but 2xx is an error.
    pub async fn text(&self, path: &str) -> Result<String> {
        let answer = self.get(path, &[]).await?;
        if answer.is_success() { Ok(answer.body) } else { Err(answer.unexpected()) }
    }

    /// `POST` of a JSON body, any status.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(Method::POST, path, Some(Body::Json(body))).await
    }

    /// `PUT` of a plain text, any status.
    pub async fn put_text(&self, path: &str, body: &str) -> Result<Answer> {
        self.send(Method::PUT, path, Some(Body::Text(body))).await
    }

    /// `DELETE`, any status.
    pub async fn delete(&self, path: &str) -> Result<Answer> {
        self.send(Method::DELETE, path, None).await
    }

    /// A request to a whole address of this server, any status.
    pub(super) async fn ask(&self, method: Method, url: &str, body: Option<&Value>) -> Result<Answer> {
        self.http.send(method, url, self.asker(), body.map(Body::Json), self.timeout).await
    }

    async fn send(&self, method: Method, path: &str, body: Option<Body<'_>>) -> Result<Answer> {
        self.http.send(method, &format!("{}{path}", self.url), self.asker(), body, self.timeout).await
    }

    fn asker(&self) -> Option<Asker<'_>> {
        self.auth.as_ref().map(|auth| match auth {
            Auth::Basic(login) => Asker::Login(login),
            Auth::Bearer(token) => Asker::Token(token),
        })
    }
}
