//! A value that must not be shown by accident.

use std::fmt;

use base64::Engine as _;

use crate::error::{Code, Error, Result};

/// A password or token: it goes where it is needed and nowhere else.
///
/// It has no `Display`, and `Debug` prints `***`, so that no log line, error or derived `Debug` shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the value as it is.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// 192 bits from the operating system's random numbers, in letters, digits, `-` and `_`.
    pub fn random() -> Result<Self> {
        let mut bytes = [0; 24];
        getrandom::fill(&mut bytes).map_err(|error| {
            Error::new(Code::Io, "could not get random numbers from the operating system").cause(error.to_string())
        })?;
        Ok(Self(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The value itself. The name is there to be searched for.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Some(Secret::new("hunter2"))), "Some(***)");
        assert_eq!(Secret::new("hunter2").expose(), "hunter2");
    }
}
