//! Memory of the containers, volumes and the disk under them.

use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::Timestamp;

use super::running::limit;
use super::{engine, life};
use crate::component::Component;
use crate::docker::{Life, Mounted};
use crate::error::Result;
use crate::http::prometheus::Sample;
use crate::stack::{ComponentSpec, VolumeKind};
use crate::ui::human;
use crate::verify::checks::{check, since};
use crate::verify::{Check, Engine, Finding, World};

/// The share of the limit above which a server is close to being killed.
const NEARLY_FULL: u64 = 90;
/// A kill this long ago is history.
const LONG_AGO: Duration = Duration::from_secs(24 * 3600);
/// With less than this free, Prometheus soon cannot write: a segment of its log alone is 128 MiB.
const DISK_FULL: u64 = 256 << 20;
/// With less than this free, somebody should look.
const DISK_LOW: u64 = 1 << 30;

pub(super) async fn look_memory(world: &World, component: Component) -> Result<Finding> {
    let Some(spec) = world.spec(component) else {
        return Ok(Finding::skip(format!("no {} is part of the stack", component.title())));
    };
    // The engine would take a second to say it; Prometheus knows it from the server itself.
    let used = match world.prometheus() {
        Some(prometheus) => world.facts.prometheus.memory(&prometheus).await.ok().and_then(|all| used(component, all)),
        None => None,
    };
    let life = life(world, component).await?.cloned().unwrap_or_default();
    Ok(judge_memory(spec, used, &life, Timestamp::now()))
}

/// The bytes of one of our servers among those of everybody.
fn used(component: Component, all: &[Sample]) -> Option<u64> {
    let label = |sample: &Sample, name: &str| sample.labels.get(name).cloned().unwrap_or_default();
    let ours = |sample: &&Sample| {
        label(sample, "job") == component.name() && label(sample, "instance").starts_with(&format!("{component}:"))
    };
    let bytes = all.iter().find(ours)?.value;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "no process has 2^53 bytes")]
    (bytes >= 0.0).then_some(bytes as u64)
}

/// `used`: bytes, as far as Prometheus knows them.
fn judge_memory(spec: &ComponentSpec, used: Option<u64>, life: &Life, now: Timestamp) -> Finding {
    let hint = format!("raise `{}.memory` in moko-mon.yaml, then `moko-mon up`", spec.component);
    if life.out_of_memory {
        let ran = life.started.map(|started| since(started, now)).unwrap_or_default();
        let fact =
            format!("it was killed for using more than its {}, and started again {} ago", limit(spec), human(ran));
        return if ran > LONG_AGO { Finding::warn(fact, hint) } else { Finding::fail(fact, hint) };
    }
    let limit = spec.container.memory;
    let Some(used) = used else {
        return Finding::pass(format!(
            "it may use {} MiB and was never killed for more; how much it uses, Prometheus does not know yet",
            limit >> 20
        ));
    };
    let fact = format!("it uses {} of {} MiB", used >> 20, limit >> 20);
    if used > limit / 100 * NEARLY_FULL {
        return Finding::warn(fact, hint);
    }
    Finding::pass(fact)
}

pub(super) fn volumes() -> Check {
    let about = "Every volume is mounted where it belongs, and the disk below has room.";
    check("engine.volumes", "engine", about, &["engine.reachable"], |world| look_volumes(world).boxed())
}

async fn look_volumes(world: &World) -> Result<Finding> {
    let (Some(expected), Some(engine)) = (&world.expected, engine(world)) else {
        return Ok(Finding::skip("no stack of ours is looked at"));
    };
    let mut facts = Vec::new();
    for spec in &expected.stack.components {
        // One that is not there is told by the check that it runs.
        let Some(life) = life(world, spec.component).await? else { continue };
        facts.extend(misplaced(spec, &life.mounts));
    }
    let disk = disk(world, engine).await;
    Ok(judge_volumes(facts, disk))
}

/// The volumes of a component that are not where they belong.
fn misplaced(spec: &ComponentSpec, mounts: &[Mounted]) -> Vec<String> {
    let there = |volume: &str, path: &str| mounts.iter().any(|mount| mount.volume == volume && mount.path == path);
    let volumes = spec.container.volumes.iter().filter(|volume| !there(&volume.name, &volume.path));
    volumes
        .map(|volume| {
            format!("{}: volume `{}` is not mounted at `{}`", spec.component.title(), volume.name, volume.path)
        })
        .collect()
}

/// Bytes that are free where Prometheus writes, and the folder; `None` where that cannot be told, as in an image
/// without `df`.
async fn disk(world: &World, engine: &Engine) -> Option<(u64, String)> {
    if let Some(found) = host_disk(world, engine).await {
        return Some(found);
    }
    let component = Component::Prometheus;
    let container = engine.container(component)?;
    if life(world, component).await.ok()??.status != "running" {
        return None;
    }
    let folder = world.spec(component)?.volume(VolumeKind::Data)?.path.clone();
    let command = DF.iter().copied().chain([folder.as_str()]).map(str::to_owned).collect();
    let (code, output) = engine.docker.exec(&container.id, command, "").await.ok()?;
    (code == 0).then(|| free(&output).map(|bytes| (bytes, folder)))?
}

