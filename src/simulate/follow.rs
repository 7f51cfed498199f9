//! Follows an alert from the first push to the notification; each phase is bounded by what the intervals demand.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::notified::{quiet, receivers};
use super::wait::{GRACE, Late, POLL, wait};
use super::{Alert, Lasts, Loaded, Notified, Plan, Push, Routing, silence};
use crate::config::PromDuration;
use crate::error::{Code, Error, Result};
use crate::http::alertmanager::{Alert as Received, Alertmanager, Calls};
use crate::http::prometheus::{Alert as Instance, Prometheus};
use crate::http::pushgateway::{GroupKey, Pushgateway};
use crate::ui::{Event, Ui, human};

/// The servers of the stack.
#[derive(Debug, Clone)]
pub struct Servers {
    /// Evaluates.
    pub prometheus: Prometheus,
    /// Notifies.
    pub alertmanager: Alertmanager,
    /// Is pushed to.
    pub pushgateway: Pushgateway,
}

/// What the running configuration makes of each phase.
#[derive(Debug, Clone)]
pub struct Timing {
    /// Between two scrapes of the Pushgateway.
    pub scrape: Duration,
    /// Between two evaluations of the rule.
    pub evaluation: Duration,
    /// How long the expression has to hold.
    pub for_duration: Duration,
    /// How long the alert goes on after it.
    pub keep_firing_for: Duration,
    /// Whom Alertmanager tells, and when.
    pub routing: Routing,
}

/// One phase that is over.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Phase {
    /// Its name.
    pub phase: &'static str,
    /// How long it took.
    pub seconds: f64,
}

/// How far it came: kept apart from the one who follows, who may be stopped at any moment.
#[derive(Debug, Default)]
pub struct Record {
    /// The phases, in their order.
    pub phases: Vec<Phase>,
    /// When the last push was made.
    pub pushed_at: Option<Instant>,
    /// What came of the notification.
    pub notified: Option<Notified>,
}

/// Makes one alert fire.
pub struct Follow<'a> {
    /// The servers.
    pub servers: &'a Servers,
    /// The terminal.
    pub ui: &'a Ui,
    /// The alert.
    pub alert: Alert,
    /// The group that is pushed.
    pub key: &'a GroupKey,
    /// What is pushed.
    pub plan: &'a Plan,
    /// How long the phases may take.
    pub timing: &'a Timing,
}

/// Where the simulated alert is.
enum State {
    Inactive,
    Pending,
    Firing,
}

