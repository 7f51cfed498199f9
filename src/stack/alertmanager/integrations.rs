//! Receivers in Alertmanager's notation, with our own messages.

use serde_json::{Map, Value, json};

use super::super::host::{reachable, reachable_url};
use super::super::prometheus::secret_path;
use crate::alerting::{Email, Integration, Receiver, Slack, Tls, Url, Webhook};
use crate::config::{TargetAuth, UserFile, files_below};
use crate::stack::SECRETS_PATH;

/// A receiver with its integration, if it has one.
pub(super) fn receiver(receiver: &Receiver) -> Value {
    let mut out = Map::new();
    out.insert("name".to_owned(), json!(receiver.name));
    let Some(integration) = &receiver.integration else { return Value::Object(out) };
    let (key, mut config) = match integration {
        Integration::Raw { configs, .. } => {
            let mut configs = Value::Object(configs.clone());
            files_below(SECRETS_PATH, &mut configs);
            out.extend(configs.as_object().cloned().unwrap_or_default());
            return Value::Object(out);
        }
        Integration::Email(of) => ("email_configs", email(of)),
        Integration::Slack(of) => ("slack_configs", slack(of)),
        Integration::PagerDuty { routing_key, url } => ("pagerduty_configs", pagerduty(routing_key, url.as_deref())),
        Integration::Teams { webhook_url } => ("msteamsv2_configs", teams(webhook_url)),
        Integration::Opsgenie { api_key, api_url } => ("opsgenie_configs", opsgenie(api_key, api_url.as_deref())),
        Integration::Webhook(of) => ("webhook_configs", webhook(of)),
        Integration::Discord { webhook_url } => ("discord_configs", discord(webhook_url)),
        Integration::Telegram { bot_token, chat_id, api_url } => {
            ("telegram_configs", telegram(bot_token, *chat_id, api_url.as_deref()))
        }
    };
    config["send_resolved"] = receiver.send_resolved.into();
    out.insert(key.to_owned(), json!([config]));
    Value::Object(out)
}

fn email(email: &Email) -> Value {
    let mut out = json!({
        "to": email.to,
        "from": email.from,
        "smarthost": reachable(&email.smarthost),
        "require_tls": email.tls == Tls::StartTls,
    });
    // Port 465 is encrypted from the first byte in every version; the key came with 0.31.
    if email.tls == Tls::Implicit && !email.smarthost.ends_with(":465") {
        out["force_implicit_tls"] = true.into();
    }
    if let Some(hello) = &email.hello {
        out["hello"] = json!(hello);
    }
    if let Some((username, password)) = &email.login {
        out["auth_username"] = json!(username);
        out["auth_password_file"] = json!(secret_path(&password.name));
    }
    let mut tls = Map::new();
    if let Some(ca) = &email.ca {
        tls.insert("ca_file".to_owned(), json!(secret_path(&ca.name)));
    }
    // The certificate is for the name that the user knows.
    if email.tls != Tls::None && reachable(&email.smarthost) != email.smarthost {
        let host = email.smarthost.rsplit_once(':').map_or("localhost", |(host, _)| host);
        tls.insert("server_name".to_owned(), json!(host.trim_matches(['[', ']'])));
    }
    if !tls.is_empty() {
        out["tls_config"] = Value::Object(tls);
    }
    // Nobody's absence is to be told to a machine (RFC 3834).
    out["headers"] = json!({"Subject": template("moko.subject"), "Auto-Submitted": "auto-generated"});
    out["html"] = template("moko.email.html");
    out["text"] = template("moko.email.text");
    out
}

fn slack(slack: &Slack) -> Value {
    let mut out = match slack {
        Slack::Webhook { url, channel } => {
            let mut out = json!({"api_url_file": secret_path(&url.name)});
            if let Some(channel) = channel {
                out["channel"] = json!(channel);
            }
            out
        }
        Slack::App { token, channel, url } => json!({
            "app_token_file": secret_path(&token.name),
            "app_url": url.as_deref().map_or("https://slack.com/api/chat.postMessage".to_owned(), reachable_url),
            "channel": channel,
        }),
    };
    out["title"] = template("moko.chat.title");
    out["title_link"] = template("moko.alerts.url");
    out["text"] = template("moko.chat.text");
    out["fallback"] = template("moko.chat.title");
    out["color"] = template("moko.chat.color");
    out["username"] = json!("moko-mon");
    out["mrkdwn_in"] = json!(["text"]);
    out
}

