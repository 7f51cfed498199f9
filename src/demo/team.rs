//! The made-up team: when its scripts run and how they end, what is left of its quotas, how its breakers are.
//!
//! Times are seconds since 1970. `end` is when the demo was started: before it are incidents, after it nothing worse
//! than a slow backup and findings of low severity, so that no demo wakes anybody up.

/// Seconds of a day.
pub const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;
const MINUTE: i64 = 60;

/// A script and its habits.
#[derive(Debug)]
pub struct Script {
    /// Its name.
    pub name: &'static str,
    /// Seconds between two starts, and of the first one after midnight UTC.
    every: i64,
    offset: i64,
    /// How long a run takes: the middle and the largest distance from it, in seconds.
    seconds: (f64, f64),
    /// One run in so many fails; counted and not thrown, so that a quiet hour stays below every threshold.
    fails: i64,
    /// When it runs.
    rhythm: Rhythm,
}

/// When a script runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rhythm {
    /// Day and night.
    Always,
    /// Two of three times only on working days from 8 to 18 o'clock UTC.
    Office,
    /// On working days from 8 to 18 o'clock UTC, and only now and then.
    ByHand,
}

const fn script(name: &'static str, every: i64, offset: i64, seconds: (f64, f64), fails: i64) -> Script {
    Script { name, every, offset, seconds, fails, rhythm: Rhythm::Always }
}

const HEALTH: usize = 0;
const SYNC: usize = 1;
const BACKUP: usize = 2;
const INVOICES: usize = 3;

/// The scripts. The third has become slow, the fourth keeps failing.
pub const SCRIPTS: [Script; 8] = [
    script("check-health-demo", 90, 5, (1.4, 1.2), 997),
    Script { rhythm: Rhythm::Office, ..script("sync-repositories-demo", 5 * MINUTE, 20, (45.0, 30.0), 211) },
    script("backup-database-demo", 20 * MINUTE, 130, (190.0, 60.0), 97),
    script("import-invoices-demo", 20 * MINUTE, 400, (22.0, 15.0), 4),
    script("cleanup-files-demo", 30 * MINUTE, 60, (1.8, 1.2), 503),
    Script { rhythm: Rhythm::Office, ..script("export-reports-demo", 20 * MINUTE, 900, (95.0, 50.0), 101) },
    script("scan-dependencies-demo", 6 * HOUR, 5 * HOUR, (210.0, 60.0), 53),
    Script { rhythm: Rhythm::ByHand, ..script("deploy-service-demo", 15 * MINUTE, 210, (130.0, 60.0), 11) },
];

/// An API with a quota for each hour.
#[derive(Debug)]
pub struct Api {
    /// Its name; the first word of GitHub's is what the dashboard looks for.
    pub name: &'static str,
    /// Calls in one window.
    pub limit: i64,
    /// How much of it is used, compared with the first.
    appetite: f64,
}

/// The APIs.
pub const APIS: [Api; 3] = [
    Api { name: "github-demo", appetite: 1.0, limit: 5000 },
    Api { name: "github-search-demo", appetite: 0.6, limit: 1800 },
    Api { name: "gitlab-demo", appetite: 0.35, limit: 2000 },
];

/// The services behind a circuit breaker.
pub const SERVICES: [&str; 4] = ["payments-demo", "mail-relay-demo", "github-demo", "registry-demo"];
const PAYMENTS: usize = 0;
/// The service that is probed again and again, as `(index, period, length)`: half-open so long in each period.
pub const PROBED: (usize, i64, i64) = (1, 15 * MINUTE, 5 * MINUTE);

/// A kind of security finding.
#[derive(Debug)]
pub struct Finding {
    /// What it is.
    pub kind: &'static str,
    /// How bad it is.
    pub severity: &'static str,
}

