//! How a container lives: what the engine knows of it beyond its place in the list.

use bollard::models::ContainerInspectResponse;
use jiff::Timestamp;

use super::Docker;
use super::error::clean;
use crate::error::Result;

/// What the engine says of the life of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Life {
    /// `running`, `paused`, `restarting`, `exited`, `created` or `dead`.
    pub status: String,
    /// How often the engine has started it again since somebody last did.
    pub restarts: i64,
    /// When it was last started.
    pub started: Option<Timestamp>,
    /// When it last ended.
    pub finished: Option<Timestamp>,
    /// The code of its last end; 0 while it runs.
    pub exit_code: i64,
    /// Whether it was last killed for using more memory than it may.
    pub out_of_memory: bool,
    /// Why it could not be started, in the engine's words; empty when it could.
    pub error: String,
    /// What is mounted in it.
    pub mounts: Vec<Mounted>,
}

/// A volume in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mounted {
    /// The volume's name; empty where a folder of the host is mounted.
    pub volume: String,
    /// The path in the container.
    pub path: String,
}

/// What an engine says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// Its clock; `None` from engines that do not say.
    pub time: Option<Timestamp>,
    /// The name of the machine it runs on.
    pub host: String,
    /// The folder on that machine in which it keeps volumes.
    pub root: String,
}

impl Docker {
    /// How a container lives, or `None` when it is gone.
    pub async fn life(&self, id: &str) -> Result<Option<Life>> {
        Ok(self.inspect(id).await?.map(life))
    }

    /// What the engine says of itself.
    pub async fn about(&self) -> Result<About> {
        let info = self.read("could not ask the engine about itself", self.inner.info()).await?;
        Ok(About {
            time: info.system_time.as_deref().and_then(|time| time.parse().ok()),
            host: info.name.unwrap_or_default(),
            root: info.docker_root_dir.unwrap_or_default(),
        })
    }
}

fn life(inspected: ContainerInspectResponse) -> Life {
    let state = inspected.state.unwrap_or_default();
    let mounts = inspected.mounts.unwrap_or_default().into_iter();
    Life {
        status: state.status.map(|status| status.to_string()).unwrap_or_default(),
        restarts: inspected.restart_count.unwrap_or_default(),
        started: state.started_at.as_deref().and_then(date),
        finished: state.finished_at.as_deref().and_then(date),
        exit_code: state.exit_code.unwrap_or_default(),
        out_of_memory: state.oom_killed.unwrap_or_default(),
        error: clean(&state.error.unwrap_or_default()),
        mounts: mounts
            .map(|mount| Mounted {
                volume: mount.name.unwrap_or_default(),
                path: mount.destination.unwrap_or_default(),
            })
            .collect(),
    }
}

/// A date of the engine; the year 1 stands for never.
fn date(text: &str) -> Option<Timestamp> {
    text.parse::<Timestamp>().ok().filter(|date| date.as_second() > 0)
}
