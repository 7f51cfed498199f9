//! The engine: one method for each call we make, each with a limit and an error that says its goal.

pub mod archive;
mod connect;
pub mod endpoint;
pub mod error;
pub mod labels;
mod life;
pub mod observe;
pub mod one_shot;
pub mod pull;
pub mod translate;
mod untouched;

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use bollard::container::LogOutput;
use bollard::models::{
    ContainerCreateBody, ContainerInspectResponse, ContainerSummary, NetworkCreateRequest, VolumeListResponse,
};
use bollard::query_parameters as query;
use futures_util::{Stream, StreamExt};

use self::error::{Failure, classify, explain, timed_out};
use crate::error::{Code, Error, Result};
use crate::observed::FileState;

pub use connect::Engine;
pub use life::{About, Life, Mounted};

/// Limits of calls, in seconds. The client library's own limit does not cover the bodies of streams.
mod limit {
    pub(super) const READ: u64 = 15;
    pub(super) const WRITE: u64 = 60;
}

/// A connection to an engine.
#[derive(Clone)]
pub struct Docker {
    inner: bollard::Docker,
    /// Which engine this is.
    pub engine: Engine,
}

impl Docker {
    /// All containers, running or not, of any project.
    pub async fn containers(&self) -> Result<Vec<ContainerSummary>> {
        let options = query::ListContainersOptionsBuilder::default().all(true).build();
        self.read("could not list the containers", self.inner.list_containers(Some(options))).await
    }

    /// Networks whose name contains `name`.
    pub async fn networks(&self, name: &str) -> Result<Vec<bollard::models::Network>> {
        let filters = std::collections::HashMap::from([("name", vec![name])]);
        let options = query::ListNetworksOptionsBuilder::default().filters(&filters).build();
        self.read("could not list the networks", self.inner.list_networks(Some(options))).await
    }

    /// Volumes whose name contains `name`.
    pub async fn volumes(&self, name: &str) -> Result<VolumeListResponse> {
        let filters = std::collections::HashMap::from([("name", vec![name])]);
        let options = query::ListVolumesOptionsBuilder::default().filters(&filters).build();
        self.read("could not list the volumes", self.inner.list_volumes(Some(options))).await
    }

    /// The id of a local image, or `None`.
    pub async fn image_id(&self, reference: &str) -> Result<Option<String>> {
        let goal = format!("could not look up image `{reference}`");
        let found = self.optional(goal, limit::READ, self.inner.inspect_image(reference)).await?;
        Ok(found.and_then(|image| image.id))
    }

    /// The whole state of a container, or `None` when it is gone.
    pub async fn inspect(&self, id: &str) -> Result<Option<ContainerInspectResponse>> {
        let goal = format!("could not inspect container `{id}`");
        self.optional(goal, limit::READ, self.inner.inspect_container(id, None)).await
    }

    /// Creates the project's network and returns its id.
    pub async fn create_network(&self, project: &str) -> Result<String> {
        let body = NetworkCreateRequest {
            name: project.to_owned(),
            driver: Some("bridge".to_owned()),
            labels: Some(labels::network(project)),
            ..NetworkCreateRequest::default()
        };
        let goal = format!("could not create network `{project}`");
        Ok(self.write(goal, self.inner.create_network(body)).await?.id)
    }

    /// Removes a network; one that is gone is fine.
    pub async fn remove_network(&self, id: &str, name: &str) -> Result<()> {
        let goal = format!("could not remove network `{name}`");
        self.optional(goal, limit::WRITE, self.inner.remove_network(id)).await.map(drop)
    }

    /// Creates a container and returns its id.
    pub async fn create_container(&self, name: Option<&str>, body: ContainerCreateBody) -> Result<String> {
        let goal = match name {
            Some(name) => format!("could not create container `{name}`"),
            None => "could not create a container".to_owned(),
        };
        let options = name.map(|name| query::CreateContainerOptionsBuilder::default().name(name).build());
        Ok(self.write(goal, self.inner.create_container(options, body)).await?.id)
    }

    /// Starts a container.
    pub async fn start(&self, id: &str, name: &str) -> Result<()> {
        let goal = format!("could not start container `{name}`");
        self.write(goal, self.inner.start_container(id, None)).await
    }

