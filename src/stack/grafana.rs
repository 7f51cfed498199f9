//! Grafana: hardened by its environment, filled through its API.

mod dashboard;

use std::collections::BTreeMap;

use super::{Access, ComponentSpec, ContainerSpec, GeneratedSecret, SECRETS_PATH, VolumeKind, container, volume};
use crate::assets;
use crate::component::Component;
use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::http::grafana::{Content, DATA_SOURCE_UID, Dashboard, DataSource, Folder};
use crate::observed::FileState;
use crate::secret::Secret;

/// The administrator's login name.
pub const ADMIN_USER: &str = "admin";

/// Where the administrator's password is in the container.
pub const ADMIN_PASSWORD: &str = "/run/secrets/moko-mon/admin-password";

/// Where the key is that encrypts data source secrets in Grafana's database.
const SECRET_KEY: &str = "/run/secrets/moko-mon/secret-key";

/// The fixed uid of our dashboard, as users of the original know it.
pub const DASHBOARD_UID: &str = "moko-standards-monitoring";

/// The administrator's password among the files of the secrets volume, if it is there.
#[must_use]
pub fn admin_password(files: &BTreeMap<String, FileState>) -> Option<Secret> {
    let file = files.get(ADMIN_PASSWORD)?;
    Some(Secret::new(String::from_utf8_lossy(&file.content).trim_end()))
}

/// The official image's user; its group is root's.
const USER: (u64, u64) = (472, 0);

pub(super) fn spec(config: &Config) -> ComponentSpec {
    let component = Component::Grafana;
    let mut container = ContainerSpec {
        volumes: vec![
            volume(config, component, VolumeKind::Secrets, SECRETS_PATH),
            volume(config, component, VolumeKind::Data, "/var/lib/grafana"),
        ],
        // From 13.2 the Prometheus data source is a plugin process beside the server; on a read-only root its
        // installer can remove the plugin without being able to put one back.
        read_only: false,
        ..container(config, component, 3000, &format!("{}:{}", USER.0, USER.1))
    };
    let published = container.port.url();
    container.environment = environment(config.grafana.external_url.as_ref().unwrap_or(&published));
    let access = Access::Secret { uid: USER.0, gid: USER.1 };
    ComponentSpec {
        component,
        container,
        files: Vec::new(),
        generated: vec![
            GeneratedSecret { path: ADMIN_PASSWORD.to_owned(), access },
            GeneratedSecret { path: SECRET_KEY.to_owned(), access },
        ],
        ready_path: super::ready_path(component),
        reload: None,
        check: None,
    }
}

/// Settings as environment variables; names after Grafana's `conf/defaults.ini`.
fn environment(url: &str) -> Vec<String> {
    let settings = [
        // Grafana itself reads the file: unlike `NAME__FILE` this needs no shell in the image.
        ("GF_SECURITY_ADMIN_USER", ADMIN_USER.to_owned()),
        ("GF_SECURITY_ADMIN_PASSWORD", format!("$__file{{{ADMIN_PASSWORD}}}")),
        ("GF_SECURITY_SECRET_KEY", format!("$__file{{{SECRET_KEY}}}")),
        ("GF_SERVER_ROOT_URL", format!("{url}/")),
        // Halves the first start, most of which is hundreds of small writes to a new database. As safe as without: a write
        // is on the disk before it is answered. It needs a file system of this machine, which a named volume is on.
        ("GF_DATABASE_WAL", "true".to_owned()),
        ("GF_AUTH_ANONYMOUS_ENABLED", "false".to_owned()),
        ("GF_USERS_ALLOW_SIGN_UP", "false".to_owned()),
        ("GF_SECURITY_DISABLE_GRAVATAR", "true".to_owned()),
        ("GF_SECURITY_COOKIE_SAMESITE", "strict".to_owned()),
        ("GF_SNAPSHOTS_EXTERNAL_ENABLED", "false".to_owned()),
        ("GF_ANALYTICS_REPORTING_ENABLED", "false".to_owned()),
        ("GF_ANALYTICS_CHECK_FOR_UPDATES", "false".to_owned()),
        ("GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES", "false".to_owned()),
        ("GF_NEWS_NEWS_FEED_ENABLED", "false".to_owned()),
        ("GF_PLUGINS_PLUGIN_ADMIN_ENABLED", "false".to_owned()),
        ("GF_PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED", "true".to_owned()),
        // 13.2 and newer replace bundled plugins from the catalog at every start unless told not to.
        ("GF_PLUGINS_PREINSTALL_DISABLED", "true".to_owned()),
        ("GF_PLUGINS_PREINSTALL_AUTO_UPDATE", "false".to_owned()),
    ];
    settings.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
}

/// The folder of everything that we import.
#[must_use]
pub fn folder() -> Folder {
    Folder { uid: "moko-mon".to_owned(), title: "moko-mon".to_owned() }
}

/// What Grafana should contain: our data source, our folder, our dashboard and the user's.
pub(super) fn content(config: &Config) -> Result<Content> {
    let own = ("built in".to_owned(), assets::DASHBOARD.as_bytes());
    let users = config.grafana.dashboards.iter();
    let users = users.map(|file| (file.path.display().to_string(), file.content.as_slice()));
    let dashboards = std::iter::once(own).chain(users).map(|(origin, bytes)| {
        let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let json = serde_json::from_slice(text).map_err(|error| {
            Error::new(Code::ConfigInvalid, format!("dashboard `{origin}` is not JSON")).cause(error.to_string())
        })?;
        Dashboard::from_file(&origin, json, DATA_SOURCE_UID)
    });
    let mut dashboards = dashboards.collect::<Result<Vec<_>>>()?;
    if let Some(ours) = dashboards.first_mut() {
        dashboard::adjust(&mut ours.json, &config.rules);
    }
    // A file of the user with the uid of ours takes its place: that is how ours is changed.
    if dashboards.iter().filter(|dashboard| dashboard.uid == DASHBOARD_UID).count() > 1 {
        dashboards.remove(0);
    }
    let content = Content {
        data_source: DataSource::ours("http://prometheus:9090", config.prometheus.scrape_interval.to_string()),
        folder: folder(),
        dashboards,
    };
    content.check()?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{UserFile, defaults};

    fn uids(files: &[&[u8]]) -> Vec<(String, String)> {
        let mut config = defaults().unwrap();
        let file = |(index, content): (usize, &&[u8])| UserFile {
            path: format!("d/{index}.json").into(),
            name: format!("{index}.json"),
            content: content.to_vec(),
        };
        config.grafana.dashboards = files.iter().enumerate().map(file).collect();
        content(&config).unwrap().dashboards.into_iter().map(|dashboard| (dashboard.uid, dashboard.title)).collect()
    }

    #[test]
    fn a_file_with_our_uid_takes_the_place_of_the_built_in_dashboard() {
        let built_in = uids(&[]);
        assert_eq!(built_in.len(), 1);
        assert_eq!(built_in[0].0, DASHBOARD_UID);
        let own = uids(&[br#"{"title": "Mine", "uid": "moko-standards-monitoring"}"#]);
        assert_eq!(own, [(DASHBOARD_UID.to_owned(), "Mine".to_owned())]);
    }

    #[test]
    fn a_byte_order_mark_does_not_matter() {
        assert_eq!(uids(&[b"\xEF\xBB\xBF{\"title\": \"T\", \"uid\": \"t\"}"])[1].0, "t");
    }
}
