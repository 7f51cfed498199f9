//! How a container lives: what the engine knows of it beyond its place in the list.

use bollard::models::ContainerInspectResponse;
use bollard::query_parameters::StatsOptionsBuilder;
use futures_util::StreamExt as _;
use jiff::Timestamp;

use super::error::{Failure, classify, clean, explain, timed_out};
use super::{Docker, limit, within};
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

/// How much memory a container uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Bytes in use, without what the kernel gives back at once when it is needed.
    pub used: u64,
    /// Bytes that it may use.
    pub limit: u64,
}

impl Docker {
    /// How a container lives, or `None` when it is gone.
    pub async fn life(&self, id: &str) -> Result<Option<Life>> {
        Ok(self.inspect(id).await?.map(life))
    }

    /// How much memory a container uses; `None` when it does not run, or the engine cannot tell.
    pub async fn memory(&self, id: &str) -> Result<Option<Memory>> {
        let goal = "could not read how much memory a container uses";
        let options = StatsOptionsBuilder::default().stream(false).one_shot(true).build();
        let mut stream = Box::pin(self.inner.stats(id, Some(options)));
        let stats = match within(limit::READ, stream.next()).await {
            Some(Some(Ok(stats))) => stats,
            Some(Some(Err(failed))) if classify(&failed) == Failure::NotFound => return Ok(None),
            Some(Some(Err(failed))) => return Err(explain(goal, &failed)),
            Some(None) => return Ok(None),
            None => return Err(timed_out(goal, limit::READ)),
        };
        let memory = stats.memory_stats.unwrap_or_default();
        let (Some(usage), Some(limit)) = (memory.usage, memory.limit) else { return Ok(None) };
        // File pages that nobody has used lately; named differently by the two versions of control groups.
        let detail = memory.stats.unwrap_or_default();
        let idle = detail.get("inactive_file").or_else(|| detail.get("total_inactive_file")).copied();
        Ok(Some(Memory { used: usage.saturating_sub(idle.unwrap_or_default()), limit }))
    }

    /// The engine's own clock; `None` from engines that do not say.
    pub async fn clock(&self) -> Result<Option<Timestamp>> {
        let info = self.read("could not ask the engine for its time", self.inner.info()).await?;
        Ok(info.system_time.as_deref().and_then(|time| time.parse().ok()))
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
