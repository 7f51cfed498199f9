//! The steps of one component, one after the other.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{Apply, component_goal, misplaced, wait};
use crate::docker::archive::{Entry, pack};
use crate::docker::translate::create_body;
use crate::error::{Code, Error, Goal as _, Result};
use crate::http::grafana::Grafana;
use crate::http::pushgateway::{Group, Pushgateway};
use crate::jobs;
use crate::observed::Container;
use crate::plan::{Action, Import, Plan, Step};
use crate::secret::Secret;
use crate::server;
use crate::stack::{ADMIN_USER, Access, ComponentSpec, FileSpec, VolumeKind, admin_password};

/// How long the engine may take to finish what a killed run had asked for.
const UNFINISHED: Duration = Duration::from_secs(5);

pub(super) struct Chain<'a> {
    apply: &'a Apply<'a>,
    spec: &'a ComponentSpec,
    /// The container as it is now: the one observed, or the one created.
    id: RefCell<Option<String>>,
    /// How often the engine had restarted the container before this chain touched it.
    restarts: Cell<i64>,
    /// One client for all imports: a refused login is not tried again.
    grafana: tokio::sync::OnceCell<Grafana>,
    /// What the Pushgateway held before the first declaration.
    groups: tokio::sync::OnceCell<Vec<Group>>,
}

impl<'a> Chain<'a> {
    pub(super) fn new(apply: &'a Apply<'a>, spec: &'a ComponentSpec) -> Self {
        let id = current(apply, spec).map(|container| container.id.clone());
        let (grafana, groups) = (tokio::sync::OnceCell::new(), tokio::sync::OnceCell::new());
        Self { apply, spec, id: RefCell::new(id), restarts: Cell::new(0), grafana, groups }
    }

    /// Performs the chain; the secrets are made together, and all deliveries are one upload for each volume.
    pub(super) async fn run(&self, plan: &Plan) -> Result<()> {
        let steps: Vec<&Step> = plan.chain(self.spec.component).collect();
        if let Some(inspected) = self.inspect(&steps).await? {
            self.restarts.set(inspected);
        }
        let starts = steps.iter().any(|step| matches!(step.action, Action::Start | Action::Restart));
        let (mut generated, mut delivered) = (false, false);
        for step in &steps {
            let result = match &step.action {
                Action::Generate { .. } if generated => Ok(()),
                Action::Generate { .. } => {
                    generated = true;
                    self.apply.step(step, self.generate(&steps)).await
                }
                Action::Write { .. } | Action::Clear { .. } if delivered => Ok(()),
                Action::Write { .. } | Action::Clear { .. } => {
                    delivered = true;
                    self.apply.step(step, self.deliver(&steps, starts)).await
                }
                Action::Start => {
                    if !delivered {
                        self.mark().await?;
                    }
                    self.apply.step(step, self.start()).await
                }
                _ => self.apply.step(step, self.perform(step)).await,
            };
            component_goal(result, self.spec.component.title())?;
        }
        Ok(())
    }

    /// The restart count of a container that is kept, so that only new crashes count.
    async fn inspect(&self, steps: &[&Step]) -> Result<Option<i64>> {
        let waits = steps.iter().any(|step| step.action == Action::Wait);
        let creates = steps.iter().any(|step| step.action == Action::Create);
        let Some(id) = self.id.borrow().clone().filter(|_| waits && !creates) else { return Ok(None) };
        Ok(self.apply.docker.inspect(&id).await?.and_then(|container| container.restart_count))
    }

    async fn perform(&self, step: &Step) -> Result<()> {
        let (docker, name) = (self.apply.docker, &self.spec.container.name);
        match &step.action {
            Action::Remove { id } => {
                let stop_timeout = self.spec.container.stop_timeout;
                docker.stop(id, name, stop_timeout).await?;
                docker.remove_container(id, name).await
            }
            Action::Create => self.create().await,
            Action::Unpause => docker.unpause(&self.id()?, name).await,
            Action::Restart => {
                docker.stop(&self.id()?, name, self.spec.container.stop_timeout).await?;
                self.start().await
            }
            Action::Reload => self.reload().await,
            Action::Wait => {
                let restarts = self.restarts.get();
                wait::ready(self.apply, self.spec, &self.id()?, restarts).await
            }
            Action::Import(import) => self.import(import).await,
            Action::Declare(name) => self.declare(name).await,
            Action::Withdraw(name) => self.pushgateway().delete(&jobs::key(name)).await,
            other => Err(misplaced(other)),
        }
    }

    fn pushgateway(&self) -> Pushgateway {
        Pushgateway::new(self.apply.http, &self.spec.url())
    }

