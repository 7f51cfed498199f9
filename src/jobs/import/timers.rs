//! Timers of systemd: units `NAME.timer`, each with the service that it starts.

use std::collections::BTreeMap;

use super::command::words;
use super::{Import, Proposal, fault};

/// The jobs of the units in a folder: file names and contents, services among them. `timezone` is the machine's own.
#[must_use]
pub fn timers(units: &BTreeMap<String, String>, timezone: Option<&str>) -> Import {
    let mut found = Import::default();
    for (file, text) in units {
        let Some(name) = file.strip_suffix(".timer") else { continue };
        match timer(name, text, units, timezone) {
            Ok((job, note)) => {
                found.add(job);
                found.notes.extend(note.map(|note| format!("{file}: {note}")));
            }
            Err(fact) => found.skipped.push(format!("{file}: {fact}")),
        }
    }
    found
}

/// The job of a timer, and what it lacks.
fn timer(
    name: &str,
    text: &str,
    units: &BTreeMap<String, String>,
    timezone: Option<&str>,
) -> Result<(Proposal, Option<String>), String> {
    if name.ends_with('@') {
        return Err("it is a template, of which nobody knows the instances".to_owned());
    }
    let events = values(text, "Timer", "OnCalendar");
    let repeated = values(text, "Timer", "OnUnitActiveSec");
    let (schedule, every) = match (events.as_slice(), repeated.as_slice()) {
        ([event], []) => (Some((*event).to_owned()), None),
        ([], [span]) => (None, Some(duration(span).ok_or_else(|| format!("`OnUnitActiveSec={span}` is no duration"))?)),
        ([], []) => return Err("it has neither `OnCalendar` nor `OnUnitActiveSec`".to_owned()),
        _ => return Err("it has several times, and a job has one schedule".to_owned()),
    };
    // A time zone in the event itself is stronger than the machine's.
    let timezone = schedule.as_deref().filter(|text| !super::Schedule::names_zone(text)).and(timezone);
    if let Some(fault) = schedule.as_deref().and_then(|text| fault(text, timezone)) {
        return Err(fault);
    }
    let service =
        values(text, "Timer", "Unit").first().map_or_else(|| format!("{name}.service"), |unit| (*unit).to_owned());
    let (command, note) = match units.get(&service).map(|text| values(text, "Service", "ExecStart")).as_deref() {
        // A minus and the like in front say how systemd treats the result.
        Some([line]) => (words(line.trim_start_matches(['-', '@', '+', '!', ':']), "sh"), None),
        Some([]) => (Vec::new(), Some(format!("`{service}` has no `ExecStart`, so the job has no command"))),
        Some(lines) => {
            let fact = format!("`{service}` has {} lines `ExecStart`, and a job has one command", lines.len());
            (Vec::new(), Some(format!("{fact}: put `moko-mon run --name {name} --` where the work is done")))
        }
        None => (Vec::new(), Some(format!("`{service}` is not in the folder, so the job has no command"))),
    };
    let delay = values(text, "Timer", "RandomizedDelaySec").first().and_then(|span| seconds(span)).unwrap_or_default();
    // The usual hour, and how late systemd itself may be.
    let grace = (delay > 0).then(|| crate::jobs::span(std::time::Duration::from_secs(3600 + delay)));
    let timezone = timezone.map(str::to_owned);
    Ok((Proposal { name: name.to_owned(), schedule, every, timezone, grace, command }, note))
}

/// The values of a key in a section; an empty one takes back those before it.
fn values<'a>(text: &'a str, section: &str, key: &str) -> Vec<&'a str> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            inside = name == section;
        } else if let Some((name, value)) = line.split_once('=').filter(|_| inside && !line.starts_with(['#', ';']))
            && name.trim() == key
        {
            if value.trim().is_empty() {
                found.clear();
            } else {
                found.push(value.trim());
            }
        }
    }
    found
}

