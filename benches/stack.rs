//! `make bench`: moko-mon beside Docker Compose and beside the bare engine calls, in one run, on the same images.
//!
//! It takes the images from the environment, as `up` does. Every contestant gets a project and ports of its own; each
//! round starts from nothing (no containers, no volumes) and rounds take turns at going first. `BENCH_ROUNDS` sets their
//! number (5). Targets that are missed are named; the exit status says only whether the measurement was possible.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that cannot be taken just ends, and its result goes to stdout"
)]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bollard::query_parameters as query;
use futures_util::future::{join_all, try_join_all};
use moko_mon::config::{self, Config};
use moko_mon::docker::archive::{Entry, pack};
use moko_mon::docker::translate::create_body;
use moko_mon::secret::Secret;
use moko_mon::stack::{ComponentSpec, Stack, VolumeKind};
use support::{load, median, peak_memory, seconds};

/// First ports of the contestants' projects.
const PORTS: [(&str, u16); 3] = [("moko-mon", 23100), ("compose", 23200), ("floor", 23300)];

fn main() {
    let bench = Bench::prepare();
    let rounds: usize = std::env::var("BENCH_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(5);
    bench.describe(rounds);

    // Once unmeasured: images and binaries are in the page cache afterwards, for everybody.
    bench.moko();
    bench.compose();
    bench.floor();
    let (mut moko, mut compose, mut floor) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        for turn in 0..3 {
            match (round + turn) % 3 {
                0 => moko.push(bench.moko()),
                1 => compose.push(bench.compose()),
                _ => floor.push(bench.floor()),
            }
        }
        println!(
            "round {}: up {:.2} s, Compose {:.2} s, floor {:.2} s",
            round + 1,
            moko[round].up,
            compose[round].up,
            floor[round].up
        );
    }
    let of = |times: &[Times], pick: fn(&Times) -> f64| median(times.iter().map(pick).collect());
    let (up, compose_up, floor_up) =
        (of(&moko, |times| times.up), of(&compose, |times| times.up), of(&floor, |times| times.up));
    let (again, compose_again) = (of(&moko, |times| times.again), of(&compose, |times| times.again));
    let (down, compose_down, floor_down) =
        (of(&moko, |times| times.down), of(&compose, |times| times.down), of(&floor, |times| times.down));
    let (memory, compose_memory) = (bench.moko_memory(), bench.compose_memory());
    let start = bench.start_time();
    #[expect(clippy::cast_precision_loss, reason = "a file of megabytes")]
    let size = std::fs::metadata(&bench.binary).unwrap().len() as f64 / 1e6;

    println!("\n{:<44} {:>10} {:>10} {:>7} {:>7}", "median", "moko-mon", "other", "ratio", "target");
    ratio("up, ready and imported / Compose, ready", up, compose_up, 0.9);
    ratio("up, ready and imported / bare calls, ready", up, floor_up, 1.2);
    ratio("up again / Compose again", again, compose_again, 0.2);
    ratio("down / Compose", down, compose_down, 0.9);
    println!("{:<44} {:>8.3} s {:>8.3} s {:>7.2}", "down / bare calls", down, floor_down, down / floor_down);
    limit("peak memory of up, MB (other: Compose)", memory, Some(compose_memory), 30.0);
    limit("size of the binary, MB", size, None, 10.0);
    limit("--version, ms", start * 1000.0, None, 10.0);
}

fn ratio(what: &str, ours: f64, theirs: f64, target: f64) {
    let ratio = ours / theirs;
    let missed = if ratio > target { "MISSED" } else { "" };
    println!("{what:<44} {ours:>8.3} s {theirs:>8.3} s {ratio:>7.2} {target:>7.2} {missed}");
}

fn limit(what: &str, value: f64, other: Option<f64>, target: f64) {
    let missed = if value > target { "MISSED" } else { "" };
    let other = other.map(|other| format!("{other:.1}")).unwrap_or_default();
    println!("{what:<44} {value:>10.1} {other:>10} {:>7} {target:>7.0} {missed}", "");
}

/// Seconds.
struct Times {
    up: f64,
    again: f64,
    down: f64,
}

struct Bench {
    /// A copy of the release binary, so that a build beside us does not change what is measured.
    binary: PathBuf,
    compose: String,
    folder: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
    project: String,
}

