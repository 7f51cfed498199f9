//! Quotas and circuit breakers at their limits.

use super::Case;
use super::data::{Data, MINUTE};

pub(super) fn cases() -> Vec<Case> {
    let all = |name, end, data, expected| Case { name, end, scripts: &[], apis: &[], data, expected };
    vec![
        all("breaker half-open", 1_767_875_400, half_open, HALF_OPEN), // 2026-01-08 12:30
        all("quota used up", 1_767_961_800, used_up, USED_UP),         // 2026-01-09 12:30
        all("quota above its total", 1_768_048_200, above, ABOVE_TOTAL), // 2026-01-10 12:30
    ]
}

fn half_open(data: &mut Data) {
    let gitlab = [("instance", "host-a"), ("service", "gitlab")];
    data.gauge("moko_circuit_breaker_state", &gitlab, |at| Some(if at < -45 { 1.0 } else { 2.0 }));
    // Not seen for six minutes: Prometheus looks back five.
    let smtp = [("instance", "host-a"), ("service", "smtp")];
    data.gauge("moko_circuit_breaker_state", &smtp, |at| (at < -6 * MINUTE).then_some(1.0));
}

const HALF_OPEN: &str = r#"
    5A {instance="host-a",service="gitlab"} 2
"#;

fn used_up(data: &mut Data) {
    let github = [("api", "github"), ("instance", "host-a")];
    let calls = |at| Some(if at < -65 * MINUTE { 5000.0 } else { 0.0 });
    data.gauge("moko_api_rate_limit_remaining", &github, calls);
    data.constant("moko_api_rate_limit_total", &github, 5000.0);
    data.reset("host-a", "github", 10 * MINUTE);
    // Their windows end with the case.
    for api in ["github_search", "gitlab"] {
        data.quota("host-a", api, 0.0, 2000.0);
        data.reset("host-a", api, 0);
    }
}

const USED_UP: &str = r#"
    variable api "github"
    variable api "github_search"
    variable api "gitlab"
    3A {api="github"} 0
    # Nothing used before 11:25, everything from then on.
    4A {api="github"} 0*30 1*7
    4A {api="github_search"} 1*36 _*1
    4A {api="gitlab"} 1*36 _*1
"#;

fn above(data: &mut Data) {
    // What is left was read after the limit was lowered, and what was spent exceeds the limit.
    data.quota("host-a", "github", 5250.0, 5000.0);
    data.quota("host-a", "gitlab", -50.0, 2000.0);
}

const ABOVE_TOTAL: &str = r#"
    variable api "github"
    variable api "gitlab"
    # 5250/5000: the gauge ends at 1 and shows the number.
    3A {api="github"} 1.05
    # 1 - 5250/5000 and 1 + 50/2000, held between 0 and 1.
    4A {api="github"} 0*37
    4A {api="gitlab"} 1*37
"#;
