//! What Grafana says, and what a person who opens its dashboards would see in their variables.

use std::collections::BTreeMap;

use futures_util::try_join;
use serde_json::Value;

use crate::component::Component;
use crate::error::{Code, Error, Result};
use crate::http::grafana::{Grafana, StoredDashboard};
use crate::http::{Answer, Auth, Login, excerpt};
use crate::stack::{ADMIN_USER, admin_password};
use crate::verify::dashboard::{Ask, Declared, Expansion, Source, Sources, Variables, declared, library_panels};
use crate::verify::{Fact, World, bounded};

/// What Grafana says, as far as it was asked.
#[derive(Debug, Default)]
pub struct GrafanaFacts {
    access: Fact<Access>,
    sources: Fact<Sources>,
    stored: Fact<BTreeMap<String, StoredDashboard>>,
    opened: Fact<Vec<Opened>>,
}

/// Whether Grafana can be asked.
#[derive(Debug)]
pub(in crate::verify) enum Access {
    /// The login was tried, once, and works.
    Granted(Grafana),
    /// No login is known: says why.
    Unknown(String),
}

/// A dashboard that was read, with its variables.
#[derive(Debug)]
pub(in crate::verify) struct Opened {
    pub(in crate::verify) title: String,
    /// As Grafana gives it back.
    pub(in crate::verify) stored: StoredDashboard,
    /// The models of its library panels; `None` for one that is not there.
    pub(in crate::verify) library: Vec<(String, Option<Value>)>,
    /// Its variables, each after those that it refers to.
    pub(in crate::verify) resolved: Vec<Resolved>,
    /// The values a person sees.
    pub(in crate::verify) variables: Variables,
}

/// A variable and what there is to choose.
#[derive(Debug)]
pub(in crate::verify) struct Resolved {
    pub(in crate::verify) declared: Declared,
    /// Its query with the variables before it filled in.
    pub(in crate::verify) ask: Ask,
    /// The data source, where it has one.
    pub(in crate::verify) source: Source,
    /// What there is to choose, or why its query was refused.
    pub(in crate::verify) choices: Result<Vec<String>, String>,
}

impl GrafanaFacts {
    /// Logs in, once and alone: five wrong passwords lock the user out.
    pub(in crate::verify) async fn access(&self, world: &World) -> Result<&Access> {
        self.access.get(log_in(world)).await
    }

    /// The Grafana that let us in.
    pub(in crate::verify) async fn client(&self, world: &World) -> Result<&Grafana> {
        match self.access(world).await? {
            Access::Granted(grafana) => Ok(grafana),
            Access::Unknown(why) => {
                Err(Error::new(Code::GrafanaLogin, "could not log in to Grafana").cause(why.clone()))
            }
        }
    }

    /// Its data sources.
    pub(in crate::verify) async fn sources(&self, world: &World) -> Result<&Sources> {
        self.sources.get(async { Ok(Sources(self.client(world).await?.data_sources().await?)) }).await
    }

    /// The dashboards as Grafana gives them back, by uid: ours, or where nothing is known to be ours, all. What is not
    /// there is left out.
    pub(in crate::verify) async fn stored(&self, world: &World) -> Result<&BTreeMap<String, StoredDashboard>> {
        self.stored
            .get(async {
                let grafana = self.client(world).await?;
                let ours = world.expected.as_ref().and_then(|expected| expected.stack.grafana.as_ref());
                let uids: Vec<String> = match ours {
                    Some(content) => content.dashboards.iter().map(|dashboard| dashboard.uid.clone()).collect(),
                    None => grafana.dashboard_uids().await?,
                };
                let found = bounded(uids.iter().map(|uid| grafana.dashboard(uid))).await?;
                Ok(uids.into_iter().zip(found).filter_map(|(uid, found)| Some((uid, found?))).collect())
            })
            .await
    }

    /// The same, as a person sees them who opens them.
    pub(in crate::verify) async fn opened(&self, world: &World) -> Result<&Vec<Opened>> {
        self.opened
            .get(async {
                let grafana = self.client(world).await?;
                let (sources, stored) = try_join!(self.sources(world), self.stored(world))?;
                bounded(stored.values().map(|stored| open(grafana, sources, stored))).await
            })
            .await
    }

