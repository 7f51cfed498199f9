//! Totals, runs that died, damage, full disks.

use super::*;
use crate::contract::MetricType;

const RUNS: &str = "moko_script_executions_total";

fn ledger() -> (tempfile::TempDir, Ledger) {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::at(folder.path().join("state"));
    (folder, ledger)
}

fn end(success: bool, at: f64) -> End {
    End { success, end: at, duration: Some(2.0), exit_code: Some(i32::from(!success)), ..End::default() }
}

fn runs(state: &State) -> (Option<f64>, Option<f64>) {
    (state.get(RUNS, &[("status", "success")]), state.get(RUNS, &[("status", "failure")]))
}

#[test]
fn totals_survive_and_both_results_begin_at_0() {
    let (_folder, ledger) = ledger();
    let script = ledger.script("backup");
    assert_eq!(script.read().unwrap().families.len(), 0);
    assert_eq!(runs(&script.declare().unwrap()), (Some(0.0), Some(0.0)));
    for number in 1..=3 {
        let run = script.begin().unwrap();
        assert_eq!(script.active().unwrap(), std::slice::from_ref(&run.started));
        let state = script.finish(&run, &end(true, f64::from(number))).unwrap();
        assert_eq!(runs(&state), (Some(f64::from(number)), Some(0.0)));
        assert_eq!(state.families["moko_script_last_run_info"].series[0].labels["run_id"], run.started.id);
    }
    assert_eq!(script.active().unwrap(), []);
    let state = ledger.script("backup").read().unwrap();
    assert_eq!(state.get("moko_script_last_exit_code", &[]), Some(0.0));
    let series = &state.families["moko_script_duration_seconds"].series;
    let Value::Histogram { counts, sum } = &series[0].value else { panic!("a histogram") };
    assert_eq!((counts.iter().sum::<u64>(), counts[3], *sum), (3, 3, 6.0));
}

#[test]
fn a_run_that_died_with_its_wrapper_is_a_failure_when_the_next_one_looks() {
    let (_folder, ledger) = ledger();
    let script = ledger.script("backup");
    let (died, lives) = (script.begin().unwrap(), script.begin().unwrap());
    drop(died);
    assert_eq!(runs(&script.settle().unwrap()), (Some(0.0), Some(1.0)));
    // Only once, and not the one that goes on.
    assert_eq!(runs(&script.settle().unwrap()), (Some(0.0), Some(1.0)));
    assert_eq!(runs(&script.finish(&lives, &end(true, now())).unwrap()), (Some(1.0), Some(1.0)));
}

#[test]
fn a_result_that_was_written_before_the_wrapper_died_is_what_counts() {
    let (_folder, ledger) = ledger();
    let script = ledger.script("backup");
    let run = script.begin().unwrap();
    run.end(&end(true, now())).unwrap();
    drop(run);
    assert_eq!(runs(&script.settle().unwrap()), (Some(1.0), Some(0.0)));
}

#[test]
fn who_updates_first_counts_all_that_have_ended_and_none_counts_twice() {
    let (_folder, ledger) = ledger();
    let script = ledger.script("backup");
    let (one, other) = (script.begin().unwrap(), script.begin().unwrap());
    other.end(&end(true, now())).unwrap();
    assert_eq!(runs(&script.finish(&one, &end(true, now())).unwrap()), (Some(2.0), Some(0.0)));
    assert_eq!(runs(&script.finish(&other, &end(true, now())).unwrap()), (Some(2.0), Some(0.0)));
}

#[test]
fn a_record_that_outlived_its_count_is_not_counted_again() {
    let (_folder, ledger) = ledger();
    let script = ledger.script("backup");
    let run = script.begin().unwrap();
    let record = script.folder().join("runs").join(&run.started.id);
    run.end(&end(true, now())).unwrap();
    let kept = std::fs::read(&record).unwrap();
    script.finish(&run, &end(true, now())).unwrap();
    // As if the process had been killed between the totals and the removal of the record.
    std::fs::write(&record, kept).unwrap();
    assert_eq!(runs(&script.settle().unwrap()), (Some(1.0), Some(0.0)));
    assert!(!record.exists());
}

#[test]
fn a_damaged_file_is_set_aside_and_the_totals_start_anew() {
    let (_folder, ledger) = ledger();
    let script = ledger.script("backup");
    let finish = |script: &Script| script.finish(&script.begin().unwrap(), &end(true, now())).unwrap();
    let before = finish(&script);
    finish(&script);
    let file = script.folder().join("state");
    let text = std::fs::read_to_string(&file).unwrap();
    for damage in [String::new(), "{}".to_owned(), text.replace("2.0", "7.0"), text[..text.len() - 9].to_owned()] {
        std::fs::write(&file, damage).unwrap();
        let error = script.read().unwrap_err();
        assert_eq!(error.message, "the ledger of `backup` is damaged");
        assert_eq!(error.hint.unwrap(), "the next run or push sets the file aside and starts the totals anew");
        let state = finish(&script);
        assert_eq!(runs(&state), (Some(1.0), Some(0.0)));
        assert!(state.revision > before.revision, "newer than what was published before");
        let aside = state.set_aside.unwrap();
        assert!(aside.exists() && aside.to_string_lossy().contains("state.damaged-"), "{}", aside.display());
    }
    assert_eq!(finish(&script).set_aside, None);
}

