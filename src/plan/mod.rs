//! What to do, as a value that can be printed: every step with its cause.

mod jobs;
mod reconcile;
mod refuse;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::Serialize;

use crate::component::Component;

pub use reconcile::{pulls, reconcile};
pub use refuse::needed_ports;

/// Steps in order. Steps without a component and pulls come first, then one chain for each component; chains run
/// side by side. Only the removal of a duplicate network comes last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// The steps.
    pub steps: Vec<Step>,
}

/// One step and why it is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The component it serves; `None` for the project as a whole.
    pub component: Option<Component>,
    /// What is done.
    pub action: Action,
    /// To what: a container, file, image, network or dashboard.
    pub subject: String,
    /// Why.
    pub cause: String,
}

/// What a step does: one call to the engine or to a server, or one wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Removes a duplicate of the project's network.
    RemoveNetwork {
        /// Its id.
        id: String,
    },
    /// Creates the project's network.
    CreateNetwork,
    /// Fetches the image that is the subject.
    Pull,
    /// Stops and removes a container; its volumes stay.
    Remove {
        /// Its id.
        id: String,
    },
    /// Creates the component's container.
    Create,
    /// Makes a secret, unless the volume has it already.
    Generate {
        /// Absolute path in the container.
        path: String,
    },
    /// Delivers a file.
    Write {
        /// Absolute path in the container.
        path: String,
    },
    /// Empties a file that is no longer wanted.
    Clear {
        /// Absolute path in the container.
        path: String,
    },
    /// Unfreezes the container.
    Unpause,
    /// Starts the container.
    Start,
    /// Stops and starts the container: a changed secret is read at a start and not at a reload.
    Restart,
    /// Makes the server read its files again and has it prove that it did.
    Reload,
    /// Waits until the server answers that it is ready.
    Wait,
    /// Brings Grafana's content up to date.
    Import(Import),
    /// Tells the Pushgateway of the job of that name.
    Declare(String),
    /// Removes from the Pushgateway what it was told of the job of that name.
    Withdraw(String),
    /// Part of `up --demo` or `demo stop`, with this verb; such a step is in no plan of the stack.
    Demo(&'static str),
}

/// What is imported into Grafana.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Import {
    /// The data source.
    DataSource,
    /// The folder.
    Folder,
    /// The dashboard of that uid.
    Dashboard(String),
}

impl Action {
    /// The verb in output.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::RemoveNetwork { .. } | Self::Remove { .. } => "remove",
            Self::CreateNetwork | Self::Create => "create",
            Self::Pull => "pull",
            Self::Generate { .. } => "generate",
            Self::Write { .. } => "write",
            Self::Clear { .. } => "clear",
            Self::Unpause => "unpause",
            Self::Start => "start",
            Self::Restart => "restart",
            Self::Reload => "reload",
            Self::Wait => "wait",
            Self::Import(_) => "import",
            Self::Declare(_) => "declare",
            Self::Withdraw(_) => "withdraw",
            Self::Demo(verb) => verb,
        }
    }

    /// The job that it declares.
    #[must_use]
    pub const fn declares(&self) -> Option<&String> {
        match self {
            Self::Declare(job) => Some(job),
            _ => None,
        }
    }
}

impl Plan {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The images to be fetched.
    pub fn pulls(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.action == Action::Pull)
    }

    /// The steps about the project as a whole.
    pub fn shared(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.component.is_none())
    }

    /// The steps of one component, without its pull.
    pub fn chain(&self, component: Component) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(move |step| step.component == Some(component) && step.action != Action::Pull)
    }
}

impl fmt::Display for Step {
    /// `prometheus    write     /etc/prometheus/prometheus.yml              content changed`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = self.component.map_or("project", Component::name);
        write!(f, "{of:<13} {:<9} {:<44} {}", self.action.verb(), self.subject, self.cause)
    }
}

impl fmt::Display for Plan {
    /// One line for each step, without a final line break.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.steps.iter().enumerate() {
            write!(f, "{}{step}", if index == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl Serialize for Step {
    /// The shape of `up --dry-run --output json`: component, action, subject, cause.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut step = serializer.serialize_struct("Step", 4)?;
        step.serialize_field("component", &self.component)?;
        step.serialize_field("action", self.action.verb())?;
        step.serialize_field("subject", &self.subject)?;
        step.serialize_field("cause", &self.cause)?;
        step.end()
    }
}
