//! Whether containers run, and whether they stay up.

use std::time::Duration;

use jiff::Timestamp;

use super::{engine, life};
use crate::component::Component;
use crate::docker::Life;
use crate::error::Result;
use crate::observed::Container;
use crate::stack::ComponentSpec;
use crate::ui::human;
use crate::verify::checks::since;
use crate::verify::{Finding, World};

/// A container that has run this long has left its crash loop; the engine thinks so, too.
const STEADY: Duration = Duration::from_secs(10);
/// A restart this long ago is history.
const LONG_AGO: Duration = Duration::from_secs(24 * 3600);
/// Restarts within this time are trouble now.
const LATELY: Duration = Duration::from_secs(10 * 60);
/// As many restarts as may be an accident.
const FEW: i64 = 3;
/// Among how many last words of a dead container those are looked for that tell why.
const LAST_WORDS: usize = 20;

pub(super) async fn look(world: &World, component: Component) -> Result<Finding> {
    let (Some(spec), Some(engine)) = (world.spec(component), engine(world)) else {
        return Ok(Finding::skip(format!("no {} is part of the stack", component.title())));
    };
    let container = engine.container(component);
    let foreign = engine.foreign.contains(&spec.container.name);
    let life = life(world, component).await?;
    let mut finding = judge(spec, container, life, foreign, Timestamp::now());
    if let Some(container) = container
        && !finding.outcome.holds()
        && life.is_some_and(|life| life.status != "paused")
    {
        let said = engine.docker.last_lines(&container.id, LAST_WORDS).await;
        finding.evidence.extend(telling(&said).into_iter().map(|line| format!("it said: {line}")));
    }
    Ok(finding)
}

/// The last words that tell why, two at most: the last errors, and where there are none, the very last.
fn telling(said: &[String]) -> Vec<&String> {
    const SIGNS: [&str; 6] = ["level=error", "lvl=eror", "fatal", "panic", "error:", "err="];
    let is_error = |line: &&String| {
        let line = line.to_lowercase();
        SIGNS.iter().any(|sign| line.contains(sign))
    };
    let mut errors: Vec<&String> = said.iter().rev().filter(is_error).take(2).collect();
    errors.reverse();
    if errors.is_empty() { said.last().into_iter().collect() } else { errors }
}

fn judge(
    spec: &ComponentSpec,
    container: Option<&Container>,
    life: Option<&Life>,
    foreign: bool,
    now: Timestamp,
) -> Finding {
    let (name, component) = (&spec.container.name, spec.component);
    let again = "bring it back with `moko-mon up`";
    let logs = || format!("see why with `moko-mon logs {component}`");
    let (Some(container), Some(life)) = (container, life) else {
        return if foreign {
            Finding::fail(
                format!("container `{name}` is there and is not moko-mon's"),
                format!("see whose it is with `docker inspect {name}`; without it, `moko-mon up` makes ours"),
            )
        } else {
            Finding::fail(format!("there is no container `{name}`"), again)
        };
    };
    let ran = life.started.map(|started| since(started, now)).unwrap_or_default();
    match life.status.as_str() {
        "running" if life.restarts > 1 && ran < STEADY => Finding::fail(
            format!(
                "container `{name}` is in a crash loop: started again {}, last {} ago",
                times(life.restarts),
                human(ran)
            ),
            logs(),
        ),
        "running" if !container.attached => Finding::fail(
            format!("container `{name}` runs and is not attached to its network, so nobody reaches it"),
            again,
        ),
        "running" => Finding::pass(format!("container `{name}` has been running for {}", human(ran))),
        "paused" => Finding::fail(format!("container `{name}` is paused"), "let it go on with `moko-mon up`"),
        "created" => Finding::fail(format!("container `{name}` was never started"), again),
        "restarting" => {
            let mut finding = Finding::fail(
                format!("container `{name}` is in a crash loop: started again {}", times(life.restarts)),
                logs(),
            );
            finding.evidence.extend(end(spec, life, now));
            memory_hint(finding, spec, life)
        }
        _ => {
            let mut finding = Finding::fail(format!("container `{name}` is not running"), again);
            finding.evidence.extend(end(spec, life, now));
            memory_hint(finding, spec, life)
        }
    }
}

