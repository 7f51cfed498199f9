//! Where the engine is: the order in which places are tried, and why one was chosen.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::archive::digest;
use crate::error::{Code, Error, Result};

/// The address of an engine and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `unix:///path` or `tcp://host:port`.
    pub address: String,
    /// What named it, for error messages: `DOCKER_HOST`, `Docker context "colima"`, `default`.
    pub source: String,
}

impl Endpoint {
    /// The path of the socket, if it is one.
    #[must_use]
    pub fn socket(&self) -> Option<&Path> {
        self.address.strip_prefix("unix://").map(Path::new)
    }

    /// Whether ports that the engine publishes on loopback are reached on this machine's loopback.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let host = self.address.split("://").nth(1).unwrap_or_default();
        let host = host.split('/').next().unwrap_or_default();
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host).trim_matches(['[', ']']);
        let loopback = host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        self.socket().is_some() || loopback || host == "localhost"
    }
}

/// Finds the engine the way the Docker client does.
///
/// 1. `DOCKER_HOST`; 2. the context named by `DOCKER_CONTEXT`, else by `currentContext` in `config.json` below
///    `DOCKER_CONFIG` or `~/.docker`; 3. the first socket that exists of `/var/run/docker.sock`,
///    `$XDG_RUNTIME_DIR/docker.sock` (rootless), `~/.docker/run/docker.sock` (Desktop), `~/.colima/default/docker.sock`;
/// 4. `/var/run/docker.sock`, so that the error names it.
pub fn find(environment: &BTreeMap<String, String>) -> Result<Endpoint> {
    let get = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    if let Some(host) = get("DOCKER_HOST") {
        return supported(host, "DOCKER_HOST");
    }
    let home = get("HOME").map(PathBuf::from);
    let folder = get("DOCKER_CONFIG").map(PathBuf::from).or_else(|| home.as_ref().map(|home| home.join(".docker")));
    let context = get("DOCKER_CONTEXT").cloned().or_else(|| current_context(folder.as_deref()?));
    if let Some(context) = context.filter(|name| name != "default") {
        let host = folder.as_deref().and_then(|folder| context_host(folder, &context)).ok_or_else(|| {
            Error::new(Code::EngineUnreachable, format!("Docker context `{context}` has no address"))
                .hint("list the contexts with `docker context ls`, or set DOCKER_HOST")
        })?;
        return supported(&host, &format!("Docker context `{context}`"));
    }
    let mut sockets = vec![PathBuf::from("/var/run/docker.sock")];
    sockets.extend(get("XDG_RUNTIME_DIR").map(|folder| Path::new(folder).join("docker.sock")));
    if let Some(home) = home {
        sockets.push(home.join(".docker/run/docker.sock"));
        sockets.push(home.join(".colima/default/docker.sock"));
    }
    let chosen = sockets.iter().find(|socket| socket.exists()).unwrap_or(&sockets[0]);
    Ok(Endpoint { address: format!("unix://{}", chosen.display()), source: "default".to_owned() })
}

fn supported(address: &str, source: &str) -> Result<Endpoint> {
    let scheme = address.split("://").next().unwrap_or_default();
    if scheme != "unix" && address.contains('@') {
        return Err(Error::new(Code::EngineUnreachable, "cannot use this kind of engine address")
            .cause(format!("{source} has a user name or password in it, which an engine does not ask for"))
            .hint("leave it out: DOCKER_HOST=tcp://HOST:PORT"));
    }
    match scheme {
        "unix" | "tcp" | "http" => Ok(Endpoint { address: address.to_owned(), source: source.to_owned() }),
        _ => Err(Error::new(Code::EngineUnreachable, "cannot use this kind of engine address")
            .cause(format!("{source} is `{address}`; moko-mon speaks `unix://` and plain `tcp://`"))
            .hint("forward the socket, for example `ssh -NL /tmp/docker.sock:/var/run/docker.sock HOST`, and set DOCKER_HOST=unix:///tmp/docker.sock")),
    }
}

fn current_context(folder: &Path) -> Option<String> {
    let text = std::fs::read_to_string(folder.join("config.json")).ok()?;
    let config: serde_json::Value = serde_json::from_str(&text).ok()?;
    Some(config.get("currentContext")?.as_str()?.to_owned()).filter(|name| !name.is_empty())
}

/// The Docker client keeps each context in a folder named by the SHA-256 of its name.
fn context_host(folder: &Path, context: &str) -> Option<String> {
    let text = std::fs::read_to_string(folder.join("contexts/meta").join(digest(context.as_bytes())).join("meta.json"))
        .ok()?;
    let meta: serde_json::Value = serde_json::from_str(&text).ok()?;
    Some(meta.pointer("/Endpoints/docker/Host")?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn docker_host_wins_and_an_empty_one_does_not_count() {
        let endpoint = find(&environment(&[("DOCKER_HOST", "tcp://127.0.0.1:2375")])).unwrap();
        assert_eq!((endpoint.address.as_str(), endpoint.source.as_str()), ("tcp://127.0.0.1:2375", "DOCKER_HOST"));
        assert_eq!(find(&environment(&[("DOCKER_HOST", "")])).unwrap().source, "default");
    }

    #[test]
    fn the_current_context_is_read_from_the_docker_client_s_files() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join(".docker/contexts/meta").join(digest(b"colima"));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(home.path().join(".docker/config.json"), r#"{"currentContext": "colima"}"#).unwrap();
        std::fs::write(folder.join("meta.json"), r#"{"Endpoints": {"docker": {"Host": "unix:///c.sock"}}}"#).unwrap();
        let endpoint = find(&environment(&[("HOME", home.path().to_str().unwrap())])).unwrap();
        assert_eq!(endpoint.address, "unix:///c.sock");
        assert_eq!(endpoint.source, "Docker context `colima`");
    }

    #[test]
    fn only_this_machine_is_local() {
        let local =
            |address: &str| Endpoint { address: address.to_owned(), source: "DOCKER_HOST".to_owned() }.is_local();
        assert!(
            local("unix:///x")
                && local("tcp://127.0.0.1:2375")
                && local("tcp://[::1]:2375")
                && local("tcp://localhost:1")
        );
        assert!(!local("tcp://127.0.0.1.example:2375") && !local("tcp://10.0.0.1:2375"));
    }

    #[test]
    fn a_password_in_the_address_is_refused_and_not_shown() {
        let error = find(&environment(&[("DOCKER_HOST", "tcp://user:hunter2@host:1")])).unwrap_err().to_string();
        assert!(error.contains("has a user name or password in it") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn an_address_we_cannot_speak_is_refused_with_a_way_out() {
        let error = find(&environment(&[("DOCKER_HOST", "ssh://build")])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "error: cannot use this kind of engine address\n  \
             caused by: DOCKER_HOST is `ssh://build`; moko-mon speaks `unix://` and plain `tcp://`\n\
             hint: forward the socket, for example `ssh -NL /tmp/docker.sock:/var/run/docker.sock HOST`, and set \
             DOCKER_HOST=unix:///tmp/docker.sock"
        );
    }
}
