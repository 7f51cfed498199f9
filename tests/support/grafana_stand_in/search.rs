//! `/api/search`.

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::App;
use super::store::slug;

#[derive(Deserialize)]
pub(super) struct Params {
    #[serde(default)]
    query: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default, rename = "folderUIDs")]
    folder_uid: String,
}

pub(super) async fn search(State(server): App, Query(params): Query<Params>) -> Json<Value> {
    let store = server.store();
    let wanted = |title: &str| title.to_lowercase().contains(&params.query.to_lowercase());
    let folders = store
        .folders
        .iter()
        .filter(|folder| params.kind != "dash-db" && params.folder_uid.is_empty() && wanted(&folder.title));
    let folders = folders.map(|folder| {
        json!({
            "id": folder.id,
            "uid": folder.uid,
            "title": folder.title,
            "url": format!("/dashboards/f/{}/{}", folder.uid, slug(&folder.title)),
            "type": "dash-folder",
            "tags": [],
        })
    });
    let inside = |uid: &str| params.folder_uid.is_empty() || params.folder_uid == uid;
    let dashboards = store.dashboards.iter();
    let dashboards =
        dashboards.filter(|one| params.kind != "dash-folder" && inside(&one.folder_uid) && wanted(&one.title));
    let dashboards = dashboards.map(|one| {
        let mut hit = json!({
            "id": one.id,
            "uid": one.uid,
            "title": one.title,
            "url": format!("/d/{}/{}", one.uid, slug(&one.title)),
            "type": "dash-db",
            "tags": one.versions.last().and_then(|version| version.json.get("tags")).unwrap_or(&json!([])),
        });
        if let Some(folder) = store.folder(&one.folder_uid) {
            hit["folderId"] = folder.id.into();
            hit["folderUid"] = folder.uid.as_str().into();
            hit["folderTitle"] = folder.title.as_str().into();
        }
        hit
    });
    Json(folders.chain(dashboards).collect())
}
