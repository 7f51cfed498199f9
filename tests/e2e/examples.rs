//! The examples are run as their first lines say, against a real stack: what they publish is what Prometheus has.

mod daemons;
mod workflow;

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::exporter::Exporter;
use crate::support::stack::free_port;
use crate::support::{Output, Stack};

/// Where the examples are.
const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");

/// A stack, and a machine on which the examples are installed: a folder of programs, and a home.
struct Site {
    stack: Stack,
    bin: PathBuf,
}

impl Site {
    fn new(config: &str) -> Self {
        let stack = Stack::without_grafana("examples");
        stack.config(config);
        stack.up();
        let bin = stack.directory.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        symlink(env!("CARGO_BIN_EXE_moko-mon"), bin.join("moko-mon")).unwrap();
        let site = Self { stack, bin };
        for example in ["bash/backup.sh", "node/import-orders.mjs", "php/clean_up.php"] {
            let name = Path::new(example).file_name().unwrap();
            symlink(Path::new(EXAMPLES).join(example), site.bin.join(name)).unwrap();
        }
        site
    }

    fn path(&self, below: &str) -> String {
        self.stack.directory.path().join(below).to_str().unwrap().to_owned()
    }

    /// A program with the environment that a user of the examples has.
    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.stack.directory.path()).stdin(Stdio::null()).env_clear();
        command.env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", self.bin.display())).env("HOME", self.path(""));
        command.env("MOKO_MON_PUSH_URL", self.stack.url("pushgateway"));
        command.env("MOKO_MON_PUSH_STATE_DIR", self.path("state"));
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let output = self.command(program, arguments).output().unwrap();
        Output::of(format!("{program} {}", arguments.join(" ")), &output)
    }

    /// The value of the one series that a query finds, as soon as it has that value.
    #[track_caller]
    fn holds(&self, query: &str) {
        self.stack.sample(query);
    }
}

#[test]
fn a_bash_script_that_is_run_is_counted_and_adds_what_only_it_knows() {
    let site = Site::new("# nothing\n");
    site.stack.write("data/one", "1");
    let (from, to) = (site.path("data"), site.path("backups"));
    let done = site.run("moko-mon", &["run", "--", "backup.sh", &from, &to]).code(0);
    assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("", ""));
    site.holds(r#"moko_script_executions_total{script_name="backup.sh",status="success"} == 1"#);
    site.holds(r#"moko_script_executions_total{script_name="backup.sh",status="failure"} == 0"#);
    site.holds(r#"moko_script_duration_seconds_count{script_name="backup.sh"} == 1"#);
    site.holds(r#"backup_size_bytes{script_name="backup.sh"} > 0"#);
    let failed = site.run("moko-mon", &["run", "--", "backup.sh", "/no/such/folder", &to]);
    assert_eq!(failed.code, 2, "tar's own status\n{failed}");
    site.holds(r#"moko_script_executions_total{script_name="backup.sh",status="failure"} == 1"#);

    // Node: a service that answers, and one that is down.
    let orders = Exporter::saying(r#"[{"id": 1}, {"id": 2}, {"id": 3}]"#);
    let url = format!("http://127.0.0.1:{}/", orders.port);
    site.run("moko-mon", &["run", "--name", "import", "--", "import-orders.mjs", &url]).code(0);
    site.holds(r#"moko_circuit_breaker_state{service="orders"} == 0"#);
    site.holds(r#"orders_imported_total{script_name="import"} == 3"#);
    let nobody = format!("http://127.0.0.1:{}/", free_port());
    site.run("moko-mon", &["run", "--name", "import", "--", "import-orders.mjs", &nobody]).code(1);
    site.holds(r#"moko_circuit_breaker_state{service="orders"} == 1"#);
    site.holds(r#"moko_script_executions_total{script_name="import",status="failure"} == 1"#);

    // PHP: two metrics of one push; a folder with an odd name.
    site.stack.write("old \"logs\"/one", "1");
    let folder = site.path("old \"logs\"");
    site.run("moko-mon", &["run", "--name", "clean-up", "--", "clean_up.php", "-1", &folder]).code(0);
    site.holds(r#"files_deleted{script_name="clean-up",folder=~".*old \"logs\""} == 1"#);
}

#[test]
fn a_python_worker_with_a_port_of_its_own_has_all_eight_metrics() {
    let port = free_port();
    let site = Site::new(&format!("targets:\n  - job: sync-repositories\n    address: localhost:{port}\n"));
    let worker = format!("{EXAMPLES}/python/sync_repositories.py");
    let mut worker = site.command(&worker, &["--port", &port.to_string(), "--every", "1"]).spawn().unwrap();
    site.holds(r#"moko_script_executions_total{script_name="sync-repositories",status="success"} > 1"#);
    site.holds(r#"rate(moko_script_executions_total{script_name="sync-repositories",status="success"}[10s]) > 0"#);
    site.holds(r#"moko_script_duration_seconds_bucket{script_name="sync-repositories",le=~"300(.0)?"} > 1"#);
    let verified = site.stack.run(&["verify", "--only", "contract", "--strict", "--output", "json"]);
    worker.kill().unwrap();
    worker.wait().unwrap();
    let verified = verified.code(0);
    let checks = verified.json()["data"]["checks"].clone();
    let metrics = checks.as_array().unwrap().iter().find(|check| check["id"] == "contract.metrics").unwrap();
    assert!(metrics["evidence"].to_string().contains("8 of 8 metrics"), "{metrics}");
}
