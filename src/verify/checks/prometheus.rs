//! Prometheus: its configuration, its targets, its storage.

mod expected;
mod samples;
mod targets;

use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::Timestamp;

use super::{check, moment, not_given, ready, since};
use crate::component::Component;
use crate::config::{Config, PromDuration};
use crate::error::Result;
use crate::http::prometheus::Runtime;
use crate::server;
use crate::ui::human;
use crate::verify::{Check, Finding, World};

const NAME: &str = "prometheus";
const READY: &[&str] = &["prometheus.ready"];
/// What runs can only be compared with what was delivered once the files are right and were read.
const READ: &[&str] = &["prometheus.ready", "engine.files.prometheus", "prometheus.reload"];

/// How late a scrape or an evaluation may be on a busy machine.
pub(super) const LATE: Duration = Duration::from_secs(5);

pub(in crate::verify) fn checks(_world: &World) -> Vec<Check> {
    vec![
        ready("prometheus.ready", Component::Prometheus),
        check(
            "prometheus.reload",
            NAME,
            "Prometheus has taken over its configuration the last time it read it.",
            &["prometheus.ready", "engine.files.prometheus"],
            |world| look_reload(world).boxed(),
        ),
        check(
            "prometheus.config",
            NAME,
            "The configuration that Prometheus runs is the one that the settings make.",
            READ,
            |world| look_config(world).boxed(),
        ),
        check(
            "prometheus.targets.present",
            NAME,
            "Everything that should be scraped is a target, each counted by itself.",
            &["prometheus.ready", "prometheus.config"],
            |world| targets::look_present(world).boxed(),
        ),
        check("prometheus.targets.dropped", NAME, "Relabelling drops no target of ours.", READY, |world| {
            targets::look_dropped(world).boxed()
        }),
        check("prometheus.targets.up", NAME, "Every target answers with metrics.", READY, |world| {
            targets::look_up(world).boxed()
        }),
        check(
            "prometheus.targets.fresh",
            NAME,
            "Every target was scraped within its interval, and what was scraped is recorded.",
            READY,
            |world| targets::look_fresh(world).boxed(),
        ),
        check("prometheus.retention", NAME, "Prometheus keeps as much as the settings say.", READY, |world| {
            look_retention(world).boxed()
        }),
        check(
            "prometheus.samples",
            NAME,
            "No sample was refused lately: out of order, twice at one time, too old or too many.",
            READY,
            |world| samples::look(world).boxed(),
        ),
    ]
}

/// When the server started or last read its configuration, by its own clock; with the clock.
pub(super) fn begun(runtime: &Runtime) -> (Option<Timestamp>, Timestamp) {
    let now = moment(&runtime.server_time).unwrap_or_else(Timestamp::now);
    (moment(&runtime.start_time).max(moment(&runtime.last_config_time)), now)
}

pub(super) async fn look_reload(world: &World) -> Result<Finding> {
    let Some(prometheus) = world.prometheus() else { return Ok(not_given(Component::Prometheus)) };
    let runtime = world.facts.prometheus.runtime(&prometheus).await?;
    Ok(judge_reload(runtime))
}

fn judge_reload(runtime: &Runtime) -> Finding {
    let (_, now) = begun(runtime);
    let last =
        moment(&runtime.last_config_time).map_or("never".to_owned(), |at| format!("{} ago", human(since(at, now))));
    if runtime.reload_config_success {
        return Finding::pass(format!("it last read its configuration {last}, with success"));
    }
    Finding::fail(
        format!("it refused its configuration when it last read it; it runs the one that it took over {last}"),
        "see why with `moko-mon logs prometheus`; `moko-mon up` delivers ours again",
    )
}

pub(super) async fn look_config(world: &World) -> Result<Finding> {
    let Some(server) = world.server(Component::Prometheus) else { return Ok(not_given(Component::Prometheus)) };
    let spec = world.spec(Component::Prometheus);
    let Some((spec, reload)) = spec.and_then(|spec| Some((spec, spec.reload?))) else {
        return Ok(Finding::skip("not a stack of ours, so what it should run is not known"));
    };
    let told = server.text(reload.running_path).await?;
    Ok(match server::difference_told(spec, reload, &told)? {
        None => Finding::pass(format!("`{}` contains all of `{}`", reload.running_path, reload.main_file)),
        Some(difference) => Finding::fail(
            format!("it runs another configuration: {difference}"),
            "it has not read its file since that was written; `moko-mon up` makes it read",
        ),
    })
}

