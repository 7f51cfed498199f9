//! The address of a scrape target: `host:port`, or a URL that says more.

use super::names;
use super::scalar::{Complaint, Scalar, port};

/// An address taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// `http` or `https`, if it was a URL.
    pub(crate) scheme: Option<String>,
    /// `host:port`.
    pub(crate) host_port: String,
    /// The path, if the URL had one.
    pub(crate) path: Option<String>,
}

impl Address {
    /// Takes an address apart; never repeats credentials in what it complains about.
    pub(crate) fn parse(text: &str) -> Result<Self, Complaint> {
        let expected = || Scalar::Address.expected();
        if text.contains('@') {
            let expected = "an address without credentials: they go to `basic_auth` or `bearer_token_file`";
            return Err(Complaint::new("the address has credentials in it", expected));
        }
        let shown = names::quote(text);
        if text.len() > 2048 {
            return Err(Complaint::new(format!("an address of {} bytes is too long", text.len()), expected()));
        }
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme @ ("http" | "https"), rest)) => (Some(scheme.to_owned()), rest),
            Some((scheme, _)) => {
                return Err(Complaint::new(
                    format!("{shown} has the unknown scheme {}", names::quote(scheme)),
                    expected(),
                ));
            }
            None => (None, text),
        };
        let (host_port, path) = match rest.find('/') {
            Some(_) if scheme.is_none() => {
                return Err(Complaint::new(format!("{shown} has a path but no scheme"), expected()));
            }
            Some(slash) => rest.split_at(slash),
            None => (rest, ""),
        };
        if !path.is_empty() && !names::is_url_path(path) {
            return Err(Complaint::new(format!("{shown} has more than a path behind the port"), expected()));
        }
        let Some((host, number)) = split_port(host_port) else {
            return Err(Complaint::new(format!("{shown} has no port"), expected()));
        };
        if !is_host(host) {
            return Err(Complaint::new(format!("{shown} has no valid host"), expected()));
        }
        if port(number).is_none() {
            let found = format!("{shown} has the invalid port {}", names::quote(number));
            return Err(Complaint::new(found, Scalar::Port.expected()));
        }
        let path = Some(path).filter(|path| !path.is_empty() && *path != "/").map(str::to_owned);
        Ok(Self { scheme, host_port: host_port.to_owned(), path })
    }
}

/// Host and port; the colons inside an IPv6 address separate nothing.
fn split_port(text: &str) -> Option<(&str, &str)> {
    let (host, port) = text.rsplit_once(':')?;
    let bare_ipv6 = host.contains(':') && !host.ends_with(']');
    (!bare_ipv6 && !host.is_empty() && !port.is_empty() && !port.contains(']')).then_some((host, port))
}

/// A host name, an IPv4 address, or an IPv6 address in brackets.
fn is_host(text: &str) -> bool {
    match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        Some(inner) => inner.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            text.len() <= 253
                && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
                && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        }
    }
}