/// A time span of systemd in our notation.
fn duration(span: &str) -> Option<String> {
    seconds(span)
        .filter(|seconds| *seconds > 0)
        .map(|seconds| crate::jobs::span(std::time::Duration::from_secs(seconds)))
}

/// `1h 30min`, `90`, `5 minutes`, in whole seconds.
fn seconds(span: &str) -> Option<u64> {
    let mut total = 0_u64;
    let mut rest = span.trim();
    while !rest.is_empty() {
        let (number, behind) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
        let behind = behind.trim_start();
        let (unit, behind) = behind.split_at(behind.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(behind.len()));
        let length = match unit {
            "" | "s" | "sec" | "second" | "seconds" => 1,
            "m" | "min" | "minute" | "minutes" => 60,
            "h" | "hr" | "hour" | "hours" => 3600,
            "d" | "day" | "days" => 86_400,
            "w" | "week" | "weeks" => 604_800,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(length)?)?;
        rest = behind.trim_start();
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_become_jobs() {
        let units = [
            (
                "backup.timer",
                "[Unit]\nDescription=x\n[Timer]\nOnCalendar=Mon..Fri 03:00\nRandomizedDelaySec=12h\nPersistent=true\n",
            ),
            ("backup.service", "[Service]\nExecStart=-/srv/backup.sh --full\n"),
            ("sync.timer", "[Timer]\nOnBootSec=1min\nOnUnitActiveSec=1h 30min\nUnit=other.service\n"),
            ("other.service", "[Service]\nExecStart=/bin/sh -c 'a && b'\n"),
            ("rome.timer", "[Timer]\nOnCalendar=daily\nOnCalendar=\nOnCalendar=04:00 Europe/Rome\n"),
            ("twice.timer", "[Timer]\nOnCalendar=03:00\nOnCalendar=15:00\n"),
            ("boot.timer", "[Timer]\nOnBootSec=5min\n"),
            ("pg@.timer", "[Timer]\nOnCalendar=daily\n"),
            ("odd.timer", "[Timer]\nOnCalendar=Fri..Mon 05:00\n"),
            ("steps.timer", "[Timer]\nOnCalendar=daily\n"),
            ("steps.service", "[Service]\nType=oneshot\nExecStart=/srv/one\nExecStart=/srv/two\n"),
            ("idle.timer", "[Timer]\nOnCalendar=daily\n"),
            ("idle.service", "[Service]\nType=oneshot\n"),
        ];
        let units = units.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
        let found = timers(&units, Some("Europe/Berlin"));
        assert_eq!(
            crate::yaml::to_string(&found.jobs).unwrap(),
            "- name: backup\n  schedule: \"Mon..Fri 03:00\"\n  timezone: Europe/Berlin\n  grace: 13h\n  command:\n    - /srv/backup.sh\n    - \"--full\"\n\
             - name: idle\n  schedule: daily\n  timezone: Europe/Berlin\n\
             - name: rome\n  schedule: \"04:00 Europe/Rome\"\n\
             - name: steps\n  schedule: daily\n  timezone: Europe/Berlin\n\
             - name: sync\n  every: 1h30m\n  command:\n    - sh\n    - \"-c\"\n    - \"/bin/sh -c 'a && b'\"\n"
        );
        assert_eq!(
            found.notes,
            [
                "idle.timer: `idle.service` has no `ExecStart`, so the job has no command",
                "rome.timer: `rome.service` is not in the folder, so the job has no command",
                "steps.timer: `steps.service` has 2 lines `ExecStart`, and a job has one command: put `moko-mon run --name \
                 steps --` where the work is done",
            ]
        );
        assert_eq!(
            found.skipped,
            [
                "boot.timer: it has neither `OnCalendar` nor `OnUnitActiveSec`",
                "odd.timer: `Fri..Mon 05:00` has the days `Fri..Mon`, which run backwards",
                "pg@.timer: it is a template, of which nobody knows the instances",
                "twice.timer: it has several times, and a job has one schedule",
            ]
        );
    }
}
