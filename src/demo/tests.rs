//! The model and what is made of it, without an engine.

use std::collections::{BTreeMap, BTreeSet};

use super::history::{History, Series, published};
use super::{WEEK, alerts, feed, jobs, team};
use crate::contract::REQUIRED;
use crate::{assets, demo};

/// Several ends: a Monday afternoon, a Sunday night, a new year, on and off the full hour.
const ENDS: [i64; 4] = [1_795_446_000, 1_795_305_599, 1_798_761_601, 1_790_000_000];

fn history(end: i64) -> History {
    History::new(WEEK, end, 15)
}

/// Shorter and coarser, where every sample is looked at.
fn short(end: i64) -> History {
    History::new(2 * team::DAY, end, 60)
}

/// All samples of a history by series, each as time and value.
fn samples(history: &History) -> BTreeMap<String, Vec<(i64, f64)>> {
    let mut found: BTreeMap<String, Vec<(i64, f64)>> = BTreeMap::new();
    for (from, to) in history.blocks() {
        let mut text = String::new();
        history.write(from, to, &mut text);
        assert!(text.ends_with("# EOF\n"));
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (series, rest) = line.rsplit_once("} ").unwrap();
            let (value, at) = rest.split_once(' ').unwrap();
            let at = at.parse().unwrap();
            assert!((from..to).contains(&at), "{line}");
            found.entry(format!("{series}}}")).or_default().push((at, value.parse().unwrap()));
        }
    }
    found
}

fn name(series: &str) -> &str {
    series.split('{').next().unwrap()
}

fn label<'a>(series: &'a str, name: &str) -> Option<&'a str> {
    let rest = series.split(&format!("{name}=\"")).nth(1)?;
    rest.split('"').next()
}

#[test]
fn the_whole_contract_and_all_that_panels_read_is_there_and_marked() {
    let found = samples(&short(ENDS[0]));
    let names: BTreeSet<&str> = found.keys().map(|series| name(series)).collect();
    for metric in REQUIRED {
        for series in metric.series() {
            assert!(names.contains(series.as_str()), "no demo series of {series}");
        }
    }
    let records = assets::ALERTS_CONFIG.lines().filter_map(|line| line.trim().strip_prefix("- record: "));
    let records: Vec<&str> = records.collect();
    assert_eq!(records.len(), 5, "{records:?}");
    // Only other rules read the rates of the buckets.
    for record in records.into_iter().filter(|record| !record.starts_with("script_name_le:")) {
        assert!(names.contains(record), "no demo series of {record}");
    }
    assert!(names.contains("ALERTS") && names.contains("ALERTS_FOR_STATE"));
    for series in found.keys() {
        assert_eq!(label(series, "demo"), Some("true"), "{series}");
        assert_eq!(label(series, "instance"), Some("demo-host-1"), "{series}");
        for subject in ["script_name", "api", "service", "finding_type"] {
            assert!(label(series, subject).is_none_or(|value| value.ends_with("-demo")), "{series}");
        }
    }
}

#[test]
fn labels_are_those_of_the_contract() {
    for (metric, series) in published() {
        assert!(!series.is_empty(), "{} has no series", metric.name);
        for (series, _) in series {
            for wanted in metric.labels {
                let value = label(&series, wanted.name).unwrap_or_else(|| panic!("{series} has no {}", wanted.name));
                assert!(wanted.values.is_empty() || wanted.values.contains(&value), "{series}");
            }
        }
    }
}

