//! What `rules simulate` pushes, against the rules with their real thresholds: promtool lets the hours pass.

use std::time::Duration;

use moko_mon::config::{PromDuration, Sources, defaults, resolve};
use moko_mon::exposition;
use moko_mon::http::prometheus::RuleGroup;
use moko_mon::simulate::{Alert, Lasts, Loaded, Plan, Present, plan};
use serde_json::{Value, json};

use crate::tools::promtool;

/// Seconds between two scrapes and two evaluations.
const STEP: u64 = 15;
/// When the pushed values are first scraped; the baseline is there for two scrapes before.
const PUSHED: u64 = 2 * STEP;

#[test]
fn each_push_trips_its_rule_in_time_and_is_forgotten_when_it_was_told() {
    let adjusted = Sources {
        directory: std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules-adjusted"),
        ..Sources::default()
    };
    for config in [defaults().unwrap(), resolve(&adjusted).unwrap().config] {
        let scratch = tempfile::tempdir().unwrap();
        let (_, rules) = moko_mon::rules::files(&config).swap_remove(0);
        std::fs::write(scratch.path().join("rules.yml"), &rules).unwrap();
        let groups = groups(&rules);
        let tests: Vec<Value> = Alert::ALL.into_iter().filter_map(|alert| case(alert, &groups)).collect();
        assert_eq!(tests.len(), 10, "silence is not pushed");
        let file = json!({"rule_files": ["rules.yml"], "evaluation_interval": format!("{STEP}s"), "tests": tests});
        // JSON is YAML.
        std::fs::write(scratch.path().join("tests.yml"), file.to_string()).unwrap();
        promtool(scratch.path(), &["test", "rules", "/data/tests.yml"]);
    }
}

/// One test: silent before, firing in time without the worse alert, and over when it was told.
fn case(alert: Alert, groups: &[RuleGroup]) -> Option<Value> {
    let loaded = Loaded::find(groups, alert).unwrap();
    let now = Duration::from_secs(PUSHED).as_secs_f64();
    let plan = plan(alert, &loaded, &Present { now, ..Present::default() }).unwrap();
    plan.pushes.first()?;
    let slack = loaded.interval().as_secs().max(STEP) + STEP;
    let fires = PUSHED + loaded.for_duration().as_secs() + slack;
    // Held until it fires, then recovered for as long as a scrape takes, then gone.
    let held = (fires - PUSHED) / STEP;
    let gone = PUSHED + (held + if plan.recovery.is_some() { 3 } else { 1 }) * STEP;
    let seen = match &plan.lasts {
        Lasts::Window(window) => PUSHED + window.as_duration().as_secs(),
        Lasts::Gone | Lasts::Silence(_) => gone + STEP,
    };
    let over = seen + loaded.keep_firing_for().as_secs() + 2 * slack;
    let firing = |name: &str, at: u64, count: Option<u64>| {
        let samples = count.map(|value| json!({"labels": "{}", "value": value}));
        let expr = format!("count(ALERTS{{alertname=\"{name}\",alertstate=\"firing\"}})");
        json!({"expr": expr, "eval_time": format!("{at}s"), "exp_samples": Vec::from_iter(samples)})
    };
    let mut asked =
        vec![firing(alert.name(), STEP, None), firing(alert.name(), fires, Some(1)), firing(alert.name(), over, None)];
    if matches!(plan.lasts, Lasts::Window(_)) {
        // The last sample before the jump is a scrape older.
        asked.push(firing(alert.name(), seen - 2 * STEP, Some(1)));
    }
    let worse = match alert {
        Alert::HighScriptFailureRate => Some(Alert::CriticalScriptFailureRate),
        Alert::HighAPIRateLimitUsage => Some(Alert::CriticalAPIRateLimitUsage),
        Alert::SecurityFindingsDetected => Some(Alert::HighSeveritySecurityFinding),
        Alert::CircuitBreakerStuckOpen => Some(Alert::CircuitBreakerOpen),
        _ => None,
    };
    asked.extend(worse.map(|worse| firing(worse.name(), fires, None)));
    Some(json!({
        "name": alert.name(), "interval": format!("{STEP}s"), "input_series": series(&plan, held),
        "promql_expr_test": asked,
    }))
}

/// The series of a plan in promtool's notation.
fn series(plan: &Plan, held: u64) -> Vec<Value> {
    let lines = |families: &[exposition::Family]| {
        let text = exposition::untyped(families);
        let split = |line: &str| line.rsplit_once(' ').map(|(name, value)| (name.to_owned(), value.to_owned()));
        text.lines().filter_map(split).collect::<Vec<_>>()
    };
    let pushes: Vec<_> = plan.pushes.iter().map(|push| lines(&push.families)).collect();
    let recovery = plan.recovery.as_ref().map(|push| lines(&push.families));
    let last = pushes.last().unwrap();
    let one = |(index, (name, value)): (usize, &(String, String))| {
        let before = if pushes.len() > 1 { format!("{}x1", pushes[0][index].1) } else { "_x2".to_owned() };
        let after = recovery.as_ref().map(|lines| format!("{}x1 ", lines[index].1)).unwrap_or_default();
        json!({"series": name, "values": format!("{before} {value}x{held} {after}stale")})
    };
    last.iter().enumerate().map(one).collect()
}

/// A rule file as Prometheus would tell it.
fn groups(text: &str) -> Vec<RuleGroup> {
    let mut file: Value = moko_mon::yaml::from_str(text).unwrap();
    let seconds = |value: &Value| {
        value.as_str().map_or(0.0, |text| text.parse::<PromDuration>().unwrap().as_duration().as_secs_f64())
    };
    for group in file["groups"].as_array_mut().unwrap() {
        group["file"] = json!("rules.yml");
        group["interval"] = json!(seconds(&group["interval"]));
        for rule in group["rules"].as_array_mut().unwrap() {
            let kind = if rule["alert"].is_string() { "alert" } else { "record" };
            rule["name"] = rule[kind].clone();
            rule["type"] = json!(if kind == "alert" { "alerting" } else { "recording" });
            rule["query"] = json!(rule["expr"].as_str().unwrap().split_whitespace().collect::<Vec<_>>().join(" "));
            rule["duration"] = json!(seconds(&rule["for"]));
            rule["keepFiringFor"] = json!(seconds(&rule["keep_firing_for"]));
            rule["health"] = json!("ok");
        }
    }
    serde_json::from_value(file["groups"].clone()).unwrap()
}
