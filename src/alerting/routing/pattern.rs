//! Regular expressions as Alertmanager reads them: Go's, which have to fit a value as a whole.

use std::iter::Peekable;
use std::str::Chars;

use regex_lite::Regex;

/// Whether a value fits a pattern as a whole; `None`: that cannot be judged here.
pub(super) fn fits(pattern: &str, value: &str) -> Option<bool> {
    let folds = folds_case(pattern) && !(pattern.is_ascii() && value.is_ascii());
    if folds {
        return None;
    }
    compiled(pattern)?.ok().map(|regex| regex.is_match(value))
}

/// What is wrong with a pattern, as far as it can be judged here.
pub(super) fn flaw(pattern: &str) -> Option<String> {
    compiled(pattern)?.err().map(|error| error.to_string())
}

/// `None` for what the two kinds of expressions do not share: classes of Unicode.
fn compiled(pattern: &str) -> Option<Result<Regex, regex_lite::Error>> {
    let translated = Translation { rest: pattern.chars().peekable(), out: String::new() }.whole()?;
    // In a group of its own, so that an unbalanced `)` is an error; a line break is nothing that `$` may leave out.
    Some(Regex::new(&translated).and_then(|_| Regex::new(&format!("^(?:{translated})$"))))
}

/// Whether letters may fit in both cases: of others than ASCII's the two kinds of expressions know different pairs.
fn folds_case(pattern: &str) -> bool {
    let flags = pattern.split("(?").skip(1).filter_map(|rest| rest.split([')', ':']).next());
    flags.into_iter().any(|flags| flags.split('-').next().is_some_and(|on| on.contains('i') && !on.contains('<')))
}

/// From Go's notation to that of `regex-lite`, where they differ.
struct Translation<'a> {
    rest: Peekable<Chars<'a>>,
    out: String,
}

/// Go's `\s`, which a vertical tab is no part of; and all else.
const SPACE: &str = r"\t\n\f\r ";
const NO_SPACE: &str = r"\x{0}-\x{8}\x{B}\x{E}-\x{1F}\x{21}-\x{10FFFF}";

