//! The web services of chats and pagers: each on a path of its own, with the answers that it gives, or what a test wants.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request as Incoming, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

/// A service. Its base is `http://HOST:PORT/NAME`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Slack,
    Pagerduty,
    Teams,
    Opsgenie,
    Discord,
    Telegram,
    Webhook,
}

impl Service {
    pub(crate) const ALL: [Self; 7] =
        [Self::Slack, Self::Pagerduty, Self::Teams, Self::Opsgenie, Self::Discord, Self::Telegram, Self::Webhook];

    /// The first part of its paths.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Pagerduty => "pagerduty",
            Self::Teams => "teams",
            Self::Opsgenie => "opsgenie",
            Self::Discord => "discord",
            Self::Telegram => "telegram",
            Self::Webhook => "webhook",
        }
    }

    /// Whether a request is one that the service's documentation describes; `Err` says what it would refuse.
    pub(crate) fn check(self, request: &Request) -> Result<(), String> {
        match self {
            Self::Slack => super::chats::slack(request),
            Self::Teams => super::chats::teams(request),
            Self::Discord => super::chats::discord(request),
            Self::Telegram => super::chats::telegram(request),
            Self::Pagerduty => super::pagers::pagerduty(request),
            Self::Opsgenie => super::pagers::opsgenie(request),
            Self::Webhook => super::pagers::webhook(request),
        }
    }

    /// What it says when all is well.
    fn thanks(self) -> Response {
        let accepted = |body: Value| (StatusCode::ACCEPTED, axum::Json(body)).into_response();
        match self {
            Self::Slack => "ok".into_response(),
            Self::Pagerduty => accepted(json!({"status": "success", "message": "Event processed", "dedup_key": "k"})),
            Self::Opsgenie => accepted(json!({"result": "Request will be processed", "took": 0.1, "requestId": "r"})),
            Self::Teams => StatusCode::ACCEPTED.into_response(),
            Self::Discord => StatusCode::NO_CONTENT.into_response(),
            Self::Telegram => {
                let message = json!({"message_id": 1, "date": 1, "chat": {"id": -1, "type": "group"}});
                axum::Json(json!({"ok": true, "result": message})).into_response()
            }
            Self::Webhook => StatusCode::OK.into_response(),
        }
    }
}

/// What came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) service: Service,
    pub(crate) method: String,
    /// Path and query behind the name of the service.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Request {
    /// A header's value, empty for none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body, which has to be said to be JSON, and to be it.
    pub(crate) fn json(&self) -> Result<Value, String> {
        let kind = self.header("content-type");
        if !kind.starts_with("application/json") {
            return Err(format!("Content-Type is `{kind}`"));
        }
        serde_json::from_str(&self.body).map_err(|error| format!("{error}: {}", self.body))
    }
}

/// How a service answers.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// As when all is well.
    Thanks,
    /// This status and body.
    Status(u16, &'static str),
    /// 429, and when to come again.
    TooMany(u64),
    /// Not at all.
    Never,
}

/// The services; they run until the test process ends.
pub(crate) struct HttpSink {
    pub(crate) port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    requests: Mutex<Vec<Request>>,
    answers: Mutex<Vec<(Service, Answer)>>,
}

impl HttpSink {
    pub(crate) fn start() -> Self {
        let listener = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared { requests: Mutex::default(), answers: Mutex::default() });
        let app = Router::new().fallback(serve).with_state(Arc::clone(&shared));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                axum::serve(tokio::net::TcpListener::from_std(listener).unwrap(), app).await.unwrap();
            });
        });
        Self { port, shared }
    }

    /// The address of a service, as a container sees it.
    pub(crate) fn url(&self, service: Service) -> String {
        format!("http://{}:{}/{}", super::HOST, self.port, service.name())
    }

    /// From now on a service answers like this.
    pub(crate) fn answer(&self, service: Service, answer: Answer) {
        let mut answers = self.shared.answers.lock().unwrap();
        answers.retain(|(known, _)| *known != service);
        answers.push((service, answer));
    }

    /// What has come for a service, oldest first.
    pub(crate) fn requests(&self, service: Service) -> Vec<Request> {
        let requests = self.shared.requests.lock().unwrap();
        requests.iter().filter(|request| request.service == service).cloned().collect()
    }
}

async fn serve(State(shared): State<Arc<Shared>>, incoming: Incoming<Body>) -> Response {
    let (head, body) = incoming.into_parts();
    let path = head.uri.path_and_query().map_or("/", axum::http::uri::PathAndQuery::as_str).to_owned();
    let rest = |service: &Service| Some((*service, path.strip_prefix('/')?.strip_prefix(service.name())?.to_owned()));
    let Some((service, path)) = Service::ALL.iter().find_map(rest) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Ok(body) = to_bytes(body, 1 << 24).await else { return StatusCode::BAD_REQUEST.into_response() };
    let body = String::from_utf8_lossy(&body).into_owned();
    shared.requests.lock().unwrap().push(Request {
        service,
        method: head.method.to_string(),
        path,
        headers: head.headers,
        body,
    });
    let answer = shared.answers.lock().unwrap().iter().find(|(known, _)| *known == service).map(|(_, how)| how.clone());
    match answer.unwrap_or(Answer::Thanks) {
        Answer::Thanks => service.thanks(),
        Answer::Status(status, body) => (StatusCode::from_u16(status).unwrap(), body).into_response(),
        Answer::TooMany(seconds) => {
            (StatusCode::TOO_MANY_REQUESTS, [("Retry-After", seconds.to_string())], "slow down").into_response()
        }
        // Longer than any test; the client gives up before.
        Answer::Never => {
            tokio::time::sleep(Duration::from_secs(86_400)).await;
            StatusCode::OK.into_response()
        }
    }
}
