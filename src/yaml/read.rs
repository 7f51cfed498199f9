//! Reads YAML into a tree that knows the place of every node.
//!
//! Only what a settings or rules file needs: one document of mappings, sequences and scalars. Anchors, aliases and
//! tags are refused, so a small file cannot grow into a large value and no text can name a type.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use super::node::{Entry, Fault, Limits, Node, Parsed, Value};

/// So many faults of the text itself say that it is no such file at all.
const MOST_FAULTS: usize = 50;

/// Reads one document.
#[must_use]
pub fn parse(bytes: &[u8], limits: Limits) -> Parsed {
    if bytes.len() > limits.bytes {
        return Parsed::failed(
            None,
            format!("{} bytes are too many", bytes.len()),
            format!("a file of at most {} KiB", limits.bytes / 1024),
        );
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let offset = error.valid_up_to();
            let before = String::from_utf8_lossy(bytes.get(..offset).unwrap_or_default());
            let found = format!("byte {offset} (counted from 0) is not UTF-8");
            return Parsed::failed(Some(end_of(&before)), found, "a text file in UTF-8");
        }
    };
    if text.trim().is_empty() {
        return Parsed::failed(None, "the file is empty", "content, or at least a comment");
    }
    let hidden = hidden_characters(text);
    if !hidden.is_empty() {
        return Parsed { root: None, faults: hidden, complete: false };
    }
    let lines = text.lines().collect();
    Builder { text, lines, limits, stack: Vec::new(), root: None, faults: Vec::new() }.run()
}

/// The position just behind `text`.
fn end_of(text: &str) -> (usize, usize) {
    let last = text.rsplit('\n').next().unwrap_or_default();
    (text.matches('\n').count() + 1, last.chars().count() + 1)
}

/// Whether a character changes the direction of the text around it, which can make a line look like another one.
pub(super) fn is_bidi(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// A character that a person cannot see but a program acts on.
fn is_hidden(c: char) -> bool {
    is_bidi(c) || (c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
}

/// The first few hidden characters, each with its place.
fn hidden_characters(text: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (number, line) in text.split('\n').enumerate() {
        for (index, c) in line.chars().enumerate().filter(|(_, c)| is_hidden(*c)) {
            let found = format!("`U+{:04X}` is an invisible control character", u32::from(c));
            let position = Some((number + 1, index + 1));
            faults.push(Fault { position, found, expected: "visible text".to_owned(), line: None });
        }
    }
    faults.truncate(MOST_FAULTS);
    faults
}

/// A collection whose end has not come yet.
enum Open {
    /// Items so far.
    Sequence { line: usize, column: usize, items: Vec<Node> },
    /// Entries so far, the key whose value comes next, and where each key stood first.
    Mapping { line: usize, column: usize, entries: Vec<Entry>, key: Option<Key>, seen: HashMap<String, usize> },
}

/// A key that waits for its value.
struct Key {
    text: String,
    line: usize,
    column: usize,
    /// A second value for one key, or a key that is no text: already reported, the value is dropped.
    refused: bool,
}

/// Builds the tree from the parser's events.
struct Builder<'a> {
    text: &'a str,
    lines: Vec<&'a str>,
    limits: Limits,
    stack: Vec<Open>,
    root: Option<Node>,
    faults: Vec<Fault>,
}

impl Builder<'_> {
    /// Follows the events to the end, or to the first place from which nothing can be understood.
    fn run(mut self) -> Parsed {
        let text = self.text;
        let mut documents = 0;
        let mut complete = true;
        for event in Parser::new_from_str(text) {
            let (event, span) = match event {
                Ok(event) => event,
                Err(error) => {
                    let fault = self.syntax(&error);
                    self.faults.push(fault);
                    complete = false;
                    break;
                }
            };
            if matches!(event, Event::DocumentStart(_)) {
                documents += 1;
            }
            if documents > 1 {
                self.fault(position(span), "a second document starts here", "one document: remove this `---`");
                break;
            }
            self.event(event, span);
            if self.stack.len() > self.limits.depth {
                let expected = format!("at most {} levels", self.limits.depth);
                self.fault(position(span), "the nesting is too deep", &expected);
                complete = false;
                break;
            }
            if self.faults.len() >= MOST_FAULTS {
                complete = false;
                break;
            }
        }
        Parsed { root: if complete { self.root } else { None }, faults: self.faults, complete }
    }

    fn fault(&mut self, position: (usize, usize), found: &str, expected: &str) {
        let (found, expected) = (found.to_owned(), expected.to_owned());
        let fault = Fault { position: Some(position), found, expected, line: None };
        self.faults.push(fault);
    }

    fn event(&mut self, event: Event<'_>, span: Span) {
        let (line, column) = position(span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse(anchor, tag.is_some(), span);
                if let Some(c) = text.chars().find(|c| is_hidden(*c)) {
                    let found = format!("an escape for the invisible character `U+{:04X}`", u32::from(c));
                    self.fault((line, column), &found, "visible text");
                }
                let plain = style == ScalarStyle::Plain;
                self.place(Node { line, column, value: Value::Scalar { text: text.into_owned(), plain } });
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse(anchor, tag.is_some(), span);
                self.stack.push(Open::Sequence { line, column, items: Vec::new() });
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse(anchor, tag.is_some(), span);
                let (entries, seen) = (Vec::new(), HashMap::new());
                self.stack.push(Open::Mapping { line, column, entries, key: None, seen });
            }
            Event::SequenceEnd | Event::MappingEnd => match self.stack.pop() {
                Some(Open::Sequence { line, column, items }) => {
                    self.place(Node { line, column, value: Value::Sequence(items) });
                }
                Some(Open::Mapping { line, column, entries, .. }) => {
                    self.place(Node { line, column, value: Value::Mapping(entries) });
                }
                None => {}
            },
            Event::Alias(_) => {
                self.fault(
                    (line, column),
                    &format!("the alias `{}`", self.word((line, column))),
                    "the value itself: anchors and aliases are not allowed",
                );
                self.place(Node { line, column, value: Value::Scalar { text: String::new(), plain: false } });
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {}
        }
    }

    fn refuse(&mut self, anchor: usize, tagged: bool, span: Span) {
        if anchor > 0 {
            let found = format!("the anchor `{}`", self.word(position(span)));
            self.fault(position(span), &found, "the value alone: anchors and aliases are not allowed");
        }
        if tagged {
            let found = format!("the tag `{}`", self.word(position(span)));
            self.fault(position(span), &found, "the value alone: tags are not allowed");
        }
    }

    /// Puts a finished node where the innermost open collection expects one.
    fn place(&mut self, node: Node) {
        let fault = match self.stack.last_mut() {
            None => {
                self.root = Some(node);
                None
            }
            Some(Open::Sequence { items, .. }) => {
                items.push(node);
                None
            }
            Some(Open::Mapping { entries, key, seen, .. }) => match key.take() {
                None => {
                    let (accepted, fault) = accept_key(node, seen);
                    *key = Some(accepted);
                    fault
                }
                Some(Key { refused: true, .. }) => None,
                Some(Key { text, line, column, refused: false }) => {
                    entries.push(Entry { key: text, line, column, value: node });
                    None
                }
            },
        };
        self.faults.extend(fault);
    }

    /// The parser's refusal in words that name the mistake.
    fn syntax(&self, error: &ScanError) -> Fault {
        let (line, column) = (error.marker().line().max(1), error.marker().col() + 1);
        let tabbed = |number: &usize| {
            let text = self.line(*number);
            text.chars().take_while(|c| c.is_whitespace()).position(|c| c == '\t').map(|column| (*number, column + 1))
        };
        // A tab upsets the parser on its own line or on one beside it.
        if let Some(position) = [line, line + 1, line - 1].iter().find_map(tabbed) {
            return Fault {
                position: Some(position),
                found: "the line is indented with a tab".to_owned(),
                expected: "spaces: YAML does not allow tabs in indentation".to_owned(),
                line: None,
            };
        }
        let (found, expected) = explain(error.info());
        let text = Some(self.line(line).to_owned());
        Fault { position: Some((line, column)), found, expected: expected.to_owned(), line: text }
    }

    /// The text of a line; lines count from 1.
    fn line(&self, number: usize) -> &str {
        self.lines.get(number.saturating_sub(1)).copied().unwrap_or_default()
    }

    /// The text at a position, up to the next blank: `&name`, `*name`, `!tag`.
    fn word(&self, (line, column): (usize, usize)) -> String {
        self.line(line).chars().skip(column.saturating_sub(1)).take_while(|c| !c.is_whitespace()).take(40).collect()
    }
}

