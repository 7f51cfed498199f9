//! Our dashboard with the settings in force: lines and colours at the thresholds of the alerts, links to the runbooks.

use serde_json::{Value, json};

use crate::config::{Rules, Thresholds};

/// Where the links of the asset file lead.
const RUNBOOKS: &str = "https://github.com/mokoconsulting-tech/moko-mon/blob/main/docs/runbooks";

/// Writes the settings into the dashboard; with the defaults it stays as it is.
pub(super) fn adjust(dashboard: &mut Value, rules: &Rules) {
    thresholds(dashboard, &rules.thresholds);
    links(dashboard, &rules.runbooks);
}

/// Lets every link to a runbook lead to where the runbooks are.
fn links(value: &mut Value, runbooks: &str) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(url)) = fields.get_mut("url")
                && let Some(page) = url.strip_prefix(RUNBOOKS)
            {
                *url = format!("{runbooks}{page}");
            }
            fields.values_mut().for_each(|value| links(value, runbooks));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| links(value, runbooks)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Sets the steps of every panel that shows what an alert compares.
fn thresholds(dashboard: &mut Value, thresholds: &Thresholds) {
    let (failures, quota) = (&thresholds.script_failures, &thresholds.api_quota);
    let limit = thresholds.script_duration.limit.as_duration().as_secs_f64();
    let panels = [
        ("Success Rate Gauge", vec![rest(failures.critical_ratio), rest(failures.warning_ratio)]),
        // Green begins where twice of what the warning leaves is left.
        (
            "GitHub API Rate Limit Gauge",
            vec![
                rest(quota.critical_ratio),
                rest(quota.warning_ratio),
                rest(quota.warning_ratio - rest(quota.warning_ratio)).min(1.0),
            ],
        ),
        ("API Rate Limit Usage Over Time", vec![quota.warning_ratio, quota.critical_ratio]),
        ("Script Execution Duration", vec![limit]),
    ];
    for (title, values) in panels {
        let panel = dashboard["panels"].as_array_mut().into_iter().flatten().find(|panel| panel["title"] == title);
        let steps = panel.and_then(|panel| panel.pointer_mut("/fieldConfig/defaults/thresholds/steps"));
        // The first step begins at minus infinity.
        let steps = steps.and_then(Value::as_array_mut).into_iter().flatten().skip(1);
        for (step, value) in steps.zip(values) {
            step["value"] = number(value);
        }
    }
}

/// What is left of a whole, without the noise of binary fractions.
fn rest(share: f64) -> f64 {
    ((1.0 - share) * 1e9).round() / 1e9
}

/// A whole number without a fraction, as Grafana's editor writes it.
#[expect(clippy::cast_possible_truncation, reason = "only whole numbers that JavaScript holds exactly get there")]
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9e15 { json!(value as i64) } else { json!(value) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assets;
    use crate::config::defaults;

    fn steps(dashboard: &Value, title: &str) -> Vec<f64> {
        let panel = dashboard["panels"].as_array().unwrap().iter().find(|panel| panel["title"] == title).unwrap();
        let steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"].as_array().unwrap();
        steps.iter().skip(1).map(|step| step["value"].as_f64().unwrap()).collect()
    }

    #[test]
    fn the_defaults_are_those_of_the_asset_file() {
        let asset: Value = serde_json::from_str(assets::DASHBOARD).unwrap();
        let mut dashboard = asset.clone();
        adjust(&mut dashboard, &defaults().unwrap().rules);
        assert_eq!(dashboard, asset);
    }

    #[test]
    fn a_changed_threshold_moves_its_lines() {
        let mut dashboard: Value = serde_json::from_str(assets::DASHBOARD).unwrap();
        let mut rules = defaults().unwrap().rules;
        let thresholds = &mut rules.thresholds;
        thresholds.script_failures.warning_ratio = 0.1;
        thresholds.script_failures.critical_ratio = 0.5;
        thresholds.api_quota.warning_ratio = 0.3;
        thresholds.api_quota.critical_ratio = 0.8;
        thresholds.script_duration.limit = "90s".parse().unwrap();
        adjust(&mut dashboard, &rules);
        assert_eq!(steps(&dashboard, "Success Rate Gauge"), [0.5, 0.9]);
        assert_eq!(steps(&dashboard, "GitHub API Rate Limit Gauge"), [0.2, 0.7, 1.0]);
        assert_eq!(steps(&dashboard, "API Rate Limit Usage Over Time"), [0.3, 0.8]);
        assert_eq!(steps(&dashboard, "Script Execution Duration"), [90.0]);
    }

    #[test]
    fn links_lead_to_where_the_runbooks_are() {
        let mut dashboard: Value = serde_json::from_str(assets::DASHBOARD).unwrap();
        let mut rules = defaults().unwrap().rules;
        rules.runbooks = "https://wiki.example.com/r".to_owned();
        adjust(&mut dashboard, &rules);
        let text = dashboard.to_string();
        assert!(text.contains("\"https://wiki.example.com/r/CircuitBreakerOpen.md\""));
        assert!(text.contains("\"https://wiki.example.com/r\"") && !text.contains(RUNBOOKS));
    }
}
