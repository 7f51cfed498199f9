//! The one user, and the lock after five wrong passwords.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Server, disk, refuse, refuse_traced};

/// The file in the data directory. It is apart from the rest because the command line writes it, too.
const FILE: &str = "grafana-stand-in-admin.json";
/// `pkg/services/loginattempt` of 9.4: a right password in between does not set the count back.
const MAX_WRONG: usize = 5;
const WINDOW: Duration = Duration::from_secs(5 * 60);

#[derive(Serialize, Deserialize)]
struct Admin {
    user: String,
    salt: String,
    hash: String,
}

impl Admin {
    fn new(user: &str, password: &str) -> Result<Self, String> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|error| error.to_string())?;
        let salt = STANDARD.encode(salt);
        Ok(Self { user: user.into(), hash: hash(&salt, password), salt })
    }

    fn is(&self, user: &str, password: &str) -> bool {
        self.user == user && self.hash == hash(&self.salt, password)
    }
}

fn hash(salt: &str, password: &str) -> String {
    STANDARD.encode(Sha256::digest(format!("{salt}:{password}")))
}

/// Who may log in, and who tried in vain.
pub(crate) struct Logins {
    file: PathBuf,
    wrong: Mutex<Vec<Instant>>,
}

impl Logins {
    /// The password counts only on the first start of an empty directory, as Grafana's does.
    pub(super) fn open(data_dir: &Path, user: &str, password: &str) -> Result<Self, String> {
        let file = data_dir.join(FILE);
        if disk::read::<Admin>(&file)?.is_none() {
            disk::write(&file, &Admin::new(user, password)?)?;
        }
        Ok(Self { file, wrong: Mutex::default() })
    }

    /// Reads the file every time: a reset from the command line counts at once.
    fn check(&self, user: &str, password: &str) -> bool {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        wrong.retain(|at| at.elapsed() < WINDOW);
        let Ok(Some(admin)) = disk::read::<Admin>(&self.file) else { return false };
        if wrong.len() >= MAX_WRONG {
            return false;
        }
        let right = admin.is(user, password);
        // Grafana counts per user, and nothing for a name that it does not know.
        if !right && admin.user == user {
            wrong.push(Instant::now());
        }
        right
    }
}

/// `grafana cli admin reset-admin-password`: sets the password of a running or stopped stand-in.
pub(crate) fn reset_admin_password(data_dir: &Path, password: &str) -> Result<(), String> {
    let file = data_dir.join(FILE);
    let admin = disk::read::<Admin>(&file)?.ok_or("there is no admin yet: start the server first")?;
    disk::write(&file, &Admin::new(&admin.user, password)?)
}

/// Lets nobody but the admin at the API, except for `/api/health`, unless everybody is a viewer.
pub(super) async fn guard(State(server): State<Arc<Server>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if !path.starts_with("/api") || path == "/api/health" {
        return next.run(request).await;
    }
    let Some(header) = request.headers().get(AUTHORIZATION) else {
        // Whoever is let in without a login may look and not change.
        let anonymous = std::env::var("GF_AUTH_ANONYMOUS_ENABLED").is_ok_and(|value| value == "true");
        if anonymous && request.method() == axum::http::Method::GET {
            return next.run(request).await;
        }
        return refuse(401, "Unauthorized").into_response();
    };
    match header.to_str().ok().and_then(decode) {
        None => refuse_traced(401, "Invalid Basic Auth Header").into_response(),
        Some((user, password)) if server.logins.check(&user, &password) => next.run(request).await,
        Some(_) => refuse_traced(401, "invalid username or password").into_response(),
    }
}

fn decode(header: &str) -> Option<(String, String)> {
    let bytes = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
    let (user, password) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
    Some((user.into(), password.into()))
}
