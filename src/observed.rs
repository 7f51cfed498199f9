//! What is there: one snapshot of the engine and the servers, taken before anything is decided.

use std::collections::BTreeMap;

use crate::component::Component;
use crate::error::Error;
use crate::http::grafana as grafana_api;
use crate::http::pushgateway::Group;
use crate::stack::ContainerSpec;

/// One snapshot; [`crate::plan::reconcile`] decides on nothing else.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// Networks of our name, ours and foreign ones.
    pub networks: Vec<Network>,
    /// Our containers, by component. More than one is a leftover of a crash.
    pub containers: Vec<Container>,
    /// Names of containers that are not ours but have a name that we need.
    pub foreign_containers: Vec<String>,
    /// Volumes with a name that we need: whether they are ours.
    pub volumes: BTreeMap<String, bool>,
    /// The local image id of each image reference that the stack needs; `None` when it is not local.
    pub images: BTreeMap<String, Option<String>>,
    /// Who holds a host port that one of our containers is going to need.
    pub held_ports: BTreeMap<u16, String>,
    /// The groups that the Pushgateway holds; `None` where it does not answer yet, or nobody had to ask.
    pub groups: Option<Vec<Group>>,
    /// What Grafana contains, where it runs and answers; or why it cannot be asked.
    pub grafana: Option<Result<grafana_api::State, Error>>,
}

/// A network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Its id: names are not unique before Engine 25.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether it carries our project's label.
    pub ours: bool,
}

/// One of our containers.
#[derive(Debug, Clone)]
pub struct Container {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The component it serves; `None` for a leftover of a check or of an unknown version.
    pub component: Option<Component>,
    /// Whether it is the feed of the demo data.
    pub demo: bool,
    /// The spec it was created from, if its label could be read.
    pub spec: Option<ContainerSpec>,
    /// The id of the image it runs.
    pub image_id: String,
    /// The image reference it was created from, or an id when the name has moved on.
    pub image: String,
    /// The id of the network it was created on.
    pub network: String,
    /// Whether it is attached to that network now; only a running container is.
    pub attached: bool,
    /// What the engine says of it.
    pub state: State,
    /// The files in its config and secrets volumes, by absolute path.
    pub files: BTreeMap<String, FileState>,
    /// Whether its ready path answered 200 just now.
    pub ready: bool,
    /// Published ports, `address:port`.
    pub ports: Vec<String>,
}

/// What the engine says of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Created, never started.
    Created,
    /// Running.
    Running,
    /// Frozen.
    Paused,
    /// In a crash loop, between two starts.
    Restarting,
    /// Stopped.
    Exited,
    /// Half removed.
    Dead,
}

impl State {
    /// The word in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Exited => "exited",
            Self::Dead => "dead",
        }
    }
}

/// A delivered file as it is in the volume.
#[derive(Clone, PartialEq, Eq)]
pub struct FileState {
    /// SHA-256 of the content, hex.
    pub digest: String,
    /// Owner, group and mode.
    pub owner: (u64, u64, u32),
    /// The bytes.
    pub content: Vec<u8>,
}

impl std::fmt::Debug for FileState {
    /// Never shows the content: it may be a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes, {:?}", self.content.len(), self.owner)
    }
}
