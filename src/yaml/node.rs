//! What reading YAML yields: a tree in which every node knows its place.

/// How much a file may hold.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Largest size in bytes, checked before parsing.
    pub bytes: usize,
    /// Deepest nesting.
    pub depth: usize,
}

/// One value and where it starts; lines and columns count from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Line of the first character.
    pub line: usize,
    /// Column of the first character, in characters.
    pub column: usize,
    /// What stands there.
    pub value: Value,
}

impl Node {
    /// The value beneath a key; `None` where this is no mapping or has no such key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match &self.value {
            Value::Mapping(entries) => entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value),
            Value::Scalar { .. } | Value::Sequence(_) => None,
        }
    }

    /// The text of a scalar.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            Value::Sequence(_) | Value::Mapping(_) => None,
        }
    }

    /// The items of a list; none where this is no list.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match &self.value {
            Value::Sequence(items) => items,
            Value::Scalar { .. } | Value::Mapping(_) => &[],
        }
    }

    /// Keys and texts of a mapping of texts, in the order of the file.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        let entries = if let Value::Mapping(entries) = &self.value { entries.as_slice() } else { &[] };
        entries.iter().filter_map(|entry| Some((entry.key.as_str(), entry.value.text()?)))
    }
}

/// The value of a [`Node`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A single text; `plain` when it stands there without quotes and is no block.
    Scalar {
        /// The text, escapes resolved.
        text: String,
        /// Whether it may mean a number, a boolean or nothing.
        plain: bool,
    },
    /// An ordered list.
    Sequence(Vec<Node>),
    /// Keys and values in the order of the file; each key once.
    Mapping(Vec<Entry>),
}

/// A key, which always is a scalar, and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The text of the key.
    pub key: String,
    /// Line of the key.
    pub line: usize,
    /// Column of the key.
    pub column: usize,
    /// The value beneath the key.
    pub value: Node,
}

/// One thing that is wrong with the text itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Line and column, when they are known.
    pub position: Option<(usize, usize)>,
    /// What stands there.
    pub found: String,
    /// What would have been right.
    pub expected: String,
    /// The line, where the text as such cannot be understood; may hold a secret.
    pub line: Option<String>,
}

/// What came of reading a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parsed {
    /// The document; `None` when it holds nothing but comments, or cannot be read at all.
    pub root: Option<Node>,
    /// Everything wrong, in the order of the file. Not empty when the text cannot be read at all.
    pub faults: Vec<Fault>,
    /// Whether the text could be read to its end.
    pub complete: bool,
}

impl Parsed {
    /// Nothing could be read, for one reason.
    pub(super) fn failed(
        position: Option<(usize, usize)>,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        let fault = Fault { position, found: found.into(), expected: expected.into(), line: None };
        Self { root: None, faults: vec![fault], complete: false }
    }
}
