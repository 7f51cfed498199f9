//! One script of the ledger.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::file::{self, Content};
use super::lock::Lock;
use super::runs::{self, ActiveRun, End, Record, Started};
use super::sent::Sent;
use super::{State, unusable};
use crate::config::quote;
use crate::error::{Code, Error, Result};

/// The totals of a script, which need not be there yet.
#[derive(Debug, Clone)]
pub struct Script {
    name: String,
    folder: PathBuf,
    patience: Duration,
}

impl Script {
    pub(super) const fn new(name: String, folder: PathBuf, patience: Duration) -> Self {
        Self { name, folder, patience }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its files are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The totals as they are. Runs that have ended and are not counted yet are left alone.
    pub fn read(&self) -> Result<State> {
        match self.content()? {
            Ok(state) => Ok(state.unwrap_or_else(|| State::new(&self.name))),
            Err(fact) => Err(Error::new(Code::Io, format!("the ledger of {} is damaged", quote(&self.name)))
                .cause(format!("{}: {fact}", self.state().display()))
                .hint("the next run or push sets the file aside and starts the totals anew")),
        }
    }

    /// Changes the totals: all runs that have ended are counted, then `change` is made, then everything is stored.
    ///
    /// Where `change` fails, nothing is stored. A damaged file is set aside and the totals start anew, which is a counter
    /// reset; [`State::set_aside`] tells.
    pub fn update<T>(&self, change: impl FnOnce(&mut State) -> Result<T>) -> Result<(State, T)> {
        let _lock = self.lock()?;
        let (mut state, ended) = self.counted()?;
        let result = change(&mut state)?;
        self.store(&mut state, &ended)?;
        Ok((state, result))
    }

    /// Brings the totals up to date with what runs now; where nothing is new, they stay as published.
    pub(crate) fn refresh(&self) -> Result<State> {
        let _lock = self.lock()?;
        let stored = self.content()?.ok().flatten();
        let (mut state, ended) = self.counted()?;
        if stored.as_ref() != Some(&state) || !ended.is_empty() {
            self.store(&mut state, &ended)?;
        }
        Ok(state)
    }

    /// Counts the runs that have ended or died; the totals are stored only if there are any.
    pub fn settle(&self) -> Result<State> {
        let _lock = self.lock()?;
        let (mut state, ended) = self.counted()?;
        if !ended.is_empty() || state.set_aside.is_some() {
            self.store(&mut state, &ended)?;
        }
        Ok(state)
    }

    /// Lets the totals of runs begin at 0, if they have not; for a script that is known before its first run.
    pub fn declare(&self) -> Result<State> {
        let state = self.read();
        if state.as_ref().is_ok_and(|state| state.families.contains_key("moko_script_executions_total")) {
            return state;
        }
        self.update(runs::zeros).map(|(state, ())| state)
    }

    /// Writes down that a run begins.
    pub fn begin(&self) -> Result<ActiveRun> {
        self.begin_at(super::now())
    }

    /// Writes down a run that has begun some time ago, in seconds since the epoch.
    pub fn begin_at(&self, start: f64) -> Result<ActiveRun> {
        ActiveRun::begin(&self.runs(), &self.name, start).map_err(|error| self.unusable(&error))
    }

    /// Counts a run that has ended. When this fails, its result is kept in its record for the next update, if that could
    /// be written.
    pub fn finish(&self, run: &ActiveRun, end: &End) -> Result<State> {
        let kept = run.end(end);
        let lock = self.lock()?;
        if kept.is_ok() && !run.waits() {
            // Another run has counted this one while it waited for the lock.
            drop(lock);
            return self.read();
        }
        kept.map_err(|error| self.unusable(&error))?;
        let (mut state, ended) = self.counted()?;
        self.store(&mut state, &ended)?;
        Ok(state)
    }

    /// The runs that go on now.
    pub fn active(&self) -> Result<Vec<Started>> {
        let records = self.records()?.into_iter().filter_map(|path| match runs::look(&path) {
            Ok(Record::Active(started)) => Some(started),
            Ok(Record::Ended(..) | Record::Broken) | Err(_) => None,
        });
        Ok(records.collect())
    }

    /// Forgets the script with its totals; one that is not there is no error.
    pub fn remove(&self) -> Result<()> {
        match std::fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(unusable(&format!("could not forget {}", quote(&self.name)), &self.folder, &error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Holds the script for a run that must be alone; `None` if another one does.
    pub fn hold_alone(&self) -> Result<Option<Held>> {
        let taken = file::folder(&self.folder).and_then(|()| Lock::try_take(&self.folder.join("alone")));
        Ok(taken.map_err(|error| self.unusable(&error))?.map(|lock| Held { _lock: lock }))
    }

    /// Whether anything was ever published, wherever that was.
    #[must_use]
    pub fn was_sent(&self) -> bool {
        Sent::at(&self.folder).exists()
    }

    /// The revision that was last published to a place, if the last one went there.
    #[must_use]
    pub fn sent(&self, place: &str) -> Option<u64> {
        Sent::at(&self.folder).revision(place)
    }

    /// Whether it was last written to a file.
    pub(crate) fn is_filed(&self) -> bool {
        Sent::at(&self.folder).filed().is_some()
    }

    /// Has the totals published once more, where what was published is lost.
    pub(crate) fn resend(&self) {
        Sent::at(&self.folder).forget();
    }

    /// Whether these totals are not published at that place yet.
    #[must_use]
    pub fn is_pending(&self, state: &State, place: &str) -> bool {
        let sent = Sent::at(&self.folder);
        // `run --textfile` has its own place, which the settings do not know.
        state.revision > 0 && sent.revision(place) != Some(state.revision) && sent.filed() != Some(state.revision)
    }

    /// Takes the turn to publish, if nobody has it; an older state must not come after a newer one.
    pub(crate) fn turn(&self) -> Result<Option<Turn>> {
        let taken = file::folder(&self.folder).and_then(|()| Lock::try_take(&self.folder.join("sending")));
        let lock = taken.map_err(|error| self.unusable(&error))?;
        Ok(lock.map(|lock| Turn { _lock: lock, sent: Sent::at(&self.folder) }))
    }

    /// The name of the script in a folder of the ledger, if something is known of it.
    pub(super) fn name_in(folder: &Path) -> Result<Option<String>> {
        let script = Self::new(String::new(), folder.to_owned(), Duration::ZERO);
        if let Ok(Some(state)) = script.content()? {
            return Ok(Some(state.script));
        }
        // The first run goes on, or died, or the file is damaged.
        for path in script.records()? {
            if let Ok(Record::Active(started) | Record::Ended(started, _)) = runs::look(&path) {
                return Ok(Some(started.script));
            }
        }
        if script.state().exists() {
            return Err(Error::new(Code::Io, "a script's ledger is damaged")
                .cause(script.state().display().to_string())
                .hint("its next run sets the file aside and starts the totals anew"));
        }
        Ok(None)
    }

    fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    fn runs(&self) -> PathBuf {
        self.folder.join("runs")
    }

    fn unusable(&self, error: &std::io::Error) -> Error {
        unusable(&format!("could not use the ledger of {}", quote(&self.name)), &self.folder, error)
    }

    fn lock(&self) -> Result<Lock> {
        let taken = file::folder(&self.folder).and_then(|()| Lock::take(&self.folder.join("lock"), self.patience));
        taken.map_err(|error| self.unusable(&error))
    }

    /// What is stored: nothing, a state, or what is wrong with the file.
    fn content(&self) -> Result<Result<Option<State>, &'static str>> {
        Ok(match file::read(&self.state()).map_err(|error| self.unusable(&error))? {
            Content::Missing => Ok(None),
            Content::Damaged(fact) => Err(fact),
            Content::Whole(text) => serde_json::from_str(&text).map(Some).map_err(|_| "it is not a state"),
        })
    }

    /// The totals with every run that has ended in them, and the records of those; the lock is held.
    fn counted(&self) -> Result<(State, Vec<PathBuf>)> {
        let mut state = if let Ok(state) = self.content()? {
            state.unwrap_or_else(|| State::new(&self.name))
        } else {
            let aside = file::set_aside(&self.state()).map_err(|error| self.unusable(&error))?;
            State { set_aside: Some(aside), ..State::new(&self.name) }
        };
        let (mut ended, mut results, mut active) = (Vec::new(), Vec::new(), Vec::new());
        for path in self.records()? {
            let id = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if state.counted.contains(&id) {
                // It is in the totals; only its record outlived a crash.
                ended.push(path);
                continue;
            }
            match runs::look(&path) {
                Ok(Record::Ended(started, end)) => {
                    results.push((started, end));
                    ended.push(path);
                }
                Ok(Record::Broken) => ended.push(path),
                Ok(Record::Active(started)) => active.push(started.start),
                Err(_) => {}
            }
        }
        results.sort_by(|(_, one), (_, other)| one.end.total_cmp(&other.end));
        for (started, end) in &results {
            runs::count(&mut state, started, end)?;
        }
        runs::running(&mut state, &active)?;
        Ok((state, ended))
    }

    /// Stores the totals, then takes the records away that are in them.
    fn store(&self, state: &mut State, ended: &[PathBuf]) -> Result<()> {
        // From the clock, so that totals which start anew are not taken for older ones.
        state.revision = (state.revision + 1).max(super::milliseconds());
        state.counted =
            ended.iter().map(|path| path.file_name().unwrap_or_default().to_string_lossy().into_owned()).collect();
        let text = serde_json::to_string(state).map_err(|error| self.unusable(&error.into()))?;
        file::write(&self.state(), &text).map_err(|error| self.unusable(&error))?;
        for path in ended {
            // One that stays is in the totals by name, and goes next time.
            let _ = std::fs::remove_file(path);
        }
        Ok(())
    }

    fn records(&self) -> Result<Vec<PathBuf>> {
        let entries = match std::fs::read_dir(self.runs()) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.unusable(&error)),
        };
        let mut paths = Vec::new();
        for entry in entries.flatten() {
            if !entry.file_name().to_string_lossy().starts_with('.') {
                paths.push(entry.path());
            } else if runs::is_leftover(&entry) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
        paths.sort();
        Ok(paths)
    }
}

/// A script that is held for a run until this is dropped.
#[derive(Debug)]
pub struct Held {
    _lock: Lock,
}

/// The turn to publish.
#[derive(Debug)]
pub(crate) struct Turn {
    _lock: Lock,
    sent: Sent,
}

impl Turn {
    /// Remembers what was published.
    pub(crate) fn remember(&self, place: &str, revision: u64) {
        self.sent.remember(place, revision);
    }
}
