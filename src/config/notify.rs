//! `notify` and `heartbeat`: their settings.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::PromDuration;
use super::scalar::Scalar;
use super::schema::{Field, Kind};
use super::shape::Nullable;

const fn receivers(key: &'static str, example: &'static str, doc: &'static str) -> Field {
    Field {
        key,
        doc,
        kind: Kind::List(&Kind::Scalar(Scalar::Text)),
        default: None,
        example: Some(example),
        required: false,
    }
}

/// The receivers for each severity.
static AUDIENCE: Kind = Kind::Group(&[
    receivers("critical", "- pager\n", "For `critical`."),
    receivers("warning", "- slack-ops\n", "For `warning`."),
    receivers("info", "- slack-ops\n", "For `info`."),
]);

const fn audiences(key: &'static str, example: &'static str, doc: &'static str) -> Field {
    Field { key, doc, kind: Kind::Map(&AUDIENCE), default: Some("{}"), example: Some(example), required: false }
}

/// The settings of `notify`.
pub(crate) static NOTIFY: &[Field] = &[
    receivers("critical", "- pager\n- email-ops\n", "Who is told of critical alerts."),
    receivers("warning", "- slack-ops\n", "Who is told of warnings."),
    receivers("info", "- slack-ops\n", "Who is told of what is merely worth knowing."),
    receivers("default", "- email-ops\n", "Who is told of alerts with another severity, or none."),
    audiences("teams", "security:\n  critical:\n    - pager-security\n", "Instead, for alerts of a team."),
    audiences(
        "components",
        "security_scanner:\n  warning:\n    - email-security\n",
        "Instead, for alerts of a component.",
    ),
    audiences("owners", "ann:\n  warning:\n    - email-ann\n", "Instead, for alerts of jobs with an owner."),
    audiences(
        "jobs",
        "backup:\n  critical:\n    - pager-storage\n",
        "Instead, for alerts about a script, by its name.",
    ),
    Field::list(
        "quiet_hours",
        &Kind::Group(QUIET),
        "- from: \"22:00\"\n  to: \"07:00\"\n  timezone: Europe/Berlin\n  severities:\n    - warning\n    - info\n",
        "When nobody is told, and of what.",
    ),
    Field::list(
        "group_by",
        &Kind::Scalar(Scalar::Label),
        "- alertname\n- team\n",
        "The labels by which alerts are told together; left empty, `alertname` and what it is about: `service`, `api`, \
         `script_name`.",
    ),
    Field::scalar(
        "group_wait",
        Scalar::Duration { floor: "0s", ceiling: None },
        "30s",
        "How long the first alert of a group waits for others.",
    ),
    Field::scalar(
        "group_interval",
        Scalar::Duration { floor: "1s", ceiling: None },
        "5m",
        "How long a group that people were told of waits for others.",
    ),
    Field::scalar(
        "repeat_interval",
        Scalar::Duration { floor: "1s", ceiling: None },
        "12h",
        "After how long people are told again: a multiple of `group_interval`.",
    ),
];

/// The settings of quiet hours.
static QUIET: &[Field] = &[
    Field::required("from", Scalar::TimeOfDay, "When they begin, in quotes."),
    Field::required("to", Scalar::TimeOfDay, "When they end; before `from`, that is on the next day."),
    Field::list(
        "days",
        &Kind::Scalar(Scalar::Choice(&DAYS)),
        "- saturday\n- sunday\n",
        "The days on which they begin; left out, on all.",
    ),
    Field::optional("timezone", Scalar::TimeZone, "Europe/Berlin", "Where the clock stands; `UTC` if left out."),
    Field::required_list("severities", &Kind::Scalar(Scalar::Choice(&SEVERITIES)), "What nobody is told of then."),
    Field::optional("name", Scalar::Check, "nights", "A name, for `mute_time_intervals` in `routes`."),
];

/// The days of the week in Alertmanager's words.
const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const SEVERITIES: [&str; 3] = ["critical", "warning", "info"];

/// The settings of `heartbeat`.
pub(crate) static HEARTBEAT: &[Field] = &[
    Field::optional(
        "url",
        Scalar::OpenUrl,
        "https://heartbeat.example.com/moko",
        "The address of a service that notices when nothing comes any more.",
    ),
    Field::optional(
        "url_file",
        Scalar::File,
        "secrets/heartbeat",
        "Instead: the file that holds an address with a secret in it.",
    ),
    Field::optional("url_env", Scalar::Variable, "HEARTBEAT_URL", "Instead: the environment variable that holds it."),
    Field::scalar(
        "every",
        Scalar::Duration { floor: "10s", ceiling: None },
        "1m",
        "How often it is called; a tenth more may pass between two calls.",
    ),
];

/// Who is told of what.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Notify {
    pub(crate) critical: Option<Vec<Nullable<String>>>,
    pub(crate) warning: Option<Vec<Nullable<String>>>,
    pub(crate) info: Option<Vec<Nullable<String>>>,
    pub(crate) default: Option<Vec<Nullable<String>>>,
    pub(crate) teams: BTreeMap<String, Audience>,
    pub(crate) components: BTreeMap<String, Audience>,
    pub(crate) owners: BTreeMap<String, Audience>,
    pub(crate) jobs: BTreeMap<String, Audience>,
    pub(crate) quiet_hours: Vec<Nullable<Quiet>>,
    pub(crate) group_by: Vec<Nullable<String>>,
    pub(crate) group_wait: PromDuration,
    pub(crate) group_interval: PromDuration,
    pub(crate) repeat_interval: PromDuration,
}

/// The receivers for each severity.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Audience {
    pub(crate) critical: Option<Vec<Nullable<String>>>,
    pub(crate) warning: Option<Vec<Nullable<String>>>,
    pub(crate) info: Option<Vec<Nullable<String>>>,
}

/// Quiet hours; a field that was wrong is empty here and has been reported.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Quiet {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) days: Vec<Nullable<String>>,
    pub(crate) timezone: Option<String>,
    pub(crate) severities: Vec<Nullable<String>>,
    pub(crate) name: Option<String>,
}

/// The dead man's switch.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Heartbeat {
    pub(crate) url: Option<String>,
    pub(crate) url_file: Option<String>,
    pub(crate) url_env: Option<String>,
    pub(crate) every: PromDuration,
}
