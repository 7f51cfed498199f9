//! What a running server says of itself: whether it is ready, and which configuration it runs.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::alerting::routing::Matcher;
use crate::error::{Code, Error, Result};
use crate::exposition::read;
use crate::http::Http;
use crate::stack::{ComponentSpec, Reload};
use crate::yaml;

/// How long one question to a server may take. They are on the same engine and answer in milliseconds.
pub const ASK: Duration = Duration::from_secs(2);

/// Asks once whether a server is ready; on `Err` the text says what came back.
pub async fn ready(http: &Http, spec: &ComponentSpec) -> Result<(), String> {
    answers(http, &spec.url(), spec.ready_path).await
}

/// Asks once whether a path of a server answers with success; on `Err` the text says what came back.
pub async fn answers(http: &Http, url: &str, path: &str) -> Result<(), String> {
    match http.get_text(&format!("{url}{path}"), ASK).await {
        Ok(_) => Ok(()),
        Err(failed) => Err(failed.causes.last().cloned().unwrap_or(failed.message)),
    }
}

/// When a server last read its files with success (its own clock, seconds), and whether the last try was one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LastReload {
    /// Seconds since the epoch.
    pub at: f64,
    /// Whether the newest try succeeded.
    pub successful: bool,
}

/// Reads the two reload metrics that Prometheus and Alertmanager export under the same names but for a prefix.
pub async fn last_reload(http: &Http, spec: &ComponentSpec, reload: Reload) -> Result<LastReload> {
    let url = format!("{}/metrics", spec.url());
    let text = http.get_text(&url, ASK).await?;
    let title = spec.component.title();
    let metrics = read::parse(&text).map_err(|flaw| {
        Error::new(Code::ReloadFailed, format!("cannot read the metrics of {title}")).cause(flaw.to_string())
    })?;
    let value = |name: &str| {
        let name = format!("{}_config_last_reload_{name}", reload.metrics);
        read::value(&metrics, &name)
            .ok_or_else(|| Error::new(Code::ReloadFailed, format!("{title} does not export `{name}`")))
    };
    Ok(LastReload { at: value("success_timestamp_seconds")?, successful: value("successful")? > 0.5 })
}

