//! The one door to the terminal.
//!
//! Data goes to stdout, everything else to stderr. A result is text for people or one JSON envelope
//! (`--output json`). Progress is drawn only on a terminal and is plain lines elsewhere; `NO_COLOR` is honoured and
//! nothing is understandable only by its colour. A closed pipe is not an error: the exit status says what was done.
//!
//! Voice: lower case, no full stop, names and commands in backticks; the goal first, then the fact, then what to type.

mod bars;
mod event;
mod plain;
pub mod table;

use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::error::{Error, ExitStatus};

pub use event::{Event, Reporter, human};

/// The columns of a text where no terminal says how many there are.
const WIDTH: usize = 100;
/// Texts are never laid out for fewer columns than this, nor for more than people read at a glance.
const NARROW: usize = 60;
const WIDE: usize = 120;

/// How a result is written to stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON envelope.
    Json,
    /// JUnit XML; only of `verify`.
    Junit,
    /// Markdown; only of `verify`.
    Markdown,
}

/// What a command has to say when it is done.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// For programs: `data` of the envelope.
    pub data: Value,
    /// For people.
    pub text: String,
    /// A check that failed although the command worked; `data` is still printed.
    pub failed: Option<Error>,
}

impl Report {
    /// A report of both forms of one result.
    #[must_use]
    pub fn new(data: Value, text: impl Into<String>) -> Self {
        Self { data, text: text.into(), failed: None }
    }
}

/// The terminal of one run.
pub struct Ui {
    format: Format,
    width: usize,
    colors: bool,
    reporter: Box<dyn Reporter + Send + Sync>,
    warnings: Mutex<Vec<String>>,
}

impl Ui {
    /// Sees what the streams are and chooses how to show progress.
    #[must_use]
    pub fn new(format: Format, environment: &std::collections::BTreeMap<String, String>) -> Self {
        let set = |name: &str| environment.get(name).is_some_and(|value| !value.is_empty());
        let dumb = environment.get("TERM").is_some_and(|term| term == "dumb");
        let terminal = std::io::stderr().is_terminal() && !set("CI") && !dumb;
        let reporter: Box<dyn Reporter + Send + Sync> =
            if terminal { Box::new(bars::Bars::new(!set("NO_COLOR"))) } else { Box::new(plain::Plain::default()) };
        let columns = environment.get("COLUMNS").and_then(|columns| columns.parse().ok());
        let seen = || terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| usize::from(width.0));
        Self {
            format,
            width: columns.or_else(seen).unwrap_or(WIDTH).clamp(NARROW, WIDE),
            colors: std::io::stdout().is_terminal() && !dumb && !set("NO_COLOR"),
            reporter,
            warnings: Mutex::new(Vec::new()),
        }
    }

    /// How results are written.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.format
    }

    /// How many columns a text for people may take.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Whether results may be in colour.
    #[must_use]
    pub const fn colors(&self) -> bool {
        self.colors
    }

    /// Whether what was written to stdout can be taken off and drawn anew.
    #[must_use]
    pub fn can_redraw(&self) -> bool {
        std::io::stdout().is_terminal()
    }

    /// Whether results are JSON.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Whether a question can be asked and answered.
    #[must_use]
    pub fn can_ask(&self) -> bool {
        !self.is_json() && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    /// Asks a yes-or-no question on the terminal; anything but `y` or `yes` is a no.
    pub async fn ask(&self, question: &str) -> bool {
        let mut stderr = std::io::stderr();
        let asked = write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush());
        // In a thread of its own: reading would keep the only other one from seeing a Ctrl-C.
        let read = tokio::task::spawn_blocking(|| {
            let mut answer = String::new();
            std::io::stdin().read_line(&mut answer).map(|_| answer)
        });
        let answer = read.await.ok().and_then(Result::ok).unwrap_or_default();
        asked.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
    }

    /// Shows what is going on.
    pub fn event(&self, event: &Event<'_>) {
        self.reporter.on(event);
    }

    /// Tells something that should be known but does not stop the work; also `warnings` in the envelope.
    pub fn warn(&self, warning: impl Into<String>) {
        let warning = warning.into();
        self.event(&Event::Warning(&warning));
        if let Ok(mut warnings) = self.warnings.lock() {
            warnings.push(warning);
        }
    }

    /// All warnings so far.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        self.warnings.lock().map(|warnings| warnings.clone()).unwrap_or_default()
    }

    /// Writes a line of data at once, for output that has no end; returns false when nobody reads any more.
    #[must_use]
    pub fn stream(&self, line: &str) -> bool {
        write_stdout(line).is_ok()
    }

    /// Writes the result of a command and says how the process ends.
    #[must_use]
    pub fn finish(&self, command: &str, result: Result<Report, Error>) -> ExitStatus {
        self.reporter.on(&Event::End);
        let (report, error) = match result {
            Ok(Report { data, text, failed }) => (Report { data, text, failed: None }, failed),
            Err(error) => (Report::default(), Some(error)),
        };
        let status = error.as_ref().map_or(ExitStatus::Success, |error| error.code.exit_status());
        if self.is_json() {
            let envelope = envelope(command, &report.data, &self.warnings(), error.as_ref());
            Self::written(write_stdout(&format!("{envelope:#}\n")), status)
        } else {
            let text = report.text.trim_end_matches('\n');
            let written = if text.is_empty() { Ok(()) } else { write_stdout(&format!("{text}\n")) };
            if let Some(error) = &error {
                let _ = writeln!(std::io::stderr(), "{error}");
            }
            Self::written(written, status)
        }
    }

    /// A reader that has gone away does not change what was done; a result that could not be stored was not given.
    fn written(written: std::io::Result<()>, status: ExitStatus) -> ExitStatus {
        match written {
            Err(failed) if failed.kind() != std::io::ErrorKind::BrokenPipe => {
                let error = Error::new(crate::error::Code::Io, "could not write the result to stdout")
                    .cause(failed.to_string());
                let _ = writeln!(std::io::stderr(), "{error}");
                if status == ExitStatus::Success { ExitStatus::Failed } else { status }
            }
            Ok(()) | Err(_) => status,
        }
    }
}

