//! How long nothing has run, and how much longer that has to go on: the one alert that no push can cause.

use std::time::Duration;

use crate::config::PromDuration;
use crate::error::Result;
use crate::http::prometheus::Prometheus;

/// The time until the rule sees no run any more, if none comes; zero: it sees none now.
pub(super) async fn left(prometheus: &Prometheus, silence: &PromDuration) -> Result<Duration> {
    let limit = silence.as_duration();
    let seconds = limit.as_secs_f64();
    // A timestamp in the future counts as well, up to the limit.
    let by_timestamp = number(
        prometheus,
        &format!("max(moko_script_last_execution_timestamp_seconds < time() + {seconds}) + {seconds} - time()"),
    )
    .await?;
    let by_timestamp =
        by_timestamp.map_or(Duration::ZERO, |left| Duration::try_from_secs_f64(left).unwrap_or_default());
    Ok(by_timestamp.max(by_counters(prometheus, limit).await?))
}

/// The time until the last step of the counters has left the window, found by halving.
async fn by_counters(prometheus: &Prometheus, limit: Duration) -> Result<Duration> {
    let moved = async |window: Duration| -> Result<bool> {
        let query = format!("sum(increase(moko_script_executions_total[{}s])) > 0", window.as_secs().max(1));
        Ok(number(prometheus, &query).await?.is_some())
    };
    if !moved(limit).await? {
        return Ok(Duration::ZERO);
    }
    let (mut without, mut with) = (Duration::ZERO, limit);
    while with.saturating_sub(without) > Duration::from_secs(2) {
        let middle = (without + with) / 2;
        if moved(middle).await? { with = middle } else { without = middle }
    }
    Ok(limit.saturating_sub(without))
}

/// The first number of an answer.
async fn number(prometheus: &Prometheus, query: &str) -> Result<Option<f64>> {
    Ok(prometheus.query(query).await?.first().map(|sample| sample.value).filter(|value| value.is_finite()))
}
