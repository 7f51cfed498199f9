//! From what should be and what is there to what has to be done; pure.

use super::jobs;
use super::refuse::{refuse_foreign, refuse_held_ports};
use super::{Action, Import, Plan, Step};
use crate::component::Component;
use crate::config::Pull;
use crate::docker::archive::digest;
use crate::error::{Code, Error, Result};
use crate::http::grafana as grafana_api;
use crate::observed::{Container, Observed, State};
use crate::stack::{Access, ComponentSpec, FileSpec, Stack};

/// Decides everything that has to be done, or why nothing may be.
///
/// Fails when an object with a name that we need is not ours, when a port that we need is held by somebody else, or
/// when an image is missing and may not be pulled. All reasons are reported at once.
pub fn reconcile(stack: &Stack, observed: &Observed, pull: Pull) -> Result<Plan> {
    refuse_foreign(stack, observed)?;
    refuse_held_ports(stack, observed)?;
    let mut plan = Plan::default();
    let network = network(stack, observed, &mut plan);
    leftovers(stack, observed, &mut plan);
    for spec in &stack.components {
        pull_image(spec, observed, pull, &mut plan)?;
    }
    for spec in &stack.components {
        Chain { spec, observed, network: network.as_deref(), plan: &mut plan }.build(stack);
    }
    duplicate_networks(stack, observed, network.as_deref(), &mut plan);
    Ok(plan)
}

/// Plans the network and returns the id of the one to use; `None` when it has yet to be created.
fn network(stack: &Stack, observed: &Observed, plan: &mut Plan) -> Option<String> {
    let users = |id: &str| observed.containers.iter().filter(|container| container.network == id).count();
    // Names of networks are not unique before Engine 25: of several, the one in use stays.
    let kept = observed.networks.iter().max_by_key(|network| users(&network.id));
    if kept.is_none() {
        plan.steps.push(project_step(stack, Action::CreateNetwork, "missing"));
    }
    kept.map(|network| network.id.clone())
}

/// Plans the removal of further networks of our name; the last thing, when nothing is attached to them any more.
fn duplicate_networks(stack: &Stack, observed: &Observed, kept: Option<&str>, plan: &mut Plan) {
    for network in observed.networks.iter().filter(|network| Some(network.id.as_str()) != kept) {
        let action = Action::RemoveNetwork { id: network.id.clone() };
        plan.steps.push(project_step(stack, action, "duplicate of the project's network"));
    }
}

fn project_step(stack: &Stack, action: Action, cause: &str) -> Step {
    Step { component: None, action, subject: stack.project.clone(), cause: cause.to_owned() }
}

/// The pulls alone, for what needs images and nothing else.
pub fn pulls(stack: &Stack, observed: &Observed, pull: Pull) -> Result<Plan> {
    let mut plan = Plan::default();
    for spec in &stack.components {
        pull_image(spec, observed, pull, &mut plan)?;
    }
    Ok(plan)
}

fn pull_image(spec: &ComponentSpec, observed: &Observed, pull: Pull, plan: &mut Plan) -> Result<()> {
    let image = &spec.container.image;
    let local = observed.images.get(image).is_some_and(Option::is_some);
    let cause = match pull {
        Pull::Always => "images.pull is always",
        Pull::Missing if !local => "missing",
        Pull::Never if !local => {
            return Err(Error::new(Code::ImageUnavailable, format!("image `{image}` is not there"))
                .cause("images.pull is `never`")
                .hint(format!("bring it with `docker pull {image}` or `docker load`, or set `images.pull: missing`")));
        }
        Pull::Missing | Pull::Never => return Ok(()),
    };
    plan.steps.push(Step {
        component: Some(spec.component),
        action: Action::Pull,
        subject: image.clone(),
        cause: cause.to_owned(),
    });
    Ok(())
}

/// Containers of ours that the stack has no place for: of a component that is switched off, under a wrong name, or
/// left by an interrupted check.
fn leftovers(stack: &Stack, observed: &Observed, plan: &mut Plan) {
    // The feed of the demo data stays until `demo stop`.
    for container in observed.containers.iter().filter(|container| !container.demo) {
        let spec = container.component.and_then(|component| stack.get(component));
        let cause = match spec {
            Some(spec) if spec.container.name == container.name => continue,
            Some(_) => "leftover of an interrupted run",
            None if container.component.is_some() => "no longer part of the stack",
            None => "leftover of an interrupted check",
        };
        plan.steps.push(Step {
            component: None,
            action: Action::Remove { id: container.id.clone() },
            subject: container.name.clone(),
            cause: cause.to_owned(),
        });
    }
}

