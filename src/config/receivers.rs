//! `receivers`: their settings.

use serde::Deserialize;
use serde_json::Value;

use super::scalar::Scalar;
use super::schema::{Field, Foreign, Kind};

const fn secret_file(key: &'static str, doc: &'static str) -> Field {
    Field::optional(key, Scalar::File, "secrets/file", doc)
}

const fn secret_env(key: &'static str) -> Field {
    Field::optional(key, Scalar::Variable, "VARIABLE", "Instead of the file: the environment variable that holds it.")
}

const PASSWORD: &str = "The file that holds the password, relative to this file.";
const WEBHOOK: &str = "The file that holds the address of the webhook, which is a secret.";
const CA: Field = Field::optional(
    "ca_file",
    Scalar::File,
    "certs/ca.pem",
    "The certificate authority of the server, if it is not a public one.",
);

/// The settings of a receiver: its name, and one kind of integration.
pub(crate) static RECEIVER: &[Field] = &[
    Field::required("name", Scalar::Receiver, "The name, once: what `notify` and `routes` call it."),
    Field::group(
        "email",
        "Mail.",
        &[
            Field::required("to", Scalar::Mail, "Whom to write to: one address, or more with commas between."),
            Field::required("from", Scalar::Mail, "The sender."),
            Field::required(
                "smarthost",
                Scalar::HostPort,
                "The mail server: `host:port`; `localhost` means this host.",
            ),
            Field::optional(
                "tls",
                Scalar::Choice(&["starttls", "implicit", "none"]),
                "starttls",
                "How the connection is encrypted; `starttls` if left out.",
            ),
            Field::optional("username", Scalar::Text, "moko", "The user name, if the server asks for one."),
            secret_file("password_file", PASSWORD),
            secret_env("password_env"),
            CA,
            Field::optional(
                "hello",
                Scalar::Text,
                "monitoring.example.com",
                "The name that Alertmanager gives itself.",
            ),
        ],
    ),
    Field::group(
        "slack",
        "Slack: an incoming webhook, or an app's token with a channel.",
        &[
            secret_file("webhook_url_file", WEBHOOK),
            secret_env("webhook_url_env"),
            secret_file("token_file", "The file that holds the token of an app with `chat:write`."),
            secret_env("token_env"),
            Field::optional("channel", Scalar::Text, "\"#ops\"", "The channel."),
            Field::optional("url", Scalar::Url, "https://slack.com/api/chat.postMessage", "Where the app's API is."),
        ],
    ),
    Field::group(
        "pagerduty",
        "PagerDuty, by its Events API version 2.",
        &[
            secret_file("routing_key_file", "The file that holds the integration key."),
            secret_env("routing_key_env"),
            Field::optional(
                "url",
                Scalar::Url,
                "https://events.eu.pagerduty.com/v2/enqueue",
                "Where events go, if not to the United States.",
            ),
        ],
    ),
    Field::group(
        "msteams",
        "Microsoft Teams, by a workflow that posts to a channel.",
        &[secret_file("webhook_url_file", WEBHOOK), secret_env("webhook_url_env")],
    ),
    Field::group(
        "opsgenie",
        "Opsgenie, which ends in April 2027.",
        &[
            secret_file("api_key_file", "The file that holds the key of the API integration."),
            secret_env("api_key_env"),
            Field::optional(
                "api_url",
                Scalar::Url,
                "https://api.eu.opsgenie.com",
                "Where the API is, if not in the United States.",
            ),
        ],
    ),
    Field::group(
        "webhook",
        "Any program that takes Alertmanager's JSON by HTTP.",
        &[
            Field::optional(
                "url",
                Scalar::Url,
                "http://localhost:8080/alerts",
                "Its address; `localhost` means this host.",
            ),
            secret_file("url_file", "Instead of `url`: the file that holds an address with a secret in it."),
            secret_env("url_env"),
            Field::optional("username", Scalar::Text, "moko", "The user name, if it asks for one."),
            secret_file("password_file", PASSWORD),
            secret_env("password_env"),
            secret_file("bearer_token_file", "The file that holds a bearer token."),
            secret_env("bearer_token_env"),
            CA,
            Field::optional(
                "max_alerts",
                Scalar::Count { floor: 0 },
                "100",
                "The most alerts in a message; all if left out.",
            ),
        ],
    ),
    Field::group(
        "discord",
        "A channel of Discord.",
        &[secret_file("webhook_url_file", WEBHOOK), secret_env("webhook_url_env")],
    ),
    Field::group(
        "telegram",
        "A chat of Telegram.",
        &[
            secret_file("bot_token_file", "The file that holds the bot's token."),
            secret_env("bot_token_env"),
            Field::required("chat_id", Scalar::ChatId, "The number of the chat, negative for groups."),
            Field::optional("api_url", Scalar::Url, "https://api.telegram.org", "Where the API is."),
        ],
    ),
    Field {
        key: "raw",
        doc: "Anything else that Alertmanager knows, in its own notation, such as `pushover_configs`. Secrets only as `*_file`.",
        kind: Kind::Foreign(Foreign::Integrations),
        default: None,
        example: None,
        required: false,
    },
    Field::optional(
        "send_resolved",
        Scalar::Boolean,
        "true",
        "Whether it is told of the end of an alert; yes if left out.",
    ),
    Field::optional(
        "verify",
        Scalar::Boolean,
        "true",
        "Whether `verify --deep` sends it a test message; if left out yes, but no for PagerDuty and Opsgenie, which wake \
         people.",
    ),
];

