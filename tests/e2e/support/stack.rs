//! One project of one test.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::Value;
use tempfile::TempDir;

use super::docker::{attempt, docker, inspect, lines};
use super::{ALL, Output, eventually, http, when};

/// A project with a name, ports and a working directory of its own.
pub(crate) struct Stack {
    pub(crate) name: String,
    pub(crate) directory: TempDir,
    environment: Vec<(String, String)>,
    ports: BTreeMap<&'static str, u16>,
    /// Everything that was run, for the case that the test fails.
    transcript: RefCell<Vec<Output>>,
}

/// A moko-mon at work.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) stderr: BufReader<std::process::ChildStderr>,
    /// The lines of stderr that were read.
    pub(crate) seen: Vec<String>,
}

impl Stack {
    /// A new project; `hint` tells people which test it belongs to. Nothing is started.
    pub(crate) fn new(hint: &str) -> Self {
        let directory = tempfile::Builder::new().prefix("moko-mon-e2e-").tempdir().unwrap();
        let name = format!("e2e-{hint}-{:06x}", random() & 0xff_ffff);
        let mut stack = Self {
            name,
            directory,
            environment: Vec::new(),
            ports: ALL.into_iter().map(|component| (component, free_port())).collect(),
            transcript: RefCell::default(),
        };
        stack.set("MOKO_MON_PROJECT", &stack.name.clone());
        for component in ALL {
            let upper = component.to_uppercase();
            stack.set(&format!("MOKO_MON_{upper}_PORT"), &stack.port(component).to_string());
            stack.set(&format!("MOKO_MON_{upper}_IMAGE"), &image(component));
        }
        // Metrics, rules and targets show up within a second or two.
        stack.set("MOKO_MON_PROMETHEUS_SCRAPE_INTERVAL", "1s");
        stack.set("MOKO_MON_PROMETHEUS_EVALUATION_INTERVAL", "1s");
        // No registry is asked: a missing image is a mistake of the set-up.
        stack.set("MOKO_MON_IMAGES_PULL", "never");
        stack
    }

    /// A project without Grafana, where Grafana does not matter.
    pub(crate) fn without_grafana(hint: &str) -> Self {
        let mut stack = Self::new(hint);
        stack.set("MOKO_MON_GRAFANA_ENABLED", "false");
        stack
    }

    /// Sets a variable for every command from now on.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.unset(name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Takes a variable away again.
    pub(crate) fn unset(&mut self, name: &str) {
        self.environment.retain(|(known, _)| known != name);
    }

    /// Writes a file into the working directory.
    pub(crate) fn write(&self, path: &str, content: &str) {
        let path = self.directory.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Writes `moko-mon.yaml`.
    pub(crate) fn config(&self, yaml: &str) {
        self.write("moko-mon.yaml", yaml);
    }

    pub(crate) fn port(&self, component: &str) -> u16 {
        self.ports[component]
    }

    pub(crate) fn url(&self, component: &str) -> String {
        format!("http://127.0.0.1:{}", self.port(component))
    }

    pub(crate) fn container(&self, component: &str) -> String {
        format!("{}-{component}", self.name)
    }

    /// The binary with these arguments, in a hermetic environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_moko-mon"));
        // Most tests are about one part, often with others missing on purpose; those about the checks at the end write a
        // flag before the `up`.
        let no_verify = (arguments.first() == Some(&"up")).then_some("--no-verify");
        command.args(arguments).args(no_verify).current_dir(self.directory.path()).stdin(Stdio::null()).env_clear();
        for name in ["PATH", "DOCKER_HOST"] {
            command.envs(std::env::var(name).map(|value| (name, value)));
        }
        // Locks are taken in TMPDIR; there is one for each project anyway.
        command.env("HOME", self.directory.path()).env("TMPDIR", self.directory.path());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output().unwrap();
        let output = Output::of(format!("moko-mon {}", arguments.join(" ")), &output);
        self.transcript.borrow_mut().push(output.clone());
        output
    }

    /// `up`, which has to succeed.
    #[track_caller]
    pub(crate) fn up(&self) -> Output {
        self.run(&["up"]).code(0)
    }

