//! Whether the clocks agree.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use jiff::Timestamp;

use super::{check, since};
use crate::http::Server;
use crate::stack::ready_path;
use crate::ui::human;
use crate::verify::{Check, Finding, World};

/// A difference that somebody should know of.
const ODD: Duration = Duration::from_secs(2);
/// A difference at which ages, windows and the end of silences are wrong by more than anybody expects.
const WRONG: Duration = Duration::from_secs(30);

pub(in crate::verify) fn checks(_world: &World) -> Vec<Check> {
    let about = "The clocks of the servers, of the engine and of this host agree within seconds.";
    vec![check("clock.servers", "engine", about, &[], |world| async move { Ok(look(world).await) }.boxed())]
}

/// What a clock said, and between which moments of ours it was asked.
struct Reading {
    whose: &'static str,
    asked: Timestamp,
    said: Timestamp,
    answered: Timestamp,
    /// What is lost of the time in the notation of the answer.
    precision: Duration,
}

async fn look(world: &World) -> Finding {
    let servers = join_all(world.servers.iter().map(|(component, server)| async move {
        let asked = Timestamp::now();
        let said = date(server, ready_path(*component)).await?;
        let precision = Duration::from_secs(1);
        Some(Reading { whose: component.title(), asked, said, answered: Timestamp::now(), precision })
    }));
    let engine = async {
        let engine = world.engine.as_ref()?.as_ref().ok()?;
        let asked = Timestamp::now();
        // Not a fact that others may have asked for earlier: the moment counts.
        let said = engine.docker.about().await.ok()?.time?;
        Some(Reading { whose: "the engine", asked, said, answered: Timestamp::now(), precision: Duration::ZERO })
    };
    let (mut readings, engine) = tokio::join!(servers, engine);
    readings.push(engine);
    judge(&readings.into_iter().flatten().collect::<Vec<_>>())
}

/// The `Date` of an answer, whatever its status; who does not answer has checks of its own.
async fn date(server: &Server, path: &str) -> Option<Timestamp> {
    server.dated(path, &[]).await.ok()?.1
}

fn judge(readings: &[Reading]) -> Finding {
    let mut facts = Vec::new();
    let mut largest = Duration::ZERO;
    for Reading { whose, asked, said, answered, precision } in readings {
        // The answer was made at some moment between the two; what lies within them is no difference.
        let behind = since(*said, *asked).saturating_sub(*precision);
        let ahead = since(*answered, *said);
        largest = largest.max(behind).max(ahead);
        if behind > ODD {
            facts.push(format!("the clock of {whose} is {} behind this host's", human(behind)));
        } else if ahead > ODD {
            facts.push(format!("the clock of {whose} is {} ahead of this host's", human(ahead)));
        }
    }
    if readings.is_empty() {
        return Finding::skip("nobody told the time");
    }
    let names: Vec<&str> = readings.iter().map(|reading| reading.whose).collect();
    let fine = format!("{} agree with this host to the second", names.join(", "));
    let hint =
        "set the clocks by NTP: `timedatectl` shows whether a host does; restart Docker Desktop after a long sleep";
    if largest > WRONG { Finding::fail_if_any(facts, hint, fine) } else { Finding::warn_if_any(facts, hint, fine) }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::component::Component;
    use crate::http::Http;
    use crate::verify::{Facts, Outcome};

    fn reading(said: &str, precision: u64) -> Reading {
        Reading {
            whose: "Prometheus",
            asked: "2026-11-23T12:00:00.900Z".parse().unwrap(),
            said: said.parse().unwrap(),
            answered: "2026-11-23T12:00:01.100Z".parse().unwrap(),
            precision: Duration::from_secs(precision),
        }
    }

    #[test]
    fn only_what_the_question_does_not_explain_is_a_difference() {
        let judged = |said, precision| {
            let finding = judge(&[reading(said, precision)]);
            (finding.outcome, finding.evidence.concat())
        };
        assert_eq!(judged("2026-11-23T12:00:00Z", 1).0, Outcome::Pass);
        assert_eq!(judged("2026-11-23T12:00:01Z", 1).1, "Prometheus agree with this host to the second");
        assert_eq!(
            judged("2026-11-23T11:59:55.900Z", 0),
            (Outcome::Warn, "the clock of Prometheus is 5.0 s behind this host's".to_owned())
        );
        assert_eq!(
            judged("2026-11-23T12:05:01.100Z", 0),
            (Outcome::Fail, "the clock of Prometheus is 5 min 0 s ahead of this host's".to_owned())
        );
        assert_eq!(judge(&[]).outcome, Outcome::Skip);
    }

    /// A server whose clock is so many seconds off.
    async fn server(off: i64) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let _ = stream.read(&mut [0; 4096]).await;
                let now = Timestamp::from_second(Timestamp::now().as_second() + off).unwrap();
                let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT");
                let answer =
                    format!("HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Server::new(&Http::new().unwrap(), &url, Duration::from_secs(5))
    }

    #[tokio::test]
    async fn a_server_that_is_minutes_off_is_found_by_what_it_answers() {
        let limit = Duration::from_secs(30);
        let world = |servers| World {
            servers,
            expected: None,
            engine: None,
            facts: Facts::default(),
            limit,
            deadline: Instant::now() + limit,
        };
        let right = world(vec![(Component::Prometheus, server(0).await)]);
        assert_eq!(look(&right).await.outcome, Outcome::Pass);
        let wrong = vec![(Component::Prometheus, server(0).await), (Component::Alertmanager, server(-240).await)];
        let finding = look(&world(wrong)).await;
        assert_eq!(finding.outcome, Outcome::Fail);
        let [fact] = finding.evidence.as_slice() else { panic!("{finding:?}") };
        assert!(fact.starts_with("the clock of Alertmanager is ") && fact.ends_with(" behind this host's"), "{fact}");
        assert!(finding.hint.unwrap().contains("NTP"));
    }
}
