//! A stateful stand-in for a Docker engine: answers over HTTP like Engine 20.10, quirks included.
//!
//! It holds containers, networks, volumes, images, files and logs, runs little servers on the published ports, writes
//! down every call in order, and fails, hangs or loses a call when told to. What it does not know it answers with 501
//! and the name of the call, so that a new call in `src/docker` is noticed.

mod answer;
mod call;
mod files;
mod images;
mod logs;
mod run;
mod state;

use std::convert::Infallible;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub(crate) use call::Call;
pub(crate) use images::Pull;
pub(crate) use state::{Container, Exit, File, State, Status};

/// How long a test waits for something that has to happen; only a bug makes it wait so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) type Body = UnsyncBoxBody<Bytes, Infallible>;
pub(crate) type Reply = Response<Body>;

/// What happens to a call instead of the usual.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// It is answered with this status and message, and nothing is done.
    Refuse(u16, &'static str),
    /// It is not answered, ever.
    Hang,
    /// The connection is closed before anything is done.
    LoseRequest,
    /// It is done, and the connection is closed before the answer.
    LoseReply,
    /// It is done and answered once the test says [`Engine::release`].
    Hold,
}

/// A running engine; it ends with the value.
pub(crate) struct Engine {
    shared: Arc<Shared>,
    handle: tokio::runtime::Handle,
    stop: CancellationToken,
}

/// What the handlers share with the test.
pub(crate) struct Shared {
    state: Mutex<State>,
    called: Condvar,
    released: watch::Sender<bool>,
}

