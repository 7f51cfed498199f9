//! Where the suite runs: a stand-in of its own per case, or the one real Grafana that the environment names.

use std::collections::HashMap;
use std::env;
use std::future::Future;
use std::path::PathBuf;
use std::sync::{Arc, Mutex as StdMutex};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::{Body, Bytes};
use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use moko_mon::http::grafana::{Content, Dashboard, DataSource, Folder, Grafana};
use moko_mon::http::{Answer, Http, Login};
use moko_mon::secret::Secret;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, MutexGuard};

use crate::grafana_stand_in::{Server, router};

/// One real Grafana has one default data source and one count of wrong logins: one case at a time.
static REAL: Mutex<()> = Mutex::const_new(());

/// A Grafana to talk to.
pub(crate) struct Site {
    pub(crate) base: String,
    pub(crate) login: Login,
    /// A Prometheus that this Grafana reaches.
    pub(crate) prometheus: String,
    pub(crate) data_dir: PathBuf,
    /// Differs from case to case and from run to run.
    mark: String,
    real: bool,
    _dir: TempDir,
    _turn: Option<MutexGuard<'static, ()>>,
}

impl Site {
    /// A real one if `GRAFANA_CONTRACT_URL` names it, else a fresh stand-in.
    pub(crate) async fn open(case: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        let (mark, data_dir) = (format!("{case}-{:x}", nanos % 0xffff_ffff), dir.path().to_path_buf());
        let variable = |name: &str, default: &str| env::var(name).unwrap_or_else(|_| default.into());
        if let Ok(base) = env::var("GRAFANA_CONTRACT_URL") {
            let password = Secret::new(variable("GRAFANA_CONTRACT_PASSWORD", "admin"));
            let login = Login { user: variable("GRAFANA_CONTRACT_USER", "admin"), password };
            let prometheus = variable("GRAFANA_CONTRACT_PROMETHEUS_URL", "http://127.0.0.1:19090");
            let turn = Some(REAL.lock().await);
            return Self { base, login, prometheus, data_dir, mark, real: true, _dir: dir, _turn: turn };
        }
        let login = Login { user: "admin".into(), password: Secret::new("right") };
        let base = stand_in(&data_dir, "right").await;
        let prometheus = serve(Router::new().fallback(prometheus)).await;
        Self { base, login, prometheus, data_dir, mark, real: false, _dir: dir, _turn: None }
    }

    pub(crate) fn client(&self) -> Grafana {
        self.client_at(&self.base)
    }

    pub(crate) fn client_at(&self, base: &str) -> Grafana {
        Grafana::new(&http(), base, &self.login.user, self.login.password.clone())
    }

    /// Whether to leave the case out, and says so.
    #[expect(clippy::print_stdout, reason = "a skipped case is to be seen")]
    pub(crate) fn skip_on_real(&self, why: &str) -> bool {
        if self.real {
            println!("skipped on a real Grafana: {}: {why}", self.mark);
        }
        self.real
    }

