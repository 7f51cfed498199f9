//! What Grafana contains.

use serde_json::{Value, json};

use crate::support::{ALL, Stack};

const OURS: &str = "/api/dashboards/uid/moko-standards-monitoring";

#[test]
fn a_dashboard_edited_or_deleted_in_grafana_comes_back() {
    let stack = Stack::new("dash");
    stack.up();
    let before = stack.lives();
    let (_, original) = stack.grafana("GET", OURS, None);
    let panels = original["dashboard"]["panels"].as_array().unwrap().len();
    assert!(panels > 0, "{original}");

    let mut edited = original["dashboard"].clone();
    edited["panels"] = json!([]);
    let body = json!({"dashboard": edited, "folderUid": "moko-mon", "overwrite": true});
    let (status, answer) = stack.grafana("POST", "/api/dashboards/db", Some(&body));
    assert_eq!(status, 200, "{answer}");
    assert_eq!(stack.plan(), ["grafana import dashboard moko-standards-monitoring"]);
    stack.up();
    let (_, found) = stack.grafana("GET", OURS, None);
    assert_eq!(found["dashboard"]["panels"].as_array().unwrap().len(), panels);

    assert_eq!(stack.grafana("DELETE", OURS, None).0, 200);
    stack.up();
    assert_eq!(stack.grafana("GET", OURS, None).0, 200);

    assert_eq!(stack.grafana("DELETE", "/api/datasources/uid/moko-mon-prometheus", None).0, 200);
    stack.up();
    assert_eq!(stack.grafana("GET", "/api/datasources/uid/moko-mon-prometheus", None).0, 200);

    assert_eq!(stack.grafana("DELETE", "/api/folders/moko-mon", None).0, 200);
    stack.up();
    let (_, found) = stack.grafana("GET", OURS, None);
    assert_eq!(found["meta"]["folderUid"], "moko-mon");
    assert_eq!(stack.touched(&before), Vec::<String>::new());
    stack.assert_converged(&ALL);
}

#[test]
fn an_exported_dashboard_of_the_user_is_imported_with_our_data_source() {
    let stack = Stack::new("user");
    let exported = json!({
        "__inputs": [{"name": "DS_PROM", "label": "Prometheus", "type": "datasource", "pluginId": "prometheus"}],
        "__requires": [{"type": "datasource", "id": "prometheus", "name": "Prometheus", "version": "1.0.0"}],
        "id": 77, "uid": "mine", "title": "Mine", "schemaVersion": 36, "version": 9,
        "panels": [{
            "id": 1, "type": "timeseries", "title": "Up", "gridPos": {"h": 8, "w": 12, "x": 0, "y": 0},
            "datasource": {"type": "prometheus", "uid": "${DS_PROM}"},
            "targets": [{"refId": "A", "expr": "up", "datasource": {"type": "prometheus", "uid": "${DS_PROM}"}}],
        }],
    });
    stack.write("dashboards/mine.json", &exported.to_string());
    stack.config("grafana:\n  dashboards:\n    - dashboards/*.json\n");
    stack.up();
    let (status, found) = stack.grafana("GET", "/api/dashboards/uid/mine", None);
    assert_eq!(status, 200, "{found}");
    let panel = &found["dashboard"]["panels"][0];
    assert_eq!(panel["datasource"]["uid"], "moko-mon-prometheus", "{found}");
    assert_eq!(panel["targets"][0]["datasource"]["uid"], "moko-mon-prometheus");
    assert_eq!((&found["dashboard"]["title"], &found["meta"]["folderUid"]), (&json!("Mine"), &json!("moko-mon")));
    assert!(!found.to_string().contains("DS_PROM"), "{found}");
    stack.assert_converged(&ALL);

    // A panel really shows what Prometheus has: asked as Grafana's own panels ask.
    let query = json!({
        "queries": [{"refId": "A", "expr": "up", "instant": true,
            "datasource": {"type": "prometheus", "uid": "moko-mon-prometheus"}}],
        "from": "now-5m", "to": "now",
    });
    stack.sample("up{job=\"grafana\"} == 1");
    let (status, answer) = stack.grafana("POST", "/api/ds/query", Some(&query));
    assert_eq!(status, 200, "{answer}");
    let frames = answer.pointer("/results/A/frames").and_then(Value::as_array).unwrap();
    assert!(!frames.is_empty(), "{answer}");
}
