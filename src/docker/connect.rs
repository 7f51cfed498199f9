//! Connecting: which engine answers, and which API version both sides speak.

use std::collections::BTreeMap;
use std::time::Duration;

use super::endpoint::{self, Endpoint};
use super::{Docker, error};
use crate::error::{Code, Error, Result};

/// The oldest Engine API we speak: Engine 20.10.
const OLDEST_API: (usize, usize) = (1, 41);

/// How long the first answer may take, in seconds.
const LIMIT: u64 = 5;

/// Which engine this is, for `status` and for messages.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Engine {
    /// The address it was reached at.
    pub address: String,
    /// What named that address.
    pub source: String,
    /// The engine's own id.
    pub id: String,
    /// Its version, `28.5.2`.
    pub version: String,
    /// The API version in use.
    pub api_version: String,
    /// Whether its published loopback ports are this machine's.
    #[serde(skip)]
    pub local: bool,
}

impl Docker {
    /// Finds the engine, connects, and settles the API version: the lower of the engine's newest and ours.
    pub async fn connect(environment: &BTreeMap<String, String>) -> Result<Self> {
        let endpoint = endpoint::find(environment)?;
        let unreachable = |failed: bollard::errors::Error| error::unreachable(&endpoint, &failed);
        let inner = bollard::Docker::connect_with_host(&endpoint.address).map_err(unreachable)?;
        let limit = Duration::from_secs(LIMIT);
        let asked = async { tokio::try_join!(inner.version(), inner.info()) };
        let (version, info) = tokio::time::timeout(limit, asked)
            .await
            .map_err(|_| error::unreachable(&endpoint, &bollard::errors::Error::RequestTimeoutError))?
            .map_err(unreachable)?;
        let api = settle(&endpoint, version.api_version.as_deref(), version.min_api_version.as_deref())?;
        let engine = Engine {
            address: endpoint.address.clone(),
            source: endpoint.source.clone(),
            id: info.id.unwrap_or_default(),
            version: version.version.unwrap_or_default(),
            api_version: api.clone(),
            local: endpoint.is_local(),
        };
        Ok(Self { inner: with_version(inner, &api), engine })
    }
}

/// The API version to use, or why there is none.
fn settle(endpoint: &Endpoint, newest: Option<&str>, oldest: Option<&str>) -> Result<String> {
    let parse = |text: &str| {
        let (major, minor) = text.split_once('.')?;
        Some((major.parse::<usize>().ok()?, minor.parse::<usize>().ok()?))
    };
    let ours = (bollard::API_DEFAULT_VERSION.major_version, bollard::API_DEFAULT_VERSION.minor_version);
    let Some(server) = newest.and_then(parse) else {
        return Err(Error::new(Code::EngineUnreachable, "no Docker engine answers")
            .cause(format!("tried {} ({}): something else listens there", endpoint.address, endpoint.source))
            .hint("see whether DOCKER_HOST names a Docker engine"));
    };
    if server < OLDEST_API {
        return Err(Error::new(Code::EngineTooOld, "the Docker engine is too old")
            .cause(format!("it speaks API {}.{}; moko-mon needs 1.41 or newer", server.0, server.1))
            .hint("update to Docker Engine 20.10 or newer"));
    }
    let used = server.min(ours);
    if oldest.and_then(parse).is_some_and(|oldest| used < oldest) {
        return Err(Error::new(Code::EngineTooOld, "the Docker engine is too new for this moko-mon")
            .cause(format!(
                "it speaks API {} and newer; moko-mon speaks up to {}.{}",
                oldest.unwrap_or_default(),
                ours.0,
                ours.1
            ))
            .hint("update moko-mon"));
    }
    Ok(format!("{}.{}", used.0, used.1))
}

/// Puts the settled version in front of every path: the library negotiates one but does not send it (0.21), and
/// without it the shape of an answer floats with the engine.
fn with_version(docker: bollard::Docker, api: &str) -> bollard::Docker {
    let prefix = format!("/v{api}");
    docker.with_request_modifier(move |mut request| {
        let uri = request.uri().clone();
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = format!("{prefix}{path}").parse().ok();
        if let Ok(versioned) = parts.try_into() {
            *request.uri_mut() = versioned;
        }
        request
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(newest: &str, oldest: &str) -> Result<String> {
        let endpoint = Endpoint { address: "unix:///x".to_owned(), source: "default".to_owned() };
        settle(&endpoint, Some(newest), Some(oldest))
    }

    #[test]
    fn the_lower_of_both_newest_versions_is_used() {
        assert_eq!(settled("1.41", "1.12").unwrap(), "1.41");
        assert_eq!(settled("1.51", "1.24").unwrap(), "1.51");
        // The strictest window so far: Engine 29.0 to 29.2.
        assert_eq!(settled("1.52", "1.44").unwrap(), "1.52");
        let newest = bollard::API_DEFAULT_VERSION.to_string();
        assert_eq!(settled("1.99", "1.44").unwrap(), newest);
    }

    #[test]
    fn an_engine_outside_the_window_is_refused_by_name() {
        assert_eq!(
            settled("1.40", "1.12").unwrap_err().to_string(),
            "error: the Docker engine is too old\n  caused by: it speaks API 1.40; moko-mon needs 1.41 or newer\n\
             hint: update to Docker Engine 20.10 or newer"
        );
        assert!(settled("1.99", "1.98").unwrap_err().to_string().contains("too new for this moko-mon"));
    }
}
