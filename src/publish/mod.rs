//! Publishing the totals of a script: to a Pushgateway as one group, or as a file for `node_exporter`.
//!
//! The whole group is replaced each time, so a push that was lost is healed by the next one. Publishing takes turns: an
//! older state never comes after a newer one, which would look like a counter reset.

mod beginning;
mod credentials;
mod settings;
mod text;
mod textfile;

use std::time::Duration;

use crate::config::quote;
use crate::error::{Code, Error, Goal as _, Result};
use crate::http::pushgateway::{GroupKey, Pushgateway};
use crate::http::{Http, Server};
use crate::ledger::{Ledger, Script, State};

pub use settings::Settings;
pub use text::text;

/// How long the Pushgateway may take to list or delete groups.
const PATIENCE: Duration = Duration::from_secs(10);

/// The shortest and the longest nap between two looks at whose turn it is.
const NAPS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(20));

/// Who publishes, and where to.
#[derive(Debug, Clone)]
pub struct Publisher {
    settings: Settings,
    gateway: Option<Pushgateway>,
}

impl Publisher {
    /// Reads the credentials and gets ready to talk; nobody is asked yet.
    pub fn new(settings: &Settings) -> Result<Self> {
        let gateway = match settings.textfile_dir {
            Some(_) => None,
            None => Some(gateway(settings).goal(|| format!("could not get ready to push to {}", settings.url))?),
        };
        Ok(Self { settings: settings.clone(), gateway })
    }

    /// The group of a script on this host.
    #[must_use]
    pub fn group(&self, script: &str) -> GroupKey {
        self.settings.group(script)
    }

    /// Where a script is published: for people, and to know whether it was published there.
    #[must_use]
    pub fn place(&self, script: &str) -> String {
        match &self.settings.textfile_dir {
            Some(folder) => textfile::path(folder, script).display().to_string(),
            None => format!("{}{}", self.settings.url, self.group(script).path()),
        }
    }

    /// The Pushgateway; none where files are written.
    #[must_use]
    pub const fn gateway(&self) -> Option<&Pushgateway> {
        self.gateway.as_ref()
    }

    /// Publishes the totals of a script as they are by now, if they are not published yet; says whether it had to.
    ///
    /// Ends within `push.timeout`, waiting for others included. Where another process has published these totals, there
    /// is nothing to do.
    pub async fn publish(&self, script: &Script) -> Result<bool> {
        let wanted = script.read().goal(|| format!("could not publish {}", quote(script.name())))?;
        self.publish_state(script, &wanted).await
    }

    /// The same for who has just read the totals, or changed them.
    pub async fn publish_state(&self, script: &Script, wanted: &State) -> Result<bool> {
        let goal = || format!("could not publish {}", quote(script.name()));
        let timeout = self.settings.timeout;
        let outcome = match tokio::time::timeout(timeout, self.publish_in_turn(script, wanted)).await {
            Ok(published) => published.goal(goal),
            Err(_) => Err(Error::new(Code::NotReady, goal())
                .cause(format!("{} did not take it within {timeout:?}", self.whom()))
                .hint("nothing is lost: the next run sends it, or `moko-mon push flush`")),
        };
        script.tried(&outcome);
        outcome
    }

    /// Takes the published group of a script away.
    pub async fn withdraw(&self, script: &str) -> Result<()> {
        match (&self.gateway, &self.settings.textfile_dir) {
            (Some(gateway), _) => gateway.delete(&self.group(script)).await,
            (None, Some(folder)) => textfile::remove(folder, script),
            (None, None) => Ok(()),
        }
    }

    async fn publish_in_turn(&self, script: &Script, wanted: &State) -> Result<bool> {
        let place = self.place(script.name());
        let (mut nap, longest) = NAPS;
        let mut in_queue = false;
        loop {
            if !is_due(script, wanted, &place) {
                return Ok(false);
            }
            if let Some(turn) = script.turn()? {
                // While others published, there may have come more than what was wanted.
                let state = if in_queue { &script.read()? } else { wanted };
                if is_due(script, state, &place) {
                    self.send(state).await?;
                    turn.remember(&place, state.revision);
                }
                return Ok(true);
            }
            in_queue = true;
            tokio::time::sleep(nap).await;
            nap = (nap * 2).min(longest);
        }
    }

    async fn send(&self, state: &State) -> Result<()> {
        let text = text(state);
        match (&self.gateway, &self.settings.textfile_dir) {
            (Some(gateway), _) => gateway.put(&self.group(&state.script), &text).await,
            (None, Some(folder)) => textfile::write(folder, &state.script, &text),
            (None, None) => Ok(()),
        }
    }

    /// The Pushgateway or the folder, for people.
    #[must_use]
    pub fn whom(&self) -> String {
        match &self.settings.textfile_dir {
            Some(folder) => format!("`{}`", folder.display()),
            None => format!("the Pushgateway at {}", self.settings.url),
        }
    }
}

/// Whether something is there that was not published; what was published may be newer by now.
fn is_due(script: &Script, state: &State, place: &str) -> bool {
    state.revision > 0 && script.sent(place).is_none_or(|sent| sent < state.revision)
}

impl Settings {
    /// The ledger of these settings.
    pub fn ledger(&self) -> Result<Ledger> {
        self.state_dir.as_ref().map(Ledger::at).ok_or_else(|| {
            Error::new(Code::ConfigInvalid, "there is no folder for the ledger")
                .cause("neither `XDG_STATE_HOME` nor `HOME` is set")
                .hint("set one of them, or `push.state_dir`")
        })
    }
}

fn gateway(settings: &Settings) -> Result<Pushgateway> {
    // The system's certificates take longer to read than most scripts run.
    let secure = settings.url.starts_with("https:");
    let http = if secure { Http::trusting(credentials::certificates(settings)?)? } else { Http::new()? };
    // `publish` itself ends in time; this is for those who list and delete.
    let server = Server::new(&http, &settings.url, settings.timeout.max(PATIENCE));
    Ok(Pushgateway::at(&server.with_auth(credentials::auth(settings)?)))
}

#[cfg(test)]
mod tests;
