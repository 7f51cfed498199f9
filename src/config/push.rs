//! The settings group `push`: where `run` and `push` keep totals, and where they publish them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::build::Builder;
use super::layers::Layers;
use super::problem::{Place, Problem, Problems};
use super::resolve::{FILE_VARIABLE, Origin, Setting, Sources, assemble, base};
use super::scalar::Scalar;
use super::schema::{Field, SETTINGS, leaves};
use super::shape::{self, Nullable};
use super::{PromDuration, names};
use crate::error::Error;
use crate::jobs::Job;
use crate::stack::Port;

/// The table of the group.
pub(crate) static PUSH: &[Field] = &[
    Field::optional(
        "url",
        Scalar::Url,
        "https://push.example.com",
        "The address of the Pushgateway; left out, it is this stack's own.",
    ),
    Field::scalar("job", Scalar::Job, "moko_scripts", "The label `job` of everything that is published."),
    Field::optional(
        "instance",
        Scalar::Text,
        "db-1.example.com",
        "The label `instance`; left out, it is the name of this host. Two ledgers must not share it.",
    ),
    Field::optional("username", Scalar::Text, "scripts", "The user name for the Pushgateway."),
    Field::optional(
        "password_file",
        Scalar::File,
        "secrets/push-password",
        "The file that holds the password, relative to this file.",
    ),
    Field::optional(
        "token_file",
        Scalar::File,
        "secrets/push-token",
        "The file that holds a bearer token, in place of user name and password.",
    ),
    Field::optional(
        "ca_file",
        Scalar::File,
        "secrets/ca.pem",
        "The file with certificates to trust besides the system's.",
    ),
    Field::scalar(
        "timeout",
        Scalar::Duration { floor: "100ms", ceiling: Some("1m") },
        "2s",
        "How long publishing may take after a command has ended.",
    ),
    Field::optional(
        "state_dir",
        Scalar::File,
        "/srv/moko-mon",
        "The folder of the ledger; left out, it is `/var/lib/moko-mon` for root and `~/.local/state/moko-mon` else.",
    ),
    Field::optional(
        "textfile_dir",
        Scalar::File,
        "/var/lib/node_exporter",
        "The folder of node_exporter's textfile collector: files are written there, and nothing is pushed.",
    ),
];

/// The group as it is set.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Push {
    /// The Pushgateway; `None`: the stack's own.
    pub url: Option<String>,
    /// The label `job`.
    pub job: String,
    /// The label `instance`; `None`: the host's name.
    pub instance: Option<String>,
    /// The user name.
    pub username: Option<String>,
    /// The file of the password.
    pub password_file: Option<PathBuf>,
    /// The file of a bearer token.
    pub token_file: Option<PathBuf>,
    /// The file of further certificates.
    pub ca_file: Option<PathBuf>,
    /// How long publishing may take.
    pub timeout: PromDuration,
    /// The folder of the ledger; `None`: the usual one.
    pub state_dir: Option<PathBuf>,
    /// The folder of the textfile collector.
    pub textfile_dir: Option<PathBuf>,
}

impl Push {
    /// The same with paths below the folder of the configuration file.
    pub(crate) fn below(mut self, base: &Path) -> Self {
        let files = [
            &mut self.password_file,
            &mut self.token_file,
            &mut self.ca_file,
            &mut self.state_dir,
            &mut self.textfile_dir,
        ];
        for file in files.into_iter().flatten() {
            *file = base.join(&file);
        }
        self.url = self.url.map(|url| url.trim_end_matches('/').to_owned());
        self
    }
}

