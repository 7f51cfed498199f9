//! Scripts that do not run, that only fail, that are alone, that have odd names, that run on two machines.

use super::data::{Data, HOUR, MINUTE, every};
use super::{Case, nothing};

/// Every character that means something in a regular expression, in the quotes of a query or in Grafana.
const ODD: &str = r"nightly (v1.2) [a|b]+$^*?{x} 'q' \d ö";
/// What the odd name would also match if its dot were not escaped.
const DOT: &str = r"nightly (v1x2) [a|b]+$^*?{x} 'q' \d ö";
/// What it would match if nothing but the dot and the parentheses were escaped.
const DIGIT: &str = r"nightly (v1.2) a 'q' 5 ö";

pub(super) fn cases() -> Vec<Case> {
    let all = |name, end, data, expected| Case { name, end, scripts: &[], apis: &[], data, expected };
    vec![
        all("idle", 1_767_443_400, idle, IDLE),                   // 2026-01-03 12:30
        all("all failed", 1_767_529_800, all_failed, ALL_FAILED), // 2026-01-04 12:30
        Case {
            name: "a script chosen that has never succeeded",
            end: 1_767_529_800,
            scripts: &["deploy"],
            apis: &[],
            data: nothing,
            expected: NEVER_SUCCEEDED,
        },
        all("one script", 1_767_616_200, one_script, ONE_SCRIPT), // 2026-01-05 12:30
        all("two instances", 1_767_702_600, two_instances, TWO_INSTANCES), // 2026-01-06 12:30
        Case {
            name: "a script with an odd name chosen",
            end: 1_767_789_000, // 2026-01-07 12:30
            scripts: &[ODD],
            apis: &["github.com (eu)"],
            data: odd_names,
            expected: ODD_NAME,
        },
        Case {
            name: "two scripts with odd names chosen",
            end: 1_767_789_000,
            scripts: &[ODD, DOT],
            apis: &["github.com (eu)", "githubxcom (eu)"],
            data: nothing,
            expected: ODD_NAMES,
        },
    ]
}

fn idle(data: &mut Data) {
    data.runs("host-a", "backup.sh", "success", &[]);
    data.runs("host-a", "backup.sh", "failure", &[]);
    data.durations("host-a", "backup.sh", &[]);
    data.last("host-a", "backup.sh", "success", -20 * HOUR);
    data.quota("host-a", "github", 5000.0, 5000.0);
    data.quota("host-a", "github_app", 0.0, 0.0);
    data.breaker("host-a", "github", 0.0);
}

const IDLE: &str = r#"
    variable script "backup.sh"
    variable api "github"
    variable api "github_app"
    1A {script_name="backup.sh",status="success"} 0*37
    1A {script_name="backup.sh",status="failure"} 0*37
    # No 2A: a share of no runs is no number. No 6A and 6B: neither is a percentile of none. No github_app: 0 of 0.
    3A {api="github"} 1
    4A {api="github"} 0*37
    5A {instance="host-a",service="github"} 0
    # 1767443400 - 72000, in milliseconds.
    7A {script_name="backup.sh",status="success"} 1767371400000
    7B {script_name="backup.sh",status="success"} 72000
    8A {status="success"} 0*7
    8A {status="failure"} 0*7
"#;

fn all_failed(data: &mut Data) {
    data.runs("host-a", "backup.sh", "success", &[]);
    data.runs("host-a", "backup.sh", "failure", &every(30 * MINUTE, -5 * MINUTE));
    // Has never succeeded: not even a total of successes.
    data.runs("host-a", "deploy", "failure", &every(HOUR, -15 * MINUTE));
    data.last("host-a", "backup.sh", "success", -30 * HOUR);
    data.last("host-a", "backup.sh", "failure", -5 * MINUTE);
    data.last("host-a", "deploy", "failure", -15 * MINUTE);
}

const ALL_FAILED: &str = r#"
    variable script "backup.sh"
    variable script "deploy"
    1A {script_name="backup.sh",status="success"} 0*37
    1A {script_name="backup.sh",status="failure"} 2*37
    1A {script_name="deploy",status="failure"} 1*37
    2A {} 0
    # 1767529800 - 300 and - 900, in milliseconds.
    7A {script_name="backup.sh",status="failure"} 1767529500000
    7A {script_name="deploy",status="failure"} 1767528900000
    7B {script_name="backup.sh",status="failure"} 300
    7B {script_name="deploy",status="failure"} 900
    # From 6:00: backup.sh at 25 and 55 past, deploy at a quarter past; the last hour is half over.
    8A {status="success"} 0*7
    8A {status="failure"} 3*6 2*1
