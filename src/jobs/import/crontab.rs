//! A crontab: lines of five times (or a nickname) and a command; in a crontab of the system the user stands between.

use super::{Import, Proposal, fault, name_of, words};

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
    for (number, line) in text.lines().enumerate() {
        let place = format!("{place}:{}", number + 1);
        if let Some(zone) = line.trim().strip_prefix("CRON_TZ=") {
            timezone = Some(zone.trim_matches(['"', '\'', ' ']).to_owned());
            continue;
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
            found.skipped.push(format!("{place}: the input behind `%` is not part of the job's command"));
        }
        let command = command.replace("\\%", "%");
        let name = name_in(&command).unwrap_or_else(|| name_of(&command));
        let command = words(&bare(&command));
        found.add(Proposal {
            name,
            schedule: Some(schedule),
            every: None,
            timezone: timezone.clone(),
            grace: None,
            command,
        });
    }
    found
}

/// The lines of a crontab with `moko-mon run` in front of each command that has none; `name` may know a better name than
/// the command's own. Yields line number from 1, the line, and what it becomes.
#[must_use]
pub fn wrapped(text: &str, system: bool, name: impl Fn(&str) -> Option<String>) -> Vec<(usize, String, String)> {
    let mut taken: Vec<String> = Vec::new();
    let mut changes = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !is_remark(line)) {
        let Some(Line { at, command, .. }) = read(line, system) else { continue };
        if name_in(command).is_some() || is_wrapped(command) {
            continue;
        }
        let (shell, input) = split_input(command);
        let plain = shell.replace("\\%", "%");
        let base = name(&plain).unwrap_or_else(|| name_of(&plain));
        let mut own = base.clone();
        while taken.contains(&own) {
            own = format!("{base}-{}", taken.len() + 1);
        }
        taken.push(own.clone());
        let argv = if words(&plain).first().is_some_and(|first| first == "sh") && !plain.starts_with("sh ") {
            format!("sh -c {}", quoted(shell))
        } else {
            shell.to_owned()
        };
        let input = input.unwrap_or_default();
        let front = line.get(..at).unwrap_or_default();
        let name = if own.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) { own } else { quoted(&own) };
        changes.push((number + 1, line.to_owned(), format!("{front}moko-mon run --name {name} -- {argv}{input}")));
    }
    changes
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

fn is_wrapped(command: &str) -> bool {
    let mut words = command.split_whitespace();
    words.next().is_some_and(|first| first.rsplit('/').next() == Some("moko-mon")) && words.next() == Some("run")
}

/// The name that a command runs under already.
fn name_in(command: &str) -> Option<String> {
    let mut words = command.split_whitespace().take_while(|word| *word != "--").skip_while(|word| *word != "--name");
    is_wrapped(command).then(|| words.nth(1).map(str::to_owned))?
}

/// A command without `moko-mon run … --` in front.
fn bare(command: &str) -> String {
    let behind = command.split_once(" -- ").filter(|_| is_wrapped(command)).map(|(_, behind)| behind.to_owned());
    behind.unwrap_or_else(|| command.to_owned())
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
            ]
        );
        assert!(found.jobs.iter().all(|job| job.timezone.as_deref() == Some("Europe/Berlin")));
        assert_eq!(
            found.skipped,
            [
                "tab:6: `@reboot` has `@reboot`, which names no time, so nobody can say when a run is missing",
                "tab:7: `61 * * * *` has `61` as minute",
                "tab:8: the input behind `%` is not part of the job's command",
                "tab:11: `nonsense` is no line of a crontab",
            ]
        );
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
        let changes: Vec<String> =
            wrapped(TEXT, false, |command| command.contains("backup").then(|| "the backup".to_owned()))
                .into_iter()
                .map(|(number, _, line)| format!("{number}: {line}"))
                .collect();
        assert_eq!(
            changes,
            [
                "3: 0 3 * * 1-5 moko-mon run --name 'the backup' -- /srv/backup.sh --full",
                r"4: */5 * * * * moko-mon run --name sync -- sh -c 'cd /srv/app && ./sync '\''all of it'\'' >/dev/null'",
                "5: @daily moko-mon run --name report.sh -- bash /srv/report.sh",
                "6: @reboot moko-mon run --name agent -- /srv/agent",
                "7: 61 * * * * moko-mon run --name wrong -- /srv/wrong",
                "8: 0 4 * * * moko-mon run --name mail -- mail -s hi ann%first line",
                r"10: 0 6 * * * moko-mon run --name date -- date +\%F",
            ]
        );
    }
}
