//! What pagers take, as their documentation says, and Alertmanager's own webhook.

use super::chats::{hold, text};
use super::http::Request;

/// Events API v2.
/// <https://developer.pagerduty.com/docs/send-alert-event>
pub(super) fn pagerduty(request: &Request) -> Result<(), String> {
    let body = request.json()?;
    hold(request.body.len() <= 512 * 1024, "more than 512 KiB")?;
    let key = text(&body, "/routing_key", 32)?;
    hold(key.len() == 32 && key.bytes().all(|byte| byte.is_ascii_alphanumeric()), "routing_key")?;
    let action = text(&body, "/event_action", 11)?;
    text(&body, "/dedup_key", 255)?;
    if action == "resolve" {
        return Ok(());
    }
    hold(action == "trigger", format!("event_action `{action}`"))?;
    text(&body, "/payload/summary", 1024)?;
    text(&body, "/payload/source", 1024)?;
    let severity = text(&body, "/payload/severity", 8)?;
    hold(["critical", "error", "warning", "info"].contains(&severity), format!("severity `{severity}`"))?;
    for link in body["links"].as_array().into_iter().flatten() {
        let url = text(link, "/href", 2048)?;
        hold(url.starts_with("https://") || url.starts_with("http://"), format!("link to {url}"))?;
        text(link, "/text", 1024)?;
    }
    Ok(())
}

/// Alert API: create, and close by alias.
/// <https://docs.opsgenie.com/docs/alert-api>
pub(super) fn opsgenie(request: &Request) -> Result<(), String> {
    let body = request.json()?;
    let key = request.header("authorization").strip_prefix("GenieKey ").unwrap_or_default();
    hold(!key.is_empty() && !key.contains(char::is_whitespace), "no GenieKey")?;
    hold(body["source"].as_str().is_none_or(|source| source.chars().count() <= 100), "source")?;
    if let Some(alias) = request.path.strip_prefix("/v2/alerts/").and_then(|rest| rest.split_once('/')) {
        return hold(alias.1 == "close?identifierType=alias" && alias.0.len() <= 512, format!("path {}", request.path));
    }
    hold(request.path == "/v2/alerts", format!("path {}", request.path))?;
    text(&body, "/message", 130)?;
    text(&body, "/alias", 512)?;
    text(&body, "/description", 15_000)?;
    let priority = text(&body, "/priority", 2)?;
    hold(["P1", "P2", "P3", "P4", "P5"].contains(&priority), format!("priority `{priority}`"))?;
    let details = body["details"].as_object().into_iter().flatten();
    let details: usize = details.map(|(name, value)| name.len() + value.as_str().map_or(0, str::len)).sum();
    hold(details <= 8000, "more than 8,000 characters of details")
}

/// <https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>
pub(super) fn webhook(request: &Request) -> Result<(), String> {
    let body = request.json()?;
    hold(body["version"] == "4", "version")?;
    hold(["firing", "resolved"].iter().any(|status| body["status"] == *status), "status")?;
    text(&body, "/groupKey", 100_000)?;
    text(&body, "/externalURL", 2048)?;
    let alerts = body["alerts"].as_array().ok_or("no alerts")?;
    hold(!alerts.is_empty(), "no alert")?;
    for alert in alerts {
        text(alert, "/labels/alertname", 100_000)?;
        text(alert, "/startsAt", 40)?;
        text(alert, "/fingerprint", 16)?;
    }
    Ok(())
}
