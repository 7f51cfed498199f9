//! What `push` takes.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::config::PromDuration;
use crate::contract::MetricType;

/// What to do with the metrics of scripts.
#[derive(Debug, Subcommand)]
pub enum Push {
    /// Add to a counter
    Inc(Inc),
    /// Set a gauge
    Set(Value),
    /// Add an observation to a histogram
    Observe(Observe),
    /// Add up what a script has written in the text format, all of it or nothing
    Text(Text),
    /// Set what is left of GitHub's rate limits, from stdin: an answer with its headers, or the JSON of `/rate_limit`
    GithubRateLimit(RateLimit),
    /// Count the findings of a scanner that no scan had before, and show the open ones
    Findings(Findings),
    /// Show what the Pushgateway holds, from whom, and how old it is
    List,
    /// Take a script, or any group, off the Pushgateway
    Delete(Delete),
    /// Take the groups of scripts that are gone off the Pushgateway; without `--yes` it only shows them
    Prune(Prune),
    /// Send what is not published yet
    Flush,
    /// Show what is not published yet, since when and why
    Status,
}

/// Whose metric it is, and what follows if nobody takes it.
#[derive(Debug, Clone, Args)]
pub struct Target {
    /// The script whose metrics these are; `moko-mon run` says it to what it runs
    #[arg(long, value_name = "NAME")]
    pub script: Option<String>,
    /// Fail when the metrics could not be published at once; they are kept in any case
    #[arg(long)]
    pub strict: bool,
}

/// A metric of the script's own, which has to be described once.
#[derive(Debug, Clone, Args)]
pub struct Own {
    /// The type of a metric that is not of the contract; needed once
    #[arg(long = "type", value_name = "TYPE", value_enum)]
    pub kind: Option<Kind>,
    /// What the metric is, for those who read it
    #[arg(long, value_name = "TEXT")]
    pub help_text: Option<String>,
}

/// The types of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Only grows
    Counter,
    /// Any value
    Gauge,
    /// Observations by their size
    Histogram,
}

impl From<Kind> for MetricType {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Counter => Self::Counter,
            Kind::Gauge => Self::Gauge,
            Kind::Histogram => Self::Histogram,
        }
    }
}

/// Flags of `push inc`.
#[derive(Debug, Args)]
pub struct Inc {
    /// The counter
    pub name: String,
    /// By how much, 1 unless it is given, then the labels
    #[arg(value_name = "BY|LABEL=VALUE", allow_negative_numbers = true)]
    pub words: Vec<String>,
    /// About the metric
    #[command(flatten)]
    pub own: Own,
    /// About the script
    #[command(flatten)]
    pub target: Target,
}

/// Flags of `push set`.
#[derive(Debug, Args)]
pub struct Value {
    /// The metric
    pub name: String,
    /// Its value; of `moko_circuit_breaker_state` also `closed`, `open` or `half-open`
    #[arg(allow_negative_numbers = true)]
    pub value: String,
    /// The labels
    #[arg(value_name = "LABEL=VALUE")]
    pub labels: Vec<String>,
    /// About the metric
    #[command(flatten)]
    pub own: Own,
    /// About the script
    #[command(flatten)]
    pub target: Target,
}

/// Flags of `push observe`.
#[derive(Debug, Args)]
pub struct Observe {
    /// The metric, its value and labels
    #[command(flatten)]
    pub value: Value,
    /// The boundaries of the buckets of a new histogram, smallest first, such as `0.1,1,10`
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',', allow_hyphen_values = true)]
    pub buckets: Vec<f64>,
}

/// Flags of `push text`.
#[derive(Debug, Args)]
pub struct Text {
    /// The file; `-` or none is stdin
    #[arg(default_value = "-", hide_default_value = true)]
    pub file: PathBuf,
    /// About the script
    #[command(flatten)]
    pub target: Target,
}

/// Flags of `push github-rate-limit`.
#[derive(Debug, Args)]
pub struct RateLimit {
    /// The value of the label `api`; other resources than `core` follow with a hyphen, as in `github-search`
    #[arg(long, value_name = "NAME", default_value = "github")]
    pub api: String,
    /// Only these resources, such as `core,search`
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub resource: Vec<String>,
    /// About the script
    #[command(flatten)]
    pub target: Target,
}

/// Flags of `push findings`.
#[derive(Debug, Args)]
pub struct Findings {
    /// Reports in SARIF 2.1.0; `-` is stdin
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// The value of the label `finding_type`, in place of the tool's name
    #[arg(long, value_name = "NAME")]
    pub finding_type: Option<String>,
    /// About the script
    #[command(flatten)]
    pub target: Target,
}

/// Flags of `push delete`.
#[derive(Debug, Args)]
pub struct Delete {
    /// The script: its group of this host and its totals
    #[arg(required_unless_present = "group", conflicts_with = "group")]
    pub script: Option<String>,
    /// Any group, by all of its labels, such as `--group job=x instance=y`
    #[arg(long, value_name = "LABEL=VALUE", num_args = 1..)]
    pub group: Vec<String>,
}

/// Flags of `push prune`.
#[derive(Debug, Args)]
pub struct Prune {
    /// Groups that nobody has pushed for so long are gone
    #[arg(long, value_name = "DURATION", default_value = "30d")]
    pub older_than: PromDuration,
    /// Take them off
    #[arg(long, short)]
    pub yes: bool,
}

impl Push {
    /// The name in the JSON envelope.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Inc(_) => "push inc",
            Self::Set(_) => "push set",
            Self::Observe(_) => "push observe",
            Self::Text(_) => "push text",
            Self::GithubRateLimit(_) => "push github-rate-limit",
            Self::Findings(_) => "push findings",
            Self::List => "push list",
            Self::Delete(_) => "push delete",
            Self::Prune(_) => "push prune",
            Self::Flush => "push flush",
            Self::Status => "push status",
        }
    }
}