/// What `run` and `push` need of the settings, read while anything else in them may be wrong.
#[derive(Debug)]
pub struct PushSettings {
    /// The group; what was wrong has its default.
    pub push: Push,
    /// The address of the stack's own Pushgateway.
    pub own_gateway: String,
    /// What is wrong with the group itself, or with a source as a whole: it does not say for sure where to publish.
    pub doubt: Option<Error>,
    /// How many problems there are elsewhere.
    pub others: usize,
    /// The same settings as variables, for what another process reads in whatever folder: the file with its whole path,
    /// and what else was set by flags and variables. Passwords and tokens are only in files.
    pub variables: Vec<(String, String)>,
    /// The jobs of the manifest as they are set.
    jobs: Vec<shape::Job>,
    /// The folder to which paths are relative.
    base: PathBuf,
    places: BTreeMap<String, Place>,
}

impl PushSettings {
    /// The job of this name in the manifest; one that is wrong is none, and `config check` tells.
    #[must_use]
    pub fn job(&mut self, name: &str) -> Option<Job> {
        let mut found = None;
        for (index, job) in std::mem::take(&mut self.jobs).into_iter().enumerate().filter(|(_, job)| job.name == name) {
            let (base, places) = (self.base.clone(), self.places.clone());
            let mut builder = Builder::new(base, String::new(), places, Vec::new());
            found = found.or_else(|| builder.job(index, job));
        }
        found
    }
}

/// The group `push` alone. Nothing in it is read but the sources of settings: none of the files that settings name.
#[must_use]
pub fn push(sources: &Sources) -> Option<PushSettings> {
    #[derive(Deserialize)]
    struct Needed {
        bind: std::net::IpAddr,
        pushgateway: shape::Common,
        push: Push,
        jobs: Vec<Nullable<shape::Job>>,
    }
    let mut layers = Layers::read(sources);
    let wanted =
        |key: &str| ["bind", "pushgateway", "push", "jobs"].contains(&key.split('.').next().unwrap_or_default());
    let settings: Vec<Setting> = layers.settings_of(sources, wanted);
    let Layers { file, decoder, .. } = layers;
    let (folder, _) = base(sources, file.as_deref(), &decoder.file);
    let variables = variables(&settings, file.as_deref(), &folder);
    let Needed { bind, pushgateway, push, jobs } = serde_json::from_value(assemble(&settings)).ok()?;
    let own = |key: &str| key == "bind" || key == "pushgateway.port" || key.starts_with("push");
    let doubtful = |problem: &Problem| {
        let stranger = decoder.strangers.iter().find(|(place, _)| *place == problem.place);
        // A misspelt name leaves its setting at the default, which is not what was meant.
        match stranger {
            Some((_, key)) => own(&problem.key) || names::may_mean(key, "push"),
            None => own(&problem.key) || problem.key.is_empty(),
        }
    };
    let (doubts, others): (Vec<Problem>, Vec<Problem>) = decoder.problems.iter().cloned().partition(doubtful);
    Some(PushSettings {
        push: push.below(&folder),
        own_gateway: Port { bind, host: pushgateway.port, container: 0 }.url(),
        doubt: (!doubts.is_empty()).then(|| Problems(doubts).into()),
        others: others.len(),
        variables,
        jobs: jobs.into_iter().map(|Nullable(job)| job).collect(),
        base: folder,
        places: decoder.places,
    })
}

/// What leads another process to these settings.
fn variables(settings: &[Setting], file: Option<&Path>, folder: &Path) -> Vec<(String, String)> {
    let file = file.and_then(Path::to_str).map(|file| (FILE_VARIABLE.to_owned(), file.to_owned()));
    let own = |setting: &&Setting| matches!(setting.origin, Origin::Environment(_) | Origin::Flag(_));
    let set: Vec<&Setting> = settings.iter().filter(own).collect();
    let leaves = if set.is_empty() { Vec::new() } else { leaves(SETTINGS) };
    let set = set.into_iter().filter_map(|setting| {
        let leaf = leaves.iter().find(|leaf| leaf.path == setting.key)?;
        let value = match &setting.value {
            Value::String(text) if matches!(leaf.scalar(), Some(Scalar::File)) => {
                folder.join(text).to_str()?.to_owned()
            }
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        Some((leaf.variable(), value))
    });
    file.into_iter().chain(set).collect()
}
