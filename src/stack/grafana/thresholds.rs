//! The lines and colours of our dashboard, at the thresholds of the alerts.

use serde_json::{Value, json};

use crate::config::Thresholds;

/// Sets the steps of every panel that shows what an alert compares.
pub(super) fn set(dashboard: &mut Value, thresholds: &Thresholds) {
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
        set(&mut dashboard, &defaults().unwrap().rules.thresholds);
        assert_eq!(dashboard, asset);
    }

    #[test]
    fn a_changed_threshold_moves_its_lines() {
        let mut dashboard: Value = serde_json::from_str(assets::DASHBOARD).unwrap();
        let mut thresholds = defaults().unwrap().rules.thresholds;
        thresholds.script_failures.warning_ratio = 0.1;
        thresholds.script_failures.critical_ratio = 0.5;
        thresholds.api_quota.warning_ratio = 0.3;
        thresholds.api_quota.critical_ratio = 0.8;
        thresholds.script_duration.limit = "90s".parse().unwrap();
        set(&mut dashboard, &thresholds);
        assert_eq!(steps(&dashboard, "Success Rate Gauge"), [0.5, 0.9]);
        assert_eq!(steps(&dashboard, "GitHub API Rate Limit Gauge"), [0.2, 0.7, 1.0]);
        assert_eq!(steps(&dashboard, "API Rate Limit Usage Over Time"), [0.3, 0.8]);
        assert_eq!(steps(&dashboard, "Script Execution Duration"), [90.0]);
    }
}
