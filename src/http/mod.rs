//! HTTP to the servers of the stack: direct, bounded in time and size, with errors that say what was asked.
//!
//! Our servers are ours: a proxy from the environment is never used, a redirect never followed, and no call can
//! hang or fill the memory.

use std::time::Duration;

use reqwest::{Method, Url, redirect};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Code, Error, Result, innermost};
use crate::exposition::read::{Family, parse};
use crate::secret::Secret;

pub mod alertmanager;
pub mod credentials;
pub mod grafana;
pub mod prometheus;
pub mod pushgateway;
mod server;

pub use server::{Auth, Server};

/// A server on the same engine accepts a connection at once or not at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Grafana's first write on a slow disk takes seconds.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(30);
/// The largest dashboards in public use are a few megabytes.
const MAX_BODY: usize = 16 * 1024 * 1024;
/// As much of a body as helps in an error.
const EXCERPT: usize = 200;

/// The one HTTP client. Cloning shares its connections.
#[derive(Debug, Clone)]
pub struct Http {
    client: reqwest::Client,
}

/// A client for plain HTTP, which trusts no certificate: reading the system's takes longer than most commands.
pub fn plain() -> reqwest::ClientBuilder {
    provide_tls();
    reqwest::Client::builder().tls_certs_only([])
}

