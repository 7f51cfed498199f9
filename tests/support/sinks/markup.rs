//! The markup that chats read: what is wrong in it would be refused or shown as it stands.

/// Slack's mrkdwn: `<` only begins a link to the web, `&` only one of three entities.
/// <https://docs.slack.dev/messaging/formatting-message-text>
pub(crate) fn mrkdwn(text: &str) -> Result<(), String> {
    entities(text, &["amp", "lt", "gt"])?;
    let mut rest = text;
    while let Some(at) = rest.find(['<', '>']) {
        let (link, after) = rest[at..].split_once('>').ok_or(format!("`<` without `>`: {rest}"))?;
        let link = link.strip_prefix('<').ok_or(format!("`>` without `<`: {rest}"))?;
        if !link.starts_with("http://") && !link.starts_with("https://") {
            return Err(format!("<{link}> is no link to the web"));
        }
        if link.contains(['<', '\n', ' ']) && link.split('|').next().is_some_and(|url| url.contains(['<', '\n', ' '])) {
            return Err(format!("<{link}> has a broken address"));
        }
        rest = after;
    }
    Ok(())
}

/// The HTML of Telegram's bots: a few tags, closed in their order, and its entities. Returns the characters that people see.
/// <https://core.telegram.org/bots/api#html-style>
pub(crate) fn telegram_html(text: &str) -> Result<usize, String> {
    entities(text, &["amp", "lt", "gt", "quot"])?;
    let mut open = Vec::new();
    let mut seen = 0;
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        seen += visible(before)?;
        let (tag, after) = after.split_once('>').ok_or(format!("`<` without `>`: {rest}"))?;
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop().as_deref() != Some(name) {
                return Err(format!("</{name}> closes what is not open"));
            }
            continue;
        }
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        let fine = match name {
            "a" => {
                attributes.starts_with("href=\"http")
                    && attributes.ends_with('"')
                    && attributes.matches('"').count() == 2
            }
            "b" | "strong" | "i" | "em" | "u" | "s" | "code" | "pre" => attributes.is_empty(),
            _ => false,
        };
        if !fine {
            return Err(format!("<{tag}> is not a tag of Telegram's"));
        }
        open.push(name.to_owned());
    }
    seen += visible(rest)?;
    if open.is_empty() { Ok(seen) } else { Err(format!("left open: {open:?}")) }
}

fn visible(text: &str) -> Result<usize, String> {
    if text.contains('>') {
        return Err(format!("`>` that is not escaped: {text}"));
    }
    // An entity is one character.
    let hidden: usize = text.split('&').skip(1).filter_map(|part| part.find(';')).map(|length| length + 1).sum();
    Ok(text.chars().count() - hidden)
}

/// Every `&` begins an entity of this list, or one with a number.
fn entities(text: &str, named: &[&str]) -> Result<(), String> {
    for part in text.split('&').skip(1) {
        let name = part.split_once(';').map_or("", |(name, _)| name);
        let number = name.strip_prefix('#').is_some_and(|digits| digits.parse::<u32>().is_ok());
        // Slack has no entities with numbers.
        if !(named.contains(&name) || number && named.contains(&"quot")) {
            return Err(format!("`&{part:.20}` is no entity"));
        }
    }
    Ok(())
}
