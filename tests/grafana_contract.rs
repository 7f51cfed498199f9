//! The contract between moko-mon's Grafana client, the stand-in, and Grafana.
//!
//! Without more it runs against the stand-in, one per case. `GRAFANA_CONTRACT_URL=http://127.0.0.1:3000` (with
//! `GRAFANA_CONTRACT_USER`, `GRAFANA_CONTRACT_PASSWORD` and `GRAFANA_CONTRACT_PROMETHEUS_URL`) runs the same against
//! a real Grafana; it leaves objects of its own names behind and says which cases it cannot make there. What every
//! refusal reads like is held in `src/http/grafana/refusal/tests.rs`.
#![expect(clippy::unwrap_used, clippy::panic, reason = "in a test, to fail is to panic")]

#[path = "support/grafana_stand_in/mod.rs"]
mod grafana_stand_in;
#[path = "grafana_contract/harness.rs"]
mod harness;
#[path = "grafana_contract/looking.rs"]
mod looking;
#[path = "grafana_contract/raw.rs"]
mod raw;
#[path = "grafana_contract/refusals.rs"]
mod refusals;

use harness::Site;
use moko_mon::error::{Code, Result};
use moko_mon::http::grafana::{Content, Grafana, Item, Proof};
use serde_json::json;

async fn apply(grafana: &Grafana, content: &Content) -> Result<()> {
    grafana.apply_data_source(&content.data_source).await?;
    grafana.apply_folder(&content.folder).await?;
    for dashboard in &content.dashboards {
        grafana.apply_dashboard(dashboard, &content.folder).await?;
    }
    Ok(())
}

fn different(item: &Item) -> &str {
    match item {
        Item::Different(why) => why,
        Item::Missing | Item::Same => panic!("{item:?}"),
    }
}

#[tokio::test]
async fn health_needs_no_login_and_tells_the_version() {
    let site = Site::open("health").await;
    let version = site.client().health().await.unwrap().unwrap();
    assert!(version.split('.').next().unwrap().parse::<u32>().unwrap() >= 9, "{version}");
    site.client().login_check().await.unwrap();
}

#[tokio::test]
async fn all_is_missing_then_applied_then_the_same() {
    let site = Site::open("all").await;
    let (grafana, content) = (site.client(), site.content());
    let before = grafana.state(&content).await.unwrap();
    assert_eq!((&before.data_source, &before.folder), (&Item::Missing, &Item::Missing));
    assert_eq!(before.dashboards, [Item::Missing, Item::Missing]);
    apply(&grafana, &content).await.unwrap();
    let after = grafana.state(&content).await.unwrap();
    assert!(after.is_same(), "{after:?}");
    assert_eq!(after.version, grafana.health().await.unwrap());
    // To apply again changes nothing that counts.
    apply(&grafana, &content).await.unwrap();
    assert!(grafana.state(&content).await.unwrap().is_same());
    let found = grafana.dashboard(&content.dashboards[0].uid).await.unwrap().unwrap();
    assert_eq!((found.folder_uid, found.version), (content.folder.uid, 2));
}

#[tokio::test]
async fn a_changed_data_source_is_set_right_and_keeps_the_rest() {
    let site = Site::open("ds").await;
    let (grafana, content) = (site.client(), site.content());
    grafana.apply_data_source(&content.data_source).await.unwrap();
    let mut body = content.data_source.json();
    body["url"] = "http://elsewhere:9090".into();
    body["jsonData"]["cacheLevel"] = "High".into();
    let path = format!("/api/datasources/uid/{}", content.data_source.uid);
    assert_eq!(site.put(&path, body).await.status, 200);
    let state = grafana.state(&content).await.unwrap();
    let expected = format!("`url` is `http://elsewhere:9090`, not `{}`", site.prometheus);
    assert_eq!(different(&state.data_source), expected);
    grafana.apply_data_source(&content.data_source).await.unwrap();
    assert_eq!(grafana.state(&content).await.unwrap().data_source, Item::Same);
    let found = grafana.data_source(&content.data_source.uid).await.unwrap().unwrap();
    assert_eq!(found["jsonData"], json!({ "httpMethod": "POST", "timeInterval": "5s", "cacheLevel": "High" }));
}