    /// Starts the binary and leaves it running.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        let mut command = self.command(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Running { child, stderr, seen: Vec::new() }
    }

    /// What `up` would do: lines of `component action subject`.
    #[track_caller]
    pub(crate) fn plan(&self) -> Vec<String> {
        let output = self.run(&["up", "--dry-run", "--output", "json"]).code(0);
        let text = |step: &Value, key: &str| step[key].as_str().unwrap_or("project").to_owned();
        let steps = output.json()["data"]["steps"].as_array().unwrap().clone();
        steps.iter().map(|step| ["component", "action", "subject"].map(|key| text(step, key)).join(" ")).collect()
    }

    /// Everything is as it should be: each container runs under its own name, none is there twice, and `up` would
    /// do nothing.
    #[track_caller]
    pub(crate) fn assert_converged(&self, components: &[&str]) {
        let mut expected: Vec<String> = components.iter().map(|component| self.container(component)).collect();
        expected.sort();
        assert_eq!(self.containers(), expected);
        assert_eq!(self.networks().len(), 1, "{:?}", self.networks());
        for component in components {
            let state = self.inspect(component)["State"].clone();
            assert_eq!(state["Status"], "running", "{component}: {state}");
            let path = if *component == "grafana" { "/api/health" } else { "/-/ready" };
            let answer = http::get(&format!("{}{path}", self.url(component)));
            assert_eq!(answer.0, 200, "{component}: {answer:?}");
        }
        assert_eq!(self.plan(), Vec::<String>::new());
    }

    /// Names of all containers of the project, sorted.
    pub(crate) fn containers(&self) -> Vec<String> {
        sorted(lines(&["ps", "--all", "--filter", &self.label(), "--format", "{{.Names}}"]))
    }

    /// Ids of all networks of the project.
    pub(crate) fn networks(&self) -> Vec<String> {
        lines(&["network", "ls", "--filter", &self.label(), "--format", "{{.ID}}"])
    }

    /// Names of all volumes of the project, sorted.
    pub(crate) fn volumes(&self) -> Vec<String> {
        sorted(lines(&["volume", "ls", "--filter", &self.label(), "--format", "{{.Name}}"]))
    }

    /// Nothing on the engine belongs to the project.
    #[track_caller]
    pub(crate) fn assert_nothing_there(&self) {
        assert_eq!((self.containers(), self.networks(), self.volumes()), Default::default());
    }

    fn label(&self) -> String {
        format!("label=moko-mon.project={}", self.name)
    }

    pub(crate) fn inspect(&self, component: &str) -> Value {
        inspect("container", &self.container(component))
    }

    /// What changes when a container is replaced or restarted: its id and start time, by component.
    pub(crate) fn lives(&self) -> BTreeMap<String, String> {
        let of = |name: &String| {
            let seen = inspect("container", name);
            (name.rsplit('-').next().unwrap().to_owned(), format!("{} {}", seen["Id"], seen["State"]["StartedAt"]))
        };
        self.containers().iter().map(of).collect()
    }

    /// The components whose container was replaced or restarted between two looks.
    pub(crate) fn touched(&self, before: &BTreeMap<String, String>) -> Vec<String> {
        let now = self.lives();
        let mut touched: Vec<String> =
            now.iter().filter(|(name, life)| before.get(*name) != Some(life)).map(|(name, _)| name.clone()).collect();
        touched.extend(before.keys().filter(|name| !now.contains_key(*name)).cloned());
        touched
    }

    /// The results of an instant query.
    pub(crate) fn query(&self, expression: &str) -> Vec<Value> {
        let mut url = reqwest::Url::parse(&format!("{}/api/v1/query", self.url("prometheus"))).unwrap();
        url.query_pairs_mut().append_pair("query", expression);
        let found =
            http::json(url.as_str()).ok().and_then(|answer| answer.pointer("/data/result")?.as_array().cloned());
        found.unwrap_or_default()
    }

    /// Waits until a query has a result, and returns the first.
    #[track_caller]
    pub(crate) fn sample(&self, expression: &str) -> Value {
        eventually(&format!("a result of `{expression}`"), || {
            self.query(expression).into_iter().next().ok_or_else(|| "no result".to_owned())
        })
    }

    /// Pushes one sample through the Pushgateway and waits until Prometheus has it.
    #[track_caller]
    pub(crate) fn push(&self, metric: &str, value: &str) {
        let url = format!("{}/metrics/job/e2e", self.url("pushgateway"));
        let answer = http::request("PUT", &url, None, Some(&format!("{metric} {value}\n")));
        assert_eq!(answer.0, 200, "{answer:?}");
        self.sample(metric);
    }

    /// Grafana's administrator password.
    #[track_caller]
    pub(crate) fn password(&self) -> String {
        let output = self.run(&["password", "show", "--output", "json"]).code(0);
        output.json()["data"]["password"].as_str().unwrap().to_owned()
    }

    /// A request to Grafana's API as administrator with the password in the volume.
    pub(crate) fn grafana(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        self.grafana_as(&self.password(), method, path, body)
    }

    /// A request to Grafana's API as administrator.
    pub(crate) fn grafana_as(&self, password: &str, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let url = format!("{}{path}", self.url("grafana"));
        let body = body.map(Value::to_string);
        let (status, text) = http::request(method, &url, Some(("admin", password)), body.as_deref());
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// Everything that the binary has said so far.
    pub(crate) fn said(&self) -> String {
        self.transcript.borrow().iter().map(Output::to_string).collect()
    }

    /// What helps to find out why a test failed.
    fn dump(&self) {
        for output in self.transcript.borrow().iter() {
            eprintln!("{output}\n");
        }
        eprintln!("{}", attempt(&["ps", "--all", "--no-trunc", "--filter", &self.label()]));
        for container in self.containers() {
            eprintln!("{}", attempt(&["logs", "--timestamps", "--tail", "40", &container]));
        }
    }

    /// Takes away by hand what `down` did not.
    fn sweep(&self) {
        for container in self.containers() {
            attempt(&["rm", "--force", "--volumes", &container]);
        }
        for network in self.networks() {
            attempt(&["network", "rm", &network]);
        }
        for volume in self.volumes() {
            attempt(&["volume", "rm", "--force", &volume]);
        }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let failing = std::thread::panicking();
        if failing {
            self.dump();
        }
        // The project is named, because a test may leave a broken configuration behind.
        let down = Command::new(env!("CARGO_BIN_EXE_moko-mon"))
            .args(["down", "--volumes", "--yes", "--project", &self.name])
            .current_dir(std::env::temp_dir())
            .env("TMPDIR", self.directory.path())
            .output();
        let down = Output::of("moko-mon down --volumes --yes".to_owned(), &down.unwrap());
        if failing {
            self.sweep();
            return;
        }
        let left = (self.containers(), self.networks(), self.volumes());
        self.sweep();
        assert_eq!(down.code, 0, "{down}");
        assert_eq!(left, Default::default(), "left behind by `down --volumes`\n{down}");
    }
}