/// How a container ended.
fn end(spec: &ComponentSpec, life: &Life, now: Timestamp) -> Vec<String> {
    let ago = life.finished.map(|finished| format!(", {} ago", human(since(finished, now)))).unwrap_or_default();
    let mut facts = vec![if life.out_of_memory {
        format!("it was killed for using more than its {}{ago}", limit(spec))
    } else {
        format!("it exited with code {}{ago}", life.exit_code)
    }];
    if !life.error.is_empty() {
        facts.push(format!("the engine says: {}", life.error));
    }
    facts
}

fn memory_hint(finding: Finding, spec: &ComponentSpec, life: &Life) -> Finding {
    if life.out_of_memory {
        let hint = format!("raise `{}.memory` in moko-mon.yaml, then `moko-mon up`", spec.component);
        return Finding { hint: Some(hint), ..finding };
    }
    finding
}

/// `32 MiB of memory`.
pub(super) fn limit(spec: &ComponentSpec) -> String {
    format!("{} MiB of memory", spec.container.memory >> 20)
}

pub(super) async fn look_restarts(world: &World, component: Component) -> Result<Finding> {
    let life = life(world, component).await?.cloned().unwrap_or_default();
    Ok(judge_restarts(component, &life, Timestamp::now()))
}

fn judge_restarts(component: Component, life: &Life, now: Timestamp) -> Finding {
    let ran = life.started.map(|started| since(started, now)).unwrap_or_default();
    let times = times(life.restarts);
    let fact = format!("the engine had to start it again {times}, last {} ago", human(ran));
    let hint = format!("see what it said before with `moko-mon logs {component}`");
    match life.restarts {
        0 => Finding::pass("it never had to be started again"),
        _ if ran > LONG_AGO => Finding::pass(fact),
        count if count >= FEW && ran < LATELY => Finding::fail(fact, hint),
        _ => Finding::warn(fact, hint),
    }
}

