//! The environment as text, read once.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use crate::config::{Place, Problem};
use crate::error::{Code, Error, Result};

/// Whose variables must not go unread: without them the command would work on another project or another engine.
const OURS: [&str; 2] = ["MOKO_MON_", "DOCKER_"];

/// All variables that are text; one of ours that is not is an error.
pub fn read(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Result<BTreeMap<String, String>> {
    let mut environment = BTreeMap::new();
    let mut causes = Vec::new();
    for (name, value) in variables {
        if let (Some(name), Some(value)) = (name.to_str(), value.to_str()) {
            environment.insert(name.to_owned(), value.to_owned());
        } else if is_ours(&name) {
            let part = if name.to_str().is_some() { "value" } else { "name" };
            // The value may be a secret, the name is not.
            let problem = Problem {
                place: Place::Environment(name.to_string_lossy().escape_debug().to_string()),
                key: String::new(),
                found: format!("the {part} is not UTF-8"),
                expected: "text in UTF-8".to_owned(),
            };
            causes.push(problem.to_string());
        }
    }
    if causes.is_empty() { Ok(environment) } else { Err(Error { causes, ..refused() }) }
}

/// What is wrong with a variable, as an error of its own.
#[must_use]
pub fn problem(name: &str, found: String, expected: &str) -> Error {
    let place = Place::Environment(name.to_owned());
    refused().cause(Problem { place, key: String::new(), found, expected: expected.to_owned() }.to_string())
}

fn refused() -> Error {
    Error::new(Code::ConfigInvalid, "could not read the environment")
        .hint("set the variable anew or `unset` it, and try again; nothing was changed")
}

fn is_ours(name: &OsStr) -> bool {
    OURS.iter().any(|prefix| name.as_encoded_bytes().starts_with(prefix.as_bytes()))
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::ffi::OsStringExt as _;

    use super::*;

    fn read_bytes(pairs: &[(&[u8], &[u8])]) -> Result<BTreeMap<String, String>> {
        let os = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
        read(pairs.iter().map(|(name, value)| (os(name), os(value))))
    }

    #[test]
    fn a_variable_of_ours_that_is_no_text_is_refused() {
        let environment = read_bytes(&[(b"MOKO_MON_PROJECT", b"abc"), (b"LESS", b"\xff"), (b"\xff", b"x")]).unwrap();
        assert_eq!(environment, BTreeMap::from([("MOKO_MON_PROJECT".to_owned(), "abc".to_owned())]));
        let error = read_bytes(&[
            (b"MOKO_MON_PROJECT", b"\xff"),
            (b"DOCKER_HOST", b"unix://\xff"),
            (b"MOKO_MON_\xff\x1b", b""),
        ]);
        insta::assert_snapshot!(error.unwrap_err(), @r"
        error: could not read the environment
          caused by: environment variable MOKO_MON_PROJECT: the value is not UTF-8; expected text in UTF-8
          caused by: environment variable DOCKER_HOST: the value is not UTF-8; expected text in UTF-8
          caused by: environment variable MOKO_MON_�\u{1b}: the name is not UTF-8; expected text in UTF-8
        hint: set the variable anew or `unset` it, and try again; nothing was changed
        ");
    }
}
