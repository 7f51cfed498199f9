//! How and where totals are kept and published: the settings group `push` on this host, for this user.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::{Push, PushSettings};

/// The settings group `push` with everything that was left out filled in.
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
    /// The folder of `node_exporter`'s textfile collector; set, it takes the place of the Pushgateway.
    pub textfile_dir: Option<PathBuf>,
}

impl Settings {
    /// Fills in what the settings leave to the host and the user.
    #[must_use]
    pub fn new(settings: PushSettings, environment: &BTreeMap<String, String>) -> Self {
        let PushSettings { push, own_gateway, .. } = settings;
        let Push { url, job, instance, username, password_file, token_file, ca_file, timeout, state_dir, textfile_dir } =
            push;
        Self {
            url: url.unwrap_or(own_gateway),
            job,
            instance: instance.unwrap_or_else(host),
            username,
            password_file,
            token_file,
            ca_file,
            timeout: timeout.as_duration(),
            state_dir: state_dir.or_else(|| folder(nix::unistd::geteuid().is_root(), environment)),
            textfile_dir,
        }
    }
}

/// The name of this host.
fn host() -> String {
    let name = nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if name.is_empty() { "localhost".to_owned() } else { name }
}

/// Where a ledger usually is. A relative `XDG_STATE_HOME` does not count, as the XDG specification wants it.
fn folder(root: bool, environment: &BTreeMap<String, String>) -> Option<PathBuf> {
    if root {
        return Some(PathBuf::from("/var/lib/moko-mon"));
    }
    let absolute = |name: &str| environment.get(name).map(Path::new).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").map(Path::to_owned);
    state.or_else(|| Some(absolute("HOME")?.join(".local/state"))).map(|state| state.join("moko-mon"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ledger_of_root_is_the_machine_s_and_others_have_their_own() {
        let environment = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<BTreeMap<_, _>>()
        };
        let home = ("HOME", "/home/u");
        for (root, pairs, expected) in [
            (true, vec![home], Some("/var/lib/moko-mon")),
            (false, vec![home], Some("/home/u/.local/state/moko-mon")),
            (false, vec![home, ("XDG_STATE_HOME", "/s")], Some("/s/moko-mon")),
            (false, vec![home, ("XDG_STATE_HOME", "s")], Some("/home/u/.local/state/moko-mon")),
            (false, vec![], None),
        ] {
            assert_eq!(folder(root, &environment(&pairs)), expected.map(PathBuf::from), "{pairs:?}");
        }
    }
}
