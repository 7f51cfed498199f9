//! `verify` at the end of `up`: a stack that has just started is given the time of its own intervals, and no more.

use std::time::{Duration, Instant};

use super::own;
use crate::commands::Context;
use crate::component::Component;
use crate::config::Config;
use crate::error::Result;
use crate::verify::report::Verdict;
use crate::verify::{self, Refused, Selection, World, catalog};

/// How long all checks may take, as `verify --timeout` has it by default.
const LIMIT: Duration = Duration::from_secs(10);
/// The time between two looks.
const POLL: Duration = Duration::from_millis(500);
/// What is granted beside the intervals: Prometheus takes over its targets five seconds after its start, and a machine that
/// has just started four servers is busy.
const GRACE: Duration = Duration::from_secs(10);

/// Verifies the stack of these settings: once if `round` is zero, and else until every target was scraped and nothing
/// fails, for `round` at most.
pub(in crate::commands) async fn settled(context: &Context<'_>, config: Config, round: Duration) -> Result<Verdict> {
    let begun = Instant::now();
    let limit = if round.is_zero() { Duration::ZERO } else { round + GRACE };
    let refused = Refused::default();
    loop {
        let look = Instant::now();
        let world = own(context, config.clone(), LIMIT, &refused).await?;
        let is_last = begun.elapsed() >= limit;
        if is_last || is_scraped(&world).await {
            let checked = verify::run(&catalog(&world), &world, &Selection::default()).await;
            let verdict = Verdict { checked, asked: Vec::new(), canary: None, took: look.elapsed() };
            if is_last || verdict.failure(false).is_none() {
                return Ok(verdict);
            }
        }
        tokio::select! {
            () = tokio::time::sleep(POLL) => {}
            () = context.stop.token.cancelled() => return Err(context.stop.error("`up`")),
        }
    }
}

/// Whether Prometheus has scraped each of its targets, with success or without.
async fn is_scraped(world: &World) -> bool {
    let Some(prometheus) = world.server(Component::Prometheus) else { return true };
    let Ok(answer) = prometheus.get("/api/v1/targets", &[("state", "active")]).await else { return false };
    let targets = answer.json::<serde_json::Value>().unwrap_or_default();
    let targets = targets["data"]["activeTargets"].as_array();
    // There are always its own; right after its start it knows of none.
    targets.is_some_and(|all| !all.is_empty() && all.iter().all(|target| target["health"] != "unknown"))
}
