//! What `jobs` takes.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What to do with the manifest of jobs.
#[derive(Debug, Subcommand)]
pub enum Jobs {
    /// List every job: how it is now, its last success, when it is due next
    List,
    /// Check for every job that its metrics arrive and that its alerts are loaded, tested, routed to somebody and shown
    Check,
    /// Propose a manifest from a crontab or from systemd's timers; nothing is written without `--write`
    Import(JobsImport),
    /// Show the crontab with `moko-mon run` in front of each command, as a diff; nothing is changed
    Wrap(JobsWrap),
}

/// Flags of `jobs import`.
#[derive(Debug, Args)]
pub struct JobsImport {
    /// The crontab to read
    #[arg(long, value_name = "FILE", required_unless_present = "systemd")]
    pub crontab: Option<PathBuf>,
    /// The folder with the units to read, such as /etc/systemd/system
    #[arg(long, value_name = "DIR", conflicts_with = "crontab")]
    pub systemd: Option<PathBuf>,
    /// Add the jobs to moko-mon.yaml, if it has none yet
    #[arg(long)]
    pub write: bool,
    /// Only these of the jobs that are found
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
}

/// Flags of `jobs wrap`.
#[derive(Debug, Args)]
pub struct JobsWrap {
    /// The crontab to show; without a file, your own, as `crontab -l` has it
    #[arg(long, value_name = "FILE", required = true, num_args = 0..=1)]
    pub crontab: Option<Option<PathBuf>>,
}