/// A receiver; a field that was wrong is empty here and has been reported.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Receiver {
    pub(crate) name: String,
    pub(crate) email: Option<Email>,
    pub(crate) slack: Option<Slack>,
    pub(crate) pagerduty: Option<PagerDuty>,
    pub(crate) msteams: Option<WebhookUrl>,
    pub(crate) opsgenie: Option<Opsgenie>,
    pub(crate) webhook: Option<Webhook>,
    pub(crate) discord: Option<WebhookUrl>,
    pub(crate) telegram: Option<Telegram>,
    pub(crate) raw: Option<Value>,
    pub(crate) send_resolved: Option<bool>,
    pub(crate) verify: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Email {
    pub(crate) to: String,
    pub(crate) from: String,
    pub(crate) smarthost: String,
    pub(crate) tls: Option<String>,
    pub(crate) username: Option<String>,
    pub(crate) password_file: Option<String>,
    pub(crate) password_env: Option<String>,
    pub(crate) ca_file: Option<String>,
    pub(crate) hello: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Slack {
    pub(crate) webhook_url_file: Option<String>,
    pub(crate) webhook_url_env: Option<String>,
    pub(crate) token_file: Option<String>,
    pub(crate) token_env: Option<String>,
    pub(crate) channel: Option<String>,
    pub(crate) url: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PagerDuty {
    pub(crate) routing_key_file: Option<String>,
    pub(crate) routing_key_env: Option<String>,
    pub(crate) url: Option<String>,
}

/// What Teams and Discord need.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WebhookUrl {
    pub(crate) webhook_url_file: Option<String>,
    pub(crate) webhook_url_env: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Opsgenie {
    pub(crate) api_key_file: Option<String>,
    pub(crate) api_key_env: Option<String>,
    pub(crate) api_url: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Webhook {
    pub(crate) url: Option<String>,
    pub(crate) url_file: Option<String>,
    pub(crate) url_env: Option<String>,
    pub(crate) username: Option<String>,
    pub(crate) password_file: Option<String>,
    pub(crate) password_env: Option<String>,
    pub(crate) bearer_token_file: Option<String>,
    pub(crate) bearer_token_env: Option<String>,
    pub(crate) ca_file: Option<String>,
    pub(crate) max_alerts: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Telegram {
    pub(crate) bot_token_file: Option<String>,
    pub(crate) bot_token_env: Option<String>,
    pub(crate) chat_id: i64,
    pub(crate) api_url: Option<String>,
}
