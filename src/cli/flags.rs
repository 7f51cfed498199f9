//! What each command takes besides the flags of every command.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::component::Component;
use crate::config::PromDuration;

/// Flags of `up`.
#[derive(Debug, Args)]
pub struct Up {
    /// Print what would be done and why, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Leave out the checks of `verify` at the end
    #[arg(long)]
    pub no_verify: bool,
    /// Fill the dashboard with a made-up week and go on with it until `demo stop`
    #[arg(long)]
    pub demo: bool,
    /// How long to wait until everything is ready
    #[arg(long, value_name = "DURATION", default_value = "2m")]
    pub wait: PromDuration,
}

/// Flags of `down`.
#[derive(Debug, Args)]
pub struct Down {
    /// Remove the volumes as well, and with them all data and passwords
    #[arg(long)]
    pub volumes: bool,
    /// Remove the images as well
    #[arg(long)]
    pub images: bool,
    /// Answer yes to the question that `--volumes` asks
    #[arg(long, short)]
    pub yes: bool,
}

/// What to do with demo data.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum Demo {
    /// Remove the demo data and the feed, and nothing else
    Stop,
}

/// Flags of `status`.
#[derive(Debug, Args)]
pub struct Status {
    /// Show Grafana's login as well
    #[arg(long)]
    pub show_secrets: bool,
}

/// Flags of `verify`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Verify {
    /// Explain every check and make none
    #[arg(long)]
    pub list: bool,
    /// Only these checks, by name or its beginning up to a dot
    #[arg(long, value_name = "ID", value_delimiter = ',', num_args = 1..)]
    pub only: Vec<String>,
    /// Not these checks
    #[arg(long, value_name = "ID", value_delimiter = ',', num_args = 1..)]
    pub skip: Vec<String>,
    /// Let warnings fail
    #[arg(long)]
    pub strict: bool,
    /// Send a canary as well: a metric of its own that becomes an alert, is notified and resolved; takes a minute or two
    #[arg(long)]
    pub deep: bool,
    /// Look again until nothing fails, at most so long
    #[arg(long, value_name = "DURATION", conflicts_with_all = ["watch", "list"])]
    pub wait: Option<PromDuration>,
    /// Look again and again until Ctrl-C
    #[arg(long, conflicts_with_all = ["list", "deep", "report"])]
    pub watch: bool,
    /// Write the results to a file as well: `.json`, `.xml` (JUnit), `.md` or `.txt`
    #[arg(long, value_name = "FILE", conflicts_with = "list")]
    pub report: Vec<PathBuf>,
    /// How long all checks together may take
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    pub timeout: PromDuration,
    /// Servers that are given by their addresses
    #[command(flatten)]
    pub servers: Servers,
}

/// Flags of `why`.
#[derive(Debug, Args)]
pub struct Why {
    /// The alert, or the value of a script's label `script_name`
    pub name: String,
    /// The limit of each call
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    pub timeout: PromDuration,
    /// Servers that moko-mon did not make
    #[command(flatten)]
    pub servers: Servers,
}

/// Servers that moko-mon did not make.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Any other stack, without Docker")]
pub struct Servers {
    /// Where a Prometheus is, with the path that a proxy puts in front
    #[arg(long, value_name = "URL")]
    pub prometheus_url: Option<String>,
    /// Where an Alertmanager is
    #[arg(long, value_name = "URL")]
    pub alertmanager_url: Option<String>,
    /// Where a Pushgateway is
    #[arg(long, value_name = "URL")]
    pub pushgateway_url: Option<String>,
    /// Where a Grafana is
    #[arg(long, value_name = "URL")]
    pub grafana_url: Option<String>,
    /// Who asks; with `grafana=NAME` only there, which goes for the next two as well
    #[arg(long, value_name = "[SERVER=]NAME")]
    pub username: Vec<String>,
    /// A file with the password
    #[arg(long, value_name = "[SERVER=]FILE")]
    pub password_file: Vec<String>,
    /// A file with a bearer token, instead of name and password; of Grafana: a service account's token
    #[arg(long, value_name = "[SERVER=]FILE")]
    pub token_file: Vec<String>,
    /// A PEM file with certificates to trust beside the system's
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
}

/// Flags of `logs`.
#[derive(Debug, Args)]
pub struct Logs {
    /// Only these components
    #[arg(value_enum)]
    pub components: Vec<Component>,
    /// Go on until interrupted
    #[arg(long, short)]
    pub follow: bool,
    /// Only what is younger than this
    #[arg(long, value_name = "DURATION")]
    pub since: Option<PromDuration>,
    /// Only the last lines of each component
    #[arg(long, short = 'n', value_name = "N")]
    pub tail: Option<u32>,
}

/// Flags of `open`.
#[derive(Debug, Args)]
pub struct Open {
    /// The component
    #[arg(value_enum)]
    pub component: Component,
    /// Only print the address
    #[arg(long)]
    pub print: bool,
}

