//! The engine and the containers on it.

mod files;
mod resources;
mod running;
mod settings;

use futures_util::FutureExt as _;

use super::check;
use crate::component::Component;
use crate::docker::Life;
use crate::error::Result;
use crate::observed::Container;
use crate::stack::ComponentSpec;
use crate::verify::{Check, Engine, Finding, World};

pub(in crate::verify) fn checks(world: &World) -> Vec<Check> {
    let about = "The engine on which the stack runs answers.";
    let mut all =
        vec![check("engine.reachable", "engine", about, &[], |world| async move { Ok(reachable(world)) }.boxed())];
    // Without an engine the line above says why; another fifteen would say the same.
    if world.engine.is_none() {
        return all;
    }
    let components = world.expected.iter().flat_map(|expected| &expected.stack.components);
    all.extend(components.flat_map(|spec| of_component(spec.component)));
    all.push(resources::volumes());
    all
}

fn of_component(component: Component) -> [Check; 7] {
    let name = component.name();
    let title = component.title();
    let needs = super::needs_running(component);
    [
        check(
            format!("engine.running.{name}"),
            name,
            format!("The container of {title} runs, is not paused and not in a crash loop."),
            &["engine.reachable"],
            move |world| running::look(world, component).boxed(),
        ),
        check(
            format!("engine.restarts.{name}"),
            name,
            format!("The engine had to start {title} again neither often nor lately."),
            needs,
            move |world| running::look_restarts(world, component).boxed(),
        ),
        check(
            format!("engine.image.{name}"),
            name,
            format!("{title} runs the image that the settings ask for."),
            needs,
            move |world| settings::look_image(world, component).boxed(),
        ),
        check(
            format!("engine.settings.{name}"),
            name,
            format!("The container of {title} was made from the settings in force."),
            needs,
            move |world| async move { Ok(with(world, component, settings::judge)) }.boxed(),
        ),
        check(
            format!("engine.ports.{name}"),
            name,
            format!("{title} is published where the settings say."),
            needs,
            move |world| async move { Ok(with(world, component, settings::judge_ports)) }.boxed(),
        ),
        check(
            format!("engine.memory.{name}"),
            name,
            format!("{title} has room below its memory limit and was not killed for it."),
            needs,
            move |world| resources::look_memory(world, component).boxed(),
        ),
        check(
            format!("engine.files.{name}"),
            name,
            format!("The files in the volumes of {title} are those that the settings make."),
            needs,
            move |world| files::look(world, component).boxed(),
        ),
    ]
}

fn reachable(world: &World) -> Finding {
    match &world.engine {
        None => Finding::skip("servers are given by their addresses, so no engine is looked at"),
        Some(Err(error)) => Finding::from(error.clone()),
        Some(Ok(Engine { docker, .. })) => {
            let engine = &docker.engine;
            Finding::pass(format!("{} answers, version {}, API {}", engine.address, engine.version, engine.api_version))
        }
    }
}

/// The engine, which the checks that need `engine.reachable` have.
fn engine(world: &World) -> Option<&Engine> {
    world.engine.as_ref()?.as_ref().ok()
}

/// Judges what should be and what is there; only made where the container runs.
fn with(world: &World, component: Component, judge: fn(&ComponentSpec, &Container) -> Finding) -> Finding {
    let container = engine(world).and_then(|engine| engine.container(component));
    match (world.spec(component), container) {
        (Some(spec), Some(container)) => judge(spec, container),
        _ => Finding::skip(format!("no {} is part of the stack", component.title())),
    }
}

/// How the container of a component lives.
async fn life(world: &World, component: Component) -> Result<Option<&Life>> {
    match engine(world) {
        Some(engine) => world.facts.engine.life(engine, component).await,
        None => Ok(None),
    }
}
