//! A container that runs one command to its end and is removed.

use std::time::Duration;

use bollard::models::ContainerCreateBody;

use super::Docker;
use crate::error::Result;

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

    /// Starts it, waits for its end, and returns its exit code and the last lines of its log.
    pub async fn run(&self, limit: Duration) -> Result<(i64, Vec<String>)> {
        self.docker.start(&self.id, &self.id[..12]).await?;
        let code = self.docker.wait(&self.id, limit).await?;
        Ok((code, self.docker.last_lines(&self.id, 40).await))
    }

    /// Removes it.
    pub async fn remove(self) -> Result<()> {
        self.docker.remove_container(&self.id, &self.id[..12]).await
    }
}
