//! Runs that are not in the totals yet: one record each, a small file that its wrapper keeps locked.

use std::fs::{DirEntry, File, TryLockError};
use std::io::{Read as _, Result, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{State, file, lock, milliseconds};
use crate::error;

/// The room for the result, taken when the run begins, so that a disk that fills up in between does not lose it.
const ROOM: usize = 512;

/// A run that has begun.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// The name of the script.
    pub script: String,
    /// What no other run has.
    pub id: String,
    /// When it began, in seconds since the epoch.
    pub start: f64,
    /// The wrapper.
    pub process: u32,
}

/// How a run ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// Whether the run counts as a success.
    pub success: bool,
    /// When it ended, in seconds since the epoch.
    pub end: f64,
    /// How long it took by a clock that nobody sets, in seconds; not known of a run that died with its wrapper.
    pub duration: Option<f64>,
    /// Its exit status, 128+N where signal N ended it.
    pub exit_code: Option<i32>,
    /// The signal that ended it, or 0.
    pub signal: i32,
    /// CPU time in seconds.
    pub cpu: Option<f64>,
    /// The most memory of one of its processes, in bytes.
    pub memory: Option<f64>,
    /// When the next success of the job is due, in seconds since the epoch.
    pub next_due: Option<f64>,
}

/// A run that goes on. It is counted as a failure if this is dropped, or dies, without a result.
#[derive(Debug)]
pub struct ActiveRun {
    /// What is known of it.
    pub started: Started,
    path: PathBuf,
    record: File,
    /// Where in the record the room for the result begins.
    room: u64,
}

/// A record as another process sees it.
pub(super) enum Record {
    /// Its wrapper lives.
    Active(Started),
    /// It has ended, or died.
    Ended(Started, End),
    /// It cannot be read, and nobody has it open: it died before it was whole, which is before its command began.
    Broken,
}

impl ActiveRun {
    /// Writes the record of a run that is about to begin.
    pub(super) fn begin(folder: &Path, script: &str, start: f64) -> Result<Self> {
        file::folder(folder)?;
        let mut random = [0; 5];
        getrandom::fill(&mut random).map_err(|error| std::io::Error::other(error.to_string()))?;
        // The time comes first, so that names sort as the runs began.
        let id = random.iter().fold(format!("{:011x}", milliseconds()), |id, byte| id + &format!("{byte:02x}"));
        let started = Started { script: script.to_owned(), id: id.clone(), start, process: std::process::id() };
        // Hidden until it is whole and locked: without its lock it would look like a run that died.
        let hidden = folder.join(format!(".{id}"));
        let mut record = file::open_or_create(&hidden)?;
        let path = folder.join(&id);
        let head = format!("{}\n", serde_json::to_string(&started)?);
        let written = record
            .write_all(format!("{head}{}\n", " ".repeat(ROOM)).as_bytes())
            .and_then(|()| record.try_lock().map_err(std::io::Error::from))
            .and_then(|()| std::fs::rename(&hidden, &path));
        if let Err(error) = written {
            let _ = std::fs::remove_file(&hidden);
            return Err(error);
        }
        Ok(Self { started, path, record, room: head.len() as u64 })
    }

    /// Makes the record survive a power cut; a run that is over in a moment does without.
    pub fn sync(&self) {
        let _ = self.record.sync_data();
    }

    /// Writes the result into its room.
    pub(super) fn end(&self, end: &End) -> Result<()> {
        let text = serde_json::to_string(end)?;
        self.record.write_all_at(text.as_bytes(), self.room)
    }

    /// Whether the record still waits to be counted.
    pub(super) fn waits(&self) -> bool {
        lock::is(&self.record, &self.path).unwrap_or(true)
    }
}