impl Follow<'_> {
    /// Goes from phase to phase; the error names the one that did not come.
    pub async fn run(&self, record: &mut Record) -> Result<()> {
        let before = self.servers.alertmanager.calls().await?;
        for push in &self.plan.pushes {
            self.push(push, record).await?;
        }
        self.fires(record).await?;
        let started = Instant::now();
        let received = self.received().await?;
        self.done(record, "received", started, "Alertmanager has the alert");
        let started = Instant::now();
        let notified = self.notified(received, &before).await?;
        let quiet = matches!(notified, Notified::Quiet { .. });
        self.done(record, if quiet { "quiet" } else { "notified" }, started, &notified.sentence());
        record.notified = Some(notified);
        if let Some(recovery) = &self.plan.recovery {
            self.push(recovery, record).await?;
        }
        Ok(())
    }

    /// Notes the end of a phase.
    fn done(&self, record: &mut Record, phase: &'static str, since: Instant, fact: &str) {
        let took = since.elapsed();
        self.ui.event(&Event::Note(&format!("{phase:<10} {:>14}  {fact}", human(took))));
        record.phases.push(Phase { phase, seconds: (took.as_secs_f64() * 10.0).round() / 10.0 });
    }

    /// Waits for an answer, and shows how much longer that should take.
    async fn wait<T>(
        &self,
        phase: &'static str,
        expected: Duration,
        ask: impl AsyncFnMut() -> Result<Option<T>>,
    ) -> Result<T, Late> {
        let name = self.alert.name();
        wait(expected, ask, |left| self.ui.event(&Event::Countdown { name, phase, left })).await
    }

    /// Pushes, and waits until Prometheus has it.
    async fn push(&self, push: &Push, record: &mut Record) -> Result<()> {
        let started = Instant::now();
        record.pushed_at = Some(started);
        self.servers.pushgateway.put(self.key, &push.families).await?;
        // All samples of a group come with one scrape, so one stands for all.
        let Some((name, sample)) = push.families.first().and_then(|of| Some((of.metric.name, of.samples.last()?)))
        else {
            return Ok(());
        };
        let labels =
            sample.labels.iter().map(|(name, value)| format!(",{name}=\"{}\"", crate::exposition::escape(value)));
        let query = format!(
            "{name}{}{{{}{}}} == {}",
            sample.suffix,
            self.key.matchers(),
            labels.collect::<String>(),
            sample.value
        );
        let seen = self
            .wait("to be scraped", self.timing.scrape, async || {
                Ok(self.servers.prometheus.query(&query).await?.into_iter().next())
            })
            .await;
        if let Err(late) = seen {
            let target = self.servers.prometheus.targets().await.ok();
            let target = target.and_then(|all| all.into_iter().find(|target| target.scrape_pool == "pushgateway"));
            let fact = match target {
                Some(target) if !target.last_error.is_empty() => format!("its scrape fails: {}", target.last_error),
                Some(target) => {
                    format!("it scrapes the Pushgateway every {}, and the series do not come", target.scrape_interval)
                }
                None => "it has no target `pushgateway`".to_owned(),
            };
            return Err(late.error("Prometheus did not have the pushed series", "prometheus").cause(fact));
        }
        record.pushed_at = Some(started);
        self.done(record, push.phase, started, "Prometheus has the pushed series");
        Ok(())
    }

    /// Waits for pending and firing.
    async fn fires(&self, record: &mut Record) -> Result<()> {
        let mut started = Instant::now();
        if let Lasts::Silence(silence) = &self.plan.lasts {
            self.silence(silence).await?;
            self.done(record, "silent", started, "no run is left in the window");
            started = Instant::now();
        }
        let evaluated = self
            .wait("to be evaluated", self.timing.evaluation + self.timing.scrape, async || {
                Ok(Some(self.state().await?).filter(|state| !matches!(state, State::Inactive)))
            })
            .await;
        let state = match evaluated {
            Ok(state) => state,
            Err(late) => return Err(self.not_true(late).await),
        };
        if matches!(state, State::Pending) {
            let holds = format!("the expression holds, and has to for {}", human(self.timing.for_duration));
            self.done(record, "pending", started, &holds);
            started = Instant::now();
            let expected = self.timing.for_duration + self.timing.evaluation;
            let fired = self
                .wait("to fire", expected, async || Ok(matches!(self.state().await?, State::Firing).then_some(())))
                .await;
            if let Err(late) = fired {
                return Err(self.not_true(late).await);
            }
        }
        self.done(record, "firing", started, "Prometheus sends it to Alertmanager");
        Ok(())
    }

    /// Waits until no run is seen any more; a run in between starts the time again.
    async fn silence(&self, silence: &PromDuration) -> Result<()> {
        let started = Instant::now();
        let limit = silence.as_duration() * 2 + GRACE;
        let mut last = silence::left(&self.servers.prometheus, silence).await?;
        loop {
            let left = silence::left(&self.servers.prometheus, silence).await?;
            if left.is_zero() || !matches!(self.state().await?, State::Inactive) {
                return Ok(());
            }
            // The counters are known to a few seconds only.
            if left > last + Duration::from_secs(10) {
                self.ui.event(&Event::Note(&format!("something ran: the silence of {silence} starts again")));
            }
            last = left;
            if started.elapsed() > limit {
                return Err(Error::new(
                    Code::NotFired,
                    format!("within {} there was no silence of {silence}", human(limit)),
                )
                .cause(format!("the last run was {} ago", human(silence.as_duration().saturating_sub(left))))
                .hint("stop what runs your scripts for that long, or lower the limit in moko-mon.yaml"));
            }
            self.ui.event(&Event::Countdown { name: self.alert.name(), phase: "to be silent", left });
            tokio::time::sleep(POLL * 4).await;
        }
    }

    /// Waits until Alertmanager has the alert.
    async fn received(&self) -> Result<Received> {
        // Prometheus sends with the evaluation that makes the alert fire.
        self.wait("to be received", self.timing.evaluation, async || {
            let all = self.servers.alertmanager.alerts().await?;
            Ok(all.into_iter().find(|alert| self.is_it(&alert.labels)))
        })
        .await
        .map_err(|late| late.error("Alertmanager did not have the firing alert", "prometheus"))
    }

    /// Waits until the integrations of the alert's receivers were called with success.
    async fn notified(&self, received: Received, before: &BTreeMap<String, Calls>) -> Result<Notified> {
        let (alertmanager, routing) = (&self.servers.alertmanager, &self.timing.routing);
        let integrations = routing.integrations(&received);
        let names = receivers(&received);
        let successful =
            |all: &BTreeMap<String, Calls>, kind: &String| all.get(kind).copied().unwrap_or_default().successful();
        // Silences and inhibitions are decided when the group is told of, and only then.
        let wait = self
            .wait("to be notified", routing.group_wait, async || {
                let all = alertmanager.alerts().await?;
                let Some(alert) = all.iter().find(|alert| self.is_it(&alert.labels)) else { return Ok(None) };
                if let Some(reason) = quiet(alert, &all) {
                    return Ok(Some(Notified::Quiet { reason }));
                }
                if integrations.is_empty() {
                    let settled = alert.status.state == "active";
                    return Ok(settled.then(|| Notified::Nobody { receivers: names.clone() }));
                }
                let calls = alertmanager.calls().await?;
                let told = integrations.iter().all(|kind| successful(&calls, kind) > successful(before, kind));
                let integrations = integrations.clone();
                Ok(told.then(|| Notified::Told { receivers: names.clone(), integrations }))
            })
            .await;
        match wait {
            Ok(notified) => Ok(notified),
            Err(late) => {
                let calls = alertmanager.calls().await.unwrap_or_default();
                let count = |kind: &String| {
                    let failed = calls.get(kind).copied().unwrap_or_default().failed;
                    failed - before.get(kind).copied().unwrap_or_default().failed
                };
                let facts = integrations
                    .iter()
                    .map(|kind| format!("`{kind}` was called without success {} times", count(kind)));
                let facts = facts.collect::<Vec<_>>().join(", ");
                Err(late.error("Alertmanager did not tell the receivers", "alertmanager").cause(facts))
            }
        }
    }

    /// Whether these are the labels of the simulated alert.
    fn is_it(&self, labels: &BTreeMap<String, String>) -> bool {
        let subject = self.plan.subject.as_ref();
        labels.get("alertname").is_some_and(|name| name == self.alert.name())
            && subject.is_none_or(|(name, value)| labels.get(*name) == Some(value))
    }

    async fn state(&self) -> Result<State> {
        let groups = self.servers.prometheus.rules().await?;
        let alerts = Loaded::find(&groups, self.alert).map(|loaded| loaded.rule.alerts.as_slice()).unwrap_or_default();
        let simulated: Vec<&Instance> = alerts.iter().filter(|alert| self.is_it(&alert.labels)).collect();
        Ok(match simulated.as_slice() {
            [] => State::Inactive,
            some if some.iter().any(|alert| alert.state == "firing") => State::Firing,
            _ => State::Pending,
        })
    }

    /// Why the rule does not fire although its series are there.
    async fn not_true(&self, late: Late) -> Error {
        let mut error = late.error("the rule did not fire", "prometheus");
        if let Ok(groups) = self.servers.prometheus.rules().await {
            error = match Loaded::find(&groups, self.alert) {
                Some(loaded) if !loaded.rule.last_error.is_empty() => {
                    error.cause(format!("its evaluation fails: {}", loaded.rule.last_error))
                }
                Some(loaded) => error.cause(format!("its expression did not hold long enough: {}", loaded.rule.query)),
                None => error.cause("it is not loaded any more"),
            };
        }
        error
    }
}