    /// Asks for all of it. Grafana takes as long to check the password as to answer, so what checks would ask for one
    /// after the other is asked for at once; what comes of it is theirs to judge.
    pub(in crate::verify) async fn prepare(&self, world: &World) {
        if matches!(self.access(world).await, Ok(Access::Granted(_))) {
            // An error is kept, and told by whoever asks.
            drop(self.opened(world).await);
        }
    }
}

async fn log_in(world: &World) -> Result<Access> {
    let Some(server) = world.server(Component::Grafana) else {
        return Ok(Access::Unknown("no Grafana is given".to_owned()));
    };
    let mut server = server.clone();
    let own = world.engine.as_ref().filter(|_| server.auth().is_none());
    if let Some(Err(_)) = own {
        return Ok(Access::Unknown("the password is in a volume on the engine, which cannot be asked".to_owned()));
    }
    if let Some(Ok(_)) = own {
        let files = world.facts.engine.files(world, Component::Grafana).await?;
        let Some(password) = files.and_then(admin_password) else {
            return Err(Error::new(Code::GrafanaLogin, "could not log in to Grafana")
                .cause("the secrets volume has no Grafana password")
                .hint("make a new one with `moko-mon password reset`"));
        };
        server = server.with_auth(Some(Auth::Basic(Login { user: ADMIN_USER.to_owned(), password })));
    }
    let has_auth = server.auth().is_some();
    let password = match server.auth() {
        Some(Auth::Basic(login)) => Some(login.password.clone()),
        Some(Auth::Bearer(_)) | None => None,
    };
    if let Some(why) = password.as_ref().and_then(|password| world.refused.why(password)) {
        return Err(why);
    }
    let grafana = Grafana::at(server);
    let tried = grafana.login_check().await;
    if let (Err(error), Some(password)) = (&tried, &password)
        && error.code == Code::GrafanaLogin
    {
        world.refused.remember(password, error);
    }
    match tried {
        // Somebody else's Grafana, and nobody told us who we are.
        Err(error) if error.code == Code::GrafanaLogin && !has_auth => {
            Ok(Access::Unknown("it wants a login, and none is given".to_owned()))
        }
        Err(error) if error.code == Code::GrafanaLogin && world.expected.is_none() => Err(refused(error)),
        Err(error) => Err(error),
        Ok(()) => Ok(Access::Granted(grafana)),
    }
}

/// A login that somebody gave, where the refusal speaks of the one that we made.
fn refused(error: Error) -> Error {
    let answer = error.causes.into_iter().last();
    let refused = Error::new(error.code, error.message).cause("Grafana does not take the login that was given");
    answer.into_iter().fold(refused, Error::cause).hint(
        "give the right one with `--username` and `--password-file`, or a token with `--token-file`\n\
         after five wrong tries Grafana locks the login for five minutes, for the right password too",
    )
}

async fn open(grafana: &Grafana, sources: &Sources, stored: &StoredDashboard) -> Result<Opened> {
    let panels = library_panels(&stored.json);
    let library = bounded(panels.iter().map(|uid| grafana.library_panel(uid)));
    let variables = resolve(grafana, sources, declared(&stored.json));
    let (library, (resolved, variables)) = try_join!(library, variables)?;
    let library = panels.into_iter().zip(library).collect();
    let title = stored.json["title"].as_str().unwrap_or_default().to_owned();
    Ok(Opened { title, stored: stored.clone(), library, resolved, variables })
}

/// Finds the choices of variables. Those that refer to no other are asked for together, then those that refer to these.
async fn resolve(grafana: &Grafana, sources: &Sources, all: Vec<Declared>) -> Result<(Vec<Resolved>, Variables)> {
    let (mut variables, mut resolved) = (Variables::default(), Vec::new());
    let mut waiting = all.into_iter().peekable();
    while waiting.peek().is_some() {
        let mut together: Vec<Declared> = Vec::new();
        while let Some(next) = waiting.next_if(|next| !together.iter().any(|before| next.refers_to(&before.name))) {
            together.push(next);
        }
        let asks = together.into_iter().map(|declared| {
            let source = sources.find(&declared.source, &variables);
            let ask = expanded(&declared.ask, &variables);
            async move {
                let choices = choices(grafana, &source, &ask).await?;
                Ok(Resolved { declared, ask, source, choices })
            }
        });
        for one in bounded(asks).await? {
            let value = one.declared.pick(one.choices.as_deref().unwrap_or_default());
            variables.0.push(Expansion { name: one.declared.name.clone(), value });
            resolved.push(one);
        }
    }
    Ok((resolved, variables))
}

