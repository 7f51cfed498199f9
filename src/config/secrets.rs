//! Passwords, tokens and certificates: read from the files that settings name, never from the settings themselves.

use serde_json::Value;

use super::build::Builder;
use super::{Prometheus, TargetAuth, UserFile, files, names, shape};

/// The longest password or token.
const LARGEST_SECRET: u64 = 4 << 10;
/// The longest certificate bundle.
const LARGEST_BUNDLE: u64 = 1 << 20;

impl Builder {
    /// How to log in, with the secret read.
    pub(crate) fn auth(
        &mut self,
        path: &str,
        basic: Option<shape::BasicAuth>,
        token: Option<String>,
    ) -> Option<TargetAuth> {
        match (basic, token) {
            (Some(_), Some(_)) => {
                let found = "the target has both `basic_auth` and `bearer_token_file`";
                self.problem(&format!("{path}.bearer_token_file"), found, "one of them");
                None
            }
            (Some(shape::BasicAuth { username, password_file }), None) => {
                let password = self.secret(&format!("{path}.basic_auth.password_file"), &password_file)?;
                Some(TargetAuth::Basic { username, password })
            }
            (None, Some(file)) => {
                let token = self.secret(&format!("{path}.bearer_token_file"), &file)?;
                Some(TargetAuth::Bearer { token })
            }
            (None, None) => None,
        }
    }

    /// A password or token: one line of text from a small file.
    pub(crate) fn secret(&mut self, key: &str, file: &str) -> Option<UserFile> {
        if file.is_empty() {
            return None;
        }
        let mut secret = self.secret_file(key, file, LARGEST_SECRET)?;
        for ending in [b'\n', b'\r'] {
            secret.content.pop_if(|last| *last == ending);
        }
        let text = std::str::from_utf8(&secret.content);
        let fact = match text {
            Err(_) => "is not UTF-8",
            Ok(text) if text.trim().is_empty() => "is empty",
            Ok(text) if text.contains(['\n', '\r', '\0']) => "has more than one line",
            Ok(_) => return Some(secret),
        };
        self.problem(key, format!("{} {fact}", names::quote(file)), "a file with the secret on one line");
        None
    }

    /// A file for the secrets volume, as it is.
    fn secret_file(&mut self, key: &str, file: &str, limit: u64) -> Option<UserFile> {
        let path = self.base.join(file);
        match files::read(&path, limit) {
            Ok(content) => {
                if !is_public(key) && files::is_world_readable(&path) {
                    let shown = self.shown(&path);
                    let warning =
                        format!("{key}: every user of this machine can read `{shown}`; `chmod 600 {shown}` ends that");
                    self.warnings.push(warning);
                }
                Some(UserFile { name: self.secrets.unique(&path), path, content })
            }
            Err(fact) => {
                self.problem(
                    key,
                    format!("{} {fact}", names::quote(file)),
                    format!("a file of at most {} KiB", limit / 1024),
                );
                None
            }
        }
    }

    /// A certificate or a bundle of them, for the secrets volume.
    pub(crate) fn bundle(&mut self, key: &str, file: &str) -> Option<UserFile> {
        self.secret_file(key, file, LARGEST_BUNDLE)
    }

    /// Reads every file that a value in a server's own notation names and puts its new name in place of its path.
    pub(crate) fn deliver(&mut self, path: &str, entry: &mut Value, secrets: &mut Vec<UserFile>) {
        each_file(path, "", entry, &mut |path, key, file| {
            let bundle = matches!(key, "ca_file" | "cert_file" | "key_file");
            let read = if bundle { self.bundle(path, file) } else { self.secret(path, file) };
            if let Some(secret) = read {
                secret.name.clone_into(file);
                secrets.push(secret);
            }
        });
    }
}

impl Prometheus {
    /// The `remote_write` entries, with every file they name below `folder`.
    ///
    /// Prometheus takes a relative path as relative to its own configuration file, so a bare name would not do.
    #[must_use]
    pub fn remote_write_below(&self, folder: &str) -> Vec<Value> {
        let mut entries = self.remote_write.clone();
        entries.iter_mut().for_each(|entry| files_below(folder, entry));
        entries
    }
}

/// Puts every file that a value in a server's own notation names below a folder.
pub(crate) fn files_below(folder: &str, value: &mut Value) {
    each_file("", "", value, &mut |_, _, file| *file = format!("{folder}/{file}"));
}

/// Visits every file that a value in a server's own notation names, with its whole key and its last one.
fn each_file(path: &str, key: &str, value: &mut Value, visit: &mut impl FnMut(&str, &str, &mut String)) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                each_file(&format!("{path}.{key}"), key, value, visit);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                each_file(&format!("{path}[{index}]"), key, item, visit);
            }
        }
        // `http_headers.<name>.files` is the one list of files.
        Value::String(file) if key.ends_with("_file") || (key == "files" && path.contains(".http_headers.")) => {
            visit(path, key, file);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Certificates are there to be seen.
fn is_public(key: &str) -> bool {
    key.ends_with("ca_file") || key.ends_with("cert_file")
}
