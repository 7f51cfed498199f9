//! Waiting for a server to do what its intervals demand, and not for ever.

use std::time::{Duration, Instant};

use crate::error::{Code, Error, Result};
use crate::ui::human;

/// The time between two questions.
pub(super) const POLL: Duration = Duration::from_millis(500);
/// What is granted beside the intervals: a busy machine answers and evaluates late.
pub(super) const GRACE: Duration = Duration::from_secs(10);

/// Asks again and again until there is an answer, at most twice as long as it should take; `tell` hears how long it
/// should still take.
pub(super) async fn wait<T>(
    expected: Duration,
    mut ask: impl AsyncFnMut() -> Result<Option<T>>,
    tell: impl Fn(Duration),
) -> Result<T, Late> {
    let started = Instant::now();
    let limit = expected * 2 + GRACE;
    loop {
        let last = match ask().await {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => None,
            // A server that restarts meanwhile is given its time.
            Err(error) => Some(error),
        };
        if started.elapsed() > limit {
            return Err(Late { limit, last });
        }
        tell(expected.saturating_sub(started.elapsed()));
        tokio::time::sleep(POLL).await;
    }
}

/// A phase that did not come.
pub(super) struct Late {
    limit: Duration,
    last: Option<Error>,
}

impl Late {
    /// The error, with what was missed and whose log may know why.
    pub(super) fn error(self, missed: &str, log: &str) -> Error {
        let error = Error::new(Code::NotFired, format!("{missed} within {}", human(self.limit)))
            .hint(format!("see what it does with `moko-mon logs {log}`"));
        match self.last {
            Some(last) => last.causes.into_iter().fold(error.cause(last.message), Error::cause),
            None => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_did_not_come_is_told_with_the_last_answer_and_whose_log_may_know_why() {
        let last = Some(Error::new(Code::NotReady, "`GET x` was not answered").cause("Connection refused"));
        let error = Late { limit: Duration::from_secs(40), last }.error("the rule did not fire", "prometheus");
        assert_eq!(
            error.goal("could not simulate `CircuitBreakerOpen`").to_string(),
            "error: could not simulate `CircuitBreakerOpen`\n  \
             caused by: the rule did not fire within 40 s\n  \
             caused by: `GET x` was not answered\n  \
             caused by: Connection refused\n\
             hint: see what it does with `moko-mon logs prometheus`"
        );
    }
}
