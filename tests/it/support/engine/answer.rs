//! Which call is answered how: everything that is done at once.

use std::collections::HashMap;
use std::sync::Arc;

use http_body_util::{BodyExt as _, Full};
use hyper::Response;
use hyper::upgrade::OnUpgrade;
use serde_json::{Value, json};

use super::state::Exec;
use super::{Call, Container, Reply, Shared, State, Status, files, images, logs, run};

/// Performs a call and answers it.
pub(super) async fn answer(shared: &Arc<Shared>, call: &Call, upgrade: Option<OnUpgrade>) -> Reply {
    if let Some(refused) = version(shared, call) {
        return refused;
    }
    let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    match (call.method.as_str(), segments.as_slice()) {
        ("GET", ["version"]) => {
            let state = shared.state();
            let (newest, oldest) = (&state.api_version, &state.min_api_version);
            json(200, &json!({"Version": "20.10.24", "ApiVersion": newest, "MinAPIVersion": oldest, "Os": "linux"}))
        }
        ("GET", ["info"]) => {
            // Every fake engine is one of its own: locks of projects of one name are told apart by it.
            let id = format!("FAKE:{}:{:p}", std::process::id(), Arc::as_ptr(shared));
            json(200, &json!({"ID": id, "ServerVersion": "20.10.24"}))
        }
        ("GET", ["containers", "json"]) => list(&shared.state()),
        ("POST", ["containers", "create"]) => create(&mut shared.state(), call),
        ("GET", ["containers", id, "json"]) => of(&mut shared.state(), id, |container| inspect(container)),
        ("GET", ["containers", id, "logs"]) => logs::logs(&mut shared.state(), id, call),
        ("GET", ["containers", id, "archive"]) => files::download(&mut shared.state(), id, call.query("path")),
        ("HEAD", ["containers", id, "archive"]) => files::describe(&mut shared.state(), id, call.query("path")),
        ("PUT", ["containers", id, "archive"]) => {
            files::upload(&mut shared.state(), id, call.query("path"), &call.body)
        }
        ("POST", ["containers", id, "start"]) => run::start(shared, id),
        ("POST", ["containers", id, "stop"]) => run::stop(shared, id).await,
        ("POST", ["containers", id, "kill"]) => run::kill(&mut shared.state(), id, call.query("signal")),
        ("POST", ["containers", id, "unpause"]) => run::unpause(&mut shared.state(), id),
        ("POST", ["containers", id, "wait"]) => {
            of(&mut shared.state(), id, |container| json(200, &json!({"StatusCode": container.exit.code})))
        }
        ("DELETE", ["containers", id]) => run::remove(shared, id).await,
        ("POST", ["containers", id, "exec"]) => create_exec(&mut shared.state(), id, call),
        ("POST", ["exec", id, "start"]) => run::exec(shared, id, upgrade),
        ("GET", ["exec", id, "json"]) => {
            let state = shared.state();
            let found = state.execs.iter().find(|exec| exec.id == *id);
            found.map_or_else(
                || refuse(404, "No such exec instance"),
                |exec| json(200, &json!({"ID": id, "Running": false, "ExitCode": exec.code})),
            )
        }
        ("GET", ["networks"]) => networks(&shared.state(), call),
        ("POST", ["networks", "create"]) => {
            let body = call.json();
            // Engine 20.10 makes a second network of one name without a word.
            let id = shared.state().add_network(body["Name"].as_str().unwrap(), body["Labels"].clone());
            json(201, &json!({"Id": id, "Warning": ""}))
        }
        ("DELETE", ["networks", id]) => remove_network(&mut shared.state(), id),
        ("GET", ["volumes"]) => volumes(&shared.state(), call),
        ("DELETE", ["volumes", name]) => remove_volume(&mut shared.state(), name),
        ("POST", ["images", "create"]) => images::pull(shared, call),
        ("GET", ["images", name @ .., "json"]) => images::inspect(&shared.state(), &name.join("/")),
        ("DELETE", ["images", name @ ..]) => images::remove(&mut shared.state(), &name.join("/")),
        _ => refuse(501, &format!("the fake engine does not know `{}`", call.request)),
    }
}

/// Engines refuse a version outside their window.
fn version(shared: &Shared, call: &Call) -> Option<Reply> {
    let minor = |version: &str| version.split_once('.').and_then(|(_, minor)| minor.parse::<u32>().ok());
    let asked = minor(call.version.as_deref()?)?;
    let state = shared.state();
    let (newest, oldest) = (&state.api_version, &state.min_api_version);
    let message = if asked > minor(newest)? {
        format!("client version 1.{asked} is too new. Maximum supported API version is {newest}")
    } else if asked < minor(oldest)? {
        format!("client version 1.{asked} is too old. Minimum supported API version is {oldest}")
    } else {
        return None;
    };
    Some(refuse(400, &message))
}

pub(super) fn json(status: u16, body: &Value) -> Reply {
    respond(status, "application/json", body.to_string().into_bytes())
}

/// The engine's shape of an error.
pub(super) fn refuse(status: u16, message: &str) -> Reply {
    json(status, &json!({ "message": message }))
}

pub(super) fn empty(status: u16) -> Reply {
    respond(status, "text/plain", Vec::new())
}

pub(super) fn respond(status: u16, kind: &str, body: Vec<u8>) -> Reply {
    let builder = Response::builder().status(status).header("content-type", kind).header("api-version", "1.41");
    builder.body(Full::from(body).boxed_unsync()).unwrap()
}

pub(super) fn no_such(id: &str) -> Reply {
    refuse(404, &format!("No such container: {id}"))
}

/// Answers from a container, or that there is none.
pub(super) fn of(state: &mut State, id: &str, answer: impl FnOnce(&mut Container) -> Reply) -> Reply {
    match state.container(id) {
        Some(container) => answer(container),
        None => no_such(id),
    }
}

