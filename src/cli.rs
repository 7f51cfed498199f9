//! The command line: types and help texts.

mod alert;
mod flags;
mod jobs;
mod push;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum as _};

use crate::config::quote;
use crate::environment;
use crate::error::Result;
use crate::ui::Format;

pub use alert::*;
pub use flags::*;
pub use jobs::*;
pub use push::*;

/// Monitoring for a team's scripts: Prometheus, Alertmanager, Pushgateway and Grafana, provisioned and proved
#[derive(Debug, Parser)]
#[command(name = "moko-mon", version, about, disable_help_subcommand = true, max_term_width = 100)]
pub struct Cli {
    /// Flags of every command
    #[command(flatten)]
    pub global: Global,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The variable that says how to write the result where no flag does.
pub const OUTPUT_VARIABLE: &str = "MOKO_MON_OUTPUT";

impl Cli {
    /// Reads the command line alone.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let arguments: Vec<OsString> = arguments.into_iter().collect();
        if let Some(cli) = RunAlone::read(&arguments) {
            return Ok(cli);
        }
        let matches = Self::command().try_get_matches_from(arguments)?;
        let mut cli = Self::from_arg_matches(&matches)?;
        cli.global.output_typed = typed(&matches);
        Ok(cli)
    }

    /// Takes over [`OUTPUT_VARIABLE`] where no flag says how to write the result; an empty one does not count.
    ///
    /// Not by clap's `env`, whose refusals do not name the variable.
    pub fn output_from(&mut self, variable: Option<OsString>) -> Result<()> {
        let Some(value) = variable.filter(|value| !self.global.output_typed && !value.is_empty()) else {
            return Ok(());
        };
        let value = value.to_string_lossy();
        self.global.output = Format::from_str(&value, false).map_err(|_| {
            environment::problem(
                OUTPUT_VARIABLE,
                format!("{} is unknown", quote(&value)),
                "`text`, `json`, `junit` or `markdown`",
            )
        })?;
        Ok(())
    }
}

/// `run` by itself. It is in front of every script, and to put together the parsers of all commands takes half a
/// millisecond.
#[derive(Debug, Parser)]
struct RunAlone {
    #[command(flatten)]
    global: Global,
    #[command(flatten)]
    run: Run,
}

impl RunAlone {
    /// Reads `moko-mon run …`. What is wrong with it, and its help, are for the parser of all commands to say.
    fn read(arguments: &[OsString]) -> Option<Cli> {
        let behind = arguments.get(1..).filter(|behind| behind.first().is_some_and(|word| word == "run"))?;
        let matches = Self::command().try_get_matches_from(behind).ok()?;
        let Self { mut global, run } = Self::from_arg_matches(&matches).ok()?;
        global.output_typed = typed(&matches);
        Some(Cli { global, command: Command::Run(run) })
    }
}

/// Whether a flag says how to write the result.
fn typed(matches: &ArgMatches) -> bool {
    matches.value_source("output") == Some(ValueSource::CommandLine)
}

/// Flags of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// Read settings from this file instead of `moko-mon.yaml` in the working directory
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Name the project, as the setting `project` does
    #[arg(long, short, global = true, value_name = "NAME")]
    pub project: Option<String>,
    /// Change one setting, such as `--set prometheus.port=9190`
    #[arg(long = "set", global = true, value_name = "KEY=VALUE")]
    pub settings: Vec<String>,
    /// How to write the result; `junit` and `markdown` are for `verify`
    #[arg(long, global = true, value_enum, default_value_t)]
    pub output: Format,
    /// Whether a flag says how to write the result
    #[arg(skip)]
    pub output_typed: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a commented `moko-mon.yaml` to start from
    Init,
    /// Bring the stack up, or change it to what the settings say
    Up(Up),
    /// Remove the stack; data is kept unless told otherwise
    Down(Down),
    /// End what `up --demo` began
    #[command(subcommand)]
    Demo(Demo),
    /// Show how every component is, from live probes
    Status(Status),
    /// Prove that monitoring works, check by check
    Verify(Box<Verify>),
    /// Say why an alert tells somebody or nobody, or how a script is watched, link by link
    Why(Why),
    /// Run a command and record its metrics; the command does not notice
    Run(Run),
    /// Publish what scripts know themselves, and look after what is published
    #[command(subcommand)]
    Push(Box<Push>),
    /// Test who is told of alerts, make them fire, look at them and keep them quiet
    #[command(subcommand)]
    Alert(Box<Alert>),
    /// Show what the components logged
    Logs(Logs),
    /// Open a component's web page in the browser
    Open(Open),
    /// Show or reset Grafana's administrator password
    #[command(subcommand)]
    Password(Password),
    /// Move dashboards between Grafana and files
    #[command(subcommand)]
    Dashboard(Dashboard),
    /// Look at the alert and recording rules, test them, and make alerts fire
    #[command(subcommand)]
    Rules(Rules),
    /// Look at the manifest of jobs
    #[command(subcommand)]
    Jobs(Jobs),
    /// Write the stack in other tools' formats
    #[command(subcommand)]
    Render(Render),
    /// Look at the settings
    #[command(subcommand)]
    Config(Config),
    /// Print the completion script of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the man pages into a folder
    Man {
        /// The folder, created if need be
        #[arg(short = 'o', long = "directory", default_value = ".", value_name = "DIR")]
        directory: PathBuf,
    },
}

