//! What the engine says of our containers.

use std::collections::BTreeMap;

use crate::component::Component;
use crate::docker::{About, Life};
use crate::error::Result;
use crate::observed::FileState;
use crate::verify::{Engine, Fact, World};

/// What the engine says of our containers, as far as it was asked.
#[derive(Debug)]
pub struct EngineFacts {
    lives: BTreeMap<Component, Fact<Option<Life>>>,
    files: BTreeMap<Component, Fact<BTreeMap<String, FileState>>>,
    about: Fact<About>,
}

impl Default for EngineFacts {
    fn default() -> Self {
        Self {
            lives: Component::ALL.map(|component| (component, Fact::default())).into(),
            files: Component::ALL.map(|component| (component, Fact::default())).into(),
            about: Fact::default(),
        }
    }
}

impl EngineFacts {
    /// What the engine says of itself.
    pub async fn about(&self, engine: &Engine) -> Result<&About> {
        self.about.get(engine.docker.about()).await
    }

    /// How the container of a component lives; `None` when there is none.
    pub async fn life(&self, engine: &Engine, component: Component) -> Result<Option<&Life>> {
        let Some(container) = engine.container(component) else { return Ok(None) };
        let Some(fact) = self.lives.get(&component) else { return Ok(None) };
        fact.get(engine.docker.life(&container.id)).await.map(Option::as_ref)
    }

    /// What the container of a component has in its config and secrets volumes; `None` when there is none.
    pub(in crate::verify) async fn files(
        &self,
        world: &World,
        component: Component,
    ) -> Result<Option<&BTreeMap<String, FileState>>> {
        let (Some(Ok(engine)), Some(expected)) = (&world.engine, &world.expected) else { return Ok(None) };
        let (Some(container), Some(fact)) = (engine.container(component), self.files.get(&component)) else {
            return Ok(None);
        };
        fact.get(engine.docker.files(&expected.stack, container)).await.map(Some)
    }
}