fn times(count: i64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::config::defaults;
    use crate::observed::State;
    use crate::stack::Stack;
    use crate::verify::Outcome;

    fn now() -> Timestamp {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    fn container(attached: bool) -> Container {
        Container {
            id: "1".to_owned(),
            name: "moko-mon-pushgateway".to_owned(),
            component: Some(Component::Pushgateway),
            spec: None,
            image_id: String::new(),
            image: String::new(),
            network: String::new(),
            attached,
            state: State::Running,
            files: BTreeMap::new(),
            ready: false,
            ports: Vec::new(),
            demo: false,
        }
    }

    fn life(status: &str, restarts: i64) -> Life {
        let started = Some("2026-11-23T11:59:56Z".parse().unwrap());
        Life { status: status.to_owned(), restarts, started, finished: started, exit_code: 7, ..Life::default() }
    }

    fn judged(container: Option<&Container>, life: Option<&Life>, foreign: bool) -> (Outcome, String) {
        let stack = Stack::desired(&defaults().unwrap()).unwrap();
        let spec = stack.get(Component::Pushgateway).unwrap();
        let finding = judge(spec, container, life, foreign, now());
        let hint = finding.hint.map(|hint| format!("\n→ {hint}")).unwrap_or_default();
        (finding.outcome, format!("{}{hint}", finding.evidence.join("\n")))
    }

    fn fails(container: Option<&Container>, life: Option<&Life>) -> String {
        let (outcome, text) = judged(container, life, false);
        assert_eq!(outcome, Outcome::Fail, "{text}");
        text
    }

    #[test]
    fn every_way_not_to_run_is_told_with_what_to_do() {
        assert_eq!(
            fails(None, None),
            "there is no container `moko-mon-pushgateway`\n→ bring it back with `moko-mon up`"
        );
        assert_eq!(
            judged(None, None, true).1,
            "container `moko-mon-pushgateway` is there and is not moko-mon's\n→ see whose it is with \
             `docker inspect moko-mon-pushgateway`; without it, `moko-mon up` makes ours"
        );
        assert_eq!(
            fails(Some(&container(true)), Some(&life("paused", 0))),
            "container `moko-mon-pushgateway` is paused\n→ let it go on with `moko-mon up`"
        );
        assert_eq!(
            fails(Some(&container(false)), Some(&life("exited", 0))),
            "container `moko-mon-pushgateway` is not running\nit exited with code 7, 4.0 s ago\n→ bring it back with \
             `moko-mon up`"
        );
        assert_eq!(
            fails(Some(&container(false)), Some(&life("restarting", 4))),
            "container `moko-mon-pushgateway` is in a crash loop: started again 4 times\nit exited with code 7, 4.0 s \
             ago\n→ see why with `moko-mon logs pushgateway`"
        );
        assert_eq!(
            fails(Some(&container(true)), Some(&life("running", 4))),
            "container `moko-mon-pushgateway` is in a crash loop: started again 4 times, last 4.0 s ago\n→ see why \
             with `moko-mon logs pushgateway`"
        );
        let killed = Life { out_of_memory: true, ..life("restarting", 1) };
        assert_eq!(
            fails(Some(&container(false)), Some(&killed)),
            "container `moko-mon-pushgateway` is in a crash loop: started again once\nit was killed for using more \
             than its 128 MiB of memory, 4.0 s ago\n→ raise `pushgateway.memory` in moko-mon.yaml, then `moko-mon up`"
        );
        assert!(fails(Some(&container(false)), Some(&life("running", 0))).contains("not attached to its network"));
    }

    #[test]
    fn of_its_last_words_those_are_told_that_say_why() {
        let told = |said: &[&str]| {
            let said: Vec<String> = said.iter().map(|line| (*line).to_owned()).collect();
            telling(&said).into_iter().cloned().collect::<Vec<_>>()
        };
        let error = "level=ERROR msg=\"Error loading config\" err=\"no such file\"";
        assert_eq!(told(&["level=INFO msg=a", error, "level=INFO msg=b"]), [error]);
        assert_eq!(told(&["panic: 1", "err=2", "fatal: 3"]), ["err=2", "fatal: 3"]);
        assert_eq!(
            told(&["level=INFO msg=a", "level=INFO msg=\"See you next time!\""]),
            ["level=INFO msg=\"See you next time!\""]
        );
        assert_eq!(told(&[]), [""; 0]);
    }

    #[test]
    fn one_crash_is_no_loop() {
        let (outcome, text) = judged(Some(&container(true)), Some(&life("running", 1)), false);
        assert_eq!(
            (outcome, text.as_str()),
            (Outcome::Pass, "container `moko-mon-pushgateway` has been running for 4.0 s")
        );
    }

    #[test]
    fn restarts_count_while_they_are_fresh() {
        let of = |restarts, started: &str| {
            let life = Life { started: started.parse().ok(), ..life("running", restarts) };
            judge_restarts(Component::Grafana, &life, now()).outcome
        };
        assert_eq!(of(0, "2026-11-23T11:59:56Z"), Outcome::Pass);
        assert_eq!(of(1, "2026-11-23T11:59:00Z"), Outcome::Warn);
        assert_eq!(of(3, "2026-11-23T11:59:00Z"), Outcome::Fail);
        assert_eq!(of(3, "2026-11-23T11:40:00Z"), Outcome::Warn);
        assert_eq!(of(30, "2026-11-22T11:40:00Z"), Outcome::Pass);
    }
}