impl Command {
    /// The name in the JSON envelope and in the lock.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Up(_) => "up",
            Self::Down(_) => "down",
            Self::Demo(Demo::Stop) => "demo stop",
            Self::Status(_) => "status",
            Self::Verify(_) => "verify",
            Self::Why(_) => "why",
            Self::Run(_) => "run",
            Self::Push(what) => what.name(),
            Self::Alert(what) => what.name(),
            Self::Logs(_) => "logs",
            Self::Open(_) => "open",
            Self::Password(Password::Show) => "password show",
            Self::Password(Password::Reset) => "password reset",
            Self::Dashboard(Dashboard::Import { .. }) => "dashboard import",
            Self::Dashboard(Dashboard::Export { .. }) => "dashboard export",
            Self::Dashboard(Dashboard::Diff { .. }) => "dashboard diff",
            Self::Rules(Rules::List) => "rules list",
            Self::Rules(Rules::Show { .. }) => "rules show",
            Self::Rules(Rules::Test { .. }) => "rules test",
            Self::Rules(Rules::Simulate(_)) => "rules simulate",
            Self::Jobs(Jobs::List) => "jobs list",
            Self::Jobs(Jobs::Check) => "jobs check",
            Self::Jobs(Jobs::Import(_)) => "jobs import",
            Self::Jobs(Jobs::Wrap(_)) => "jobs wrap",
            Self::Render(Render::Compose(_)) => "render compose",
            Self::Config(Config::Check) => "config check",
            Self::Config(Config::Show) => "config show",
            Self::Config(Config::Schema) => "config schema",
            Self::Completions { .. } => "completions",
            Self::Man { .. } => "man",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_is_read_alone_as_it_is_among_all_commands() {
        let words = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
        for line in [
            "moko-mon run -- true",
            "moko-mon run --name n --timeout 1h --no-overlap --capture 5 --textfile d -- x --output -p run",
            "moko-mon run job --config c -p p --set a=b --set c=d --output json",
        ] {
            let alone = RunAlone::read(&words(line)).unwrap();
            let among = Cli::try_parse_from(words(line)).unwrap();
            assert_eq!(alone.global.output_typed, line.contains(" json"), "{line}");
            let among = Cli { global: Global { output_typed: alone.global.output_typed, ..among.global }, ..among };
            assert_eq!(format!("{alone:?}"), format!("{among:?}"), "{line}");
        }
        for line in ["moko-mon", "moko-mon up", "moko-mon run", "moko-mon run --help", "moko-mon -p p run -- true"] {
            assert!(RunAlone::read(&words(line)).is_none(), "{line}");
        }
    }

    #[test]
    fn the_flags_of_a_command_do_not_clash_with_those_of_every_command() {
        for line in [
            "init",
            "up --dry-run --no-verify --wait 5m",
            "up --demo",
            "demo stop",
            "down --volumes --images -y",
            "status --show-secrets",
            "verify --only a --skip b --strict --deep --wait 1m --report r.xml --prometheus-url u --ca-file c",
            "verify --watch --token-file grafana=t --username u --password-file p --timeout 5s",
            "why x --prometheus-url u --timeout 5s",
            "run --name n --timeout 1h --no-overlap --capture 5 --textfile d -- x --output -p",
            "logs grafana -f --since 1h -n 5",
            "open grafana --print",
            "password reset",
            "rules list",
            "rules show x",
            "rules test f --junit g",
            "render compose -o d",
            "dashboard export x -o f",
            "dashboard import f",
            "dashboard diff",
            "rules simulate CircuitBreakerOpen",
            "rules simulate --clean",
            "push inc x 2 a=b --type counter --help-text t --script s --strict",
            "push set x -5 a=b",
            "push observe x 1 --buckets -1,0.5,1",
            "push text",
            "push github-rate-limit --api ghe --resource core,search",
            "push findings a.sarif - --finding-type t",
            "push list",
            "push delete x",
            "push delete --group job=x instance=y",
            "push prune --older-than 7d --yes",
            "push flush",
            "push status",
            "alert test a b --timeout 5s --alertmanager-url u --username u --password-file p",
            "alert test --all",
            "alert send a=b --annotation c=d --for 5m",
            "alert send a=b --resolve",
            "alert list --all",
            "alert routes a=b",
            "alert silence add a=b --for 2h --comment c --author d",
            "alert silence list --expired",
            "alert silence expire x",
            "config show",
            "man -o d",
            "completions bash",
        ] {
            let words = ["moko-mon", "--output", "json", "--project", "p", "--config", "c", "--set", "a=b"];
            let cli = Cli::try_parse_from(words.into_iter().chain(line.split(' '))).unwrap();
            assert_eq!((cli.global.output, cli.global.project.as_deref()), (Format::Json, Some("p")), "{line}");
        }
    }
}
