//! One thing that is wrong with the configuration, with its place.

use std::fmt;

use crate::error::{Code, Error};

/// Where a problem is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a file; line and column count from 1.
    File {
        /// The file as the user would name it.
        file: String,
        /// Line and column, when they are known.
        position: Option<(usize, usize)>,
    },
    /// In an environment variable.
    Environment(String),
    /// In a flag, as it was typed.
    Flag(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, position: Some((line, column)) } => write!(f, "{file}:{line}:{column}"),
            Self::File { file, position: None } => f.write_str(file),
            Self::Environment(name) => write!(f, "environment variable {name}"),
            Self::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}

/// One thing that is wrong: place, setting, what was found, what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it is.
    pub place: Place,
    /// The setting, such as `prometheus.retention.time`; empty where the whole file is meant.
    pub key: String,
    /// What is wrong, with the offending text in backticks.
    pub found: String,
    /// What would have been right.
    pub expected: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "{}; expected {}", self.found, self.expected)
    }
}

/// Everything wrong with a configuration; never empty when it is an error.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Problems(pub Vec<Problem>);

impl From<Problems> for Error {
    fn from(problems: Problems) -> Self {
        let count = problems.0.len();
        let message = match count {
            1 => "the configuration has a problem".to_owned(),
            _ => format!("the configuration has {count} problems"),
        };
        let mut error = Self::new(Code::ConfigInvalid, message);
        error.causes = problems.0.iter().map(ToString::to_string).collect();
        error.hint("mend it and try again; nothing was changed. `moko-mon config schema` lists every setting")
    }
}
