//! A crontab: lines of five times (or a nickname) and a command; in a crontab of the system the user stands between.

use super::command::{is_plain, is_single, name_of, words};
use super::{Import, Proposal, fault};

/// A line of a crontab that starts something.
struct Line<'a> {
    /// Where the command begins, in bytes.
    at: usize,
    schedule: String,
    /// The command as it stands there.
    command: &'a str,
}

/// The jobs of a crontab. `system`: each line has a user; `timezone` is the machine's own; `place` names the file.
#[must_use]
pub fn crontab(text: &str, system: bool, timezone: Option<&str>, place: &str) -> Import {
    let mut found = Import::default();
    let mut timezone = timezone.map(str::to_owned);
    let mut shell = "sh".to_owned();
    for (number, line) in text.lines().enumerate() {
        let place = format!("{place}:{}", number + 1);
        if let Some(zone) = variable(line, "CRON_TZ") {
            timezone = Some(zone.to_owned());
        } else if let Some(program) = variable(line, "SHELL") {
            program.clone_into(&mut shell);
        }
        if is_remark(line) {
            continue;
        }
        let Some(Line { schedule, command, .. }) = read(line, system) else {
            found.skipped.push(format!("{place}: `{}` is no line of a crontab", line.trim()));
            continue;
        };
        if let Some(fault) = fault(&schedule, timezone.as_deref()) {
            found.skipped.push(format!("{place}: {fault}"));
            continue;
        }
        let (command, input) = split_input(command);
        if input.is_some() {
            found.notes.push(format!("{place}: the input behind `%` is not part of the job's command"));
        }
        let command = command.replace("\\%", "%");
        let (name, command) = match run(&command) {
            Some(run) => (run.name, run.command),
            None => (name_of(&command), command),
        };
        let command = if command.is_empty() { Vec::new() } else { words(&command, &shell) };
        let timezone = timezone.clone();
        found.add(Proposal { name, schedule: Some(schedule), every: None, timezone, grace: None, command });
    }
    found
}

/// What `moko-mon run` in front of each command makes of a crontab.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wrapped {
    /// The number of each line that changes, from 1, the line, and what it becomes.
    pub changes: Vec<(usize, String, String)>,
    /// The lines that cron would not understand, and why: one sentence each, with its place.
    pub left: Vec<String>,
}

/// The lines of a crontab with `moko-mon run` in front of each command that has none; `name` may know a better name than
/// the command's own; `place` names the file.
#[must_use]
pub fn wrapped(text: &str, system: bool, place: &str, name: impl Fn(&str) -> Option<String>) -> Wrapped {
    let mut taken: Vec<String> = Vec::new();
    let mut found = Wrapped::default();
    let mut shell = "sh".to_owned();
    for (number, line) in text.lines().enumerate() {
        if let Some(program) = variable(line, "SHELL") {
            program.clone_into(&mut shell);
        }
        if is_remark(line) {
            continue;
        }
        let mut leave = |fact: String| found.left.push(format!("{place}:{}: {fact}", number + 1));
        let Some(Line { at, schedule, command }) = read(line, system) else {
            leave(format!("`{}` is no line of a crontab", line.trim()));
            continue;
        };
        // Cron starts it, but at no time that could be missed.
        if let Some(fault) = fault(&schedule, None).filter(|_| schedule != "@reboot") {
            leave(fault);
            continue;
        }
        if run(command).is_some() {
            continue;
        }
        let (line_of_shell, input) = split_input(command);
        let plain = line_of_shell.replace("\\%", "%");
        let base = name(&plain).unwrap_or_else(|| name_of(&plain));
        let (mut own, mut number_of_name) = (base.clone(), 1);
        while taken.contains(&own) {
            number_of_name += 1;
            own = format!("{base}-{number_of_name}");
        }
        taken.push(own.clone());
        let is_shell = ["sh ", "bash "].iter().any(|shell| plain.starts_with(shell)) && is_single(&plain);
        let argv = if is_plain(&plain) || is_shell {
            line_of_shell.to_owned()
        } else {
            format!("{shell} -c {}", quoted(line_of_shell))
        };
        let input = input.unwrap_or_default();
        let front = line.get(..at).unwrap_or_default();
        let name = if own.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) { own } else { quoted(&own) };
        let after = format!("{front}moko-mon run --name {name} -- {argv}{input}");
        found.changes.push((number + 1, line.to_owned(), after));
    }
    found
}

