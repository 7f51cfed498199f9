//! Who asks, and whom to trust: read from the files that settings and flags name.

use std::path::Path;

use reqwest::Certificate;

use crate::error::{Code, Error, Result, innermost};
use crate::secret::Secret;

/// The first and only line of a file; `shown` is how people know the file, `code` what a refusal is.
pub fn secret(file: &Path, shown: &str, code: Code) -> Result<Secret> {
    let refused = |fact: &str| {
        Error::new(code, format!("cannot use `{shown}` as a password or token"))
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

/// The certificates in a file of PEM blocks, at least one; `name` tells where to name such a file.
pub fn certificates(file: &Path, shown: &str, code: Code, name: &str) -> Result<Vec<Certificate>> {
    let refused = |fact: &str| {
        Error::new(code, format!("cannot use `{shown}` as certificates to trust"))
            .cause(fact)
            .hint(format!("{name}: it begins with `-----BEGIN CERTIFICATE-----`"))
    };
    let bytes = std::fs::read(file).map_err(|error| refused(&error.to_string()))?;
    let certificates = Certificate::from_pem_bundle(&bytes).map_err(|error| refused(&innermost(&error)))?;
    if certificates.is_empty() { Err(refused("it has none")) } else { Ok(certificates) }
}
