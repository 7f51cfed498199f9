//! `/api/datasources`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use serde_json::{Map, Value, json};

use super::{App, Refusal, Reply, refuse, refuse_traced};

/// What a data source has, whether it was said or not.
fn defaults() -> Map<String, Value> {
    let Value::Object(defaults) = json!({
        "id": 0, "uid": "", "orgId": 1, "name": "", "type": "", "typeLogoUrl": "", "access": "", "url": "",
        "user": "", "database": "", "basicAuth": false, "basicAuthUser": "", "withCredentials": false,
        "isDefault": false, "jsonData": {}, "secureJsonFields": {}, "version": 1, "readOnly": false,
    }) else {
        return Map::new();
    };
    defaults
}

/// By name; each with less than when it is read alone.
pub(super) async fn list(State(server): App) -> Json<Value> {
    const SHOWN: [&str; 15] = [
        "id",
        "uid",
        "orgId",
        "name",
        "type",
        "typeLogoUrl",
        "access",
        "url",
        "user",
        "database",
        "basicAuth",
        "isDefault",
        "jsonData",
        "readOnly",
        "typeName",
    ];
    let mut all = server.store().data_sources.clone();
    all.sort_by_key(|source| text(source, "name"));
    let shown = all.into_iter().map(|mut source| {
        source.retain(|key, _| SHOWN.contains(&key.as_str()));
        source.insert("typeName".into(), "Prometheus".into());
        Value::Object(source)
    });
    Json(shown.collect())
}

pub(super) async fn read(State(server): App, Path(uid): Path<String>) -> Reply {
    server.store().data_source(&uid).cloned().map(|source| Json(source.into())).ok_or_else(missing)
}

/// 9.4's Prometheus plugin has no health check; without the data source it does not get as far as to say so.
pub(super) async fn health(State(server): App, Path(uid): Path<String>) -> Reply {
    Err(match server.store().data_source(&uid) {
        Some(_) => refuse_traced(404, "Not found"),
        None => refuse_traced(500, "Unable to load datasource metadata"),
    })
}

pub(super) async fn create(State(server): App, body: Bytes) -> Reply {
    let mut source = parse(&body)?;
    server.change(|store| {
        let taken = |key: &str| store.data_sources.iter().any(|other| other.get(key) == source.get(key));
        if taken("name") {
            return Err(refuse_traced(409, "data source with the same name already exists"));
        }
        if text(&source, "uid").is_empty() {
            source.insert("uid".into(), format!("source-{}", store.data_sources.len()).into());
        } else if taken("uid") {
            return Err(refuse_traced(409, "data source with the same uid already exists"));
        }
        source.insert("id".into(), store.next_id().into());
        source.insert("version".into(), 1.into());
        store.data_sources.push(source.clone());
        only_default(&mut store.data_sources, &source);
        Ok(done("Datasource added", &source))
    })
}

pub(super) async fn delete(State(server): App, Path(uid): Path<String>) -> Reply {
    server.change(|store| {
        let position = store.data_sources.iter().position(|source| text(source, "uid") == uid).ok_or_else(missing)?;
        let source = store.data_sources.remove(position);
        Ok(Json(json!({ "id": source.get("id"), "message": "Data source deleted" })))
    })
}

pub(super) async fn update(State(server): App, Path(uid): Path<String>, body: Bytes) -> Reply {
    let mut source = parse(&body)?;
    server.change(|store| {
        let position = store.data_sources.iter().position(|other| text(other, "uid") == uid).ok_or_else(missing)?;
        let others = || store.data_sources.iter().enumerate().filter(|(index, _)| *index != position);
        let taken = |key: &str| others().any(|(_, other)| other.get(key) == source.get(key));
        if taken("name") || taken("uid") {
            return Err(refuse_traced(500, "Failed to update datasource"));
        }
        let (stored, sent) = (version(&store.data_sources[position]), version(&source));
        if sent != 0 && stored > sent {
            let message = "Datasource has already been updated by someone else. Please reload and try again";
            return Err(refuse_traced(409, message));
        }
        source.insert("id".into(), store.data_sources[position]["id"].clone());
        source.insert("uid".into(), uid.into());
        source.insert("version".into(), (sent + 1).into());
        store.data_sources[position].clone_from(&source);
        only_default(&mut store.data_sources, &source);
        Ok(done("Datasource updated", &source))
    })
}

/// The body over the defaults; keys that Grafana does not know are dropped, three are needed.
fn parse(body: &Bytes) -> Result<Map<String, Value>, Refusal> {
    let bad = || refuse_traced(400, "bad request data");
    let sent: Map<String, Value> = serde_json::from_slice(body).map_err(|_| bad())?;
    let mut source = defaults();
    source.insert("version".into(), 0.into());
    for (key, value) in sent {
        if let Some(known) = source.get_mut(&key) {
            *known = value;
        }
    }
    if ["name", "type", "access"].into_iter().any(|key| text(&source, key).is_empty()) {
        return Err(bad());
    }
    if reqwest::Url::parse(&text(&source, "url")).is_err() {
        return Err(refuse_traced(400, "Validation error, invalid URL"));
    }
    Ok(source)
}

/// There is one default: the newest that said so.
fn only_default(sources: &mut [Map<String, Value>], newest: &Map<String, Value>) {
    if newest["isDefault"] == true {
        for other in sources.iter_mut().filter(|other| other["uid"] != newest["uid"]) {
            other.insert("isDefault".into(), false.into());
        }
    }
}

fn done(message: &str, source: &Map<String, Value>) -> Json<Value> {
    Json(json!({ "datasource": source, "id": source["id"], "message": message, "name": source["name"] }))
}

fn missing() -> Refusal {
    refuse(404, "Data source not found")
}

fn version(source: &Map<String, Value>) -> i64 {
    source["version"].as_i64().unwrap_or_default()
}

/// The string under `key`, empty if there is none.
pub(super) fn text(source: &Map<String, Value>, key: &str) -> String {
    source.get(key).and_then(Value::as_str).unwrap_or_default().into()
}
