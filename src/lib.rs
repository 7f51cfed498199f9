//! `moko-mon`: monitoring for a team's scripts.
//!
//! ```text
//! argv + environment + file ─► config::resolve ─► Config
//!                                                   │ pure
//!                                stack::Stack::desired ─► Stack
//! docker::observe ─► Observed ─► plan::reconcile ─► Plan          pure; `up --dry-run` prints it
//!                                                   │
//!                                       apply::Apply::run          no decisions
//! ```
//!
//! The engine holds the state: labels say what is ours and what it was made from, volumes hold the files. Decisions
//! are pure values, so they are tested as text; only [`docker`], [`http`] and [`apply`] touch the world.

pub mod alert;
pub mod alerting;
pub mod apply;
pub mod assets;
pub mod cli;
pub mod commands;
pub mod component;
pub mod config;
pub mod contract;
pub mod demo;
pub mod docker;
pub mod environment;
pub mod error;
pub mod exposition;
pub mod http;
pub mod jobs;
pub mod ledger;
pub mod lock;
pub mod observed;
pub mod plan;
pub mod platform;
pub mod promql;
pub mod publish;
pub mod push;
pub mod render;
pub mod rules;
pub mod run;
pub mod secret;
pub mod server;
pub mod simulate;
pub mod stack;
pub mod ui;
pub mod verify;
pub mod why;
pub mod yaml;
