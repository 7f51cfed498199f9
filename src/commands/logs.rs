//! `logs`: what the components wrote, each line under its component's name.

use std::pin::Pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bollard::container::LogOutput;
use bollard::query_parameters::LogsOptionsBuilder;
use futures_util::stream::{Stream, StreamExt as _, select_all};
use serde_json::json;

use super::Context;
use crate::cli;
use crate::component::Component;
use crate::docker::Docker;
use crate::docker::error::{clean, explain, timed_out};
use crate::error::{Code, Error, Result};
use crate::observed::Container;
use crate::ui::Report;

/// How long the engine may take for the next piece of a log that has an end.
const SILENCE: Duration = Duration::from_secs(30);

type Lines = Pin<Box<dyn Stream<Item = Result<(Component, String)>>>>;

pub(super) async fn run(context: &Context<'_>, flags: &cli::Logs) -> Result<Report> {
    if flags.follow && context.ui.is_json() {
        return Err(Error::new(Code::Usage, "`logs --follow` has no end, so it cannot be one JSON envelope")
            .hint("leave out `--follow`, or `--output json`"));
    }
    let project = context.project()?;
    let docker = context.docker().await?;
    let mut containers = docker.project_containers(&project).await?;
    let wanted = |component: Component| flags.components.is_empty() || flags.components.contains(&component);
    containers.retain(|container| container.component.is_some_and(wanted));
    containers.sort_by_key(|container| container.component);
    let missing = flags
        .components
        .iter()
        .find(|wanted| !containers.iter().any(|container| container.component == Some(**wanted)));
    if let Some(missing) = missing {
        return Err(not_there(&format!("project `{project}` has no {} container", missing.title())));
    }
    if containers.is_empty() {
        return Err(not_there(&format!("project `{project}` has no containers")));
    }
    let lines = containers.iter().filter_map(|container| lines(&docker, container, flags));
    if flags.follow { follow(context, select_all(lines)).await } else { once(lines).await }
}

fn silent() -> Error {
    timed_out("could not read the logs", SILENCE.as_secs())
}

fn not_there(message: &str) -> Error {
    Error::new(Code::NotFound, message).hint("bring the stack up with `moko-mon up`")
}

/// Everything there is, component after component.
async fn once(streams: impl Iterator<Item = Lines>) -> Result<Report> {
    let mut data = Vec::new();
    let mut text = String::new();
    for mut stream in streams {
        loop {
            let next = tokio::time::timeout(SILENCE, stream.next()).await;
            let Some(line) = next.map_err(|_| silent())? else { break };
            let (component, line) = line?;
            text.push_str(&format!("{component:<13} {line}\n"));
            data.push(json!({"component": component, "line": line}));
        }
    }
    Ok(Report::new(json!({"lines": data}), text))
}

/// Line by line as they come, until we are interrupted or nobody reads any more.
async fn follow(
    context: &Context<'_>,
    mut lines: impl Stream<Item = Result<(Component, String)>> + Unpin,
) -> Result<Report> {
    loop {
        let line = tokio::select! {
            line = lines.next() => line,
            // Ending `--follow` is what Ctrl-C is for.
            () = context.stop.token.cancelled() => None,
        };
        let Some(line) = line else { return Ok(Report::default()) };
        let (component, line) = line?;
        if !context.ui.stream(&format!("{component:<13} {line}\n")) {
            return Ok(Report::default());
        }
    }
}

/// The log of one container as whole lines; the engine sends pieces of any size.
fn lines(docker: &Docker, container: &Container, flags: &cli::Logs) -> Option<Lines> {
    let component = container.component?;
    let since = flags.since.as_ref().map_or(0, |since| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i32::try_from(now.saturating_sub(since.as_duration()).as_secs()).unwrap_or(i32::MAX)
    });
    let tail = flags.tail.map_or_else(|| "all".to_owned(), |count| count.to_string());
    let options =
        LogsOptionsBuilder::default().follow(flags.follow).stdout(true).stderr(true).since(since).tail(&tail).build();
    let pieces = docker.logs(&container.id, options);
    let mut rest = String::new();
    let whole = pieces.map(Some).chain(futures_util::stream::iter([None])).flat_map(move |piece| {
        let lines: Vec<Result<(Component, String)>> = match piece {
            Some(Ok(piece)) => split(&mut rest, &piece).map(|line| Ok((component, line))).collect(),
            Some(Err(failed)) => {
                vec![Err(explain(format!("could not read the log of {}", component.title()), &failed))]
            }
            // The end of the log: what has no line break yet is a line too.
            None if rest.is_empty() => Vec::new(),
            None => vec![Ok((component, without_tokens(&clean(&std::mem::take(&mut rest)))))],
        };
        futures_util::stream::iter(lines)
    });
    Some(Box::pin(whole))
}

/// Adds a piece and takes the whole lines off; escape sequences never reach the terminal.
fn split(rest: &mut String, piece: &LogOutput) -> std::vec::IntoIter<String> {
    rest.push_str(&piece.to_string());
    let mut lines = Vec::new();
    while let Some(end) = rest.find('\n') {
        lines.push(without_tokens(&clean(&rest[..end])));
        rest.drain(..=end);
    }
    lines.into_iter()
}

/// A line without the tokens of Telegram's bots, which stand in the addresses that Alertmanager writes into its log:
/// `https://api.telegram.org/bot123:secret/sendMessage`.
fn without_tokens(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, behind)) = rest.split_once("/bot") {
        out.push_str(before);
        out.push_str("/bot");
        let end = behind.find(['/', '"', '\\', ' ']).unwrap_or(behind.len());
        let (token, after) = behind.split_at(end);
        let is_token = token
            .split_once(':')
            .is_some_and(|(number, _)| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()));
        out.push_str(if is_token { "…" } else { token });
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_of_a_bot_is_not_shown() {
        let line = r#"err="telebot: Post \"http://h/tg/bot123:LEAK-me_x/sendMessage\": refused" x=/bottom/bot:1"#;
        let shown = r#"err="telebot: Post \"http://h/tg/bot…/sendMessage\": refused" x=/bottom/bot:1"#;
        assert_eq!(without_tokens(line), shown);
    }

    #[test]
    fn pieces_become_whole_lines_without_escapes() {
        let piece = |text: &'static str| LogOutput::StdOut { message: text.into() };
        let mut rest = String::new();
        assert_eq!(split(&mut rest, &piece("one\ntw")).collect::<Vec<_>>(), ["one"]);
        assert_eq!(split(&mut rest, &piece("o\x1b[31m\nthree")).collect::<Vec<_>>(), ["two[31m"]);
        assert_eq!(rest, "three");
    }
}