/// Every client needs it, also one that never talks TLS.
fn provide_tls() {
    // Fails when there is one already, which is the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Who asks, for servers that want to know (HTTP basic authentication).
#[derive(Debug, Clone)]
pub struct Login {
    /// The user's name.
    pub user: String,
    /// The password.
    pub password: Secret,
}

/// How a request says who asks.
#[derive(Debug, Clone, Copy)]
enum Asker<'a> {
    Login(&'a Login),
    Token(&'a Secret),
}

/// What is sent with a request.
#[derive(Debug, Clone, Copy)]
enum Body<'a> {
    Json(&'a Value),
    Text(&'a str),
}

/// What a server answered, whatever the status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// `GET http://127.0.0.1:3000/api/health`: the request as errors name it, without credentials.
    pub request: String,
    /// The HTTP status.
    pub status: u16,
    /// The body as text; bytes that are not UTF-8 are replaced.
    pub body: String,
}

impl Http {
    /// A client that talks plain HTTP to servers directly, whatever `HTTP_PROXY` says.
    pub fn new() -> Result<Self> {
        Self::build(plain())
    }

    /// A client that talks TLS as well, and trusts whom the system trusts and these certificates.
    pub fn trusting(extra: Vec<reqwest::Certificate>) -> Result<Self> {
        provide_tls();
        Self::build(reqwest::Client::builder().tls_certs_merge(extra))
    }

    fn build(builder: reqwest::ClientBuilder) -> Result<Self> {
        let client = builder
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TOTAL_TIMEOUT)
            .user_agent(concat!("moko-mon/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Error::new(Code::Io, "could not set up HTTP").cause(innermost(&error)))?;
        Ok(Self { client })
    }

    /// `GET`, any status.
    pub async fn get(&self, url: &str, login: Option<&Login>) -> Result<Answer> {
        self.send(Method::GET, url, login.map(Asker::Login), None, TOTAL_TIMEOUT).await
    }

    /// `POST` of a JSON body, any status.
    pub async fn post(&self, url: &str, login: Option<&Login>, body: &Value) -> Result<Answer> {
        self.send(Method::POST, url, login.map(Asker::Login), Some(Body::Json(body)), TOTAL_TIMEOUT).await
    }

    /// `PUT` of a JSON body, any status.
    pub async fn put(&self, url: &str, login: Option<&Login>, body: &Value) -> Result<Answer> {
        self.send(Method::PUT, url, login.map(Asker::Login), Some(Body::Json(body)), TOTAL_TIMEOUT).await
    }

    /// `PUT` of a plain text, any status.
    pub async fn put_text(&self, url: &str, body: &str) -> Result<Answer> {
        self.send(Method::PUT, url, None, Some(Body::Text(body)), TOTAL_TIMEOUT).await
    }

    /// `DELETE`, any status.
    pub async fn delete(&self, url: &str) -> Result<Answer> {
        self.send(Method::DELETE, url, None, None, TOTAL_TIMEOUT).await
    }

    /// The body of a successful `GET`; any status but 2xx is an error. For probes, which bring their own limit.
    pub async fn get_text(&self, url: &str, timeout: Duration) -> Result<String> {
        let answer = self.send(Method::GET, url, None, None, timeout).await?;
        if answer.is_success() { Ok(answer.body) } else { Err(answer.unexpected()) }
    }

    async fn send(
        &self,
        method: Method,
        url: &str,
        asker: Option<Asker<'_>>,
        body: Option<Body<'_>>,
        timeout: Duration,
    ) -> Result<Answer> {
        self.respond(method, url, asker, body, timeout).await.map(|(answer, _)| answer)
    }

    /// The answer, and what the server's clock says by its `Date`.
    async fn respond(
        &self,
        method: Method,
        url: &str,
        asker: Option<Asker<'_>>,
        body: Option<Body<'_>>,
        timeout: Duration,
    ) -> Result<(Answer, Option<jiff::Timestamp>)> {
        let request = format!("{method} {}", without_credentials(url));
        let lost = |error: &reqwest::Error| unanswered(&request, error, timeout);
        let mut builder = self.client.request(method, url).timeout(timeout);
        builder = match asker {
            Some(Asker::Login(login)) => builder.basic_auth(&login.user, Some(login.password.expose())),
            Some(Asker::Token(token)) => builder.bearer_auth(token.expose()),
            None => builder,
        };
        builder = match body {
            Some(Body::Json(value)) => builder.json(value),
            Some(Body::Text(text)) => builder.body(text.to_owned()),
            None => builder,
        };
        let mut response = builder.send().await.map_err(|error| lost(&error))?;
        let status = response.status().as_u16();
        let date = response.headers().get(reqwest::header::DATE).and_then(|value| value.to_str().ok());
        let date = date.and_then(|text| jiff::fmt::rfc2822::parse(text).ok()).map(|date| date.timestamp());
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| lost(&error))? {
            if bytes.len() + chunk.len() > MAX_BODY {
                return Err(Error::new(Code::NotReady, format!("`{request}` got too long an answer"))
                    .cause(format!("the body is longer than {} MiB", MAX_BODY / 1024 / 1024)));
            }
            bytes.extend_from_slice(&chunk);
        }
        // Answers are large at times: what is text already is not copied.
        let body = String::from_utf8(bytes);
        let body = body.unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        Ok((Answer { request, status, body }, date))
    }
}

impl Answer {
    /// Whether the status is 2xx.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// The body read as JSON, whatever the status.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.body).map_err(|error| {
            Error::new(Code::NotReady, format!("`{}` got an answer that cannot be read", self.request))
                .cause(error.to_string())
                .cause(self.seen())
        })
    }

    /// The body read as metrics, whatever the status.
    pub fn metrics(&self) -> Result<Vec<Family<'_>>> {
        parse(&self.body).map_err(|flaw| {
            Error::new(Code::NotReady, format!("`{}` got an answer that cannot be read", self.request))
                .cause(format!("its metrics, {flaw}"))
        })
    }

    /// The error for a status that nobody expected.
    #[must_use]
    pub fn unexpected(&self) -> Error {
        Error::new(Code::NotReady, format!("`{}` was not answered as expected", self.request)).cause(self.seen())
    }

    /// What came back, in one line: `HTTP 503: Service Unavailable`.
    #[must_use]
    pub fn seen(&self) -> String {
        match excerpt(&self.body) {
            text if text.is_empty() => format!("HTTP {}", self.status),
            text => format!("HTTP {}: {text}", self.status),
        }
    }
}

/// The beginning of foreign text, in one line and safe to print: no control characters, so no terminal sequences.
#[must_use]
pub fn excerpt(text: &str) -> String {
    let head: String = text.chars().take(EXCERPT * 4).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut line = head.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((cut, _)) = line.char_indices().nth(EXCERPT) {
        line.truncate(cut);
        line.push('…');
    }
    line
}

/// The address as errors show it: without user and password.
fn without_credentials(url: &str) -> String {
    if let Ok(mut parsed) = Url::parse(url)
        && parsed.set_username("").is_ok()
        && parsed.set_password(None).is_ok()
    {
        return parsed.into();
    }
    // No address of a server; what stands before an `@` may still be meant as credentials.
    excerpt(url.rsplit('@').next().unwrap_or_default())
}

