//! One file for each command; this one chooses, and brings together what they share.

mod alert;
mod completions;
mod config;
mod dashboard;
mod demo;
mod down;
mod init;
mod jobs;
mod logs;
mod open;
mod password;
mod push;
mod render;
mod rules;
pub mod run;
mod status;
mod up;
mod verify;
mod why;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::cli::{self, Cli, Command, Global};
use crate::config::{self as settings, Resolved, Sources};
use crate::docker::Docker;
use crate::error::{Code, Error, ExitStatus, Result};
use crate::http::Http;
use crate::platform::Stop;
use crate::ui::{Format, Report, Ui};

/// What every command starts from.
pub struct Context<'a> {
    /// Where settings come from.
    pub sources: Sources,
    /// The environment, read once.
    pub environment: BTreeMap<String, String>,
    /// The terminal.
    pub ui: &'a Ui,
    /// Whether we were asked to stop.
    pub stop: Stop,
}

impl Context<'_> {
    /// All settings; what is odd but not wrong becomes warnings.
    fn config(&self) -> Result<Resolved> {
        let resolved = settings::resolve(&self.sources)?;
        self.warn_all(&resolved.warnings);
        Ok(resolved)
    }

    /// Only the project's name: what looks at a stack or takes it away has to work with any other setting broken.
    fn project(&self) -> Result<String> {
        let (project, warnings) = settings::project(&self.sources)?;
        self.warn_all(&warnings);
        Ok(project)
    }

    fn warn_all(&self, warnings: &[String]) {
        for warning in warnings {
            self.ui.warn(warning);
        }
    }

    async fn docker(&self) -> Result<Docker> {
        Docker::connect(&self.environment).await
    }

    fn http() -> Result<Http> {
        Http::new()
    }
}

/// Runs a command and writes its result.
pub async fn run(cli: Cli, environment: BTreeMap<String, String>, directory: PathBuf) -> ExitStatus {
    let ui = Ui::new(cli.global.output, &environment);
    let name = cli.command.name();
    let context = match sources(&cli.global, &environment, directory) {
        Ok(sources) => Context { sources, environment, ui: &ui, stop: Stop::listen() },
        Err(error) => return ui.finish(name, Err(error)),
    };
    if let Some(refused) = refuse_format(cli.global.output, &cli.command) {
        return ui.finish(name, Err(refused));
    }
    let result = if stops_by_itself(&cli.command) {
        dispatch(&context, cli.command).await
    } else {
        let changes = changes(&cli.command);
        let interrupted = || {
            let what = format!("`{name}`");
            if changes { context.stop.error(&what) } else { context.stop.error_of_look(&what) }
        };
        tokio::select! {
            result = dispatch(&context, cli.command) => result,
            () = context.stop.token.cancelled() => Err(interrupted()),
        }
    };
    ui.finish(name, result)
}

/// The formats of pipelines say how checks went, so only `verify` has anything to write in them.
fn refuse_format(format: Format, command: &Command) -> Option<Error> {
    let format = match (format, command) {
        (Format::Text | Format::Json, _) | (_, Command::Verify(_)) => return None,
        (Format::Junit, _) => "junit",
        (Format::Markdown, _) => "markdown",
    };
    let name = command.name();
    Some(
        Error::new(Code::Usage, format!("`{name}` cannot write `{format}`"))
            .hint(format!("only `moko-mon verify` can; use `moko-mon {name} --output json`")),
    )
}

/// Whether a command has a call to finish or an end of its own when it is interrupted; one that only looks is dropped.
const fn stops_by_itself(command: &Command) -> bool {
    match command {
        Command::Up(flags) => !flags.dry_run,
        Command::Logs(flags) => flags.follow,
        Command::Verify(flags) => flags.watch || flags.deep,
        Command::Alert(what) => matches!(**what, cli::Alert::Test(_)),
        Command::Down(_)
        | Command::Demo(cli::Demo::Stop)
        | Command::Password(cli::Password::Reset)
        | Command::Rules(cli::Rules::Test { .. } | cli::Rules::Simulate(_)) => true,
        Command::Init
        | Command::Status(_)
        | Command::Why(_)
        | Command::Run(_)
        | Command::Push(_)
        | Command::Open(_)
        | Command::Password(cli::Password::Show)
        | Command::Dashboard(_)
        | Command::Rules(_)
        | Command::Jobs(_)
        | Command::Render(_)
        | Command::Config(_)
        | Command::Completions { .. }
        | Command::Man { .. } => false,
    }
}

/// Whether a command that is dropped when it is interrupted may have changed something by then.
fn changes(command: &Command) -> bool {
    if let Command::Alert(what) = command {
        return !matches!(
            **what,
            cli::Alert::List(_) | cli::Alert::Routes(_) | cli::Alert::Silence(cli::Silence::List(_))
        );
    }
    matches!(
        command,
        Command::Init
            | Command::Dashboard(cli::Dashboard::Import { .. } | cli::Dashboard::Export { .. })
            | Command::Jobs(cli::Jobs::Import(_))
            | Command::Render(_)
            | Command::Man { .. }
    )
}

async fn dispatch(context: &Context<'_>, command: Command) -> Result<Report> {
    match command {
        Command::Init => init::run(context),
        Command::Up(flags) => up::run(context, &flags).await,
        Command::Down(flags) => down::run(context, &flags).await,
        Command::Demo(cli::Demo::Stop) => demo::stop(context).await,
        Command::Status(flags) => status::run(context, &flags).await,
        Command::Verify(flags) => verify::run(context, &flags).await,
        Command::Why(flags) => why::run(context, &flags).await,
        // `main` has run it, before there was a context.
        Command::Run(_) => Ok(Report::default()),
        Command::Push(what) => push::run(context, &what).await,
        Command::Alert(what) => alert::run(context, &what).await,
        Command::Logs(flags) => logs::run(context, &flags).await,
        Command::Open(flags) => open::run(context, &flags).await,
        Command::Password(what) => password::run(context, what).await,
        Command::Dashboard(what) => dashboard::run(context, &what).await,
        Command::Rules(what) => rules::run(context, &what).await,
        Command::Jobs(what) => jobs::run(context, &what).await,
        Command::Render(what) => render::run(context, &what),
        Command::Config(what) => config::run(context, what),
        Command::Completions { shell } => Ok(completions::completions(shell)),
        Command::Man { directory } => completions::man(&directory),
    }
}

/// Flags as settings, each under the name it was typed with.
pub(crate) fn sources(global: &Global, environment: &BTreeMap<String, String>, directory: PathBuf) -> Result<Sources> {
    let mut flags = Vec::new();
    for setting in &global.settings {
        let (key, value) = setting.split_once('=').ok_or_else(|| {
            Error::new(Code::Usage, format!("`--set {setting}` has no value"))
                .hint("write it as `--set KEY=VALUE`, for example `--set prometheus.port=9190`")
        })?;
        flags.push((format!("--set {key}"), key.to_owned(), value.to_owned()));
    }
    if let Some(project) = &global.project {
        flags.push(("--project".to_owned(), "project".to_owned(), project.clone()));
    }
    Ok(Sources { directory, file: global.config.clone(), environment: environment.clone(), flags })
}