/// Shows what is wrong with a command line, or the help or version that was asked for.
#[must_use]
pub fn usage(refused: &clap::Error, arguments: impl Iterator<Item = std::ffi::OsString>) -> ExitStatus {
    // What was refused could not be parsed, so the wish for JSON has to be seen in the words themselves.
    let words = arguments.map(|argument| argument.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ");
    let json = words.contains("--output json")
        || words.contains("--output=json")
        || std::env::var("MOKO_MON_OUTPUT").is_ok_and(|format| format == "json");
    if !refused.use_stderr() {
        let _ = refused.print();
        return ExitStatus::Success;
    }
    if json {
        let text = refused.render().to_string();
        let text = text.trim_start_matches("error: ").trim();
        let (message, rest) = text.split_once('\n').unwrap_or((text, ""));
        let error = Error::new(crate::error::Code::Usage, message).hint(rest.trim());
        let _ = write_stdout(&format!("{:#}\n", envelope("", &Value::Null, &[], Some(&error))));
    } else {
        let _ = refused.print();
    }
    ExitStatus::Usage
}

fn write_stdout(text: &str) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
}

/// The envelope of `--output json`, version 1.
#[must_use]
pub fn envelope(command: &str, data: &Value, warnings: &[String], error: Option<&Error>) -> Value {
    json!({
        "schema_version": 1,
        "command": command,
        "status": if error.is_none() { "ok" } else { "failed" },
        "data": data,
        "warnings": warnings,
        "error": error.map(|error| json!({
            "code": error.code.as_str(),
            "message": error.message,
            "causes": error.causes,
            "hint": error.hint,
        })),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn the_envelope_has_every_key_in_both_outcomes() {
        let ok = envelope("status", &json!({"x": 1}), &[], None);
        assert_eq!(
            ok.to_string(),
            r#"{"schema_version":1,"command":"status","status":"ok","data":{"x":1},"warnings":[],"error":null}"#
        );
        let error = Error::new(Code::PortTaken, "goal").cause("fact").hint("next");
        let failed = envelope("up", &Value::Null, &["w".to_owned()], Some(&error));
        assert_eq!(
            failed.to_string(),
            r#"{"schema_version":1,"command":"up","status":"failed","data":null,"warnings":["w"],"error":{"code":"port_taken","message":"goal","causes":["fact"],"hint":"next"}}"#
        );
    }
}
