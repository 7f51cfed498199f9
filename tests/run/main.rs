//! `run` beside the plain command: what one does, the other does.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "in a test, to fail is to panic")]

mod lab;
mod plain;
mod signals;
mod terminal;
mod trouble;
