//! All checks, in the order in which people read them: what carries the others first.

use super::checks::{
    alerting, clock, contract, custom, engine, exposure, grafana, jobs, prometheus, pushgateway, rules,
};
use super::{Check, World};

/// Every check that can be made of `world`; the user's own come last.
#[must_use]
pub fn catalog(world: &World) -> Vec<Check> {
    let mut all = engine::checks(world);
    all.extend(prometheus::checks(world));
    all.extend(rules::checks(world));
    all.extend(alerting::checks(world));
    all.extend(pushgateway::checks(world));
    all.extend(grafana::checks(world));
    all.extend(contract::checks(world));
    all.extend(clock::checks(world));
    all.extend(exposure::checks(world));
    all.extend(jobs::checks(world));
    all.extend(custom::checks(world));
    all
}