/// The value of a variable, where a line sets it.
fn variable<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (found, value) = line.split_once('=')?;
    (found.trim() == name).then(|| value.trim().trim_matches(['"', '\''])).filter(|value| !value.is_empty())
}

/// Neither a command nor anything wrong: empty lines, remarks, variables.
fn is_remark(line: &str) -> bool {
    let line = line.trim();
    let variable = line.split_once('=').is_some_and(|(name, _)| {
        let name = name.trim();
        !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !name.starts_with(|c: char| c.is_ascii_digit())
    });
    line.is_empty() || line.starts_with('#') || variable
}

fn read(line: &str, system: bool) -> Option<Line<'_>> {
    let times = if line.trim_start().starts_with('@') { 1 } else { 5 };
    let mut rest = line.trim_start();
    let mut fields = Vec::new();
    for _ in 0..times + usize::from(system) {
        let end = rest.find(char::is_whitespace)?;
        fields.push(rest.get(..end)?);
        rest = rest.get(end..)?.trim_start();
    }
    let schedule = fields.get(..times)?.join(" ");
    (!rest.is_empty()).then(|| Line { at: line.len() - rest.len(), schedule, command: rest.trim_end() })
}

/// Splits at the first `%` without a backslash, which cron takes for the end of the command.
fn split_input(command: &str) -> (&str, Option<&str>) {
    let bytes = command.as_bytes();
    let is_end = |at: &usize| bytes.get(*at) == Some(&b'%') && (*at == 0 || bytes.get(*at - 1) != Some(&b'\\'));
    match (0..bytes.len()).find(is_end) {
        Some(at) => (command.get(..at).unwrap_or(command), command.get(at..)),
        None => (command, None),
    }
}

/// A command that has `moko-mon run` in it already.
struct Run {
    name: String,
    /// The line without it; empty where the manifest has the command.
    command: String,
}

fn run(line: &str) -> Option<Run> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let is_run = |pair: &[&str]| pair[0].rsplit('/').next() == Some("moko-mon") && pair[1] == "run";
    let at = words.windows(2).position(is_run)?;
    let (front, rest) = (words.get(..at)?, words.get(at + 2..)?);
    let end = rest.iter().position(|word| *word == "--");
    let (own, behind) = rest.split_at(end.unwrap_or(rest.len()));
    let named = own.iter().position(|word| *word == "--name").and_then(|at| own.get(at + 1));
    // `moko-mon run JOB`: the first word that is neither an option nor the value of one.
    let valued = |word: &str| ["--name", "--timeout", "--capture", "--textfile"].contains(&word);
    let job = own.iter().enumerate().find(|(at, word)| {
        !word.starts_with('-') && !at.checked_sub(1).and_then(|at| own.get(at)).is_some_and(|before| valued(before))
    });
    let command = match behind.split_first() {
        Some((_, behind)) => {
            // As it stands there: blanks in quotes count.
            let own = line.find("moko-mon").and_then(|at| line.get(at..)).and_then(|text| text.split_once(" -- "));
            let text = own.map_or_else(|| behind.join(" "), |(_, text)| text.to_owned());
            front.iter().copied().chain([text.as_str()]).collect::<Vec<_>>().join(" ")
        }
        None => String::new(),
    };
    let name = named.or(job.map(|(_, word)| word)).map(|name| name.trim_matches(['"', '\'']).to_owned());
    Some(Run { name: name.unwrap_or_else(|| name_of(&command)), command })
}

