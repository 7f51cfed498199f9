//! Questions to the servers over HTTP.

use std::time::Duration;

use serde_json::Value;

/// A status and a body; status 0 when nobody answered, with the reason as the body.
pub(crate) type Answer = (u16, String);

/// One request; `login` is user and password.
pub(crate) fn request(method: &str, url: &str, login: Option<(&str, &str)>, body: Option<&str>) -> Answer {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = moko_mon::http::plain().no_proxy().timeout(Duration::from_secs(20)).build().unwrap();
        let mut request = client.request(method.parse().unwrap(), url);
        if let Some((user, password)) = login {
            request = request.basic_auth(user, Some(password));
        }
        if let Some(body) = body {
            request = request.body(body.to_owned());
            if body.starts_with(['{', '[']) {
                request = request.header("Content-Type", "application/json");
            }
        }
        match request.send().await {
            Ok(answer) => (answer.status().as_u16(), answer.text().await.unwrap_or_default()),
            Err(failed) => (0, format!("{failed:?}")),
        }
    })
}

/// `GET` without a login.
pub(crate) fn get(url: &str) -> Answer {
    request("GET", url, None, None)
}

/// The JSON of a successful `GET`.
pub(crate) fn json(url: &str) -> Result<Value, String> {
    match get(url) {
        (200, body) => serde_json::from_str(&body).map_err(|error| format!("{error}: {body}")),
        other => Err(format!("{url}: {other:?}")),
    }
}
