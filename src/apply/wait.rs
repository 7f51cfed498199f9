//! Waiting for a server: by asking it, under one deadline, and with an eye on whether its container still lives.

use std::time::{Duration, Instant};

use super::Apply;
use crate::docker::Docker;
use crate::error::{Code, Error, Result};
use crate::server;
use crate::stack::ComponentSpec;
use crate::ui::Event;

/// How often a server is asked. It costs a connection on loopback and decides how soon `up` is done.
const ASK_EVERY: Duration = Duration::from_millis(20);
/// How often the engine is asked whether the container still lives.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long to look for the next exit of a container that the engine has started again.
const CRASH_SEEN: Duration = Duration::from_secs(3);
/// How often a person is told that we still wait.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// Waits until a server is ready. A container that exits ends the wait at once.
pub(super) async fn ready(apply: &Apply<'_>, spec: &ComponentSpec, id: &str, restarts: i64) -> Result<()> {
    let started = Instant::now();
    let (mut looked, mut told) = (started, started);
    let mut crashed: Option<Instant> = None;
    loop {
        let last = match server::ready(apply.http, spec).await {
            Ok(()) => return Ok(()),
            Err(last) => last,
        };
        if apply.stop.asked() {
            return Err(apply.interrupted("`up`"));
        }
        if looked.elapsed() > LOOK_EVERY || crashed.is_some() {
            looked = Instant::now();
            let patient = crashed.is_none_or(|since| since.elapsed() < CRASH_SEEN);
            if alive(apply.docker, spec, id, restarts, patient).await? == Life::StartedAgain {
                crashed.get_or_insert(looked);
            }
        }
        if told.elapsed() > TELL_EVERY {
            told = Instant::now();
            apply.ui.event(&Event::Waiting { component: spec.component, elapsed: started.elapsed(), last: &last });
        }
        if Instant::now() > apply.deadline {
            return Err(not_ready(apply.docker, spec, id, started.elapsed(), &last).await);
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

/// How a container is that has not failed for good.
#[derive(PartialEq, Eq)]
enum Life {
    /// It runs as it was started.
    Untroubled,
    /// It exited, and the engine has started it again; why it exited is seen at its next exit.
    StartedAgain,
}

/// Fails when the container has exited, even if the engine has started it again: then, while `patient`, only once the
/// engine shows it stopped, because a running container's exit code is 0.
async fn alive(docker: &Docker, spec: &ComponentSpec, id: &str, restarts: i64, patient: bool) -> Result<Life> {
    let name = &spec.container.name;
    let Some(container) = docker.inspect(id).await? else {
        return Err(Error::new(Code::ContainerExited, format!("container `{name}` was removed by somebody else")));
    };
    let state = container.state.unwrap_or_default();
    let crashed = container.restart_count.unwrap_or_default() > restarts;
    let runs = state.running == Some(true) && state.restarting != Some(true);
    match (runs, crashed) {
        (true, false) => return Ok(Life::Untroubled),
        (true, true) if patient => return Ok(Life::StartedAgain),
        (true, true) | (false, _) => {}
    }
    let mut error = Error::new(Code::ContainerExited, format!("container `{name}` exited"));
    let code = state.exit_code.unwrap_or_default();
    error = if state.oom_killed == Some(true) {
        let limit = spec.container.memory / 1024 / 1024;
        error
            .cause(format!("it was killed for using more than its {limit} MiB of memory"))
            .hint(format!("raise `{}.memory` in moko-mon.yaml", spec.component))
    } else {
        error
            .cause(format!("its exit code is {code}"))
            .hint(format!("see all it said with `moko-mon logs {}`", spec.component))
    };
    if let Some(words) = state.error.filter(|words| !words.is_empty()) {
        error = error.cause(crate::docker::error::clean(&words));
    }
    Err(with_lines(error, docker, id).await)
}

async fn not_ready(docker: &Docker, spec: &ComponentSpec, id: &str, waited: Duration, last: &str) -> Error {
    let title = spec.component.title();
    let error = Error::new(Code::NotReady, format!("{title} was not ready after {}", crate::ui::human(waited)))
        .cause(format!("{}{} said last: {last}", spec.url(), spec.ready_path))
        .hint(format!(
            "see what it is doing with `moko-mon logs {}`; wait longer with `moko-mon up --wait 10m`",
            spec.component
        ));
    with_lines(error, docker, id).await
}

/// Adds the last lines of the container's log as facts.
pub(super) async fn with_lines(error: Error, docker: &Docker, id: &str) -> Error {
    let lines = docker.last_lines(id, 10).await;
    if lines.is_empty() {
        return error.cause("its log is empty");
    }
    error.cause(format!("the last lines of its log:\n{}", lines.join("\n")))
}