/// What to do with Grafana's password.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum Password {
    /// Print Grafana's login
    Show,
    /// Make a new password and give it to Grafana
    Reset,
}

/// What to do with dashboards.
#[derive(Debug, Subcommand)]
pub enum Dashboard {
    /// Import files into the running Grafana, as `up` does with those of `grafana.dashboards`
    Import {
        /// JSON files, as Grafana exports them
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Write a dashboard as it is in Grafana now
    Export {
        /// Its uid; left out, it is ours
        uid: Option<String>,
        /// The file to write; left out, it goes to stdout
        #[arg(short = 'o', long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Show in what a dashboard in Grafana differs from the file that `up` imports
    Diff {
        /// Its uid; left out, it is ours
        uid: Option<String>,
    },
}

/// Flags of `run`.
#[derive(Debug, Args)]
#[command(override_usage = "\
moko-mon run [OPTIONS] -- COMMAND...
       moko-mon run [OPTIONS] JOB [-- COMMAND...]")]
#[command(after_help = "\
The exit status is the command's own: 128+N where signal N ended it, 127 where there is no such command, 126 where it cannot
be run, 124 where its time was over, 75 where another run goes on and it must not overlap. Whatever is wrong with monitoring
is told in one line on standard error, and changes nothing else.")]
pub struct Run {
    /// A job of the settings: its name is the script's, and its command is run where none is given
    #[arg(value_name = "JOB")]
    pub job: Option<String>,
    /// The name of the script in the metrics; left out, it is that of the command without its folder
    ///
    /// Not beside JOB, whose name it is.
    #[arg(long, value_name = "NAME", conflicts_with = "job")]
    pub name: Option<String>,
    /// End the command when it takes longer: SIGTERM, and SIGKILL 10 s later; such a run is a failure
    #[arg(long, value_name = "DURATION", value_parser = some_time)]
    pub timeout: Option<PromDuration>,
    /// Do not start the command while another run of the script goes on
    #[arg(long)]
    pub no_overlap: bool,
    /// Keep the last N lines of the output in the ledger; the command then writes to pipes
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub capture: Option<u16>,
    /// Write the metrics to a file in this folder of `node_exporter`'s textfile collector, in place of pushing them
    #[arg(long, value_name = "DIR")]
    pub textfile: Option<PathBuf>,
    /// The command and its arguments, behind `--`
    #[arg(last = true, value_name = "COMMAND", required_unless_present = "job")]
    pub command: Vec<std::ffi::OsString>,
}

/// What to do with rules.
#[derive(Debug, Subcommand)]
pub enum Rules {
    /// List every rule that the stack evaluates, with its threshold and what it says now
    List,
    /// Show one rule in full, with what is pending or firing now
    Show {
        /// The name of the alert, or of the series that it records
        name: String,
    },
    /// Run the unit tests of the built-in rules, and your own, with the promtool of the stack's Prometheus
    ///
    /// In your own test files, paths under `rule_files` are relative to the test file; a path that starts with `/` means
    /// a rule file in force, such as `/etc/prometheus/rules/alerts-config.yml`.
    Test {
        /// Test files of your own, in the format of `promtool test rules`
        files: Vec<PathBuf>,
        /// Write a `JUnit` report to this file
        #[arg(long, value_name = "FILE")]
        junit: Option<PathBuf>,
    },
    /// Make an alert fire for real with simulated series, and follow it until Alertmanager has dealt with it
    Simulate(Simulate),
}

/// Flags of `rules simulate`.
#[derive(Debug, Args)]
pub struct Simulate {
    /// The alert, such as `CircuitBreakerOpen`
    #[arg(required_unless_present = "clean")]
    pub name: Option<String>,
    /// Only remove what a simulation that was killed has left behind
    #[arg(long, conflicts_with = "name")]
    pub clean: bool,
}

/// Formats of other tools.
#[derive(Debug, Subcommand)]
pub enum Render {
    /// Write the same stack as a Compose file with its configuration files
    Compose(RenderCompose),
}

/// Flags of `render compose`.
#[derive(Debug, Args)]
pub struct RenderCompose {
    /// The folder to write to, created if need be
    #[arg(short = 'o', long = "directory", value_name = "DIR")]
    pub directory: PathBuf,
}

/// What to see of the settings.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum Config {
    /// Say whether the settings are right, and what is wrong
    Check,
    /// Print every setting and where it comes from
    Show,
    /// Print the JSON Schema of moko-mon.yaml, for editors
    Schema,
}

/// A limit that leaves time for anything at all.
pub(super) fn some_time(text: &str) -> Result<PromDuration, String> {
    let limit: PromDuration = text.parse()?;
    if limit.as_duration().is_zero() {
        Err("expected more than 0; leave the flag out for no limit".to_owned())
    } else {
        Ok(limit)
    }
}