    /// Content that no other case has: a data source, a folder and two dashboards.
    pub(crate) fn content(&self) -> Content {
        let mark = &self.mark;
        let mut data_source = DataSource::ours(&self.prometheus, "5s");
        data_source.uid = format!("ds-{mark}");
        data_source.name = format!("Source {mark}");
        let dashboard = |letter: &str| {
            let (uid, title) = (format!("{letter}-{mark}"), format!("Dashboard {letter} {mark}"));
            let target = json!({ "type": "prometheus", "uid": data_source.uid });
            let panel = json!({
                "id": 1, "type": "stat", "title": "Up", "gridPos": { "x": 0, "y": 0, "w": 6, "h": 4 },
                "datasource": target, "targets": [{ "refId": "A", "expr": "up", "datasource": target }],
            });
            let json = json!({
                "id": null, "uid": uid, "title": title, "tags": ["moko-mon"], "schemaVersion": 37, "panels": [panel],
            });
            Dashboard { uid, title, json, origin: format!("{letter}.json") }
        };
        Content {
            dashboards: vec![dashboard("a"), dashboard("b")],
            folder: Folder { uid: format!("f-{mark}"), title: format!("Folder {mark}") },
            data_source,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        http().get(&format!("{}{path}", self.base), Some(&self.login)).await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        http().post(&format!("{}{path}", self.base), Some(&self.login), &body).await.unwrap()
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        http().put(&format!("{}{path}", self.base), Some(&self.login), &body).await.unwrap()
    }

    /// A user whom a case may lock out: on a real Grafana not the one that every case needs.
    pub(crate) async fn victim(&self) -> Login {
        if !self.real {
            return self.login.clone();
        }
        let user = format!("user-{}", self.mark);
        let body = json!({ "name": user, "login": user, "email": format!("{user}@localhost"), "password": "right" });
        let answer = self.post("/api/admin/users", body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        Login { user, password: Secret::new("right") }
    }

    /// The same Grafana behind a door that gives these answers itself: method and path (without query), status, body.
    /// Each is given once, in order; what is not listed goes through.
    pub(crate) async fn scripted(&self, answers: &[(&str, String, u16, Value)]) -> String {
        let mut script: HashMap<String, Vec<(u16, Value)>> = HashMap::new();
        for (method, path, status, body) in answers.iter().rev() {
            script.entry(format!("{method} {path}")).or_default().push((*status, body.clone()));
        }
        let door = Arc::new(Door { base: self.base.clone(), script: StdMutex::new(script) });
        serve(Router::new().fallback(pass).with_state(door)).await
    }
}

pub(crate) fn http() -> Http {
    Http::new().unwrap()
}

/// Starts a stand-in on this data directory.
pub(crate) async fn stand_in(data_dir: &std::path::Path, password: &str) -> String {
    serve(router(Arc::new(Server::open(data_dir.into(), "admin", password, false).unwrap()))).await
}

/// Serves for as long as the test runs.
pub(crate) async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, router).await });
    format!("http://{address}")
}

struct Door {
    base: String,
    script: StdMutex<HashMap<String, Vec<(u16, Value)>>>,
}

async fn pass(State(door): State<Arc<Door>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let key = format!("{} {}", parts.method, parts.uri.path());
    let scripted = door.script.lock().unwrap().get_mut(&key).and_then(Vec::pop);
    if let Some((status, body)) = scripted {
        let status = StatusCode::from_u16(status).unwrap();
        // A string stands for a body that is no JSON.
        return body
            .as_str()
            .map_or_else(|| (status, Json(&body)).into_response(), |text| (status, text.to_owned()).into_response());
    }
    let body: Bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let url = format!("{}{}", door.base, parts.uri);
    let client = moko_mon::http::plain().no_proxy().build().unwrap();
    let answer = client.request(parts.method, url).headers(parts.headers).body(body).send().await.unwrap();
    (answer.status(), Body::from(answer.bytes().await.unwrap())).into_response()
}

/// A Prometheus that knows `up`, `1+1` and a broken expression.
async fn prometheus(Query(params): Query<HashMap<String, String>>, request: Request) -> Response {
    let expr = params.get("query").cloned().unwrap_or_default();
    let range = request.uri().path().ends_with("query_range");
    let labels = json!({ "__name__": "up", "instance": "localhost:9090", "job": "prometheus" });
    let data = match (expr.as_str(), range) {
        _ if !request.uri().path().starts_with("/api/v1/query") => {
            return (StatusCode::NOT_FOUND, "404 page not found\n").into_response();
        }
        ("up(", _) => {
            let error = "invalid parameter \"query\": 1:4: parse error: unclosed left parenthesis";
            let body = json!({ "status": "error", "errorType": "bad_data", "error": error });
            return (StatusCode::BAD_REQUEST, Json(body)).into_response();
        }
        ("1+1", _) => json!({ "resultType": "scalar", "result": [1.0, "2"] }),
        ("up", false) => json!({ "resultType": "vector", "result": [{ "metric": labels, "value": [1.0, "1"] }] }),
        ("up", true) => {
            json!({ "resultType": "matrix", "result": [{ "metric": labels, "values": [[1.0, "1"], [16.0, "NaN"]] }] })
        }
        // Anything with `$` left in it would be seen here.
        ("count_over_time(up[20s])", false) => {
            json!({ "resultType": "vector", "result": [{ "metric": {}, "value": [1.0, "4"] }] })
        }
        _ => json!({ "resultType": if range { "matrix" } else { "vector" }, "result": [] }),
    };
    Json(json!({ "status": "success", "data": data })).into_response()
}

/// Runs futures that must not be forgotten; gives their results in order.
pub(crate) async fn all<T>(futures: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    futures_util::future::join_all(futures).await
}
