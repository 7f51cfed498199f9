//! One call as it came in, and its line in the record.

use std::collections::BTreeMap;

use http_body_util::BodyExt as _;
use hyper::Request;
use hyper::body::{Bytes, Incoming};

use super::{Container, State};

/// A call.
#[derive(Clone)]
pub(crate) struct Call {
    /// For people and assertions: `PUT /containers/moko-mon-grafana/archive /run/secrets/moko-mon`.
    pub(crate) line: String,
    /// Method and address as sent.
    pub(crate) request: String,
    pub(crate) method: String,
    /// The version in front of the path, if there was one.
    pub(crate) version: Option<String>,
    pub(crate) segments: Vec<String>,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) body: Bytes,
}

impl Call {
    pub(super) async fn read(request: Request<Incoming>) -> Self {
        let method = request.method().to_string();
        let address = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let url = reqwest::Url::parse(&format!("http://engine{address}")).unwrap();
        let query = url.query_pairs().into_owned().collect();
        let mut segments: Vec<String> = url.path_segments().unwrap().map(decode).collect();
        let is_version = |segment: &String| segment.starts_with("v1.");
        let version = segments.first().filter(|segment| is_version(segment)).map(|segment| segment[1..].to_owned());
        if version.is_some() {
            segments.remove(0);
        }
        // An upgraded connection has no body to wait for beyond its declared length.
        let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let request = format!("{method} {address}");
        Self { line: String::new(), request, method, version, segments, query, body }
    }

    pub(super) fn query(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Writes the line: ids become names, so that lines are the same in every run.
    pub(super) fn name(&mut self, state: &State) {
        let mut segments = self.segments.clone();
        if let [kind, id, ..] = segments.as_mut_slice() {
            let name = match kind.as_str() {
                "containers" => state.containers.iter().find(|of| of.id == *id).map(Container::label),
                "networks" => state.networks.iter().find(|of| of.id == *id).map(|of| of.name.clone()),
                "exec" => Some("ID".to_owned()),
                _ => None,
            };
            *id = name.unwrap_or_else(|| id.clone());
        }
        let path = segments.join("/");
        let detail = match (self.method.as_str(), segments.last().map_or("", String::as_str)) {
            ("POST", "create") if segments[0] == "images" => {
                format!(" {}:{}", self.query("fromImage"), self.query("tag"))
            }
            ("POST", "create") if segments[0] == "containers" && !self.query("name").is_empty() => {
                format!(" {}", self.query("name"))
            }
            ("GET" | "HEAD" | "PUT", "archive") => format!(" {}", self.query("path")),
            ("POST", "kill") => format!(" {}", self.query("signal")),
            _ => String::new(),
        };
        self.line = format!("{} /{path}{detail}", self.method);
    }
}

/// `%2F` and its like.
fn decode(segment: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = segment.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        if let (b'%', Some(byte)) = (first, code) {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).unwrap()
}
