//! How and where totals are kept and published: the settings group `push`, as values.

use std::path::PathBuf;
use std::time::Duration;

/// The settings group `push`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The Pushgateway's address, without a trailing slash.
    pub url: String,
    /// The `job` label of every group.
    pub job: String,
    /// The `instance` label of every group.
    pub instance: String,
    /// The user name for the Pushgateway.
    pub username: Option<String>,
    /// The file with the password that goes with it.
    pub password_file: Option<PathBuf>,
    /// The file with a bearer token.
    pub token_file: Option<PathBuf>,
    /// The file with certificates to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// How long publishing may take, all in all.
    pub timeout: Duration,
    /// The folder of the ledger; `None`: neither set, nor is there a home to put it in.
    pub state_dir: Option<PathBuf>,
    /// The folder of node_exporter's textfile collector; set, it takes the place of the Pushgateway.
    pub textfile_dir: Option<PathBuf>,
}
