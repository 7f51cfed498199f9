//! One condition of a route, of an inhibition or of a silence.

use super::pattern;

/// Whether an alert fits, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fits {
    Never,
    /// The label may come from a series, or the pattern is more than we can judge.
    Perhaps,
    Surely,
}

/// `name op value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Matcher {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) negated: bool,
    pub(crate) regex: bool,
}

impl std::fmt::Display for Matcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = match (self.negated, self.regex) {
            (false, false) => "=",
            (false, true) => "=~",
            (true, false) => "!=",
            (true, true) => "!~",
        };
        write!(f, "{}{sign}{:?}", self.name, self.value)
    }
}

impl Matcher {
    /// An entry of the old `match` and `match_re`.
    pub(crate) fn equal(name: &str, value: &str, regex: bool) -> Self {
        Self { name: name.to_owned(), value: value.to_owned(), negated: false, regex }
    }

    /// `team="ops"`, `team=~"a|b"`, with or without quotes.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let at = text.find(['=', '!'])?;
        let (name, rest) = text.split_at(at);
        let signs = [("=~", false, true), ("!~", true, true), ("!=", true, false), ("=", false, false)];
        let (value, negated, regex) =
            signs.into_iter().find_map(|(sign, negated, regex)| Some((rest.strip_prefix(sign)?, negated, regex)))?;
        let (name, value) = (unquoted(name.trim()), unquoted(value.trim()));
        Some(Self { name, value, negated, regex })
    }

    /// All of a text: `team="ops"`, or several as in `{team="ops", severity!="info"}`.
    pub(crate) fn read_all(text: &str) -> Vec<Option<Self>> {
        parts(text).into_iter().map(|part| Self::read(&part)).collect()
    }

    /// What is wrong with its pattern, as far as it can be judged here.
    pub(crate) fn flaw(&self) -> Option<String> {
        if self.regex { pattern::flaw(&self.value) } else { None }
    }

    /// Whether a label of this value fits; `None`: the rule does not set it, but a series may have it.
    pub(crate) fn fits(&self, value: Option<&str>) -> Fits {
        let Some(value) = value else { return Fits::Perhaps };
        let matches = if self.regex { pattern::fits(&self.value, value) } else { Some(self.value == value) };
        match matches {
            None => Fits::Perhaps,
            Some(matches) if matches != self.negated => Fits::Surely,
            Some(_) => Fits::Never,
        }
    }
}

/// The text between the commas that stand in no quotes, without braces around all of it.
fn parts(text: &str) -> Vec<String> {
    let text = text.trim();
    let text = text.strip_prefix('{').map_or(text, |inner| inner.strip_suffix('}').unwrap_or(inner));
    let (mut parts, mut part) = (Vec::new(), String::new());
    let (mut is_quoted, mut is_escaped) = (false, false);
    for c in text.chars() {
        if c == ',' && !is_quoted {
            parts.push(std::mem::take(&mut part));
            continue;
        }
        is_quoted ^= c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        part.push(c);
    }
    // A comma may stand at the end.
    if parts.is_empty() || !part.trim().is_empty() {
        parts.push(part);
    }
    parts
}

/// A text without the quotes around it, and without the backslashes that they ask for. One before any other character
/// is kept: it belongs to a pattern.
fn unquoted(text: &str) -> String {
    if let Ok(plain) = serde_json::from_str(text) {
        return plain;
    }
    let inner = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let Some(inner) = inner.filter(|_| text.len() > 1) else { return text.to_owned() };
    let mut out = String::new();
    let mut rest = inner.chars().peekable();
    while let Some(c) = rest.next() {
        match (c, rest.peek()) {
            ('\\', Some(&next @ ('\\' | '"'))) => {
                rest.next();
                out.push(next);
            }
            ('\\', Some('n')) => {
                rest.next();
                out.push('\n');
            }
            (c, _) => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(matcher: &str, value: Option<&str>) -> Fits {
        Matcher::read(matcher).unwrap().fits(value)
    }

    #[test]
    fn matchers_are_read_as_alertmanager_writes_them() {
        for text in [r#"team="ops""#, r#"team!="a b""#, r#"team=~"a|b""#, r#"team!~"\"x\"""#] {
            assert_eq!(Matcher::read(text).unwrap().to_string(), text);
        }
        assert_eq!(Matcher::read("team = ops").unwrap().to_string(), r#"team="ops""#);
        assert_eq!(Matcher::read(r#"a=~"x\.\"y""#).unwrap().value, "x\\.\"y");
    }

    #[test]
    fn one_text_may_hold_several() {
        let read = |text: &str| -> Vec<String> {
            let all = Matcher::read_all(text).into_iter();
            all.map(|matcher| matcher.map_or_else(|| "?".to_owned(), |matcher| matcher.to_string())).collect()
        };
        assert_eq!(read(r#"{ a="x,\"y", b!~"z", }"#), [r#"a="x,\"y""#, r#"b!~"z""#]);
        assert_eq!(read("a=1,b"), [r#"a="1""#, "?"]);
        assert_eq!(read(""), ["?"]);
    }

    #[test]
    fn a_value_fits_surely_never_or_perhaps() {
        assert_eq!(fits(r#"team="ops""#, Some("ops")), Fits::Surely);
        assert_eq!(fits(r#"team!="ops""#, Some("ops")), Fits::Never);
        assert_eq!(fits(r#"team="ops""#, None), Fits::Perhaps);
        assert_eq!(fits(r#"team=~"(a|dev.*)""#, Some("devops")), Fits::Surely);
        assert_eq!(fits(r#"team=~"dev.+""#, Some("dev")), Fits::Never);
        assert_eq!(fits(r#"team!~"a|b""#, Some("c")), Fits::Surely);
        assert_eq!(fits(r#"team=~"[a-d]ops""#, Some("dops")), Fits::Surely);
        assert_eq!(fits(r#"team=~"\\pLops""#, Some("dops")), Fits::Perhaps);
    }
}