    /// Tells the Pushgateway of a job, unless it turns out to know it. Looked at now: before, it may not have answered.
    async fn declare(&self, name: &str) -> Result<()> {
        let pushgateway = self.pushgateway();
        let groups = self.groups.get_or_try_init(|| pushgateway.groups()).await?;
        let job = self.apply.stack.jobs.iter().find(|job| job.name == name);
        match job.filter(|job| jobs::cause(job, groups).is_some()) {
            Some(job) => pushgateway.put(&jobs::key(name), &jobs::declaration(job, groups, Timestamp::now())).await,
            None => Ok(()),
        }
    }

    async fn create(&self) -> Result<()> {
        let apply = self.apply;
        let spec = &self.spec.container;
        let image_id = apply.observed.images.get(&spec.image).cloned().flatten().unwrap_or_default();
        let body = create_body(&apply.stack.project, self.spec.component, spec, &image_id, apply.network()?);
        let deadline = Instant::now() + UNFINISHED;
        let id = loop {
            match apply.docker.create_container(Some(&spec.name), body.clone()).await {
                Err(failed) if name_is_taken(&failed) && Instant::now() < deadline => self.remove_late_comer().await?,
                created => break created?,
            }
        };
        *self.id.borrow_mut() = Some(id);
        Ok(())
    }

    /// Removes a container of ours that came after the look: the engine finishes what a killed run had asked for.
    async fn remove_late_comer(&self) -> Result<()> {
        let (docker, name) = (self.apply.docker, &self.spec.container.name);
        let ours = docker.project_containers(&self.apply.stack.project).await?;
        if let Some(container) = ours.iter().find(|container| container.name == *name) {
            return docker.remove_container(&container.id, name).await;
        }
        // Its name is taken before it is listed.
        tokio::time::sleep(Duration::from_millis(100)).await;
        Ok(())
    }

    async fn start(&self) -> Result<()> {
        let started = self.apply.docker.start(&self.id()?, &self.spec.container.name).await;
        started.map_err(|failed| {
            if failed.code != Code::PortTaken {
                return failed;
            }
            // Somebody took it between the look and the start; the engine does not say who.
            let port = &self.spec.container.port;
            let holder = crate::platform::port_holder(port.bind, port.host);
            let holder = holder.unwrap_or_else(|| "another container".to_owned());
            Error::new(Code::PortTaken, failed.message)
                .cause(format!("host port {} is held by {holder}", port.host))
                .hint(format!("free it, or set `{}.port` in moko-mon.yaml", self.spec.component))
        })
    }

    /// Makes the secrets that the volume does not have: once written, one is never changed silently.
    async fn generate(&self, steps: &[&Step]) -> Result<()> {
        let there = match self.spec.volume(VolumeKind::Secrets) {
            // A volume that was there before may hold secrets that only a container can show.
            Some(volume) if self.apply.observed.volumes.contains_key(&volume.name) => {
                self.apply.docker.download(&self.id()?, &self.spec.container.name, &volume.path).await?
            }
            Some(_) | None => BTreeMap::new(),
        };
        let planned = |path: &String| {
            steps.iter().any(|step| matches!(&step.action, Action::Generate { path: planned } if planned == path))
        };
        let missing =
            self.spec.generated.iter().filter(|secret| planned(&secret.path) && !there.contains_key(&secret.path));
        let files = missing.map(|secret| {
            let content = Secret::random()?.expose().as_bytes().to_vec();
            Ok(FileSpec { path: secret.path.clone(), content, access: secret.access })
        });
        self.upload(files.collect::<Result<_>>()?).await
    }

    /// Delivers everything the plan writes or clears. Before a start the marker that says so comes last; before a
    /// reload an empty one comes first: until the server has proved what it runs, nothing is known of it, even if the
    /// next `up` wants the old files back.
    async fn deliver(&self, steps: &[&Step], starts: bool) -> Result<()> {
        let marker = self.marker();
        let unproved = marker.clone().filter(|_| !starts).map(|marker| FileSpec { content: Vec::new(), ..marker });
        let mut files: Vec<FileSpec> = unproved.into_iter().collect();
        for step in steps {
            match &step.action {
                Action::Write { path } => files.extend(self.spec.files.iter().find(|file| file.path == *path).cloned()),
                Action::Clear { path } => {
                    let empty = FileSpec { path: path.clone(), content: Vec::new(), access: Access::Public };
                    files.push(empty);
                }
                _ => {}
            }
        }
        files.extend(marker.filter(|_| starts));
        self.upload(files).await
    }

