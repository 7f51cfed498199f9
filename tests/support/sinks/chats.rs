//! What chats take, as their documentation says.

use serde_json::Value;

use super::http::Request;
use super::markup::{mrkdwn, telegram_html};

/// `Ok` when a condition holds, else the reason.
pub(super) fn hold(condition: bool, reason: impl Into<String>) -> Result<(), String> {
    if condition { Ok(()) } else { Err(reason.into()) }
}

/// A text with at least one and at most so many characters.
pub(super) fn text<'a>(value: &'a Value, at: &str, most: usize) -> Result<&'a str, String> {
    let text = value.pointer(at).and_then(Value::as_str).ok_or(format!("{at} is no text: {value}"))?;
    let length = text.chars().count();
    hold((1..=most).contains(&length), format!("{at} has {length} characters, of 1 to {most}"))?;
    Ok(text)
}

/// An incoming webhook with attachments.
/// <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>,
/// <https://docs.slack.dev/legacy/legacy-messaging/legacy-secondary-message-attachments>
pub(super) fn slack(request: &Request) -> Result<(), String> {
    let body = request.json()?;
    hold(request.method == "POST", "not a POST")?;
    let attachments = body["attachments"].as_array().ok_or("no attachments")?;
    hold((1..=20).contains(&attachments.len()), "1 to 20 attachments")?;
    for attachment in attachments {
        for (at, most) in [("/title", 1024), ("/fallback", 1024), ("/text", 8000)] {
            mrkdwn(text(attachment, at, most)?).map_err(|reason| format!("{at}: {reason}"))?;
        }
        let color = text(attachment, "/color", 7)?;
        let hex = color.strip_prefix('#').is_some_and(|hex| hex.len() == 6 && u32::from_str_radix(hex, 16).is_ok());
        hold(hex || ["good", "warning", "danger"].contains(&color), format!("colour `{color}`"))?;
        for part in attachment["mrkdwn_in"].as_array().into_iter().flatten() {
            hold(["pretext", "text", "fields"].iter().any(|known| part == known), format!("mrkdwn_in: {part}"))?;
        }
        hold(attachment["title_link"].as_str().is_none_or(|url| url.starts_with("http")), "title_link")?;
    }
    Ok(())
}

/// An adaptive card for a workflow that waits for a webhook request.
/// <https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using>
pub(super) fn teams(request: &Request) -> Result<(), String> {
    let body = request.json()?;
    hold(request.body.len() <= 28 * 1024, format!("{} bytes, of 28 KiB", request.body.len()))?;
    hold(body["type"] == "message", "type is not `message`")?;
    let attachments = body["attachments"].as_array().ok_or("no attachments")?;
    hold(attachments.len() == 1, "not one attachment")?;
    let attachment = &attachments[0];
    hold(attachment["contentType"] == "application/vnd.microsoft.card.adaptive", "contentType")?;
    hold(attachment["content"]["type"] == "AdaptiveCard", "not an AdaptiveCard")?;
    text(attachment, "/content/version", 3)?;
    let blocks = attachment["content"]["body"].as_array().ok_or("no body")?;
    hold(!blocks.is_empty(), "an empty body")?;
    for block in blocks {
        hold(block["type"] == "TextBlock", format!("{block}"))?;
        hold(block["wrap"] == true, "a text that is cut at the end of its line")?;
        text(block, "/text", 28 * 1024)?;
    }
    Ok(())
}

/// <https://discord.com/developers/docs/resources/webhook#execute-webhook>
pub(super) fn discord(request: &Request) -> Result<(), String> {
    let body = request.json()?;
    hold(body["content"].as_str().is_none_or(|content| content.chars().count() <= 2000), "content")?;
    let embeds = body["embeds"].as_array().ok_or("no embeds")?;
    hold((1..=10).contains(&embeds.len()), "1 to 10 embeds")?;
    let mut sum = 0;
    for embed in embeds {
        sum += text(embed, "/title", 256)?.chars().count();
        sum += text(embed, "/description", 4096)?.chars().count();
        hold(embed["color"].as_u64().is_some_and(|color| color <= 0xff_ffff), "colour")?;
    }
    hold(sum <= 6000, format!("{sum} characters in all embeds, of 6000"))
}

/// <https://core.telegram.org/bots/api#sendmessage>
pub(super) fn telegram(request: &Request) -> Result<(), String> {
    let body = request.json()?;
    let token = request.path.strip_prefix("/bot").and_then(|rest| rest.strip_suffix("/sendMessage"));
    let (id, secret) = token.and_then(|token| token.split_once(':')).ok_or(format!("path {}", request.path))?;
    hold(id.parse::<u64>().is_ok() && !secret.is_empty(), "not the token of a bot")?;
    let chat = body["chat_id"].as_str().map_or_else(|| body["chat_id"].to_string(), str::to_owned);
    hold(chat.parse::<i64>().is_ok() || chat.starts_with('@'), format!("chat_id {chat}"))?;
    hold(body["parse_mode"] == "HTML", "parse_mode is not HTML")?;
    let seen = telegram_html(body["text"].as_str().ok_or("no text")?)?;
    hold((1..=4096).contains(&seen), format!("{seen} characters, of 1 to 4096"))
}
