//! `down`: removes what is ours, from any state, without a configuration.

use futures_util::future::try_join_all;
use serde_json::json;
use tokio::sync::Semaphore;

use super::Context;
use crate::cli;
use crate::docker::Docker;
use crate::error::{Code, Error, Result};
use crate::lock::Lock;
use crate::observed::{Container, Network};
use crate::platform;
use crate::stack::STOP_TIMEOUT;
use crate::ui::{Event, Report};

pub(super) async fn run(context: &Context<'_>, flags: &cli::Down) -> Result<Report> {
    let project = context.project()?;
    let docker = context.docker().await?;
    if flags.volumes && !flags.yes {
        let volumes = docker.project_volumes(&project).await?;
        if !volumes.is_empty() {
            confirm(context, &project, &volumes).await?;
        }
    }
    let _lock = Lock::take(&platform::lock_folder(), &docker.engine.id, &project, "down")?;
    let (containers, networks, volumes) = tokio::try_join!(
        docker.project_containers(&project),
        docker.project_networks(&project),
        docker.project_volumes(&project)
    )?;
    let images: Vec<String> = containers.iter().map(|container| container.image.clone()).collect();
    let names: Vec<String> = containers.iter().map(|container| container.name.clone()).collect();

    remove_all(context, &docker, &containers, &networks).await?;
    let removed_volumes = if flags.volumes { volumes.clone() } else { Vec::new() };
    check(context)?;
    try_join_all(removed_volumes.iter().map(|volume| docker.remove_volume(volume))).await?;
    let removed_images = if flags.images { remove_images(context, &docker, images).await } else { Vec::new() };

    let kept = if flags.volumes { Vec::new() } else { volumes };
    let networks: Vec<String> = networks.into_iter().map(|network| network.name).collect();
    let text = summary(
        &project,
        &[("container", &names), ("network", &networks), ("volume", &removed_volumes), ("image", &removed_images)],
        &kept,
    );
    let data = json!({
        "project": project, "containers": names, "networks": networks,
        "volumes": removed_volumes, "images": removed_images, "kept_volumes": kept,
    });
    Ok(Report::new(data, text))
}

/// Data is removed only when somebody says so.
async fn confirm(context: &Context<'_>, project: &str, volumes: &[String]) -> Result<()> {
    if !context.ui.can_ask() {
        return Err(Error::new(Code::ConfirmationRequired, "`down --volumes` removes all data and asks first")
            .cause("there is no terminal to ask on")
            .hint("add `--yes` if that is what you want"));
    }
    let question = format!(
        "Remove project `{project}` with all its data and passwords?\n  {}\nThis cannot be undone.",
        volumes.join("\n  ")
    );
    let yes = tokio::select! {
        yes = context.ui.ask(&question) => yes,
        () = context.stop.token.cancelled() => return Err(context.stop.error("`down`")),
    };
    if yes {
        return Ok(());
    }
    Err(Error::new(Code::ConfirmationRequired, "nothing was removed")
        .hint("`moko-mon down` without `--volumes` keeps all data"))
}

/// Removes the containers, and the networks beside them: a network is free as soon as everything on it has stopped.
async fn remove_all(
    context: &Context<'_>,
    docker: &Docker,
    containers: &[Container],
    networks: &[Network],
) -> Result<()> {
    let stopped = Semaphore::new(0);
    let removals = try_join_all(containers.iter().map(|container| remove(context, docker, container, &stopped)));
    let remove_networks =
        || try_join_all(networks.iter().map(|network| docker.remove_network(&network.id, &network.name)));
    let beside = async {
        let all = u32::try_from(containers.len()).unwrap_or(u32::MAX);
        // The semaphore is never closed; if it were, the networks would be removed a little later.
        let free = stopped.acquire_many(all).await.is_ok() && !context.stop.asked();
        Ok(free && remove_networks().await.is_ok())
    };
    let (_, gone) = tokio::try_join!(removals, beside)?;
    check(context)?;
    // An engine may hold on to it until its containers are gone; now it has no reason any more.
    if gone { Ok(()) } else { remove_networks().await.map(drop) }
}

async fn remove(context: &Context<'_>, docker: &Docker, container: &Container, stopped: &Semaphore) -> Result<()> {
    check(context)?;
    let stop_timeout = container.spec.as_ref().map_or(STOP_TIMEOUT, |spec| spec.stop_timeout);
    docker.stop(&container.id, &container.name, stop_timeout).await?;
    stopped.add_permits(1);
    docker.remove_container(&container.id, &container.name).await?;
    context.ui.event(&Event::Note(&format!("removed container {}", container.name)));
    Ok(())
}

/// Images that others still use stay; that is worth a warning and no more.
async fn remove_images(context: &Context<'_>, docker: &Docker, mut images: Vec<String>) -> Vec<String> {
    images.sort();
    images.dedup();
    let mut removed = Vec::new();
    for image in images {
        match docker.remove_image(&image).await {
            Ok(()) => removed.push(image),
            Err(failed) => context.ui.warn(format!("{}: {}", failed.message, failed.causes.join(": "))),
        }
    }
    removed
}

fn check(context: &Context<'_>) -> Result<()> {
    let interrupted = || context.stop.error("`down`").hint("run `moko-mon down` again: it continues where it stopped");
    if context.stop.asked() { Err(interrupted()) } else { Ok(()) }
}

fn summary(project: &str, removed: &[(&str, &Vec<String>)], kept: &[String]) -> String {
    let counted = |(what, names): &(&str, &Vec<String>)| match names.len() {
        0 => None,
        1 => Some(format!("1 {what}")),
        count => Some(format!("{count} {what}s")),
    };
    let parts: Vec<String> = removed.iter().filter_map(counted).collect();
    let mut text = if parts.is_empty() {
        format!("nothing to remove: project `{project}` is not up")
    } else {
        format!("removed {} of project `{project}`", parts.join(", "))
    };
    if !kept.is_empty() {
        text.push_str(&format!("\nkept {} volumes with its data; `moko-mon down --volumes` removes them", kept.len()));
    }
    text
}