impl Shared {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// An engine on a Unix socket.
    pub(crate) fn on_socket(path: &Path) -> Self {
        let listener = std::os::unix::net::UnixListener::bind(path).unwrap();
        listener.set_nonblocking(true).unwrap();
        Self::start(|shared| async move {
            let listener = tokio::net::UnixListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(connection(stream, shared.clone()));
            }
        })
    }

    /// An engine on a TCP port, and its address.
    pub(crate) fn on_tcp() -> (Self, String) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = format!("tcp://{}", listener.local_addr().unwrap());
        let engine = Self::start(|shared| async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(connection(stream, shared.clone()));
            }
        });
        (engine, address)
    }

    fn start<F: Future<Output = ()> + Send + 'static>(accept: impl FnOnce(Arc<Shared>) -> F) -> Self {
        let (released, _) = watch::channel(false);
        let shared = Arc::new(Shared { state: Mutex::new(State::default()), called: Condvar::new(), released });
        let accept = accept(shared.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let handle = runtime.handle().clone();
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept => {}
                    () = stopped => {}
                }
            });
            runtime.shutdown_background();
        });
        Self { shared, handle, stop }
    }

    /// Looks at or changes what the engine holds.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.shared.state())
    }

    /// From now on, the `nth` call (from 1) that matches meets this fault. A pattern is a whole line of
    /// [`Self::calls`], or its beginning and `*`.
    pub(crate) fn fault(&self, pattern: &str, nth: usize, fault: Fault) {
        self.shared.released.send_replace(false);
        self.with(|state| state.faults.push((pattern.to_owned(), nth, fault)));
    }

    /// Lets held calls go on and takes all faults back.
    pub(crate) fn release(&self) {
        self.with(|state| state.faults.clear());
        self.shared.released.send_replace(true);
    }

    /// Waits until `count` calls that match have arrived.
    pub(crate) fn wait_for(&self, pattern: &str, count: usize) {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.shared.state();
        while state.calls.iter().filter(|call| matches(pattern, &call.line)).count() < count {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no {count} × `{pattern}` in {:#?}", lines(&state.calls));
            state = self.shared.called.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Forgets the calls so far.
    pub(crate) fn forget(&self) {
        self.with(|state| state.calls.clear());
    }

    /// Every call since the last [`Self::forget`], in order: method, path with names for ids, what matters of the query.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.with(|state| lines(&state.calls))
    }

    /// The calls that change something, in order; those of one component where a name is given.
    pub(crate) fn writes(&self, about: &str) -> Vec<String> {
        let mut calls = self.calls();
        calls.retain(|line| !line.starts_with("GET ") && !line.starts_with("HEAD ") && line.contains(about));
        calls
    }

    /// A file of a volume.
    pub(crate) fn file(&self, volume: &str, name: &str) -> Option<File> {
        self.with(|state| state.volumes.get(volume)?.files.get(name).cloned())
    }

    /// The generated Grafana password.
    pub(crate) fn password(&self) -> String {
        let file = self.file("moko-mon-grafana-secrets", "admin-password").expect("a password");
        String::from_utf8(file.content).unwrap()
    }

    /// What the stand-in for Grafana was asked: `401 GET /api/org`.
    pub(crate) fn grafana_requests(&self) -> Vec<String> {
        self.with(|state| state.grafana_requests.lock().unwrap().clone())
    }

    /// Ends a container's server as the engine sees it.
    pub(crate) fn set_status(&self, name: &str, status: Status) {
        let server = self.with(|state| {
            let container = state.named(name).expect("such a container");
            container.status = status;
            container.server.take()
        });
        if let Some(server) = server {
            self.handle.block_on(server.end());
        }
    }

    /// Takes all manners back, those of running servers too: what was slow or broken is well again.
    pub(crate) fn heal(&self) {
        self.with(|state| {
            state.manners.clear();
            state.containers.iter().filter_map(|of| of.server.as_ref()).for_each(|server| server.behave(None));
        });
    }

    /// Freezes a container: its server takes connections and answers none.
    pub(crate) fn pause(&self, name: &str) {
        self.with(|state| {
            let container = state.named(name).expect("such a container");
            container.status = Status::Paused;
            container.server.as_ref().expect("a running server").pause(true);
        });
    }

    /// Removes a container behind moko-mon's back.
    pub(crate) fn remove(&self, name: &str) {
        let removed = self.with(|state| {
            let at = state.containers.iter().position(|container| container.name == name).expect("such a container");
            state.containers.remove(at)
        });
        if let Some(server) = removed.server {
            self.handle.block_on(server.end());
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn lines(calls: &[Call]) -> Vec<String> {
    calls.iter().map(|call| call.line.clone()).collect()
}

/// Whether a line is the pattern, or begins with what stands before its `*`.
fn matches(pattern: &str, line: &str) -> bool {
    pattern.strip_suffix('*').map_or(line == pattern, |start| line.starts_with(start))
}

async fn connection(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, shared: Arc<Shared>) {
    let service = service_fn(move |request| handle(shared.clone(), request));
    // A lost reply ends the connection with an error, which is its purpose.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
}

/// The reason why a connection ends without an answer.
#[derive(Debug)]
struct Lost;

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("lost as the test asked")
    }
}

impl std::error::Error for Lost {}

async fn handle(shared: Arc<Shared>, mut request: Request<Incoming>) -> Result<Reply, Lost> {
    let upgrade = request.headers().contains_key(hyper::header::UPGRADE).then(|| hyper::upgrade::on(&mut request));
    let mut call = Call::read(request).await;
    let fault = {
        let mut state = shared.state();
        call.name(&state);
        state.calls.push(call.clone());
        state.next_fault(&call.line)
    };
    shared.called.notify_all();
    match fault {
        Some(Fault::Refuse(status, message)) => return Ok(answer::refuse(status, message)),
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::LoseRequest) => return Err(Lost),
        Some(Fault::Hold) => {
            let mut released = shared.released.subscribe();
            let _ = released.wait_for(|released| *released).await;
        }
        Some(Fault::LoseReply) | None => {}
    }
    let reply = answer::answer(&shared, &call, upgrade).await;
    if let Some(Fault::LoseReply) = fault { Err(Lost) } else { Ok(reply) }
}