fn expanded(ask: &Ask, variables: &Variables) -> Ask {
    let fill = |text: &String| variables.expand(text);
    match ask {
        Ask::LabelValues { selector, label } => {
            Ask::LabelValues { selector: selector.as_ref().map(fill), label: fill(label) }
        }
        Ask::Metrics(text) => Ask::Metrics(fill(text)),
        Ask::QueryResult(text) => Ask::QueryResult(fill(text)),
        Ask::Series(text) => Ask::Series(fill(text)),
        Ask::Fixed(_) | Ask::Free | Ask::LabelNames | Ask::Unknown => ask.clone(),
    }
}

/// What there is to choose; the inner error is the server's refusal of the query.
pub(in crate::verify) async fn choices(
    grafana: &Grafana,
    source: &Source,
    ask: &Ask,
) -> Result<Result<Vec<String>, String>> {
    let names = "api/v1/label/__name__/values";
    let label_values;
    let matching;
    let (path, parameters): (&str, Vec<(&str, &str)>) = match ask {
        Ask::Fixed(choices) => return Ok(Ok(choices.clone())),
        Ask::Free | Ask::Unknown => return Ok(Ok(Vec::new())),
        Ask::LabelValues { selector, label } => {
            label_values = format!("api/v1/label/{label}/values");
            (&label_values, selector.iter().map(|selector| ("match[]", selector.as_str())).collect())
        }
        Ask::LabelNames => ("api/v1/labels", Vec::new()),
        Ask::Metrics(pattern) => {
            matching = format!("{{__name__=~{}}}", Value::from(format!(".*(?:{pattern}).*")));
            (names, vec![("match[]", &matching)])
        }
        Ask::QueryResult(expression) => ("api/v1/query", vec![("query", expression.as_str())]),
        Ask::Series(selector) => ("api/v1/series", vec![("match[]", selector.as_str())]),
    };
    let uid = match source {
        Source::Prometheus(uid) => uid,
        Source::Missing(name) => return Ok(Err(format!("its data source `{name}` is not there"))),
        Source::Other => return Ok(Ok(Vec::new())),
    };
    let answer = grafana.resource(uid, path, &parameters).await?;
    Ok(match Reply::of(&answer) {
        Reply::Data(data) => {
            let list = data.as_array().or_else(|| data["result"].as_array()).into_iter().flatten();
            Ok(list.map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned)).collect())
        }
        Reply::Refused(why) | Reply::Strange(why) => Err(why),
    })
}

/// What the server behind a data source answered.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::verify) enum Reply {
    /// Its `data`.
    Data(Value),
    /// It refused the question, in its own words.
    Refused(String),
    /// Somebody else answered, or nobody: nothing is known.
    Strange(String),
}

impl Reply {
    /// Reads an answer that should be Prometheus' own.
    pub(in crate::verify) fn of(answer: &Answer) -> Self {
        let mut body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        match body["status"].as_str() {
            Some("success") => Self::Data(body["data"].take()),
            Some("error") => Self::Refused(excerpt(body["error"].as_str().unwrap_or_default())),
            _ => Self::Strange(answer.seen()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_that_was_given_is_not_said_to_be_ours() {
        let ours = Error::new(Code::GrafanaLogin, "could not log in to Grafana")
            .cause("the admin password in the secrets volume does not fit")
            .cause("`GET http://g/api/org` was answered with HTTP 401");
        let error = refused(ours);
        assert_eq!(
            error.causes,
            ["Grafana does not take the login that was given", "`GET http://g/api/org` was answered with HTTP 401"]
        );
        assert!(error.hint.unwrap().starts_with("give the right one with `--username` and `--password-file`"));
    }
}
