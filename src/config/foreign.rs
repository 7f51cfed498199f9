//! What is passed on in a server's own notation, but with no secret in it: entries of `prometheus.remote_write`, `raw`
//! receivers and `routes`.
//!
//! `promtool` and `amtool` judge the keys; the checks here are those they cannot make: what would show a secret in this
//! file, in `config show` or in the generated configuration.

use serde_json::{Map, Value, json};

use super::decode::{Decoder, is_null};
use super::names;
use super::scalar::Complaint;
use super::schema::{Foreign, join};
use crate::yaml::{Node, Value as Yaml};

impl Decoder {
    /// A mapping in a server's own notation.
    pub(crate) fn foreign(&mut self, notation: Foreign, path: &str, node: &Node) -> Value {
        match notation {
            Foreign::RemoteWrite => self.remote_write(path, node),
            Foreign::Integrations => self.integrations(path, node),
            Foreign::Route => match &node.value {
                Yaml::Mapping(_) => self.passed_on(path, node),
                Yaml::Scalar { .. } | Yaml::Sequence(_) => {
                    self.wrong_shape(path, node, "a mapping with `receiver` and `matchers`");
                    json!({})
                }
            },
        }
    }

    /// The integrations of a `raw` receiver.
    fn integrations(&mut self, path: &str, node: &Node) -> Value {
        let expected = "a mapping such as `pushover_configs: [{user_key_file: secrets/user}]`";
        let Yaml::Mapping(entries) = &node.value else {
            self.wrong_shape(path, node, expected);
            return json!({});
        };
        for entry in entries {
            let is_list = matches!(entry.value.value, Yaml::Sequence(_));
            if !entry.key.ends_with("_configs") || !is_list {
                let found = format!("{} is not a list of integrations", names::quote(&entry.key));
                self.complain(&join(path, &entry.key), &entry.value, Complaint::new(found, expected));
            }
        }
        if entries.is_empty() {
            self.complain(path, node, Complaint::new("the mapping is empty", expected));
        }
        self.passed_on(path, node)
    }

    /// An entry of `remote_write`.
    fn remote_write(&mut self, path: &str, node: &Node) -> Value {
        let Yaml::Mapping(entries) = &node.value else {
            self.wrong_shape(path, node, "a mapping with `url`");
            return json!({});
        };
        let expected = "a URL such as `https://mimir.example.com/api/v1/push`";
        match entries.iter().find(|entry| entry.key == "url").map(|entry| &entry.value) {
            Some(url) => {
                let fact = match &url.value {
                    Yaml::Scalar { text, .. } => url_fault(text),
                    Yaml::Sequence(_) | Yaml::Mapping(_) => Some("the value is not a text".to_owned()),
                };
                if let Some(found) = fact {
                    self.complain(&join(path, "url"), url, Complaint::new(found, expected));
                }
            }
            None => self.complain(&join(path, "url"), node, Complaint::new("the key is missing", expected)),
        }
        self.passed_on(path, node)
    }

    /// Any value as it is, with the types that YAML gives to unquoted text.
    fn passed_on(&mut self, path: &str, node: &Node) -> Value {
        self.places.insert(path.to_owned(), self.place(node.line, node.column));
        match &node.value {
            Yaml::Scalar { text, plain } => {
                let query = text.split_once("://").and_then(|(_, rest)| rest.split_once('?'));
                if path.starts_with("receivers") && query.is_some_and(|(_, query)| names::may_hold_secret(query)) {
                    let expected = "the address in a file, named by the same key with `_file`";
                    self.complain(path, node, Complaint::new("the URL has a secret in its query", expected));
                }
                if names::has_login(text) {
                    let expected = "a URL without them: they go to `basic_auth`";
                    self.complain(path, node, Complaint::new("the URL has credentials in it", expected));
                }
                typed(text, *plain)
            }
            Yaml::Sequence(items) => items
                .iter()
                .enumerate()
                .map(|(index, item)| self.passed_on(&format!("{path}[{index}]"), item))
                .collect(),
            Yaml::Mapping(entries) => {
                let mut out = Map::new();
                for entry in entries {
                    let key = join(path, &entry.key);
                    let private_key = entry.key == "key" && path.ends_with("tls_config");
                    // A mapping in Prometheus' notation, but a secret as an HTTP header.
                    let header = entry.key.eq_ignore_ascii_case("authorization")
                        && matches!(entry.value.value, Yaml::Scalar { .. });
                    // The addresses that are secrets themselves.
                    let address =
                        entry.key == "webhook_url" || (entry.key == "api_url" && path.contains("slack_configs"));
                    // What Alertmanager calls a secret, and no word in it says so.
                    let key_of_raw = path.contains("_configs")
                        && matches!(entry.key.as_str(), "routing_key" | "service_key" | "user_key");
                    // Headers with values in the file; `files` of them are fine.
                    let of_headers = ["http_headers", "proxy_connect_header"].iter().any(|of| path.ends_with(of));
                    let values = match &entry.value.value {
                        Yaml::Mapping(inner) => inner.iter().any(|inner| inner.key == "values"),
                        Yaml::Sequence(_) | Yaml::Scalar { .. } => true,
                    };
                    let hidden = |key: &str| names::may_hold_secret(key) || key.eq_ignore_ascii_case("cookie");
                    let header = header || (of_headers && values && hidden(&entry.key));
                    if names::is_secret(&entry.key) || private_key || header || address || key_of_raw {
                        let place = self.place(entry.line, entry.column);
                        self.refuse_secret(place, &key, &entry.key);
                    } else {
                        out.insert(entry.key.clone(), self.passed_on(&key, &entry.value));
                    }
                }
                Value::Object(out)
            }
        }
    }
}

/// What unquoted text means in YAML 1.2.
fn typed(text: &str, plain: bool) -> Value {
    match text {
        _ if !plain => json!(text),
        "true" => json!(true),
        "false" => json!(false),
        text if is_null(text) => Value::Null,
        text => text.parse::<serde_json::Number>().map_or_else(|_| json!(text), Value::Number),
    }
}

/// Why a text is no URL to send samples to; credentials before the host are reported with all other texts.
fn url_fault(text: &str) -> Option<String> {
    let not_a_url = || Some(format!("{} is not a URL", names::quote(text)));
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return not_a_url();
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty() || text.contains(char::is_whitespace) {
        return not_a_url();
    }
    let query = rest.split_once('?').map(|(_, query)| query).unwrap_or_default();
    names::may_hold_secret(query).then(|| "the URL has a secret in its query".to_owned())
}
