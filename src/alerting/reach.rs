//! Whether mail servers answer: asked before they are needed.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Integration, Receiver};

/// How long a mail server may take to accept a connection.
const LIMIT: Duration = Duration::from_secs(2);

/// A warning for each mail server that this host cannot reach. Alertmanager may reach more, so it is no more than that.
pub async fn unreachable(receivers: &[Receiver]) -> Vec<String> {
    let ask = |receiver: &Receiver| {
        let Some(Integration::Email(email)) = &receiver.integration else { return None };
        Some((receiver.place.clone(), email.smarthost.clone()))
    };
    let asked = receivers.iter().filter_map(ask).map(|(place, smarthost)| async move {
        let fact = match timeout(LIMIT, TcpStream::connect(&smarthost)).await {
            Ok(Ok(_)) => return None,
            Ok(Err(error)) => crate::error::innermost(&error),
            Err(_) => format!("no answer within {}", crate::ui::human(LIMIT)),
        };
        Some(format!(
            "{place}: the mail server `{smarthost}` cannot be reached from this host: {fact}; try `moko-mon alert test` \
             once it is there"
        ))
    });
    join_all(asked).await.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerting::{Email, Tls};

    #[tokio::test]
    async fn a_mail_server_that_is_not_there_is_a_warning() {
        let there = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver = |smarthost: String| Receiver {
            name: "ops".to_owned(),
            integration: Some(Integration::Email(Email {
                to: "a@b.c".to_owned(),
                from: "a@b.c".to_owned(),
                smarthost,
                tls: Tls::StartTls,
                login: None,
                ca: None,
                hello: None,
            })),
            send_resolved: true,
            verify: true,
            place: "moko-mon.yaml:2:5".to_owned(),
        };
        let port = there.local_addr().unwrap().port();
        assert_eq!(unreachable(&[receiver(format!("127.0.0.1:{port}"))]).await, [""; 0]);
        let warnings = unreachable(&[receiver("127.0.0.1:1".to_owned())]).await;
        assert!(
            warnings[0].starts_with(
                "moko-mon.yaml:2:5: the mail server `127.0.0.1:1` cannot be reached from this host: Connection refused"
            ),
            "{warnings:?}"
        );
    }
}
