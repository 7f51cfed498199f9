//! The real binary in a hermetic environment, against a stateful fake engine: the rare paths.

#[cfg(test)]
mod change;
#[cfg(test)]
mod foreign;
#[cfg(test)]
mod no_engine;
#[cfg(test)]
mod support;
#[cfg(test)]
mod up;