/// A text as one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# m h dom mon dow command
MAILTO=ops@example.com
0 3 * * 1-5 /srv/backup.sh --full
*/5 * * * * cd /srv/app && ./sync 'all of it' >/dev/null
@daily bash /srv/report.sh
@reboot /srv/agent
61 * * * * /srv/wrong
0 4 * * * mail -s hi ann%first line
0 5 * * * moko-mon run --name nightly -- /srv/nightly.sh
0 6 * * * date +\\%F
nonsense
SHELL=/bin/bash
0 7 * * * [[ -e /x ]] && flock -n /lock /srv/sync
0 8 * * * nice -n 10 moko-mon run --no-overlap weekly
0 9 * * * runuser -u x -- moko-mon run --timeout 1h -- /srv/a 'b  c'
";

    #[test]
    fn a_crontab_becomes_jobs() {
        let found = crontab(TEXT, false, Some("Europe/Berlin"), "tab");
        let jobs: Vec<(&str, &str, String)> = found
            .jobs
            .iter()
            .map(|job| (job.name.as_str(), job.schedule.as_deref().unwrap(), job.command.join("|")))
            .collect();
        assert_eq!(
            jobs,
            [
                ("backup.sh", "0 3 * * 1-5", "/srv/backup.sh|--full".to_owned()),
                ("sync", "*/5 * * * *", "sh|-c|cd /srv/app && ./sync 'all of it' >/dev/null".to_owned()),
                ("report.sh", "@daily", "bash|/srv/report.sh".to_owned()),
                ("mail", "0 4 * * *", "mail|-s|hi|ann".to_owned()),
                ("nightly", "0 5 * * *", "/srv/nightly.sh".to_owned()),
                ("date", "0 6 * * *", "date|+%F".to_owned()),
                ("sync-2", "0 7 * * *", "/bin/bash|-c|[[ -e /x ]] && flock -n /lock /srv/sync".to_owned()),
                ("weekly", "0 8 * * *", String::new()),
                ("a", "0 9 * * *", "/bin/bash|-c|runuser -u x -- /srv/a 'b  c'".to_owned()),
            ]
        );
        assert!(found.jobs.iter().all(|job| job.timezone.as_deref() == Some("Europe/Berlin")));
        assert_eq!(
            found.skipped,
            [
                "tab:6: `@reboot` has `@reboot`, which names no time, so nobody can say when a run is missing",
                "tab:7: `61 * * * *` has `61` as minute",
                "tab:11: `nonsense` is no line of a crontab",
            ]
        );
        assert_eq!(found.notes, ["tab:8: the input behind `%` is not part of the job's command"]);
    }

    #[test]
    fn a_line_of_the_system_names_its_user() {
        let found = crontab("CRON_TZ=Asia/Tokyo\n17 * * * * root /srv/a\n18 * * * * root /srv/a\n", true, None, "tab");
        let names: Vec<&str> = found.jobs.iter().map(|job| job.name.as_str()).collect();
        assert_eq!(names, ["a", "a-2"]);
        assert_eq!(found.jobs[0].timezone.as_deref(), Some("Asia/Tokyo"));
    }

    #[test]
    fn commands_are_wrapped_and_nothing_else_changes() {
        let wrapped = wrapped(TEXT, false, "tab", |line| line.contains("backup").then(|| "the backup".to_owned()));
        let changes = wrapped.changes.iter().map(|(number, _, line)| format!("{number}: {line}"));
        assert_eq!(
            changes.collect::<Vec<_>>(),
            [
                "3: 0 3 * * 1-5 moko-mon run --name 'the backup' -- /srv/backup.sh --full",
                r"4: */5 * * * * moko-mon run --name sync -- sh -c 'cd /srv/app && ./sync '\''all of it'\'' >/dev/null'",
                "5: @daily moko-mon run --name report.sh -- bash /srv/report.sh",
                "6: @reboot moko-mon run --name agent -- /srv/agent",
                "8: 0 4 * * * moko-mon run --name mail -- mail -s hi ann%first line",
                r"10: 0 6 * * * moko-mon run --name date -- date +\%F",
                "13: 0 7 * * * moko-mon run --name sync-2 -- /bin/bash -c '[[ -e /x ]] && flock -n /lock /srv/sync'",
            ]
        );
        assert_eq!(
            wrapped.left,
            ["tab:7: `61 * * * *` has `61` as minute", "tab:11: `nonsense` is no line of a crontab"]
        );
    }

    #[test]
    fn a_shell_with_something_behind_it_is_one_command() {
        let changed = |line: &str| wrapped(&format!("0 3 * * * {line}\n"), false, "tab", |_| None).changes[0].2.clone();
        assert_eq!(changed("sh -c 'a && b' >/x"), "0 3 * * * moko-mon run --name a -- sh -c 'a && b' >/x");
        assert_eq!(changed("sh a && b"), "0 3 * * * moko-mon run --name a -- sh -c 'sh a && b'");
    }
}
