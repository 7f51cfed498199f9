//! `jobs`: what needs no stack, and what is refused.

use crate::support::Lab;

const CRONTAB: &str =
    "MAILTO=ops\n0 3 * * 1-5 /srv/backup.sh --full\n*/5 * * * * cd /srv && ./sync >/dev/null\n@reboot /srv/agent\n";

#[test]
fn a_crontab_is_proposed_shown_as_a_diff_and_written_only_when_asked() {
    let lab = Lab::new();
    lab.write("tab", CRONTAB);
    let proposed = lab.run(&["jobs", "import", "--crontab", "tab"]).successful();
    for part in ["  - name: backup.sh\n    schedule: \"0 3 * * 1-5\"\n", "  - name: sync\n"] {
        assert!(proposed.stdout.contains(part), "{}", proposed.stdout);
    }
    assert!(proposed.stderr.contains("warning: left out: tab:4: `@reboot` has `@reboot`, which names no time"));
    assert!(!lab.path("work/moko-mon.yaml").exists());

    let diff = lab.run(&["jobs", "wrap", "--crontab", "tab"]).successful();
    assert_eq!(
        diff.stdout,
        "--- tab\n+++ tab\n@@ -2 +2 @@\n-0 3 * * 1-5 /srv/backup.sh --full\n\
         +0 3 * * 1-5 moko-mon run --name backup.sh -- /srv/backup.sh --full\n\
         @@ -3 +3 @@\n-*/5 * * * * cd /srv && ./sync >/dev/null\n\
         +*/5 * * * * moko-mon run --name sync -- sh -c 'cd /srv && ./sync >/dev/null'\n\
         @@ -4 +4 @@\n-@reboot /srv/agent\n+@reboot moko-mon run --name agent -- /srv/agent\n"
    );

    lab.write("odd", "0 3 * * * flock -n /lock /srv/a.sh%x\n61 * * * * /srv/b\n");
    let proposed = lab.run(&["jobs", "import", "--crontab", "odd"]).successful();
    assert!(proposed.stdout.contains("- name: a.sh\n"), "{}", proposed.stdout);
    let note = "warning: odd:1: the input behind `%` is not part of the job's command\n";
    assert!(proposed.stderr.contains(note), "{}", proposed.stderr);
    let diff = lab.run(&["jobs", "wrap", "--crontab", "odd"]).successful();
    assert!(!diff.stdout.contains("/srv/b"), "{}", diff.stdout);
    let warning = "warning: odd:2: `61 * * * *` has `61` as minute; the line stays as it is\n";
    assert!(diff.stderr.contains(warning), "{}", diff.stderr);

    lab.run(&["jobs", "import", "--crontab", "tab", "backup.sh", "--write"]).succeeds();
    let written = std::fs::read_to_string(lab.path("work/moko-mon.yaml")).unwrap();
    assert!(written.starts_with("jobs:\n  - name: backup.sh\n") && !written.contains("sync"), "{written}");
    lab.run(&["config", "check"]).succeeds();
    let again = lab.run(&["jobs", "import", "--crontab", "tab", "--write"]);
    assert_eq!(again.code(), 2);
    assert!(again.error().contains("caused by: it has `jobs` already\nhint: leave out `--write`"), "{}", again.text());
    assert_eq!(std::fs::read_to_string(lab.path("work/moko-mon.yaml")).unwrap(), written);
}

#[test]
fn what_cannot_be_done_says_what_to_do() {
    let lab = Lab::new();
    lab.write("tab", CRONTAB);
    insta::assert_snapshot!(lab.run(&["jobs", "import", "--crontab", "tab", "backup"]).error(), @"
    error: no job `backup` was found
    hint: without a name, the command shows all that it finds
    ");
    insta::assert_snapshot!(lab.run(&["jobs", "import", "--crontab", "none"]).error(), @"
    error: could not read `none`
      caused by: it does not exist
    hint: name a file that you may read; `crontab -l > FILE` writes your own crontab to one
    ");
    insta::assert_snapshot!(lab.run(&["jobs", "import", "--systemd", "none"]).error(), @"
    error: could not read the units in `none`
      caused by: No such file or directory (os error 2)
    hint: name a folder such as `/etc/systemd/system` or `~/.config/systemd/user`
    ");
    insta::assert_snapshot!(lab.run(&["jobs", "check"]).error(), @"
    error: no job is declared
    hint: list them under `jobs` in moko-mon.yaml; `moko-mon init` shows how
    ");
    let listed = lab.run(&["jobs", "list"]).successful();
    assert_eq!(listed.stdout, "no job is declared: list them under `jobs` in moko-mon.yaml\n");
}

#[test]
fn jobs_are_listed_without_a_stack() {
    let lab = Lab::new();
    lab.write(
        "moko-mon.yaml",
        "jobs:\n  - {name: a, schedule: \"2199-12-31 03:00\", timezone: Europe/Berlin, team: ops}\n",
    );
    let listed = lab.run(&["jobs", "list"]).successful();
    let line = listed.stdout.lines().nth(1).unwrap();
    assert_eq!(
        line.split_whitespace().collect::<Vec<_>>().join(" "),
        "a unknown - 2199-12-31 03:00:00 CET - 1d 2199-12-31 03:00 (Europe/Berlin) ops"
    );
    assert!(listed.stderr.contains("warning: the state of the jobs is not known: "), "{}", listed.stderr);
}