/// What the parser means, for the mistakes that people make, and what would have been right.
fn explain(info: &str) -> (String, &'static str) {
    let lines = "`key: value` lines, those of one mapping indented alike";
    let has = |words: &[&str]| words.iter().any(|word| info.contains(word));
    if has(&["mapping values are not allowed", "illegal placement of ':'"]) {
        ("a second `:` in one value".to_owned(), "a text with `: ` in it to stand in quotes")
    } else if has(&["quoted scalar"]) {
        ("a quote that is not closed".to_owned(), "a closing quote in the same line")
    } else if has(&["expected ',' or"]) {
        ("a `[` or `{` that is not closed".to_owned(), "the closing bracket, and commas between the values")
    } else if has(&["misplaced bracket"]) {
        ("a closing bracket that closes nothing".to_owned(), lines)
    } else if has(&["expected key", "'-' indicator", "invalid indentation", "simple key", "block sequence entries"]) {
        ("a line that does not fit those around it".to_owned(), lines)
    } else if has(&["recursion limit"]) {
        ("the nesting is too deep".to_owned(), "fewer levels")
    } else if has(&["unknown anchor"]) {
        ("an alias (`*`)".to_owned(), "the value itself: anchors and aliases are not allowed")
    } else if let Some(c) = info.strip_prefix("unexpected character: `").and_then(|rest| rest.chars().next()) {
        let c = if c == '`' { "a backtick".to_owned() } else { format!("`{c}`") };
        (format!("{c} at the start of a value"), "quotes around a text that starts with it")
    } else {
        (format!("not YAML: {info}"), lines)
    }
}

/// Checks that a key is a text that has not been there before.
fn accept_key(node: Node, seen: &mut HashMap<String, usize>) -> (Key, Option<Fault>) {
    let (line, column) = (node.line, node.column);
    let fault = |found: String, expected: &str| Fault {
        position: Some((line, column)),
        found,
        expected: expected.to_owned(),
        line: None,
    };
    let Value::Scalar { text, .. } = node.value else {
        let key = Key { text: String::new(), line, column, refused: true };
        return (key, Some(fault("a list or mapping as a key".to_owned(), "a name")));
    };
    let first = seen.get(&text).copied();
    seen.entry(text.clone()).or_insert(line);
    let fault = first.map(|first| {
        fault(
            format!("the key `{}` is there twice", text.escape_debug()),
            &format!("one: the first is in line {first}"),
        )
    });
    let repeated = fault.is_some();
    (Key { text, line, column, refused: repeated }, fault)
}

/// Where a span starts, both counted from 1.
fn position(span: Span) -> (usize, usize) {
    (span.start.line().max(1), span.start.col() + 1)
}
