//! What Alertmanager's own log says of notifications: no answer of its API has the words of a failure.

use std::collections::BTreeMap;

use bollard::query_parameters::LogsOptionsBuilder;
use futures_util::StreamExt as _;

use crate::docker::Docker;
use crate::docker::error::explain;
use crate::error::Result;
use crate::http::excerpt;

/// As many lines are looked through, the newest. Not by their time: the engine's clock may be another one.
const LINES: &str = "2000";

/// The log of an Alertmanager's container.
#[derive(Clone)]
pub(crate) struct Log<'a> {
    /// The engine.
    pub(crate) docker: &'a Docker,
    /// The id of the container.
    pub(crate) container: &'a str,
}

/// What the log says of one integration of a receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Word {
    /// A try failed, and another follows.
    Tried(String),
    /// It failed for good.
    GivenUp(String),
    /// A later try succeeded.
    Succeeded,
}

/// The last word on each integration, by receiver and integration, such as `webhook[0]`.
pub(crate) type Words = BTreeMap<(String, String), Word>;

impl Log<'_> {
    /// What it says of the alerts with this id in one of their labels.
    pub(crate) async fn words(&self, id: &str) -> Result<Words> {
        let options = LogsOptionsBuilder::default().stdout(true).stderr(true).tail(LINES).build();
        let mut pieces = self.docker.logs(self.container, options);
        let mut text = String::new();
        while let Some(piece) = pieces.next().await {
            text.push_str(
                &piece.map_err(|error| explain("could not read the log of Alertmanager", &error))?.to_string(),
            );
        }
        Ok(words(text.lines().filter(|line| line.contains(id))))
    }
}

/// Reads lines in the notation of logfmt.
fn words<'a>(lines: impl Iterator<Item = &'a str>) -> Words {
    let mut all = Words::new();
    for line in lines.map(fields) {
        let field = |name: &str| line.get(name).map_or("", String::as_str);
        let message = field("msg");
        let key = (field("receiver").to_owned(), field("integration").to_owned());
        if message.starts_with("Notify attempt failed") {
            // What was given up once is tried again with the group's next turn.
            if !matches!(all.get(&key), Some(Word::GivenUp(_))) {
                all.insert(key, Word::Tried(harmless(field("err"))));
            }
        } else if message.starts_with("Notify success") {
            all.insert(key, Word::Succeeded);
        } else if message.starts_with("Notify for alerts failed") {
            all.extend(field("err").lines().filter_map(given_up));
        }
    }
    all
}

/// `NAME/webhook[0]: notify retry canceled after 7 attempts: unexpected status code 500`.
fn given_up(line: &str) -> Option<((String, String), Word)> {
    let (who, why) = line.split_once("]: ")?;
    let (receiver, integration) = who.rsplit_once('/')?;
    let cancelled = why.strip_prefix("notify retry canceled ").and_then(|rest| rest.split_once(": "));
    let (tries, why) = cancelled.map_or(("", why), |(how, why)| {
        let words: Vec<&str> = how.split_whitespace().collect();
        (words.iter().rev().nth(1).copied().unwrap_or_default(), why)
    });
    let tries = if matches!(tries, "" | "1") { String::new() } else { format!(" ({tries} tries)") };
    Some(((receiver.to_owned(), format!("{integration}]")), Word::GivenUp(format!("{}{tries}", harmless(why)))))
}

/// The fields of a line; a value with blanks is in quotes.
fn fields(line: &str) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut rest = line.trim();
    while let Some((name, behind)) = rest.split_once('=') {
        let quoted = behind.starts_with('"').then(|| {
            let mut is_escaped = false;
            behind.char_indices().skip(1).find_map(|(at, c)| {
                let ends = c == '"' && !is_escaped;
                is_escaped = c == '\\' && !is_escaped;
                ends.then_some(at + 1)
            })
        });
        let end = quoted.flatten().unwrap_or_else(|| behind.find(' ').unwrap_or(behind.len()));
        let (value, left) = behind.split_at(end);
        let value = serde_json::from_str(value).unwrap_or_else(|_| value.trim_matches('"').to_owned());
        all.insert(name.trim().to_owned(), value);
        rest = left.trim_start();
    }
    all
}

/// One line without what may be secret: of an address only the server is left, as many services have a token in the path.
fn harmless(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (head, tail) = rest.split_at(at + 3);
        out.push_str(head);
        let end = tail.find(|c: char| c.is_whitespace() || "\"'<>`".contains(c)).unwrap_or(tail.len());
        let (address, behind) = tail.split_at(end);
        let server = address.split(['/', '?', '#']).next().unwrap_or_default();
        out.push_str(server.rsplit('@').next().unwrap_or_default());
        // What closes a sentence belongs to no address.
        let stripped = address.trim_end_matches([':', ',', '.', ')']);
        if server.len() < stripped.len() {
            out.push_str("/…");
            out.push_str(&address[stripped.len()..]);
        }
        rest = behind;
    }
    out.push_str(rest);
    let line = excerpt(&out);
    if line.ends_with("context deadline exceeded") { format!("no answer in time ({line})") } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = r#"time=2026-11-23T21:30:18.778Z level=WARN source=retry_stage.go:163 msg="Notify attempt failed, will retry later" component=dispatcher receiver=bad integration=webhook[0] aggrGroup="{}/{alertname=\"MokoMonTest\"}:{test_id=\"abc\"}" attempts=1 err="unexpected status code 500: no"
time=2026-11-23T21:30:18.780Z level=WARN msg="Notify attempt failed, will retry later" receiver=away integration=webhook[0] attempts=1 err="Post \"https://user:pw@hooks.example.com/services/T0/secret?x=y\": dial tcp: refused"
time=2026-11-23T21:30:19.780Z level=INFO msg="Notify success" receiver=away integration=webhook[0] attempts=2
time=2026-11-23T21:30:28.769Z level=ERROR msg="Notify for alerts failed" num_alerts=1 err="mixed/slack[0]: notify retry canceled due to unrecoverable error after 1 attempts: channel \"x\": no_team\nmixed/webhook[1]: notify retry canceled after 7 attempts: unexpected status code 500: no"
time=2026-11-23T21:30:28.774Z level=ERROR msg="Notify for alerts failed" err="a/b/webhook[0]: notify retry canceled after 1 attempts: context deadline exceeded""#;

    #[test]
    fn the_last_word_on_each_integration_counts() {
        let all: Vec<String> =
            words(LOG.lines()).into_iter().map(|((of, by), word)| format!("{of} {by}: {word:?}")).collect();
        assert_eq!(
            all,
            [
                r#"a/b webhook[0]: GivenUp("no answer in time (context deadline exceeded)")"#,
                "away webhook[0]: Succeeded",
                r#"bad webhook[0]: Tried("unexpected status code 500: no")"#,
                r#"mixed slack[0]: GivenUp("channel \"x\": no_team")"#,
                r#"mixed webhook[1]: GivenUp("unexpected status code 500: no (7 tries)")"#,
            ]
        );
    }

    #[test]
    fn of_addresses_only_the_server_is_shown() {
        for (text, shown) in [
            (
                r#"Post "https://a:b@api.telegram.org/bot123:SECRET/sendMessage": EOF"#,
                r#"Post "https://api.telegram.org/…": EOF"#,
            ),
            ("see http://x.org?token=1, then https://y.org/z: no", "see http://x.org/…, then https://y.org/…: no"),
            ("dial http://x.org: refused", "dial http://x.org: refused"),
            ("plain\ntext\u{1b}[31m", "plain text [31m"),
        ] {
            assert_eq!(harmless(text), shown);
        }
    }
}
