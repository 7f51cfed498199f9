//! What is verified: servers, and where they are ours, the settings they were made from and the engine they run on.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::Facts;
use crate::component::Component;
use crate::config::Config;
use crate::docker::Docker;
use crate::error::{Error, Result};
use crate::http::Server;
use crate::http::prometheus::Prometheus;
use crate::observed::Container;
use crate::secret::Secret;
use crate::stack::{ComponentSpec, Stack};

/// Everything that checks may look at.
pub struct World {
    /// The servers that are to be verified.
    pub servers: Vec<(Component, Server)>,
    /// What they should be like, where that is known.
    pub expected: Option<Expected>,
    /// Where they run, where that matters; or why it cannot be asked.
    pub engine: Option<Result<Engine>>,
    /// What was asked so far.
    pub facts: Facts,
    /// The login that an earlier look has found to be wrong.
    pub refused: Refused,
    /// The time for all checks together.
    pub limit: Duration,
    /// When that time is over.
    pub deadline: Instant,
}

/// What a stack of ours should be like.
pub struct Expected {
    /// The settings.
    pub config: Config,
    /// What they ask for.
    pub stack: Stack,
}

/// The engine on which a stack of ours runs.
pub struct Engine {
    /// The engine.
    pub docker: Docker,
    /// The containers of the project when the looking began; their files are facts of their own.
    pub containers: Vec<Container>,
    /// Names of containers that are not ours but have a name of ours.
    pub foreign: Vec<String>,
}

impl Engine {
    /// The container that serves a component.
    #[must_use]
    pub fn container(&self, component: Component) -> Option<&Container> {
        self.containers.iter().find(|container| container.component == Some(component))
    }
}

/// A login that Grafana has refused, for whoever looks again and again: five wrong ones lock the user out.
#[derive(Debug, Clone, Default)]
pub struct Refused(Arc<Mutex<Option<(Secret, Error)>>>);

impl Refused {
    /// Why this password was refused, if it was.
    #[must_use]
    pub fn why(&self, password: &Secret) -> Option<Error> {
        let refused = self.0.lock().ok()?;
        refused.as_ref().filter(|(of, _)| of == password).map(|(_, error)| error.clone())
    }

    /// Remembers that it was.
    pub fn remember(&self, password: &Secret, error: &Error) {
        if let Ok(mut refused) = self.0.lock() {
            *refused = Some((password.clone(), error.clone()));
        }
    }
}

impl World {
    /// The server of a component, if it is to be verified.
    #[must_use]
    pub fn server(&self, component: Component) -> Option<&Server> {
        self.servers.iter().find(|(of, _)| *of == component).map(|(_, server)| server)
    }

    /// The Prometheus, if it is to be verified.
    #[must_use]
    pub fn prometheus(&self) -> Option<Prometheus> {
        self.server(Component::Prometheus).map(Prometheus::at)
    }

    /// What a component of ours should be like.
    #[must_use]
    pub fn spec(&self, component: Component) -> Option<&ComponentSpec> {
        self.expected.as_ref()?.stack.get(component)
    }
}

#[cfg(test)]
impl World {
    /// One in which nothing is given, with a minute for all checks.
    pub(in crate::verify) fn empty() -> Self {
        let limit = Duration::from_secs(60);
        Self {
            servers: Vec::new(),
            expected: None,
            engine: None,
            facts: Facts::default(),
            refused: Refused::default(),
            limit,
            deadline: Instant::now() + limit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn a_refused_password_is_not_tried_again_and_a_new_one_is() {
        let refused = Refused::default();
        let (old, new) = (Secret::new("old"), Secret::new("new"));
        assert_eq!(refused.why(&old), None);
        refused.clone().remember(&old, &Error::new(Code::GrafanaLogin, "no"));
        assert_eq!(refused.why(&old).unwrap().message, "no");
        assert_eq!(refused.why(&new), None);
    }
}
