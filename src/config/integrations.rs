//! From the settings of `receivers` to whom can be told, and by what.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use super::build::Builder;
use super::{TargetAuth, UserFile, names, receivers};
use crate::alerting::{Email, Integration, Receiver, Slack, Tls, Url, Webhook};

/// A secret that is in a file or in an environment variable.
pub(super) struct Hidden {
    /// The key without `_file` and `_env`.
    key: &'static str,
    file: Option<String>,
    variable: Option<String>,
}

impl Hidden {
    pub(super) const fn new(key: &'static str, file: Option<String>, variable: Option<String>) -> Self {
        Self { key, file, variable }
    }
}

impl Builder {
    /// The receivers; one that was refused has been reported and is not among them.
    pub(crate) fn receivers(&mut self, receivers: Vec<receivers::Receiver>) -> Vec<Receiver> {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let mut out = Vec::new();
        for (index, receiver) in receivers.into_iter().enumerate() {
            let path = format!("receivers[{index}]");
            if !receiver.name.is_empty()
                && let Some(first) = seen.insert(receiver.name.clone(), index)
            {
                let found = format!("{} is there twice", names::quote(&receiver.name));
                let expected = format!("another name: `receivers[{first}]` has it already");
                self.problem(&format!("{path}.name"), found, expected);
            }
            out.extend(self.receiver(&path, receiver));
        }
        out
    }

    fn receiver(&mut self, path: &str, receiver: receivers::Receiver) -> Option<Receiver> {
        const KINDS: [&str; 9] =
            ["email", "slack", "pagerduty", "msteams", "opsgenie", "webhook", "discord", "telegram", "raw"];
        let kinds: Vec<&str> =
            KINDS.into_iter().filter(|kind| self.places.contains_key(&format!("{path}.{kind}"))).collect();
        if let [first, second, ..] = kinds.as_slice() {
            let found = format!("the receiver has `{first}`, too");
            self.problem(&format!("{path}.{second}"), found, "one of them, and another receiver for each other");
            return None;
        }
        let kind = kinds.first().copied().unwrap_or_default();
        let integration = match kind {
            "" => None,
            _ => Some(self.integration(&format!("{path}.{kind}"), &receiver)?),
        };
        let place = self.place(path).to_string();
        let wakes = matches!(kind, "pagerduty" | "opsgenie");
        (!receiver.name.is_empty()).then(|| Receiver {
            name: receiver.name,
            integration,
            send_resolved: receiver.send_resolved.unwrap_or(true),
            verify: receiver.verify.unwrap_or(!wakes),
            place,
        })
    }

    fn integration(&mut self, path: &str, receiver: &receivers::Receiver) -> Option<Integration> {
        if let Some(email) = &receiver.email {
            return self.email(path, email).map(Integration::Email);
        }
        if let Some(slack) = &receiver.slack {
            return self.slack(path, slack).map(Integration::Slack);
        }
        if let Some(of) = &receiver.pagerduty {
            let key = Hidden::new("routing_key", of.routing_key_file.clone(), of.routing_key_env.clone());
            let routing_key = self.hidden(path, key)?;
            return Some(Integration::PagerDuty { routing_key, url: of.url.clone() });
        }
        if let Some(of) = &receiver.msteams {
            return self.webhook_url(path, of).map(|webhook_url| Integration::Teams { webhook_url });
        }
        if let Some(of) = &receiver.discord {
            return self.webhook_url(path, of).map(|webhook_url| Integration::Discord { webhook_url });
        }
        if let Some(of) = &receiver.opsgenie {
            self.warnings.push(format!(
                "{path}: Opsgenie and its API end on 2027-04-05; plan for another receiver, such as `pagerduty` or `webhook`"
            ));
            let api_key = self.hidden(path, Hidden::new("api_key", of.api_key_file.clone(), of.api_key_env.clone()))?;
            return Some(Integration::Opsgenie { api_key, api_url: of.api_url.clone() });
        }
        if let Some(webhook) = &receiver.webhook {
            return self.webhook(path, webhook).map(Integration::Webhook);
        }
        if let Some(of) = &receiver.telegram {
            let token = Hidden::new("bot_token", of.bot_token_file.clone(), of.bot_token_env.clone());
            let bot_token = self.hidden(path, token)?;
            return Some(Integration::Telegram { bot_token, chat_id: of.chat_id, api_url: of.api_url.clone() });
        }
        let mut configs = receiver.raw.clone()?;
        let mut secrets = Vec::new();
        self.deliver(path, &mut configs, &mut secrets);
        match configs {
            Value::Object(configs) => Some(Integration::Raw { configs, secrets }),
            _ => None,
        }
    }

