//! The built-in rules: their names, their runbooks, and their files with the thresholds in force written into them. And
//! any rules, the user's too: what a file says, what Prometheus has loaded, what is odd about them.
//!
//! A template is a rule file with `@{group.key}` where a threshold stands; `assets` has them, and beside them what the
//! defaults make of them.

mod doubts;
mod file;
mod junit;
mod live;
mod suite;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::alerting::WATCHDOG;
use crate::assets;
use crate::config::{Config, PromDuration};
use crate::jobs;

pub use doubts::{clashes, doubts};
pub use file::{Group, Rule, groups};
pub use junit::{Outcome, junit};
pub use live::{Entry, File, State, entries};
pub use suite::{Test, as_on_disk, bundled, of_jobs, read as read_test};

macro_rules! runbooks {
    ($($name:literal),* $(,)?) => {
        /// The built-in alerts, in the order of their files.
        pub const ALERTS: [&str; [$($name),*].len()] = [$($name),*];

        /// The runbook of each of [`ALERTS`], in the same order.
        const RUNBOOKS: [&str; ALERTS.len()] = [$(include_str!(concat!("../docs/runbooks/", $name, ".md"))),*];
    };
}

runbooks![
    "HighScriptFailureRate",
    "CriticalScriptFailureRate",
    "SlowScriptExecution",
    "HighAPIRateLimitUsage",
    "CriticalAPIRateLimitUsage",
    "APIRateLimitResetSoon",
    "CircuitBreakerOpen",
    "CircuitBreakerStuckOpen",
    "SecurityFindingsDetected",
    "HighSeveritySecurityFinding",
    "NoScriptExecutions",
    "TargetDown",
    "PrometheusNotRecording",
    "PrometheusConfigReloadFailed",
    "AlertmanagerConfigReloadFailed",
    "PrometheusRuleEvaluationFailing",
    "PrometheusNotificationsFailing",
    "AlertmanagerNotificationsFailing",
    "PushgatewayPushFailed",
    "PushgatewayPushRefused",
    "PushgatewayGroupStale",
    "PrometheusStorageNearlyFull",
];

/// How many of [`ALERTS`], from the first on, are about scripts; the others are about the stack itself.
pub const ABOUT_SCRIPTS: usize = 11;

/// The runbook of an alert of ours, in Markdown.
#[must_use]
pub fn runbook(alert: &str) -> Option<&'static str> {
    let ours = ALERTS.iter().zip(RUNBOOKS).find_map(|(name, text)| (*name == alert).then_some(text));
    let watchdog = (alert == WATCHDOG).then_some(include_str!("../docs/runbooks/Watchdog.md"));
    ours.or_else(|| jobs::runbook(alert)).or(watchdog)
}

/// The built-in rule files by name, with the settings in force, and that of the jobs; a file of which nothing is left is
/// not among them.
#[must_use]
pub fn files(config: &Config) -> Vec<(&'static str, String)> {
    let files =
        [("alerts-config.yml", assets::ALERTS_CONFIG_TEMPLATE), ("stack-alerts.yml", assets::STACK_ALERTS_TEMPLATE)];
    let files = files.into_iter().map(|(name, template)| (name, render(template, config)));
    let files = files.filter(|(_, text)| text.contains("\n  - name: "));
    files.chain(jobs::rule_file(config, grafana(config).as_deref()).map(|text| (jobs::RULE_FILE, text))).collect()
}

/// The rule files that the tool itself needs, which nobody adjusts: the canary's of `verify --deep`, and the watchdog's.
#[must_use]
pub fn own() -> [(&'static str, &'static str); 2] {
    [("canary.yml", assets::CANARY), ("watchdog.yml", assets::WATCHDOG)]
}