    /// Unfreezes a container.
    pub async fn unpause(&self, id: &str, name: &str) -> Result<()> {
        let goal = format!("could not unpause container `{name}`");
        self.write(goal, self.inner.unpause_container(id)).await
    }

    /// Stops a container with SIGTERM, gives it its own stop time, then kills it. One that is gone is fine.
    pub async fn stop(&self, id: &str, name: &str, stop_timeout: i64) -> Result<()> {
        let goal = format!("could not stop container `{name}`");
        let seconds = u64::try_from(stop_timeout).unwrap_or_default() + limit::WRITE;
        let grace = i32::try_from(stop_timeout).unwrap_or(i32::MAX);
        let options = query::StopContainerOptionsBuilder::default().t(grace).build();
        self.optional(goal, seconds, self.inner.stop_container(id, Some(options))).await.map(drop)
    }

    /// Removes a container with its anonymous volumes, killing it if it runs. One that is gone is fine.
    pub async fn remove_container(&self, id: &str, name: &str) -> Result<()> {
        let goal = format!("could not remove container `{name}`");
        let options = query::RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        let removed = self.optional(goal, limit::WRITE, self.inner.remove_container(id, Some(options))).await;
        match removed {
            // 409 "removal … is already in progress": somebody else is doing it, which is what we want.
            Err(failed) if failed.causes.iter().any(|cause| cause.contains("already in progress")) => Ok(()),
            other => other.map(drop),
        }
    }

    /// Removes a volume. One that is gone is fine.
    pub async fn remove_volume(&self, name: &str) -> Result<()> {
        let goal = format!("could not remove volume `{name}`");
        self.optional(goal, limit::WRITE, self.inner.remove_volume(name, None::<query::RemoveVolumeOptions>))
            .await
            .map(drop)
    }

    /// Removes an image. One that is gone is fine.
    pub async fn remove_image(&self, reference: &str) -> Result<()> {
        let goal = format!("could not remove image `{reference}`");
        self.optional(goal, limit::WRITE, self.inner.remove_image(reference, None::<query::RemoveImageOptions>, None))
            .await
            .map(drop)
    }

    /// Sends a signal to a container's main process.
    pub async fn signal(&self, id: &str, name: &str, signal: &str) -> Result<()> {
        let goal = format!("could not send {signal} to container `{name}`");
        let options = query::KillContainerOptionsBuilder::default().signal(signal).build();
        self.write(goal, self.inner.kill_container(id, Some(options))).await
    }

    /// Unpacks a tar archive in a folder of a container, which need not run.
    pub async fn upload(&self, id: &str, name: &str, folder: &str, archive: Vec<u8>) -> Result<()> {
        let goal = format!("could not write to `{folder}` of container `{name}`");
        let options = query::UploadToContainerOptionsBuilder::default().path(folder).build();
        let body = bollard::body_full(archive.into());
        self.write(goal, self.inner.upload_to_container(id, Some(options), body)).await
    }

    /// The files in a folder of a container, by absolute path; none when the folder is missing.
    pub async fn download(&self, id: &str, name: &str, folder: &str) -> Result<BTreeMap<String, FileState>> {
        let options = query::DownloadFromContainerOptionsBuilder::default().path(folder).build();
        let mut stream = self.inner.download_from_container(id, Some(options));
        let goal = || format!("could not read `{folder}` of container `{name}`");
        let mut bytes = Vec::new();
        while let Some(chunk) =
            within(limit::READ, stream.next()).await.ok_or_else(|| timed_out(goal(), limit::READ))?
        {
            match chunk {
                Ok(chunk) if bytes.len() + chunk.len() > LARGEST_FOLDER => {
                    return Err(Error::new(Code::EngineFailed, goal())
                        .cause(format!("it holds more than {} MiB", LARGEST_FOLDER >> 20))
                        .hint(
                            "something else writes there; look with `docker exec` and remove what is not moko-mon's",
                        ));
                }
                Ok(chunk) => bytes.extend_from_slice(&chunk),
                Err(failed) if classify(&failed) == Failure::NotFound => return Ok(BTreeMap::new()),
                Err(failed) => return Err(explain(goal(), &failed)),
            }
        }
        archive::unpack(&bytes, folder)
    }