impl Bench {
    fn prepare() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let binary = folder.path().join("moko-mon");
        std::fs::copy(env!("CARGO_BIN_EXE_moko-mon"), &binary).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/compose-plugin");
        let output = Command::new(script).stderr(Stdio::inherit()).output().unwrap();
        let compose = String::from_utf8(output.stdout).unwrap().trim().to_owned();
        let project = format!("moko-mon-bench-{}", std::process::id());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let bench = Self { binary, compose, folder, runtime, project };
        let mut render = bench.command("compose", &bench.binary);
        seconds(render.args(["render", "compose", "-o", "compose"]));
        // What `up` does by asking every 20 ms, Compose can only do by running a check every second.
        let services = ["prometheus", "alertmanager", "pushgateway", "grafana"];
        let check = |name: &str| format!("  {name}: {{healthcheck: {{interval: 1s}}}}\n");
        let faster = format!("services:\n{}", services.map(check).concat());
        std::fs::write(bench.folder.path().join("compose/faster.yml"), faster).unwrap();
        bench
    }

    fn describe(&self, rounds: usize) {
        let output = |program: &str, arguments: &[&str]| {
            let output = Command::new(program).args(arguments).output().unwrap();
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        };
        let cores = std::thread::available_parallelism().unwrap();
        println!(
            "Docker Engine {}, Docker Compose {}",
            output("docker", &["version", "--format", "{{.Server.Version}}"]),
            output(&self.compose, &["version", "--short"])
        );
        println!("{cores} cores, load {}", load());
        for spec in &self.stack("floor").1.components {
            println!("{:<13} {}", spec.component.title(), spec.container.image);
        }
        println!(
            "{rounds} rounds after one unmeasured; warm page cache; containers and volumes new in each; Compose checks \
             health every second; median; peak memory is VmHWM\n"
        );
    }

    /// A command with the settings of a contestant in its environment, under the names both know.
    fn command(&self, contestant: &str, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).env("MOKO_MON_PROJECT", self.project_of(contestant));
        command.envs(ports(contestant)).stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    fn project_of(&self, contestant: &str) -> String {
        format!("{}-{contestant}", self.project)
    }

    fn moko_command(&self, arguments: &[&str]) -> Command {
        let mut command = self.command("moko-mon", &self.binary);
        command.args(arguments);
        command
    }

    fn moko(&self) -> Times {
        let up = seconds(&mut self.moko_command(&["up", "--no-verify"]));
        let again = seconds(&mut self.moko_command(&["up", "--no-verify"]));
        let down = seconds(&mut self.moko_command(&["down"]));
        seconds(&mut self.moko_command(&["down", "--volumes", "--yes"]));
        Times { up, again, down }
    }

    fn compose_command(&self, arguments: &[&str]) -> Command {
        let mut command = self.command("compose", Path::new(&self.compose));
        command.args(["-p", &self.project_of("compose")]);
        command.args(["-f", "compose/docker-compose.yml", "-f", "compose/faster.yml"]).args(arguments);
        command
    }

    fn compose(&self) -> Times {
        let up = seconds(&mut self.compose_command(&["up", "--detach", "--wait"]));
        let again = seconds(&mut self.compose_command(&["up", "--detach", "--wait"]));
        let down = seconds(&mut self.compose_command(&["down"]));
        seconds(&mut self.compose_command(&["down", "--volumes"]));
        Times { up, again, down }
    }

    fn floor(&self) -> Times {
        let (config, stack) = self.stack("floor");
        self.runtime.block_on(async {
            let docker = bollard::Docker::connect_with_defaults().unwrap();
            let http = moko_mon::http::plain().no_proxy().build().unwrap();
            let started = Instant::now();
            let (network, containers) = bare_up(&docker, &http, &config, &stack).await;
            let up = started.elapsed().as_secs_f64();
            let started = Instant::now();
            bare_down(&docker, &network, &containers).await;
            let down = started.elapsed().as_secs_f64();
            let volumes = stack.components.iter().flat_map(|spec| &spec.container.volumes);
            let gone = volumes.map(|volume| docker.remove_volume(&volume.name, None::<query::RemoveVolumeOptions>));
            try_join_all(gone).await.unwrap();
            Times { up, again: 0.0, down }
        })
    }

    fn stack(&self, contestant: &str) -> (Config, Stack) {
        let mut environment: BTreeMap<String, String> =
            std::env::vars().filter(|(name, _)| name.starts_with("MOKO_MON_")).collect();
        environment.extend(ports(contestant));
        environment.insert("MOKO_MON_PROJECT".to_owned(), self.project_of(contestant));
        let sources =
            config::Sources { directory: self.folder.path().to_owned(), environment, ..config::Sources::default() };
        let config = config::resolve(&sources).unwrap().config;
        let stack = Stack::desired(&config).unwrap();
        (config, stack)
    }

    fn moko_memory(&self) -> f64 {
        let peak = peak_memory(&mut self.moko_command(&["up", "--no-verify"]));
        seconds(&mut self.moko_command(&["down", "--volumes", "--yes"]));
        peak
    }

    fn compose_memory(&self) -> f64 {
        let peak = peak_memory(&mut self.compose_command(&["up", "--detach", "--wait"]));
        seconds(&mut self.compose_command(&["down", "--volumes"]));
        peak
    }

    fn start_time(&self) -> f64 {
        median((0..50).map(|_| seconds(Command::new(&self.binary).arg("--version").stdout(Stdio::null()))).collect())
    }
}

