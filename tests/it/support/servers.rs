//! The servers that a fake container runs on its published port: each reads the container's own files, as the real one
//! does, and answers what moko-mon asks.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::Request as AxumRequest;
use axum::middleware::{self, Next};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use moko_mon::http::prometheus::RuleKind;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::engine::{Exit, State};
use super::grafana_stand_in;

/// Which server an image holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Prometheus,
    Alertmanager,
    Pushgateway,
    Grafana,
}

/// How a server behaves; without one it does what it should.
#[derive(Debug, Clone)]
pub(crate) enum Manner {
    /// It exits at once with this code and these last lines, killed for its memory or not.
    Exits { code: i64, oom: bool, lines: Vec<&'static str> },
    /// It runs and says that it is not ready.
    NeverReady,
    /// It refuses every configuration it is told to read again.
    RefusesReload,
    /// It says that it has read its files again, and goes on with the old ones.
    KeepsOld,
}

/// What came of a start.
pub(crate) enum Started {
    Runs(Server),
    Exits(Exit, Vec<String>),
    PortTaken(String),
}

/// A running server.
pub(crate) struct Server {
    task: tokio::task::JoinHandle<()>,
    paused: watch::Sender<bool>,
    loaded: Arc<Mutex<Loaded>>,
    kind: Kind,
}

/// What a server of the Prometheus family has read.
struct Loaded {
    text: String,
    /// Prometheus' answer about its rules.
    rules: Value,
    at: f64,
    successful: bool,
    manner: Option<Manner>,
    /// Prometheus: whether its storage has demo data. The Pushgateway: whether the feed has pushed.
    demo: bool,
}

impl Server {
    /// Ends it; its port is free afterwards.
    pub(crate) async fn end(self) {
        self.task.abort();
        let _ = self.task.await;
    }

    /// From now on it behaves like this; `None`: as it should.
    pub(crate) fn behave(&self, manner: Option<Manner>) {
        self.loaded.lock().unwrap().manner = manner;
    }

    /// Freezes it: connections are taken and not answered.
    pub(crate) fn pause(&self, paused: bool) {
        self.paused.send_replace(paused);
    }
}

impl Kind {
    fn of(image: &str) -> Self {
        let kinds =
            [("alertmanager", Self::Alertmanager), ("pushgateway", Self::Pushgateway), ("grafana", Self::Grafana)];
        kinds.into_iter().find(|(name, _)| image.contains(name)).map_or(Self::Prometheus, |(_, kind)| kind)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Prometheus => "prometheus",
            Self::Alertmanager => "alertmanager",
            Self::Pushgateway => "pushgateway",
            Self::Grafana => "grafana",
        }
    }

    const fn main_file(self) -> Option<&'static str> {
        match self {
            Self::Prometheus => Some("/etc/prometheus/prometheus.yml"),
            Self::Alertmanager => Some("/etc/alertmanager/alertmanager.yml"),
            Self::Pushgateway | Self::Grafana => None,
        }
    }
}

/// Starts the server of a container.
pub(crate) fn start(state: &mut State, id: &str) -> Started {
    let container = state.container(id).unwrap();
    let kind = Kind::of(container.config["Image"].as_str().unwrap());
    let (ip, port, _) = container.port().expect("a published port");
    let demo = state.demo;
    let manner = state.manners.get(&kind).cloned();
    if let Some(Manner::Exits { code, oom, lines }) = manner {
        return Started::Exits(
            Exit { code, oom, error: String::new() },
            lines.iter().map(ToString::to_string).collect(),
        );
    }
    let address = format!("{ip}:{port}");
    let Some(listener) = bind(&address) else { return Started::PortTaken(address) };
    listener.set_nonblocking(true).unwrap();
    let (paused, frozen) = watch::channel(false);
    let text = match kind.main_file().map(|path| state.read(id, path)) {
        Some(None) => return exits(&format!("{}: no configuration file", kind.name())),
        Some(Some(file)) => String::from_utf8(file.content).unwrap(),
        None => String::new(),
    };
    let loaded = Loaded { text, rules: rules(state, id), at: now(), successful: true, manner, demo };
    let loaded = Arc::new(Mutex::new(loaded));
    let task = if kind == Kind::Grafana {
        match grafana(state, id, listener, frozen) {
            Ok(task) => task,
            Err(line) => return exits(&line),
        }
    } else {
        tokio::spawn(family(listener, kind, loaded.clone(), frozen))
    };
    Started::Runs(Server { task, paused, loaded, kind })
}

