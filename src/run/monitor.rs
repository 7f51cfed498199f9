//! The part of a run that must not disturb it: settings, ledger and publishing. The first thing that goes wrong is kept to
//! be told at the end.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::runtime::Runtime;

use super::Plan;
use crate::config::PushSettings;
use crate::error::{Code, Error, Result};
use crate::jobs::Job;
use crate::ledger::{ActiveRun, End, Held, Script, State};
use crate::publish::{Publisher, Settings};

/// How long a run waits for the others of its script to update the totals; its result is in its record anyway.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is known of a run while it goes on.
#[derive(Debug)]
pub(super) struct Monitor {
    settings: Option<Settings>,
    /// Whether the settings say for sure where to publish.
    sure: bool,
    script: Option<Script>,
    job: Option<Job>,
    run: Option<ActiveRun>,
    /// Holds other runs with `--no-overlap` off.
    alone: Option<Held>,
    state: Option<State>,
    /// What publishing needs, made while the command works.
    ready: Option<Result<(Runtime, Publisher)>>,
    problem: Option<String>,
}

impl Monitor {
    /// Reads the settings, and nothing else.
    pub(super) fn new(
        plan: &Plan,
        job: Option<Job>,
        settings: Option<PushSettings>,
        environment: &BTreeMap<String, String>,
    ) -> Self {
        let mut monitor = Self {
            settings: None,
            sure: true,
            script: None,
            job,
            run: None,
            alone: None,
            state: None,
            ready: None,
            problem: None,
        };
        let Some(mut settings) = settings else {
            monitor.note("the run is not recorded: the settings cannot be read".to_owned());
            return monitor;
        };
        if let Some(doubt) = settings.doubt.take() {
            monitor.sure = false;
            monitor.note(format!("the run is in the ledger and not published: {}", doubt.in_one_line()));
        }
        let mut settings = Settings::new(settings, environment);
        if plan.textfile.is_some() {
            settings.textfile_dir.clone_from(&plan.textfile);
        }
        match settings.ledger() {
            Ok(ledger) => monitor.script = Some(ledger.with_patience(PATIENCE).script(&plan.name)),
            Err(error) => monitor.note(format!("the run is not recorded: {}", error.in_one_line())),
        }
        monitor.settings = Some(settings);
        monitor
    }

    /// Whether another run of the script goes on; from now on, others are held off. Where that cannot be found out, the
    /// command is to run.
    pub(super) fn overlaps(&mut self) -> bool {
        let Some(script) = &self.script else { return false };
        let alone = script.hold_alone().and_then(|held| Ok((held, script.active()?)));
        match alone {
            Ok((Some(held), active)) if active.is_empty() => {
                self.alone = Some(held);
                false
            }
            Ok(_) => true,
            Err(error) => {
                self.note(format!("nobody knows whether it overlaps: {}", error.in_one_line()));
                false
            }
        }
    }

    /// Writes down that the run begins.
    pub(super) fn begin(&mut self) {
        // Where it fails, the end of the run tries again, and tells.
        self.run = self.script.as_ref().and_then(|script| script.begin().ok());
    }

    pub(super) fn run_id(&self) -> Option<String> {
        self.run.as_ref().map(|run| run.started.id.clone())
    }

    /// Publishes the first zeros of a new script, and that a job with a limit runs, beside the command.
    pub(super) fn announce(&self) {
        let (Some(script), Some(settings), true) = (&self.script, &self.settings, self.sure) else { return };
        // Where nothing of the script was ever sent, its first result would not be seen to happen.
        if self.run.is_none() || (self.job.is_none() && script.was_sent()) {
            return;
        }
        let (script, settings) = (script.clone(), settings.clone());
        let announce = move || {
            let announced = script
                .refresh()
                .and_then(|state| runtime()?.block_on(Publisher::new(&settings)?.publish_state(&script, &state)));
            // The end of the run tries again, and tells.
            drop(announced);
        };
        let _ = std::thread::Builder::new().spawn(announce);
    }

    /// Gets ready to publish, which costs nothing while the command works.
    pub(super) fn get_ready(&mut self) {
        if let (Some(settings), true, true) = (&self.settings, self.sure, self.run.is_some()) {
            self.ready = Some(runtime().and_then(|runtime| Ok((runtime, Publisher::new(settings)?))));
        }
    }

    /// Makes what is known of the run survive a power cut.
    pub(super) fn sync(&self) {
        if let Some(run) = &self.run {
            run.sync();
        }
    }

    /// Counts the run.
    pub(super) fn end(&mut self, mut end: End, output: Option<String>) {
        if self.run.is_none()
            && let Some(script) = &self.script
        {
            // The disk may have room again.
            match script.begin_at(end.end - end.duration.unwrap_or_default()) {
                Ok(run) => self.run = Some(run),
                Err(error) => self.note(format!("the run is not recorded: {}", error.in_one_line())),
            }
        }
        let (Some(script), Some(run)) = (&self.script, &self.run) else { return };
        if end.success
            && let Some(job) = &self.job
        {
            end.next_due = next_due(job, run.started.start);
        }
        let counted = script.finish(run, &end).and_then(|state| match output {
            Some(output) => {
                let kept = script.update(|state| {
                    keep(state, &run.started.id, &output);
                    Ok(())
                });
                kept.map(|(state, ())| state)
            }
            None => Ok(state),
        });
        match counted {
            Ok(state) => {
                if let Some(aside) = &state.set_aside {
                    let aside = aside.display();
                    self.note(format!("the ledger was damaged and starts anew; what it was is in `{aside}`"));
                }
                self.state = Some(state);
            }
            Err(error) => self.note(format!("the run is not in the totals yet: {}", error.in_one_line())),
        }
    }

    /// Publishes the totals.
    pub(super) fn publish(&mut self) {
        if self.ready.is_none() {
            self.get_ready();
        }
        let (Some(script), Some(state), Some(ready)) = (&self.script, &self.state, self.ready.take()) else { return };
        let published = ready.and_then(|(runtime, publisher)| {
            let published = runtime.block_on(publisher.publish_state(script, state));
            // The process is about to end: taking both apart would only take time, and nothing may keep the run.
            std::mem::forget((runtime, publisher));
            published
        });
        if let Err(error) = published {
            self.note(format!("{}; nothing is lost, the next run sends it", error.in_one_line()));
        }
    }

    /// What went wrong first.
    pub(super) fn problem(&self) -> Option<String> {
        self.problem.clone()
    }

    fn note(&mut self, problem: String) {
        self.problem.get_or_insert(problem);
    }
}

/// When the next success of a job is due, if the one that began at this time counts.
fn next_due(job: &Job, start: f64) -> Option<f64> {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970")]
    let start = jiff::Timestamp::from_millisecond((start * 1000.0) as i64).ok()?;
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
    let due = job.schedule.next_after(start)?.as_second() as f64;
    Some(due)
}

/// Keeps the end of the output for people; it is not published.
fn keep(state: &mut State, run_id: &str, output: &str) {
    state.notes.insert("output".to_owned(), serde_json::json!({"run_id": run_id, "tail": output}));
}

/// One thread is enough for one request.
fn runtime() -> Result<Runtime> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Error::new(Code::Io, "could not get ready to wait").cause(error.to_string()))
}