async fn look_retention(world: &World) -> Result<Finding> {
    let Some(prometheus) = world.prometheus() else { return Ok(not_given(Component::Prometheus)) };
    let runtime = world.facts.prometheus.runtime(&prometheus).await?;
    Ok(judge_retention(&runtime.storage_retention, world.expected.as_ref().map(|expected| &expected.config)))
}

/// `in_force` is the server's own text: `15d`, `10GiB` or `15d or 10GiB`.
fn judge_retention(in_force: &str, config: Option<&Config>) -> Finding {
    let Some(settings) = config.map(|config| &config.prometheus) else {
        return Finding::pass(format!("it keeps {in_force}"));
    };
    let (time, size) = (&settings.retention_time, &settings.retention_size);
    let limits: Vec<&str> = in_force.split(" or ").collect();
    let same_time =
        |text: &str| text.parse::<PromDuration>().is_ok_and(|limit| limit.as_duration() == time.as_duration());
    let same_size = |text: &str| bytes(text).is_some_and(|limit| Some(limit) == bytes(size));
    if limits.iter().any(|limit| same_time(limit)) && limits.iter().any(|limit| same_size(limit)) {
        return Finding::pass(format!("it keeps {in_force}"));
    }
    Finding::fail(
        format!("it keeps {in_force}, and the settings ask for {time} or {size}"),
        "apply the settings with `moko-mon up`",
    )
}

/// A size as people and Prometheus write it, in powers of 1024: `10GB`, `10GiB`, `1GiB512MiB`.
fn bytes(text: &str) -> Option<u64> {
    const UNITS: [&str; 7] = ["B", "KB", "MB", "GB", "TB", "PB", "EB"];
    let (mut rest, mut sum) = (text, 0_u64);
    while !rest.is_empty() {
        let (number, behind) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let (unit, behind) = behind.split_at(behind.find(|c: char| c.is_ascii_digit()).unwrap_or(behind.len()));
        let power = UNITS.iter().position(|known| *known == unit.replace('i', ""))?;
        let number: u64 = number.parse().ok()?;
        sum = sum.checked_add(number.checked_mul(1 << (10 * power))?)?;
        rest = behind;
    }
    (!text.is_empty()).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::defaults;
    use crate::verify::Outcome;

    #[test]
    fn a_refused_configuration_is_told_with_the_age_of_the_one_that_runs() {
        let mut runtime = Runtime {
            reload_config_success: false,
            last_config_time: "2026-11-23T11:55:00Z".to_owned(),
            server_time: "2026-11-23T12:00:00Z".to_owned(),
            ..Runtime::default()
        };
        let finding = judge_reload(&runtime);
        assert_eq!(finding.outcome, Outcome::Fail);
        assert_eq!(
            finding.evidence,
            ["it refused its configuration when it last read it; it runs the one that it took over 5 min 0 s ago"]
        );
        assert_eq!(finding.hint.unwrap(), "see why with `moko-mon logs prometheus`; `moko-mon up` delivers ours again");
        runtime.reload_config_success = true;
        assert_eq!(judge_reload(&runtime).outcome, Outcome::Pass);
    }

    #[test]
    fn retention_is_compared_by_what_it_means() {
        let config = defaults().unwrap();
        let judged = |in_force: &str| judge_retention(in_force, Some(&config));
        assert_eq!(judged("15d or 10GiB").outcome, Outcome::Pass);
        assert_eq!(judged("360h or 10GB").outcome, Outcome::Pass);
        let finding = judged("15d");
        assert_eq!(finding.outcome, Outcome::Fail);
        assert_eq!(finding.evidence, ["it keeps 15d, and the settings ask for 15d or 10GB"]);
        assert_eq!(finding.hint.unwrap(), "apply the settings with `moko-mon up`");
        assert_eq!(judged("2w1d or 5GiB").outcome, Outcome::Fail);
        let mut config = config.clone();
        config.prometheus.retention_size = "1536MB".to_owned();
        assert_eq!(judge_retention("15d or 1GiB512MiB", Some(&config)).outcome, Outcome::Pass);
        assert_eq!(judge_retention("15d", None).evidence, ["it keeps 15d"]);
    }
}
