//! What a running Prometheus says through its HTTP API, version 1.

mod answers;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Http, Server, TOTAL_TIMEOUT, excerpt};
use crate::error::{Code, Error, Result};

pub use answers::{Alert, Rule, RuleGroup, RuleKind, Runtime, Sample, Target, Targets};

/// A Prometheus at an address.
#[derive(Debug, Clone)]
pub struct Prometheus {
    server: Server,
}

/// The frame of every answer.
#[derive(Deserialize)]
struct Envelope<T> {
    status: String,
    data: Option<T>,
    #[serde(default)]
    error: String,
}

#[derive(Deserialize)]
struct Groups {
    groups: Vec<RuleGroup>,
}

#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum QueryResult {
    Vector(Vec<Series>),
    Scalar((f64, String)),
    String(serde::de::IgnoredAny),
    Matrix(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
struct Series {
    metric: BTreeMap<String, String>,
    value: (f64, String),
}

impl Prometheus {
    /// The server at `url`, asked by nobody in particular.
    #[must_use]
    pub fn new(http: &Http, url: &str) -> Self {
        Self { server: Server::new(http, url, TOTAL_TIMEOUT) }
    }

    /// That server: with its path prefix, its login and its limit of time.
    #[must_use]
    pub fn at(server: &Server) -> Self {
        Self { server: server.clone() }
    }

    /// All groups of rules as they are loaded, with the state of each rule.
    pub async fn rules(&self) -> Result<Vec<RuleGroup>> {
        let groups: Groups = self.ask("/api/v1/rules", &[]).await?;
        Ok(groups.groups)
    }

    /// All targets that are scraped; with `dropped`, how many are not because of relabelling, which may be many.
    pub async fn targets(&self, dropped: bool) -> Result<Targets> {
        self.ask("/api/v1/targets", &[("state", if dropped { "any" } else { "active" })]).await
    }

    /// What the server says of itself.
    pub async fn runtime(&self) -> Result<Runtime> {
        self.ask("/api/v1/status/runtimeinfo", &[]).await
    }

    /// The values of all its flags, by their names without dashes.
    pub async fn flags(&self) -> Result<BTreeMap<String, String>> {
        self.ask("/api/v1/status/flags", &[]).await
    }

    /// The names of all metrics that have series.
    pub async fn metric_names(&self) -> Result<Vec<String>> {
        self.ask("/api/v1/label/__name__/values", &[]).await
    }

    /// An expression as the server writes it.
    pub async fn format(&self, expression: &str) -> Result<String> {
        self.ask("/api/v1/format_query", &[("query", expression)]).await
    }

    /// The answer to an instant query as of now: a scalar is a sample without labels, a range or a text is refused.
    pub async fn query(&self, expression: &str) -> Result<Vec<Sample>> {
        let number = |text: &str| text.parse().unwrap_or(f64::NAN);
        Ok(match self.ask("/api/v1/query", &[("query", expression)]).await? {
            QueryResult::Vector(series) => series
                .into_iter()
                .map(|series| Sample { labels: series.metric, value: number(&series.value.1) })
                .collect(),
            QueryResult::Scalar((_, text)) => vec![Sample { labels: BTreeMap::new(), value: number(&text) }],
            QueryResult::String(_) | QueryResult::Matrix(_) => {
                return Err(Error::new(
                    Code::NotReady,
                    "the query returns a range or a text, and no numbers as of now",
                )
                .cause(excerpt(expression)));
            }
        })
    }

    /// Whether any series of any time matches one of these selectors.
    pub async fn has_series(&self, selectors: &[String]) -> Result<bool> {
        let parameters: Vec<(&str, &str)> = selectors.iter().map(|selector| ("match[]", selector.as_str())).collect();
        // Asked for values and not for the series, of which there may be many.
        let names: Vec<String> = self.ask("/api/v1/label/__name__/values", &parameters).await?;
        Ok(!names.is_empty())
    }

    /// Asks one question; an error that Prometheus tells is the cause of ours.
    pub async fn ask<T: DeserializeOwned>(&self, path: &str, parameters: &[(&str, &str)]) -> Result<T> {
        let answer = self.server.get(path, parameters).await?;
        // Prometheus refuses with 400, 422 or 503 and says why in the same frame.
        match answer.json::<Envelope<T>>() {
            Ok(Envelope { status, data: Some(data), .. }) if status == "success" => Ok(data),
            Ok(envelope) if !envelope.error.is_empty() => {
                Err(Error::new(Code::NotReady, format!("Prometheus refused `{}`", answer.request))
                    .cause(excerpt(&envelope.error)))
            }
            Err(unreadable) if answer.is_success() => Err(unreadable),
            Ok(_) | Err(_) => Err(answer.unexpected()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::http::Auth;
    use crate::secret::Secret;

    /// A server that answers one request with this status line and body; yields its address and what it was asked.
    async fn server(status: &'static str, body: &'static str) -> (String, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let count = stream.read(&mut request).await.unwrap();
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
            String::from_utf8_lossy(&request[..count]).into_owned()
        });
        (address, asked)
    }

    #[tokio::test]
    async fn it_is_asked_below_a_path_prefix_with_a_token() {
        let body = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"job":"a"},"value":[1,"2.5"]}]}}"#;
        let (address, asked) = server("200 OK", body).await;
        let http = Http::new().unwrap();
        let server = Server::new(&http, &format!("{address}/prom/"), Duration::from_secs(5));
        let server = server.with_auth(Some(Auth::Bearer(Secret::new("glsa"))));
        let samples = Prometheus::at(&server).query("sum(up) > 1").await.unwrap();
        assert_eq!((samples[0].value, samples[0].labels["job"].as_str()), (2.5, "a"));
        let asked = asked.await.unwrap();
        assert!(asked.starts_with("GET /prom/api/v1/query?query=sum%28up%29+%3E+1 HTTP/1.1\r\n"), "{asked}");
        assert!(asked.to_lowercase().contains("authorization: bearer glsa"), "{asked}");
    }

    #[tokio::test]
    async fn a_refusal_is_told_in_prometheus_words_and_a_page_as_what_it_is() {
        let (address, _) =
            server("400 Bad Request", r#"{"status":"error","errorType":"bad_data","error":"parse error: no"}"#).await;
        let http = Http::new().unwrap();
        let error = Prometheus::new(&http, &address).query("up(").await.unwrap_err();
        assert_eq!(error.message, format!("Prometheus refused `GET {address}/api/v1/query?query=up%28`"));
        assert_eq!(error.causes, ["parse error: no"]);
        let (address, _) = server("502 Bad Gateway", "<html>nobody</html>").await;
        let error = Prometheus::new(&http, &address).rules().await.unwrap_err();
        assert_eq!(error.message, format!("`GET {address}/api/v1/rules` was not answered as expected"));
        assert_eq!(error.causes, ["HTTP 502: <html>nobody</html>"]);
    }
}
