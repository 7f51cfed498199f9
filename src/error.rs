//! What can go wrong, as a value: the goal, the facts beneath it, and the next step.
//!
//! A message never repeats its cause: the outer line says the goal (`could not start Grafana`), each cause one
//! fact, the hint what to type next. The renderer prints the chain once, at the very end of the program.

use std::fmt;

/// A result whose error is ready to be shown to a user.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The kind of a failure: decides the exit status and is `error.code` in JSON output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The command line is wrong.
    Usage,
    /// A setting or one of the user's files is wrong; nothing was changed.
    ConfigInvalid,
    /// A question had to be answered and there is no terminal to ask on.
    ConfirmationRequired,
    /// No engine answers at the address tried.
    EngineUnreachable,
    /// The engine is older than the oldest API we speak.
    EngineTooOld,
    /// The engine refused or lost a call.
    EngineFailed,
    /// Another moko-mon works on this project.
    Locked,
    /// An object with our name exists that is not ours.
    ForeignObject,
    /// A host port is held by somebody else.
    PortTaken,
    /// An image is neither local nor to be had.
    ImageUnavailable,
    /// A container exited instead of serving.
    ContainerExited,
    /// A server did not become ready in time, or a status check found one that is not.
    NotReady,
    /// A server does not run the configuration it was given.
    ReloadFailed,
    /// Grafana does not accept our login.
    GrafanaLogin,
    /// Grafana refused a request.
    GrafanaRefused,
    /// A check of `verify` failed.
    VerifyFailed,
    /// Tests of rules failed.
    TestsFailed,
    /// A link of the chain that `why` follows is broken.
    ChainBroken,
    /// Two things that were compared are not equal.
    Differs,
    /// What was asked for does not exist in this project.
    NotFound,
    /// An alert that was to be simulated is pending or firing already.
    AlreadyFiring,
    /// A simulated alert did not come as far as a notification.
    NotFired,
    /// A test message did not arrive at every receiver.
    NotDelivered,
    /// An alert would reach no receiver that tells anybody.
    NobodyTold,
    /// A local file could not be read or written.
    Io,
    /// A first Ctrl-C (SIGINT) ended the command.
    Interrupted,
    /// SIGTERM ended the command.
    Terminated,
}

impl Code {
    /// The stable name in JSON output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::ConfigInvalid => "config_invalid",
            Self::ConfirmationRequired => "confirmation_required",
            Self::EngineUnreachable => "engine_unreachable",
            Self::EngineTooOld => "engine_too_old",
            Self::EngineFailed => "engine_failed",
            Self::Locked => "locked",
            Self::ForeignObject => "foreign_object",
            Self::PortTaken => "port_taken",
            Self::ImageUnavailable => "image_unavailable",
            Self::ContainerExited => "container_exited",
            Self::NotReady => "not_ready",
            Self::ReloadFailed => "reload_failed",
            Self::GrafanaLogin => "grafana_login",
            Self::GrafanaRefused => "grafana_refused",
            Self::VerifyFailed => "verify_failed",
            Self::ChainBroken => "chain_broken",
            Self::TestsFailed => "tests_failed",
            Self::Differs => "differs",
            Self::NotFound => "not_found",
            Self::AlreadyFiring => "already_firing",
            Self::NotFired => "not_fired",
            Self::NotDelivered => "not_delivered",
            Self::NobodyTold => "nobody_told",
            Self::Io => "io",
            Self::Interrupted => "interrupted",
            Self::Terminated => "terminated",
        }
    }

    /// The process exit status that goes with it.
    #[must_use]
    pub const fn exit_status(self) -> ExitStatus {
        match self {
            Self::Usage | Self::ConfigInvalid | Self::ConfirmationRequired => ExitStatus::Usage,
            Self::EngineUnreachable | Self::EngineTooOld => ExitStatus::NoEngine,
            Self::Locked => ExitStatus::Locked,
            Self::Interrupted => ExitStatus::Interrupted,
            Self::Terminated => ExitStatus::Terminated,
            Self::EngineFailed
            | Self::ForeignObject
            | Self::PortTaken
            | Self::ImageUnavailable
            | Self::ContainerExited
            | Self::NotReady
            | Self::ReloadFailed
            | Self::GrafanaLogin
            | Self::GrafanaRefused
            | Self::VerifyFailed
            | Self::ChainBroken
            | Self::TestsFailed
            | Self::Differs
            | Self::NotFound
            | Self::AlreadyFiring
            | Self::NotFired
            | Self::NotDelivered
            | Self::NobodyTold
            | Self::Io => ExitStatus::Failed,
        }
    }
}

