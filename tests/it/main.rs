//! The real binary in a hermetic environment, against a stateful fake engine: the rare paths.

#[cfg(test)]
mod alert;
#[cfg(test)]
mod change;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod down;
#[cfg(test)]
mod exclusion;
#[cfg(test)]
mod foreign;
#[cfg(test)]
mod grafana;
mod jobs;
#[cfg(test)]
mod no_engine;
#[cfg(test)]
mod pull;
mod push;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod signals;
mod simulate;
#[cfg(test)]
mod status;
#[cfg(test)]
mod support;
#[cfg(test)]
mod sweep;
#[cfg(test)]
mod trouble;
#[cfg(test)]
mod up;
#[cfg(test)]
mod verify;
#[cfg(test)]
mod why;
