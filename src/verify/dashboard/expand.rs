//! Puts the values of variables into expressions, as Grafana's Prometheus data source does in the browser.

/// The value of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::verify) enum Picked {
    /// As it stands: a custom "All" value.
    Raw(String),
    /// One value of a variable that never has more.
    One(String),
    /// The values of a variable that may have several; each is escaped for a regular expression.
    Many(Vec<String>),
}

/// A variable's name and value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::verify) struct Expansion {
    pub(in crate::verify) name: String,
    pub(in crate::verify) value: Picked,
}

/// The variables of a dashboard, with values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::verify) struct Variables(pub(in crate::verify) Vec<Expansion>);

/// The parts that look like a variable: `$name`, `${name:format}`, `[[name:format]]`.
struct Reference<'a> {
    name: &'a str,
    format: Option<&'a str>,
    length: usize,
}

impl Variables {
    /// The text with every known variable filled in; what is unknown stays.
    pub(in crate::verify) fn expand(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(['$', '[']) {
            let (before, tail) = rest.split_at(at);
            out.push_str(before);
            let known = reference(tail).and_then(|found| Some((self.get(found.name)?, found)));
            let Some((value, found)) = known else {
                out.push_str(&tail[..1]);
                rest = &tail[1..];
                continue;
            };
            out.push_str(&formatted(value, found.format));
            rest = &tail[found.length..];
        }
        out + rest
    }

    /// The value of a variable.
    pub(in crate::verify) fn get(&self, name: &str) -> Option<&Picked> {
        self.0.iter().find(|variable| variable.name == name).map(|variable| &variable.value)
    }
}

/// Whether a text refers to the variable.
pub(super) fn mentions(text: &str, name: &str) -> bool {
    let starts = text.match_indices(['$', '[']);
    starts.into_iter().any(|(at, _)| reference(&text[at..]).is_some_and(|found| found.name == name))
}

fn reference(text: &str) -> Option<Reference<'_>> {
    for (open, close) in [("${", "}"), ("[[", "]]")] {
        if let Some(inner) = text.strip_prefix(open) {
            let inner = &inner[..inner.find(close)?];
            let (name, format) = match inner.split_once(':') {
                Some((name, format)) => (name, Some(format)),
                None => (inner, None),
            };
            // `${name.field}` is the value, too.
            let name = name.split_once('.').map_or(name, |(name, _)| name);
            return Some(Reference { name, format, length: open.len() + inner.len() + close.len() });
        }
    }
    let word = text.strip_prefix('$')?;
    let end = word.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(word.len());
    (end > 0).then(|| Reference { name: &word[..end], format: None, length: 1 + end })
}

fn formatted(value: &Picked, format: Option<&str>) -> String {
    let values = match value {
        Picked::Raw(text) => return text.clone(),
        Picked::One(one) => std::slice::from_ref(one),
        Picked::Many(many) => many.as_slice(),
    };
    let each = |form: fn(&str) -> String| values.iter().map(|value| form(value)).collect::<Vec<_>>();
    match (format, value) {
        (None, Picked::One(one)) => one.replace('\\', r"\\").replace('\'', r"\\'"),
        (None, _) => alternatives(&each(|value| escaped(value, r"\\"))),
        (Some("regex"), _) => alternatives(&each(|value| escaped(value, r"\"))),
        (Some("pipe"), _) => values.join("|"),
        (Some("glob"), _) if values.len() > 1 => format!("{{{}}}", values.join(",")),
        (Some("singlequote"), _) => each(|value| format!("'{}'", value.replace('\'', r"\'"))).join(","),
        (Some("doublequote"), _) => each(|value| format!("\"{}\"", value.replace('"', "\\\""))).join(","),
        (Some("text"), _) => values.join(" + "),
        (Some(_), _) => values.join(","),
    }
}

/// One value as it is, several as a group.
fn alternatives(values: &[String]) -> String {
    match values {
        [one] => one.clone(),
        many => format!("({})", many.join("|")),
    }
}

/// Escapes what means something in a regular expression; between the quotes of an expression that takes two backslashes.
fn escaped(value: &str, backslash: &str) -> String {
    let special = |c: char| "\\$^*{}[]'+?.()|/".contains(c) && (c != '/' || backslash.len() == 1);
    value
        .chars()
        .map(|c| match c {
            '\\' if backslash.len() == 2 => r"\\\\".to_owned(),
            c if special(c) => format!("{backslash}{c}"),
            c => c.to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Variables {
        let many = |values: &[&str]| Picked::Many(values.iter().map(|value| (*value).to_owned()).collect());
        let all = [
            ("all", Picked::Raw(".*".to_owned())),
            ("one", Picked::One("db 'x'".to_owned())),
            ("job", many(&["a.b", "c"])),
            ("host", many(&["h1:9100"])),
        ];
        Variables(all.map(|(name, value)| Expansion { name: name.to_owned(), value }).to_vec())
    }

    #[test]
    fn every_way_to_write_a_variable_is_known() {
        let text = r#"up{a=~"$all",b=~"${job}",c=~"[[host]]",d="$one"}[$__interval] $unknown $ [1m]"#;
        assert_eq!(
            variables().expand(text),
            r#"up{a=~".*",b=~"(a\\.b|c)",c=~"h1:9100",d="db \\'x\\'"}[$__interval] $unknown $ [1m]"#
        );
        assert!(mentions("x{a=\"[[host:regex]]\"}", "host") && !mentions("$hosts", "host"));
    }

    #[test]
    fn formats_are_those_of_grafana() {
        let shown = |format: &str| variables().expand(&format!("${{job:{format}}}"));
        assert_eq!(shown("regex"), r"(a\.b|c)");
        assert_eq!((shown("pipe"), shown("csv"), shown("glob")), ("a.b|c".into(), "a.b,c".into(), "{a.b,c}".into()));
        assert_eq!(shown("doublequote"), r#""a.b","c""#);
        assert_eq!(variables().expand("[[all:regex]]"), ".*");
    }
}
