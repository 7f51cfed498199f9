//! Dashboards: read, import, read back, compare.

use serde_json::{Value, json};

use super::compare::{Comparison, content_hash, same_dashboard};
use super::content::slug;
use super::folder::text;
use super::refusal::{Kind, Subject};
use super::{Dashboard, Folder, Grafana, Item};
use crate::error::{Code, Error, Result};

/// Begins the message of every version that we save; the content's hash follows.
const MESSAGE: &str = "moko-mon";
/// What the state says where Grafana 13 stored a dashboard in a form that the classic API cannot give back.
const SCHEMA_V2: &str = "a newer Grafana stored it in schema v2";

/// A dashboard as Grafana gives it back.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredDashboard {
    /// The model, with Grafana's `id` and `version`; newer Grafanas migrate it on every read.
    pub json: Value,
    /// The folder's uid, empty for the root.
    pub folder_uid: String,
    /// Counts the saves.
    pub version: i64,
}

impl Grafana {
    /// The dashboard of that uid.
    pub async fn dashboard(&self, uid: &str) -> Result<Option<StoredDashboard>> {
        self.get(named(uid), &["dashboards", "uid", uid]).await.map(|body| body.map(stored))
    }

    pub(super) async fn dashboard_state(&self, desired: &Dashboard, folder: &Folder) -> Result<Item> {
        let subject = named(&desired.title);
        let answer = self.ask(subject, &["dashboards", "uid", &desired.uid], &[]).await?;
        if answer.status == 406 {
            return Ok(Item::Different(SCHEMA_V2.into()));
        }
        let Some(found) = self.found(subject, &answer)?.map(stored) else { return Ok(Item::Missing) };
        if found.folder_uid != folder.uid {
            return Ok(Item::Different(format!("it is in folder `{}`, not `{}`", found.folder_uid, folder.uid)));
        }
        self.compare(desired, &found).await
    }

    /// Same if everything of ours is in what Grafana gives back, or if its last save is ours and of this content:
    /// Grafana 12 and newer migrate a dashboard on read, so there the content alone says nothing.
    pub async fn compare(&self, desired: &Dashboard, found: &StoredDashboard) -> Result<Item> {
        match same_dashboard(&desired.json, &found.json) {
            Comparison::Same => Ok(Item::Same),
            Comparison::Different(_) if self.saved_by_us(desired, found).await? => Ok(Item::Same),
            Comparison::Different(why) => Ok(Item::Different(why)),
        }
    }

    /// Whether the last save was our import of this very content.
    pub async fn saved_by_us(&self, desired: &Dashboard, found: &StoredDashboard) -> Result<bool> {
        Ok(self.last_message(&desired.uid, found.version).await? == Some(message_for(desired)))
    }

    /// The message of the newest version.
    ///
    /// Asked for by number first: the list shows `Initial save` in place of the first version's message (9.4 to 13).
    /// The list is a plain array on older ones and an object with `versions` on newer.
    async fn last_message(&self, uid: &str, version: i64) -> Result<Option<String>> {
        let one = self.ask(named(uid), &["dashboards", "uid", uid, "versions", &version.to_string()], &[]).await?;
        if one.is_success() {
            return Ok(Some(text(&self.accept(named(uid), &one)?, "message")));
        }
        let Some(list) = self.get(named(uid), &["dashboards", "uid", uid, "versions"]).await? else {
            return Ok(None);
        };
        let versions = list.as_array().or_else(|| list["versions"].as_array());
        let newest = versions.into_iter().flatten().max_by_key(|version| version["version"].as_i64());
        Ok(newest.map(|version| text(version, "message")))
    }