impl Running {
    /// Reads stderr until a line has `part`.
    #[track_caller]
    pub(crate) fn until(&mut self, part: &str) {
        loop {
            let mut line = String::new();
            let count = self.stderr.read_line(&mut line).unwrap();
            assert!(count > 0, "it ended before `{part}` was said:\n{}", self.seen.concat());
            self.seen.push(line);
            if self.seen.last().unwrap().contains(part) {
                return;
            }
        }
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Waits for the end.
    pub(crate) fn end(self) -> Output {
        let Self { mut child, mut stderr, seen } = self;
        let mut rest = seen.concat();
        std::io::Read::read_to_string(&mut stderr, &mut rest).unwrap();
        let mut stdout = String::new();
        std::io::Read::read_to_string(&mut child.stdout.take().unwrap(), &mut stdout).unwrap();
        let code = child.wait().unwrap().code().unwrap_or(-1);
        Output { command: "moko-mon (in the background)".to_owned(), code, stdout, stderr: rest }
    }
}

/// The image of a component: the one chosen in the environment, else the local one.
#[track_caller]
pub(crate) fn image(component: &str) -> String {
    let chosen = std::env::var(format!("MOKO_MON_{}_IMAGE", component.to_uppercase()));
    let name = if component == "grafana" { "grafana-stand-in" } else { component };
    let image = chosen.unwrap_or_else(|_| format!("moko-mon-local/{name}:local"));
    let there = attempt(&["image", "inspect", "--format", "{{.Id}}", &image]);
    assert_eq!(
        there.code, 0,
        "the end-to-end tests need image `{image}`: run `make test`, or .ci/engine and compose/local-images/build\n{there}"
    );
    image
}

/// A port of the host that nobody uses: outside the range from which outgoing connections take theirs, and never the
/// same twice in this process.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 12_000;
    let start = std::process::id() % u32::from(COUNT) * 97 % u32::from(COUNT);
    let start = u16::try_from(start).unwrap();
    loop {
        let offset = NEXT.fetch_add(1, Ordering::Relaxed);
        assert!(offset < COUNT, "no free port on this host");
        let port = FIRST + (start + offset) % COUNT;
        if TcpListener::bind(("0.0.0.0", port)).is_ok() {
            return port;
        }
    }
}

/// Different in every process and at every call.
fn random() -> u64 {
    use std::hash::{BuildHasher as _, Hasher as _};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

/// Waits until a container of the project is in this state.
#[track_caller]
pub(crate) fn wait_for_state(stack: &Stack, component: &str, wanted: &str) {
    eventually(&format!("{component} is {wanted}"), || {
        let state = docker(&["inspect", "--format", "{{.State.Status}}", &stack.container(component)]);
        when(state == wanted, state)
    });
}