/// The built-in rule files by name, as they ship.
#[must_use]
pub fn shipped() -> [(&'static str, String); 2] {
    [("alerts-config.yml", assets::ALERTS_CONFIG), ("stack-alerts.yml", assets::STACK_ALERTS)]
        .map(|(name, text)| (name, text.to_owned()))
}

/// What a template becomes: without what is disabled, and with a value in every place.
fn render(template: &str, config: &Config) -> String {
    let thresholds = serde_json::to_value(&config.rules.thresholds).unwrap_or_default();
    let grafana = grafana(config);
    let value = |place: &str| match (place, &grafana) {
        ("runbooks", _) => Some(config.rules.runbooks.clone()),
        ("grafana", Some(url)) => Some(url.clone()),
        _ => threshold(&thresholds, place),
    };
    let mut out = String::with_capacity(template.len());
    for line in enabled(template, &config.rules.disabled) {
        // Without a Grafana there is nothing to link to.
        if grafana.is_none() && line.contains("@{grafana}") {
            continue;
        }
        let mut rest = line;
        while let Some((before, place, after)) = first_place(rest) {
            out.push_str(before);
            out.push_str(&value(place).unwrap_or_else(|| format!("@{{{place}}}")));
            rest = after;
        }
        out.push_str(rest);
    }
    out
}

/// A line around its first `@{place}`.
fn first_place(line: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = line.split_once("@{")?;
    let (place, after) = rest.split_once('}')?;
    Some((before, place, after))
}

/// Where people reach Grafana, if there is one.
fn grafana(config: &Config) -> Option<String> {
    let settings = &config.grafana;
    let published = || crate::stack::Port { bind: config.bind, host: settings.server.port, container: 0 }.url();
    match &settings.external_url {
        Some(url) => Some(url.clone()),
        None => settings.enabled.then(published),
    }
}

/// The text of `group.key`, `group.key|seconds` or `group.key|percent`.
fn threshold(thresholds: &Value, place: &str) -> Option<String> {
    let (path, form) = place.split_once('|').map_or((place, None), |(path, form)| (path, Some(form)));
    let (group, key) = path.split_once('.')?;
    let value = thresholds.get(group)?.get(key)?;
    match form {
        None => Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned)),
        Some("seconds") => {
            let duration: PromDuration = value.as_str()?.parse().ok()?;
            Some(duration.as_duration().as_secs_f64().to_string())
        }
        // Rounded where a share is not exact in binary: 0.07 times 100 is 7.000000000000001.
        Some("percent") => Some(format!("{}%", (value.as_f64()? * 1e6).round() / 1e4)),
        Some(_) => None,
    }
}

/// A piece of a template: a group's head or a rule, with the comment above it.
#[derive(Default)]
struct Piece<'a> {
    lines: Vec<&'a str>,
    start: &'a str,
}

impl Piece<'_> {
    fn is_group(&self) -> bool {
        self.start.starts_with("  - ")
    }

    fn is_kept(&self, disabled: &BTreeSet<String>) -> bool {
        let name = self.start.trim().strip_prefix("- alert: ");
        !self.is_group() && name.is_none_or(|name| !disabled.contains(name))
    }
}