/// The kinds of findings, the mildest first.
pub const FINDINGS: [Finding; 5] = [
    Finding { kind: "outdated-dependency-demo", severity: "low" },
    Finding { kind: "file-permissions-demo", severity: "low" },
    Finding { kind: "outdated-dependency-demo", severity: "medium" },
    Finding { kind: "dangerous-function-demo", severity: "high" },
    Finding { kind: "hardcoded-secret-demo", severity: "critical" },
];

/// Incidents, as seconds before `end`: from, to.
mod incident {
    use super::{HOUR, MINUTE};
    /// Since then nothing fails but the one script that keeps failing.
    pub(super) const CALM_SINCE: i64 = 2 * HOUR;
    /// The network is shaky: syncs fail, and some health checks.
    pub(super) const NETWORK: (i64, i64) = (5 * HOUR, 4 * HOUR);
    /// A broken deploy: every other health check fails.
    pub(super) const DEPLOY: (i64, i64) = (76 * HOUR, 75 * HOUR);
    /// The scheduler stands still.
    pub(super) const SCHEDULER: (i64, i64) = (128 * HOUR, 127 * HOUR + 25 * MINUTE);
    /// Backups have been slow since.
    pub(super) const SLOW_SINCE: i64 = 9 * HOUR;
    /// Payments are down.
    pub(super) const PAYMENTS: [(i64, i64); 2] =
        [(50 * HOUR, 49 * HOUR + 20 * MINUTE), (7 * HOUR, 7 * HOUR - 4 * MINUTE)];
    /// Windows in which a loop ate the quota of the first API: so many before the one of `end`.
    pub(super) const QUOTA: [i64; 3] = [3, 28, 102];
    /// Findings: how long ago, and which.
    pub(super) const FINDINGS: [(i64, usize); 5] =
        [(26 * HOUR, 3), (26 * HOUR, 2), (74 * HOUR, 2), (98 * HOUR, 4), (146 * HOUR, 2)];
}

fn within((from, to): (i64, i64), age: i64) -> bool {
    age <= from && age > to
}

/// A number from 0 to 1, always the same for the same arguments (`SplitMix64`).
fn chance(what: usize, number: i64, salt: u64) -> f64 {
    let mut bits = (number.unsigned_abs() ^ (what as u64) << 48 ^ salt << 56).wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    f64::from((bits >> 32) as u32) / f64::from(u32::MAX)
}

/// One run of a script that has ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Run {
    /// When it ended.
    pub at: i64,
    /// Whether it went well.
    pub success: bool,
    /// How long it took, in hundredths of a second: whole numbers, so that sums are the same everywhere.
    pub hundredths: i64,
}

impl Run {
    /// When it began.
    #[must_use]
    pub const fn start(&self) -> i64 {
        self.at - self.hundredths / 100 - 1
    }
}

/// The runs of a script that ended after `from` and not after `to`, in order.
#[must_use]
pub fn runs(which: usize, from: i64, to: i64, end: i64) -> Vec<Run> {
    let script = &SCRIPTS[which];
    // Nothing takes longer than an hour.
    let first = (from - HOUR - script.offset).div_euclid(script.every);
    let last = (to - script.offset).div_euclid(script.every);
    let all = (first..=last).filter_map(|number| run(which, number, end));
    let mut runs: Vec<Run> = all.filter(|run| run.at > from && run.at <= to).collect();
    runs.sort_by_key(|run| run.at);
    runs
}

