//! When a job is due: a cron expression, a calendar event of systemd, or a fixed interval; exact in its time zone.
//!
//! Where the clock is put forward or back, each form does what its own scheduler does:
//!
//! | | a time that does not exist | a time that comes twice |
//! |---|---|---|
//! | cron, fixed times (`30 2 * * *`) | due when the clock is put forward | due the first time |
//! | cron, minute or hour starts with `*` | not due | due both times |
//! | systemd | not due | due the first time |
//! | `every` | counted in real time | counted in real time |

mod calendar;
mod cron;
mod pattern;
#[cfg(test)]
mod tests;
mod zone;

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use crate::config::PromDuration;
use pattern::Pattern;
pub use zone::zone;

/// When a job is due.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    text: String,
    zone: TimeZone,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Every(SignedDuration),
    Times(Pattern, Clock),
}

/// What happens where the clock is put forward or back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clock {
    /// Cron, fixed times: each once, whatever the clock does.
    Once,
    /// Cron, wildcards: whenever the clock shows it.
    Shown,
    /// systemd: when the clock shows it for the first time.
    FirstShown,
}

/// What is wrong with a schedule: the two halves of a problem's sentence, the first a remark behind its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub found: String,
    /// What would have been right.
    pub expected: String,
}

impl Fault {
    fn new(found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { found: found.into(), expected: expected.into() }
    }
}

/// One second, the finest that any schedule has.
const SECOND: SignedDuration = SignedDuration::from_secs(1);

impl Schedule {
    /// A cron expression or a calendar event; `zone` is where it is read, unless a calendar event names its own.
    pub fn parse(text: &str, zone: TimeZone) -> Result<Self, Fault> {
        let text = text.trim();
        let (body, zone) = match own_zone(text) {
            Some((body, own)) => {
                let refuse = |fact| Fault::new(format!("ends with `{own}`, which {fact}"), ZONE);
                (body, self::zone(own).map_err(refuse)?)
            }
            None => (text, zone),
        };
        let nickname = body.strip_prefix('@').is_some_and(|name| !name.starts_with(|c: char| c.is_ascii_digit()));
        let is_cron = nickname || body.split_whitespace().count() > 3;
        let (pattern, clock) = if is_cron {
            let (pattern, follows) = cron::parse(body)?;
            (pattern, if follows { Clock::Shown } else { Clock::Once })
        } else {
            (calendar::parse(body)?, Clock::FirstShown)
        };
        if !pattern.occurs() {
            return Err(Fault::new("never occurs", "days that some month has"));
        }
        Ok(Self { text: text.to_owned(), zone, kind: Kind::Times(pattern, clock) })
    }

    /// Every so often, counted from the start of one run to the next; at least a second.
    #[must_use]
    pub fn every(interval: &PromDuration) -> Self {
        let length = SignedDuration::try_from(interval.as_duration()).unwrap_or(SignedDuration::MAX).max(SECOND);
        Self { text: format!("every {interval}"), zone: TimeZone::UTC, kind: Kind::Every(length) }
    }

    /// Whether a calendar event names its time zone itself.
    #[must_use]
    pub fn names_zone(text: &str) -> bool {
        own_zone(text.trim()).is_some()
    }

    /// The schedule as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The IANA name of its time zone; `None` for an interval, which has none.
    #[must_use]
    pub fn zone_name(&self) -> Option<&str> {
        match self.kind {
            Kind::Every(_) => None,
            Kind::Times(..) => Some(self.zone.iana_name().unwrap_or("UTC")),
        }
    }

    /// Its time zone; UTC for an interval.
    #[must_use]
    pub const fn time_zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The first due time after `time`; for an interval, as if the job had started then. `None`: never again.
    #[must_use]
    pub fn next_after(&self, time: Timestamp) -> Option<Timestamp> {
        let (pattern, clock) = match &self.kind {
            Kind::Every(length) => return time.checked_add(*length).ok(),
            Kind::Times(pattern, clock) => (pattern, *clock),
        };
        // Due times are whole seconds.
        let mut from = Timestamp::from_second(time.as_nanosecond().div_euclid(1_000_000_000).try_into().ok()?).ok()?;
        from = from.checked_add(SECOND).ok()?;
        loop {
            let offset = self.zone.to_offset(from);
            let change = self.zone.following(from).next().map(|change| (change.timestamp(), change.offset()));
            let mut start = offset.to_datetime(from);
            if clock != Clock::Shown {
                start = start.max(self.shown_until(from).unwrap_or(start));
            }
            let found = pattern.next(start)?;
            let Some((end, behind)) = change else { return offset.to_timestamp(found).ok() };
            if found < offset.to_datetime(end) {
                return offset.to_timestamp(found).ok();
            }
            if clock == Clock::Once && found < behind.to_datetime(end) {
                return Some(end);
            }
            // No change moves the clock by more than a day: what is farther away needs no look at those before it.
            let near = Offset::UTC.to_timestamp(found).ok()?.checked_sub(SignedDuration::from_hours(48)).ok()?;
            from = end.max(near);
        }
    }

