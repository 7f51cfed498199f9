//! What came of a simulation, and what is still seen of it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Alert, JOB, Lasts, Plan, Record, Timing};

/// The server's clock: what it showed at a moment of ours.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// Seconds since the epoch, as the server has them.
    pub server: f64,
    /// When that was.
    pub at: Instant,
}

impl Clock {
    /// The server's time a while after a moment of ours, to the second.
    fn after(&self, moment: Instant, later: Duration) -> jiff::Timestamp {
        let seconds = self.server + (moment.saturating_duration_since(self.at) + later).as_secs_f64();
        let seconds = jiff::SignedDuration::try_from_secs_f64(seconds.round()).unwrap_or_default();
        jiff::Timestamp::from_duration(seconds).unwrap_or_default()
    }
}

/// Everything that the result is told from.
#[derive(Debug)]
pub struct Outcome<'a> {
    /// The alert.
    pub alert: Alert,
    /// What was to be pushed.
    pub plan: &'a Plan,
    /// The intervals.
    pub timing: &'a Timing,
    /// How far it came.
    pub record: &'a Record,
    /// Other alerts that came up meanwhile: name and state.
    pub also: Vec<(String, String)>,
    /// The server's clock.
    pub clock: Clock,
    /// When the group was deleted.
    pub ended: Instant,
}

impl Outcome<'_> {
    /// For programs.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "alert": self.alert.name(),
            "job": JOB,
            "pushed": self.plan.story,
            "phases": self.record.phases,
            "notified": self.record.notified.as_ref().map(super::Notified::json),
            "series_seen_until": self.series_until().map(|time| time.to_string()),
            "alert_ends_by": self.alert_until().map(|time| time.to_string()),
            "also": self.also.iter().map(|(name, state)| json!({"alert": name, "state": state})).collect::<Vec<_>>(),
        })
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut lines = Vec::new();
        if let Some(notified) = &self.record.notified {
            lines.push(format!("{} fired; {}", self.alert.name(), notified.sentence()));
        }
        match &self.plan.lasts {
            Lasts::Silence(_) if self.record.notified.is_some() => {
                lines.push("nothing was pushed; the alert ends with the next run of a script".to_owned());
            }
            Lasts::Gone if self.record.pushed_at.is_some() => {
                lines.push("its series are removed from the Pushgateway and end with the next scrape".to_owned());
            }
            Lasts::Window(window) if self.record.pushed_at.is_some() => lines.push(format!(
                "its series are removed from the Pushgateway; its runs count in rules and panels that look back {window} \
                 until {}",
                self.series_until().map(clock_time).unwrap_or_default()
            )),
            _ => {}
        }
        if let Some(until) = self.alert_until() {
            let counted = matches!(self.plan.lasts, Lasts::Window(_));
            let unless = if counted { ", unless real runs keep it up" } else { "" };
            lines.push(format!("the alert ends by {}{unless}", clock_time(until)));
        }
        let also: Vec<String> = self.also.iter().map(|(name, state)| format!("{name} ({state})")).collect();
        if !also.is_empty() {
            lines.push(format!("also came up meanwhile: {}", also.join(", ")));
        }
        lines.join("\n")
    }

    /// When nothing that was pushed counts any more.
    fn series_until(&self) -> Option<jiff::Timestamp> {
        let pushed = self.record.pushed_at?;
        match &self.plan.lasts {
            Lasts::Gone => Some(self.clock.after(self.ended, self.timing.scrape)),
            // The last sample before the jump is older than the push.
            Lasts::Window(window) => Some(self.clock.after(pushed, window.as_duration())),
            Lasts::Silence(_) => None,
        }
    }

    /// When an alert that has fired is over.
    fn alert_until(&self) -> Option<jiff::Timestamp> {
        self.record.phases.iter().find(|phase| phase.phase == "firing")?;
        let series = self.series_until()?;
        let after = self.timing.evaluation + self.timing.keep_firing_for;
        series.checked_add(jiff::SignedDuration::try_from(after).ok()?).ok()
    }
}

/// `15:04:05 UTC`; the day is today or tomorrow.
fn clock_time(time: jiff::Timestamp) -> String {
    format!("{} UTC", time.strftime("%H:%M:%S"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::{Notified, Phase, Routing};

    fn told(lasts: Lasts, fired: bool) -> (String, Value) {
        let timing = Timing {
            scrape: Duration::from_secs(15),
            evaluation: Duration::from_secs(15),
            for_duration: Duration::from_secs(120),
            keep_firing_for: Duration::from_secs(600),
            routing: Routing::read("route: {}").unwrap(),
        };
        let plan =
            Plan { story: "pushes".to_owned(), pushes: Vec::new(), recovery: None, subject: None, lasts, holds: None };
        let at = Instant::now();
        let mut record = Record { pushed_at: Some(at), ..Record::default() };
        if fired {
            record.phases.push(Phase { phase: "firing", seconds: 1.0 });
            record.notified = Some(Notified::Nobody { receivers: vec!["nobody".to_owned()] });
        }
        let outcome = Outcome {
            alert: Alert::CriticalScriptFailureRate,
            plan: &plan,
            timing: &timing,
            record: &record,
            also: vec![("HighScriptFailureRate".to_owned(), "pending".to_owned())],
            clock: Clock { server: 1_800_000_000.0, at },
            ended: at + Duration::from_secs(200),
        };
        (outcome.text(), outcome.json())
    }

    #[test]
    fn counted_runs_are_told_with_the_time_until_which_they_count() {
        let (text, json) = told(Lasts::Window("1h".parse().unwrap()), true);
        assert_eq!(
            text,
            "CriticalScriptFailureRate fired; Alertmanager holds it for receiver `nobody`, which tells nobody\n\
             its series are removed from the Pushgateway; its runs count in rules and panels that look back 1h until \
             09:00:00 UTC\n\
             the alert ends by 09:10:15 UTC, unless real runs keep it up\n\
             also came up meanwhile: HighScriptFailureRate (pending)"
        );
        assert_eq!(json["alert_ends_by"], "2027-01-15T09:10:15Z");
        assert_eq!(json["phases"][0]["phase"], "firing");
    }

    #[test]
    fn a_gauge_is_gone_with_the_next_scrape_and_what_never_fired_does_not_end() {
        let (text, json) = told(Lasts::Gone, false);
        assert_eq!(
            text,
            "its series are removed from the Pushgateway and end with the next scrape\n\
             also came up meanwhile: HighScriptFailureRate (pending)"
        );
        assert_eq!(
            (&json["series_seen_until"], &json["alert_ends_by"]),
            (&json!("2027-01-15T08:03:35Z"), &Value::Null)
        );
        assert!(told(Lasts::Gone, true).0.contains("the alert ends by 08:13:50 UTC\n"));
    }
}
