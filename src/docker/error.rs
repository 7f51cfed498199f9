//! Docker's failures, classified once by status and message.

use std::io::ErrorKind;

use bollard::errors::Error as Bollard;

use super::endpoint::Endpoint;
use crate::error::{Code, Error, chain, innermost};

/// Why a call failed, as far as the program has to tell failures apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// 404: there is no such object.
    NotFound,
    /// 409: the name is taken, or the object is in the wrong state.
    Conflict,
    /// A published port is in use on the host.
    PortInUse,
    /// The disk of the engine is full.
    NoSpace,
    /// Anything else.
    Other,
}

/// Classifies a failed call.
#[must_use]
pub fn classify(error: &Bollard) -> Failure {
    let (status, message) = match error {
        Bollard::DockerResponseServerError { status_code, message } => (*status_code, message.as_str()),
        Bollard::DockerStreamError { error } => (500, error.as_str()),
        _ => return Failure::Other,
    };
    // Two wordings: the proxy could not bind (a process), or the engine's own table says no (a container).
    if message.contains("address already in use") || message.contains("port is already allocated") {
        return Failure::PortInUse;
    }
    if message.contains("no space left on device") {
        return Failure::NoSpace;
    }
    match status {
        404 => Failure::NotFound,
        409 => Failure::Conflict,
        _ => Failure::Other,
    }
}

/// The engine's own words about a failed call.
#[must_use]
pub fn words(error: &Bollard) -> String {
    match error {
        Bollard::DockerResponseServerError { message, .. } => clean(message),
        Bollard::DockerStreamError { error } => clean(error),
        Bollard::RequestTimeoutError => "the engine did not answer in time".to_owned(),
        // The links above the last say no more than that there is one.
        Bollard::HyperLegacyError { err } => clean(&innermost(err)),
        other => clean(&chain(other)),
    }
}

/// A failed call as an error: the goal above the engine's words.
#[must_use]
pub fn explain(goal: impl Into<String>, error: &Bollard) -> Error {
    let failed = Error::new(Code::EngineFailed, goal).cause(words(error));
    if words(error).contains("cannot assign requested address") {
        return failed.hint("`bind` in moko-mon.yaml has to be an address of the machine that the engine runs on");
    }
    if words(error).contains("active endpoints") {
        return failed.hint("another container is attached to it: `docker network inspect` names it, `docker network disconnect -f NETWORK CONTAINER` takes it off");
    }
    match classify(error) {
        Failure::NoSpace => {
            failed.hint("free space on the engine's disk, for example with `docker system df` and `docker image prune`")
        }
        Failure::PortInUse => Error { code: Code::PortTaken, ..failed },
        Failure::NotFound | Failure::Conflict | Failure::Other => failed,
    }
}

/// A call that was given up after `seconds`.
#[must_use]
pub fn timed_out(goal: impl Into<String>, seconds: u64) -> Error {
    Error::new(Code::EngineFailed, goal)
        .cause(format!("the engine did not answer within {seconds} s"))
        .hint("see whether it is alive with `docker info`, then run the command again: it continues where it stopped")
}

/// No engine: which address was tried, why it failed, and the fix.
#[must_use]
pub fn unreachable(endpoint: &Endpoint, error: &Bollard) -> Error {
    let tried = format!("tried {} ({})", endpoint.address, endpoint.source);
    let goal = Error::new(Code::EngineUnreachable, "no Docker engine answers");
    if matches!(error, Bollard::SocketNotFoundError(_)) {
        return goal.cause(format!("{tried}: the socket does not exist")).hint(
            "start Docker (`sudo systemctl start docker`, or Docker Desktop), or set DOCKER_HOST to where it listens",
        );
    }
    match io_kind(error) {
        Some(ErrorKind::PermissionDenied) => goal
            .cause(format!("{tried}: permission denied"))
            .hint("run it with sudo, or join the group with `sudo usermod -aG docker $USER` and log in again (members of that group are as powerful as root)"),
        Some(ErrorKind::ConnectionRefused) => goal
            .cause(format!("{tried}: connection refused, nothing listens there"))
            .hint("start Docker (`sudo systemctl start docker`, or Docker Desktop)"),
        Some(ErrorKind::NotFound) => goal
            .cause(format!("{tried}: the socket does not exist"))
            .hint("start Docker (`sudo systemctl start docker`, or Docker Desktop), or set DOCKER_HOST to where it listens"),
        _ => goal
            .cause(format!("{tried}: {}", Some(words(error)).filter(|words| !words.is_empty()).unwrap_or_else(|| "it did not answer".to_owned())))
            .hint("see whether `docker info` works, and whether DOCKER_HOST names a Docker engine"),
    }
}

/// The kind of the I/O error beneath, if there is one.
fn io_kind(error: &Bollard) -> Option<ErrorKind> {
    let mut source: Option<&dyn std::error::Error> = Some(error);
    while let Some(inner) = source {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            return Some(io.kind());
        }
        source = inner.source();
    }
    None
}

/// One line without control characters: the text comes from outside and goes to a terminal.
#[must_use]
pub fn clean(text: &str) -> String {
    let spaced = text.replace(['\n', '\r', '\t'], " ");
    spaced.chars().filter(|c| !c.is_control()).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status_code: u16, message: &str) -> Bollard {
        Bollard::DockerResponseServerError { status_code, message: message.to_owned() }
    }

    #[test]
    fn both_wordings_of_a_taken_port_are_known() {
        let process = "driver failed programming external connectivity on endpoint x: Error starting userland proxy: listen tcp4 127.0.0.1:9090: bind: address already in use";
        let container = "Bind for 127.0.0.1:9090 failed: port is already allocated";
        assert_eq!(classify(&response(500, process)), Failure::PortInUse);
        assert_eq!(classify(&response(500, container)), Failure::PortInUse);
        assert_eq!(classify(&response(404, "no such image")), Failure::NotFound);
        assert_eq!(classify(&response(409, "name in use")), Failure::Conflict);
    }

    #[test]
    fn a_full_disk_says_how_to_free_it() {
        let error = explain("could not pull `x`", &response(500, "write /var/lib/docker: no space left on device"));
        assert_eq!(
            error.to_string(),
            "error: could not pull `x`\n  caused by: write /var/lib/docker: no space left on device\n\
             hint: free space on the engine's disk, for example with `docker system df` and `docker image prune`"
        );
    }

    #[test]
    fn terminal_escapes_do_not_reach_the_terminal() {
        assert_eq!(clean("a\x1b[31mred\nb\u{7}"), "a[31mred b");
    }
}
