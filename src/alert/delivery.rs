//! A test message through the real integrations of receivers, and what became of it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::hush::Hush;
use super::log::{Log, Words};
use super::verdict::Seen;
use super::way::Way;
use crate::alerting::routing::Routing;
use crate::alerting::{TEST_ALERT, TEST_ID, TEST_RECEIVER};
use crate::error::{Code, Error, Result};
use crate::exposition::read::Family;
use crate::http::Answer;
use crate::http::alertmanager::{Alertmanager, Calls, Fired, tells_receivers_apart};
use crate::platform;

/// Between two looks at Alertmanager's counts.
const PAUSE: Duration = Duration::from_millis(250);
/// A test is on its way at once; one that is not after this time is probably kept quiet.
const START: Duration = Duration::from_secs(2);
/// How long the alert and its silence outlive a test that is cut off.
const AFTERLIFE: Duration = Duration::from_secs(60);

/// What became of a test message at one integration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delivery {
    /// The receiver.
    pub(crate) receiver: String,
    /// The integration: its kind, with its number where the receiver has several, as in `webhook[1]`.
    pub(crate) integration: String,
    /// What became of it.
    pub(crate) outcome: Outcome,
    /// What went wrong, in Alertmanager's words where it has any.
    pub(crate) error: Option<String>,
    /// From the sending to the outcome.
    pub(crate) took: Duration,
}

/// What can become of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The service took it.
    Delivered,
    /// Alertmanager gave it up.
    Failed,
    /// Nothing was decided when the time was over.
    Late,
    /// A silence or another alert kept it quiet: it was not sent.
    Quiet,
}

impl Outcome {
    /// The word for programs and tables.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Late => "late",
            Self::Quiet => "quiet",
        }
    }
}

/// Whether the way of a test leads to a receiver.
pub(crate) fn has_route(routing: &Routing, receiver: &str) -> bool {
    let pairs = [("alertname", TEST_ALERT), (TEST_RECEIVER, receiver), (TEST_ID, "x"), ("severity", "none")];
    routing.told(&routing.exactly(pairs)).contains(&receiver)
}

/// Tests of receivers, all at once.
pub(crate) struct Test<'a> {
    /// Sends the messages.
    pub(crate) alertmanager: &'a Alertmanager,
    /// The receivers and routes that it runs with.
    pub(crate) routing: &'a Routing,
    /// Its log, where that can be read.
    pub(crate) log: Option<Log<'a>>,
    /// How long an outcome is waited for.
    pub(crate) limit: Duration,
    /// Ends the waiting early.
    pub(crate) stop: &'a CancellationToken,
}

impl Test<'_> {
    /// Sends a test message to each of the receivers, which need a test route, and waits for the outcomes: one for each
    /// integration, in the order of the receivers.
    pub(crate) async fn deliver(&self, receivers: &[String]) -> Result<Vec<Delivery>> {
        let page = self.alertmanager.metrics().await?;
        let mut watch = Watch {
            test: self,
            id: id()?,
            receivers,
            ways: self.ways(receivers, &page)?,
            began: Instant::now(),
            found: BTreeMap::new(),
            hush: None,
        };
        let mut alerts = alerts(receivers, &watch.id, self.limit);
        self.alertmanager.fire(&alerts).await?;
        let watched = watch.run().await;
        // Also after a failed look: nobody is to be told of the end of a test, nor again of the test.
        let hush = match watch.hush.take() {
            Some(hush) => hush,
            None => self.hush(&watch.id, receivers).await?,
        };
        hush.lift(self.alertmanager).await?;
        for alert in &mut alerts {
            alert.ends_at = Timestamp::now();
        }
        self.alertmanager.fire(&alerts).await?;
        watched?;
        Ok(watch.found.into_values().collect())
    }

    async fn hush(&self, id: &str, receivers: &[String]) -> Result<Hush> {
        Hush::begin(self.alertmanager, self.routing, id, receivers, after(self.limit + AFTERLIFE)).await
    }

    /// What has to deliver, and the counts before.
    fn ways<'b>(&'b self, receivers: &'b [String], page: &Answer) -> Result<Vec<Way<'b>>> {
        let metrics = page.metrics()?;
        if !tells_receivers_apart(&metrics) {
            return Err(Error::new(Code::NotReady, "Alertmanager does not count notifications by receiver")
                .hint("start it with `--enable-feature=receiver-name-in-metrics`, as `moko-mon up` does"));
        }
        let of_receiver = |receiver: &'b String| {
            let kinds = self.routing.receivers.get(receiver).into_iter().flatten();
            kinds.map(|kind| Way::new(receiver, kind, &metrics)).collect::<Vec<_>>()
        };
        Ok(receivers.iter().flat_map(of_receiver).collect())
    }
}

