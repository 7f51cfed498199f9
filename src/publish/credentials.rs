//! Who pushes, and whom to trust: read from the files that the settings name.

use std::path::Path;

use reqwest::Certificate;

use super::Settings;
use crate::error::{Code, Error, Result};
use crate::http::{Auth, Login, credentials};
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
    let shown = file.display().to_string();
    credentials::certificates(file, &shown, Code::ConfigInvalid, "name a PEM file under `push.ca_file`")
}

fn secret(file: &Path) -> Result<Secret> {
    credentials::secret(file, &file.display().to_string(), Code::ConfigInvalid)
}
