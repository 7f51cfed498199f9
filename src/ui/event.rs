//! What happens while a command works, as events; how they look is the reporters' business.

use std::time::Duration;

use crate::component::Component;
use crate::plan::Step;

/// Something a person may want to see now.
#[derive(Debug)]
pub enum Event<'a> {
    /// A step begins.
    Started(&'a Step),
    /// A step is done.
    Done(&'a Step, Duration),
    /// A step failed; the error is shown at the end.
    Failed(&'a Step),
    /// An image is being fetched: bytes so far, bytes known to be needed.
    Pulling {
        /// The image.
        image: &'a str,
        /// Bytes so far.
        current: u64,
        /// Bytes known to be needed.
        total: u64,
    },
    /// A server is still not ready.
    Waiting {
        /// Which one.
        component: Component,
        /// For how long.
        elapsed: Duration,
        /// What it said last.
        last: &'a str,
    },
    /// Something will come within a while.
    Countdown {
        /// Whom it is about.
        name: &'a str,
        /// What will come: `to fire`.
        phase: &'a str,
        /// Within how long; zero: it is overdue.
        left: Duration,
    },
    /// Something else worth a line.
    Note(&'a str),
    /// A warning.
    Warning(&'a str),
    /// Nothing more will come; drawings are taken off the terminal.
    End,
}

/// Shows events.
pub trait Reporter {
    /// Shows one.
    fn on(&self, event: &Event<'_>);
}

/// A duration for people: `0.4 s`, `12 s`, `2 min 5 s`.
#[must_use]
pub fn human(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..=9 => format!("{:.1} s", duration.as_secs_f64()),
        10..=119 => format!("{seconds} s"),
        120..7200 => format!("{} min {} s", seconds / 60, seconds % 60),
        7200..172_800 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// What a countdown says: `to fire within 12 s`.
#[must_use]
pub(super) fn countdown(phase: &str, left: Duration) -> String {
    // A clock that counts down shows no parts of a second.
    let seconds = left.as_secs();
    match seconds {
        0 => format!("{phase} at any moment"),
        1..=119 => format!("{phase} within {seconds} s"),
        _ => format!("{phase} within {} min {} s", seconds / 60, seconds % 60),
    }
}

/// Bytes for people: `12.3 MB`.
#[must_use]
pub(super) fn megabytes(bytes: u64) -> String {
    // One decimal in integers: floats would need a cast that loses digits.
    format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_read_well() {
        assert_eq!(human(Duration::from_millis(432)), "0.4 s");
        assert_eq!(human(Duration::from_secs(12)), "12 s");
        assert_eq!(human(Duration::from_secs(125)), "2 min 5 s");
        assert_eq!(human(Duration::from_secs(40 * 3600)), "40 h 0 min");
        assert_eq!(human(Duration::from_secs(50 * 3600)), "2 d 2 h");
        assert_eq!(megabytes(12_345_678), "12.3 MB");
        assert_eq!(countdown("to fire", Duration::from_millis(12_900)), "to fire within 12 s");
        assert_eq!(countdown("to fire", Duration::from_secs(300)), "to fire within 5 min 0 s");
        assert_eq!(countdown("to fire", Duration::ZERO), "to fire at any moment");
    }
}