fn pagerduty(routing_key: &UserFile, url: Option<&str>) -> Value {
    let mut out = json!({"routing_key_file": secret_path(&routing_key.name)});
    if let Some(url) = url {
        out["url"] = json!(reachable_url(url));
    }
    out["description"] = template("moko.pagerduty.description");
    out["severity"] = template("moko.pagerduty.severity");
    out["source"] = template("moko.pagerduty.source");
    out["client"] = json!("moko-mon");
    out["client_url"] = template("moko.alerts.url");
    out["class"] = json!("{{ .CommonLabels.alertname }}");
    out["component"] = json!("{{ .CommonLabels.component }}");
    out["group"] = json!("{{ .CommonLabels.team }}");
    out["details"] = json!({
        "text": template("moko.email.text"),
        "host": "{{ .CommonAnnotations.host }}",
        "exit_code": "{{ .CommonAnnotations.exit_code }}",
        "run_id": "{{ .CommonAnnotations.run_id }}",
        // In place of what would repeat all alerts.
        "firing": "{{ len .Alerts.Firing }}",
        "resolved": "{{ len .Alerts.Resolved }}",
        "num_firing": "{{ len .Alerts.Firing }}",
        "num_resolved": "{{ len .Alerts.Resolved }}",
    });
    // Alertmanager leaves out those without an address.
    out["links"] = json!([
        {"href": "{{ .CommonAnnotations.dashboard_url }}", "text": "Dashboard"},
        {"href": "{{ .CommonAnnotations.runbook_url }}", "text": "Runbook"},
        {"href": template("moko.silence.url"), "text": "Silence"},
    ]);
    out
}

fn teams(webhook_url: &UserFile) -> Value {
    json!({
        "webhook_url_file": secret_path(&webhook_url.name),
        "title": template("moko.markdown.title"),
        "text": template("moko.markdown"),
    })
}

fn opsgenie(api_key: &UserFile, api_url: Option<&str>) -> Value {
    let mut out = json!({"api_key_file": secret_path(&api_key.name)});
    if let Some(url) = api_url {
        out["api_url"] = json!(format!("{}/", reachable_url(url)));
    }
    out["message"] = template("moko.opsgenie.message");
    out["description"] = template("moko.opsgenie.description");
    out["priority"] = template("moko.opsgenie.priority");
    // 100 characters at most, and Alertmanager does not cut it.
    out["source"] = json!("moko-mon");
    out
}

fn webhook(webhook: &Webhook) -> Value {
    let mut out = url(&webhook.url);
    if webhook.max_alerts > 0 {
        out["max_alerts"] = webhook.max_alerts.into();
    }
    let mut http = Map::new();
    match &webhook.auth {
        Some(TargetAuth::Basic { username, password }) => {
            let basic = json!({"username": username, "password_file": secret_path(&password.name)});
            http.insert("basic_auth".to_owned(), basic);
        }
        Some(TargetAuth::Bearer { token }) => {
            let bearer = json!({"credentials_file": secret_path(&token.name)});
            http.insert("authorization".to_owned(), bearer);
        }
        None => {}
    }
    if let Some(ca) = &webhook.ca {
        http.insert("tls_config".to_owned(), json!({"ca_file": secret_path(&ca.name)}));
    }
    if !http.is_empty() {
        out["http_config"] = Value::Object(http);
    }
    out
}

fn discord(webhook_url: &UserFile) -> Value {
    json!({
        "webhook_url_file": secret_path(&webhook_url.name),
        "title": template("moko.markdown.title"),
        "message": template("moko.markdown"),
    })
}

fn telegram(bot_token: &UserFile, chat_id: i64, api_url: Option<&str>) -> Value {
    let mut out = json!({"bot_token_file": secret_path(&bot_token.name), "chat_id": chat_id});
    if let Some(url) = api_url {
        out["api_url"] = json!(reachable_url(url));
    }
    out["parse_mode"] = json!("HTML");
    out["message"] = template("moko.telegram");
    out
}

/// The address of a webhook.
pub(super) fn url(url: &Url) -> Value {
    match url {
        Url::Plain(url) => json!({"url": reachable_url(url)}),
        Url::Secret(file) => json!({"url_file": secret_path(&file.name)}),
    }
}

/// A secret as it is delivered: an address on this host is one that the container can reach.
pub(super) fn reachable_secret(content: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(content) {
        Ok(text) if text.starts_with("http://") || text.starts_with("https://") => reachable_url(text).into_bytes(),
        _ => content.to_vec(),
    }
}

/// What one of our messages says.
fn template(name: &str) -> Value {
    json!(format!("{{{{ template \"{name}\" . }}}}"))
}
