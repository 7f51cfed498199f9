//! A normal team, the same with a choice of scripts and APIs, and nobody at all.

use super::data::{Data, HOUR, MINUTE, every};
use super::{Case, nothing};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case {
            name: "team",
            end: 1_767_270_600, // 2026-01-01 12:30
            scripts: &[],
            apis: &[],
            data: team,
            expected: TEAM,
        },
        Case {
            name: "team, one script and one API chosen",
            end: 1_767_270_600,
            scripts: &["sync"],
            apis: &["gitlab"],
            data: nothing,
            expected: CHOICE,
        },
        Case {
            name: "empty",
            end: 1_767_357_000, // 2026-01-02 12:30
            scripts: &[],
            apis: &[],
            data: nothing,
            expected: "",
        },
    ]
}

fn team(data: &mut Data) {
    data.runs("host-a", "backup.sh", "success", &every(10 * MINUTE, -5 * MINUTE));
    data.runs("host-a", "backup.sh", "failure", &[-25 * MINUTE, -245 * MINUTE, -245 * MINUTE]);
    // A script that came at 9:25 with totals of zero.
    let born = |at: i64, value: f64| (at >= -185 * MINUTE).then_some(value);
    data.total("host-b", "sync", "success", |at| born(at, if at >= -125 * MINUTE { 1.0 } else { 0.0 }));
    data.total("host-b", "sync", "failure", |at| born(at, 0.0));
    data.runs("host-b", "sync", "skipped", &[-35 * MINUTE; 50]);

    let together = -25 * MINUTE;
    let runs: Vec<(i64, i64)> = [10; 6]
        .into_iter()
        .chain([100; 3])
        .chain([400])
        .map(|took| (together, took))
        .chain([(-145 * MINUTE, 400)])
        .collect();
    data.durations("host-a", "backup.sh", &runs);
    data.durations("host-b", "sync", &[]);

    data.last("host-a", "backup.sh", "success", -5 * MINUTE);
    data.last("host-a", "backup.sh", "failure", -25 * MINUTE);
    data.last("host-b", "sync", "success", -125 * MINUTE);
    data.last("host-b", "sync", "failure", -HOUR);
    data.last("host-c", "sync", "failure", -3 * HOUR);

    let github = [("api", "github"), ("instance", "host-a")];
    let calls = |at| Some(if at < -185 * MINUTE { 4000.0 } else { 1250.0 });
    data.gauge("moko_api_rate_limit_remaining", &github, calls);
    data.constant("moko_api_rate_limit_total", &github, 5000.0);
    data.reset("host-a", "github", 15 * MINUTE);
    data.quota("host-b", "github", 800.0, 2000.0);
    data.reset("host-b", "github", 15 * MINUTE);
    data.quota("host-a", "github_graphql", 4500.0, 5000.0);
    data.quota("host-a", "github_search", 10.0, 100.0);
    data.reset("host-a", "github_search", -1);
    data.quota("host-a", "gitlab", 1500.0, 2000.0);
    data.quota("host-a", "limitless", 5.0, 0.0);

    data.breaker("host-a", "github", 1.0);
    data.breaker("host-b", "github", 2.0);
    data.breaker("host-a", "smtp", 0.0);

    data.alert("HighScriptFailureRate", "firing", -130 * MINUTE, -125 * MINUTE..-65 * MINUTE);
    data.alert("SlowScriptExecution", "pending", -30 * MINUTE, -30 * MINUTE..0);
    data.alert("Watchdog", "firing", -8 * HOUR, -8 * HOUR..1);
}

const TEAM: &str = r#"
    variable script "backup.sh"
    variable script "sync"
    variable api "github"
    variable api "github_graphql"
    variable api "github_search"
    variable api "gitlab"
    variable api "limitless"

    # Firing from 10:25 to 11:25, active since 10:20, which is 1767270600 - 7800; in milliseconds.
    annotation Firing alerts {alertname="HighScriptFailureRate",severity="warning"} _*24 1767262800000*6 _*7

    # One every ten minutes.
    1A {script_name="backup.sh",status="success"} 6*37
    # Two at 8:25, in sight from 8:30 to 9:20; one at 12:05, in sight from 12:10.
    1A {script_name="backup.sh",status="failure"} 0*12 2*6 0*16 1*3
    # There since 9:25; one at 10:25, in sight from 10:30 to 11:20.
    1A {script_name="sync",status="success"} _*18 0*6 1*6 0*7
    1A {script_name="sync",status="failure"} _*18 0*19
    1A {script_name="sync",status="skipped"} 0*33 50*4

    # Successes: backup.sh 36, sync 1; failures: 3. 37/40
    2A {} 0.925

    # The smaller of 1250/5000 and 800/2000. The window of github_search has just ended, limitless has no total.
    3A {api="github"} 0.25
    3A {api="github_graphql"} 0.9

    # The larger of host-a, 1 - 4000/5000 and from 9:25 1 - 1250/5000, and host-b, 1 - 800/2000.
    4A {api="github"} 0.6*18 0.75*19
    4A {api="github_graphql"} 0.1*37
    4A {api="github_search"} 0.9*36 _*1
    4A {api="gitlab"} 0.25*37

    5A {instance="host-a",service="github"} 1
    5A {instance="host-b",service="github"} 2
    5A {instance="host-a",service="smtp"} 0

    # One run at 10:05, in sight from 10:10 to 11:00, up to 600 s: 300 + 300 * 0.5 and 300 + 300 * 0.95.
    # Ten runs at 12:05: six up to 60 s, three up to 300 s, one up to 600 s. p50 is the 5th: 60 * 5/6. p95 is the 9.5th:
    # 300 + 300 * (9.5 - 9)/1. sync did not run: no value.
    6A {script_name="backup.sh"} _*22 450*6 _*6 50*3
    6B {script_name="backup.sh"} _*22 585*6 _*6 450*3

    # 1767270600 - 300 and 1767270600 - 3600, in milliseconds.
    7A {script_name="backup.sh",status="success"} 1767270300000
    7A {script_name="sync",status="failure"} 1767267000000
    7B {script_name="backup.sh",status="success"} 300
    7B {script_name="sync",status="failure"} 3600

    # From 6:00: six of backup.sh an hour, one of sync at 10:25, three of backup.sh since 12:00.
    8A {status="success"} 6*4 7*1 6*1 3*1
    8A {status="failure"} 0*2 2*1 0*3 1*1
"#;

const CHOICE: &str = r#"
    variable script "backup.sh"
    variable script "sync"
    variable api "github"
    variable api "github_graphql"
    variable api "github_search"
    variable api "gitlab"
    variable api "limitless"
    annotation Firing alerts {alertname="HighScriptFailureRate",severity="warning"} _*24 1767262800000*6 _*7
    1A {script_name="sync",status="success"} _*18 0*6 1*6 0*7
    1A {script_name="sync",status="failure"} _*18 0*19
    1A {script_name="sync",status="skipped"} 0*33 50*4
    # One success, no failure.
    2A {} 1
    4A {api="gitlab"} 0.25*37
    5A {instance="host-a",service="github"} 1
    5A {instance="host-b",service="github"} 2
    5A {instance="host-a",service="smtp"} 0
    7A {script_name="sync",status="failure"} 1767267000000
    7B {script_name="sync",status="failure"} 3600
    # From 6:00; there since 9:25, one success at 10:25.
    8A {status="success"} _*3 0*1 1*1 0*2
    8A {status="failure"} _*3 0*4
"#;
