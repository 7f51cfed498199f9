//! Who is told of alerts: receivers, and the short form of the routes that lead to them.

mod doubts;
mod notify;
mod reach;
mod receiver;
pub(crate) mod routing;

pub use doubts::doubts;
pub use notify::{Audience, Heartbeat, Notify, OwnRoute, QuietHours, Url};
pub use reach::unreachable;
pub use receiver::{Email, Integration, Receiver, Slack, Tls, Webhook};

/// The receiver that has no integration: alerts are visible in Alertmanager, nobody is told.
pub const NOBODY: &str = "nobody";

/// The receiver of the dead man's switch, where one is set.
pub const HEARTBEAT: &str = "heartbeat";

/// The alert that always fires; when it no longer arrives, monitoring itself is dead.
pub const WATCHDOG: &str = "Watchdog";

/// The alert of `moko-mon alert test`; it takes the way to the receiver that its label [`TEST_RECEIVER`] names.
pub const TEST_ALERT: &str = "MokoMonTest";

/// The label of a test that names its receiver.
pub const TEST_RECEIVER: &str = "receiver";

/// The label that tells one test from another.
pub const TEST_ID: &str = "test_id";

/// The names that receivers of the user cannot have.
pub const OWN_RECEIVERS: [&str; 3] = [NOBODY, HEARTBEAT, crate::verify::canary::RECEIVER];
