//! A Prometheus of the bench's own, in the image and with the memory limit of the stack.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use moko_mon::component::Component;
use moko_mon::{assets, config, stack};

/// Gone when dropped.
pub(crate) struct Server {
    container: String,
    pub(crate) url: String,
    pub(crate) http: reqwest::Client,
    pub(crate) runtime: tokio::runtime::Runtime,
}

impl Server {
    pub(crate) fn start() -> Self {
        let environment: BTreeMap<String, String> =
            std::env::vars().filter(|(name, _)| name.starts_with("MOKO_MON_")).collect();
        let sources = config::Sources { environment, ..config::Sources::default() };
        let config = config::resolve(&sources).unwrap().config;
        let memory = config.prometheus.server.memory.to_string();
        let image = stack::images::reference(Component::Prometheus, &config);
        let container = docker(&[
            "create",
            "--publish",
            "127.0.0.1::9090",
            "--memory",
            &memory,
            "--memory-swap",
            &memory,
            &image,
            "--config.file=/prometheus.yml",
            "--storage.tsdb.path=/prometheus",
            "--web.enable-remote-write-receiver",
        ]);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let http = moko_mon::http::plain().no_proxy().timeout(Duration::from_secs(120)).build().unwrap();
        let mut server = Self { container, url: String::new(), http, runtime };
        server.put("prometheus.yml", "global: {scrape_interval: 15s}\n");
        docker(&["start", &server.container]);
        server.url = format!("http://{}", docker(&["port", &server.container, "9090/tcp"]));
        let ready = format!("{}/-/ready", server.url);
        let answers = || {
            let answer = server.runtime.block_on(async { server.http.get(&ready).send().await });
            answer.is_ok_and(|answer| answer.status().is_success())
        };
        while !answers() {
            std::thread::sleep(Duration::from_millis(100));
        }
        server
    }

    /// A file of everybody at the root of its file system.
    fn put(&self, name: &str, content: &str) {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        let mut builder = tar::Builder::new(Vec::new());
        builder.append_data(&mut header, name, content.as_bytes()).unwrap();
        let target = format!("{}:/", self.container);
        let mut client = Command::new("docker").args(["cp", "-", &target]).stdin(Stdio::piped()).spawn().unwrap();
        client.stdin.take().unwrap().write_all(&builder.into_inner().unwrap()).unwrap();
        assert!(client.wait().unwrap().success(), "docker cp - {target}");
    }

    /// Loads our rule files. All groups are evaluated every five seconds, so that there is less to wait for; what one
    /// evaluation costs is not changed by that.
    pub(crate) fn load_rules(&self) {
        self.put("alerts-config.yml", &assets::ALERTS_CONFIG.replace("interval: 1m\n", "interval: 5s\n"));
        self.put("stack-alerts.yml", assets::STACK_ALERTS);
        let config = "global: {scrape_interval: 15s, evaluation_interval: 5s}\n\
                      rule_files: [/alerts-config.yml, /stack-alerts.yml]\n";
        self.put("prometheus.yml", config);
        docker(&["kill", "--signal", "HUP", &self.container]);
        let started = Instant::now();
        while !self.get(&format!("{}/api/v1/rules", self.url)).contains("stack-alerts.yml") {
            assert!(started.elapsed() < Duration::from_secs(60), "the rules are not loaded");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits until the history is written to blocks and nothing is left to do.
    pub(crate) fn settle(&self) {
        let started = Instant::now();
        let mut quiet = 0;
        while quiet < 3 && started.elapsed() < Duration::from_secs(60) {
            let before = self.cpu();
            std::thread::sleep(Duration::from_secs(1));
            quiet = if self.cpu() - before < 0.1 { quiet + 1 } else { 0 };
        }
    }

    /// The body of a successful answer.
    pub(crate) fn get(&self, url: &str) -> String {
        self.runtime.block_on(async {
            let answer = self.http.get(url).send().await.unwrap();
            let (status, body) = (answer.status(), answer.text().await.unwrap());
            assert!(status.is_success(), "{url}: {status}: {body}");
            body
        })
    }

    /// One of its own metrics, without labels.
    pub(crate) fn value(&self, metric: &str) -> f64 {
        let text = self.get(&format!("{}/metrics", self.url));
        let line = text.lines().find_map(|line| line.strip_prefix(metric)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {metric}")).parse().unwrap()
    }

    /// The processor time that it has used, in seconds.
    pub(crate) fn cpu(&self) -> f64 {
        self.value("process_cpu_seconds_total")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rm", "--force", "--volumes", &self.container]).output();
    }
}

fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).stdin(Stdio::null()).stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "docker {arguments:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
