//! `--capture`: output is passed on as it comes, and its end kept.

use std::collections::VecDeque;
use std::io::{ErrorKind, PipeReader, Read as _, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// As much of a line as is kept.
const LINE: usize = 4096;
/// How long the end of the output may take to come once the command has ended.
const PATIENCE: Duration = Duration::from_millis(200);

/// The output of a command, on its way.
#[derive(Debug)]
pub(super) struct Output {
    tail: Arc<Mutex<Tail>>,
    copies: Vec<JoinHandle<()>>,
}

/// The last lines, of both streams as they came.
#[derive(Debug)]
struct Tail {
    lines: VecDeque<Vec<u8>>,
    most: usize,
}

impl Output {
    /// Passes both streams on, each at once, until nobody holds its other end any more.
    pub(super) fn copy(output: PipeReader, errors: PipeReader, lines: usize) -> Self {
        let tail = Arc::new(Mutex::new(Tail { lines: VecDeque::new(), most: lines }));
        let copies = [spawn(output, std::io::stdout, &tail), spawn(errors, std::io::stderr, &tail)];
        Self { copies: copies.into_iter().flatten().collect(), tail }
    }

    /// The last lines so far.
    pub(super) fn tail(&self) -> String {
        let start = Instant::now();
        while self.copies.iter().any(|copy| !copy.is_finished()) && start.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(1));
        }
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        tail.lines.iter().map(|line| String::from_utf8_lossy(line)).collect()
    }

    /// Waits for what processes in the background still write, as `tee` in a pipe does.
    pub(super) fn drain(self) {
        for copy in self.copies {
            let _ = copy.join();
        }
    }
}

fn spawn<W: Write>(
    mut from: PipeReader,
    to: impl FnOnce() -> W + Send + 'static,
    tail: &Arc<Mutex<Tail>>,
) -> Option<JoinHandle<()>> {
    let tail = Arc::clone(tail);
    let copy = move || {
        let mut to = to();
        let mut bytes = vec![0; 65536];
        loop {
            let some = match from.read(&mut bytes) {
                Ok(0) => break,
                Ok(length) => bytes.get(..length).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => break,
            };
            tail.lock().unwrap_or_else(PoisonError::into_inner).add(some);
            // Where nobody reads any more, the command is to notice by its next write.
            if to.write_all(some).and_then(|()| to.flush()).is_err() {
                break;
            }
        }
    };
    std::thread::Builder::new().spawn(copy).ok()
}

impl Tail {
    fn add(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            match self.lines.back_mut() {
                Some(line) if !line.ends_with(b"\n") => line.extend_from_slice(part),
                Some(_) | None => self.lines.push_back(part.to_vec()),
            }
            if let Some(line) = self.lines.back_mut()
                && line.len() > LINE
            {
                // The end of a line without end says more than its beginning.
                let ended = line.ends_with(b"\n");
                let from = line.len() - LINE;
                line.drain(..from);
                debug_assert_eq!(line.ends_with(b"\n"), ended);
            }
            if self.lines.len() > self.most {
                self.lines.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_however_they_come() {
        let mut tail = Tail { lines: VecDeque::new(), most: 2 };
        for part in ["a\nb", "c\nd", "\ne\nf"] {
            tail.add(part.as_bytes());
        }
        assert_eq!(tail.lines, [b"e\n".to_vec(), b"f".to_vec()]);
        tail.add(&vec![b'x'; 100_000]);
        assert_eq!(tail.lines[1].len(), LINE);
    }
}