const DF: [&str; 3] = ["df", "-P", "-k"];

/// The same without a process in the container, which costs a tenth of a second, where the engine is on this machine.
async fn host_disk(world: &World, engine: &Engine) -> Option<(u64, String)> {
    let here = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().filter(|_| engine.docker.engine.local)?;
    let about = world.facts.engine.about(engine).await.ok()?;
    // An engine in a virtual machine has a name of its own, and its folder is not this machine's.
    if about.root.is_empty() || about.host != here.trim() {
        return None;
    }
    let [df, options @ ..] = DF;
    let output =
        tokio::process::Command::new(df).args(options).arg(&about.root).kill_on_drop(true).output().await.ok()?;
    let bytes = free(&String::from_utf8_lossy(&output.stdout)).filter(|_| output.status.success())?;
    Some((bytes, about.root.clone()))
}

/// The bytes available in what `df -P -k` prints.
fn free(output: &str) -> Option<u64> {
    let kilobytes: u64 = output.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()?;
    Some(kilobytes * 1024)
}

fn judge_volumes(mut facts: Vec<String>, disk: Option<(u64, String)>) -> Finding {
    let room = disk.as_ref().map(|(bytes, folder)| format!("{} MiB are free below `{folder}`", bytes >> 20));
    let bytes = disk.map_or(u64::MAX, |(bytes, _)| bytes);
    let hint =
        "make room on the engine's disk: `docker system df` shows what takes it; or lower `prometheus.retention.size`";
    if bytes < DISK_FULL {
        facts.extend(room);
        return Finding::fail_if_any(facts, hint, "");
    }
    if !facts.is_empty() {
        return Finding::fail_if_any(facts, "`moko-mon up` makes the container anew with its volumes", "");
    }
    match room {
        Some(room) if bytes < DISK_LOW => Finding::warn(room, hint),
        Some(room) => Finding::pass(format!("all are mounted; {room}")),
        None => Finding::pass("all are mounted; how much disk is free cannot be told from inside the container"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::defaults;
    use crate::stack::Stack;
    use crate::verify::Outcome;

    fn spec() -> ComponentSpec {
        Stack::desired(&defaults().unwrap()).unwrap().get(Component::Prometheus).unwrap().clone()
    }

    #[test]
    fn a_server_near_its_limit_or_killed_at_it_is_told() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let judged = |used: u64, life: &Life| {
            let finding = judge_memory(&spec(), Some(used << 20), life, now);
            (finding.outcome, finding.evidence.concat())
        };
        let life = Life::default();
        assert_eq!(judged(100, &life), (Outcome::Pass, "it uses 100 of 1024 MiB".to_owned()));
        assert_eq!(judged(1000, &life).0, Outcome::Warn);
        assert_eq!(judge_memory(&spec(), None, &life, now).outcome, Outcome::Pass);
        let sample = |job: &str, instance: &str, value: f64| Sample {
            labels: [("job", job), ("instance", instance)]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
            value,
        };
        let all = [sample("prometheus", "forged:1", 1.0), sample("prometheus", "prometheus:9090", 5e7)];
        assert_eq!(used(Component::Prometheus, &all), Some(50_000_000));
        assert_eq!(used(Component::Grafana, &all), None);
        let killed = |started: &str| Life { out_of_memory: true, started: started.parse().ok(), ..Life::default() };
        assert_eq!(
            judged(100, &killed("2026-11-23T11:59:00Z")),
            (
                Outcome::Fail,
                "it was killed for using more than its 1024 MiB of memory, and started again 60 s ago".to_owned()
            )
        );
        assert_eq!(judged(100, &killed("2026-11-20T11:59:00Z")).0, Outcome::Warn);
    }

    #[test]
    fn a_full_disk_and_a_volume_that_is_not_mounted_are_told() {
        let df = "Filesystem  1024-blocks  Used Available Capacity Mounted on\n/dev/vda 264212084 61089460 34411804  64% /prometheus\n";
        assert_eq!(free(df), Some(34_411_804 * 1024));
        assert_eq!(free("df: not found"), None);
        let at = |mib: u64| judge_volumes(Vec::new(), Some((mib << 20, "/prometheus".to_owned())));
        assert_eq!(at(34_000).outcome, Outcome::Pass);
        assert_eq!(at(600).outcome, Outcome::Warn);
        assert_eq!(
            (at(100).outcome, at(100).evidence),
            (Outcome::Fail, vec!["100 MiB are free below `/prometheus`".to_owned()])
        );
        assert_eq!(judge_volumes(Vec::new(), None).outcome, Outcome::Pass);
        let mut mounts: Vec<Mounted> = spec()
            .container
            .volumes
            .iter()
            .map(|volume| Mounted { volume: volume.name.clone(), path: volume.path.clone() })
            .collect();
        assert_eq!(misplaced(&spec(), &mounts), Vec::<String>::new());
        mounts.pop();
        assert_eq!(
            misplaced(&spec(), &mounts),
            ["Prometheus: volume `moko-mon-prometheus-data` is not mounted at `/prometheus`"]
        );
    }
}