fn unanswered(request: &str, error: &reqwest::Error, timeout: Duration) -> Error {
    let fact = if error.is_timeout() && !error.is_connect() {
        format!("no answer within {timeout:?}")
    } else if error.is_timeout() {
        format!("no connection within {:?}", CONNECT_TIMEOUT.min(timeout))
    } else {
        innermost(error)
    };
    let hint = tls_hint(&fact);
    let error = Error::new(Code::NotReady, format!("`{request}` was not answered")).cause(fact);
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// What to do about the usual troubles with TLS, which the library names in its own words.
fn tls_hint(fact: &str) -> Option<&'static str> {
    let hints = [
        ("UnknownIssuer", "give the certificate of who signed the server's with `--ca-file FILE`"),
        ("NotValidForName", "use the name in the address that the server's certificate is made for"),
        ("Expired", "renew the server's certificate; or the clock of this machine is wrong"),
        ("InvalidContentType", "nobody speaks TLS there: write the address with `http://`"),
    ];
    hints.into_iter().find_map(|(word, hint)| fact.contains(word).then_some(hint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    #[test]
    fn an_excerpt_is_one_short_harmless_line() {
        assert_eq!(excerpt("<html>\r\n\t<b>\u{1b}[31mno\u{7}</b>"), "<html> <b> [31mno </b>");
        let long = excerpt(&"ä".repeat(1000));
        assert_eq!(long.chars().count(), EXCERPT + 1);
        assert!(long.ends_with('…'));
    }

    #[test]
    fn addresses_lose_their_credentials() {
        assert_eq!(without_credentials("http://admin:hunter2@localhost:3000/api"), "http://localhost:3000/api");
        assert_eq!(without_credentials("admin:hunter2@localhost"), "localhost");
    }

    /// A server that reads a request and then sends these bytes, or nothing for ever.
    async fn server(answer: &'static [u8]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/x", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(answer).await;
            std::future::pending::<()>().await;
        });
        url
    }

    async fn failure(url: &str) -> Error {
        Http::new().unwrap().get_text(url, Duration::from_millis(300)).await.unwrap_err()
    }

    #[test]
    fn metrics_that_cannot_be_read_have_their_line() {
        let answer = Answer { request: "GET http://x/metrics".to_owned(), status: 200, body: "a 1\n<p>".to_owned() };
        let error = answer.metrics().unwrap_err();
        assert_eq!(error.message, "`GET http://x/metrics` got an answer that cannot be read");
        assert_eq!(error.causes, ["its metrics, line 2: \"<p>\" is not the name of a metric"]);
    }

    #[tokio::test]
    async fn a_server_that_says_nothing_is_left() {
        let url = server(b"").await;
        let error = failure(&url).await;
        assert_eq!(error.message, format!("`GET {url}` was not answered"));
        assert_eq!(error.causes, ["no answer within 300ms"]);
        let stuck = server(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").await;
        assert_eq!(failure(&stuck).await.causes, ["no answer within 300ms"]);
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_a_failure_shows_its_body() {
        let url = server(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n").await;
        let error = failure(&url).await;
        assert_eq!(error.message, format!("`GET {url}` was not answered as expected"));
        assert_eq!(error.causes, ["HTTP 302"]);
        let url = server(b"HTTP/1.1 503 No\r\nContent-Length: 13\r\n\r\nnot \x1b[1mready").await;
        assert_eq!(failure(&url).await.causes, ["HTTP 503: not [1mready"]);
    }

    #[tokio::test]
    async fn an_endless_body_is_cut_off() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/x", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            while stream.write_all(&[b'x'; 8192]).await.is_ok() {}
        });
        let error = Http::new().unwrap().get(&url, None).await.unwrap_err();
        assert_eq!(error.causes, ["the body is longer than 16 MiB"]);
    }

    #[tokio::test]
    async fn a_closed_port_is_named_with_its_reason() {
        let error = Http::new().unwrap().get_text("http://127.0.0.1:1/x", TOTAL_TIMEOUT).await.unwrap_err();
        assert_eq!(error.code, Code::NotReady);
        assert_eq!(error.message, "`GET http://127.0.0.1:1/x` was not answered");
        assert_eq!(error.causes, ["Connection refused (os error 111)"]);
    }
}