impl Translation<'_> {
    fn whole(mut self) -> Option<String> {
        while let Some(c) = self.rest.next() {
            match c {
                '\\' => self.escape()?,
                '[' => self.class()?,
                '{' if !self.is_count() => self.literal('{'),
                c => self.out.push(c),
            }
        }
        Some(self.out)
    }

    fn literal(&mut self, c: char) {
        self.out.push_str(&format!("\\x{{{:X}}}", u32::from(c)));
    }

    /// Whether `{` begins a number of repetitions. If it does not, it is a character as any other.
    fn is_count(&self) -> bool {
        let inner: String = self.rest.clone().take_while(|c| *c != '}').collect();
        let closed = self.rest.clone().any(|c| c == '}');
        let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
        let (least, most) = inner.split_once(',').unwrap_or((&inner, ""));
        closed && !least.is_empty() && digits(least) && digits(most)
    }

    /// Behind a backslash that is in no class.
    fn escape(&mut self) -> Option<()> {
        let kind = *self.rest.peek()?;
        match kind {
            'p' | 'P' | 'C' => return None,
            'Q' => self.quoted(),
            's' => self.out.push_str(&format!("[{SPACE}]")),
            'S' => self.out.push_str(&format!("[^{SPACE}]")),
            'A' | 'z' | 'b' | 'B' | 'd' | 'D' | 'w' | 'W' => self.out.extend(['\\', kind]),
            _ => {
                let c = self.character()?;
                self.literal(c);
                return Some(());
            }
        }
        self.rest.next();
        Some(())
    }

    /// From `Q` to the last character before what follows `\E`.
    fn quoted(&mut self) {
        let text: String = self.rest.clone().skip(1).collect();
        let quoted = text.split("\\E").next().unwrap_or_default();
        quoted.chars().for_each(|c| self.literal(c));
        let ending = if quoted.len() < text.len() { 2 } else { 0 };
        self.rest.by_ref().take(quoted.chars().count() + ending).for_each(drop);
    }

    /// The character that is meant by what stands behind a backslash.
    fn character(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        Some(match c {
            'a' => '\u{7}',
            'f' => '\u{c}',
            't' => '\t',
            'n' => '\n',
            'r' => '\r',
            'v' => '\u{b}',
            'x' => {
                let digits: String = if self.rest.peek() == Some(&'{') {
                    self.rest.next();
                    self.rest.by_ref().take_while(|c| *c != '}').collect()
                } else {
                    self.rest.by_ref().take(2).collect()
                };
                char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?
            }
            '0'..='7' => {
                let mut number = c.to_digit(8)?;
                for _ in 0..2 {
                    let Some(digit) = self.rest.peek().and_then(|c| c.to_digit(8)) else { break };
                    number = number * 8 + digit;
                    self.rest.next();
                }
                char::from_u32(number)?
            }
            c if c.is_ascii_alphanumeric() => return None,
            c => c,
        })
    }

    /// Behind `[`: what is special in only one of the two notations is written by its number.
    fn class(&mut self) -> Option<()> {
        self.out.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        let mut first = true;
        loop {
            let c = self.rest.next()?;
            if c == ']' && !first {
                self.out.push(']');
                return Some(());
            }
            first = false;
            if c == '[' && self.rest.peek() == Some(&':') {
                let name: String = self.rest.clone().take_while(|c| *c != ']').collect();
                self.rest.by_ref().take(name.chars().count() + 1).for_each(drop);
                self.out.push_str(&format!("[{name}]"));
                continue;
            }
            let from = match (c, self.rest.peek()) {
                ('\\', Some('p' | 'P')) => return None,
                ('\\', Some('s')) => {
                    self.rest.next();
                    self.out.push_str(SPACE);
                    continue;
                }
                ('\\', Some('S')) => {
                    self.rest.next();
                    self.out.push_str(NO_SPACE);
                    continue;
                }
                ('\\', Some(&kind @ ('d' | 'D' | 'w' | 'W'))) => {
                    self.rest.next();
                    self.out.extend(['\\', kind]);
                    continue;
                }
                ('\\', _) => self.character()?,
                (c, _) => c,
            };
            self.literal(from);
            let mut ahead = self.rest.clone();
            if ahead.next() == Some('-') && ahead.next().is_some_and(|c| c != ']') {
                self.rest.next();
                let to = match self.rest.next()? {
                    '\\' => self.character()?,
                    c => c,
                };
                self.out.push('-');
                self.literal(to);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_a_value_as_a_whole_as_go_has_it() {
        for (pattern, fitting, other) in [
            ("a|b", "b", "ab"),
            ("^(a|b)$", "a", "c"),
            ("dev.*", "devops", "xdev"),
            ("[a-d]ops", "dops", "eops"),
            (r"backup-\d+", "backup-12", "backup-١"),
            (r"\w+\.sh", "a_1.sh", "ä.sh"),
            ("(?i)OPS", "ops", "op"),
            ("a.c", "aäc", "a\nc"),
            (r"\Qa.b|c\E+", "a.b|cc", "a.b|"),
            ("a{2,3}", "aaa", "a"),
            ("a{,3}", "a{,3}", "a"),
            ("{x}", "{x}", "x"),
            ("[]a]", "]", "b"),
            ("[[x]", "[", "a"),
            ("[a&&b]", "&", "c"),
            ("[a-]", "-", "b"),
            ("[+--]", ",", "a"),
            (r"[^\s]", "\u{b}", " "),
            (r"[\S]", "x", "\t"),
            ("[[:alpha:]_]+", "a_B", "a1"),
            (r"a\<b\-\_", "a<b-_", "ab"),
            (r"\x41\x{42}\103", "ABC", "abc"),
            (r"\bfoo\b", "foo", "bar"),
            ("(?P<x>a)", "a", "b"),
            ("", "", "a"),
        ] {
            assert_eq!((fits(pattern, fitting), fits(pattern, other)), (Some(true), Some(false)), "{pattern}");
        }
    }

    #[test]
    fn what_is_beyond_this_is_not_judged() {
        assert_eq!((fits(r"\p{Greek}", "α"), fits("(?i)k", "\u{212a}"), fits(r"[\pL]", "a")), (None, None, None));
        assert_eq!((flaw("a(b"), flaw(r"\pL"), flaw("a)(b").is_some()), (flaw("(b"), None, true));
        assert!(flaw("a(b").is_some());
    }
}