"#;

const NEVER_SUCCEEDED: &str = r#"
    variable script "backup.sh"
    variable script "deploy"
    1A {script_name="deploy",status="failure"} 1*37
    2A {} 0
    7A {script_name="deploy",status="failure"} 1767528900000
    7B {script_name="deploy",status="failure"} 900
    8A {status="failure"} 1*7
"#;

fn one_script(data: &mut Data) {
    let ends = every(HOUR, -15 * MINUTE);
    data.runs("host-a", "backup.sh", "success", &ends);
    data.durations("host-a", "backup.sh", &ends.iter().map(|end| (*end, 45)).collect::<Vec<_>>());
    data.last("host-a", "backup.sh", "success", -15 * MINUTE);
}

const ONE_SCRIPT: &str = r#"
    variable script "backup.sh"
    1A {script_name="backup.sh",status="success"} 1*37
    # Has never failed: not even a total of failures.
    2A {} 1
    # One run in the bucket up to 60 s: half of it, and 0.95 of it.
    6A {script_name="backup.sh"} 30*37
    6B {script_name="backup.sh"} 57*37
    # 1767616200 - 900, in milliseconds.
    7A {script_name="backup.sh",status="success"} 1767615300000
    7B {script_name="backup.sh",status="success"} 900
    8A {status="success"} 1*7
"#;

fn two_instances(data: &mut Data) {
    let (often, rarely) = (every(20 * MINUTE, -5 * MINUTE), every(HOUR, -15 * MINUTE));
    data.runs("host-a", "backup.sh", "success", &often);
    // host-b was set up again at 10:25: its total starts again at zero.
    let runs: Vec<i64> = rarely.clone();
    data.total("host-b", "backup.sh", "success", |at| {
        let since = if at < -125 * MINUTE { i64::MIN } else { -125 * MINUTE };
        let count = u32::try_from(runs.iter().filter(|end| **end <= at && **end >= since).count()).unwrap();
        Some(f64::from(count) + if since == i64::MIN { 100.0 } else { 0.0 })
    });
    data.runs("host-a", "backup.sh", "failure", &[]);
    data.runs("host-b", "backup.sh", "failure", &[-45 * MINUTE]);
    data.durations("host-a", "backup.sh", &often.iter().map(|end| (*end, 30)).collect::<Vec<_>>());
    data.durations("host-b", "backup.sh", &rarely.iter().map(|end| (*end, 200)).collect::<Vec<_>>());
    data.last("host-a", "backup.sh", "success", -5 * MINUTE);
    data.last("host-b", "backup.sh", "success", -15 * MINUTE);
    data.last("host-b", "backup.sh", "failure", -45 * MINUTE);
    data.quota("host-a", "github", 1000.0, 5000.0);
    data.quota("host-b", "github", 900.0, 1000.0);
    data.breaker("host-a", "github", 0.0);
    data.breaker("host-b", "github", 1.0);
}

const TWO_INSTANCES: &str = r#"
    variable script "backup.sh"
    variable api "github"
    # Three an hour on host-a, one on host-b.
    1A {script_name="backup.sh",status="success"} 4*37
    # One at 11:45, in sight from 11:50.
    1A {script_name="backup.sh",status="failure"} 0*32 1*5
    # 18 + 6 successes, 1 failure: 24/25
    2A {} 0.96
    # The smaller of 1000/5000 and 900/1000.
    3A {api="github"} 0.2
    4A {api="github"} 0.8*37
    5A {instance="host-a",service="github"} 0
    5A {instance="host-b",service="github"} 1
    # Each hour three up to 60 s and one up to 300 s. p50 is the 2nd: 60 * 2/3. p95 is the 3.8th: 60 + 240 * (3.8 - 3)/1
    6A {script_name="backup.sh"} 40*37
    6B {script_name="backup.sh"} 252*37
    # 1767702600 - 300, in milliseconds.
    7A {script_name="backup.sh",status="success"} 1767702300000
    7B {script_name="backup.sh",status="success"} 300
    # From 6:00: at 5, 25 and 45 past on host-a, at a quarter past on host-b.
    8A {status="success"} 4*6 3*1
    8A {status="failure"} 0*5 1*1 0*1
"#;

