//! SIGINT and SIGTERM at every stage: nothing new is started, the exit status says which it was, the next `up` heals.

use crate::support::servers::{Kind, Manner};
use crate::support::{Fault, Lab, Pull};

const SIGNALS: [(&str, i32); 2] = [("INT", 130), ("TERM", 143)];

#[test]
fn during_a_pull() {
    for (signal, code) in SIGNALS {
        let lab = Lab::new();
        lab.engine.with(|state| state.pulls.push((String::new(), Pull::Stalls)));
        let running = lab.command(&["up"]).start();
        lab.engine.wait_for("POST /images/create*", 4);
        running.signal(signal);
        let output = running.ends();
        assert_eq!(output.code(), code, "{}", output.text());
        assert!(output.error().starts_with("error: pulling `"), "{}", output.text());
        assert!(output.error().contains("was interrupted"), "{}", output.text());
        assert_eq!(lab.engine.with(|state| state.inventory()), [""; 0]);
        lab.engine.with(|state| state.pulls.clear());
        lab.converges();
    }
}

#[test]
fn during_a_create_the_call_in_flight_is_finished_and_nothing_follows() {
    for (signal, code) in SIGNALS {
        let lab = Lab::new();
        for name in ["prometheus", "alertmanager", "pushgateway", "grafana"] {
            lab.engine.fault(&format!("POST /containers/create moko-mon-{name}"), 1, Fault::Hold);
        }
        let running = lab.command(&["up"]).start();
        lab.engine.wait_for("POST /containers/create*", 4);
        running.signal(signal);
        lab.engine.release();
        let output = running.ends();
        assert_eq!(output.code(), code, "{}", output.text());
        assert!(output.error().contains("`up` was interrupted"), "{}", output.text());
        assert_eq!(lab.engine.with(|state| state.containers.len()), 4);
        let started = lab.engine.writes("/start");
        assert!(!started.contains(&"POST /containers/moko-mon-prometheus/start".to_owned()), "{started:#?}");
        lab.converges();
    }
}

#[test]
fn during_the_wait() {
    for (signal, code) in SIGNALS {
        let lab = Lab::new();
        lab.engine.with(|state| state.manners.insert(Kind::Prometheus, Manner::NeverReady));
        let running = lab.command(&["up"]).start();
        lab.engine.wait_for("GET /containers/moko-mon-prometheus/json", 1);
        running.signal(signal);
        let output = running.ends();
        assert_eq!(output.code(), code, "{}", output.text());
        lab.engine.heal();
        lab.converges();
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let lab = Lab::new();
    lab.engine.fault("POST /networks/create", 1, Fault::Hold);
    let running = lab.command(&["up"]).start();
    lab.engine.wait_for("POST /networks/create", 1);
    running.signal("INT");
    running.signal("INT");
    let output = running.ends();
    assert_eq!(output.code(), 130, "{}", output.text());
    lab.engine.release();
    lab.converges();
}

#[test]
fn during_down_the_next_down_goes_on() {
    let lab = Lab::up();
    lab.engine.fault("POST /containers/moko-mon-grafana/stop", 1, Fault::Hold);
    let running = lab.command(&["down"]).start();
    lab.engine.wait_for("POST /containers/moko-mon-grafana/stop", 1);
    running.signal("INT");
    lab.engine.release();
    let output = running.ends();
    assert_eq!(output.code(), 130, "{}", output.text());
    lab.run(&["down"]).succeeds();
    assert_eq!(lab.engine.with(|state| state.containers.len() + state.networks.len()), 0);
}

#[test]
fn a_killed_up_leaves_no_lock_and_heals() {
    let lab = Lab::new();
    lab.engine.fault("POST /containers/create moko-mon-grafana", 1, Fault::Hold);
    let running = lab.command(&["up"]).start();
    lab.engine.wait_for("POST /containers/create*", 4);
    running.signal("KILL");
    let _ = running.ends();
    lab.engine.release();
    lab.converges();
}

#[test]
fn logs_follow_ends_well_on_an_interrupt() {
    let lab = Lab::up();
    let mut running = lab.command(&["logs", "-f", "prometheus"]).start();
    let mut lines = running.lines();
    assert_eq!(lines.next().unwrap(), "prometheus    moko-mon-prometheus runs");
    lab.engine.with(|state| state.named("moko-mon-prometheus").unwrap().say("one more \u{1b}[31mline"));
    assert_eq!(lines.next().unwrap(), "prometheus    one more [31mline");
    running.signal("INT");
    assert_eq!(lines.next(), None);
    assert_eq!(running.ends().code(), 0);
}

#[test]
fn what_only_looks_does_not_say_that_it_goes_on() {
    let lab = Lab::up();
    for arguments in [&["status"][..], &["verify"], &["why", "TargetDown"], &["up", "--dry-run"]] {
        lab.engine.forget();
        lab.engine.fault("GET /*", 1, Fault::Hold);
        let running = lab.command(arguments).start();
        lab.engine.wait_for("GET /*", 1);
        running.signal("INT");
        let output = running.ends();
        lab.engine.release();
        assert_eq!(output.code(), 130, "{}", output.text());
        let error = format!(
            "error: `{}` was interrupted\nhint: run it again: it changed nothing, and starts from the beginning",
            arguments[0]
        );
        assert_eq!(output.error(), error, "{arguments:?}");
    }
}
