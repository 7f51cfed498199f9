//! `/api/dashboards`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::data_sources::text;
use super::store::{Dashboard, Store, Version, slug, wrong_uid};
use super::{App, Refusal, Reply, refuse, refuse_traced, refuse_with};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    dashboard: Map<String, Value>,
    #[serde(default)]
    folder_uid: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    overwrite: bool,
}

pub(super) async fn read(State(server): App, Path(uid): Path<String>) -> Reply {
    let store = server.store();
    let dashboard = store.dashboard(&uid).ok_or_else(missing)?;
    let folder = store.folder(&dashboard.folder_uid);
    let meta = json!({
        "type": "db",
        "slug": slug(&dashboard.title),
        "url": url(dashboard),
        "version": dashboard.version,
        "isFolder": false,
        "folderId": folder.map_or(0, |folder| folder.id),
        "folderUid": dashboard.folder_uid,
        "folderTitle": folder.map_or("General", |folder| &folder.title),
        "provisioned": false,
    });
    let json = dashboard.versions.last().map(|version| &version.json);
    Ok(Json(json!({ "meta": meta, "dashboard": json })))
}

pub(super) async fn delete(State(server): App, Path(uid): Path<String>) -> Reply {
    server.change(|store| {
        let position = store.dashboards.iter().position(|dashboard| dashboard.uid == uid).ok_or_else(missing)?;
        let dashboard = store.dashboards.remove(position);
        let message = format!("Dashboard {} deleted", dashboard.title);
        Ok(Json(json!({ "id": dashboard.id, "message": message, "title": dashboard.title })))
    })
}

/// Newest first; the first of all always says "Initial save".
pub(super) async fn versions(State(server): App, Path(uid): Path<String>) -> Reply {
    let store = server.store();
    let dashboard = store.dashboard(&uid).ok_or_else(missing)?;
    let shown = dashboard.versions.iter().rev().map(|version| {
        let mut shown = show(dashboard, version);
        if version.number == 1 {
            shown["message"] = "Initial save".into();
        }
        shown
    });
    Ok(Json(shown.collect()))
}

pub(super) async fn version(State(server): App, Path((uid, version)): Path<(String, i64)>) -> Reply {
    let store = server.store();
    let dashboard = store.dashboard(&uid).ok_or_else(missing)?;
    let found = dashboard.versions.iter().find(|other| other.number == version).ok_or_else(|| {
        refuse_traced(500, &format!("Dashboard version {version} not found for dashboardId {}", dashboard.id))
    })?;
    Ok(Json(show(dashboard, found)))
}

pub(super) async fn save(State(server): App, body: Bytes) -> Reply {
    let body: Body = serde_json::from_slice(&body).map_err(|_| refuse_traced(400, "bad request data"))?;
    server.change(|store| save_in(store, body))
}

/// The order of the checks is 9.4's (`api/dashboard.go`, `services/dashboards`).
fn save_in(store: &mut Store, body: Body) -> Reply {
    let Body { dashboard: mut json, folder_uid, message, overwrite } = body;
    if !folder_uid.is_empty() && store.folder(&folder_uid).is_none() {
        return Err(refuse_traced(400, "Folder not found"));
    }
    let (title, uid) = (text(&json, "title").trim().to_owned(), text(&json, "uid").trim().to_owned());
    if title.is_empty() {
        return Err(refuse_status(400, "empty-name", "Dashboard title cannot be empty"));
    }
    if let Some(wrong) = wrong_uid(&uid) {
        return Err(refuse(400, wrong));
    }
    if store.folder(&uid).is_some() {
        return Err(refuse(400, "Dashboard cannot be changed to a folder"));
    }
    let position = target(store, &json, &uid, &title, &folder_uid, overwrite)?;
    let id = match position {
        Some(position) => store.dashboards[position].id,
        None => store.next_id(),
    };
    let position = position.unwrap_or_else(|| {
        let uid = if uid.is_empty() { format!("dashboard-{id}") } else { uid };
        let (title, folder_uid) = (title.clone(), String::new());
        store.dashboards.push(Dashboard { id, uid, title, folder_uid, version: 0, versions: Vec::new() });
        store.dashboards.len() - 1
    });
    let dashboard = &mut store.dashboards[position];
    dashboard.title.clone_from(&title);
    dashboard.folder_uid = folder_uid;
    dashboard.version += 1;
    json.insert("id".into(), id.into());
    json.insert("uid".into(), dashboard.uid.as_str().into());
    json.insert("title".into(), title.as_str().into());
    json.insert("version".into(), dashboard.version.into());
    dashboard.versions.push(Version { number: dashboard.version, message, json });
    Ok(Json(json!({
        "id": id,
        "slug": slug(&title),
        "status": "success",
        "uid": dashboard.uid,
        "url": url(dashboard),
        "version": dashboard.version,
    })))
}

/// Which dashboard is saved over, if any: the one of the id or uid, but with `overwrite` rather the one of the same
/// title in the folder. So it is in 9.4.
fn target(
    store: &Store,
    json: &Map<String, Value>,
    uid: &str,
    title: &str,
    folder_uid: &str,
    overwrite: bool,
) -> Result<Option<usize>, Refusal> {
    let dashboards = &store.dashboards;
    let numbered = match json.get("id").and_then(Value::as_i64) {
        None | Some(0) => None,
        Some(id) => match dashboards.iter().position(|dashboard| dashboard.id == id) {
            None => return Err(refuse_status(404, "not-found", "Dashboard not found")),
            found => found,
        },
    };
    let named = dashboards.iter().position(|dashboard| dashboard.uid == uid);
    if numbered.is_some() && named.is_some() && numbered != named {
        return Err(refuse(400, "A dashboard with the same uid already exists"));
    }
    let same = numbered.or(named);
    let sent = json.get("version").and_then(Value::as_i64).unwrap_or_default();
    if same.is_some_and(|position| dashboards[position].version != sent) && !overwrite {
        return Err(refuse_status(412, "version-mismatch", "The dashboard has been changed by someone else"));
    }
    if store.folders.iter().any(|folder| slug(&folder.title) == slug(title)) {
        return Err(refuse_status(400, "name-match", "Dashboard name cannot be the same as folder"));
    }
    let namesake = dashboards
        .iter()
        .position(|dashboard| dashboard.folder_uid == folder_uid && slug(&dashboard.title) == slug(title));
    match namesake {
        Some(_) if namesake == same => Ok(same),
        Some(_) if overwrite => Ok(namesake),
        Some(_) => {
            let message = "A dashboard with the same name in the folder already exists";
            Err(refuse_status(412, "name-exists", message))
        }
        None => Ok(same),
    }
}

fn show(dashboard: &Dashboard, version: &Version) -> Value {
    json!({
        "id": version.number,
        "dashboardId": dashboard.id,
        "uid": dashboard.uid,
        "parentVersion": version.number - 1,
        "restoredFrom": 0,
        "version": version.number,
        "message": version.message,
        "data": version.json,
    })
}

fn url(dashboard: &Dashboard) -> String {
    format!("/d/{}/{}", dashboard.uid, slug(&dashboard.title))
}

fn missing() -> Refusal {
    refuse_traced(404, "Dashboard not found")
}

fn refuse_status(code: u16, status: &str, message: &str) -> Refusal {
    refuse_with(code, json!({ "message": message, "status": status }))
}
