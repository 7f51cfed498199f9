//! A stack with 1,000 targets, 2,000 rules and 20 dashboards of 20 panels, all of them healthy.

use std::path::Path;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const TARGETS: usize = 1_000;
const JOBS: usize = 10;
const GROUPS: usize = 20;
const RULES_OF_GROUP: usize = 100;
const DASHBOARDS: usize = 20;
const PANELS: usize = 20;

/// Tiny programs with metrics, each on a port of this host, until the bench ends.
pub(crate) struct Exporters {
    pub(crate) ports: Vec<u16>,
}

impl Exporters {
    pub(crate) fn start() -> Self {
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut serving = Vec::new();
                for _ in 0..TARGETS {
                    // All addresses: a container reaches the host through the bridge, not through loopback.
                    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
                    tell.send(listener.local_addr().unwrap().port()).unwrap();
                    serving.push(serve(listener));
                }
                drop(tell);
                futures_util::future::join_all(serving).await;
            });
        });
        Self { ports: told.iter().collect() }
    }
}

async fn serve(listener: TcpListener) {
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    }
}

/// Answers requests on one connection, as Prometheus keeps it open.
async fn answer(mut stream: TcpStream) -> Option<()> {
    let body = "# TYPE bench_work_total counter\nbench_work_total 42\n# TYPE bench_level gauge\nbench_level 0.5\n";
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4";
    let text = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let mut request = Vec::new();
    let mut chunk = [0; 2048];
    loop {
        let count = stream.read(&mut chunk).await.ok().filter(|count| *count > 0)?;
        request.extend_from_slice(&chunk[..count]);
        if request.ends_with(b"\r\n\r\n") {
            request.clear();
            stream.write_all(text.as_bytes()).await.ok()?;
        }
    }
}

/// Writes settings, rules and dashboards.
pub(crate) fn write(folder: &Path, ports: &[u16]) {
    let put = |path: String, text: String| {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let target =
        |(index, port): (usize, &u16)| format!("  - job: job-{}\n    address: localhost:{port}\n", index % JOBS);
    let targets = ports.iter().enumerate().map(target).collect::<Vec<_>>().concat();
    let settings = format!(
        "rules:\n  extra:\n    - rules/*.yml\ngrafana:\n  dashboards:\n    - dashboards/*.json\ntargets:\n{targets}"
    );
    put("moko-mon.yaml".to_owned(), settings);
    for group in 0..GROUPS {
        let rules = (0..RULES_OF_GROUP).map(|rule| self::rule(group, rule)).collect::<Vec<_>>().concat();
        put(format!("rules/group-{group}.yml"), format!("groups:\n  - name: group-{group}\n    rules:\n{rules}"));
    }
    for number in 0..DASHBOARDS {
        put(format!("dashboards/{number}.json"), dashboard(number).to_string());
    }
}

/// Half of them record, half of them alert; one of ten is written otherwise than Prometheus writes it.
fn rule(group: usize, rule: usize) -> String {
    let job = rule % JOBS;
    let expression = match rule {
        rule if rule.is_multiple_of(10) => format!("sum(rate(bench_work_total{{job='job-{job}'}}[5m])) by (job)"),
        _ => format!("sum by (job) (rate(bench_work_total{{job=\"job-{job}\"}}[5m]))"),
    };
    if rule.is_multiple_of(2) {
        return format!("      - record: job:bench_work:rate5m_{group}_{rule}\n        expr: {expression}\n");
    }
    format!("      - alert: Bench{group}x{rule}\n        expr: {expression} > {rule}\n        for: 5m\n")
}

/// Each shows one job, every target of it by itself.
fn dashboard(number: usize) -> Value {
    let source = json!({"type": "prometheus", "uid": "moko-mon-prometheus"});
    let panels = (0..PANELS).map(|panel| {
        json!({
            "id": panel + 1, "type": "timeseries", "title": format!("Panel {panel}"), "datasource": source,
            "gridPos": {"h": 8, "w": 12, "x": panel % 2 * 12, "y": panel / 2 * 8},
            "targets": [{
                "refId": "A", "datasource": source,
                "expr": format!("sum by (instance) (rate(bench_work_total{{job=~\"$job\"}}[5m])) + {panel}"),
            }],
        })
    });
    json!({
        "uid": format!("bench-{number}"), "title": format!("Bench {number}"), "schemaVersion": 36,
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [{
            "type": "query", "name": "job", "datasource": source, "current": {"value": format!("job-{}", number % JOBS)},
            "query": {"query": "label_values(bench_work_total, job)", "refId": "A"},
        }]},
        "panels": panels.collect::<Vec<_>>(),
    })
}
