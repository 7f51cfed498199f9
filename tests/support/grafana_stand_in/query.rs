//! Ways through Grafana to Prometheus: `/api/ds/query`, the proxy and the resources route.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::data_sources::text;
use super::variables::{Span, parse_time};
use super::{App, Refusal, Reply, Server, frames, refuse, refuse_traced, refuse_with};

/// What a POST through the proxy may ask (`public/app/plugins/datasource/prometheus/plugin.json`).
const POST_ALLOWED: [&str; 5] =
    ["api/v1/query", "api/v1/query_range", "api/v1/series", "api/v1/labels", "api/v1/query_exemplars"];

/// Runs the queries of a panel. A refused expression gives no frames and no error: so does 9.4.
pub(super) async fn query(State(server): App, body: Bytes) -> Reply {
    let body: Value = serde_json::from_slice(&body).map_err(|_| refuse_traced(400, "bad request data"))?;
    let queries = body["queries"].as_array().filter(|queries| !queries.is_empty());
    let queries = queries.ok_or_else(|| refuse_id(400, "query.noQueries", "No queries found"))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let now = u64::try_from(now).unwrap_or_default();
    let time = |key: &str| parse_time(body[key].as_str().unwrap_or_default(), now);
    let (Some(from), Some(to)) = (time("from"), time("to")) else {
        return Err(refuse_traced(500, "Query data error"));
    };
    let mut results = Map::new();
    for query in queries {
        let Some(uid) = query["datasource"]["uid"].as_str() else {
            let message = "Query does not contain a valid data source identifier";
            return Err(refuse_id(400, "query.invalidDatasourceId", message));
        };
        let source = server.store().data_source(uid).cloned();
        let source = source.ok_or_else(|| refuse_traced(404, "Data source not found"))?;
        let scrape = source["jsonData"]["timeInterval"].as_str().unwrap_or_default();
        let span = Span::new(from, to, query, scrape);
        let frames = run(&server, &text(&source, "url"), query, span).await?;
        let ref_id = query["refId"].as_str().unwrap_or("A");
        results.insert(ref_id.into(), json!({ "status": 200, "frames": frames }));
    }
    Ok(Json(json!({ "results": results })))
}

async fn run(server: &Server, url: &str, query: &Value, span: Span) -> Result<Vec<Value>, Refusal> {
    let expr = span.expand(query["expr"].as_str().unwrap_or_default());
    let (instant, range) = (query["instant"] == true, query["range"] == true);
    let mut all = Vec::new();
    if instant {
        let params = [("query", expr.clone()), ("time", seconds(span.to))];
        all.extend(frames::frames(query, &expr, span, &ask(server, url, "query", &params).await?));
    }
    if range || !instant {
        let (start, end) = span.aligned();
        let params =
            [("query", expr.clone()), ("start", seconds(start)), ("end", seconds(end)), ("step", seconds(span.step))];
        all.extend(frames::frames(query, &expr, span, &ask(server, url, "query_range", &params).await?));
    }
    Ok(all)
}

fn seconds(millis: u64) -> String {
    format!("{}.{:03}", millis / 1000, millis % 1000)
}

/// Prometheus' answer, also when it is an error; what is no such answer is the plugin's downstream error.
async fn ask(server: &Server, url: &str, call: &str, params: &[(&str, String)]) -> Result<Value, Refusal> {
    let downstream = || refuse_id(500, "plugin.downstreamError", "An error occurred within the plugin");
    let url = format!("{}/api/v1/{call}", url.trim_end_matches('/'));
    let url = reqwest::Url::parse_with_params(&url, params).map_err(|_| downstream())?;
    let answer = server.http.get(url).send().await.map_err(|_| downstream())?;
    let answer: Value = answer.json().await.map_err(|_| downstream())?;
    if answer["status"].is_string() { Ok(answer) } else { Err(downstream()) }
}

fn refuse_id(status: u16, id: &str, message: &str) -> Refusal {
    refuse_with(status, json!({ "message": message, "messageId": id, "statusCode": status, "traceID": "" }))
}

/// `/api/datasources/proxy/uid/:uid/…`, with the fault of 9.4: it knows no hyphen in a uid and leaves what comes
/// after one in the path.
pub(super) async fn proxy(
    State(server): App,
    Path((uid, rest)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let url = server.store().data_source(&uid).map(|source| text(source, "url"));
    let url = url.ok_or_else(|| refuse_traced(404, "Unable to find datasource"))?;
    let rest = uid.split_once('-').map_or(rest.clone(), |(_, left)| format!("-{left}/{rest}"));
    if method == Method::POST && !POST_ALLOWED.contains(&rest.as_str()) {
        return Err(refuse(403, "non allow-listed POSTs not allowed on proxied Prometheus datasource"));
    }
    let answer = forward(&server, &url, &rest, query, method, &headers, body).await;
    Ok(answer.unwrap_or_else(|| StatusCode::BAD_GATEWAY.into_response()))
}

/// `/api/datasources/uid/:uid/resources/…`: the plugin passes it on.
pub(super) async fn resources(
    State(server): App,
    Path((uid, rest)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let url = server.store().data_source(&uid).map(|source| text(source, "url"));
    let url = url.ok_or_else(|| refuse_traced(500, "Unable to load datasource meta data"))?;
    let answer = forward(&server, &url, &rest, query, method, &headers, body).await;
    answer.ok_or_else(|| refuse_traced(500, "Failed to call resource"))
}

/// Prometheus' own answer; `None` if there was none.
async fn forward(
    server: &Server,
    url: &str,
    rest: &str,
    query: Option<String>,
    method: Method,
    headers: &HeaderMap,
    body: Bytes,
) -> Option<Response> {
    let mut target = reqwest::Url::parse(&format!("{}/{rest}", url.trim_end_matches('/'))).ok()?;
    target.set_query(query.as_deref());
    let mut request = server.http.request(method, target).body(body);
    if let Some(kind) = headers.get(CONTENT_TYPE) {
        request = request.header(CONTENT_TYPE, kind);
    }
    let answer = request.send().await.ok()?;
    let (status, kind) = (answer.status(), answer.headers().get(CONTENT_TYPE).cloned());
    let mut response = (status, Body::from(answer.bytes().await.ok()?)).into_response();
    if let Some(kind) = kind {
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    Some(response)
}
