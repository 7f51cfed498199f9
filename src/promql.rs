//! As much of `PromQL` as can be said without a server: names, limits and conditions in an expression. Whether it is right
//! is Prometheus' to judge.

mod comparison;
mod conditions;
mod limits;
mod names;
mod selectors;
mod token;

pub use comparison::Comparison;
pub use conditions::{Condition, conditions, inner_conditions};
pub use limits::thresholds;
pub use names::{metrics, missed};
pub use selectors::{Matcher, Selector, selectors};
pub use token::compact;
