//! Receivers: whom Alertmanager tells, and by what.

use serde_json::{Map, Value};

use crate::config::UserFile;

/// Somebody who is told of alerts.
#[derive(Debug, Clone, PartialEq)]
pub struct Receiver {
    /// The name, once.
    pub name: String,
    /// By what it is told; `None`: it is told nothing.
    pub integration: Option<Integration>,
    /// Whether it is told of the end of an alert, too.
    pub send_resolved: bool,
    /// Whether `verify --deep` sends it a test message.
    pub verify: bool,
    /// Where it is written: file, line and column.
    pub place: String,
}

/// By what a receiver is told. Every secret is a file for the secrets volume.
#[derive(Debug, Clone, PartialEq)]
pub enum Integration {
    /// Mail.
    Email(Email),
    /// Slack.
    Slack(Slack),
    /// PagerDuty, by its Events API version 2.
    PagerDuty {
        /// The integration key.
        routing_key: UserFile,
        /// Where events go; `None`: Alertmanager's own.
        url: Option<String>,
    },
    /// A workflow of Microsoft Teams.
    Teams {
        /// The address of the workflow, which is its secret.
        webhook_url: UserFile,
    },
    /// Opsgenie, as long as there is one.
    Opsgenie {
        /// The key of the API integration.
        api_key: UserFile,
        /// Where the API is; `None`: Alertmanager's own, in the United States.
        api_url: Option<String>,
    },
    /// Any program that takes Alertmanager's JSON by HTTP.
    Webhook(Webhook),
    /// A channel of Discord.
    Discord {
        /// The address of the channel's webhook, which is its secret.
        webhook_url: UserFile,
    },
    /// A chat of Telegram.
    Telegram {
        /// The bot's token.
        bot_token: UserFile,
        /// The chat's number; negative for groups.
        chat_id: i64,
        /// Where the API is; `None`: Alertmanager's own.
        api_url: Option<String>,
    },
    /// Anything else that Alertmanager knows, in its own notation.
    Raw {
        /// Lists of integrations by their keys, such as `pushover_configs`; files by their names in the secrets volume.
        configs: Map<String, Value>,
        /// The files that it names.
        secrets: Vec<UserFile>,
    },
}

/// How mail is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Email {
    /// The recipients, separated by commas.
    pub to: String,
    /// The sender.
    pub from: String,
    /// `host:port` of the mail server.
    pub smarthost: String,
    /// Whether the connection is encrypted.
    pub tls: Tls,
    /// How to log in, if the server asks for it.
    pub login: Option<(String, UserFile)>,
    /// The certificate authority of the server; `None`: those that the image knows.
    pub ca: Option<UserFile>,
    /// The name that Alertmanager gives itself; `None`: `localhost`.
    pub hello: Option<String>,
}

/// How a mail server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// In the clear first, and nothing is said before the server has agreed to encrypt.
    StartTls,
    /// Encrypted from the first byte on.
    Implicit,
    /// In the clear.
    None,
}

/// How Slack is reached.
#[derive(Debug, Clone, PartialEq)]
pub enum Slack {
    /// By an incoming webhook, whose address is the secret.
    Webhook {
        /// The address.
        url: UserFile,
        /// The channel; `None`: the webhook's own.
        channel: Option<String>,
    },
    /// By an app.
    App {
        /// The app's token.
        token: UserFile,
        /// The channel.
        channel: String,
        /// Where the API is; `None`: Alertmanager's own.
        url: Option<String>,
    },
}

/// How a program is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Webhook {
    /// Its address.
    pub url: super::Url,
    /// How to log in, if it asks for that.
    pub auth: Option<crate::config::TargetAuth>,
    /// The certificate authority of the server; `None`: those that the image knows.
    pub ca: Option<UserFile>,
    /// The most alerts in one message; 0: all.
    pub max_alerts: u64,
}

impl Integration {
    /// The key in `moko-mon.yaml`.
    #[must_use]
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Email(_) => "email",
            Self::Slack(_) => "slack",
            Self::PagerDuty { .. } => "pagerduty",
            Self::Teams { .. } => "msteams",
            Self::Opsgenie { .. } => "opsgenie",
            Self::Webhook(_) => "webhook",
            Self::Discord { .. } => "discord",
            Self::Telegram { .. } => "telegram",
            Self::Raw { .. } => "raw",
        }
    }

    /// The files that it needs in the secrets volume.
    #[must_use]
    pub fn secrets(&self) -> Vec<&UserFile> {
        match self {
            Self::Email(email) => email.login.iter().map(|(_, password)| password).chain(&email.ca).collect(),
            Self::Slack(Slack::Webhook { url: secret, .. } | Slack::App { token: secret, .. })
            | Self::PagerDuty { routing_key: secret, .. }
            | Self::Opsgenie { api_key: secret, .. }
            | Self::Telegram { bot_token: secret, .. }
            | Self::Teams { webhook_url: secret }
            | Self::Discord { webhook_url: secret } => vec![secret],
            Self::Webhook(webhook) => {
                let auth = webhook.auth.iter().map(crate::config::TargetAuth::secret);
                webhook.url.secret().into_iter().chain(auth).chain(&webhook.ca).collect()
            }
            Self::Raw { secrets, .. } => secrets.iter().collect(),
        }
    }
}