fn run(which: usize, number: i64, end: i64) -> Option<Run> {
    let script = &SCRIPTS[which];
    let start = number * script.every + script.offset;
    let age = end - start;
    // 1970 began on a Thursday.
    let (hour, weekday) = (start.rem_euclid(DAY) / HOUR, (start.div_euclid(DAY) + 3).rem_euclid(7));
    let office = weekday < 5 && (8..18).contains(&hour);
    let idle = match script.rhythm {
        Rhythm::Always => false,
        Rhythm::Office => !office && number.rem_euclid(3) != 0,
        Rhythm::ByHand => !office || chance(which, number, 1) > 0.25,
    };
    if idle || within(incident::SCHEDULER, age) {
        return None;
    }
    let (mut middle, distance) = script.seconds;
    if which == BACKUP && age < incident::SLOW_SINCE {
        middle = 390.0;
    }
    let every = match which {
        SYNC if within(incident::NETWORK, age) => 2,
        HEALTH if within(incident::NETWORK, age) => 20,
        HEALTH if within(incident::DEPLOY, age) => 2,
        _ if age < incident::CALM_SINCE && which != INVOICES => i64::MAX,
        _ => script.fails,
    };
    // The sum of two dice is mostly near the middle.
    let seconds = middle + distance * (chance(which, number, 2) + chance(which, number, 3) - 1.0);
    #[expect(clippy::cast_possible_truncation, reason = "hours in hundredths of a second")]
    let hundredths = (seconds * 100.0).round() as i64;
    Some(Run { at: start + hundredths / 100 + 1, success: number.rem_euclid(every) != 0, hundredths })
}

/// When findings of a kind were made, after `from` and not after `to`, in order.
#[must_use]
pub fn findings(which: usize, from: i64, to: i64, end: i64) -> Vec<i64> {
    // The first scan of a day finds something mild, on even days of one kind and on odd days of the other.
    let scans = (from.div_euclid(DAY)..=to.div_euclid(DAY)).filter(|day| i64::try_from(which) == Ok(day.rem_euclid(2)));
    let mild = scans.map(|day| day * DAY + 5 * HOUR + 8 * MINUTE);
    let incidents = incident::FINDINGS.iter().filter(|(_, kind)| *kind == which).map(|(ago, _)| end - ago);
    let mut found: Vec<i64> = mild.chain(incidents).filter(|at| *at > from && *at <= to).collect();
    found.sort_unstable();
    found
}

/// The share of a quota that is used up in the window that begins at `window`, and how soon: as a share of the window.
fn appetite(which: usize, window: i64, end: i64) -> (f64, f64) {
    let before = end.div_euclid(HOUR) - window / HOUR;
    if which == 0 && incident::QUOTA.contains(&before) {
        return (0.98, 0.7);
    }
    let busy = (8..18).contains(&(window.rem_euclid(DAY) / HOUR));
    // From the window of `end` on every day is the same.
    let noise = chance(which, if before > 0 { window / HOUR } else { window.rem_euclid(DAY) / HOUR }, 4);
    let share = if busy { 0.5 + 0.35 * noise } else { 0.2 + 0.2 * noise };
    (share * APIS[which].appetite, 1.0)
}

/// Calls that are left of a quota, and when its window ends.
#[must_use]
pub fn quota(which: usize, at: i64, end: i64) -> (i64, i64) {
    let window = at - at.rem_euclid(HOUR);
    let (share, soon) = appetite(which, window, end);
    let passed = at.rem_euclid(HOUR) as f64 / HOUR as f64;
    let limit = APIS[which].limit;
    #[expect(clippy::cast_possible_truncation, reason = "thousands of calls")]
    let used = (limit as f64 * share * (passed / soon).min(1.0)).floor() as i64;
    (limit - used, window + HOUR)
}

/// The share of a quota that is used up by the end of each hour of a day, after `end`.
#[must_use]
pub fn appetites(which: usize) -> Vec<f64> {
    (0..24).map(|hour| appetite(which, hour * HOUR, 0).0).collect()
}

/// The state of a breaker: 0 closed, 1 open, 2 half-open.
#[must_use]
pub fn breaker(which: usize, at: i64, end: i64) -> i64 {
    let age = end - at;
    let (probed, period, length) = PROBED;
    if which == PAYMENTS && incident::PAYMENTS.iter().any(|incident| within(*incident, age)) {
        // A probe every five minutes, in vain.
        return if at.rem_euclid(5 * MINUTE) >= 4 * MINUTE { 2 } else { 1 };
    }
    if which == probed && at.rem_euclid(period) < length { 2 } else { 0 }
}
