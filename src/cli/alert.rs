//! What `alert` takes.

use clap::{Args, Subcommand};

use super::{Servers, some_time};
use crate::config::PromDuration;

/// What to do with alerts and those who are told of them.
#[derive(Debug, Subcommand)]
pub enum Alert {
    /// Send a marked test message through the integrations of receivers, and say what became of it
    Test(AlertTest),
    /// Make any alert fire, through the real routes
    Send(AlertSend),
    /// Show the alerts that Alertmanager holds, and whether people are told of them
    List(AlertList),
    /// Say from the settings alone which receivers would be told of an alert, and why
    Routes(AlertRoutes),
    /// Keep alerts quiet for some time
    #[command(subcommand)]
    Silence(Silence),
}

/// What to do with silences.
#[derive(Debug, Subcommand)]
pub enum Silence {
    /// Keep the alerts quiet that fit all matchers
    Add(SilenceAdd),
    /// Show the silences
    List(SilenceList),
    /// End silences
    Expire(SilenceExpire),
}

/// The Alertmanager to ask.
#[derive(Debug, Clone, Args)]
pub struct Asked {
    /// Servers that moko-mon did not make
    #[command(flatten)]
    pub servers: Servers,
}

/// Flags of `alert test`.
#[derive(Debug, Args)]
pub struct AlertTest {
    /// Only these receivers
    #[arg(value_name = "RECEIVER")]
    pub receivers: Vec<String>,
    /// Every receiver that has an integration and a test route, as without names
    #[arg(long, conflicts_with = "receivers")]
    pub all: bool,
    /// How long to wait for the outcomes; Alertmanager itself gives up after about 10 s
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = some_time)]
    pub timeout: PromDuration,
    /// Whom to ask
    #[command(flatten)]
    pub asked: Asked,
}

/// Flags of `alert send`.
#[derive(Debug, Args)]
pub struct AlertSend {
    /// The labels, `alertname` among them
    #[arg(required = true, value_name = "LABEL=VALUE")]
    pub labels: Vec<String>,
    /// A text of the alert, such as `summary=…`
    #[arg(long, value_name = "NAME=VALUE")]
    pub annotation: Vec<String>,
    /// How long it fires
    #[arg(long = "for", value_name = "DURATION", default_value = "5m", value_parser = some_time)]
    pub duration: PromDuration,
    /// End the alert with these labels
    #[arg(long, conflicts_with = "duration")]
    pub resolve: bool,
    /// Whom to ask
    #[command(flatten)]
    pub asked: Asked,
}

/// Flags of `alert list`.
#[derive(Debug, Args)]
pub struct AlertList {
    /// Also those that are moko-mon's own: the dead man's switch, canaries and tests
    #[arg(long)]
    pub all: bool,
    /// Whom to ask
    #[command(flatten)]
    pub asked: Asked,
}

/// Flags of `alert routes`.
#[derive(Debug, Args)]
pub struct AlertRoutes {
    /// The labels of the alert; of an alert that a rule of the settings has, the labels of the rule are filled in
    #[arg(required = true, value_name = "LABEL=VALUE")]
    pub labels: Vec<String>,
}

/// Flags of `alert silence add`.
#[derive(Debug, Args)]
pub struct SilenceAdd {
    /// What an alert has to have: `label=value`, `label!=value`, `label=~regex`, `label!~regex`
    #[arg(required = true, value_name = "MATCHER")]
    pub matchers: Vec<String>,
    /// For how long
    #[arg(long = "for", value_name = "DURATION", value_parser = some_time)]
    pub duration: PromDuration,
    /// Why, for those who wonder
    #[arg(long, value_name = "TEXT")]
    pub comment: String,
    /// Who wants it; left out, it is user and host
    #[arg(long, value_name = "NAME")]
    pub author: Option<String>,
    /// Whom to ask
    #[command(flatten)]
    pub asked: Asked,
}

/// Flags of `alert silence list`.
#[derive(Debug, Args)]
pub struct SilenceList {
    /// Also those that have ended
    #[arg(long)]
    pub expired: bool,
    /// Whom to ask
    #[command(flatten)]
    pub asked: Asked,
}

/// Flags of `alert silence expire`.
#[derive(Debug, Args)]
pub struct SilenceExpire {
    /// The silences; the beginning of an id is enough
    #[arg(value_name = "ID", required_unless_present = "all")]
    pub ids: Vec<String>,
    /// All that have not ended
    #[arg(long, conflicts_with = "ids")]
    pub all: bool,
    /// Whom to ask
    #[command(flatten)]
    pub asked: Asked,
}

impl Alert {
    /// The name in the JSON envelope.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Test(_) => "alert test",
            Self::Send(_) => "alert send",
            Self::List(_) => "alert list",
            Self::Routes(_) => "alert routes",
            Self::Silence(Silence::Add(_)) => "alert silence add",
            Self::Silence(Silence::List(_)) => "alert silence list",
            Self::Silence(Silence::Expire(_)) => "alert silence expire",
        }
    }
}
