//! Every query of the dashboard on a real Prometheus, with data made for the purpose, against numbers computed by hand.
//!
//! Each case is a day in the past, so nothing depends on the speed of this machine. Its metrics become blocks of
//! Prometheus' storage, the recorded series are computed by the real rule file, and each query is sent as Grafana
//! sends it at the end of a dashboard range of six hours.
//!
//! What a query has to answer is written like samples: `1A {labels} VALUE` for one point in time, and for a range the
//! values at every tenth minute (a recorded series lags by up to one), run by run: `0*12 2*6 _*19` is 12 points of 0,
//! 6 of 2 and 19 without a value. A query that a case does not name has to answer nothing.

mod data;
mod jobs;
mod quotas;
mod scripts;
mod team;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::dashboard::{self, Kind, Query, View};
use crate::support::docker::{Foreign, put_file};
use crate::support::stack::{free_port, image};
use crate::support::{docker, eventually, http};
use data::{Data, HOUR};

/// A team, and what the panels have to show of it.
struct Case {
    name: &'static str,
    /// The time in seconds since the epoch: 12:30 UTC on a day that no other data has.
    end: i64,
    /// The chosen scripts and APIs; empty for "All".
    scripts: &'static [&'static str],
    apis: &'static [&'static str],
    data: fn(&mut Data),
    expected: &'static str,
}

/// No data, or that of the case before it.
fn nothing(_: &mut Data) {}

fn cases() -> Vec<Case> {
    team::cases().into_iter().chain(scripts::cases()).chain(quotas::cases()).chain(jobs::cases()).collect()
}

