//! Why a target cannot be scraped: the server's own last error, and what usually is behind it.

use std::collections::BTreeMap;

use crate::http::excerpt;
use crate::http::prometheus::Target;

/// The name by which a container reaches this host.
const HOST: &str = "host.docker.internal";

/// What Prometheus says, and what it means. `listening`: ports of this host, and whether somebody listens on loopback.
pub(super) fn of(target: &Target, listening: &BTreeMap<u16, bool>) -> String {
    let told = excerpt(&target.last_error);
    match cause(target, listening) {
        Some(cause) => format!("{cause} ({told})"),
        None => told,
    }
}

/// The port of this host on which Prometheus' connection was refused.
pub(super) fn refused_on_host(target: &Target) -> Option<u16> {
    let address = target.discovered_labels.get("__address__")?;
    let port = address.strip_prefix(HOST)?.strip_prefix(':')?;
    target.last_error.contains("connection refused").then(|| port.parse().ok())?
}

fn cause(target: &Target, listening: &BTreeMap<u16, bool>) -> Option<String> {
    let error = target.last_error.as_str();
    let has = |parts: &[&str]| parts.iter().any(|part| error.contains(part));
    if has(&["connection refused"]) {
        return Some(match refused_on_host(target) {
            Some(port) => refused(port, listening.get(&port).copied()),
            None => "nothing listens on that port".to_owned(),
        });
    }
    let cause = if has(&["no such host", "server misbehaving"]) {
        "the name is unknown inside Prometheus' container"
    } else if has(&["does not look like a TLS handshake", "HTTP response to HTTPS client"]) {
        "it speaks HTTP, and is asked by HTTPS: set `scheme: http`"
    } else if has(&["malformed HTTP response", "HTTP request to an HTTPS server"]) {
        "it speaks HTTPS, and is asked by HTTP: set `scheme: https`"
    } else if has(&["x509:"]) {
        "its certificate is not trusted by Prometheus' container"
    } else if has(&["status 401", "status 403"]) {
        "it wants a login, or another one: set `basic_auth` or `bearer_token_file`"
    } else if has(&["status 404"]) {
        "there is nothing under that path: set `metrics_path`"
    } else if has(&["deadline exceeded", "i/o timeout", "Client.Timeout"]) {
        let limit = if target.scrape_timeout.is_empty() { "time" } else { &target.scrape_timeout };
        return Some(format!("it does not answer within {limit}: it is too slow, hangs, or a firewall is in between"));
    } else if has(&["no route to host", "network is unreachable"]) {
        "there is no way to that address from Prometheus' container"
    } else if has(&["Content-Type", "while parsing", "expected a valid start token", "invalid metric type", "strconv."])
    {
        "what it answers is not metrics in Prometheus' text format: wrong path, or a mistake in what it prints"
    } else if has(&["EOF", "connection reset"]) {
        "it closes the connection before it has answered"
    } else if has(&["limit exceeded", "exceeded limit"]) {
        "it has more than Prometheus is to take"
    } else {
        return None;
    };
    Some(cause.to_owned())
}

fn refused(port: u16, listens_on_loopback: Option<bool>) -> String {
    match listens_on_loopback {
        Some(true) => format!(
            "it listens on this host's loopback only, which containers do not reach: let it listen on 0.0.0.0:{port} \
             or on the address of Docker's bridge"
        ),
        Some(false) => format!("nothing listens on port {port} of this host: wrong port, or it does not run"),
        None => {
            format!("nothing that containers reach listens on port {port} of the host: wrong port, or loopback only")
        }
    }
}
