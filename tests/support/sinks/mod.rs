//! Where notifications end in tests: a mail server and the services of chats and pagers, on every address of this host, so
//! that a container reaches them under [`HOST`].

pub(crate) mod chats;
pub(crate) mod http;
pub(crate) mod mail;
pub(crate) mod markup;
pub(crate) mod pagers;
pub(crate) mod smtp;

/// The name of this host in a container that was started with `--add-host host.docker.internal:host-gateway`. The
/// certificate of the mail server is for it, for `localhost` and for 127.0.0.1.
pub(crate) const HOST: &str = "host.docker.internal";

/// Who has signed the certificate of the mail server.
pub(crate) const CA: &str = include_str!("tls/ca.pem");
