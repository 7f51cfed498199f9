//! `/api/folders`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::store::{Folder, slug, wrong_uid};
use super::{App, Refusal, Reply, refuse, refuse_traced, refuse_with};

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Body {
    uid: String,
    title: String,
    version: i64,
    overwrite: bool,
}

pub(super) async fn read(State(server): App, Path(uid): Path<String>) -> Reply {
    server.store().folder(&uid).map(show).ok_or_else(missing)
}

pub(super) async fn create(State(server): App, body: Bytes) -> Reply {
    let body = parse(&body)?;
    server.change(|store| {
        if body.title.is_empty() {
            return Err(refuse(400, "folder title cannot be empty"));
        }
        if let Some(wrong) = wrong_uid(&body.uid) {
            return Err(refuse_traced(400, wrong));
        }
        if store.folder(&body.uid).is_some() {
            return Err(mismatch());
        }
        if store.folders.iter().any(|folder| slug(&folder.title) == slug(&body.title)) {
            let message = "a folder or dashboard in the general folder with the same name already exists";
            return Err(refuse(409, message));
        }
        let id = store.next_id();
        let uid = if body.uid.is_empty() { format!("folder-{id}") } else { body.uid };
        let folder = Folder { id, uid, title: body.title, version: 1 };
        let shown = show(&folder);
        store.folders.push(folder);
        Ok(shown)
    })
}

pub(super) async fn update(State(server): App, Path(uid): Path<String>, body: Bytes) -> Reply {
    let body = parse(&body)?;
    server.change(|store| {
        let folder = store.folders.iter_mut().find(|folder| folder.uid == uid).ok_or_else(missing)?;
        if body.version != folder.version && !body.overwrite {
            return Err(mismatch());
        }
        folder.title = body.title;
        folder.version += 1;
        Ok(show(folder))
    })
}

/// With everything in it.
pub(super) async fn delete(State(server): App, Path(uid): Path<String>) -> Reply {
    server.change(|store| {
        let position = store.folders.iter().position(|folder| folder.uid == uid).ok_or_else(missing)?;
        let folder = store.folders.remove(position);
        store.dashboards.retain(|dashboard| dashboard.folder_uid != uid);
        let message = format!("Folder {} deleted", folder.title);
        Ok(Json(json!({ "id": folder.id, "message": message, "title": folder.title })))
    })
}

fn parse(body: &Bytes) -> Result<Body, Refusal> {
    serde_json::from_slice(body).map_err(|_| refuse_traced(400, "bad request data"))
}

fn missing() -> Refusal {
    refuse_with(404, json!({ "message": "folder not found", "status": "not-found" }))
}

fn mismatch() -> Refusal {
    let message = "the folder has been changed by someone else";
    refuse_with(412, json!({ "message": message, "status": "version-mismatch" }))
}

fn show(folder: &Folder) -> Json<Value> {
    Json(json!({
        "id": folder.id,
        "uid": folder.uid,
        "title": folder.title,
        "url": format!("/dashboards/f/{}/{}", folder.uid, slug(&folder.title)),
        "version": folder.version,
    }))
}
