//! What `verify` asks: lists, queries of panels, and Prometheus behind a data source.

use serde_json::{Value, json};

use crate::apply;
use crate::harness::Site;

#[tokio::test]
async fn data_sources_and_dashboards_are_listed() {
    let site = Site::open("lists").await;
    let (grafana, content) = (site.client(), site.content());
    apply(&grafana, &content).await.unwrap();
    let sources = grafana.data_sources().await.unwrap().unwrap();
    let ours = sources.iter().find(|source| source["uid"] == *content.data_source.uid).unwrap();
    assert_eq!(
        (&ours["type"], &ours["isDefault"], &ours["name"], &ours["url"]),
        (&json!("prometheus"), &json!(true), &json!(content.data_source.name), &json!(content.data_source.url))
    );
    assert_eq!((ours.get("version"), ours["typeName"].as_str()), (None, Some("Prometheus")));
    let uids = grafana.dashboard_uids().await.unwrap();
    for dashboard in &content.dashboards {
        assert!(uids.contains(&dashboard.uid) && !uids.contains(&content.folder.uid), "{uids:?}");
    }
    assert_eq!(grafana.library_panel("no-such-panel").await.unwrap(), None);
}

#[tokio::test]
async fn prometheus_behind_a_data_source_says_what_panels_do_not() {
    let site = Site::open("behind").await;
    let (grafana, source) = (site.client(), site.content().data_source);
    grafana.apply_data_source(&source).await.unwrap();
    let target = |uid: &str, expr: &str| {
        json!({ "refId": "A", "expr": expr, "instant": true, "range": false,
            "datasource": { "type": "prometheus", "uid": uid } })
    };
    let panel = |uid: &str, expr: &str| {
        let queries = [target(uid, expr)];
        let grafana = &grafana;
        async move { grafana.run_queries(&queries, "now-5m", "now").await.unwrap() }
    };
    let broken = panel(&source.uid, "up(").await;
    assert_eq!((broken.status, broken.json::<Value>().unwrap()["results"]["A"]["error"].as_str()), (200, None));
    let answer = grafana.resource(&source.uid, "api/v1/query", &[("query", "up(")]).await.unwrap();
    let body: Value = answer.json().unwrap();
    assert_eq!((answer.status, body["status"].as_str()), (400, Some("error")));
    assert!(body["error"].as_str().unwrap().contains("parse error"), "{body}");
    let answer = grafana.resource(&source.uid, "api/v1/query", &[("query", "up")]).await.unwrap();
    assert_eq!(answer.json::<Value>().unwrap()["data"]["result"][0]["metric"]["__name__"], "up");
    let gone = panel("no-such-source", "up").await;
    assert_eq!((gone.status, gone.json::<Value>().unwrap()["message"].as_str()), (404, Some("Data source not found")));
}
