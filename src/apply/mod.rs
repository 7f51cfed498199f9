//! Performs a plan: one function for each action, no decisions.
//!
//! Steps about the project come first, then one chain for each component, side by side, the slowest starter first. A
//! chain that fails does not stop the others: what works is kept, and the next `up` goes on from there.

mod chain;
mod check;
mod wait;

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use crate::component::Component;
use crate::docker::Docker;
use crate::error::{Code, Error, Goal as _, Result};
use crate::http::Http;
use crate::observed::Observed;
use crate::plan::{Action, Plan, Step};
use crate::platform::Stop;
use crate::stack::Stack;
use crate::ui::{Event, Ui};

pub use check::check_files;

/// Everything that performing a plan needs.
pub struct Apply<'a> {
    /// The engine.
    pub docker: &'a Docker,
    /// The servers.
    pub http: &'a Http,
    /// The terminal.
    pub ui: &'a Ui,
    /// Whether we were asked to stop.
    pub stop: &'a Stop,
    /// What should run.
    pub stack: &'a Stack,
    /// What was there when the plan was made.
    pub observed: &'a Observed,
    /// When waiting for servers ends.
    pub deadline: Instant,
    /// The id of the project's network, once it is known.
    network: OnceLock<String>,
}

impl<'a> Apply<'a> {
    /// Brings together what performing a plan needs.
    #[must_use]
    pub fn new(
        docker: &'a Docker,
        http: &'a Http,
        ui: &'a Ui,
        stop: &'a Stop,
        stack: &'a Stack,
        observed: &'a Observed,
        deadline: Instant,
    ) -> Self {
        Self { docker, http, ui, stop, stack, observed, deadline, network: OnceLock::new() }
    }

    /// Performs everything but the pulls. The first failure is returned, further ones are warnings.
    pub async fn run(&self, plan: &Plan) -> Result<()> {
        // A duplicate network can only go once its containers have been moved off it.
        let (late, early): (Vec<&Step>, Vec<&Step>) =
            plan.shared().partition(|step| matches!(step.action, Action::RemoveNetwork { .. }));
        for step in early {
            self.step(step, self.shared(step)).await?;
        }
        if let Some(network) = self.kept_network(plan) {
            let _ = self.network.set(network);
        }
        let chains = Component::SLOWEST_FIRST.into_iter().filter_map(|component| self.stack.get(component));
        let chains: Vec<chain::Chain<'_>> = chains.map(|spec| chain::Chain::new(self, spec)).collect();
        let mut failures =
            join_all(chains.iter().map(|chain| chain.run(plan))).await.into_iter().filter_map(Result::err);
        let Some(first) = failures.next() else {
            for step in late {
                self.step(step, self.shared(step)).await?;
            }
            return Ok(());
        };
        for other in failures.filter(|other| !self.stop.asked() || other.code != first.code) {
            self.ui.warn(other.in_one_line());
        }
        Err(first)
    }

    /// Pulls the images that the plan names, side by side. An image that cannot be pulled but is there is used.
    pub async fn pull(&self, plan: &Plan) -> Result<()> {
        let pulls = plan.pulls().map(|step| async move {
            let pulled = self.step(step, self.pull_image(&step.subject)).await;
            let local = self.observed.images.get(&step.subject).is_some_and(Option::is_some);
            match pulled {
                Err(failed) if local && failed.code == Code::ImageUnavailable => {
                    let why = failed.causes.join(": ");
                    self.ui.warn(format!("using the local image `{}`: it could not be pulled: {why}", step.subject));
                    Ok(())
                }
                other => other,
            }
        });
        join_all(pulls).await.into_iter().collect()
    }

