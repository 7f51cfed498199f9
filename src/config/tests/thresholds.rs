//! The numbers in the built-in rules.

use super::{Case, refusals};

fn set(line: &str) -> String {
    let (group, rest) = line.split_once(' ').unwrap();
    format!("rules: {{thresholds: {{{group}: {{{rest}}}}}}}\n")
}

#[test]
fn a_number_out_of_range_is_refused_with_what_would_be_right() {
    let texts = [
        "script_failures warning_ratio: 5",
        "script_failures warning_ratio: 5%",
        "script_failures warning_ratio: 0",
        "script_failures warning_ratio: 1",
        "script_failures warning_ratio: -0.1",
        "script_failures warning_ratio: .5",
        "script_failures warning_ratio: 5e-2",
        "script_failures warning_ratio: '0.5'",
        "script_failures warning_ratio: NaN",
        "script_failures warning_ratio: 500",
        "script_failures minimum_runs: 0",
        "script_failures minimum_runs: 1.5",
        "script_failures window: 30s",
        "script_failures window: 31d",
        "script_failures warning_for: 25h",
        "script_duration limit: 0s",
        "script_duration limit: 300",
        "no_executions silence: 61d",
        "no_executions silense: 1h",
        "push_stale age: 0s",
    ];
    let texts = texts.map(set);
    insta::assert_snapshot!(refusals(&texts.each_ref().map(String::as_str)), @r#"
    moko-mon.yaml:1:55: rules.thresholds.script_failures.warning_ratio: `5` is not a share (for 5% write `0.05`); expected a share above 0 and below 1, such as `0.05` for 5%
    moko-mon.yaml:1:55: rules.thresholds.script_failures.warning_ratio: `5%` is not a share (for 5% write `0.05`); expected a share above 0 and below 1, such as `0.05` for 5%
    moko-mon.yaml:1:55: rules.thresholds.script_failures.warning_ratio: `0` is not above 0; expected a share above 0 and below 1, such as `0.05` for 5%
    moko-mon.yaml:1:55: rules.thresholds.script_failures.warning_ratio: `1` is not below 1; expected a share above 0 and below 1, such as `0.05` for 5%
    moko-mon.yaml:1:55: rules.thresholds.script_failures.warning_ratio: `-0.1` is not above 0; expected a share above 0 and below 1, such as `0.05` for 5%
    moko-mon.yaml:1:55: rules.thresholds.script_failures.warning_ratio: `.5` is not a number; expected a share above 0 and below 1, such as `0.05` for 5%
    moko-mon.yaml:1:55: rules.thresholds.script_failures.warning_ratio: `5e-2` is not a number; expected a share above 0 and below 1, such as `0.05` for 5%
    moko-mon.yaml:1:55: rules.thresholds.script_failures.warning_ratio: `"0.5"` is text; expected a share above 0 and below 1, such as `0.05` for 5%, without quotes
    moko-mon.yaml:1:55: rules.thresholds.script_failures.warning_ratio: `NaN` is not a number; expected a share above 0 and below 1, such as `0.05` for 5%
    moko-mon.yaml:1:55: rules.thresholds.script_failures.warning_ratio: `500` is not below 1; expected a share above 0 and below 1, such as `0.05` for 5%
    moko-mon.yaml:1:54: rules.thresholds.script_failures.minimum_runs: `0` is too little; expected a whole number from 1 on
    moko-mon.yaml:1:54: rules.thresholds.script_failures.minimum_runs: `1.5` is not a whole number; expected a whole number from 1 on
    moko-mon.yaml:1:48: rules.thresholds.script_failures.window: `30s` is too short; expected a duration such as `90s` or `1h30m`, 1m to 30d
    moko-mon.yaml:1:48: rules.thresholds.script_failures.window: `31d` is too long; expected a duration such as `90s` or `1h30m`, 1m to 30d
    moko-mon.yaml:1:53: rules.thresholds.script_failures.warning_for: `25h` is too long; expected a duration such as `90s` or `1h30m`, 0s to 1d
    moko-mon.yaml:1:47: rules.thresholds.script_duration.limit: `0s` is too short; expected a duration such as `90s` or `1h30m`, 1ms to 30d
    moko-mon.yaml:1:47: rules.thresholds.script_duration.limit: `300` is a duration without a unit; expected a duration such as `90s` or `1h30m`, 1ms to 30d
    moko-mon.yaml:1:47: rules.thresholds.no_executions.silence: `61d` is too long; expected a duration such as `90s` or `1h30m`, 1m to 60d
    moko-mon.yaml:1:38: rules.thresholds.no_executions: unknown key `silense` (did you mean `silence`?); expected one of `silence` or `for`
    moko-mon.yaml:1:40: rules.thresholds.push_stale.age: `0s` is too short; expected a duration such as `90s` or `1h30m`, 1m to 1y
    "#);
}

#[test]
fn numbers_that_contradict_each_other_are_refused() {
    let texts = [
        "script_failures warning_ratio: 0.2",
        "script_failures critical_ratio: 0.01",
        "api_quota warning_ratio: 0.99",
        "circuit_breaker open_for: 10m",
        "security_findings window: 2d",
        "script_failures window: 4m",
        "script_duration window: 4m",
        "notifications for: 6m",
    ];
    let texts = texts.map(set);
    insta::assert_snapshot!(refusals(&texts.each_ref().map(String::as_str)), @r#"
    moko-mon.yaml:1:22: rules.thresholds.script_failures.critical_ratio: `0.2` is not above the warning; expected more than `0.2`, where the warning begins
    moko-mon.yaml:1:56: rules.thresholds.script_failures.critical_ratio: `0.01` is not above the warning; expected more than `0.05`, where the warning begins
    moko-mon.yaml:1:22: rules.thresholds.api_quota.critical_ratio: `0.95` is not above the warning; expected more than `0.99`, where the warning begins
    moko-mon.yaml:1:22: rules.thresholds.circuit_breaker.stuck_for: `10m` is not longer than the warning waits; expected more than `10m`
    moko-mon.yaml:1:22: rules.thresholds.security_findings.known_for: `1d` is not longer than a finding counts as new; expected more than `2d`
    moko-mon.yaml:1:48: rules.thresholds.script_failures.window: `4m` is shorter than the alert waits; expected at least `5m`
    moko-mon.yaml:1:48: rules.thresholds.script_duration.window: `4m` is shorter than the alert waits; expected at least `5m`
    moko-mon.yaml:1:22: rules.thresholds.notifications.window: `5m` is shorter than the alert waits; expected at least `6m`
    "#);
}

#[test]
fn an_alert_that_does_not_exist_cannot_be_disabled() {
    insta::assert_snapshot!(refusals(&["rules: {disabled: [NoScriptExecution]}\n", "rules: {disabled: [x]}\n"]), @r#"
    moko-mon.yaml:1:20: rules.disabled[0]: `NoScriptExecution` is unknown (did you mean `NoScriptExecutions`?); expected a built-in alert, as `moko-mon rules list` shows them
    moko-mon.yaml:1:20: rules.disabled[0]: `x` is unknown; expected a built-in alert, as `moko-mon rules list` shows them
    "#);
    let config = Case::new("rules: {disabled: [TargetDown]}\n").config();
    assert!(config.rules.disabled.contains("TargetDown"));
}

#[test]
fn addresses_of_pages() {
    let refused =
        ["wiki/r", "ftp://a", "https://", "https://a?b", "https://u:p@a", "'https://a/{{x}}'", "'https://a b'"];
    let texts = refused.map(|url| format!("rules: {{runbooks: {url}}}\n"));
    insta::assert_snapshot!(refusals(&texts.each_ref().map(String::as_str)), @r#"
    moko-mon.yaml:1:19: rules.runbooks: `wiki/r` does not start with `http://` or `https://`; expected an address such as `https://grafana.example.com/team`
    moko-mon.yaml:1:19: rules.runbooks: `ftp://a` does not start with `http://` or `https://`; expected an address such as `https://grafana.example.com/team`
    moko-mon.yaml:1:19: rules.runbooks: `https://` has no host; expected an address such as `https://grafana.example.com/team`
    moko-mon.yaml:1:19: rules.runbooks: `https://a?b` has a query or a fragment; expected an address such as `https://grafana.example.com/team`
    moko-mon.yaml:1:19: rules.runbooks: `https://…@a` has credentials in it; expected an address such as `https://grafana.example.com/team`
    moko-mon.yaml:1:19: rules.runbooks: `https://a/{{x}}` has characters that no address has; expected an address such as `https://grafana.example.com/team`
    moko-mon.yaml:1:19: rules.runbooks: `https://a b` has characters that no address has; expected an address such as `https://grafana.example.com/team`
    "#);
    let config = Case::new("grafana: {external_url: 'https://g.example.com/team/'}\n").config();
    assert_eq!(config.grafana.external_url.as_deref(), Some("https://g.example.com/team"));
}

#[test]
fn rare_scrapes_leave_short_windows_empty() {
    let resolved = Case::new("prometheus: {scrape_interval: 2m}\n").resolved();
    assert_eq!(
        resolved.warnings,
        ["rules.thresholds: fewer than three scrapes (`prometheus.scrape_interval` is `2m`) fall into \
          `rule_evaluation.window`, `notifications.window`, so the alerts that look there may never fire"]
    );
}

#[test]
fn one_threshold_can_come_from_the_environment() {
    let case = Case::empty().variable("MOKO_MON_RULES_THRESHOLDS_SCRIPT_FAILURES_WARNING_RATIO", "0.1");
    assert!((case.config().rules.thresholds.script_failures.warning_ratio - 0.1).abs() < 1e-12);
}