fn exits(line: &str) -> Started {
    Started::Exits(Exit { code: 1, ..Exit::default() }, vec![line.to_owned()])
}

impl Server {
    /// The feed of the demo data pushes to it.
    pub(crate) fn feed(&self) {
        self.loaded.lock().unwrap().demo |= self.kind == Kind::Pushgateway;
    }
}

/// SIGHUP: the files are read again.
pub(crate) fn hang_up(state: &mut State, id: &str) {
    let Some(kind) = state.container(id).and_then(|container| Some(container.server.as_ref()?.kind)) else { return };
    let Some(path) = kind.main_file() else { return };
    let text = state.read(id, path).map(|file| String::from_utf8(file.content).unwrap());
    let manner = state.manners.get(&kind).cloned();
    let rules = rules(state, id);
    let container = state.container(id).unwrap();
    let loaded = container.server.as_ref().unwrap().loaded.clone();
    let mut loaded = loaded.lock().unwrap();
    match (manner, text) {
        (Some(Manner::RefusesReload), _) | (_, None) => {
            loaded.successful = false;
            container.say("level=ERROR msg=\"Error reloading config\" err=\"line 3: field scrap not found\"");
        }
        (Some(Manner::KeepsOld), _) => loaded.at = now(),
        (_, Some(text)) => {
            let (manner, demo) = (loaded.manner.clone(), loaded.demo);
            *loaded = Loaded { text, rules, at: now(), successful: true, manner, demo };
        }
    }
}

/// What a Prometheus says of the rules in its files, before the first evaluation has found anything.
fn rules(state: &mut State, id: &str) -> Value {
    let folder = "/etc/prometheus/rules";
    let volume = state.container(id).and_then(|container| container.volume_of(folder));
    let Some(volume) = volume.and_then(|(volume, _)| state.volumes.get(&volume)) else { return Value::Null };
    let mut groups = Vec::new();
    for (path, file) in volume.files.iter().filter(|(path, _)| path.starts_with("rules/")) {
        for group in moko_mon::rules::groups(&file.content) {
            let rules = group.rules.iter().map(|rule| {
                let alerting = rule.kind == RuleKind::Alerting;
                json!({
                    "name": rule.name, "query": rule.expression, "health": "ok", "labels": rule.labels,
                    "type": if alerting { "alerting" } else { "recording" },
                    "state": if alerting { "inactive" } else { "" },
                })
            });
            let rules: Vec<Value> = rules.collect();
            groups.push(json!({
                "name": group.name, "file": format!("/etc/prometheus/{path}"), "interval": 15, "rules": rules,
            }));
        }
    }
    let mut answer = json!({"status": "success", "data": {"groups": groups}});
    (state.evaluate)(&mut answer["data"]["groups"]);
    answer
}

/// Seconds, later at every call.
fn now() -> f64 {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    1.8e9 + f64::from(CALLS.fetch_add(1, Ordering::Relaxed)) / 1000.0
}