    async fn pull_image(&self, image: &str) -> Result<()> {
        let mut shown = Instant::now();
        let pull = self.docker.pull(image, |current, total| {
            // A line for each chunk would be a flood.
            if shown.elapsed() > Duration::from_secs(1) {
                shown = Instant::now();
                self.ui.event(&Event::Pulling { image, current, total });
            }
        });
        tokio::select! {
            pulled = pull => pulled,
            () = self.stop.token.cancelled() => Err(self.interrupted(&format!("pulling `{image}`"))),
        }
    }

    /// The error of an interrupted `up`, with the way to go on.
    fn interrupted(&self, goal: &str) -> Error {
        self.stop.error(goal).hint("run `moko-mon up` again: it continues where it stopped")
    }

    /// Reports a step around its work; starts nothing new once we were asked to stop.
    async fn step(&self, step: &Step, work: impl Future<Output = Result<()>>) -> Result<()> {
        if self.stop.asked() {
            return Err(self.interrupted("`up`"));
        }
        self.ui.event(&Event::Started(step));
        let started = Instant::now();
        let result = work.await;
        match &result {
            Ok(()) => self.ui.event(&Event::Done(step, started.elapsed())),
            Err(_) => self.ui.event(&Event::Failed(step)),
        }
        result
    }

    async fn shared(&self, step: &Step) -> Result<()> {
        match &step.action {
            Action::CreateNetwork => {
                let id = self.docker.create_network(&self.stack.project).await.map_err(network_hint)?;
                self.remove_twins(&id).await?;
                let _ = self.network.set(id);
                Ok(())
            }
            Action::RemoveNetwork { id } => self.docker.remove_network(id, &step.subject).await,
            Action::Remove { id } => {
                let container = self.observed.containers.iter().find(|container| container.id == *id);
                let spec = container.and_then(|container| container.spec.as_ref());
                let stop_timeout = spec.map_or(crate::stack::STOP_TIMEOUT, |spec| spec.stop_timeout);
                self.docker.stop(id, &step.subject, stop_timeout).await?;
                self.docker.remove_container(id, &step.subject).await
            }
            other => Err(misplaced(other)),
        }
    }

    /// Removes networks of our name that came into being beside the one just created: an engine may still be at work
    /// on the call of an `up` that was killed, before 25 it does not mind two of one name, and then no container starts.
    async fn remove_twins(&self, id: &str) -> Result<()> {
        let networks = self.docker.project_networks(&self.stack.project).await?;
        for twin in networks.iter().filter(|network| network.id != id) {
            self.docker.remove_network(&twin.id, &twin.name).await?;
        }
        Ok(())
    }

    /// The network that was there before and that the plan does not remove.
    fn kept_network(&self, plan: &Plan) -> Option<String> {
        let removed = |id: &String| {
            plan.steps.iter().any(|step| matches!(&step.action, Action::RemoveNetwork { id: gone } if gone == id))
        };
        self.observed.networks.iter().map(|network| network.id.clone()).find(|id| !removed(id))
    }

    fn network(&self) -> Result<&str> {
        let missing = || Error::new(Code::EngineFailed, format!("network `{}` is gone", self.stack.project));
        self.network.get().map(String::as_str).ok_or_else(missing)
    }
}

/// The engine's answer when its address pools are used up says nothing about a way out.
fn network_hint(error: Error) -> Error {
    if error.causes.iter().any(|cause| cause.contains("address pool")) {
        return error.hint("remove networks that nobody uses with `docker network prune`");
    }
    error
}

/// A plan is made by [`crate::plan::reconcile`] alone, so this says that it has a bug rather than hiding it.
fn misplaced(action: &Action) -> Error {
    Error::new(Code::EngineFailed, format!("step `{}` stands in the wrong part of the plan", action.verb()))
        .hint("this is a bug in moko-mon; please report it")
}

/// The error of a chain with its component's goal above it; an interruption stays what it is.
fn component_goal<T>(result: Result<T>, title: &str) -> Result<T> {
    match result {
        Err(error) if matches!(error.code, Code::Interrupted | Code::Terminated) => Err(error),
        other => other.goal(|| format!("could not bring up {title}")),
    }
}
