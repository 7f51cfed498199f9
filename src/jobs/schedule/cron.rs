//! Cron expressions, as the cron of Debian reads them: five fields, or a nickname such as `@daily`.

use super::Fault;
use super::pattern::{Pattern, Set};
use crate::config::did_you_mean;

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// The nicknames, each with the expression that it stands for.
const NICKNAMES: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// What a field may hold.
struct Field {
    name: &'static str,
    least: u8,
    most: u8,
    names: &'static [&'static str],
    /// The number of the first name.
    first_name: u8,
}

const FIELDS: [Field; 5] = [
    Field { name: "minute", least: 0, most: 59, names: &[], first_name: 0 },
    Field { name: "hour", least: 0, most: 23, names: &[], first_name: 0 },
    Field { name: "day of month", least: 1, most: 31, names: &[], first_name: 0 },
    Field { name: "month", least: 1, most: 12, names: &MONTHS, first_name: 1 },
    // 0 and 7 are both Sunday.
    Field { name: "day of week", least: 0, most: 7, names: &DAYS, first_name: 0 },
];

/// The times that an expression names, and whether it follows the clock: cron treats a job whose minute or hour starts
/// with `*` otherwise than one of fixed times when the clock is put forward or back.
pub(super) fn parse(text: &str) -> Result<(Pattern, bool), Fault> {
    let expression = match text.strip_prefix('@') {
        Some("reboot") => {
            return Err(Fault::new(
                "has `@reboot`, which names no time, so nobody can say when a run is missing",
                "a cron expression with times",
            ));
        }
        Some(_) => {
            let known = NICKNAMES.iter().find(|(name, _)| *name == text.to_ascii_lowercase());
            known.map(|(_, expression)| *expression).ok_or_else(|| {
                let guess = did_you_mean(text, NICKNAMES.iter().map(|(name, _)| *name));
                Fault::new(
                    format!("is no nickname of cron{guess}"),
                    "`@hourly`, `@daily`, `@weekly`, `@monthly` or `@yearly`",
                )
            })?
        }
        None => text,
    };
    let parts: Vec<&str> = expression.split_whitespace().collect();
    let [minute, hour, day, month, weekday] = parts.as_slice() else {
        let hint =
            if parts.len() == 6 { " (seconds and years are not cron's; systemd's calendar form has them)" } else { "" };
        return Err(Fault::new(
            format!("has {} fields{hint}", parts.len()),
            "five: minute, hour, day of month, month, day of week",
        ));
    };
    let [of_minute, of_hour, of_day, of_month, of_weekday] = &FIELDS;
    let mut weekdays = set(of_weekday, weekday)?;
    if weekdays.has(7) {
        weekdays.insert(0);
    }
    let star = |field: &str| field.starts_with('*');
    let pattern = Pattern {
        minutes: set(of_minute, minute)?,
        hours: set(of_hour, hour)?,
        days: set(of_day, day)?,
        months: set(of_month, month)?,
        weekdays,
        // Cron looks at the first character alone: `*/2` counts as unrestricted.
        either_day: !star(day) && !star(weekday),
        ..Pattern::midnight()
    };
    Ok((pattern, star(minute) || star(hour)))
}

/// The numbers of one field.
fn set(field: &Field, text: &str) -> Result<Set, Fault> {
    let mut all = Set::default();
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (part, None),
        };
        let (first, last) = if range == "*" {
            (field.least, field.most)
        } else if let Some((first, last)) = range.split_once('-') {
            (number(field, first)?, number(field, last)?)
        } else {
            let only = number(field, range)?;
            if step.is_some() {
                let (name, most) = (field.name, field.most);
                return Err(Fault::new(
                    format!("has `{part}` as {name}, a step behind a single number"),
                    format!("a range in front of the step, such as `{only}-{most}/{}`", step.unwrap_or_default()),
                ));
            }
            (only, only)
        };
        if first > last {
            let expected = "the smaller number first; write what goes over the end as two, such as `22-23,0-5`";
            return Err(Fault::new(format!("has the {} `{range}`, which runs backwards", field.name), expected));
        }
        let step = match step {
            None => 1,
            Some(step) => plain(step).filter(|step| *step > 0).ok_or_else(|| {
                Fault::new(format!("has the step `{step}` in {}", field.name), "a whole number from 1 on")
            })?,
        };
        (first..=last).step_by(usize::from(step)).for_each(|number| all.insert(number));
    }
    Ok(all)
}

/// One number or name.
fn number(field: &Field, text: &str) -> Result<u8, Fault> {
    let named = field.names.iter().position(|name| name.eq_ignore_ascii_case(text));
    if let Some(index) = named.and_then(|index| u8::try_from(index).ok()) {
        return Ok(index + field.first_name);
    }
    let Field { name, least, most, names, .. } = field;
    let expected = match names.first() {
        Some(first) => format!("{least} to {most}, or a name such as `{first}`"),
        None => format!("{least} to {most}"),
    };
    match plain(text) {
        Some(number) if (*least..=*most).contains(&number) => Ok(number),
        _ => {
            let foreign = matches!(text, "?" | "L" | "H") || text.contains(['#', '~']) || text.ends_with(['W', 'L']);
            let remark = if foreign { ", which is not cron's" } else { "" };
            let guess = did_you_mean(&text.to_ascii_lowercase(), names.iter().copied());
            Err(Fault::new(format!("has `{text}` as {name}{remark}{guess}"), expected))
        }
    }
}

/// A number without a sign.
fn plain(text: &str) -> Option<u8> {
    text.parse().ok().filter(|_| text.chars().all(|c| c.is_ascii_digit()))
}
