//! What Grafana needs in a Compose file: content from files, and secrets that its own container makes.

use serde::Serialize;
use serde_json::Value;

use super::model::{Mount, Service, escape};
use super::{File, marked};
use crate::error::{Code, Error, Result};
use crate::http::grafana::Content;
use crate::stack::{ADMIN_PASSWORD, ADMIN_USER, ComponentSpec, SECRETS_PATH, VolumeKind};
use crate::yaml;

/// Folders in the image that Grafana reads data sources and dashboard providers from.
const PROVISIONING: &str = "/etc/grafana/provisioning";

/// Where the provider finds the dashboards. Not below the data volume, where they would outlive their mount.
const DASHBOARDS: &str = "/etc/grafana/dashboards";

/// What the official image starts.
const ENTRYPOINT: &str = "/run.sh";

/// How the data volume's folder for secrets is called.
const FOLDER: &str = "moko-mon";

#[derive(Serialize)]
struct DataSources {
    #[serde(rename = "apiVersion")]
    api_version: u8,
    datasources: Vec<Value>,
}

#[derive(Serialize)]
struct Providers {
    #[serde(rename = "apiVersion")]
    api_version: u8,
    providers: Vec<Provider>,
}

/// Without this file Grafana never looks at the dashboards.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Provider {
    name: &'static str,
    org_id: u8,
    r#type: &'static str,
    folder: String,
    folder_uid: String,
    /// A dashboard whose file is gone goes, too.
    disable_deletion: bool,
    /// What is changed in the browser could not be saved to the file.
    allow_ui_updates: bool,
    update_interval_seconds: u8,
    options: ProviderOptions,
}

#[derive(Serialize)]
struct ProviderOptions {
    path: &'static str,
}

/// Data source, provider and dashboards as files.
pub(super) fn provisioning(content: &Content) -> Result<Vec<File>> {
    let mut data_source = content.data_source.json();
    data_source["orgId"] = 1.into();
    data_source["editable"] = false.into();
    let data_sources = DataSources { api_version: 1, datasources: vec![data_source] };
    let provider = Provider {
        name: "moko-mon",
        org_id: 1,
        r#type: "file",
        folder: content.folder.title.clone(),
        folder_uid: content.folder.uid.clone(),
        disable_deletion: false,
        allow_ui_updates: false,
        update_interval_seconds: 30,
        options: ProviderOptions { path: DASHBOARDS },
    };
    let providers = Providers { api_version: 1, providers: vec![provider] };
    let mut files = vec![
        marked("grafana/provisioning/datasources/moko-mon.yml".to_owned(), &yaml::to_string(&data_sources)?),
        marked("grafana/provisioning/dashboards/moko-mon.yml".to_owned(), &yaml::to_string(&providers)?),
    ];
    for dashboard in &content.dashboards {
        let json = serde_json::to_string_pretty(&dashboard.json).map_err(|error| {
            Error::new(Code::Io, format!("could not write dashboard `{}`", dashboard.uid)).cause(error.to_string())
        })?;
        // The uid is unique and fit for a file name, the title is not.
        let path = format!("grafana/dashboards/{}.json", dashboard.uid);
        files.push(File { path, content: format!("{json}\n").into_bytes(), secret: false });
    }
    Ok(files)
}

/// Mounts the files, and has the container make its secrets in its data volume before the server starts.
pub(super) fn adapt(service: &mut Service, spec: &ComponentSpec) {
    for (source, target) in [
        ("grafana/provisioning/datasources", &format!("{PROVISIONING}/datasources")),
        ("grafana/provisioning/dashboards", &format!("{PROVISIONING}/dashboards")),
        ("grafana/dashboards", &DASHBOARDS.to_owned()),
    ] {
        service.volumes.push(Mount::folder(source, target));
    }
    let Some(data) = spec.volume(VolumeKind::Data) else { return };
    let folder = format!("{}/{FOLDER}", data.path);
    for line in &mut service.environment {
        *line = line.replace(SECRETS_PATH, &folder);
    }
    let names = spec.generated.iter().filter_map(|secret| secret.path.rsplit('/').next());
    let script = first_start(&folder, &names.collect::<Vec<_>>().join(" "));
    service.entrypoint = vec!["/bin/sh".to_owned(), "-euc".to_owned(), escape(&script)];
}

/// Makes each secret that is missing: 192 random bits, readable for the server alone, there whole or not at all.
fn first_start(folder: &str, names: &str) -> String {
    format!(
        "(\n  umask 077\n  mkdir -p {folder}\n  cd {folder}\n  for name in {names}; do\n    \
         if [ ! -s \"$name\" ]; then\n      \
         head -c 24 /dev/urandom | base64 | tr '+/' '-_' | tr -d '\\n' >\"$name.new\"\n      \
         [ -s \"$name.new\" ]\n      mv \"$name.new\" \"$name\"\n    fi\n  done\n)\nexec {ENTRYPOINT}\n"
    )
}

/// How to log in.
pub(super) fn heading() -> [String; 4] {
    let file = ADMIN_PASSWORD.rsplit('/').next().unwrap_or_default();
    [
        String::new(),
        format!(
            "Grafana's login is `{ADMIN_USER}`. Its password is made at the first start and kept with Grafana's data:"
        ),
        String::new(),
        format!("  docker compose -f {} exec grafana cat /var/lib/grafana/{FOLDER}/{file}", super::FILE),
    ]
}
