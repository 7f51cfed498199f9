//! What Grafana is to hold, and what it holds now, as plain values.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::error::{Code, Error, Result};

/// The uid of our data source; the dashboards refer to it, so it never changes.
pub const DATA_SOURCE_UID: &str = "moko-mon-prometheus";
/// The name under which people see our data source.
pub const DATA_SOURCE_NAME: &str = "Prometheus (moko-mon)";

/// Everything of ours in Grafana.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    /// Where the dashboards get their data.
    pub data_source: DataSource,
    /// Where the dashboards lie, apart from the user's own.
    pub folder: Folder,
    /// The dashboards.
    pub dashboards: Vec<Dashboard>,
}

/// A Prometheus data source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSource {
    /// Fixed for life: Grafana cannot change it.
    pub uid: String,
    /// Unique in the organisation.
    pub name: String,
    /// Prometheus as Grafana reaches it, which is inside the stack's network.
    pub url: String,
    /// The scrape interval: the shortest step that makes sense, and what `$__rate_interval` is made from.
    pub scrape_interval: String,
}

/// A folder of dashboards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Fixed for life.
    pub uid: String,
    /// Shown to people.
    pub title: String,
}

/// A dashboard in the classic JSON model, ready to be saved.
#[derive(Debug, Clone, PartialEq)]
pub struct Dashboard {
    /// Fixed for life, at most 40 characters.
    pub uid: String,
    /// Shown to people.
    pub title: String,
    /// The model; has this uid and title, and no `__inputs` left.
    pub json: Value,
    /// Where it comes from, for messages: a path, or `built in`.
    pub origin: String,
}

/// How something of ours stands in Grafana.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// It is not there.
    Missing,
    /// It is there and as it should be.
    Same,
    /// It is there and differs: says in what.
    Different(String),
}

/// How everything of ours stands in Grafana.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The version of this Grafana, as far as it tells.
    pub version: Option<String>,
    /// The data source.
    pub data_source: Item,
    /// The folder.
    pub folder: Item,
    /// The dashboards, in the order of [`Content::dashboards`].
    pub dashboards: Vec<Item>,
}

impl Content {
    /// Refuses what Grafana would mix up: uids are unique among dashboards and folders, and up to 10.x so are titles
    /// in a folder, where a second dashboard of a title replaces the first and none may have a folder's title.
    pub fn check(&self) -> Result<()> {
        let mut uids = HashMap::from([(self.folder.uid.as_str(), THE_FOLDER)]);
        let mut titles = HashMap::from([(slug(&self.folder.title), THE_FOLDER)]);
        for dashboard in &self.dashboards {
            let (uid, title, origin) = (&dashboard.uid, &dashboard.title, dashboard.origin.as_str());
            if let Some(other) = uids.insert(uid.as_str(), origin) {
                return Err(clash(format!("{other} and {origin} both have the uid `{uid}`"), origin, "uid"));
            }
            if let Some(other) = titles.insert(slug(title), origin) {
                return Err(clash(
                    format!("{other} and {origin} both have the title `{title}`, or nearly"),
                    origin,
                    "title",
                ));
            }
        }
        Ok(())
    }
}

/// What Grafana up to 10 compares titles by: letters and digits in lower case, anything else a break.
pub(super) fn slug(title: &str) -> String {
    let words = title.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_lowercase()
}

/// How messages name the folder beside the dashboards' origins.
const THE_FOLDER: &str = "moko-mon's folder in Grafana";

fn clash(fact: String, origin: &str, what: &str) -> Error {
    Error::new(Code::ConfigInvalid, "Grafana would mix up two dashboards")
        .cause(fact)
        .hint(format!("give {origin} another `{what}`"))
}

impl DataSource {
    /// Our data source: Prometheus at `url`, scraping every `scrape_interval` (`15s`).
    pub fn ours(url: impl Into<String>, scrape_interval: impl Into<String>) -> Self {
        Self {
            uid: DATA_SOURCE_UID.into(),
            name: DATA_SOURCE_NAME.into(),
            url: url.into(),
            scrape_interval: scrape_interval.into(),
        }
    }

    /// The body for `/api/datasources`, and the entry of a provisioning file (without `orgId`).
    ///
    /// Keys: grafana `docs/sources/administration/provisioning`. POST, because long queries do not fit a URL.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "uid": self.uid,
            "name": self.name,
            "type": "prometheus",
            "access": "proxy",
            "url": self.url,
            "isDefault": true,
            "jsonData": { "httpMethod": "POST", "timeInterval": self.scrape_interval },
        })
    }
}

impl Item {
    /// Whether there is nothing to do.
    #[must_use]
    pub const fn is_same(&self) -> bool {
        matches!(self, Self::Same)
    }
}

impl State {
    /// Whether nothing at all is to be done.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.data_source.is_same() && self.folder.is_same() && self.dashboards.iter().all(Item::is_same)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(dashboards: &[(&str, &str)]) -> Content {
        let dashboard = |(uid, title): &(&str, &str)| Dashboard {
            uid: (*uid).into(),
            title: (*title).into(),
            json: json!({ "uid": uid, "title": title }),
            origin: format!("{uid}-{title}.json"),
        };
        Content {
            data_source: DataSource::ours("http://prometheus:9090", "15s"),
            folder: Folder { uid: "moko-mon".into(), title: "moko-mon".into() },
            dashboards: dashboards.iter().map(dashboard).collect(),
        }
    }

    #[test]
    fn what_grafana_would_mix_up_is_refused() {
        let facts = |dashboards: &[_]| content(dashboards).check().unwrap_err().causes.join("; ");
        assert_eq!(content(&[("a", "A"), ("b", "B")]).check(), Ok(()));
        assert_eq!(
            content(&[("a", "A"), ("a", "B")]).check().unwrap_err().to_string(),
            "error: Grafana would mix up two dashboards\n  \
             caused by: a-A.json and a-B.json both have the uid `a`\n\
             hint: give a-B.json another `uid`"
        );
        assert_eq!(
            facts(&[("a", "Disk"), ("b", "disk!")]),
            "a-Disk.json and b-disk!.json both have the title `disk!`, or nearly"
        );
        assert_eq!(
            facts(&[("a", "moko-mon")]),
            "moko-mon's folder in Grafana and a-moko-mon.json both have the title `moko-mon`, or nearly"
        );
    }
}
