//! The stack in other tools' formats: from values to files as values; nothing is written here.

pub mod compose;

/// A file to be written.
#[derive(Clone, PartialEq, Eq)]
pub struct File {
    /// Path below the chosen folder, `/` between its parts.
    pub path: String,
    /// The bytes.
    pub content: Vec<u8>,
    /// Whether it holds a password or token.
    pub secret: bool,
}

impl std::fmt::Debug for File {
    /// Never shows the content: it may be a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} bytes)", self.path, self.content.len())
    }
}
