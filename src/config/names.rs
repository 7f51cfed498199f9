//! The grammars of names, and guesses at what a misspelt one should have been.

/// A project: safe in the name of every container, volume and path.
pub(crate) fn is_project(text: &str) -> bool {
    (2..=31).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// A label name that every Prometheus and every query language around it takes.
pub(crate) fn is_label(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A metric name in the classic grammar.
pub(crate) fn is_metric(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == ':')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
}

/// The name of a check of the user: the last part of an id.
pub(crate) fn is_check(text: &str) -> bool {
    text.len() <= 63
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_')
}

/// The name of a receiver: safe in a label of a metric, in a log line and on a command line.
pub(crate) fn is_receiver(text: &str) -> bool {
    text.len() <= 63
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

/// Why a text is no list of mail addresses, each perhaps with a name: `Ops <ops@example.com>`.
pub(crate) fn mail_fault(text: &str) -> Option<&'static str> {
    let is_address = |text: &str| {
        let odd = |c: char| c.is_whitespace() || c.is_control() || "<>()[],;:\\\"@".contains(c);
        text.rsplit_once('@').is_some_and(|(local, host)| {
            !local.is_empty()
                && !host.is_empty()
                && !local.contains(odd)
                && !host.starts_with('.')
                && !host.contains("..")
                && host.chars().all(|c| c.is_alphanumeric() || c == '.' || c == '-')
        })
    };
    let is_mailbox = |text: &str| match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
        Some((name, address)) => is_address(address) && !name.contains(['<', '>', '\n', '\r', '@']),
        None => is_address(text),
    };
    (!text.split(',').all(|one| is_mailbox(one.trim()))).then_some("is not a mail address")
}

/// The path of a URL, without query and fragment.
pub(crate) fn is_url_path(text: &str) -> bool {
    text.starts_with('/') && text.chars().all(|c| c.is_ascii_graphic() && !"?#\"<>`".contains(c))
}

/// Why a text is not the address of a page; `None` when it is one.
pub(crate) fn url_fault(text: &str) -> Option<&'static str> {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return Some("does not start with `http://` or `https://`");
    };
    let host = rest.split('/').next().unwrap_or_default();
    match () {
        () if rest.contains('@') => Some("has credentials in it"),
        () if rest.contains(['?', '#']) => Some("has a query or a fragment"),
        // Braces and quotes would mean something in the rule file into which it is written.
        () if rest.chars().any(|c| !c.is_ascii_graphic() || "\"'`{}<>\\".contains(c)) => {
            Some("has characters that no address has")
        }
        () if host.trim_start_matches(':').is_empty() => Some("has no host"),
        () => None,
    }
}

/// Why a text is no registry prefix; `None` when it is one.
pub(crate) fn registry_fault(text: &str) -> Option<&'static str> {
    if text.contains("://") {
        return Some("has a scheme");
    }
    if text.contains('@') {
        return Some("has credentials in it");
    }
    let (host, path) =
        text.strip_suffix('/').unwrap_or(text).split_once('/').unwrap_or((text.trim_end_matches('/'), ""));
    let good = is_registry_host(host) && (path.is_empty() || path.split('/').all(is_image_part));
    (!good).then_some("is not a registry")
}

/// A host with an optional port.
fn is_registry_host(text: &str) -> bool {
    let (name, port) = text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port)));
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-')
        && port.is_none_or(|port| super::scalar::port(port).is_some())
}

