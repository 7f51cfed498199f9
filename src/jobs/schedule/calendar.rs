//! Calendar events in systemd's form: `Mon..Fri *-*-* 03:00:00`, as systemd.time(7) has them.
//!
//! What few people write is refused by name: fractions of a second, times since the epoch, ranges of days counted from
//! the end of a month.

use super::Fault;
use super::pattern::{Pattern, Set};
use crate::config::did_you_mean;

const DAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

/// The short forms, each with what it stands for.
const SHORT: [(&str, &str); 9] = [
    ("minutely", "*-*-* *:*:00"),
    ("hourly", "*-*-* *:00:00"),
    ("daily", "*-*-* 00:00:00"),
    ("weekly", "Mon *-*-* 00:00:00"),
    ("monthly", "*-*-01 00:00:00"),
    ("quarterly", "*-01,04,07,10-01 00:00:00"),
    ("semiannually", "*-01,07-01 00:00:00"),
    ("yearly", "*-01-01 00:00:00"),
    ("annually", "*-01-01 00:00:00"),
];

const FORM: &str = "a cron expression such as `0 3 * * 1-5`, or a calendar event such as `Mon..Fri 03:00`";

/// The times that an event names. A time zone behind it has been taken off already.
pub(super) fn parse(text: &str) -> Result<Pattern, Fault> {
    let short = SHORT.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
    let mut parts: Vec<&str> = short.map_or(text, |(_, long)| long).split_whitespace().collect();
    let mut pattern = Pattern::midnight();
    let lead = parts.first().copied().unwrap_or_default();
    if lead.starts_with('@') {
        return Err(Fault::new(format!("has `{lead}`, a time since the epoch"), FORM));
    }
    if lead.starts_with(|c: char| c.is_ascii_alphabetic()) {
        pattern.weekdays = weekdays(lead)?;
        parts.remove(0);
        if parts.is_empty() {
            return Ok(pattern);
        }
    }
    match parts.as_slice() {
        [time] if time.contains(':') => self::time(&mut pattern, time)?,
        [date] => self::date(&mut pattern, date)?,
        [date, time] => {
            self::date(&mut pattern, date)?;
            self::time(&mut pattern, time)?;
        }
        _ => return Err(Fault::new("is neither", FORM)),
    }
    Ok(pattern)
}

/// `Mon`, `Mon,Wed`, `Mon..Fri`.
fn weekdays(text: &str) -> Result<Set, Fault> {
    let mut days = Set::default();
    for part in text.trim_end_matches(',').split(',') {
        let (first, last) = part.split_once("..").unwrap_or((part, part));
        let (first, last) = (weekday(first)?, weekday(last)?);
        // The week starts with Monday.
        let from_monday = |day: u8| (day + 6) % 7;
        if from_monday(first) > from_monday(last) {
            return Err(Fault::new(
                format!("has the days `{part}`, which run backwards"),
                "days from Monday to Sunday, such as `Fri..Sun,Mon`",
            ));
        }
        (from_monday(first)..=from_monday(last)).for_each(|day| days.insert((day + 1) % 7));
    }
    Ok(days)
}

fn weekday(text: &str) -> Result<u8, Fault> {
    let text = text.to_ascii_lowercase();
    let of = |name: &&str| **name == *text || name.get(..3) == Some(text.as_str());
    DAYS.iter().position(of).and_then(|index| u8::try_from(index).ok()).ok_or_else(|| {
        let words = DAYS.iter().copied().chain(SHORT.iter().map(|(name, _)| *name));
        Fault::new(format!("has `{text}`, which is no day of the week{}", did_you_mean(&text, words)), FORM)
    })
}