    fn email(&mut self, path: &str, email: &receivers::Email) -> Option<Email> {
        let password = Hidden::new("password", email.password_file.clone(), email.password_env.clone());
        let login = self.login(path, email.username.as_deref(), password);
        let tls = match email.tls.as_deref() {
            Some("implicit") => Tls::Implicit,
            Some("none") => Tls::None,
            _ => Tls::StartTls,
        };
        if tls == Tls::None && login.is_some() {
            let found = "`none` would send the password in the clear";
            self.problem(&format!("{path}.tls"), found, "`starttls` or `implicit` beside a password");
        }
        if email.from.contains(',') {
            let expected = "one address such as `monitoring@example.com`";
            self.problem(&format!("{path}.from"), "there is more than one sender", expected);
        }
        let ca = self.authority(path, email.ca_file.as_deref());
        let all = !email.to.is_empty() && !email.from.is_empty() && !email.smarthost.is_empty();
        all.then(|| Email {
            to: email.to.clone(),
            from: email.from.clone(),
            smarthost: email.smarthost.clone(),
            tls,
            login,
            ca,
            hello: email.hello.clone(),
        })
    }

    fn slack(&mut self, path: &str, slack: &receivers::Slack) -> Option<Slack> {
        let webhook = Hidden::new("webhook_url", slack.webhook_url_file.clone(), slack.webhook_url_env.clone());
        let is_app = slack.token_file.is_some() || slack.token_env.is_some();
        if !is_app {
            if slack.url.is_some() {
                let found = "`url` is that of an app's API, and the receiver has no token";
                self.problem(&format!("{path}.url"), found, "`webhook_url_file` alone, or `token_file` beside it");
            }
            let url = self.hidden(path, webhook)?;
            return self
                .is_address(path, "webhook_url", &url)
                .then(|| Slack::Webhook { url, channel: slack.channel.clone() });
        }
        if webhook.file.is_some() || webhook.variable.is_some() {
            let found = "the receiver has a token, too";
            self.problem(&format!("{path}.webhook_url_file"), found, "one of webhook and token");
        }
        let token = self.hidden(path, Hidden::new("token", slack.token_file.clone(), slack.token_env.clone()))?;
        let Some(channel) = slack.channel.clone() else {
            self.problem(&format!("{path}.channel"), "the key is missing", "the channel to which the app posts");
            return None;
        };
        Some(Slack::App { token, channel, url: slack.url.clone() })
    }

    fn webhook(&mut self, path: &str, webhook: &receivers::Webhook) -> Option<Webhook> {
        let hidden = Hidden::new("url", webhook.url_file.clone(), webhook.url_env.clone());
        let url = self.url(path, webhook.url.clone(), hidden)?;
        let password = Hidden::new("password", webhook.password_file.clone(), webhook.password_env.clone());
        let basic = self.login(path, webhook.username.as_deref(), password);
        let token = Hidden::new("bearer_token", webhook.bearer_token_file.clone(), webhook.bearer_token_env.clone());
        let has_token = token.file.is_some() || token.variable.is_some();
        let auth = match basic {
            Some(_) if has_token => {
                let found = "the receiver has a user name, too";
                self.problem(&format!("{path}.bearer_token_file"), found, "one of password and token");
                None
            }
            Some((username, password)) => Some(TargetAuth::Basic { username, password }),
            None if has_token => self.hidden(path, token).map(|token| TargetAuth::Bearer { token }),
            None => None,
        };
        let ca = self.authority(path, webhook.ca_file.as_deref());
        Some(Webhook { url, auth, ca, max_alerts: webhook.max_alerts.unwrap_or(0) })
    }

    fn webhook_url(&mut self, path: &str, of: &receivers::WebhookUrl) -> Option<UserFile> {
        let url =
            self.hidden(path, Hidden::new("webhook_url", of.webhook_url_file.clone(), of.webhook_url_env.clone()))?;
        self.is_address(path, "webhook_url", &url).then_some(url)
    }

