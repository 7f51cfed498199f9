//! End-to-end tests: the real binary, a real Docker engine, the real servers.
//!
//! Each test has its own project, host ports and working directory, so they run side by side and beside other stacks
//! on the same engine. State on the engine and answers of the servers are checked first, output second. A stack is
//! taken down with `down --volumes --yes` when its test ends in any way, and what is left after that fails the test.
//!
//! The images are those of `compose/local-images/build` unless `MOKO_MON_<COMPONENT>_IMAGE` names others.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "in a test, to fail is to panic, and what helps to find out why goes to stderr"
)]

mod alert;
mod any_stack;
mod canary;
mod change;
mod commands;
mod containers;
#[path = "../support/dashboard.rs"]
mod dashboard;
mod deliver;
mod demo;
mod down;
mod examples;
mod fresh;
mod grafana;
mod heal;
mod interrupt;
mod jobs;
mod kill;
mod messages;
mod panels;
mod projects;
mod push;
mod receivers;
mod refuse;
mod rules;
mod run;
mod simulate;
mod simulate_plans;
#[path = "../support/sinks/mod.rs"]
mod sinks;
mod support;
mod targets;
mod tools;
mod verify;
mod why;
