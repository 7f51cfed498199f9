//! Grafana's refusals in words that help: one table from (what, status, message) to fact and next step.
//!
//! Statuses and messages: `pkg/services/dashboards/errors.go` and `pkg/api/apierrors` of Grafana 9.4, the answers in
//! the `OpenAPI` description of 13.0, and a 9.4 and a 7.5 that were asked.

use serde_json::Value;

use crate::error::{Code, Error};
use crate::http::{Answer, excerpt};

/// The oldest Grafana whose API has every call we make (data sources and versions by uid).
pub const OLDEST_SUPPORTED: &str = "9.0";

/// What a request was about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) kind: Kind,
    /// Name, title or uid.
    pub(super) name: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Grafana as a whole.
    Server,
    DataSource,
    Folder,
    Dashboard,
}

impl Subject<'_> {
    pub(super) const SERVER: Self = Self { kind: Kind::Server, name: "" };

    const fn noun(self) -> &'static str {
        match self.kind {
            Kind::Server => "Grafana",
            Kind::DataSource => "data source",
            Kind::Folder => "folder",
            Kind::Dashboard => "dashboard",
        }
    }

    /// The goal of a request about this.
    pub(super) fn goal(self, reading: bool) -> String {
        let (noun, name) = (self.noun(), self.name);
        match (self.kind, reading) {
            (Kind::Server, _) => "could not talk to Grafana".into(),
            (_, true) => format!("could not read {noun} `{name}` from Grafana"),
            (_, false) => format!("could not save {noun} `{name}` in Grafana"),
        }
    }
}

/// The error for an answer that is not the one wanted.
pub(super) fn refusal(subject: Subject<'_>, answer: &Answer, version: Option<&str>) -> Error {
    let reading = answer.request.starts_with("GET ");
    let body: Option<Value> = serde_json::from_str(&answer.body).ok();
    let text = |key| body.as_ref().and_then(|body| body[key].as_str()).map(excerpt).unwrap_or_default();
    let (message, status) = (text("message"), text("status"));
    if answer.status < 500 && !body.as_ref().is_some_and(Value::is_object) {
        return not_grafana(answer).goal(subject.goal(reading));
    }
    let (code, fact, hint) = match answer.status {
        401 => return login(answer),
        403 if message.contains("read-only") => (Code::GrafanaRefused, from_file(subject), REMOVE_FILE.into()),
        403 => (Code::GrafanaRefused, "the login has no right to do this".into(), RIGHTS.into()),
        404 | 410 if is_route(subject, answer, &message) => {
            return no_route(answer, version).goal(subject.goal(reading));
        }
        406 => (
            Code::GrafanaRefused,
            "a newer Grafana stored it in schema v2, which the classic API cannot give back".into(),
            "delete the dashboard in Grafana, then run `moko-mon up` again".into(),
        ),
        400..500 => refused(subject, &message, &status, answer.status),
        503 => (Code::NotReady, "Grafana is not ready: its database does not answer".into(), LOGS.into()),
        _ => (Code::GrafanaRefused, "Grafana failed inside".into(), LOGS.into()),
    };
    Error::new(code, fact).cause(answered(answer)).hint(hint).goal(subject.goal(reading))
}

const REMOVE_FILE: &str = "remove it from Grafana's provisioning files: moko-mon and a file cannot both own it";
const RIGHTS: &str = "moko-mon needs the role Admin in the organization; give it back under Administration > Users";
const LOGS: &str = "see `moko-mon logs grafana`";
const AGAIN: &str = "run `moko-mon up` again";

type Fact = (Code, String, String);

