//! One line of the text format, taken apart from left to right.

use std::borrow::Cow;

use crate::config::names::is_label;

/// Names and values.
type Labels<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// The rest of a line.
pub(super) struct Cursor<'a> {
    pub(super) rest: &'a str,
}

impl<'a> Cursor<'a> {
    pub(super) fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    pub(super) fn eat(&mut self, c: char) -> bool {
        let found = self.rest.strip_prefix(c);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    /// All up to here.
    fn take(&mut self, end: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// All up to the next blank.
    pub(super) fn word(&mut self) -> &'a str {
        self.take(self.rest.find([' ', '\t']).unwrap_or(self.rest.len()))
    }

    /// A name of the classic grammar, or any in quotes.
    pub(super) fn name(&mut self, is_good: fn(&str) -> bool, what: &str) -> Result<Cow<'a, str>, String> {
        if self.rest.starts_with('"') {
            let name = self.quoted()?;
            return if name.is_empty() { Err(format!("the name of a {what} is empty")) } else { Ok(name) };
        }
        let name = self.take(self.rest.find([' ', '\t', '{', '}', '=', ',', '"']).unwrap_or(self.rest.len()));
        if is_good(name) { Ok(name.into()) } else { Err(format!("{name:?} is not the name of a {what}")) }
    }

    /// A text in quotes.
    fn quoted(&mut self) -> Result<Cow<'a, str>, String> {
        let inner =
            self.rest.strip_prefix('"').ok_or_else(|| format!("a quote is missing in front of {:?}", self.rest))?;
        let mut escaped = false;
        let end = inner.bytes().position(|byte| {
            let is_end = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            is_end
        });
        let end = end.ok_or_else(|| format!("the closing quote of {:?} is missing", self.rest))?;
        self.rest = &inner[end + 1..];
        unescape(&inner[..end])
    }

    /// All up to the closing brace; one of them may be the metric's name in quotes.
    pub(super) fn labels(&mut self, metric: &mut Option<Cow<'a, str>>) -> Result<Labels<'a>, String> {
        let mut labels = Labels::new();
        loop {
            self.blanks();
            if self.eat('}') {
                return Ok(labels);
            }
            if self.rest.is_empty() {
                return Err("the closing brace is missing".to_owned());
            }
            let is_quoted = self.rest.starts_with('"');
            let name = self.name(is_label, "label")?;
            self.blanks();
            if self.eat('=') {
                self.blanks();
                let value = self.quoted()?;
                if name == "__name__" || labels.iter().any(|(of, _)| *of == name) {
                    return Err(format!("the label `{name}` is there twice"));
                }
                labels.push((name, value));
            } else if is_quoted && metric.is_none() && labels.is_empty() {
                *metric = Some(name);
            } else {
                return Err(format!("the label `{name}` has no value"));
            }
            self.blanks();
            if !self.eat(',') && !self.rest.starts_with('}') {
                return Err("a comma or the closing brace is missing behind a label".to_owned());
            }
        }
    }
}

/// A text as it is meant: a backslash stands in front of itself, of a quote, and of the `n` of a new line.
pub(super) fn unescape(text: &str) -> Result<Cow<'_, str>, String> {
    if !text.contains('\\') {
        return Ok(text.into());
    }
    let (mut plain, mut chars) = (String::with_capacity(text.len()), text.chars());
    while let Some(c) = chars.next() {
        plain.push(match (c, if c == '\\' { chars.next() } else { None }) {
            ('\\', Some('n')) => '\n',
            ('\\', Some(c @ ('\\' | '"'))) => c,
            ('\\', other) => return Err(format!("`\\{}` is no escape", other.map(String::from).unwrap_or_default())),
            (c, _) => c,
        });
    }
    Ok(plain.into())
}
