//! How long a canary's hop may take: a multiple of the intervals in force, and no fixed time.

use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::verify::Finding;

/// The time between two questions.
const POLL: Duration = Duration::from_millis(250);
/// What is granted beside the intervals: a busy machine scrapes, evaluates and answers late.
pub(super) const GRACE: Duration = Duration::from_secs(10);

/// What came of asking until there is an answer.
pub(super) enum Waited<T> {
    Came(T),
    /// Not within this time; the last error, if the server did not answer at all.
    Late(Duration, Option<Error>),
}

/// Asks until there is an answer, at most twice as long as it should take; a server that restarts is given its time.
pub(super) async fn wait<T>(expected: Duration, mut ask: impl AsyncFnMut() -> Result<Option<T>>) -> Waited<T> {
    let (begun, limit) = (Instant::now(), expected * 2 + GRACE);
    loop {
        let error = match ask().await {
            Ok(Some(found)) => return Waited::Came(found),
            Ok(None) => None,
            Err(error) => Some(error),
        };
        if begun.elapsed() > limit {
            return Waited::Late(limit, error);
        }
        tokio::time::sleep(POLL).await;
    }
}

/// A hop that has not come in its time, and at which rhythm it should have.
pub(super) fn late(what: String, error: Option<Error>, rhythm: &str, hint: &str) -> Finding {
    let mut finding = Finding::fail(what, hint);
    finding.evidence.push(format!("it {rhythm}"));
    finding.evidence.extend(error.into_iter().flat_map(|error| std::iter::once(error.message).chain(error.causes)));
    finding
}