/// What Grafana understood and does not want.
fn refused(subject: Subject<'_>, message: &str, status: &str, code: u16) -> Fact {
    let (noun, name, lower) = (subject.noun(), subject.name, message.to_lowercase());
    let same_name = lower.contains("same name") || lower.contains("same uid") || status == "name-exists";
    let (fact, hint) = match (subject.kind, code) {
        _ if lower.contains("provisioned dashboard") => (from_file(subject), REMOVE_FILE.into()),
        (Kind::Dashboard, _) if lower.contains("folder not found") => {
            ("its folder is not there any more: somebody removed it meanwhile".into(), AGAIN.into())
        }
        (Kind::Dashboard, _) if status == "name-match" => (
            format!("a folder has the title `{name}`, which in this Grafana no dashboard may have then"),
            "rename one of them, then run `moko-mon up` again".into(),
        ),
        (Kind::Dashboard, 412) if status == "plugin-dashboard" => {
            ("a plugin owns the dashboard of that uid".into(), "give the dashboard another `uid`".into())
        }
        (_, 404) => (format!("somebody removed the {noun} at the same moment"), AGAIN.into()),
        (_, 409 | 412) if same_name => (
            format!("another {noun} has the name `{name}` or its uid already"),
            "rename or remove that one in Grafana, then run `moko-mon up` again".into(),
        ),
        (_, 409 | 412) => (format!("somebody else changed the {noun} at the same moment"), AGAIN.into()),
        (Kind::Dashboard, _) => (
            "Grafana does not accept the dashboard".into(),
            "check the file: exported from Grafana, it can be imported again".into(),
        ),
        _ => (format!("Grafana does not accept the {noun}"), LOGS.into()),
    };
    (Code::GrafanaRefused, fact, hint)
}

fn from_file(subject: Subject<'_>) -> String {
    format!("the {} is provisioned from a file, and Grafana lets nobody else change it", subject.noun())
}

/// The login does not fit. It is never tried again: five wrong ones lock the user out.
fn login(answer: &Answer) -> Error {
    Error::new(Code::GrafanaLogin, "could not log in to Grafana")
        .cause("the admin password in the secrets volume does not fit: it was changed in Grafana, or the secrets volume was lost")
        .cause(answered(answer))
        .hint(
            "set a new one with `moko-mon password reset`\n\
             after five wrong tries Grafana locks the login for five minutes, for the right password too",
        )
}

/// Whether a 404 speaks of the route. `POST` creates, so all it can miss is the folder; the others name an object.
fn is_route(subject: Subject<'_>, answer: &Answer, message: &str) -> bool {
    subject.kind == Kind::Server
        || answer.request.starts_with("POST ") && !message.to_lowercase().contains("folder not found")
}

/// A login that was refused is not sent again.
pub(super) fn login_not_tried() -> Error {
    Error::new(Code::GrafanaLogin, "could not log in to Grafana")
        .cause("the password was refused before, and trying it again would lock the user out")
        .hint("set a new one with `moko-mon password reset`")
}

/// A route that we need is not there.
fn no_route(answer: &Answer, version: Option<&str>) -> Error {
    match version {
        Some(version) if is_too_old(version) => too_old(version),
        _ => Error::new(Code::GrafanaRefused, "this Grafana is too new for this moko-mon")
            .cause(format!("Grafana {} has no such call any more", version.unwrap_or("of unknown version")))
            .cause(answered(answer))
            .hint("unset `grafana.image` for the version that moko-mon was made for, or use a newer moko-mon"),
    }
}

/// This Grafana lacks calls that we need.
pub(super) fn too_old(version: &str) -> Error {
    Error::new(Code::GrafanaRefused, "this Grafana is too old for moko-mon")
        .cause(format!("it is version {version}, the oldest supported is {OLDEST_SUPPORTED}"))
        .hint("unset `grafana.image`, or name a newer one")
}

/// Whether the version, if it can be read at all, is below [`OLDEST_SUPPORTED`].
pub(super) fn is_too_old(version: &str) -> bool {
    version.split('.').next().and_then(|major| major.parse::<u32>().ok()).is_some_and(|major| major < 9)
}

/// Somebody else answers at Grafana's address.
pub(super) fn not_grafana(answer: &Answer) -> Error {
    Error::new(Code::NotReady, "what listens there does not answer like Grafana")
        .cause(answered(answer))
        .hint("see what holds the port, or set `grafana.port` in moko-mon.yaml")
}

fn answered(answer: &Answer) -> String {
    let body: Option<Value> = serde_json::from_str(&answer.body).ok();
    match body.as_ref().and_then(|body| body["message"].as_str()) {
        Some(message) => format!("`{}` was answered with HTTP {}: {}", answer.request, answer.status, excerpt(message)),
        None => format!("`{}` was answered with {}", answer.request, answer.seen()),
    }
}

#[cfg(test)]
mod tests;