/// How the process ends; the numbers are part of the command-line contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// The work is done and checked.
    Success = 0,
    /// The work or a check failed.
    Failed = 1,
    /// Wrong usage or configuration.
    Usage = 2,
    /// No usable Docker engine.
    NoEngine = 3,
    /// Another moko-mon holds the project.
    Locked = 4,
    /// Interrupted by SIGINT.
    Interrupted = 130,
    /// Ended by SIGTERM.
    Terminated = 143,
}

impl From<ExitStatus> for std::process::ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status as u8)
    }
}

/// A failure ready to be shown: goal, facts, next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Decides exit status and `error.code`.
    pub code: Code,
    /// The goal that was missed, lower case, no full stop.
    pub message: String,
    /// The facts, outermost first.
    pub causes: Vec<String>,
    /// What to do next.
    pub hint: Option<String>,
}

impl Error {
    /// An error with a message and nothing else yet.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), causes: Vec::new(), hint: None }
    }

    /// Adds a fact beneath those already there.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// Sets the next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The message and what caused it on one line, for a warning; the next step is left out.
    #[must_use]
    pub fn in_one_line(&self) -> String {
        let parts = std::iter::once(&self.message).chain(&self.causes);
        parts.map(|part| part.replace('\n', " ")).collect::<Vec<_>>().join(": ")
    }

    /// Puts a goal above the present message, which becomes the first cause.
    #[must_use]
    pub fn goal(mut self, goal: impl Into<String>) -> Self {
        self.causes.insert(0, std::mem::replace(&mut self.message, goal.into()));
        self
    }
}

impl fmt::Display for Error {
    /// Writes the whole chain as a user sees it, without a final line break.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        for cause in &self.causes {
            let mut lines = cause.lines();
            write!(f, "\n  caused by: {}", lines.next().unwrap_or_default())?;
            for line in lines {
                write!(f, "\n    {line}")?;
            }
        }
        if let Some(hint) = &self.hint {
            for (index, line) in hint.lines().enumerate() {
                write!(f, "\n{}{line}", if index == 0 { "hint: " } else { "      " })?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// Puts a goal above the error of a result.
pub trait Goal<T> {
    /// On failure, makes `goal` the message and what was the message its first cause.
    fn goal<S: Into<String>>(self, goal: impl FnOnce() -> S) -> Result<T>;
}

impl<T> Goal<T> for Result<T> {
    fn goal<S: Into<String>>(self, goal: impl FnOnce() -> S) -> Self {
        self.map_err(|error| error.goal(goal()))
    }
}

/// The facts of any error chain in one line, outermost first, no sentence twice.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let line = inner.to_string();
        if !text.contains(&line) {
            text = format!("{text}: {line}");
        }
        source = inner.source();
    }
    text
}

/// The last link of an error chain, for errors whose outer links say no more than that there is one.
#[must_use]
pub fn innermost(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_says_goal_fact_and_next_step() {
        let error = Error::new(Code::PortTaken, "host port 3000 is held by container `legacy-grafana`")
            .goal("could not start Grafana")
            .hint("stop it with `docker stop legacy-grafana`, or set `grafana.port` in moko-mon.yaml");
        assert_eq!(
            error.to_string(),
            "error: could not start Grafana\n  \
             caused by: host port 3000 is held by container `legacy-grafana`\n\
             hint: stop it with `docker stop legacy-grafana`, or set `grafana.port` in moko-mon.yaml"
        );
    }
}
