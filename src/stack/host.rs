//! How a container reaches the host it runs on.

/// The name by which a container reaches the Docker host.
pub(super) const NAME: &str = "host.docker.internal";

/// The line for `/etc/hosts` that makes the name known.
pub(super) fn line() -> String {
    format!("{NAME}:host-gateway")
}

/// The address as a container has to use it: loopback means the Docker host, not the container itself.
pub(super) fn reachable(address: &str) -> String {
    let loopback = ["localhost:", "127.0.0.1:", "[::1]:"];
    match loopback.iter().find_map(|prefix| address.strip_prefix(prefix)) {
        Some(port) => format!("{NAME}:{port}"),
        None => address.to_owned(),
    }
}

/// The same for a URL.
pub(super) fn reachable_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (login, address) = authority.rsplit_once('@').map_or(("", authority), |(login, address)| (login, address));
    let at = if login.is_empty() { "" } else { "@" };
    let reached = ["localhost", "127.0.0.1", "[::1]"]
        .iter()
        .find(|name| **name == address)
        .map_or_else(|| reachable(address), |_| NAME.to_owned());
    format!("{scheme}://{login}{at}{reached}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_means_the_docker_host() {
        assert_eq!(reachable("localhost:8000"), "host.docker.internal:8000");
        assert_eq!(reachable("127.0.0.1:8000"), "host.docker.internal:8000");
        assert_eq!(reachable("[::1]:8000"), "host.docker.internal:8000");
        assert_eq!(reachable("exporter:8000"), "exporter:8000");
        assert_eq!(reachable("localhost.example:8000"), "localhost.example:8000");
        assert_eq!(reachable_url("http://localhost:80/a?b"), "http://host.docker.internal:80/a?b");
        assert_eq!(reachable_url("https://u:p@127.0.0.1/x"), "https://u:p@host.docker.internal/x");
        assert_eq!(reachable_url("https://hooks.example.com/x@y"), "https://hooks.example.com/x@y");
    }
}