/// The lines of a template, line breaks included, without disabled alerts and without groups in which none is left.
fn enabled<'a>(template: &'a str, disabled: &BTreeSet<String>) -> Vec<&'a str> {
    let mut pieces = vec![Piece::default()];
    let mut comment = Vec::new();
    for line in template.split_inclusive('\n') {
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            comment.push(line);
            continue;
        }
        if line.starts_with("  - ") || line.starts_with("      - ") {
            pieces.push(Piece { lines: Vec::new(), start: line });
        }
        if let Some(piece) = pieces.last_mut() {
            piece.lines.append(&mut comment);
            piece.lines.push(line);
        }
    }
    let rules_behind = |index: usize| pieces.iter().skip(index + 1).take_while(|piece| !piece.is_group());
    let kept = pieces.iter().enumerate().filter(|(index, piece)| {
        piece.is_kept(disabled) || rules_behind(*index).any(|rule| piece.is_group() && rule.is_kept(disabled))
    });
    kept.flat_map(|(_, piece)| piece.lines.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::defaults;
    use crate::yaml;

    fn text(config: &Config) -> String {
        files(config).into_iter().map(|(_, text)| text).collect()
    }

    /// The names of all alerts in rule files.
    fn alerts(text: &str) -> Vec<&str> {
        text.lines().filter_map(|line| line.trim_start().strip_prefix("- alert: ")).collect()
    }

    #[test]
    fn the_defaults_render_exactly_the_asset_files() {
        let files = files(&defaults().unwrap());
        assert_eq!(files[0], ("alerts-config.yml", assets::ALERTS_CONFIG.to_owned()));
        assert_eq!(files[1], ("stack-alerts.yml", assets::STACK_ALERTS.to_owned()));
        assert_eq!(files.len(), 2);
    }

    #[test]
    fn every_alert_is_listed_and_has_its_runbook() {
        let text = text(&defaults().unwrap());
        assert_eq!(alerts(&text), ALERTS);
        assert_eq!(alerts(assets::ALERTS_CONFIG), ALERTS[..ABOUT_SCRIPTS]);
        for alert in ALERTS {
            assert!(runbook(alert).unwrap().starts_with(&format!("# {alert}\n")), "{alert}");
            assert!(text.contains(&format!("/{alert}.md\n")), "{alert}");
        }
        assert_eq!(runbook("Nothing"), None);
    }

    /// A threshold without a place would be a setting that does nothing.
    #[test]
    fn every_threshold_has_its_place_and_every_place_a_threshold() {
        let thresholds = serde_json::to_value(&defaults().unwrap().rules.thresholds).unwrap();
        let templates = [assets::ALERTS_CONFIG_TEMPLATE, assets::STACK_ALERTS_TEMPLATE].concat();
        for (group, keys) in thresholds.as_object().unwrap() {
            for key in keys.as_object().unwrap().keys() {
                let place = format!("@{{{group}.{key}");
                let used = [format!("{place}}}"), format!("{place}|")];
                assert!(used.iter().any(|used| templates.contains(used)), "{group}.{key} is used nowhere");
            }
        }
        assert!(!text(&defaults().unwrap()).contains("@{"));
    }

    #[test]
    fn numbers_are_written_as_expressions_and_people_want_them() {
        let thresholds = serde_json::json!({"a": {"ratio": 0.07, "time": "1h30m", "count": 12, "short": "500ms"}});
        for (place, text) in [
            ("a.ratio", "0.07"),
            ("a.ratio|percent", "7%"),
            ("a.time", "1h30m"),
            ("a.time|seconds", "5400"),
            ("a.short|seconds", "0.5"),
            ("a.count", "12"),
        ] {
            assert_eq!(threshold(&thresholds, place).as_deref(), Some(text), "{place}");
        }
    }

    #[test]
    fn a_disabled_alert_is_gone_and_nothing_else() {
        for name in ALERTS {
            let mut config = defaults().unwrap();
            config.rules.disabled.insert(name.to_owned());
            let text = text(&config);
            let left: Vec<&str> = ALERTS.into_iter().filter(|alert| *alert != name).collect();
            assert_eq!(alerts(&text), left);
            assert!(!text.contains(&format!("/{name}.md")), "{name}");
            assert_eq!(text.matches("- record: ").count(), assets::ALERTS_CONFIG.matches("- record: ").count());
        }
    }

    #[test]
    fn a_group_in_which_nothing_is_left_is_gone_and_so_is_a_file() {
        let mut config = defaults().unwrap();
        config.rules.disabled.insert("NoScriptExecutions".to_owned());
        let left = files(&config);
        assert!(!left[0].1.contains("moko-monitoring"));
        assert!(!left[0].1.contains("Two ways to see no run"), "its comment goes with it");
        for (_, text) in &left {
            let file = yaml::from_str::<Value>(text).unwrap();
            let groups = file["groups"].as_array().unwrap();
            assert!(groups.iter().all(|group| !group["rules"].as_array().unwrap().is_empty()));
        }
        config.rules.disabled.extend(ALERTS.map(str::to_owned));
        let left = files(&config);
        assert_eq!(left.len(), 1, "what is recorded for the dashboard stays");
        assert_eq!(left[0].0, "alerts-config.yml");
    }

    #[test]
    fn links_lead_to_where_runbooks_and_grafana_are() {
        let mut config = defaults().unwrap();
        config.rules.runbooks = "https://wiki.example.com/r".to_owned();
        config.grafana.server.port = 3333;
        assert!(text(&config).contains("runbook_url: https://wiki.example.com/r/TargetDown.md\n"));
        assert!(text(&config).contains("dashboard_url: http://127.0.0.1:3333/d/"));
        config.grafana.external_url = Some("https://g.example.com/team".to_owned());
        assert!(text(&config).contains("dashboard_url: https://g.example.com/team/d/moko-standards-monitoring"));
        config.grafana.enabled = false;
        assert!(text(&config).contains("dashboard_url: https://g.example.com"), "somebody else's Grafana");
        config.grafana.external_url = None;
        assert!(!text(&config).contains("dashboard_url"), "no Grafana, no link");
    }
}
