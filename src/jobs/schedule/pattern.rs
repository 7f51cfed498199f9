//! Which dates and times of day a schedule names, without any time zone.

use jiff::civil::{Date, DateTime, Time, date};

/// The last year that is looked at; systemd ends there, too.
const LAST_YEAR: i16 = 2199;

/// A set of whole numbers from 0 to 63.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Set(u64);

impl Set {
    pub(super) fn insert(&mut self, number: u8) {
        self.0 |= 1_u64.checked_shl(u32::from(number)).unwrap_or(0);
    }

    pub(super) const fn has(self, number: u8) -> bool {
        self.0 & (1 << (number % 64)) != 0
    }

    /// The least element from `floor` on.
    fn from(self, floor: u8) -> Option<u8> {
        (floor..64).find(|number| self.has(*number))
    }
}

impl FromIterator<u8> for Set {
    fn from_iter<I: IntoIterator<Item = u8>>(numbers: I) -> Self {
        let mut set = Self::default();
        numbers.into_iter().for_each(|number| set.insert(number));
        set
    }
}

/// Dates and times of day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    pub(super) seconds: Set,
    pub(super) minutes: Set,
    pub(super) hours: Set,
    /// Days of the month, from 1.
    pub(super) days: Set,
    /// Days of the month, 1 being its last.
    pub(super) days_from_end: Set,
    pub(super) months: Set,
    /// Days of the week, 0 being Sunday.
    pub(super) weekdays: Set,
    /// First year, last year and step of each range; empty: every year.
    pub(super) years: Vec<(i16, i16, i16)>,
    /// Whether one of day of month and day of week is enough, as cron has it when both are restricted.
    pub(super) either_day: bool,
}

impl Pattern {
    /// Midnight of every day.
    pub(super) fn midnight() -> Self {
        Self {
            seconds: Set::from_iter([0]),
            minutes: Set::from_iter([0]),
            hours: Set::from_iter([0]),
            days: (1..=31).collect(),
            days_from_end: Set::default(),
            months: (1..=12).collect(),
            weekdays: (0..=6).collect(),
            years: Vec::new(),
            either_day: false,
        }
    }

    /// The first match from `start` on.
    pub(super) fn next(&self, start: DateTime) -> Option<DateTime> {
        let start = if start.subsec_nanosecond() == 0 {
            start
        } else {
            let second = start.with().subsec_nanosecond(0).build().ok()?;
            second.checked_add(jiff::SignedDuration::from_secs(1)).ok()?
        };
        if self.has_date(start.date())
            && let Some(time) = self.next_time(start.time())
        {
            return Some(start.date().to_datetime(time));
        }
        let day = self.next_date(start.date().tomorrow().ok()?)?;
        Some(day.to_datetime(self.next_time(Time::midnight())?))
    }

    /// Whether there is a match at all, in any year that still counts.
    pub(super) fn occurs(&self) -> bool {
        let first = self.years.iter().map(|(first, ..)| *first).min().unwrap_or(1970);
        first <= LAST_YEAR && self.next(date(first.max(1970), 1, 1).to_datetime(Time::midnight())).is_some()
    }

    fn has_date(&self, day: Date) -> bool {
        self.has_year(day.year()) && self.months.has(small(day.month())) && self.has_day(day)
    }

    fn has_year(&self, year: i16) -> bool {
        let within =
            |&(first, last, step): &(i16, i16, i16)| (first..=last).contains(&year) && (year - first) % step == 0;
        self.years.is_empty() || self.years.iter().any(within)
    }

    /// Whether the day is right, whatever month and year are.
    fn has_day(&self, day: Date) -> bool {
        let from_end = day.days_in_month() - day.day() + 1;
        let of_month = self.days.has(small(day.day())) || self.days_from_end.has(small(from_end));
        let of_week = self.weekdays.has(small(day.weekday().to_sunday_zero_offset()));
        if self.either_day { of_month || of_week } else { of_month && of_week }
    }

    /// The first date from `day` on.
    fn next_date(&self, mut day: Date) -> Option<Date> {
        while day.year() <= LAST_YEAR {
            if !self.has_year(day.year()) {
                day = Date::new(day.year() + 1, 1, 1).ok()?;
            } else if !self.months.has(small(day.month())) {
                day = day.last_of_month().tomorrow().ok()?;
            } else if self.has_day(day) {
                return Some(day);
            } else {
                day = day.tomorrow().ok()?;
            }
        }
        None
    }

    /// The first time of day from `start` on.
    fn next_time(&self, start: Time) -> Option<Time> {
        let (hour, minute) = (small(start.hour()), small(start.minute()));
        let in_minute = || Some((hour, minute, self.seconds.from(small(start.second()))?));
        let in_hour = || Some((hour, self.minutes.from(minute + 1)?, self.seconds.from(0)?));
        let later = || Some((self.hours.from(hour + 1)?, self.minutes.from(0)?, self.seconds.from(0)?));
        let this_hour = self.hours.has(hour);
        let this_minute = this_hour && self.minutes.has(minute);
        let found = this_minute.then(in_minute).flatten().or_else(|| this_hour.then(in_hour).flatten()).or_else(later);
        let (hour, minute, second) = found?;
        Time::new(hour.cast_signed(), minute.cast_signed(), second.cast_signed(), 0).ok()
    }
}

/// A part of a date or time, none of which is negative.
fn small(number: i8) -> u8 {
    number.unsigned_abs()
}