/// The container that serves a component, if there is one under its own name.
pub(super) fn current<'a>(spec: &ComponentSpec, observed: &'a Observed) -> Option<&'a Container> {
    let serves =
        |container: &&Container| container.component == Some(spec.component) && container.name == spec.container.name;
    observed.containers.iter().find(serves)
}

/// The steps of one component.
struct Chain<'a> {
    spec: &'a ComponentSpec,
    observed: &'a Observed,
    network: Option<&'a str>,
    plan: &'a mut Plan,
}

impl Chain<'_> {
    fn build(mut self, stack: &Stack) {
        let current = current(self.spec, self.observed);
        let replaced = current.and_then(|container| self.replacement_cause(container));
        let name = self.spec.container.name.clone();
        let starts = match (current, &replaced) {
            (Some(container), None) => self.keep(container),
            (Some(container), Some(cause)) => {
                self.push(Action::Remove { id: container.id.clone() }, &name, cause);
                self.create(Some(container), cause);
                true
            }
            (None, _) => {
                self.create(None, "missing");
                true
            }
        };
        if self.spec.component == Component::Pushgateway {
            let groups = self.observed.groups.as_deref().filter(|_| !starts);
            for (action, subject, cause) in jobs::steps(&stack.jobs, groups) {
                self.push(action, &subject, cause);
            }
        }
        if let (Some(content), false) = (&stack.grafana, self.spec.generated.is_empty()) {
            self.import(content, starts);
        }
    }

    /// Why a container cannot stay as it is; `None` when it can.
    fn replacement_cause(&self, container: &Container) -> Option<String> {
        let Some(running) = &container.spec else { return Some("made by an unknown version of moko-mon".to_owned()) };
        if let Some(difference) = self.spec.container.difference(running) {
            return Some(difference);
        }
        let local = self.observed.images.get(&self.spec.container.image).and_then(Option::as_ref);
        if local.is_some_and(|id| *id != container.image_id) {
            return Some(format!("image changed: {} is another build now", self.spec.container.image));
        }
        if self.network != Some(container.network.as_str()) {
            return Some("its network is gone".to_owned());
        }
        if container.state == State::Running && !container.attached {
            return Some("not attached to its network".to_owned());
        }
        match container.state {
            State::Restarting => Some("in a crash loop".to_owned()),
            State::Dead => Some("half removed".to_owned()),
            State::Created | State::Running | State::Paused | State::Exited => None,
        }
    }

    fn create(&mut self, replaced: Option<&Container>, cause: &str) {
        let name = self.spec.container.name.clone();
        self.push(Action::Create, &name, cause);
        self.deliver(replaced);
        self.push(Action::Start, &name, cause);
        self.push(Action::Wait, &name, "until it is ready");
    }

    /// Plans for a container that stays; returns whether it has to be started.
    fn keep(&mut self, container: &Container) -> bool {
        let name = self.spec.container.name.clone();
        let before = self.plan.steps.len();
        let changed = self.deliver(Some(container));
        let secret = self.plan.steps[before..].iter().any(|step| self.changes_secret(step));
        let stopped = match container.state {
            State::Running => None,
            State::Paused => Some((Action::Unpause, "paused".to_owned())),
            State::Created | State::Exited | State::Restarting | State::Dead => {
                Some((Action::Start, format!("not running ({})", container.state.as_str())))
            }
        };
        let woken = stopped.is_some();
        let starts = matches!(stopped, Some((Action::Start, _)));
        if let Some((action, cause)) = stopped {
            self.push(action, &name, &cause);
        }
        let reload = self.reload_cause(container, changed).filter(|_| !starts);
        let reloads = reload.is_some();
        match reload {
            // Prometheus 3.5 keeps a password that it has read, reload or not, while its configuration is the same.
            Some(_) if secret => self.push(Action::Restart, &name, "a secret changed"),
            Some(cause) => self.push(Action::Reload, &name, cause),
            None => {}
        }
        if woken || reloads || !container.ready {
            self.push(
                Action::Wait,
                &name,
                if container.ready { "until it is ready again" } else { "until it is ready" },
            );
        }
        woken
    }

    /// A running server has to read its files again when they change, and when an earlier run was cut off between
    /// the delivery and the proof.
    fn reload_cause(&self, container: &Container, changed: bool) -> Option<&'static str> {
        let reload = self.spec.reload?;
        if changed {
            return Some("files changed");
        }
        let applied = container.files.get(reload.marker).map(|marker| marker.content.as_slice());
        (applied != Some(self.spec.files_fingerprint().as_bytes())).then_some("not proved to be read yet")
    }

    /// Plans the delivery of secrets and files that are not there as they should be; returns whether any file is.
    fn deliver(&mut self, container: Option<&Container>) -> bool {
        let short = |path: &str| path.to_owned();
        for secret in &self.spec.generated {
            let there = container.is_some_and(|container| container.files.contains_key(&secret.path));
            if !there {
                self.push(Action::Generate { path: secret.path.clone() }, &short(&secret.path), self.secret_cause());
            }
        }
        let before = self.plan.steps.len();
        for file in &self.spec.files {
            if let Some(cause) = delivery_cause(file, container) {
                self.push(Action::Write { path: file.path.clone() }, &short(&file.path), cause);
            }
        }
        for path in self.unwanted(container) {
            self.push(Action::Clear { path: path.clone() }, &path, "no longer wanted");
        }
        self.plan.steps.len() > before
    }

    /// Whether a step changes a secret that the server has read under the same name.
    fn changes_secret(&self, step: &Step) -> bool {
        let Action::Write { path } = &step.action else { return false };
        step.cause == CHANGED && self.spec.files.iter().any(|file| file.path == *path && file.access != Access::Public)
    }

    /// Whether a secret is missing or only not seen yet: a volume can be read through a container alone.
    fn secret_cause(&self) -> &'static str {
        let secrets = self.spec.volume(crate::stack::VolumeKind::Secrets);
        let kept = secrets.is_some_and(|volume| self.observed.volumes.contains_key(&volume.name));
        if kept { "unless the volume has it" } else { "missing" }
    }

    /// Files in our volumes that nothing asks for any more; a volume's file cannot be removed, but it can be emptied.
    fn unwanted(&self, container: Option<&Container>) -> Vec<String> {
        let Some(container) = container else { return Vec::new() };
        let wanted = |path: &str| {
            self.spec.files.iter().any(|file| file.path == path)
                || self.spec.generated.iter().any(|secret| secret.path == path)
                || self.spec.reload.is_some_and(|reload| reload.marker == path)
        };
        let left = container.files.iter().filter(|(path, file)| !file.content.is_empty() && !wanted(path));
        left.map(|(path, _)| path.clone()).collect()
    }

    /// Plans what Grafana has to contain; what it does contain is only known while it runs.
    fn import(&mut self, content: &grafana_api::Content, starts: bool) {
        let state = self.observed.grafana.as_ref().filter(|_| !starts);
        let found = match state {
            Some(Ok(state)) => Some(state),
            // The failure ends `up` once everything else is done.
            Some(Err(_)) => return,
            None => None,
        };
        let cause = |item: Option<&grafana_api::Item>| match item {
            Some(grafana_api::Item::Same) => None,
            Some(grafana_api::Item::Missing) => Some("missing".to_owned()),
            Some(grafana_api::Item::Different(why)) => Some(why.clone()),
            None => Some("checked once Grafana answers".to_owned()),
        };
        if let Some(cause) = cause(found.map(|state| &state.data_source)) {
            self.push(Action::Import(Import::DataSource), &format!("data source {}", content.data_source.uid), &cause);
        }
        if let Some(cause) = cause(found.map(|state| &state.folder)) {
            self.push(Action::Import(Import::Folder), &format!("folder {}", content.folder.uid), &cause);
        }
        for (index, dashboard) in content.dashboards.iter().enumerate() {
            let item = found.and_then(|state| state.dashboards.get(index));
            if let Some(cause) = cause(item) {
                let import = Action::Import(Import::Dashboard(dashboard.uid.clone()));
                self.push(import, &format!("dashboard {}", dashboard.uid), &cause);
            }
        }
    }

    fn push(&mut self, action: Action, subject: &str, cause: impl AsRef<str>) {
        self.plan.steps.push(Step {
            component: Some(self.spec.component),
            action,
            subject: subject.to_owned(),
            cause: cause.as_ref().to_owned(),
        });
    }
}

/// The cause of the delivery of a file that is there with another content.
const CHANGED: &str = "content changed";

/// Why a file has to be delivered; `None` when it is there as it should be.
fn delivery_cause(file: &FileSpec, container: Option<&Container>) -> Option<&'static str> {
    let Some(found) = container.and_then(|container| container.files.get(&file.path)) else { return Some("missing") };
    if found.digest != digest(&file.content) {
        return Some(CHANGED);
    }
    (found.owner != file.access.owner_and_mode()).then_some("owner or mode changed")
}