#[test]
fn counters_never_fall_and_samples_are_close_enough_for_a_query() {
    let end = ENDS[1];
    for (series, samples) in samples(&short(end)) {
        assert!(samples.windows(2).all(|pair| pair[0].0 < pair[1].0), "{series}: out of order");
        let counts = ["_total", "_bucket", "_sum", "_count"].iter().any(|suffix| name(&series).ends_with(suffix));
        if counts && name(&series) != "moko_api_rate_limit_total" {
            assert!(samples.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{series} falls");
            assert!(samples.windows(2).all(|pair| pair[1].0 - pair[0].0 <= 240), "{series} has a gap");
            let newest = samples.iter().filter(|(at, _)| *at > end - 3600);
            assert!(newest.count() >= 59, "{series}");
        }
    }
}

#[test]
fn histograms_agree_with_the_counters() {
    let history = history(ENDS[2]);
    let value = |of, at| history.value(of, at).unwrap_or_default();
    for at in (history.span().0..history.span().1).step_by(7919) {
        for script in 0..team::SCRIPTS.len() {
            let buckets: Vec<f64> = (0..14).map(|bucket| value(Series::Bucket { script, bucket }, at)).collect();
            assert!(buckets.windows(2).all(|pair| pair[0] <= pair[1]), "{buckets:?}");
            let runs = [true, false].map(|success| value(Series::Runs { script, success }, at));
            assert!((buckets[13] - runs[0] - runs[1]).abs() < 0.5);
            let seconds = value(Series::Seconds { script }, at);
            assert!(seconds <= buckets[13] * 600.0 && (seconds > 0.0) == (buckets[13] > 0.0));
        }
    }
}

#[test]
fn the_same_moment_makes_the_same_history_and_a_shorter_one_is_its_end() {
    let text = |length: i64| {
        let history = History::new(length, ENDS[0], 15);
        let (from, to) = history.blocks().last().unwrap();
        let mut text = String::new();
        history.write(from, to, &mut text);
        text
    };
    assert_eq!(text(WEEK), text(WEEK));
    assert_eq!(text(WEEK), text(2 * team::DAY));
    assert_eq!(History::new(2 * team::DAY, ENDS[0], 15).blocks().next().unwrap().0, ENDS[0] - 2 * team::DAY);
}

#[test]
fn every_alert_has_an_episode_whose_times_follow_its_rule() {
    for end in ENDS {
        let history = history(end);
        let episodes = history.alerts();
        let of = |name: &str| {
            let label = |episode: &&alerts::Episode| episode.labels[0] == ("alertname".to_owned(), name.to_owned());
            episodes.iter().filter(label).collect::<Vec<_>>()
        };
        let names = assets::ALERTS_CONFIG.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
        for name in names {
            assert!(of(name).iter().any(|episode| episode.fired.is_some()), "{name} never fires before {end}");
        }
        for episode in of("HighAPIRateLimitUsage").into_iter().filter(|episode| episode.fired.is_some()) {
            assert_eq!(episode.fired.unwrap() - episode.active, 120);
            let used = |at| 1.0 - team::quota(0, at, end).0 as f64 / 5000.0;
            assert!(used(episode.active) > 0.9 && used(episode.active - 60) <= 0.9 && used(episode.ended) <= 0.9);
        }
        let stuck = of("CircuitBreakerStuckOpen").into_iter().filter(|episode| episode.fired.is_some());
        let stuck: Vec<i64> = stuck.map(|episode| (episode.ended - episode.active) / 60).collect();
        assert_eq!(stuck, [40]);
        let (failed, all) = history.failures(of("CriticalScriptFailureRate")[0].fired.unwrap());
        assert!(failed * 5 > all, "{failed} of {all}");
    }
}

#[test]
fn after_the_end_nothing_fires_but_a_slow_script_and_mild_findings() {
    for end in ENDS {
        // The future as if it were history: the model from `end` on, seen a day later.
        let day = end..end + team::DAY;
        let runs: Vec<team::Run> =
            (0..team::SCRIPTS.len()).flat_map(|script| team::runs(script, end - 3600, day.end, end)).collect();
        for at in (end..day.end).step_by(60) {
            let window: Vec<_> = runs.iter().filter(|run| run.at > at - 3600 && run.at <= at).collect();
            let failed = window.iter().filter(|run| !run.success).count();
            assert!(window.len() >= 20 && failed * 25 <= window.len(), "{failed} of {} at {}", window.len(), at - end);
            for api in 0..team::APIS.len() {
                let left = team::quota(api, at, end).0 as f64 / team::APIS[api].limit as f64;
                assert!(left > 0.12, "{left} of {api}");
            }
            for service in 0..team::SERVICES.len() {
                assert_ne!(team::breaker(service, at, end), 1);
            }
        }
        for (finding, of) in team::FINDINGS.iter().enumerate() {
            let found = team::findings(finding, day.start, day.end, end).len();
            assert!(of.severity == "low" || found == 0, "{}", of.kind);
        }
        let slow: BTreeSet<usize> = (0..team::SCRIPTS.len())
            .filter(|script| team::runs(*script, day.start, day.end, end).iter().any(|run| run.hundredths > 30_000))
            .collect();
        assert_eq!(slow, BTreeSet::from([2]));
    }
}

#[test]
fn the_feed_fits_into_its_environment_and_begins_where_history_ends() {
    let history = short(ENDS[0]);
    let environment = feed::environment(&history, 15);
    // The kernel takes 128 KiB in one variable.
    assert!(environment[0].len() < 100 * 1024, "{}", environment[0].len());
    assert_eq!(
        environment[1],
        "GROUP=http://pushgateway:9091/metrics/job/moko-mon-demo/demo/true/instance/demo-host-1"
    );
    let base: BTreeMap<&str, &str> = environment[0]
        .lines()
        .filter_map(|line| line.trim_start_matches("FEED=").strip_prefix("= "))
        .map(|line| line.split_once(' ').unwrap().1.split_once(' ').unwrap())
        .map(|(value, series)| (series, value))
        .collect();
    let at_end = samples(&history);
    for (series, last) in at_end.iter().filter(|(series, _)| series.contains("job=\"moko-mon-demo\"")) {
        let (base, last) = (base[series.as_str()].parse::<f64>().unwrap(), last.last().unwrap().1);
        assert!((base - last).abs() < 0.001, "{series}: {base} {last}");
    }
}

/// No rule is made of the demo's jobs, so none may need one to be told apart from a job that is on time.
#[test]
fn jobs_are_due_when_they_run_and_stay_within_their_limits() {
    let history = history(ENDS[0]);
    let value = |job, fact, at| history.value(Series::Job { job, fact }, at).unwrap();
    for (index, job) in jobs::JOBS.iter().enumerate() {
        let runs = team::runs(job.script, ENDS[0] - 3600 * 6, ENDS[0] + team::DAY, ENDS[0]);
        for (run, gap) in runs.iter().zip(jobs::gaps(&runs)).take_while(|(run, _)| run.at < ENDS[0]) {
            assert!((value(index, jobs::Fact::Start, run.at) - run.start() as f64).abs() < 0.5);
            assert!(!run.success || (value(index, jobs::Fact::Due, run.at) - (run.at + gap) as f64).abs() < 0.5);
        }
        let limit = value(index, jobs::Fact::Limit, ENDS[0]);
        assert!(runs.iter().all(|run| (run.at - run.start()) as f64 <= limit), "{}", team::SCRIPTS[job.script].name);
        assert!(runs.iter().filter(|run| run.at > ENDS[0]).all(|run| run.success));
    }
}

#[test]
fn what_running_rules_make_of_demo_data_is_found_by_name() {
    let selectors = demo::selectors();
    assert_eq!(selectors[0], r#"{demo="true",instance="demo-host-1"}"#);
    assert_eq!(
        selectors[3],
        r#"{__name__=~"ALERTS|ALERTS_FOR_STATE",api=~"github-demo|github-search-demo|gitlab-demo"}"#
    );
    for script in team::SCRIPTS {
        assert!(selectors[1].contains(script.name) && selectors[2].contains(script.name));
    }
}
