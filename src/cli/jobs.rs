//! What `jobs` takes.

use clap::Subcommand;

/// What to do with the manifest of jobs.
#[derive(Debug, Subcommand)]
pub enum Jobs {
    /// List every job: how it is now, its last success, when it is due next
    List,
    /// Check for every job that its metrics arrive and that its alerts are loaded, tested, routed to somebody and shown
    Check,
}
