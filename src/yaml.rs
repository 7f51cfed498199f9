//! YAML: read with positions, write from typed values, read a server's answer.
//!
//! Three needs, three tools. The user's files are read by an event parser, because every problem in them is
//! reported with its line and column ([`parse`]). What we generate is written by [`to_string`], which quotes each
//! string that any reader, also one of YAML 1.1, could take for something else. Answers of servers are read with
//! `serde_yaml` ([`from_str`]); this is the only file that names that crate.

use serde::de::DeserializeOwned;

use crate::error::{Code, Error, Result};

mod node;
mod read;
mod write;

pub use node::{Entry, Fault, Limits, Node, Parsed, Value};
pub use read::parse;
pub use write::to_string;

/// A character that a message must not repeat as it is: invisible, or a line break.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    c.is_control() || read::is_bidi(c)
}

/// Reads `text` as a `T`; for YAML that a server sends, not for the user's files.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_yaml::from_str(text)
        .map_err(|error| Error::new(Code::Io, "the answer is not the YAML expected").cause(error.to_string()))
}
