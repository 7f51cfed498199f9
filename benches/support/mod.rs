//! What the benchmarks measure with.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a command takes; one that fails ends the bench with its words.
pub(crate) fn seconds(command: &mut Command) -> f64 {
    let started = Instant::now();
    let output = command.stderr(Stdio::piped()).output().unwrap();
    let took = started.elapsed().as_secs_f64();
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
    took
}

/// The most memory that a command ever had in use, in MB: asked of the kernel until the command ends.
pub(crate) fn peak_memory(command: &mut Command) -> f64 {
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    let mut peak: f64 = 0.0;
    while child.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
        peak = peak.max(kibibytes.unwrap_or_default() * 1024.0 / 1e6);
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(child.wait().unwrap().success(), "{command:?}");
    peak
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) { f64::midpoint(values[middle - 1], values[middle]) } else { values[middle] }
}

/// The averages over 1, 5 and 15 minutes.
pub(crate) fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').take(3).collect::<Vec<_>>().join(" ")
}