impl Drop for Bench {
    /// Leaves nothing behind, also when a command failed in the middle.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let _ = self.moko_command(&["down", "--volumes", "--yes"]).stderr(Stdio::null()).status();
        let _ = self.compose_command(&["down", "--volumes"]).stderr(Stdio::null()).status();
        // The bare calls leave no labels that `down` would go by, but they use the same ones on containers.
        let floor = self.project_of("floor");
        let _ = self.moko_command(&["down", "--volumes", "--yes", "--project", &floor]).stderr(Stdio::null()).status();
        let _ = Command::new("docker").args(["network", "rm", &floor]).stderr(Stdio::null()).status();
    }
}

fn ports(contestant: &str) -> BTreeMap<String, String> {
    let first = PORTS.iter().find(|(name, _)| *name == contestant).unwrap().1;
    let names = ["PROMETHEUS", "ALERTMANAGER", "PUSHGATEWAY", "GRAFANA"];
    let numbered = (first..).zip(names).map(|(port, name)| (format!("MOKO_MON_{name}_PORT"), port.to_string()));
    numbered.collect()
}

/// The engine calls that cannot be left out, with nothing around them, until the four servers answer.
async fn bare_up(
    docker: &bollard::Docker,
    http: &reqwest::Client,
    config: &Config,
    stack: &Stack,
) -> (String, Vec<String>) {
    let request = bollard::models::NetworkCreateRequest {
        name: config.project.clone(),
        driver: Some("bridge".to_owned()),
        ..bollard::models::NetworkCreateRequest::default()
    };
    let network = docker.create_network(request).await.unwrap().id;
    let containers = stack.components.iter().map(|spec| async {
        let body = create_body(&config.project, spec.component, &spec.container, "", &network);
        let options = query::CreateContainerOptionsBuilder::default().name(&spec.container.name).build();
        let id = docker.create_container(Some(options), body).await.unwrap().id;
        for (folder, archive) in uploads(spec) {
            let options = query::UploadToContainerOptionsBuilder::default().path(&folder).build();
            let body = bollard::body_full(archive.into());
            docker.upload_to_container(&id, Some(options), body).await.unwrap();
        }
        docker.start_container(&id, None).await.unwrap();
        let url = format!("{}{}", spec.url(), spec.ready_path);
        while !http.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        id
    });
    let containers = join_all(containers).await;
    (network, containers)
}

/// One archive for each volume that has files.
fn uploads(spec: &ComponentSpec) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>, moko_mon::stack::Access)> =
        spec.files.iter().map(|file| (file.path.clone(), file.content.clone(), file.access)).collect();
    for secret in &spec.generated {
        files.push((secret.path.clone(), Secret::random().unwrap().expose().as_bytes().to_vec(), secret.access));
    }
    let volumes = spec.container.volumes.iter().filter(|volume| volume.kind != VolumeKind::Data);
    let archives = volumes.map(|volume| {
        let below = |path: &str| path.strip_prefix(&volume.path).map(|rest| rest.trim_start_matches('/').to_owned());
        let inside: Vec<_> =
            files.iter().filter_map(|(path, content, access)| Some((below(path)?, content, access))).collect();
        let entries = inside.iter().map(|(path, content, access)| Entry { path, content, access: **access });
        (volume.path.clone(), inside.is_empty(), pack(entries).unwrap())
    });
    archives.filter(|(_, empty, _)| !empty).map(|(folder, _, archive)| (folder, archive)).collect()
}

async fn bare_down(docker: &bollard::Docker, network: &str, containers: &[String]) {
    join_all(containers.iter().map(|id| async {
        docker.stop_container(id, None).await.unwrap();
        let options = query::RemoveContainerOptionsBuilder::default().v(true).build();
        docker.remove_container(id, Some(options)).await.unwrap();
    }))
    .await;
    docker.remove_network(network).await.unwrap();
}