    /// Where the clock was put back last before `time`: what it had shown already then.
    fn shown_until(&self, time: Timestamp) -> Option<DateTime> {
        let after = time.checked_add(SECOND).ok()?;
        let change = self.zone.preceding(after).next()?;
        let before = self.zone.to_offset(change.timestamp().checked_sub(SECOND).ok()?);
        Some(before.to_datetime(change.timestamp()))
    }

    /// The last due time at `time` or before it. An interval has none: it counts from runs.
    #[must_use]
    pub fn previous(&self, time: Timestamp) -> Option<Timestamp> {
        if matches!(self.kind, Kind::Every(_)) {
            return None;
        }
        // Looked for farther and farther back, so that a due time each second is not counted through for years.
        [1, 25, 24 * 8, 24 * 32, 24 * 367, 24 * 366 * 9, 24 * 366 * 41].into_iter().find_map(|hours| {
            let from = time.checked_sub(SignedDuration::from_hours(hours)).ok()?;
            self.due(from, time).last()
        })
    }

    /// Every due time after `from` and not after `to`; for an interval, as if a run had started at `from`.
    pub fn due(&self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = Timestamp> + '_ {
        std::iter::successors(self.next_after(from), |time| self.next_after(*time)).take_while(move |time| *time <= to)
    }

    /// The shortest and the longest time between two due times; `None` where there are not two.
    #[must_use]
    pub fn gaps(&self) -> Option<(Duration, Duration)> {
        if let Kind::Every(length) = self.kind {
            let length = length.unsigned_abs();
            return Some((length, length));
        }
        let times = self.sample();
        let gaps =
            || times.windows(2).filter_map(|pair| Some(pair.get(1)?.duration_since(*pair.first()?).unsigned_abs()));
        Some((gaps().min()?, gaps().max()?))
    }

    /// The largest number of due times in any stretch of this length.
    #[must_use]
    pub fn most_within(&self, stretch: Duration) -> usize {
        if let Kind::Every(length) = self.kind {
            return usize::try_from(stretch.as_secs() / length.unsigned_abs().as_secs().max(1))
                .unwrap_or(usize::MAX)
                .max(1);
        }
        let times = self.sample();
        let stretch = SignedDuration::try_from(stretch).unwrap_or(SignedDuration::MAX);
        let mut first = times.iter().peekable();
        let mut most = 1;
        let mut within = 0;
        for time in &times {
            within += 1;
            while first.peek().is_some_and(|first| time.duration_since(**first) >= stretch) {
                first.next();
                within -= 1;
            }
            most = most.max(within);
        }
        most
    }

    /// Due times that show all there is to the schedule: those of years, or of weeks where there are very many. Always the
    /// same ones, so that rules made from them do not change from day to day.
    fn sample(&self) -> Vec<Timestamp> {
        const MANY: usize = 5_000;
        const VERY_MANY: usize = 20_000;
        // A Monday, and the first day of a leap year.
        let Ok(start) = Timestamp::from_second(1_704_067_199) else { return Vec::new() };
        let weeks = start.checked_add(SignedDuration::from_hours(24 * 15)).unwrap_or(start);
        let years = start.checked_add(SignedDuration::from_hours(24 * 366 * 28)).unwrap_or(start);
        let mut times = Vec::new();
        for time in self.due(start, years) {
            if times.len() > VERY_MANY || (times.len() > MANY && time > weeks) {
                break;
            }
            times.push(time);
        }
        times
    }
}

/// What a time zone is.
pub const ZONE: &str = "a name of the time zone database such as `Europe/Berlin`, or `UTC`";

/// The time zone behind a calendar event, and what is in front of it.
fn own_zone(text: &str) -> Option<(&str, &str)> {
    let (body, last) = text.rsplit_once(char::is_whitespace)?;
    let named = last == "UTC" || (last.contains('/') && last.starts_with(|c: char| c.is_ascii_alphabetic()));
    (named && body.split_whitespace().count() <= 3).then_some((body.trim_end(), last))
}
