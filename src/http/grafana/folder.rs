//! The folder that holds our dashboards.

use serde_json::{Value, json};

use super::refusal::{Kind, Subject};
use super::{Folder, Grafana, Item};
use crate::error::Result;

impl Grafana {
    /// The folder of that uid.
    pub async fn folder(&self, uid: &str) -> Result<Option<Folder>> {
        let body = self.get(Subject { kind: Kind::Folder, name: uid }, &["folders", uid]).await?;
        Ok(body.map(|body| Folder { uid: uid.into(), title: text(&body, "title") }))
    }

    pub(super) async fn folder_state(&self, desired: &Folder) -> Result<Item> {
        Ok(match self.folder(&desired.uid).await? {
            None => Item::Missing,
            Some(found) if found == *desired => Item::Same,
            Some(found) => Item::Different(format!("its title is `{}`, not `{}`", found.title, desired.title)),
        })
    }

    /// Makes sure that the folder exists under its uid and title.
    ///
    /// Asks for a new one first: that is one call where it matters, on the first `up`. A taken uid is answered with
    /// 409 by newer Grafanas and with 412 by older ones (seen on 7.5 and 9.4).
    pub async fn apply_folder(&self, desired: &Folder) -> Result<()> {
        let subject = Subject { kind: Kind::Folder, name: &desired.title };
        let body = json!({ "uid": desired.uid, "title": desired.title });
        let mut answer = self.post(subject, &["folders"], &body).await?;
        if matches!(answer.status, 409 | 412) {
            match self.folder(&desired.uid).await? {
                Some(found) if found == *desired => return Ok(()),
                Some(_) => {
                    let body = json!({ "title": desired.title, "overwrite": true });
                    answer = self.put(subject, &["folders", &desired.uid], &body).await?;
                }
                // Another folder has the title: the first answer says so.
                None => {}
            }
        }
        self.accept(subject, &answer).map(drop)
    }
}

/// The string under `key`, empty if there is none.
pub(super) fn text(body: &Value, key: &str) -> String {
    body[key].as_str().unwrap_or_default().into()
}