    /// Imports the dashboard into the folder, then reads it back and compares.
    ///
    /// `overwrite` replaces the dashboard of this uid whatever was done to it. Up to Grafana 10 it also replaces
    /// *another* dashboard of the same title in the folder (`services/dashboards/database`, 9.4); if there is one, we
    /// do without, and let Grafana refuse rather than destroy somebody's work.
    pub async fn apply_dashboard(&self, desired: &Dashboard, folder: &Folder) -> Result<()> {
        let namesake = self.has_namesake(desired, folder).await?;
        let mut model = desired.json.clone();
        model["id"] = Value::Null;
        if namesake && let Some(found) = self.dashboard(&desired.uid).await? {
            model["version"] = found.version.into();
        }
        let version = self.import_dashboard(desired, &model, folder, !namesake).await?;
        let Some(found) = self.dashboard(&desired.uid).await? else {
            return Err(not_kept(desired, "it is not there"));
        };
        // Still the version that we saved: where it reads differently, Grafana migrated it.
        let migrated = found.version == version && same_shape(&desired.json, &found.json);
        match self.compare(desired, &found).await? {
            Item::Different(why) if !migrated => Err(not_kept(desired, &why)),
            _ if found.folder_uid != folder.uid => Err(not_kept(desired, "it is in another folder")),
            Item::Different(_) | Item::Same | Item::Missing => Ok(()),
        }
    }

    /// `POST /api/dashboards/db`: the one call that saves a dashboard on every version from 5 to 13. Gives the new
    /// version.
    async fn import_dashboard(
        &self,
        desired: &Dashboard,
        model: &Value,
        folder: &Folder,
        overwrite: bool,
    ) -> Result<i64> {
        let body = json!({
            "dashboard": model,
            "folderUid": folder.uid,
            "message": message_for(desired),
            "overwrite": overwrite,
        });
        let subject = named(&desired.title);
        let answer = self.post(subject, &["dashboards", "db"], &body).await?;
        let saved = self.accept(subject, &answer)?;
        match text(&saved, "uid") {
            uid if uid == desired.uid => Ok(saved["version"].as_i64().unwrap_or_default()),
            uid => Err(not_kept(desired, &format!("it was saved under the uid `{uid}`"))),
        }
    }

    /// Whether another dashboard in the folder has the title, or one that only differs in case and punctuation.
    ///
    /// Each hit's folder is looked at, too: an older search may not know `folderUIDs` and give all it has. This only
    /// protects, so a search that fails stops nothing: what follows says why.
    async fn has_namesake(&self, desired: &Dashboard, folder: &Folder) -> Result<bool> {
        let query = [("type", "dash-db"), ("folderUIDs", &folder.uid), ("limit", "5000")];
        let answer = self.ask(named(&desired.title), &["search"], &query).await?;
        if answer.status == 401 {
            return self.accept(named(&desired.title), &answer).map(|_| false);
        }
        let found: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        Ok(found.as_array().into_iter().flatten().any(|hit| {
            slug(&text(hit, "title")) == slug(&desired.title)
                && text(hit, "folderUid") == folder.uid
                && text(hit, "uid") != desired.uid
        }))
    }
}

/// Whether title and number of panels are the same: no migration changes those.
fn same_shape(ours: &Value, theirs: &Value) -> bool {
    let panels = |json: &Value| json["panels"].as_array().map_or(0, Vec::len);
    ours["title"] == theirs["title"] && panels(ours) == panels(theirs)
}

/// Takes `GET /api/dashboards/uid/:uid` apart.
fn stored(mut body: Value) -> StoredDashboard {
    StoredDashboard {
        folder_uid: text(&body["meta"], "folderUid"),
        version: body["meta"]["version"].as_i64().unwrap_or_default(),
        json: body["dashboard"].take(),
    }
}

const fn named(name: &str) -> Subject<'_> {
    Subject { kind: Kind::Dashboard, name }
}

fn message_for(dashboard: &Dashboard) -> String {
    format!("{MESSAGE} {}", content_hash(&dashboard.json))
}

fn not_kept(dashboard: &Dashboard, why: &str) -> Error {
    Error::new(Code::GrafanaRefused, format!("Grafana did not keep dashboard `{}` as it was sent", dashboard.title))
        .cause(why)
        .hint("run `moko-mon up` again; if it stays so, see `moko-mon logs grafana`")
}
