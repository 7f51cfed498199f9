//! What the stand-in holds.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The file in the data directory.
pub(super) const FILE: &str = "grafana-stand-in.json";

/// Everything but the login.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Store {
    last_id: i64,
    pub(super) data_sources: Vec<Map<String, Value>>,
    pub(super) folders: Vec<Folder>,
    pub(super) dashboards: Vec<Dashboard>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Folder {
    pub(super) id: i64,
    pub(super) uid: String,
    pub(super) title: String,
    pub(super) version: i64,
}

/// A dashboard is its newest version; it has at least one.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Dashboard {
    pub(super) id: i64,
    pub(super) uid: String,
    pub(super) title: String,
    pub(super) folder_uid: String,
    pub(super) version: i64,
    /// Oldest first.
    pub(super) versions: Vec<Version>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Version {
    pub(super) number: i64,
    pub(super) message: String,
    pub(super) json: Map<String, Value>,
}

impl Store {
    /// Ids count over all kinds: what matters is that they differ.
    pub(super) fn next_id(&mut self) -> i64 {
        self.last_id += 1;
        self.last_id
    }

    pub(super) fn data_source(&self, uid: &str) -> Option<&Map<String, Value>> {
        self.data_sources.iter().find(|source| source.get("uid").and_then(Value::as_str) == Some(uid))
    }

    pub(super) fn folder(&self, uid: &str) -> Option<&Folder> {
        self.folders.iter().find(|folder| folder.uid == uid)
    }

    pub(super) fn dashboard(&self, uid: &str) -> Option<&Dashboard> {
        self.dashboards.iter().find(|dashboard| dashboard.uid == uid)
    }
}

/// The end of a dashboard's address; 9.4 compares titles by it, so case and punctuation do not count.
pub(super) fn slug(title: &str) -> String {
    let words = title.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_lowercase()
}

/// Grafana's rules for uids (`pkg/util/shortid_generator.go`), as error messages.
pub(super) fn wrong_uid(uid: &str) -> Option<&'static str> {
    if !uid.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
        Some("uid contains illegal characters")
    } else if uid.len() > 40 {
        Some("uid too long, max 40 characters")
    } else {
        None
    }
}