/// Prometheus, Alertmanager and Pushgateway.
async fn family(
    listener: std::net::TcpListener,
    kind: Kind,
    loaded: Arc<Mutex<Loaded>>,
    frozen: watch::Receiver<bool>,
) {
    let listener = TcpListener::from_std(listener).unwrap();
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (loaded, frozen) = (loaded.clone(), frozen.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            let (loaded, mut frozen) = (loaded.clone(), frozen.clone());
            async move {
                let _ = frozen.wait_for(|frozen| !frozen).await;
                let (method, path) = (request.method().as_str(), request.uri().path());
                let (status, body) = page(kind, &mut loaded.lock().unwrap(), method, path);
                Ok::<_, Infallible>(Response::builder().status(status).body(Full::<Bytes>::from(body)).unwrap())
            }
        });
        connections.spawn(async move {
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

fn page(kind: Kind, loaded: &mut Loaded, method: &str, path: &str) -> (u16, String) {
    match path {
        "/metrics/job/moko-mon-demo/demo/true/instance/demo-host-1" if method == "DELETE" => {
            loaded.demo = false;
            (202, String::new())
        }
        "/metrics" if kind == Kind::Pushgateway => {
            (200, if loaded.demo { "push_time_seconds{demo=\"true\"} 1\n".to_owned() } else { String::new() })
        }
        "/api/v1/label/__name__/values" => {
            (200, json!({"status": "success", "data": if loaded.demo { vec!["ALERTS"] } else { vec![] }}).to_string())
        }
        "/-/ready" if matches!(loaded.manner, Some(Manner::NeverReady)) => (503, "Service Unavailable".to_owned()),
        "/-/ready" => (200, "OK".to_owned()),
        "/metrics" => {
            let name = format!("{}_config_last_reload", kind.name());
            let (at, successful) = (loaded.at, u8::from(loaded.successful));
            let text = format!(
                "# TYPE {name}_successful gauge\n{name}_successful {successful}\n{name}_success_timestamp_seconds {at}\n"
            );
            (200, text)
        }
        "/api/v1/status/config" => (200, json!({"status": "success", "data": {"yaml": loaded.text}}).to_string()),
        "/api/v1/label/script_name/values" => (200, json!({"status": "success", "data": ["backup.sh"]}).to_string()),
        "/api/v1/rules" => (200, loaded.rules.to_string()),
        "/api/v2/status" => (200, json!({"config": {"original": loaded.text}}).to_string()),
        _ => (404, "404 page not found".to_owned()),
    }
}

/// Grafana's stand-in, with its data in the volume; every request and its answer's status are written down.
fn grafana(
    state: &mut State,
    id: &str,
    listener: std::net::TcpListener,
    frozen: watch::Receiver<bool>,
) -> Result<tokio::task::JoinHandle<()>, String> {
    let container = state.container(id).unwrap();
    let environment = container.config["Env"].as_array().cloned().unwrap_or_default();
    let setting = |name: &str| {
        let found = environment.iter().filter_map(|line| line.as_str()?.split_once('='));
        found.filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).next_back().unwrap_or_default()
    };
    let user = container.config["User"].as_str().unwrap_or_default();
    let uid: u64 = user.split(':').next().unwrap_or_default().parse().unwrap();
    let data = container.volume_of("/var/lib/grafana").ok_or("there is no data volume")?.0;
    let mut secret = |name: &str| {
        let setting = setting(name);
        let path = setting.strip_prefix("$__file{").and_then(|rest| rest.strip_suffix('}'));
        let path = path.ok_or_else(|| format!("{name} is no file"))?;
        let file = state.read(id, path).ok_or_else(|| format!("{path}: no such file or directory"))?;
        let readable = file.owner.0 == uid && file.owner.2 == 0o400;
        if !readable {
            return Err(format!("{path}: permission denied"));
        }
        Ok(String::from_utf8(file.content).unwrap())
    };
    let password = secret("GF_SECURITY_ADMIN_PASSWORD")?;
    secret("GF_SECURITY_SECRET_KEY")?;
    let disk: PathBuf = state.volumes[&data].disk.path().to_owned();
    let server = grafana_stand_in::Server::open(disk, &setting("GF_SECURITY_ADMIN_USER"), &password, false)?;
    let requests = state.grafana_requests.clone();
    let record = move |request: AxumRequest, next: Next| {
        let (requests, mut frozen) = (requests.clone(), frozen.clone());
        async move {
            let _ = frozen.wait_for(|frozen| !frozen).await;
            let line = format!("{} {}", request.method(), request.uri().path());
            let response = next.run(request).await;
            requests.lock().unwrap().push(format!("{} {line}", response.status().as_u16()));
            response
        }
    };
    let router = grafana_stand_in::router(Arc::new(server)).layer(middleware::from_fn(record));
    Ok(tokio::spawn(async move {
        let listener = TcpListener::from_std(listener).unwrap();
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            let service = hyper_util::service::TowerToHyperService::new(router.clone());
            connections.spawn(async move {
                let _ =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    }))
}

/// Binds an address; one that is in use gets a second: a program that another test starts at this moment holds copies of
/// all our sockets between its fork and its exec.
fn bind(address: &str) -> Option<std::net::TcpListener> {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(1);
    loop {
        match std::net::TcpListener::bind(address) {
            Ok(listener) => return Some(listener),
            Err(_) if std::time::Instant::now() > deadline => return None,
            Err(_) => std::thread::sleep(std::time::Duration::from_millis(5)),
        }
    }
}
