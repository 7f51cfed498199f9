//! Answers that the client does not ask for by itself yet, and that the stand-in must give like Grafana.

use moko_mon::http::Answer;
use serde_json::{Value, json};

use crate::harness::{Site, http};

fn frames(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json::<Value>().unwrap()["results"]["A"]["frames"].clone()
}

fn query(uid: &str, expr: &str, more: Value) -> Value {
    let mut query = json!({
        "refId": "A", "expr": expr, "datasource": { "type": "prometheus", "uid": uid },
        "intervalMs": 15000, "maxDataPoints": 20, "instant": true, "range": false,
    });
    if let (Some(query), Value::Object(more)) = (query.as_object_mut(), more) {
        query.extend(more);
    }
    json!({ "from": "now-5m", "to": "now", "queries": [query] })
}

#[tokio::test]
async fn who_does_not_log_in_gets_nowhere() {
    let site = Site::open("anonymous").await;
    let anonymous = http().get(&format!("{}/api/org", site.base), None).await.unwrap();
    assert_eq!((anonymous.status, anonymous.body.trim()), (401, r#"{"message":"Unauthorized"}"#));
    let nowhere = site.get("/api/no-such-route").await;
    assert_eq!((nowhere.status, nowhere.body.trim()), (404, r#"{"message":"Not found"}"#));
}

#[tokio::test]
async fn a_panels_query_has_a_frame_per_series() {
    let site = Site::open("query").await;
    let source = site.content().data_source;
    site.client().apply_data_source(&source).await.unwrap();
    let ask = |expr: &'static str, more: Value| site.post("/api/ds/query", query(&source.uid, expr, more));
    let up = frames(&ask("up", json!({})).await);
    let (schema, values) = (&up[0]["schema"], &up[0]["data"]["values"]);
    assert_eq!(schema["meta"]["custom"]["resultType"], "vector");
    assert_eq!(schema["meta"]["executedQueryString"], "Expr: up\nStep: 15s");
    assert_eq!((&schema["fields"][0]["type"], &schema["fields"][1]["type"]), (&json!("time"), &json!("number")));
    assert_eq!(schema["fields"][1]["labels"]["__name__"], "up");
    assert_eq!((values[0].as_array().unwrap().len(), values[1][0].as_f64()), (1, Some(1.0)));
    let range = frames(&ask("up", json!({ "instant": false, "range": true })).await);
    assert_eq!(range[0]["schema"]["meta"]["custom"]["resultType"], "matrix");
    assert_eq!(range[0]["schema"]["fields"][0]["config"]["interval"], 15000);
    let both = frames(&ask("up", json!({ "range": true })).await);
    assert_eq!(both[0]["schema"]["meta"]["custom"]["resultType"], "vector");
    let rate = frames(&ask("count_over_time(up[$__rate_interval])", json!({})).await);
    let executed = &rate[0]["schema"]["meta"]["executedQueryString"];
    assert_eq!(executed, "Expr: count_over_time(up[20s])\nStep: 15s");
}

#[tokio::test]
async fn no_data_and_a_broken_expression_look_the_same() {
    let site = Site::open("nodata").await;
    let source = site.content().data_source;
    site.client().apply_data_source(&source).await.unwrap();
    for expr in ["no_such_metric", "up("] {
        let answer = site.post("/api/ds/query", query(&source.uid, expr, json!({}))).await;
        // The newer plugin gives one frame without fields, or tells a broken expression with 400.
        let empty = frames(&answer).as_array().unwrap().iter().all(|frame| frame["schema"]["fields"] == json!([]));
        assert!(empty, "{expr}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_query_that_is_no_query_is_refused() {
    let site = Site::open("noquery").await;
    let ask = |body: Value| site.post("/api/ds/query", body);
    let unknown = ask(query("no-such-source", "up", json!({}))).await;
    assert_eq!(unknown.status, 404);
    assert_eq!(unknown.json::<Value>().unwrap()["message"], "Data source not found");
    let empty = ask(json!({ "from": "now-5m", "to": "now", "queries": [] })).await;
    assert_eq!(empty.status, 400);
    assert_eq!(empty.json::<Value>().unwrap()["messageId"], "query.noQueries");
}

#[tokio::test]
async fn prometheus_is_reached_through_the_data_source() {
    let site = Site::open("through").await;
    let mut source = site.content().data_source;
    source.uid = source.uid.replace('-', "_");
    site.client().apply_data_source(&source).await.unwrap();
    let uid = &source.uid;
    for way in [format!("proxy/uid/{uid}"), format!("uid/{uid}/resources")] {
        let answer = site.get(&format!("/api/datasources/{way}/api/v1/query?query=1%2B1")).await;
        assert_eq!(answer.json::<Value>().unwrap()["data"]["result"][1], "2", "{way}: {}", answer.body);
        let broken = site.get(&format!("/api/datasources/{way}/api/v1/query?query=up(")).await;
        assert_eq!((broken.status, broken.json::<Value>().unwrap()["errorType"].as_str()), (400, Some("bad_data")));
    }
    let reload = site.post(&format!("/api/datasources/proxy/uid/{uid}/-/reload"), json!({})).await;
    assert_eq!(reload.status, 403);
    // Another one: Grafana keeps what it knows of a data source for five seconds.
    let mut dead = source.clone();
    dead.uid.push_str("_dead");
    dead.name.push_str(" dead");
    dead.url = "http://127.0.0.1:1".into();
    site.client().apply_data_source(&dead).await.unwrap();
    assert_eq!(site.get(&format!("/api/datasources/proxy/uid/{}/api/v1/query?query=up", dead.uid)).await.status, 502);
    assert_eq!(site.get("/api/datasources/proxy/uid/nope/api/v1/query?query=up").await.status, 404);
}

/// Why the client does not use the proxy: the fault is 9.4's own, and the stand-in has it.
#[tokio::test]
async fn the_proxy_of_9_4_loses_its_way_at_a_hyphen() {
    let site = Site::open("hyphen").await;
    let source = site.content().data_source;
    site.client().apply_data_source(&source).await.unwrap();
    let version = site.client().health().await.unwrap().unwrap();
    let answer = site.get(&format!("/api/datasources/proxy/uid/{}/api/v1/query?query=up", source.uid)).await;
    assert_eq!(answer.status, if version.starts_with("9.") { 404 } else { 200 });
}

#[tokio::test]
async fn a_bare_dashboard_is_refused() {
    let site = Site::open("bare").await;
    let answer = site.post("/api/dashboards/db", site.content().dashboards[0].json.clone()).await;
    assert!(matches!(answer.status, 400 | 422), "{}", answer.status);
    assert_eq!(answer.json::<Value>().unwrap()["message"], "bad request data");
}

#[tokio::test]
async fn a_second_save_wants_the_version_or_overwrite() {
    let site = Site::open("version").await;
    let dashboard = site.content().dashboards[0].json.clone();
    let save = |version: i64| {
        let mut dashboard = dashboard.clone();
        dashboard["version"] = version.into();
        site.post("/api/dashboards/db", json!({ "dashboard": dashboard }))
    };
    assert_eq!(save(0).await.status, 200);
    let stale = save(0).await;
    assert_eq!(stale.status, 412);
    assert_eq!(
        stale.json::<Value>().unwrap(),
        json!({ "message": "The dashboard has been changed by someone else", "status": "version-mismatch" })
    );
    assert_eq!(save(1).await.json::<Value>().unwrap()["version"], 2);
}

#[tokio::test]
async fn the_first_page_says_that_it_is_no_grafana() {
    let site = Site::open("page").await;
    if site.skip_on_real("it is Grafana") {
        return;
    }
    let page = http().get(&format!("{}/login", site.base), None).await.unwrap();
    assert_eq!(page.status, 200);
    assert!(page.body.contains("This is moko-mon's stand-in, not Grafana"));
    let start = http().get(&format!("{}/", site.base), None).await.unwrap();
    assert_eq!(start.status, 303);
}