    /// The file that says which files the server has read. Written before a start, because a starting server reads
    /// what is there; and after a reload that was proved.
    fn marker(&self) -> Option<FileSpec> {
        let reload = self.spec.reload?;
        let content = self.spec.files_fingerprint().into_bytes();
        Some(FileSpec { path: reload.marker.to_owned(), content, access: Access::Public })
    }

    async fn mark(&self) -> Result<()> {
        let Some(marker) = self.marker() else { return Ok(()) };
        let found = current(self.apply, self.spec).and_then(|container| container.files.get(&marker.path));
        if found.is_some_and(|found| found.content == marker.content) {
            return Ok(());
        }
        self.upload(vec![marker]).await
    }

    async fn reload(&self) -> Result<()> {
        let Some(reload) = self.spec.reload else { return Ok(()) };
        let http = self.apply.http;
        let before = server::last_reload(http, self.spec, reload).await?;
        self.apply.docker.signal(&self.id()?, &self.spec.container.name, "SIGHUP").await?;
        let proof = server::prove_reload(http, self.spec, reload, before, self.apply.deadline);
        let proved = tokio::select! {
            proved = proof => proved,
            () = self.apply.stop.token.cancelled() => return Err(self.apply.interrupted("`up`")),
        };
        if let Err(failed) = proved {
            return Err(wait::with_lines(failed, self.apply.docker, &self.id()?).await);
        }
        self.upload(self.marker().into_iter().collect()).await
    }

    /// One upload for each volume, files in their order: what names other files comes last.
    async fn upload(&self, files: Vec<FileSpec>) -> Result<()> {
        let mut by_folder: BTreeMap<&str, Vec<&FileSpec>> = BTreeMap::new();
        for file in &files {
            by_folder.entry(self.folder(&file.path)?).or_default().push(file);
        }
        // Secrets first (`/run` sorts behind `/etc`): the main file may name them.
        for (folder, files) in by_folder.into_iter().rev() {
            let entries = files.iter().map(|file| Entry {
                path: file.path[folder.len()..].trim_start_matches('/'),
                content: &file.content,
                access: file.access,
            });
            self.apply.docker.upload(&self.id()?, &self.spec.container.name, folder, pack(entries)?).await?;
        }
        Ok(())
    }

    /// The mount point of the volume that a path is in.
    fn folder(&self, path: &str) -> Result<&'a str> {
        let volumes = self.spec.container.volumes.iter().filter(|volume| volume.kind != VolumeKind::Data);
        let folder = volumes.map(|volume| volume.path.as_str()).find(|folder| path.starts_with(*folder));
        folder
            .ok_or_else(|| Error::new(Code::NotFound, format!("no volume of `{}` holds `{path}`", self.spec.component)))
    }

    async fn import(&self, import: &Import) -> Result<()> {
        let Some(content) = &self.apply.stack.grafana else { return Ok(()) };
        let grafana = self.grafana.get_or_try_init(|| self.log_in()).await?;
        match import {
            Import::DataSource => grafana.apply_data_source(&content.data_source).await,
            Import::Folder => grafana.apply_folder(&content.folder).await,
            Import::Dashboard(uid) => {
                let dashboard = content.dashboards.iter().find(|dashboard| dashboard.uid == *uid);
                let dashboard = dashboard.ok_or_else(|| Error::new(Code::NotFound, format!("no dashboard `{uid}`")))?;
                grafana.apply_dashboard(dashboard, &content.folder).await
            }
        }
    }

    async fn log_in(&self) -> Result<Grafana> {
        let name = &self.spec.container.name;
        let files = self.apply.docker.download(&self.id()?, name, crate::stack::SECRETS_PATH).await;
        let password = admin_password(&files.goal(|| "could not read Grafana's password")?).ok_or_else(|| {
            Error::new(Code::GrafanaLogin, "the secrets volume has no Grafana password")
                .hint("make a new one with `moko-mon password reset`")
        })?;
        Ok(Grafana::new(self.apply.http, &self.spec.url(), ADMIN_USER, password))
    }

    fn id(&self) -> Result<String> {
        let missing = || Error::new(Code::EngineFailed, format!("container `{}` is gone", self.spec.container.name));
        self.id.borrow().clone().ok_or_else(missing)
    }
}

/// Whether a creation failed because of the name; the engine says so only in words.
fn name_is_taken(failed: &Error) -> bool {
    failed.causes.iter().any(|cause| cause.contains("is already in use by container"))
}

/// The observed container of a component, if it was there under its own name.
fn current<'a>(apply: &'a Apply<'a>, spec: &ComponentSpec) -> Option<&'a Container> {
    let serves =
        |container: &&Container| container.component == Some(spec.component) && container.name == spec.container.name;
    apply.observed.containers.iter().find(serves)
}