fn list(state: &State) -> Reply {
    let containers: Vec<Value> = state.containers.iter().map(summary).collect();
    json(200, &json!(containers))
}

fn summary(container: &Container) -> Value {
    let running = matches!(container.status, Status::Running | Status::Paused);
    let ports: Vec<Value> = container
        .port()
        .filter(|_| running)
        .map(|(ip, host, inner)| json!({"IP": ip, "PrivatePort": inner, "PublicPort": host, "Type": "tcp"}))
        .into_iter()
        .collect();
    json!({
        "Id": container.id,
        "Names": [format!("/{}", container.name)],
        "Image": container.config["Image"],
        "ImageID": container.image_id,
        "Labels": container.config["Labels"].as_object().cloned().unwrap_or_default(),
        "State": container.status.word(),
        "Status": container.status.word(),
        "Ports": ports,
        "HostConfig": {"NetworkMode": container.config["HostConfig"]["NetworkMode"]},
        // The id is filled in once a container is attached, which it is while it runs.
        "NetworkSettings": {"Networks": {"it": {
            "NetworkID": if running { container.config["HostConfig"]["NetworkMode"].clone() } else { json!("") },
        }}},
    })
}

fn inspect(container: &Container) -> Reply {
    let status = container.status;
    let body = json!({
        "Id": container.id,
        "Name": format!("/{}", container.name),
        "RestartCount": container.restarts,
        "State": {
            "Status": status.word(),
            "Running": matches!(status, Status::Running | Status::Paused | Status::Restarting),
            "Paused": status == Status::Paused,
            "Restarting": status == Status::Restarting,
            "OOMKilled": container.exit.oom,
            "Dead": status == Status::Dead,
            "ExitCode": container.exit.code,
            "Error": container.exit.error,
        },
    });
    json(200, &body)
}

fn create(state: &mut State, call: &Call) -> Reply {
    let body = call.json();
    let image = body["Image"].as_str().unwrap_or_default().to_owned();
    if !state.images.contains_key(&image) {
        return refuse(404, &format!("No such image: {image}"));
    }
    let name = match call.query("name") {
        "" => format!("quirky_hopper_{}", &state.new_id()[..8]),
        name => name.to_owned(),
    };
    if let Some(taken) = state.named(&name) {
        let message = format!(
            "Conflict. The container name \"/{name}\" is already in use by container \"{}\". You have to remove (or \
             rename) that container to be able to reuse that name.",
            taken.id
        );
        return refuse(409, &message);
    }
    let mounts = body["HostConfig"]["Mounts"].as_array().cloned().unwrap_or_default();
    let id = state.add_container(&name, body, Status::Created);
    for mount in mounts {
        let volume = mount["Source"].as_str().unwrap();
        // A volume that is there is used as it is, whatever labels are asked for.
        if !state.volumes.contains_key(volume) {
            state.add_volume(volume, mount["VolumeOptions"]["Labels"].clone());
        }
    }
    json(201, &json!({"Id": id, "Warnings": []}))
}

fn create_exec(state: &mut State, id: &str, call: &Call) -> Reply {
    let Some(container) = state.container(id) else { return no_such(id) };
    let container = container.id.clone();
    let command = serde_json::from_value(call.json()["Cmd"].clone()).unwrap();
    let id = state.new_id();
    state.execs.push(Exec { id: id.clone(), container, command, code: 0 });
    json(201, &json!({ "Id": id }))
}

/// The values of one filter; the engine matches parts of names.
fn wanted(call: &Call, name: &str) -> bool {
    let filters: HashMap<String, Vec<String>> = serde_json::from_str(call.query("filters")).unwrap_or_default();
    filters.get("name").is_none_or(|parts| parts.iter().any(|part| name.contains(part.as_str())))
}

fn networks(state: &State, call: &Call) -> Reply {
    let found = state.networks.iter().filter(|network| wanted(call, &network.name));
    let found = found.map(|network| json!({"Id": network.id, "Name": network.name, "Labels": network.labels}));
    json(200, &json!(found.collect::<Vec<_>>()))
}

fn volumes(state: &State, call: &Call) -> Reply {
    let found = state.volumes.iter().filter(|(name, _)| wanted(call, name));
    let found = found.map(|(name, volume)| {
        json!({
            "Name": name, "Driver": "local", "Mountpoint": "/x", "Scope": "local", "Options": null,
            "Labels": volume.labels,
        })
    });
    json(200, &json!({"Volumes": found.collect::<Vec<_>>(), "Warnings": null}))
}

fn remove_network(state: &mut State, id: &str) -> Reply {
    let Some(at) = state.networks.iter().position(|network| network.id == id || network.name == id) else {
        return refuse(404, &format!("network {id} not found"));
    };
    let attached = |container: &Container| {
        container.config["HostConfig"]["NetworkMode"] == state.networks[at].id.as_str()
            && matches!(container.status, Status::Running | Status::Paused)
    };
    if state.containers.iter().any(attached) {
        let (name, id) = (&state.networks[at].name, &state.networks[at].id);
        return refuse(403, &format!("error while removing network: network {name} id {id} has active endpoints"));
    }
    state.networks.remove(at);
    empty(204)
}

fn remove_volume(state: &mut State, name: &str) -> Reply {
    let uses = |container: &&Container| container.mounts().iter().any(|(volume, _)| volume == name);
    if let Some(user) = state.containers.iter().find(uses) {
        return refuse(409, &format!("remove {name}: volume is in use - [{}]", user.id));
    }
    match state.volumes.remove(name) {
        Some(_) => empty(204),
        None => refuse(404, &format!("get {name}: no such volume")),
    }
}
