//! The short form of the routes: who is told of what, and when not.

use std::collections::BTreeMap;

use crate::config::{PromDuration, UserFile};

/// Who is told of what.
#[derive(Debug, Clone, PartialEq)]
pub struct Notify {
    /// Who is told of what nobody below is told of.
    pub everyone: Audience,
    /// Who is told instead of alerts about a script, by its name.
    pub jobs: BTreeMap<String, Audience>,
    /// Who is told instead of alerts with a label `owner`.
    pub owners: BTreeMap<String, Audience>,
    /// Who is told instead of alerts with a label `component`.
    pub components: BTreeMap<String, Audience>,
    /// Who is told instead of alerts with a label `team`.
    pub teams: BTreeMap<String, Audience>,
    /// When nobody is told of which severities.
    pub quiet_hours: Vec<QuietHours>,
    /// The labels by which alerts are told together.
    pub group_by: Vec<String>,
    /// How long the first alert of a group waits for others.
    pub group_wait: PromDuration,
    /// How long a group that was told of waits for others.
    pub group_interval: PromDuration,
    /// After how long it is told of again; a multiple of `group_interval`.
    pub repeat_interval: PromDuration,
}

impl Notify {
    /// The narrower audiences, each with the label that it is for, narrowest first.
    pub fn special(&self) -> impl Iterator<Item = (&'static str, &str, &Audience)> {
        [("script_name", &self.jobs), ("owner", &self.owners), ("component", &self.components), ("team", &self.teams)]
            .into_iter()
            .flat_map(|(label, audiences)| {
                audiences.iter().map(move |(value, audience)| (label, value.as_str(), audience))
            })
    }
}

/// A route that the user wrote in Alertmanager's own notation.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnRoute {
    /// The route.
    pub content: serde_json::Value,
    /// Where it is written: file, line and column.
    pub place: String,
}

/// The receivers for each severity; `None`: it is left to the wider audience.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audience {
    /// For `critical`.
    pub critical: Option<Vec<String>>,
    /// For `warning`.
    pub warning: Option<Vec<String>>,
    /// For `info`.
    pub info: Option<Vec<String>>,
    /// For any other severity.
    pub default: Option<Vec<String>>,
}

impl Audience {
    /// The severities that have receivers of their own, worst first.
    pub fn severities(&self) -> impl Iterator<Item = (&'static str, &Vec<String>)> {
        [("critical", &self.critical), ("warning", &self.warning), ("info", &self.info)]
            .into_iter()
            .filter_map(|(severity, receivers)| Some((severity, receivers.as_ref()?)))
    }
}

/// A time of the day in which nobody is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuietHours {
    /// The name of the time interval.
    pub name: String,
    /// When it begins, in minutes after midnight.
    pub from: u16,
    /// When it ends, in minutes after midnight; before `from`: on the next day.
    pub to: u16,
    /// The days on which it begins, in Alertmanager's words; empty: on all.
    pub days: Vec<String>,
    /// Where the clock stands.
    pub timezone: String,
    /// What nobody is told of.
    pub severities: Vec<String>,
}

/// An address, which may be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Url {
    /// Everybody may see it.
    Plain(String),
    /// It has a token in it.
    Secret(UserFile),
}

impl Url {
    /// The file for the secrets volume, if it is a secret.
    #[must_use]
    pub const fn secret(&self) -> Option<&UserFile> {
        match self {
            Self::Plain(_) => None,
            Self::Secret(file) => Some(file),
        }
    }
}

/// The dead man's switch.
#[derive(Debug, Clone, PartialEq)]
pub struct Heartbeat {
    /// Who notices when it stops.
    pub url: Url,
    /// How often it beats.
    pub every: PromDuration,
}
