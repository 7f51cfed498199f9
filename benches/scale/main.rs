//! `make bench`, second part: how rules and panels grow from 10 to 1,000 scripts on two hosts each.
//!
//! For each size a real Prometheus with the memory limit of the stack gets 26 hours of history that end now. Then every
//! query of the dashboard is sent as Grafana sends it for 24 hours in a window 1280 wide, and our two rule files are
//! evaluated by the server itself. `SCALE_SIZES` (`10 100 1000`) and `BENCH_ROUNDS` (5) change what is done. Targets
//! that are missed are named; the exit status says only whether the measurement was possible.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a measurement that cannot be taken just ends, and its result goes to stdout"
)]

#[path = "../../tests/support/dashboard.rs"]
mod dashboard;
mod feed;
mod series;
mod server;

use std::collections::BTreeMap;
use std::time::Instant;

use dashboard::View;
use moko_mon::assets;
use serde_json::Value;
use server::Server;

const DAY: i64 = 24 * 3600;
/// Seconds that all rules together, and each panel, may take.
const TARGET: f64 = 1.0;

/// Seconds.
#[derive(Clone, Copy)]
struct Figure {
    median: f64,
    worst: f64,
    /// Processor time of the server, per round.
    cpu: f64,
}

fn main() {
    let rounds = setting("BENCH_ROUNDS", "5").parse().unwrap();
    let sizes: Vec<usize> =
        setting("SCALE_SIZES", "10 100 1000").split_whitespace().map(|size| size.parse().unwrap()).collect();
    let cores = std::thread::available_parallelism().unwrap();
    println!("\nscale: {cores} cores, load {}, {rounds} rounds after one unmeasured", load());
    let mut rows: Vec<(String, Vec<Figure>)> = Vec::new();
    let mut notes = Vec::new();
    for size in &sizes {
        let started = Instant::now();
        let server = Server::start();
        let scripts = series::team(*size);
        let samples = feed::fill(&server, &scripts);
        server.settle();
        let filled = started.elapsed().as_secs_f64();
        let found = panels(&server, rounds).into_iter().chain(rules(&server, rounds));
        for (at, (name, figure)) in found.enumerate() {
            match rows.get_mut(at) {
                Some(row) => row.1.push(figure),
                None => rows.push((name, vec![figure])),
            }
        }
        notes.push(format!(
            "{size} x 2: {} series, {} of them recorded; {:.1} million samples in {filled:.0} s; memory {:.0} MB; load {}",
            server.value("prometheus_tsdb_head_series"),
            scripts.iter().filter(|series| series.is_recorded()).count(),
            samples as f64 / 1e6,
            server.value("process_resident_memory_bytes") / 1e6,
            load(),
        ));
    }
    print(&sizes, &rows);
    println!("\n{}", notes.join("\n"));
}

/// The time of each panel, as its client sees it: all queries of the panel, one after the other.
fn panels(server: &Server, rounds: usize) -> Vec<(String, Figure)> {
    let dashboard: Value = serde_json::from_str(assets::DASHBOARD).unwrap();
    let mut titles = BTreeMap::new();
    for panel in dashboard::panels(&dashboard) {
        titles.insert(panel["id"].to_string(), panel["title"].as_str().unwrap().to_owned());
    }
    let now = feed::now();
    let view = View { from: now - DAY, to: now, scripts: &[], apis: &[] };
    let mut asks: Vec<(String, Vec<String>)> = Vec::new();
    for query in dashboard::queries(&dashboard, &view) {
        let id = query.key.trim_end_matches(|c: char| c.is_ascii_uppercase());
        let name = titles.get(id).map_or_else(|| query.key.clone(), |title| format!("{id} {title}"));
        match asks.last_mut() {
            Some((last, urls)) if *last == name => urls.push(query.url(&server.url)),
            _ => asks.push((name, vec![query.url(&server.url)])),
        }
    }
    let measure = |urls: Vec<String>| {
        let ask = || urls.iter().for_each(|url| drop(server.get(url)));
        ask();
        let before = server.cpu();
        let times: Vec<f64> = (0..rounds)
            .map(|_| {
                let started = Instant::now();
                ask();
                started.elapsed().as_secs_f64()
            })
            .collect();
        figure(times, server.cpu() - before)
    };
    asks.into_iter().map(|(name, urls)| (name, measure(urls))).collect()
}

/// The time of one evaluation of each group of rules, as the server reports it, and of all of them.
fn rules(server: &Server, rounds: usize) -> Vec<(String, Figure)> {
    server.load_rules();
    // By group: when it was last evaluated, and how long each evaluation took.
    let mut groups: BTreeMap<String, (String, Vec<f64>)> = BTreeMap::new();
    let (mut cpu, mut measuring) = (0.0, false);
    loop {
        let answer: Value = serde_json::from_str(&server.get(&format!("{}/api/v1/rules", server.url))).unwrap();
        for group in answer["data"]["groups"].as_array().unwrap() {
            let known = groups.entry(group["name"].as_str().unwrap().to_owned()).or_default();
            let evaluated = group["lastEvaluation"].as_str().unwrap();
            if !evaluated.starts_with("0001-") && known.0 != evaluated {
                evaluated.clone_into(&mut known.0);
                known.1.push(group["evaluationTime"].as_f64().unwrap());
            }
            let failed: Vec<&Value> =
                group["rules"].as_array().unwrap().iter().filter(|rule| rule["health"] == "err").collect();
            assert!(failed.is_empty(), "{failed:?}");
        }
        let done = groups.values().map(|(_, times)| times.len()).min().unwrap_or_default();
        // The first evaluation is not counted.
        if done > 0 && !measuring {
            (cpu, measuring) = (server.cpu(), true);
            for (_, times) in groups.values_mut() {
                times.clear();
            }
        } else if measuring && done >= rounds {
            cpu = server.cpu() - cpu;
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    let groups: Vec<(String, Figure)> =
        groups.into_iter().map(|(name, (_, times))| (format!("rules {name}"), figure(times, f64::NAN))).collect();
    let sum = |pick: fn(&Figure) -> f64| groups.iter().map(|(_, figure)| pick(figure)).sum();
    let all =
        Figure { median: sum(|figure| figure.median), worst: sum(|figure| figure.worst), cpu: cpu / rounds as f64 };
    groups.into_iter().chain([("rules, all".to_owned(), all)]).collect()
}

fn figure(mut times: Vec<f64>, cpu: f64) -> Figure {
    times.sort_by(f64::total_cmp);
    Figure { median: times[times.len() / 2], worst: times[times.len() - 1], cpu: cpu / times.len() as f64 }
}

fn print(sizes: &[usize], rows: &[(String, Vec<Figure>)]) {
    print!("\n{:<34}", "median / worst / CPU, ms");
    for size in sizes {
        print!(" {:>22}", format!("{size} x 2"));
    }
    println!();
    for (name, figures) in rows {
        print!("{name:<34}");
        for Figure { median, worst, cpu } in figures {
            let cpu = if cpu.is_nan() { String::new() } else { format!("/ {:.0}", cpu * 1e3) };
            print!(" {:>22}", format!("{:.0} / {:.0} {cpu}", median * 1e3, worst * 1e3));
        }
        let missed = figures.last().is_some_and(|figure| figure.median > TARGET);
        println!("{}", if missed { "  MISSED" } else { "" });
    }
}

fn setting(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.to_owned())
}

fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or_default().to_owned()
}