/// Tests on their way.
struct Watch<'a> {
    test: &'a Test<'a>,
    id: String,
    receivers: &'a [String],
    /// What is not decided yet.
    ways: Vec<Way<'a>>,
    began: Instant,
    /// What is, by its place in the order.
    found: BTreeMap<(usize, String), Delivery>,
    hush: Option<Hush>,
}

impl Watch<'_> {
    /// Looks again and again until all is decided or the time is over.
    async fn run(&mut self) -> Result<()> {
        while !self.ways.is_empty() {
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = self.test.stop.cancelled() => return Ok(()),
            }
            let is_over = self.began.elapsed() >= self.test.limit;
            let page = self.test.alertmanager.metrics().await?;
            let metrics = page.metrics()?;
            let now: Vec<Calls> = self.ways.iter().map(|way| way.since(&metrics)).collect();
            if self.hush.is_none() && (self.began.elapsed() >= START || now.iter().all(|calls| calls.begun > 0.0)) {
                // Before our own silence, which would look like one of somebody else.
                self.find_quiet().await?;
                self.hush = Some(self.test.hush(&self.id, self.receivers).await?);
            }
            let has_failures = now.iter().any(|calls| calls.failed > 0.0);
            let words = match &self.test.log {
                Some(log) if has_failures || is_over => Some(log.words(&self.id).await?),
                Some(_) => Some(Words::new()),
                None => None,
            };
            self.judge(&metrics, words.as_ref(), is_over);
        }
        Ok(())
    }

    fn judge(&mut self, metrics: &[Family<'_>], words: Option<&Words>, is_over: bool) {
        for way in std::mem::take(&mut self.ways) {
            let seen = Seen {
                count: self.test.routing.count(way.receiver, way.kind),
                calls: way.since(metrics),
                given_up: way.lost(metrics),
                words: words.map(|words| way.words(words)),
                is_over,
            };
            let several = seen.count > 1;
            let Some(verdicts) = seen.verdicts() else {
                self.ways.push(way);
                continue;
            };
            for (index, outcome, error) in verdicts {
                let number = index.filter(|_| several).map(|index| format!("[{index}]")).unwrap_or_default();
                self.decide(&way, &number, outcome, error);
            }
        }
    }

    fn decide(&mut self, way: &Way<'_>, number: &str, outcome: Outcome, error: Option<String>) {
        let (receiver, integration) = (way.receiver.to_owned(), format!("{}{number}", way.metric));
        let at = self.receivers.iter().position(|name| *name == receiver).unwrap_or_default();
        let delivery = Delivery { receiver, integration, outcome, error, took: self.began.elapsed() };
        self.found.insert((at, delivery.integration.clone()), delivery);
    }

    /// Finds what is kept quiet, of which no notification begins.
    async fn find_quiet(&mut self) -> Result<()> {
        let held = self.test.alertmanager.alerts_with(&[format!("{TEST_ID}=\"{}\"", self.id)]).await?;
        let quiet: BTreeMap<&str, String> = held
            .iter()
            .filter(|alert| alert.status.state == "suppressed")
            .filter_map(|alert| {
                let by = match (alert.status.silenced_by.first(), alert.status.inhibited_by.first()) {
                    (Some(silence), _) => format!("the silence {silence} keeps it quiet"),
                    (None, Some(other)) => format!("the alert {other} keeps it quiet"),
                    (None, None) => "a time interval keeps it quiet".to_owned(),
                };
                Some((alert.labels.get(TEST_RECEIVER)?.as_str(), by))
            })
            .collect();
        for way in std::mem::take(&mut self.ways) {
            match quiet.get(way.receiver) {
                Some(by) => self.decide(&way, "", Outcome::Quiet, Some(by.clone())),
                None => self.ways.push(way),
            }
        }
        Ok(())
    }
}

/// The alerts that are the test.
fn alerts(receivers: &[String], id: &str, limit: Duration) -> Vec<Fired> {
    let (now, who) = (Timestamp::now(), platform::who());
    let at = now.strftime("%Y-%m-%d %H:%M:%S UTC");
    let of = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let alert = |receiver: &String| {
        let summary = format!("Test of receiver {receiver}: nothing is wrong");
        let text = format!("{who} sent this at {at} with `moko-mon alert test` to see whether messages arrive here.");
        Fired {
            labels: of(&[("alertname", TEST_ALERT), (TEST_RECEIVER, receiver), (TEST_ID, id), ("severity", "none")]),
            annotations: of(&[("summary", &summary), ("description", &text)]),
            starts_at: now,
            ends_at: after(limit + AFTERLIFE),
        }
    };
    receivers.iter().map(alert).collect()
}

/// The time after so long from now.
fn after(wait: Duration) -> Timestamp {
    Timestamp::now().checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// What no other test has.
fn id() -> Result<String> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::new(Code::Io, "there are no random numbers").cause(error.to_string()))?;
    Ok(format!("{:016x}", u64::from_be_bytes(bytes)))
}