#[tokio::test]
async fn a_renamed_folder_gets_its_title_back() {
    let site = Site::open("folder").await;
    let (grafana, content) = (site.client(), site.content());
    grafana.apply_folder(&content.folder).await.unwrap();
    let path = format!("/api/folders/{}", content.folder.uid);
    let renamed = format!("Other {}", content.folder.uid);
    assert_eq!(site.put(&path, json!({ "title": renamed, "overwrite": true })).await.status, 200);
    let state = grafana.state(&content).await.unwrap();
    assert_eq!(different(&state.folder), format!("its title is `{renamed}`, not `{}`", content.folder.title));
    grafana.apply_folder(&content.folder).await.unwrap();
    assert_eq!(grafana.folder(&content.folder.uid).await.unwrap(), Some(content.folder));
}

#[tokio::test]
async fn a_dashboard_changed_by_hand_is_replaced() {
    let site = Site::open("edit").await;
    let (grafana, content) = (site.client(), site.content());
    apply(&grafana, &content).await.unwrap();
    let ours = &content.dashboards[0];
    let mut edited = ours.json.clone();
    edited["panels"][0]["title"] = "Mine now".into();
    let body = json!({ "dashboard": edited, "folderUid": content.folder.uid, "overwrite": true, "message": "by hand" });
    assert_eq!(site.post("/api/dashboards/db", body).await.status, 200);
    let state = grafana.state(&content).await.unwrap();
    assert_eq!(different(&state.dashboards[0]), "`panels[0].title` is `Mine now`, not `Up`");
    assert_eq!(state.dashboards[1], Item::Same);
    grafana.apply_dashboard(ours, &content.folder).await.unwrap();
    assert!(grafana.state(&content).await.unwrap().is_same());
}

#[tokio::test]
async fn a_dashboard_moved_elsewhere_comes_back() {
    let site = Site::open("move").await;
    let (grafana, content) = (site.client(), site.content());
    apply(&grafana, &content).await.unwrap();
    let ours = &content.dashboards[0];
    let body = json!({ "dashboard": ours.json, "overwrite": true });
    assert_eq!(site.post("/api/dashboards/db", body).await.status, 200);
    let state = grafana.state(&content).await.unwrap();
    assert_eq!(different(&state.dashboards[0]), format!("it is in folder ``, not `{}`", content.folder.uid));
    grafana.apply_dashboard(ours, &content.folder).await.unwrap();
    assert!(grafana.state(&content).await.unwrap().is_same());
}

/// Grafana 12 and newer migrate on read: what comes back is not what was sent, though nobody touched it.
#[tokio::test]
async fn a_migrated_dashboard_is_known_by_its_last_save() {
    let site = Site::open("migrated").await;
    let (grafana, mut content) = (site.client(), site.content());
    apply(&grafana, &content).await.unwrap();
    let path = format!("/api/dashboards/uid/{}", content.dashboards[0].uid);
    let mut body: serde_json::Value = site.get(&path).await.json().unwrap();
    body["dashboard"]["schemaVersion"] = 42.into();
    let base =
        site.scripted(&[("GET", path.clone(), 200, body.clone()), ("GET", path.clone(), 200, body.clone())]).await;
    let behind = site.client_at(&base);
    assert_eq!(behind.state(&content).await.unwrap().dashboards[0], Item::Same);
    content.dashboards[0].json["tags"] = json!(["new"]);
    assert_eq!(different(&behind.state(&content).await.unwrap().dashboards[0]), "`tags[0]` is `moko-mon`, not `new`");
    // No single version to be had: the list says it, too, from the second save on.
    content.dashboards[0].json["tags"] = json!(["moko-mon"]);
    grafana.apply_dashboard(&content.dashboards[0], &content.folder).await.unwrap();
    let gone = (500, json!({ "message": "Dashboard version 1 not found for dashboardId 1" }));
    let script = [("GET", path.clone(), 200, body), ("GET", format!("{path}/versions/1"), gone.0, gone.1)];
    let behind = site.client_at(&site.scripted(&script).await);
    assert_eq!(behind.state(&content).await.unwrap().dashboards[0], Item::Same);
}

