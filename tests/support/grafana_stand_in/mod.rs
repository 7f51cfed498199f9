//! A stand-in for Grafana: the API that moko-mon uses and no more, with the very answers of Grafana 9.4.
//!
//! It is for machines that cannot get Grafana's image, and for tests; it draws no dashboards. What it answers was
//! recorded from a 9.4.0-pre; `tests/grafana_contract.rs` runs one suite against both. Its state lies in the data
//! directory as JSON and survives a restart.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

mod dashboards;
mod data_sources;
mod disk;
mod folders;
mod frames;
mod login;
mod query;
mod search;
mod store;
mod variables;

pub(crate) use login::{Logins, reset_admin_password};

use store::Store;

/// What `/api/health` calls itself.
pub(crate) const VERSION: &str = "9.4.0-stand-in";

/// A running stand-in's memory.
pub(crate) struct Server {
    data_dir: PathBuf,
    store: Mutex<Store>,
    logins: Logins,
    http: reqwest::Client,
    log_requests: bool,
}

type App = State<Arc<Server>>;

impl Server {
    /// Opens the data directory; an empty one gets this admin.
    pub(crate) fn open(data_dir: PathBuf, user: &str, password: &str, log_requests: bool) -> Result<Self, String> {
        std::fs::create_dir_all(&data_dir).map_err(|error| format!("{}: {error}", data_dir.display()))?;
        let store = disk::read(&data_dir.join(store::FILE))?.unwrap_or_default();
        let logins = Logins::open(&data_dir, user, password)?;
        let http = moko_mon::http::plain().no_proxy().build().map_err(|error| error.to_string())?;
        Ok(Self { data_dir, store: Mutex::new(store), logins, http, log_requests })
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, and the file with it if the change came about.
    fn change<T>(&self, change: impl FnOnce(&mut Store) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let mut store = self.store();
        let mut next = store.clone();
        let done = change(&mut next)?;
        disk::write(&self.data_dir.join(store::FILE), &next).map_err(|error| refuse(500, &error))?;
        *store = next;
        Ok(done)
    }
}

/// An error answer: status and body.
type Refusal = (StatusCode, Json<Value>);
/// What every handler gives.
type Reply = Result<Json<Value>, Refusal>;

/// Grafana's plain error body.
fn refuse(status: u16, message: &str) -> Refusal {
    refuse_with(status, json!({ "message": message }))
}

/// The error body that comes with an (empty) trace id, as 9.4 gives it where an inner error is behind.
fn refuse_traced(status: u16, message: &str) -> Refusal {
    refuse_with(status, json!({ "message": message, "traceID": "" }))
}

fn refuse_with(status: u16, body: Value) -> Refusal {
    (StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), Json(body))
}

/// The routes.
pub(crate) fn router(server: Arc<Server>) -> Router {
    Router::new()
        .route("/api/health", get(health))
        .route("/api/org", get(org))
        .route("/api/search", get(search::search))
        .route("/api/datasources", get(data_sources::list).post(data_sources::create))
        .route(
            "/api/datasources/uid/{uid}",
            get(data_sources::read).put(data_sources::update).delete(data_sources::delete),
        )
        .route("/api/datasources/uid/{uid}/health", get(data_sources::health))
        .route("/api/datasources/uid/{uid}/resources/{*rest}", get(query::resources).post(query::resources))
        .route("/api/datasources/proxy/uid/{uid}/{*rest}", get(query::proxy).post(query::proxy))
        .route("/api/ds/query", post(query::query))
        .route("/api/folders", post(folders::create))
        .route("/api/folders/{uid}", get(folders::read).put(folders::update).delete(folders::delete))
        .route("/api/dashboards/db", post(dashboards::save))
        .route("/api/dashboards/uid/{uid}", get(dashboards::read).delete(dashboards::delete))
        .route("/api/dashboards/uid/{uid}/versions", get(dashboards::versions))
        .route("/api/dashboards/uid/{uid}/versions/{version}", get(dashboards::version))
        .route("/login", get(page))
        .route("/metrics", get(metrics))
        .fallback(elsewhere)
        .method_not_allowed_fallback(elsewhere)
        .layer(middleware::from_fn_with_state(server.clone(), login::guard))
        .layer(middleware::from_fn_with_state(server.clone(), log))
        .with_state(server)
}

async fn health() -> Json<Value> {
    Json(json!({ "commit": "none", "database": "ok", "version": VERSION }))
}

async fn org() -> Json<Value> {
    let address = json!({ "address1": "", "address2": "", "city": "", "zipCode": "", "state": "", "country": "" });
    Json(json!({ "id": 1, "name": "Main Org.", "address": address }))
}

/// Open to everybody on the network, as Grafana's own is.
async fn metrics() -> String {
    format!("# TYPE grafana_build_info gauge\ngrafana_build_info{{edition=\"stand-in\",version=\"{VERSION}\"}} 1\n")
}

async fn page() -> Html<&'static str> {
    Html(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Grafana stand-in</title>\
         <body style=\"font-family: sans-serif; max-width: 40em; margin: 4em auto\">\
         <h1>This is moko-mon's stand-in, not Grafana</h1>\
         <p>It holds the data source, folders and dashboards that moko-mon imports and answers Grafana's API for \
         them, but it draws no panels. It runs where no registry gave Grafana's image. Where one does, \
         <code>moko-mon up</code> runs the real one.</p></body></html>",
    )
}

async fn elsewhere(request: Request) -> Response {
    if request.uri().path().starts_with("/api") {
        refuse(404, "Not found").into_response()
    } else {
        Redirect::to("/login").into_response()
    }
}

/// One line per request on standard output.
async fn log(State(server): App, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    if server.log_requests {
        let (status, time) = (response.status().as_u16(), began.elapsed());
        // A reader that went away (`docker logs` through a pipe) is no reason to stop serving.
        let mut out = std::io::stdout().lock();
        let _ = std::io::Write::write_all(
            &mut out,
            format!("method={method} path={path} status={status} duration={time:.1?}\n").as_bytes(),
        );
    }
    response
}