/// An image reference: `[host[:port]/]path[:tag][@digest]`.
pub(crate) fn is_image(text: &str) -> bool {
    let (name, digest) = text.split_once('@').map_or((text, None), |(name, digest)| (name, Some(digest)));
    let digest_good = digest.is_none_or(|digest| {
        digest
            .strip_prefix("sha256:")
            .is_some_and(|hex| hex.len() == 64 && hex.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')))
    });
    // A colon behind the last slash starts the tag; one before it belongs to the host's port.
    let (path, tag) = match name.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
        _ => (name, None),
    };
    let tag_good = tag.is_none_or(|tag| {
        (1..=128).contains(&tag.len())
            && !tag.starts_with(['.', '-'])
            && tag.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
    });
    let path_good = match path.split_once('/') {
        Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => {
            is_registry_host(host) && rest.split('/').all(is_image_part)
        }
        _ => path.split('/').all(is_image_part),
    };
    digest_good && tag_good && path_good
}

/// One part of an image's path.
fn is_image_part(text: &str) -> bool {
    let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.starts_with(edge) && text.ends_with(edge) && text.chars().all(|c| edge(c) || "._-".contains(c))
}

/// Whether a URL has a user name or password in front of its host.
pub(crate) fn has_login(text: &str) -> bool {
    let authority = text.split_once("://").and_then(|(_, rest)| rest.split(['/', '?', '#']).next());
    authority.is_some_and(|authority| authority.contains('@'))
}

/// What the name of a key that holds a secret has in it.
const SECRET_WORDS: [&str; 8] =
    ["password", "passwd", "secret", "token", "credential", "api_key", "apikey", "authorization"];

/// Whether a key holds a secret itself, rather than the name of a file that does.
pub(crate) fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    // `authorization` is a mapping in Prometheus' notation; what is secret in it has a name of its own.
    key != "authorization" && may_hold_secret(&key) && !["_file", "_files", "_url"].iter().any(|end| key.ends_with(end))
}

/// Whether a line of text had better not be repeated.
pub(crate) fn may_hold_secret(line: &str) -> bool {
    let line = line.to_ascii_lowercase().replace('-', "_");
    line.contains('@') || SECRET_WORDS.iter().any(|word| line.contains(word))
}

/// A text of the user where an address may be a secret as a whole: of a URL no more than its server.
pub(crate) fn veiled(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return quote(text) };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let rest = if host.len() == rest.len() { "" } else { "/…" };
    quote(&format!("{scheme}://{host}{rest}"))
}

/// The longest text that a message repeats, in characters.
const LONGEST_QUOTE: usize = 80;

/// A text of the user in backticks: on one line, not too long, nothing invisible, and no credentials of a URL.
pub(crate) fn quote(text: &str) -> String {
    let (scheme, rest) = text.find("://").map_or(("", text), |end| text.split_at(end + 3));
    let text = match rest.rsplit_once('@') {
        Some((login, rest)) if login.contains(':') || !scheme.is_empty() => format!("{scheme}…@{rest}"),
        _ => text.to_owned(),
    };
    let mut out = String::from("`");
    for c in text.chars().take(LONGEST_QUOTE) {
        if crate::yaml::is_invisible(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out.push_str(if text.chars().count() > LONGEST_QUOTE { "…`" } else { "`" });
    out
}

/// `` `a`, `b` or `c` ``.
pub(crate) fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

/// ` (did you mean …?)` when one of the words is close enough, or else nothing.
pub(crate) fn did_you_mean<'a>(text: &str, words: impl IntoIterator<Item = &'a str>) -> String {
    closest(text, words).map(|word| format!(" (did you mean `{word}`?)")).unwrap_or_default()
}

/// Whether `text` may be a misspelt `word`, when to go on with a default would do harm: rather too often than never.
pub(crate) fn may_mean(text: &str, word: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let start = word.get(..4).unwrap_or(word);
    text.contains(start) || strsim::damerau_levenshtein(&text, word) <= 2
}

/// The word that `text` most likely should have been.
fn closest<'a>(text: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let text = text.to_ascii_lowercase().replace('-', "_");
    words
        .into_iter()
        .map(|word| (strsim::damerau_levenshtein(&text, &word.to_ascii_lowercase()), word))
        .filter(|(distance, word)| *distance <= (word.len().max(text.len()) / 4).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}
