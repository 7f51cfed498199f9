//! Makes an alert fire for real: what has to be pushed for it, and how far it comes.
//!
//! ```text
//! loaded rules + present counts ─► plan ─► Plan      pure: what is pushed, and how long it is seen afterwards
//!                                           │
//!                                        follow      pushed ─► scraped ─► pending ─► firing ─► received ─► notified
//! ```
//!
//! The numbers come from the rules that the running Prometheus has loaded, so changed thresholds are those that count.
//! All series are in groups of the job [`JOB`], one for each alert, so what a killed run leaves behind is recognised.

mod alert;
mod follow;
mod loaded;
mod notified;
mod outcome;
mod plan;
mod silence;
mod wait;

use crate::http::pushgateway::{Group, GroupKey};

pub use alert::Alert;
pub use follow::{Follow, Phase, Record, Servers, Timing};
pub use loaded::Loaded;
pub use notified::{Notified, Routing};
pub use outcome::{Clock, Outcome};
pub use plan::{Lasts, Plan, Present, Push, plan};

/// The job of everything that is simulated.
pub const JOB: &str = "moko_mon_simulation";

/// The group of an alert.
#[must_use]
pub fn group_key(alert: &str) -> GroupKey {
    GroupKey::new(JOB).with("simulated", "true").with("alert", alert)
}

/// The alert that a group was pushed for, if it is one of ours.
#[must_use]
pub fn alert_of(group: &Group) -> Option<&str> {
    let ours = group.labels.get("job").is_some_and(|job| job == JOB);
    ours.then(|| group.labels.get("alert").map_or("", String::as_str))
}