/// The same on the first import, where no version can be asked for: that what was saved is still there is enough,
/// that a panel is missing is not.
#[tokio::test]
async fn what_was_imported_is_read_back() {
    let site = Site::open("readback").await;
    let content = site.content();
    site.client().apply_folder(&content.folder).await.unwrap();
    for (letter, panels) in [(0, 1), (1, 0)] {
        let ours = &content.dashboards[letter];
        let path = format!("/api/dashboards/uid/{}", ours.uid);
        let mut read = ours.json.clone();
        read["schemaVersion"] = 42.into();
        read["panels"].as_array_mut().unwrap().truncate(panels);
        let body = json!({ "meta": { "version": 1, "folderUid": content.folder.uid }, "dashboard": read });
        let gone = json!({ "message": "Dashboard version 1 not found for dashboardId 1" });
        let script = [("GET", path.clone(), 200, body), ("GET", format!("{path}/versions/1"), 500, gone)];
        let grafana = site.client_at(&site.scripted(&script).await);
        let done = grafana.apply_dashboard(ours, &content.folder).await;
        if panels == 1 {
            done.unwrap();
            continue;
        }
        assert_eq!(
            done.unwrap_err().to_string(),
            format!(
                "error: Grafana did not keep dashboard `{}` as it was sent\n  \
                 caused by: `schemaVersion` is `42`, not `37`\n\
                 hint: run `moko-mon up` again; if it stays so, see `moko-mon logs grafana`",
                ours.title
            )
        );
    }
}

#[tokio::test]
async fn the_data_source_is_proved_by_a_query() {
    let site = Site::open("proof").await;
    let (grafana, content) = (site.client(), site.content());
    grafana.apply_data_source(&content.data_source).await.unwrap();
    let health = grafana.data_source_health(&content.data_source.uid).await.unwrap();
    let real_check = site.get(&format!("/api/datasources/uid/{}/health", content.data_source.uid)).await.status == 200;
    assert_eq!(health.proof, if real_check { Proof::HealthCheck } else { Proof::PanelQuery });
    assert!(!health.message.is_empty());
}

#[tokio::test]
async fn a_health_check_is_believed_where_there_is_one() {
    let site = Site::open("check").await;
    let path = "/api/datasources/uid/x/health".to_owned();
    let good = json!({ "status": "OK", "message": "Successfully queried the Prometheus API.", "details": {} });
    let bad = json!({ "status": "ERROR", "message": "connection refused" });
    let base = site.scripted(&[("GET", path.clone(), 200, good), ("GET", path, 400, bad)]).await;
    let grafana = site.client_at(&base);
    let health = grafana.data_source_health("x").await.unwrap();
    assert_eq!(
        (health.proof, health.message.as_str()),
        (Proof::HealthCheck, "Successfully queried the Prometheus API.")
    );
    let error = grafana.data_source_health("x").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "error: Grafana cannot query Prometheus through data source `x`\n  \
         caused by: connection refused\n\
         hint: see whether Prometheus is up with `moko-mon status`"
    );
}

#[tokio::test]
async fn a_data_source_without_prometheus_or_not_there_is_unhealthy() {
    let site = Site::open("dead").await;
    let (grafana, mut content) = (site.client(), site.content());
    content.data_source.url = "http://127.0.0.1:1".into();
    grafana.apply_data_source(&content.data_source).await.unwrap();
    for uid in [content.data_source.uid.as_str(), "no-such-source"] {
        let error = grafana.data_source_health(uid).await.unwrap_err();
        assert_eq!(error.code, Code::NotReady);
        assert_eq!(error.message, format!("Grafana cannot query Prometheus through data source `{uid}`"));
        assert_eq!(error.causes.len(), 1);
    }
}
