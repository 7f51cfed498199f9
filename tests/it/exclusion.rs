//! Two moko-mon at once on one project.

use crate::support::{Fault, Lab, Pull};

#[test]
fn the_second_is_told_who_the_first_is() {
    let lab = Lab::new();
    lab.engine.fault("POST /networks/create", 1, Fault::Hold);
    let first = lab.command(&["up"]).start();
    lab.engine.wait_for("POST /networks/create", 1);
    let second = lab.run(&["up"]);
    insta::assert_snapshot!(second.text(), @"
    exit 4
    --- stdout

    --- stderr
    error: another moko-mon is at work on project `moko-mon`
      caused by: process [pid] (`moko-mon up`) holds its lock
    hint: wait until it is done, then run the command again
    ");
    assert!(second.stderr.contains(&format!("process {} (`moko-mon up`)", first.id())), "{}", second.stderr);
    let (down, envelope) = lab.json(&["down"]);
    assert_eq!((down.code(), envelope["error"]["code"].as_str()), (4, Some("locked")));
    assert_eq!(lab.run(&["password", "reset"]).code(), 4);
    // What only looks never waits.
    assert_eq!(lab.run(&["status"]).code(), 1);
    lab.run(&["up", "--dry-run"]).succeeds();
    lab.engine.release();
    first.ends().succeeds();
    lab.converges();
}

#[test]
fn another_project_is_not_excluded() {
    let lab = Lab::new();
    lab.engine.with(|state| state.pulls.push(("prom/prometheus".to_owned(), Pull::Stalls)));
    let first = lab.command(&["up"]).start();
    lab.engine.wait_for("POST /images/create*", 4);
    lab.run(&["down", "--project", "other"]).succeeds();
    first.signal("INT");
    assert_eq!(first.ends().code(), 130);
}

#[test]
fn many_at_once_end_as_one_after_the_other() {
    let lab = Lab::new();
    let all: Vec<_> = (0..6).map(|_| lab.command(&["up"]).start()).collect();
    let codes: Vec<i32> = all.into_iter().map(|running| running.ends().code()).collect();
    assert!(codes.contains(&0), "{codes:?}");
    assert!(codes.iter().all(|code| [0, 4].contains(code)), "{codes:?}");
    assert_eq!(lab.engine.with(|state| state.inventory()).len(), 4 + 1 + 9);
    lab.converges();
}