#[test]
fn nothing_is_stored_where_a_change_is_refused() {
    let (_folder, ledger) = ledger();
    let script = ledger.script("backup");
    let refused = script.update(|state| {
        state.inc(RUNS, &[("status", "success")], 1.0)?;
        state.set(RUNS, &[], 3.0)
    });
    assert_eq!(
        refused.unwrap_err().to_string(),
        "error: `moko_script_executions_total` is a counter, not a gauge\n\
         hint: a metric has one type for good: `push inc` is for counters, `push set` for gauges, `push observe` for \
         histograms"
    );
    assert_eq!(script.read().unwrap().families.len(), 0);
}

type Change = fn(&mut State) -> Result<()>;

#[test]
fn what_no_metric_can_be_is_refused_with_what_was_expected() {
    let mut state = State::new("x");
    let mut refused = |change: Change| change(&mut state).unwrap_err().message;
    let cases: [(Change, &str); 7] = [
        (|state| state.inc(RUNS, &[], f64::NAN), "`moko_script_executions_total` cannot take NaN"),
        (|state| state.inc(RUNS, &[], f64::INFINITY), "`moko_script_executions_total` cannot take inf"),
        (|state| state.inc(RUNS, &[], -1.0), "`moko_script_executions_total` is a counter and cannot go down by 1"),
        (|state| state.inc("app_things", &[], 1.0), "the metric `app_things` is not known"),
        (|state| state.inc(RUNS, &[("job", "x")], 1.0), "`job` is not a label that a script can give"),
        (|state| state.declare("1x", MetricType::Gauge, "", &[]), "`1x` is not the name of a metric"),
        (
            |state| state.declare("x", MetricType::Histogram, "", &[2.0, 1.0]),
            "the boundaries of `x` are not numbers that ascend",
        ),
    ];
    for (change, message) in cases {
        assert_eq!(refused(change), message);
    }
}

#[test]
fn a_folder_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let error = Ledger::at(folder.path().join("file")).script("x").begin().unwrap_err();
    assert_eq!(error.message, "could not use the ledger of `x`");
    assert!(error.causes[0].ends_with("Not a directory (os error 20)"), "{error}");
}

#[test]
fn all_scripts_are_listed_also_one_whose_first_run_goes_on() {
    let (_folder, ledger) = ledger();
    assert_eq!(ledger.scripts().unwrap().0.len(), 0);
    ledger.script("b/ü\n").declare().unwrap();
    let _run = ledger.script("a").begin().unwrap();
    ledger.script("c").declare().unwrap();
    std::fs::write(ledger.script("c").folder().join("state"), "x").unwrap();
    let (scripts, errors) = ledger.scripts().unwrap();
    assert_eq!(scripts.iter().map(Script::name).collect::<Vec<_>>(), ["a", "b/ü\n"]);
    assert_eq!(errors.iter().map(|error| error.message.as_str()).collect::<Vec<_>>(), ["a script's ledger is damaged"]);
    ledger.script("a").remove().unwrap();
    assert_eq!(ledger.scripts().unwrap().0.len(), 1);
}

#[test]
fn threads_lose_nothing() {
    let (_folder, ledger) = ledger();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let script = ledger.script("backup");
                for round in 0..5 {
                    script.finish(&script.begin().unwrap(), &end(round % 2 == 0, now())).unwrap();
                    script
                        .update(|state| state.inc("moko_security_findings_total", &[("severity", "low")], 1.0))
                        .unwrap();
                }
            });
        }
    });
    let state = ledger.script("backup").read().unwrap();
    assert_eq!(runs(&state), (Some(24.0), Some(16.0)));
    assert_eq!(state.get("moko_security_findings_total", &[("severity", "low")]), Some(40.0));
}

#[test]
fn what_is_brought_up_to_date_and_has_not_changed_stays_as_it_was_published() {
    let (_folder, ledger) = ledger();
    let script = ledger.script("backup");
    let first = script.refresh().unwrap();
    assert!(first.revision > 0, "the first zeros are stored");
    assert_eq!(script.refresh().unwrap().revision, first.revision);
}

#[test]
fn what_was_written_to_a_file_waits_for_no_gateway() {
    let (_folder, ledger) = ledger();
    let script = ledger.script("backup");
    let state = script.refresh().unwrap();
    let gateway = "http://127.0.0.1:9091/metrics/job/x";
    assert!(script.is_pending(&state, gateway) && !script.is_filed());
    script.turn().unwrap().unwrap().remember("/textfiles/backup.prom", state.revision);
    assert!(!script.is_pending(&state, gateway) && script.is_filed());
    let newer =
        script.update(|state| state.inc("moko_script_executions_total", &[("status", "success")], 1.0)).unwrap().0;
    assert!(script.is_pending(&newer, gateway), "what came later was published nowhere");
}