/// A file of the working tree: read, not embedded, so that a change is seen without a build.
fn asset(name: &str) -> String {
    std::fs::read_to_string(format!("{}/assets/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The rules that record something from what scripts publish (pass 0) or from what was recorded (pass 1): promtool does
/// not let a rule see what the one before it recorded. Alerts are left out, on which it would spend most of its time.
fn recording_rules(pass: usize) -> String {
    let mut file: Value = moko_mon::yaml::from_str(&asset("alerts-config.yml")).unwrap();
    let groups = file["groups"].as_array_mut().unwrap();
    let reads_recorded = |rule: &Value| rule["expr"].as_str().unwrap().contains("script_name_le:");
    for group in groups.iter_mut() {
        let rules = group["rules"].as_array_mut().unwrap();
        rules.retain(|rule| rule["record"].is_string() && usize::from(reads_recorded(rule)) == pass);
    }
    groups.retain(|group| group["rules"] != serde_json::json!([]));
    file.to_string()
}

/// A Prometheus that scrapes nothing and evaluates nothing; gone when dropped.
struct Server {
    container: Foreign,
    url: String,
}

impl Server {
    fn start() -> Self {
        let port = free_port();
        let publish = format!("127.0.0.1:{port}:9090");
        let server = Self {
            container: Foreign::run(&[
                "--publish",
                &publish,
                &image("prometheus"),
                "--config.file=/dev/null",
                "--storage.tsdb.path=/prometheus",
                "--storage.tsdb.retention.time=100y",
                // Blocks stay as they are, so that the values of a label are those of the day.
                "--storage.tsdb.min-block-duration=2h",
                "--storage.tsdb.max-block-duration=2h",
            ]),
            url: format!("http://127.0.0.1:{port}"),
        };
        server.ready();
        server
    }

    fn ready(&self) {
        eventually("Prometheus is ready", || match http::get(&format!("{}/-/ready", self.url)) {
            (200, _) => Ok(()),
            other => Err(format!("{other:?}")),
        });
    }

    /// Blocks that were written beside the server are seen at a start.
    fn restart(&self) {
        docker(&["restart", "--time", "60", &self.container.id]);
        self.ready();
    }

    fn promtool(&self, arguments: &[&str]) {
        docker(&[&["exec", &self.container.id, "/bin/promtool", "tsdb", "create-blocks-from"], arguments].concat());
    }

    /// Stores the metrics of all cases, then what our recording rules make of them. Mostly the disk's work, so side by
    /// side.
    fn fill(&self, cases: &[Case]) {
        let mut days = BTreeMap::new();
        for case in cases {
            let mut data = Data::new(case.end);
            (case.data)(&mut data);
            if let Some(text) = data.text() {
                assert!(days.insert(case.end, text).is_none(), "{}: two cases with data on one day", case.name);
            }
        }
        std::thread::scope(|scope| {
            for (end, text) in &days {
                scope.spawn(move || {
                    let file = format!("{end}.om");
                    put_file(&self.container.id, "/", &file, text);
                    self.promtool(&["openmetrics", &format!("/{file}"), "/prometheus"]);
                });
            }
        });
        self.restart();
        for pass in 0..2 {
            put_file(&self.container.id, "/", "rules.yml", &recording_rules(pass));
            std::thread::scope(|scope| {
                for end in days.keys() {
                    scope.spawn(move || {
                        let (start, end) = (format!("--start={}", end - 7 * HOUR), format!("--end={end}"));
                        self.promtool(&["rules", &start, &end, "--output-dir=/prometheus", "/rules.yml"]);
                    });
                }
            });
            self.restart();
        }
    }

    /// The answer in the words of the cases, one line for each series.
    fn ask(&self, query: &Query) -> BTreeSet<String> {
        let answer = http::json(&query.url(&self.url)).unwrap_or_else(|error| panic!("{query:?}\n{error}"));
        assert_eq!((&answer["status"], &answer["warnings"]), (&"success".into(), &Value::Null), "{query:?}\n{answer}");
        let line = |series: &Value| match query.kind {
            Kind::LabelValues { .. } => format!("{} {series}", query.key),
            Kind::Instant { .. } => format!("{} {} {}", query.key, labels(series), number(&series["value"][1])),
            Kind::Range { start, end, step } => {
                format!("{} {} {}", query.key, labels(series), points(series, start, end, step))
            }
        };
        let data = &answer["data"];
        data["result"].as_array().or(data.as_array()).unwrap().iter().map(line).collect()
    }
}

fn labels(series: &Value) -> String {
    let labels = series["metric"].as_object().unwrap().iter().filter(|(name, _)| *name != "__name__");
    let labels: BTreeMap<_, _> = labels.collect();
    let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{{{}}}", labels.join(","))
}

/// A value with at most six decimals.
fn number(value: &Value) -> String {
    let value: f64 = value.as_str().unwrap().parse().unwrap();
    let text = format!("{value:.6}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// The values at every tenth minute, equal ones counted.
fn points(series: &Value, start: i64, end: i64, step: i64) -> String {
    let values = series["values"].as_array().unwrap();
    let values: BTreeMap<i64, String> =
        values.iter().map(|point| (point[0].as_i64().unwrap(), number(&point[1]))).collect();
    let mut runs: Vec<(&str, usize)> = Vec::new();
    for at in (start..=end).step_by(usize::try_from(step).unwrap()).filter(|at| at % 600 == 0) {
        let value = values.get(&at).map_or("_", String::as_str);
        match runs.last_mut() {
            Some((last, count)) if *last == value => *count += 1,
            _ => runs.push((value, 1)),
        }
    }
    runs.iter().map(|(value, count)| format!("{value}*{count}")).collect::<Vec<_>>().join(" ")
}

/// What a case expects, without its remarks.
fn expected(case: &Case) -> BTreeSet<String> {
    let lines = case.expected.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(str::to_owned).collect()
}

#[test]
fn every_query_of_the_dashboard_shows_what_was_computed_by_hand() {
    let dashboard: Value = serde_json::from_str(&asset("grafana-dashboard.json")).unwrap();
    let cases = cases();
    let server = Server::start();
    server.fill(&cases);
    let mut wrong = Vec::new();
    for case in &cases {
        let view = View { from: case.end - 6 * HOUR, to: case.end, scripts: case.scripts, apis: case.apis };
        let queries = dashboard::queries(&dashboard, &view);
        let shown: BTreeSet<String> = queries.iter().flat_map(|query| server.ask(query)).collect();
        let expected = expected(case);
        wrong.extend(expected.difference(&shown).map(|line| format!("{}: missing: {line}", case.name)));
        wrong.extend(shown.difference(&expected).map(|line| format!("{}: shown:   {line}", case.name)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A query that is new in the dashboard needs a case in which it shows something.
#[test]
fn every_query_of_the_dashboard_has_a_case() {
    let dashboard: Value = serde_json::from_str(&asset("grafana-dashboard.json")).unwrap();
    let lines: Vec<String> = cases().iter().flat_map(expected).collect();
    for query in dashboard::queries(&dashboard, &View { from: 0, to: 6 * HOUR, scripts: &[], apis: &[] }) {
        let start = format!("{} ", query.key);
        assert!(lines.iter().any(|line| line.starts_with(&start)), "no case has a number for `{}`", query.key);
    }
    for line in lines {
        assert!(!line.contains("NaN") && !line.contains("Inf"), "a panel never shows such a number: {line}");
    }
}

/// A panel without data says so in words.
#[test]
fn every_panel_has_a_text_for_no_data() {
    let dashboard: Value = serde_json::from_str(&asset("grafana-dashboard.json")).unwrap();
    for panel in dashboard::panels(&dashboard) {
        let text = panel["fieldConfig"]["defaults"]["noValue"].as_str().unwrap_or_default();
        assert!(!text.is_empty(), "panel `{}` has no text for no data", panel["title"]);
    }
}
