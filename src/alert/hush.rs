//! One message for each test: neither its end is told, nor the test again where it failed.

use jiff::Timestamp;

use crate::alerting::routing::Routing;
use crate::alerting::{TEST_ALERT, TEST_ID, TEST_RECEIVER};
use crate::error::Result;
use crate::http::alertmanager::{Alertmanager, SilenceMatcher};
use crate::platform;

/// Services that open something with an alert, which only its end closes again.
const OPENING: [&str; 6] = ["pagerduty", "opsgenie", "victorops", "jira", "incidentio", "rootly"];

/// A silence of a test. What Alertmanager is about to send already is not held up by it.
pub(super) struct Hush {
    /// The silence of those receivers that have to be told of the end.
    opening: Option<String>,
}

impl Hush {
    /// Silences the test with this id until `end`.
    pub(super) async fn begin(
        alertmanager: &Alertmanager,
        routing: &Routing,
        id: &str,
        receivers: &[String],
        end: Timestamp,
    ) -> Result<Self> {
        let (opening, others): (Vec<&String>, Vec<&String>) =
            receivers.iter().partition(|name| opens(routing, name.as_str()));
        let by = platform::who();
        let silence = async |names: &[&String]| -> Result<Option<String>> {
            if names.is_empty() {
                return Ok(None);
            }
            let escaped: Vec<String> = names.iter().map(|name| regex_lite::escape(name)).collect();
            let pattern = escaped.join("|");
            let matcher = |name: &str, value: &str, is_regex| SilenceMatcher {
                name: name.to_owned(),
                value: value.to_owned(),
                is_regex,
                is_equal: true,
            };
            let matchers = [
                matcher("alertname", TEST_ALERT, false),
                matcher(TEST_ID, id, false),
                matcher(TEST_RECEIVER, &pattern, true),
            ];
            let why = "a test message is sent once";
            alertmanager.silence(&matchers, end, &by, why).await.map(Some)
        };
        silence(&others).await?;
        Ok(Self { opening: silence(&opening).await? })
    }

    /// Lets those be told of the end that opened something.
    pub(super) async fn lift(self, alertmanager: &Alertmanager) -> Result<()> {
        match self.opening {
            Some(id) => alertmanager.expire(&id).await,
            None => Ok(()),
        }
    }
}

fn opens(routing: &Routing, receiver: &str) -> bool {
    let kinds = routing.receivers.get(receiver);
    kinds.is_some_and(|kinds| kinds.iter().any(|kind| OPENING.contains(&kind.as_str())))
}