/// Looks at one record.
pub(super) fn look(path: &Path) -> Result<Record> {
    let mut file = File::open(path)?;
    let locked = match file.try_lock_shared() {
        Ok(()) => false,
        Err(TryLockError::WouldBlock) => true,
        Err(TryLockError::Error(error)) => return Err(error),
    };
    // Read after the lock was asked for: nobody writes to it any more if it is free.
    let mut text = String::new();
    file.seek(SeekFrom::Start(0))?;
    if file.read_to_string(&mut text).is_err() {
        text.clear();
    }
    let (head, result) = text.split_once('\n').unwrap_or_default();
    let Ok(started) = serde_json::from_str::<Started>(head) else { return Ok(Record::Broken) };
    if let Ok(end) = serde_json::from_str::<End>(result.trim()) {
        return Ok(Record::Ended(started, end));
    }
    if locked {
        return Ok(Record::Active(started));
    }
    // Nobody knows when it died; when it began is the last that was heard of it.
    let end = End { success: false, end: started.start, ..End::default() };
    Ok(Record::Ended(started, end))
}

/// Whether a hidden record was left by a wrapper that died before its run began, and not just created.
pub(super) fn is_leftover(entry: &DirEntry) -> bool {
    let age = entry.metadata().and_then(|metadata| metadata.modified()).map(|at| at.elapsed().unwrap_or_default());
    age.is_ok_and(|age| age > Duration::from_secs(60))
}

/// Takes a run that has ended into the totals.
pub(super) fn count(state: &mut State, run: &Started, end: &End) -> error::Result<()> {
    zeros(state)?;
    let status = if end.success { "success" } else { "failure" };
    state.inc("moko_script_executions_total", &[("status", status)], 1.0)?;
    if let Some(duration) = end.duration {
        state.observe("moko_script_duration_seconds", &[], duration)?;
    }
    let last = "moko_script_last_execution_timestamp_seconds";
    if state.get(last, &[("status", status)]).is_none_or(|before| before <= end.end) {
        state.set(last, &[("status", status)], end.end)?;
    }
    // Runs that overlap may end in another order than they are counted in.
    if state.notes.get("latest").and_then(serde_json::Value::as_f64).is_some_and(|latest| latest > end.end) {
        return Ok(());
    }
    state.notes.insert("latest".to_owned(), end.end.into());
    state.set("moko_script_last_start_timestamp_seconds", &[], run.start)?;
    state.clear("moko_script_last_run_info");
    state.set("moko_script_last_run_info", &[("run_id", &run.id)], 1.0)?;
    let gauges = [
        ("moko_script_last_exit_code", end.exit_code.map(f64::from)),
        ("moko_script_last_signal", end.exit_code.map(|_| f64::from(end.signal))),
        ("moko_script_last_cpu_seconds", end.cpu),
        ("moko_script_last_max_memory_bytes", end.memory),
    ];
    for (name, value) in gauges {
        match value {
            Some(value) => state.set(name, &[], value)?,
            // What the run before had is not what this one had.
            None => state.clear(name),
        }
    }
    if let Some(next_due) = end.next_due {
        state.set("moko_job_next_due_timestamp_seconds", &[], next_due)?;
    }
    Ok(())
}

/// Tells how many runs go on, of a script that has or had any, and when the latest of them began; `active` has their starts.
pub(super) fn running(state: &mut State, active: &[f64]) -> error::Result<()> {
    if let Some(start) = active.iter().copied().reduce(f64::max) {
        zeros(state)?;
        state.set("moko_script_last_start_timestamp_seconds", &[], start)?;
    }
    if !active.is_empty() || state.families.contains_key("moko_script_executions_total") {
        #[expect(clippy::cast_precision_loss, reason = "a number of processes")]
        state.set("moko_script_running", &[], active.len() as f64)?;
    }
    Ok(())
}

/// Lets the totals of a script begin at 0, so that its first failure is seen to happen.
pub(super) fn zeros(state: &mut State) -> error::Result<()> {
    for status in ["success", "failure"] {
        state.inc("moko_script_executions_total", &[("status", status)], 0.0)?;
    }
    state.begin_histogram("moko_script_duration_seconds")
}
