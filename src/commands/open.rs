//! `open`: a component's page in the browser.

use serde_json::json;

use super::Context;
use crate::cli;
use crate::error::{Code, Error, Result};
use crate::platform;
use crate::ui::Report;

pub(super) async fn run(context: &Context<'_>, flags: &cli::Open) -> Result<Report> {
    let project = context.project()?;
    let docker = context.docker().await?;
    let containers = docker.project_containers(&project).await?;
    let container = containers.iter().find(|container| container.component == Some(flags.component));
    let url = container.and_then(|container| container.spec.as_ref()).map(|spec| spec.port.url()).ok_or_else(|| {
        Error::new(Code::NotFound, format!("project `{project}` has no {}", flags.component.title()))
            .hint("bring the stack up with `moko-mon up`")
    })?;
    let report = Report::new(json!({"component": flags.component, "url": url}), url.clone());
    if flags.print || context.ui.is_json() {
        return Ok(report);
    }
    let opened = tokio::process::Command::new(platform::opener())
        .arg(&url)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn();
    if let Err(failed) = opened {
        context.ui.warn(format!("could not start `{}`: {failed}; open the address yourself", platform::opener()));
    }
    Ok(report)
}
