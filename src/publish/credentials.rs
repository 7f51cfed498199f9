//! Who pushes, and whom to trust: read from the files that the settings name.

use std::path::Path;

use reqwest::Certificate;

use super::Settings;
use crate::error::{Code, Error, Result, innermost};
use crate::http::{Auth, Login};
use crate::secret::Secret;

/// How to log in, if the settings say how.
pub(super) fn auth(settings: &Settings) -> Result<Option<Auth>> {
    let Settings { username, password_file, token_file, .. } = settings;
    match (username, password_file, token_file) {
        (None, None, None) => Ok(None),
        (None, None, Some(file)) => Ok(Some(Auth::Bearer(secret(file)?))),
        (Some(user), Some(file), None) => Ok(Some(Auth::Basic(Login { user: user.clone(), password: secret(file)? }))),
        (_, _, Some(_)) => Err(Error::new(Code::ConfigInvalid, "`push` has both a token and a login")
            .hint("set `push.token_file`, or `push.username` and `push.password_file`")),
        (_, _, None) => Err(Error::new(Code::ConfigInvalid, "the login of `push` is not complete")
            .hint("set both `push.username` and `push.password_file`")),
    }
}

/// The certificates to trust besides the system's.
pub(super) fn certificates(settings: &Settings) -> Result<Vec<Certificate>> {
    let Some(file) = &settings.ca_file else { return Ok(Vec::new()) };
    let refused = |fact: &str| {
        Error::new(Code::ConfigInvalid, format!("cannot use `{}` as certificates to trust", file.display()))
            .cause(fact)
            .hint("name a PEM file under `push.ca_file`: it begins with `-----BEGIN CERTIFICATE-----`")
    };
    let bytes = std::fs::read(file).map_err(|error| refused(&error.to_string()))?;
    let certificates = Certificate::from_pem_bundle(&bytes).map_err(|error| refused(&innermost(&error)))?;
    if certificates.is_empty() { Err(refused("it has none")) } else { Ok(certificates) }
}

/// The first and only line of a file.
fn secret(file: &Path) -> Result<Secret> {
    let refused = |fact: &str| {
        Error::new(Code::ConfigInvalid, format!("cannot use `{}` as a password or token", file.display()))
            .cause(fact)
            .hint("name a file that holds it and nothing else")
    };
    let text = std::fs::read_to_string(file).map_err(|error| refused(&error.to_string()))?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(refused("it is empty"));
    }
    if text.chars().any(char::is_control) {
        return Err(refused("it has more than one line, or characters that no password has"));
    }
    Ok(Secret::new(text))
}
