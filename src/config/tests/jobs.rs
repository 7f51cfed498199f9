//! The manifest of jobs.

use std::time::Duration;

use super::{Case, refusals};
use crate::jobs::Severity;

#[test]
fn jobs_are_read_with_their_defaults() {
    let yaml = "jobs:\n  - {name: sync, every: 15m}\n  - name: Sicherung/€\n    schedule: \"0 3 * * 1-5\"\n    timezone: Europe/Berlin\n    \
                grace: 30m\n    max_runtime: 2h\n    team: ops\n    owner: ann\n    severity: critical\n    \
                runbook: https://wiki.example.com/b\n    command: [./backup.sh, --full]\n";
    let jobs = Case::new(yaml).config().jobs;
    let [sync, backup] = jobs.as_slice() else { unreachable!() };
    assert_eq!((sync.schedule.text(), sync.schedule.zone_name()), ("every 15m", None));
    assert_eq!((sync.grace, sync.max_runtime), (Duration::from_secs(3600), Duration::from_secs(86_400)));
    assert_eq!((sync.team.as_str(), sync.owner.as_deref(), sync.severity), ("devops", None, Severity::Warning));
    assert_eq!((sync.runbook.as_deref(), sync.command.as_deref()), (None, None));
    assert_eq!((backup.name.as_str(), backup.schedule.zone_name()), ("Sicherung/€", Some("Europe/Berlin")));
    assert_eq!((backup.grace, backup.max_runtime), (Duration::from_secs(1800), Duration::from_secs(7200)));
    assert_eq!(
        (backup.team.as_str(), backup.owner.as_deref(), backup.severity),
        ("ops", Some("ann"), Severity::Critical)
    );
    assert_eq!(backup.runbook.as_deref(), Some("https://wiki.example.com/b"));
    assert_eq!(backup.command.as_deref(), Some(["./backup.sh".to_owned(), "--full".to_owned()].as_slice()));
}

#[test]
fn what_is_wrong_with_a_job_is_told_with_its_place() {
    for (text, expected) in [
        ("- schedule: \"@daily\"", "2:3: jobs[0].name: the key is missing; expected a text"),
        (
            "- name: a",
            "2:3: jobs[0]: the job does not say when it is due; expected `schedule: \"0 3 * * 1-5\"` (or \
             `\"Mon..Fri 03:00\"`), or `every: 1h`",
        ),
        (
            "- {name: a, every: 1h, schedule: daily}",
            "2:20: jobs[0].every: the job has `schedule`, too; expected one of `schedule` and `every`",
        ),
        (
            "- {name: a, schedule: \"0 0 30 2 *\"}",
            "2:23: jobs[0].schedule: `0 0 30 2 *` never occurs; expected days that some month has",
        ),
        (
            "- {name: a, schedule: \"61 * * * *\"}",
            "2:23: jobs[0].schedule: `61 * * * *` has `61` as minute; expected 0 to 59",
        ),
        (
            "- {name: a, schedule: daily, timezone: Europe/Berln}",
            "2:40: jobs[0].timezone: `Europe/Berln` is not a time zone (did you mean `Europe/Berlin`?); expected a name of \
             the time zone database such as `Europe/Berlin`, or `UTC`",
        ),
        (
            "- {name: a, schedule: 03:00 Europe/Rome, timezone: UTC}",
            "2:52: jobs[0].timezone: the schedule `03:00 Europe/Rome` names its time zone itself; expected it in one of the \
             two places",
        ),
        (
            "- {name: a, every: 1h, timezone: UTC}",
            "2:34: jobs[0].timezone: the time zone means nothing to a job that is due `every` so often; expected it only \
             beside `schedule`",
        ),
        (
            "- {name: a, every: 1h}\n- {name: a, schedule: daily}",
            "3:10: jobs[1].name: `a` is there twice; expected another name: `jobs[0]` has it already",
        ),
        (
            "- {name: a, every: 10}",
            "2:20: jobs[0].every: `10` is a duration without a unit; expected a duration such as `15s`, `1h30m` or `15d`, at least 1s",
        ),
        (
            "- {name: a, every: 1h, severity: high}",
            "2:34: jobs[0].severity: `high` is unknown; expected one of `info`, `warning` or `critical`",
        ),
        (
            "- {name: a, every: 1h, command: ./backup.sh}",
            "2:33: jobs[0].command: `./backup.sh` is a single value; expected a list (lines that start with `- `)",
        ),
        (
            "- {name: a, every: 1h, command: []}",
            "2:24: jobs[0].command: the list is empty; expected the program and its arguments, or no `command`: then \
             `moko-mon run` is given it",
        ),
        (
            "- {name: a, every: 1h, runbook: wiki}",
            "2:33: jobs[0].runbook: `wiki` does not start with `http://` or `https://`; expected an address such as `https://grafana.example.com/team`",
        ),
    ] {
        assert_eq!(refusals(&[&format!("jobs:\n{text}\n")]), format!("moko-mon.yaml:{expected}"));
    }
}

#[test]
fn a_job_of_the_past_is_a_warning() {
    let resolved = Case::new("jobs: [{name: a, schedule: 2020-1-1 03:00}]\n").resolved();
    assert_eq!(resolved.warnings, ["jobs[0].schedule: `2020-1-1 03:00` lies in the past: the job is never due again"]);
}