/// `*-*-*`, `*-12-24`, `12-24`, `*-*~1`.
fn date(pattern: &mut Pattern, text: &str) -> Result<(), Fault> {
    let (front, day, from_end) = match (text.rsplit_once('~'), text.rsplit_once('-')) {
        (Some((front, day)), _) => (front, day, true),
        (None, Some((front, day))) => (front, day, false),
        (None, None) => return Err(Fault::new(format!("has `{text}`, which is neither a date nor a time"), FORM)),
    };
    let (year, month) = front.rsplit_once('-').unwrap_or(("*", front));
    pattern.years = years(year)?;
    pattern.months = set("month", month, 1, 12)?;
    if from_end {
        if day.contains(['/', '.']) {
            return Err(Fault::new(
                format!("has `~{day}`, a range of days from the end"),
                "single days, such as `*-*~1,2`",
            ));
        }
        pattern.days = Set::default();
        pattern.days_from_end = set("day", day, 1, 31)?;
    } else {
        pattern.days = set("day", day, 1, 31)?;
    }
    Ok(())
}

/// `03:00`, `*:0/15`, `12:30:15`.
fn time(pattern: &mut Pattern, text: &str) -> Result<(), Fault> {
    if text.contains('.') && text.replace("..", "").contains('.') {
        return Err(Fault::new(format!("has `{text}`, with fractions of a second"), "whole seconds"));
    }
    let parts: Vec<&str> = text.split(':').collect();
    let ([hour, minute], second) = match parts.as_slice() {
        [hour, minute] => ([hour, minute], "0"),
        [hour, minute, second] => ([hour, minute], *second),
        _ => return Err(Fault::new(format!("has `{text}` as time of day"), "`hour:minute` or `hour:minute:second`")),
    };
    pattern.hours = set("hour", hour, 0, 23)?;
    pattern.minutes = set("minute", minute, 0, 59)?;
    pattern.seconds = set("second", second, 0, 59)?;
    Ok(())
}

/// The numbers of one part: `*`, `5`, `1..5`, `0/15`, `1,15`.
fn set(name: &str, text: &str, low: u8, high: u8) -> Result<Set, Fault> {
    let number = |text: &str| {
        let number = text.parse::<u8>().ok().filter(|number| (low..=high).contains(number));
        number.filter(|_| text.chars().all(|c| c.is_ascii_digit())).ok_or_else(|| {
            let shown = if text.is_empty() { "nothing".to_owned() } else { format!("`{text}`") };
            Fault::new(format!("has {shown} as {name}"), format!("{low} to {high}"))
        })
    };
    let mut all = Set::default();
    for part in text.split(',') {
        let (first, last, step) = pieces(part);
        let (first, last) = match (first, last) {
            ("*", None) => (low, high),
            (first, Some(last)) => (number(first)?, number(last)?),
            // A repetition goes on to the end.
            (first, None) => (number(first)?, if step.is_some() { high } else { number(first)? }),
        };
        let step = step.map_or(Ok(1), |step| {
            step.parse::<u8>().ok().filter(|step| *step > 0).ok_or_else(|| {
                Fault::new(format!("has the repetition `/{step}` in {name}"), "a whole number from 1 on")
            })
        })?;
        if first > last {
            return Err(Fault::new(
                format!("has the {name} `{part}`, which runs backwards"),
                "the smaller number first",
            ));
        }
        (first..=last).step_by(usize::from(step)).for_each(|number| all.insert(number));
    }
    Ok(all)
}

/// First, last and step of each range of years; none for every year.
fn years(text: &str) -> Result<Vec<(i16, i16, i16)>, Fault> {
    if text == "*" {
        return Ok(Vec::new());
    }
    let year = |text: &str| {
        text.parse::<i16>()
            .ok()
            .filter(|year| (1970..=2199).contains(year) && text.len() == 4)
            .ok_or_else(|| Fault::new(format!("has `{text}` as year"), "four digits, 1970 to 2199"))
    };
    let range = |part: &str| {
        let (first, last, step) = pieces(part);
        let first = if first == "*" { 1970 } else { year(first)? };
        let last = last.map_or(Ok(if step.is_some() { 2199 } else { first }), year)?;
        let step = step.map_or(Some(1), |step| step.parse().ok().filter(|step| *step > 0));
        let step = step.ok_or_else(|| Fault::new(format!("has `{part}` as year"), "a repetition from 1 on"))?;
        Ok((first, last, step))
    };
    text.split(',').map(range).collect()
}

/// `first..last/step`.
fn pieces(part: &str) -> (&str, Option<&str>, Option<&str>) {
    let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
    range.split_once("..").map_or((range, None, step), |(first, last)| (first, Some(last), step))
}