    /// User name and password, which are there together or not at all.
    fn login(&mut self, path: &str, username: Option<&str>, password: Hidden) -> Option<(String, UserFile)> {
        let has_password = password.file.is_some() || password.variable.is_some();
        match username {
            Some(username) => Some((username.to_owned(), self.hidden(path, password)?)),
            None if has_password => {
                self.problem(path, "there is a password and no `username`", "both, or none");
                None
            }
            None => None,
        }
    }

    fn authority(&mut self, path: &str, file: Option<&str>) -> Option<UserFile> {
        self.bundle(&format!("{path}.ca_file"), file?)
    }

    /// An address that may be a secret.
    pub(super) fn url(&mut self, path: &str, plain: Option<String>, hidden: Hidden) -> Option<Url> {
        let is_hidden = hidden.file.is_some() || hidden.variable.is_some();
        match plain {
            Some(_) if is_hidden => {
                self.problem(
                    &format!("{path}.url"),
                    "the address is there twice",
                    "one of `url`, `url_file` and `url_env`",
                );
                None
            }
            Some(url) => Some(Url::Plain(url)),
            // One that was refused has been reported.
            None if !is_hidden && self.places.contains_key(&format!("{path}.url")) => None,
            None if !is_hidden => {
                let expected = "`url`, or `url_file` where the address has a secret in it";
                self.problem(path, "the address is missing", expected);
                None
            }
            None => {
                let file = self.hidden(path, hidden)?;
                self.is_address(path, "url", &file).then_some(Url::Secret(file))
            }
        }
    }

    /// Whether a secret is an address; it is not repeated.
    fn is_address(&mut self, path: &str, key: &str, secret: &UserFile) -> bool {
        let text = String::from_utf8_lossy(&secret.content);
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).map(|rest| {
            rest.split(['/', '?', '#']).next().unwrap_or_default().rsplit('@').next().unwrap_or_default().to_owned()
        });
        let good = host.is_some_and(|host| !host.trim_start_matches(':').is_empty())
            && text.chars().all(|c| c.is_ascii_graphic());
        if !good {
            let expected = "a text that starts with `https://` and a host";
            let key = [format!("{path}.{key}_file"), format!("{path}.{key}_env")]
                .into_iter()
                .find(|key| self.places.contains_key(key))
                .unwrap_or_else(|| path.to_owned());
            self.problem(&key, "what it holds is not an address", expected);
        }
        good
    }

    /// A secret from a file or an environment variable.
    fn hidden(&mut self, path: &str, Hidden { key, file, variable }: Hidden) -> Option<UserFile> {
        let (of_file, of_variable) = (format!("{path}.{key}_file"), format!("{path}.{key}_env"));
        match (file, variable) {
            (Some(_), Some(_)) => {
                let found = format!("`{key}_file` is there, too");
                self.problem(&of_variable, found, "one of file and environment variable");
                None
            }
            (Some(file), None) => self.secret(&of_file, &file),
            (None, Some(variable)) => self.secret_variable(&of_variable, &variable),
            (None, None) => {
                // One that was refused has been reported.
                let refused = self.problems.iter().any(|problem| {
                    problem.key == path
                        || problem.key == of_file
                        || problem.key == of_variable
                        || problem.key == format!("{path}.{key}")
                });
                if !refused {
                    let found = format!("the receiver has no `{key}_file`");
                    let expected = format!(
                        "`{key}_file` with the path of a file, or `{key}_env` with the name of an environment variable"
                    );
                    self.problem(path, found, expected);
                }
                None
            }
        }
    }

    /// A secret from an environment variable.
    fn secret_variable(&mut self, key: &str, variable: &str) -> Option<UserFile> {
        let fact = match self.environment.get(variable) {
            None => "is not set",
            Some(value) if value.trim().is_empty() => "is empty",
            Some(value) if value.contains(['\n', '\r', '\0']) => "has more than one line",
            Some(value) => {
                let path = PathBuf::from(variable);
                let content = value.clone().into_bytes();
                return Some(UserFile { name: self.secrets.unique(&path), path, content });
            }
        };
        let found = format!("the environment variable {} {fact}", names::quote(variable));
        self.problem(key, found, "one that holds the secret, on one line");
        None
    }
}
