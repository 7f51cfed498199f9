//! Prometheus' storage with the demo data taken out, or with a new history put in: the server stops, a container of its
//! own image works on its data, the server starts again. What is done there is in `storage.sh`.

use std::time::Duration;

use super::history::History;
use super::selectors;
use crate::component::Component;
use crate::docker::Docker;
use crate::docker::archive::pack_text;
use crate::docker::one_shot::OneShot;
use crate::docker::translate::data_body;
use crate::error::{Code, Error, Result};
use crate::observed::{Container, State};
use crate::stack::ContainerSpec;

/// What runs in the container.
const SCRIPT: &str = include_str!("storage.sh");

/// How long the work may take: a large write-ahead log is read for minutes.
const LIMIT: Duration = Duration::from_secs(1200);

/// Work on the storage that is prepared while the server still runs.
pub struct Work<'a> {
    docker: &'a Docker,
    server: &'a Container,
    stop_timeout: i64,
    one_shot: OneShot<'a>,
}

impl<'a> Work<'a> {
    /// Prepares to take out everything that there is because of a demo, and to put in this history, if any.
    pub async fn prepare(
        docker: &'a Docker,
        project: &str,
        server: &'a Container,
        history: Option<&History>,
    ) -> Result<Self> {
        let spec = server.spec.as_ref().ok_or_else(|| {
            Error::new(
                Code::NotFound,
                format!("container `{}` was made by an unknown version of moko-mon", server.name),
            )
            .hint("run `moko-mon up`, which replaces it")
        })?;
        let body = data_body(project, Component::Prometheus, spec, command(spec));
        let one_shot = OneShot::create(docker, body).await?;
        let prepared = deliver(&one_shot, history).await;
        if let Err(failed) = prepared {
            one_shot.remove().await?;
            return Err(failed);
        }
        Ok(Self { docker, server, stop_timeout: spec.stop_timeout, one_shot })
    }

    /// Does it. The server runs afterwards as it did before, whatever comes of the work; ready is another matter.
    pub async fn perform(self) -> Result<()> {
        let Self { docker, server, stop_timeout, one_shot } = self;
        docker.stop(&server.id, &server.name, stop_timeout).await?;
        let done = one_shot.run(LIMIT, 40).await;
        let removed = one_shot.remove().await;
        let started = match server.state {
            State::Running => docker.start(&server.id, &server.name).await,
            _ => Ok(()),
        };
        let (code, lines) = done?;
        started?;
        removed?;
        if code == 0 {
            return Ok(());
        }
        let failed = Error::new(Code::EngineFailed, "could not change Prometheus' storage");
        let failed = lines.into_iter().fold(failed.cause(format!("exit code {code}")), Error::cause);
        Err(failed.hint("nothing of the real data was lost; `moko-mon demo stop` clears away what was begun"))
    }
}

/// The script with the server's own flags about its storage.
fn command(spec: &ContainerSpec) -> Vec<String> {
    let script = ["sh", "-c", SCRIPT, "storage.sh"].map(str::to_owned);
    let flags = spec.command.iter().filter(|flag| flag.starts_with("--storage.tsdb."));
    script.into_iter().chain(flags.cloned()).collect()
}

/// Delivers what is to go and what is to come; one text at a time, so that only one is in memory.
async fn deliver(one_shot: &OneShot<'_>, history: Option<&History>) -> Result<()> {
    let matches: String = selectors().iter().map(|selector| encode(selector) + "\n").collect();
    one_shot.upload(pack_text("demo/matches", |text| text.push_str(&matches))?).await?;
    let Some(history) = history else { return Ok(()) };
    for (index, (from, to)) in history.blocks().enumerate() {
        let archive = pack_text(&format!("demo/{index:03}.om"), |text| history.write(from, to, text))?;
        one_shot.upload(archive).await?;
    }
    Ok(())
}

/// A value of a form.
fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let encode = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(encode).collect()
}
