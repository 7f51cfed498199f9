//! Containers in motion: start, stop, signals, commands in them.

use std::sync::Arc;

use http_body_util::{BodyExt as _, Full};
use hyper::Response;
use hyper::body::Bytes;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::answer::{empty, no_such, of, refuse};
use super::logs::framed;
use super::state::Exit;
use super::{Reply, Shared, State, Status};
use crate::support::grafana_stand_in::reset_admin_password;
use crate::support::servers::{self, Started};

pub(super) fn start(shared: &Shared, id: &str) -> Reply {
    let mut state = shared.state();
    let Some(container) = state.container(id) else { return no_such(id) };
    let (id, name) = (container.id.clone(), container.name.clone());
    if matches!(container.status, Status::Running | Status::Restarting) {
        return empty(304);
    }
    if container.status == Status::Paused {
        return refuse(500, "cannot start a paused container, try unpause instead");
    }
    if container.config["Labels"]["moko-mon.check"].is_string() {
        let command = container.config["Entrypoint"].to_string();
        let special = state.checks.iter().find(|(part, _)| command.contains(part));
        let (code, lines) = special.map_or(&state.check, |(_, outcome)| outcome).clone();
        let container = state.container(&id).unwrap();
        if code == 0 && container.layer.contains_key("/demo/matches") {
            let history = container.layer.keys().any(|path| path.starts_with("/demo/0"));
            state.demo = history;
        }
        return of(&mut state, &id, |container| {
            container.status = Status::Exited;
            container.exit.code = code;
            for line in &lines {
                container.say(line);
            }
            empty(204)
        });
    }
    let network = container.config["HostConfig"]["NetworkMode"].as_str().unwrap_or_default().to_owned();
    let port = container.port();
    if !state.networks.iter().any(|of| of.id == network) {
        return failed(&mut state, &id, 404, &format!("network {network} not found"));
    }
    if state.container(&id).unwrap().config["Labels"]["moko-mon.component"] == "demo" {
        state.containers.iter().filter_map(|of| of.server.as_ref()).for_each(servers::Server::feed);
        return of(&mut state, &id, |container| {
            container.status = Status::Running;
            empty(204)
        });
    }
    let endpoint = format!("driver failed programming external connectivity on endpoint {name} ({id})");
    if let Some((ip, port, _)) = &port
        && state.containers.iter().any(|other| {
            other.id != id && other.status == Status::Running && other.port().is_some_and(|(_, held, _)| held == *port)
        })
    {
        let message = format!("{endpoint}: Bind for {ip}:{port} failed: port is already allocated");
        return failed(&mut state, &id, 500, &message);
    }
    match servers::start(&mut state, &id) {
        Started::Runs(server) => of(&mut state, &id, |container| {
            container.status = Status::Running;
            container.exit = Exit::default();
            container.server = Some(server);
            container.say(&format!("{name} runs"));
            empty(204)
        }),
        Started::Exits(exit, lines) => of(&mut state, &id, |container| {
            // The restart policy is `always`: it is started again and again.
            container.status = Status::Restarting;
            container.restarts += 1;
            container.exit = exit;
            for line in &lines {
                container.say(line);
            }
            empty(204)
        }),
        Started::PortTaken(address) => {
            let message = format!(
                "{endpoint}: Error starting userland proxy: listen tcp4 {address}: bind: address already in use"
            );
            failed(&mut state, &id, 500, &message)
        }
    }
}

/// A start that fails leaves the container as it was, with the reason in its state.
fn failed(state: &mut State, id: &str, status: u16, message: &str) -> Reply {
    if let Some(container) = state.container(id) {
        container.exit = Exit { code: 128, oom: false, error: message.to_owned() };
    }
    refuse(status, message)
}

pub(super) async fn stop(shared: &Shared, id: &str) -> Reply {
    let server = {
        let mut state = shared.state();
        let Some(container) = state.container(id) else { return no_such(id) };
        if matches!(container.status, Status::Created | Status::Exited) {
            return empty(304);
        }
        container.status = Status::Exited;
        container.server.take()
    };
    if let Some(server) = server {
        server.end().await;
    }
    empty(204)
}

pub(super) async fn remove(shared: &Shared, id: &str) -> Reply {
    let container = {
        let mut state = shared.state();
        let Some(container) = state.container(id) else { return no_such(id) };
        let id = container.id.clone();
        let at = state.containers.iter().position(|container| container.id == id).unwrap();
        state.containers.remove(at)
    };
    if let Some(server) = container.server {
        server.end().await;
    }
    empty(204)
}

pub(super) fn kill(state: &mut State, id: &str, signal: &str) -> Reply {
    let Some(container) = state.container(id) else { return no_such(id) };
    let id = container.id.clone();
    if container.status != Status::Running {
        return refuse(409, &format!("Cannot kill container: {id}: Container {id} is not running"));
    }
    if signal == "SIGHUP" {
        servers::hang_up(state, &id);
    }
    empty(204)
}

pub(super) fn unpause(state: &mut State, id: &str) -> Reply {
    of(state, id, |container| {
        if container.status != Status::Paused {
            return refuse(500, &format!("Container {} is not paused", container.id));
        }
        container.status = Status::Running;
        if let Some(server) = &container.server {
            server.pause(false);
        }
        empty(204)
    })
}

/// Runs Grafana's `reset-admin-password` on the stand-in: reads the password from standard input to its end.
pub(super) fn exec(shared: &Arc<Shared>, id: &str, upgrade: Option<OnUpgrade>) -> Reply {
    let (shared, id) = (shared.clone(), id.to_owned());
    let Some(upgrade) = upgrade else { return refuse(400, "no upgrade asked for") };
    tokio::spawn(async move {
        let mut stream = TokioIo::new(upgrade.await.unwrap());
        let mut input = String::new();
        stream.read_to_string(&mut input).await.unwrap();
        let said = reset(&mut shared.state(), &id, input.trim_end());
        stream.write_all(&framed(&said)).await.unwrap();
        stream.shutdown().await.unwrap();
    });
    let builder = Response::builder().status(101).header("connection", "Upgrade").header("upgrade", "tcp");
    builder.body(Full::from(Bytes::new()).boxed_unsync()).unwrap()
}

fn reset(state: &mut State, id: &str, password: &str) -> String {
    let exec = state.execs.iter().position(|exec| exec.id == id).unwrap();
    let container = state.execs[exec].container.clone();
    let command = state.execs[exec].command.join(" ");
    let volume = state.container(&container).and_then(|container| container.volume_of("/var/lib/grafana"));
    let disk = volume.and_then(|(volume, _)| Some(state.volumes.get(&volume)?.disk.path().to_owned()));
    let done = match disk {
        Some(disk) if command.ends_with("admin reset-admin-password --password-from-stdin") => {
            reset_admin_password(&disk, password)
        }
        _ => Err(format!("unknown command {command}")),
    };
    match done {
        Ok(()) => "Admin password changed successfully ✔\n".to_owned(),
        Err(error) => {
            state.execs[exec].code = 1;
            format!("Error: ✗ {error}\n")
        }
    }
}
