use super::*;

const NOW: f64 = 1_767_355_200.0;

fn found(is_there: bool, first: f64, last: f64) -> Series {
    Series {
        is_there,
        count: 3,
        metrics: ["a_total".to_owned(), "b".to_owned()].into(),
        sources: vec![Source { job: "cron".to_owned(), instance: "h1".to_owned() }],
        first: Some(NOW - first),
        last: Some(NOW - last),
    }
}

fn run(status: &str, ago: f64) -> Run {
    Run { status: status.to_owned(), at: NOW - ago }
}

fn group(pushed: f64, failed: f64) -> Group {
    Group {
        source: Source { job: "cron".to_owned(), instance: String::new() },
        pushed: NOW - pushed,
        failed: NOW - failed,
    }
}

fn concern(alert: &str, relation: Relation, state: &str) -> Concern {
    Concern { alert: alert.to_owned(), relation, state: state.to_owned() }
}

#[test]
fn series_tell_since_when_and_where_from() {
    let link = series(&found(true, 7300.0, 0.0), NOW);
    assert_eq!(link.evidence, ["3 series of 2 metrics, since 2 h", "`a_total`, `b`", "from job `cron`, instance `h1`"]);
    assert_eq!(series(&found(true, 86_300.0, 0.0), NOW).evidence[0], "3 series of 2 metrics, since more than a day");
    let gone = series(&found(false, 86_300.0, 7200.0), NOW);
    assert_eq!(gone.state, State::Quiet);
    assert_eq!(
        gone.evidence,
        ["it has no series now; the last were seen 2 h ago", "they came from job `cron`, instance `h1`"]
    );
}

#[test]
fn runs_tell_how_they_ended_and_when() {
    let link = ran(&[run("failure", 7200.0), run("success", 240.0)], NOW);
    assert_eq!(
        (link.state, link.evidence),
        (State::Ok, vec!["success 4 min ago".to_owned(), "failure 2 h ago".to_owned()])
    );
    assert_eq!(ran(&[], NOW).state, State::Unknown);
    let future = ran(&[run("success", -86_400.0)], NOW);
    assert_eq!(
        (future.state, future.because.as_str()),
        (State::Broken, "its last run lies 24 h in the future: is its time in seconds?")
    );
}

#[test]
fn a_push_that_was_refused_breaks_the_chain() {
    assert_eq!(pushed(&[group(240.0, NOW)], true, NOW).evidence, ["group job=`cron` was pushed 4 min ago"]);
    let refused = pushed(&[group(240.0, 60.0)], true, NOW);
    assert_eq!(
        (refused.state, refused.because.as_str()),
        (State::Broken, "the last push of group job=`cron` was refused, 60 s ago")
    );
    assert_eq!(
        pushed(&[], true, NOW).evidence,
        ["no group of the Pushgateway has its labels: it is scraped elsewhere"]
    );
    assert_eq!(pushed(&[], false, NOW).because, "the Pushgateway holds no group of it");
}

#[test]
fn a_counter_that_does_not_count_breaks_the_chain() {
    let script = |counted: f64, ran: f64| Script { counted, ran: Some(ran), value: 1.0, ..Script::default() };
    let constant = counted(&[script(2.0, 3.0), script(0.0, 3.0)]);
    let fact = "it ended at least 3 times within 1d, but its counter `moko_script_executions_total` stays at 1";
    assert_eq!((constant.state, constant.because.as_str()), (State::Broken, fact));
    assert!(constant.hint.unwrap().starts_with("push a total that is kept between runs"));
    assert_eq!(counted(&[script(1.0, 1.0)]).evidence, ["its counter has changed 1 time within a day"]);
    assert_eq!(
        counted(&[script(0.0, 1.0)]).evidence,
        ["its counter has not changed within a day, and no run is known that it has missed"]
    );
    assert_eq!(counted(&[]).state, State::Unknown);
}

#[test]
fn the_sentence_names_the_last_run_and_the_alerts() {
    let all = [
        concern("Slow", Relation::Active, "firing"),
        concern("Rate", Relation::Fed, "inactive"),
        concern("Other", Relation::Others, "firing"),
    ];
    let link = concerns(&all);
    assert_eq!(
        link.evidence,
        ["`Slow` fires for it", "`Rate` reads its series: inactive", "`Other` is firing, for others"]
    );
    let runs = [run("success", 240.0)];
    assert_eq!(
        verdict("a.sh", &[link], &runs, &all, NOW),
        "`a.sh` is watched, its last run (success) ended 4 min ago; `Slow` fires for it"
    );
    assert_eq!(verdict("a.sh", &[], &[], &all[1..], NOW), "`a.sh` is watched; no alert is about it now");
    assert_eq!(
        verdict("a.sh", &[series(&found(false, 0.0, 7200.0), NOW)], &runs, &all, NOW),
        "`a.sh` is not watched now: it has no series now; the last were seen 2 h ago"
    );
    assert_eq!(concerns(&[]).because, "no alert reads what it publishes");
}
