//! What the tests share.

pub(crate) mod docker;
pub(crate) mod exporter;
pub(crate) mod http;
pub(crate) mod output;
pub(crate) mod stack;

use std::time::{Duration, Instant};

pub(crate) use docker::docker;
pub(crate) use output::Output;
pub(crate) use stack::Stack;

/// The four components.
pub(crate) const ALL: [&str; 4] = ["prometheus", "alertmanager", "pushgateway", "grafana"];

/// Asks again and again until the answer is `Ok`; the last `Err` says what was seen when the time is up.
///
/// Time limits are generous: they end a test that will never pass and judge nobody's speed.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut ask: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + Duration::from_secs(90);
    loop {
        match ask() {
            Ok(value) => return value,
            Err(seen) if Instant::now() > deadline => panic!("{what}: not within 90 s; seen last: {seen}"),
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}

/// `Ok` when a condition holds, else what was seen.
pub(crate) fn when(condition: bool, seen: impl std::fmt::Debug) -> Result<(), String> {
    if condition { Ok(()) } else { Err(format!("{seen:?}")) }
}
