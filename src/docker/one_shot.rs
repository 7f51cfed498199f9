//! A container that runs one command to its end and is removed.

use std::time::Duration;

use bollard::models::ContainerCreateBody;
use bollard::query_parameters as query;
use futures_util::StreamExt as _;

use super::archive::{Entry, pack};
use super::error::clean;
use super::translate::check_body;
use super::{Docker, limit, within};
use crate::error::Result;
use crate::stack::ContainerSpec;

/// A container that was created and not started yet. The next `up` removes it if this process does not.
pub struct OneShot<'a> {
    docker: &'a Docker,
    id: String,
}

impl<'a> OneShot<'a> {
    /// Creates it, under a name that the engine chooses.
    pub async fn create(docker: &'a Docker, body: ContainerCreateBody) -> Result<Self> {
        let id = docker.create_container(None, body).await?;
        Ok(Self { docker, id })
    }

    /// Unpacks an archive in its root.
    pub async fn upload(&self, archive: Vec<u8>) -> Result<()> {
        self.docker.upload(&self.id, &self.id[..12], "/", archive).await
    }

    /// Starts it, waits for its end, and returns its exit code and so many of its last lines, without empty ones.
    pub async fn run(&self, limit: Duration, lines: usize) -> Result<(i64, Vec<String>)> {
        self.docker.start(&self.id, &self.id[..12]).await?;
        let code = self.docker.wait(&self.id, limit).await?;
        Ok((code, self.docker.written(&self.id, lines).await))
    }

    /// Removes it.
    pub async fn remove(self) -> Result<()> {
        self.docker.remove_container(&self.id, &self.id[..12]).await
    }
}

/// A command to be run once.
pub struct Once<'a> {
    /// The project that the container is marked with.
    pub project: &'a str,
    /// Image, user and limits.
    pub spec: &'a ContainerSpec,
    /// Entrypoint and arguments.
    pub command: Vec<String>,
    /// How long it may take.
    pub limit: Duration,
    /// How many of its last lines are wanted.
    pub lines: usize,
}

impl Docker {
    /// Runs a command in a container without a network that is removed in any case; paths of files are below the root.
    /// Returns the exit code and the last lines of both streams, without empty ones.
    pub async fn run_once<'a>(
        &self,
        once: Once<'_>,
        files: impl IntoIterator<Item = Entry<'a>>,
    ) -> Result<(i64, Vec<String>)> {
        let archive = pack(files)?;
        let container = OneShot::create(self, check_body(once.project, once.spec, once.command)).await?;
        let outcome = async {
            container.upload(archive).await?;
            container.run(once.limit, once.lines).await
        };
        let outcome = outcome.await;
        // The next `up` removes it as a leftover if this fails.
        let removed = container.remove().await;
        let outcome = outcome?;
        removed.map(|()| outcome)
    }

    /// The last lines of a container's log with their indentation; empty when they cannot be had.
    async fn written(&self, id: &str, lines: usize) -> Vec<String> {
        let options = query::LogsOptionsBuilder::default().stdout(true).stderr(true).tail(&lines.to_string()).build();
        let mut stream = Box::pin(self.logs(id, options));
        let mut text = String::new();
        while let Some(Some(Ok(chunk))) = within(limit::READ, stream.next()).await {
            text.push_str(&chunk.to_string());
        }
        let indented = |line: &str| " ".repeat(line.len() - line.trim_start().len()) + &clean(line);
        text.lines().map(indented).filter(|line| !line.trim().is_empty()).collect()
    }

    /// The last lines of a container's log, for an error message; empty when they cannot be had.
    pub async fn last_lines(&self, id: &str, lines: usize) -> Vec<String> {
        self.written(id, lines).await.iter().map(|line| line.trim().to_owned()).collect()
    }
}
