//! A hermetic environment for the real binary: its own home, temporary folder, working folder, ports and engine.

pub(crate) mod engine;
mod filters;
#[path = "../../support/grafana_stand_in/mod.rs"]
pub(crate) mod grafana_stand_in;
mod lab;
mod ports;
pub(crate) mod servers;

pub(crate) use engine::{Engine, Fault, Pull, Status};
pub(crate) use lab::{Lab, Output, Run};