    /// A container's log lines; without `follow` the stream ends.
    pub fn logs(
        &self,
        id: &str,
        options: query::LogsOptions,
    ) -> impl Stream<Item = std::result::Result<LogOutput, bollard::errors::Error>> + use<> {
        self.inner.logs(id, Some(options))
    }

    /// Waits until a container has exited and returns its exit code.
    pub async fn wait(&self, id: &str, limit: Duration) -> Result<i64> {
        let mut stream = self.inner.wait_container(id, None);
        match tokio::time::timeout(limit, stream.next()).await {
            Ok(Some(Ok(answer))) => Ok(answer.status_code),
            // The library turns a non-zero exit code into an error.
            Ok(Some(Err(bollard::errors::Error::DockerContainerWaitError { code, .. }))) => Ok(code),
            Ok(Some(Err(failed))) => Err(explain("could not wait for a container", &failed)),
            Ok(None) => Err(Error::new(Code::EngineFailed, "could not wait for a container")),
            Err(_) => Err(timed_out("could not wait for a container", limit.as_secs())),
        }
    }

    /// Runs a command in a running container, feeds it `input`, and returns its exit code and output.
    pub async fn exec(&self, id: &str, command: Vec<String>, input: &str) -> Result<(i64, String)> {
        use tokio::io::AsyncWriteExt as _;
        let goal = "could not run a command in the container";
        let options = bollard::exec::CreateExecOptions {
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            cmd: Some(command),
            ..bollard::exec::CreateExecOptions::default()
        };
        let exec = self.write(goal, self.inner.create_exec(id, options)).await?.id;
        let started = self.write(goal, self.inner.start_exec(&exec, None)).await?;
        let mut text = String::new();
        if let bollard::exec::StartExecResults::Attached { mut output, input: mut stdin } = started {
            let failed = |error: std::io::Error| Error::new(Code::EngineFailed, goal).cause(error.to_string());
            stdin.write_all(input.as_bytes()).await.map_err(failed)?;
            stdin.shutdown().await.map_err(failed)?;
            loop {
                match within(limit::WRITE, output.next()).await {
                    Some(Some(Ok(chunk))) => text.push_str(&chunk.to_string()),
                    Some(Some(Err(failed))) => return Err(explain(goal, &failed)),
                    Some(None) => break,
                    None => return Err(timed_out(goal, limit::WRITE)),
                }
            }
        }
        let inspected = self.read(goal, self.inner.inspect_exec(&exec)).await?;
        Ok((inspected.exit_code.unwrap_or(-1), text))
    }

    async fn read<T>(&self, goal: &str, call: impl Future<Output = Answer<T>>) -> Result<T> {
        self.limited(goal.to_owned(), limit::READ, call).await
    }

    async fn write<T>(&self, goal: impl Into<String>, call: impl Future<Output = Answer<T>>) -> Result<T> {
        self.limited(goal.into(), limit::WRITE, call).await
    }

    async fn limited<T>(&self, goal: String, seconds: u64, call: impl Future<Output = Answer<T>>) -> Result<T> {
        match within(seconds, call).await {
            Some(Ok(value)) => Ok(value),
            Some(Err(failed)) => Err(explain(goal, &failed)),
            None => Err(timed_out(goal, seconds)),
        }
    }

    /// Like [`Self::limited`], where "there is no such object" is an answer and not a failure.
    async fn optional<T>(
        &self,
        goal: String,
        seconds: u64,
        call: impl Future<Output = Answer<T>>,
    ) -> Result<Option<T>> {
        match within(seconds, call).await {
            Some(Ok(value)) => Ok(Some(value)),
            Some(Err(failed)) if classify(&failed) == Failure::NotFound => Ok(None),
            Some(Err(failed)) => Err(explain(goal, &failed)),
            None => Err(timed_out(goal, seconds)),
        }
    }
}

/// More than this is not in a folder that only we write to.
const LARGEST_FOLDER: usize = 256 << 20;

type Answer<T> = std::result::Result<T, bollard::errors::Error>;

/// The value of a future, or `None` when it takes longer than `seconds`.
async fn within<T>(seconds: u64, future: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(Duration::from_secs(seconds), future).await.ok()
}
