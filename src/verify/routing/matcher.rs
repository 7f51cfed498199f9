//! One condition of a route, as far as it can be judged before an alert fires.

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
    value: String,
    negated: bool,
    regex: bool,
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

    /// Whether a label of this value fits; `None`: the rule does not set it, but a series may have it.
    pub(crate) fn fits(&self, value: Option<&str>) -> Fits {
        let Some(value) = value else { return Fits::Perhaps };
        let matches = if self.regex { matches(&self.value, value) } else { Some(self.value == value) };
        match matches {
            None => Fits::Perhaps,
            Some(matches) if matches != self.negated => Fits::Surely,
            Some(_) => Fits::Never,
        }
    }
}

fn unquoted(text: &str) -> String {
    serde_json::from_str(text).unwrap_or_else(|_| text.to_owned())
}

/// Whether a value fits a pattern as a whole; `None` for a pattern beyond alternatives, `.*` and `.+`.
fn matches(pattern: &str, value: &str) -> Option<bool> {
    let pattern = pattern.trim_start_matches('^').trim_end_matches('$');
    let grouped = pattern.strip_prefix('(').and_then(|inner| inner.strip_suffix(')'));
    let pattern = grouped.map_or(pattern, |inner| inner.strip_prefix("?:").unwrap_or(inner));
    let mut any = false;
    for one in pattern.split('|') {
        any |= alternative(one, value)?;
    }
    Some(any)
}

fn alternative(pattern: &str, value: &str) -> Option<bool> {
    let is_plain = |text: &str| text.chars().all(|c| c.is_alphanumeric() || "_-:/ @".contains(c));
    for (wild, least) in [(".*", 0), (".+", 1)] {
        if let Some((start, end)) = pattern.split_once(wild) {
            let fits =
                value.len() >= start.len() + end.len() + least && value.starts_with(start) && value.ends_with(end);
            return (is_plain(start) && is_plain(end)).then_some(fits);
        }
    }
    is_plain(pattern).then_some(pattern == value)
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
    }

    #[test]
    fn a_value_fits_surely_never_or_perhaps() {
        assert_eq!(fits(r#"team="ops""#, Some("ops")), Fits::Surely);
        assert_eq!(fits(r#"team!="ops""#, Some("ops")), Fits::Never);
        assert_eq!(fits(r#"team="ops""#, None), Fits::Perhaps);
        assert_eq!(fits(r#"team=~"(a|dev.*)""#, Some("devops")), Fits::Surely);
        assert_eq!(fits(r#"team=~"dev.+""#, Some("dev")), Fits::Never);
        assert_eq!(fits(r#"team!~"a|b""#, Some("c")), Fits::Surely);
        assert_eq!(fits(r#"team=~"[a-d]ops""#, Some("dops")), Fits::Perhaps);
    }
}