fn odd_names(data: &mut Data) {
    let (often, twice, hourly) =
        (every(20 * MINUTE, -5 * MINUTE), every(30 * MINUTE, -15 * MINUTE), every(HOUR, -15 * MINUTE));
    data.runs("host-a", ODD, "success", &often);
    data.runs("host-a", ODD, "failure", &hourly);
    data.durations("host-a", ODD, &often.iter().map(|end| (*end, 30)).collect::<Vec<_>>());
    data.last("host-a", ODD, "success", -5 * MINUTE);
    for other in [DOT, DIGIT] {
        data.runs("host-a", other, "failure", &twice);
        data.durations("host-a", other, &twice.iter().map(|end| (*end, 400)).collect::<Vec<_>>());
        data.last("host-a", other, "failure", -15 * MINUTE);
    }
    data.runs("host-a", DIGIT, "success", &twice);
    data.quota("host-a", "github.com (eu)", 500.0, 1000.0);
    data.quota("host-a", "githubxcom (eu)", 100.0, 1000.0);
}

const ODD_NAME: &str = r#"
    variable script "nightly (v1.2) [a|b]+$^*?{x} 'q' \\d ö"
    variable script "nightly (v1x2) [a|b]+$^*?{x} 'q' \\d ö"
    variable script "nightly (v1.2) a 'q' 5 ö"
    variable api "github.com (eu)"
    variable api "githubxcom (eu)"
    1A {script_name="nightly (v1.2) [a|b]+$^*?{x} 'q' \\d ö",status="success"} 3*37
    1A {script_name="nightly (v1.2) [a|b]+$^*?{x} 'q' \\d ö",status="failure"} 1*37
    # 18 successes, 6 failures: 18/24
    2A {} 0.75
    3A {api="github.com (eu)"} 0.5
    4A {api="github.com (eu)"} 0.5*37
    # All in the bucket up to 60 s: half of it, and 0.95 of it.
    6A {script_name="nightly (v1.2) [a|b]+$^*?{x} 'q' \\d ö"} 30*37
    6B {script_name="nightly (v1.2) [a|b]+$^*?{x} 'q' \\d ö"} 57*37
    # 1767789000 - 300, in milliseconds.
    7A {script_name="nightly (v1.2) [a|b]+$^*?{x} 'q' \\d ö",status="success"} 1767788700000
    7B {script_name="nightly (v1.2) [a|b]+$^*?{x} 'q' \\d ö",status="success"} 300
    # From 6:00: successes at 5, 25 and 45 past, failures at a quarter past.
    8A {status="success"} 3*6 2*1
    8A {status="failure"} 1*7
"#;

const ODD_NAMES: &str = r#"
    variable script "nightly (v1.2) [a|b]+$^*?{x} 'q' \\d ö"
    variable script "nightly (v1x2) [a|b]+$^*?{x} 'q' \\d ö"
    variable script "nightly (v1.2) a 'q' 5 ö"
    variable api "github.com (eu)"
    variable api "githubxcom (eu)"
    1A {script_name="nightly (v1.2) [a|b]+$^*?{x} 'q' \\d ö",status="success"} 3*37
    1A {script_name="nightly (v1.2) [a|b]+$^*?{x} 'q' \\d ö",status="failure"} 1*37
    1A {script_name="nightly (v1x2) [a|b]+$^*?{x} 'q' \\d ö",status="failure"} 2*37
    # 18 successes, 6 + 12 failures: 18/36
    2A {} 0.5
    3A {api="github.com (eu)"} 0.5
    3A {api="githubxcom (eu)"} 0.1
    4A {api="github.com (eu)"} 0.5*37
    4A {api="githubxcom (eu)"} 0.9*37
    6A {script_name="nightly (v1.2) [a|b]+$^*?{x} 'q' \\d ö"} 30*37
    6B {script_name="nightly (v1.2) [a|b]+$^*?{x} 'q' \\d ö"} 57*37
    # All in the bucket from 300 s to 600 s: its middle, and 300 + 0.95 * 300.
    6A {script_name="nightly (v1x2) [a|b]+$^*?{x} 'q' \\d ö"} 450*37
    6B {script_name="nightly (v1x2) [a|b]+$^*?{x} 'q' \\d ö"} 585*37
    # 1767789000 - 300 and - 900, in milliseconds.
    7A {script_name="nightly (v1.2) [a|b]+$^*?{x} 'q' \\d ö",status="success"} 1767788700000
    7A {script_name="nightly (v1x2) [a|b]+$^*?{x} 'q' \\d ö",status="failure"} 1767788100000
    7B {script_name="nightly (v1.2) [a|b]+$^*?{x} 'q' \\d ö",status="success"} 300
    7B {script_name="nightly (v1x2) [a|b]+$^*?{x} 'q' \\d ö",status="failure"} 900
    # From 6:00: the second fails at a quarter past and a quarter to.
    8A {status="success"} 3*6 2*1
    8A {status="failure"} 3*6 2*1
"#;
