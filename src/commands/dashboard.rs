//! `dashboard`: the user's panels between Grafana's editor and the files that `up` imports.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Context, password};
use crate::cli;
use crate::error::{Code, Error, Goal as _, Result};
use crate::http::grafana::{DATA_SOURCE_UID, Dashboard, Grafana, changes, kept};
use crate::stack::{ADMIN_USER, DASHBOARD_UID, Stack, grafana_folder};
use crate::ui::Report;

pub(super) async fn run(context: &Context<'_>, what: &cli::Dashboard) -> Result<Report> {
    match what {
        cli::Dashboard::Import { files } => import(context, files).await,
        cli::Dashboard::Export { uid, file } => export(context, uid.as_deref(), file.as_deref()).await,
        cli::Dashboard::Diff { uid } => diff(context, uid.as_deref()).await,
    }
}

/// Imports files as `up` would. All are read before the first is sent, so a bad one leaves Grafana as it was.
async fn import(context: &Context<'_>, files: &[PathBuf]) -> Result<Report> {
    let dashboards = files.iter().map(|file| read(context, file)).collect::<Result<Vec<_>>>()?;
    let grafana = connect(context).await?;
    let folder = grafana_folder();
    grafana.apply_folder(&folder).await?;
    let mut text = String::new();
    for dashboard in &dashboards {
        grafana.apply_dashboard(dashboard, &folder).await?;
        text.push_str(&format!("imported {} as `{}` ({})\n", dashboard.origin, dashboard.title, dashboard.uid));
    }
    let data = dashboards.iter().map(|of| json!({"file": of.origin, "uid": of.uid, "title": of.title}));
    Ok(Report::new(json!({"dashboards": data.collect::<Vec<_>>()}), text))
}

fn read(context: &Context<'_>, file: &Path) -> Result<Dashboard> {
    let goal = || format!("could not import `{}`", file.display());
    let wrong = |fact: String| {
        Error::new(Code::ConfigInvalid, fact).goal(goal()).hint("name a dashboard's JSON file, as Grafana exports it")
    };
    let bytes = std::fs::read(context.sources.directory.join(file)).map_err(|error| wrong(error.to_string()))?;
    let json = serde_json::from_slice(&bytes).map_err(|error| wrong(format!("it is not JSON: {error}")))?;
    Dashboard::from_file(&file.display().to_string(), json, DATA_SOURCE_UID)
}

/// Writes a dashboard as it is in Grafana now, in a form that makes small diffs.
async fn export(context: &Context<'_>, uid: Option<&str>, output: Option<&Path>) -> Result<Report> {
    let uid = uid.unwrap_or(DASHBOARD_UID);
    let json = kept(&running(context, uid).await?);
    let text = format!("{json:#}\n");
    let Some(output) = output else { return Ok(Report::new(json!({"uid": uid, "dashboard": json}), text)) };
    let path = context.sources.directory.join(output);
    write(&path, &text).map_err(|error| {
        Error::new(Code::Io, format!("could not write `{}`", output.display()))
            .cause(error.to_string())
            .hint("name a file in a folder that you may write to with `-o FILE`")
    })?;
    let text =
        format!("wrote {}; list it under `grafana.dashboards` in moko-mon.yaml, and `up` imports it", output.display());
    Ok(Report::new(json!({"uid": uid, "file": output}), text))
}

/// The old file or the new one, never half of it.
pub(super) fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// Shows in what a dashboard in Grafana differs from the file that `up` imports; exit status 1 if it does.
async fn diff(context: &Context<'_>, uid: Option<&str>) -> Result<Report> {
    let uid = uid.unwrap_or(DASHBOARD_UID);
    let config = context.config()?.config;
    let desired = Stack::desired(&config)?.grafana;
    let ours = desired.iter().flat_map(|content| &content.dashboards).find(|of| of.uid == uid).ok_or_else(|| {
        Error::new(Code::NotFound, format!("no file that `up` imports has the dashboard `{uid}`"))
            .hint(format!("bring it into one with `moko-mon dashboard export {uid} -o FILE`"))
    })?;
    let changes = changes(&ours.json, &running(context, uid).await?);
    let lines: Vec<String> = changes.iter().map(ToString::to_string).collect();
    let text = if lines.is_empty() { format!("`{uid}` is as in its file") } else { lines.join("\n") };
    let failed = (!changes.is_empty()).then(|| {
        Error::new(Code::Differs, format!("dashboard `{uid}` differs from its file in {} places", changes.len()))
            .cause(format!("the file is {}", ours.origin))
            .hint(format!(
                "keep Grafana's with `moko-mon dashboard export {uid} -o FILE`; `moko-mon up` brings the file's back"
            ))
    });
    Ok(Report { data: json!({"uid": uid, "file": ours.origin, "changes": changes}), text, failed })
}

async fn running(context: &Context<'_>, uid: &str) -> Result<Value> {
    let found = connect(context).await?.dashboard(uid).await?;
    found.map(|dashboard| dashboard.json).ok_or_else(|| {
        Error::new(Code::NotFound, format!("Grafana has no dashboard `{uid}`"))
            .hint("a dashboard's uid is in its address: `/d/UID/…`")
    })
}

/// Grafana of the project, logged in.
async fn connect(context: &Context<'_>) -> Result<Grafana> {
    let project = context.project()?;
    let docker = context.docker().await?;
    let container = password::grafana(&docker, &project).await?;
    let secret = password::read(&docker, &container).await?;
    let url = container.spec.as_ref().map(|spec| spec.port.url()).ok_or_else(|| {
        Error::new(Code::NotFound, "cannot tell where Grafana is published").hint("run `moko-mon up` once")
    })?;
    let grafana = Grafana::new(&Context::http()?, &url, ADMIN_USER, secret);
    grafana.login_check().await.goal(|| "could not reach Grafana")?;
    Ok(grafana)
}