/// Waits until a server proves that it has read its files since `before`.
///
/// Proof is a newer success time in its own metrics and its own copy of the configuration, which has to contain what
/// was delivered.
pub async fn prove_reload(
    http: &Http,
    spec: &ComponentSpec,
    reload: Reload,
    before: LastReload,
    deadline: Instant,
) -> Result<()> {
    let failed = |fact: String, then: &str| {
        Error::new(Code::ReloadFailed, format!("{} did not take over its new configuration", spec.component.title()))
            .cause(fact)
            .hint(format!("see why with `moko-mon logs {}`; {then}", spec.component))
    };
    let asked = Instant::now();
    loop {
        let now = last_reload(http, spec, reload).await?;
        if now.at > before.at {
            break;
        }
        if before.successful && !now.successful {
            return Err(failed("it refused the files".to_owned(), "it still runs the old one"));
        }
        if Instant::now() > deadline {
            let waited = crate::ui::human(asked.elapsed());
            return Err(failed(format!("it did not read its files within {waited}"), "`moko-mon up` asks it again"));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    match running_difference(http, spec, reload).await? {
        None => Ok(()),
        Some(difference) => {
            Err(failed(format!("it runs another configuration: {difference}"), "`moko-mon up` delivers it again"))
        }
    }
}

/// In what the configuration that a server runs differs from the one delivered; `None` when it contains all of it.
pub async fn running_difference(http: &Http, spec: &ComponentSpec, reload: Reload) -> Result<Option<String>> {
    let url = format!("{}{}", spec.url(), reload.running_path);
    difference_told(spec, reload, &http.get_text(&url, ASK).await?)
}

/// Like [`running_difference`], with what the server said when it was asked for `reload.running_path`.
pub fn difference_told(spec: &ComponentSpec, reload: Reload, answer: &str) -> Result<Option<String>> {
    let answer: Value = serde_json::from_str(answer).unwrap_or_default();
    let unreadable = || {
        Error::new(Code::ReloadFailed, format!("cannot read the configuration that {} runs", spec.component.title()))
    };
    let text = answer.pointer(reload.running_pointer).and_then(Value::as_str).ok_or_else(unreadable)?;
    let running: Value = yaml::from_str(text).map_err(|_| unreadable())?;
    let delivered = spec.files.iter().find(|file| file.path == reload.main_file).ok_or_else(unreadable)?;
    let delivered: Value = yaml::from_str(&String::from_utf8_lossy(&delivered.content)).map_err(|_| unreadable())?;
    Ok(difference(&delivered, &running, "configuration"))
}

/// The first thing in `ours` that is not in `theirs`. Servers add their defaults and write durations, numbers and
/// secrets in their own way, so equality would be too strict.
fn difference(ours: &Value, theirs: &Value, at: &str) -> Option<String> {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => ours.iter().find_map(|(key, value)| match theirs.get(key) {
            Some(found) if key.ends_with("matchers") && matchers(value) == matchers(found) => None,
            Some(found) => difference(value, found, &format!("{at}.{key}")),
            None => Some(format!("{at}.{key} is missing")),
        }),
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            let pairs = ours.iter().zip(theirs).enumerate();
            pairs.into_iter().find_map(|(index, (ours, theirs))| difference(ours, theirs, &format!("{at}[{index}]")))
        }
        _ if normal(ours) == normal(theirs) || normal(theirs) == "<secret>" => None,
        _ => Some(format!("{at} is `{}`, delivered was `{}`", normal(theirs), normal(ours))),
    }
}

/// The conditions of a route or an inhibition, which Alertmanager sorts and writes in its own way.
fn matchers(value: &Value) -> Option<BTreeSet<String>> {
    let one = |text: &Value| text.as_str().and_then(Matcher::read).map(|matcher| matcher.to_string());
    value.as_array()?.iter().map(one).collect()
}

/// A scalar as both sides would write it.
fn normal(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.replace("$$", "$"),
        other => other.to_string(),
    };
    match text.parse::<crate::config::PromDuration>() {
        // `60s` and `1m` are one duration; a plain 0 is a number.
        Ok(duration) if text != "0" => format!("{} ms", duration.as_duration().as_millis()),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_server_may_add_and_respell_but_not_lose_or_change() {
        let ours = json!({"global": {"scrape_interval": "60s"}, "rule_files": ["a", "b"]});
        let same = json!({"global": {"scrape_interval": "1m", "scrape_timeout": "10s"}, "rule_files": ["a", "b"]});
        assert_eq!(difference(&ours, &same, "c"), None);
        let fewer = json!({"global": {"scrape_interval": "1m"}, "rule_files": ["a"]});
        assert!(difference(&ours, &fewer, "c").unwrap().starts_with("c.rule_files is"));
        let other = json!({"global": {"scrape_interval": "2m"}, "rule_files": ["a", "b"]});
        assert_eq!(
            difference(&ours, &other, "c").unwrap(),
            "c.global.scrape_interval is `120000 ms`, delivered was `60000 ms`"
        );
        assert_eq!(difference(&json!({"x": 1}), &json!({}), "c").unwrap(), "c.x is missing");
        assert_eq!(difference(&json!("hidden"), &json!("<secret>"), "c"), None);
        let ours = json!({"matchers": ["team = ops", "severity=\"info\""]});
        let same = json!({"matchers": ["severity=\"info\"", "team=\"ops\""]});
        assert_eq!(difference(&ours, &same, "c"), None);
        assert!(difference(&ours, &json!({"matchers": ["team=\"ops\""]}), "c").is_some());
    }
}
