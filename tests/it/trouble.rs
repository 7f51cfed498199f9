//! Containers that do not start, exit, or never become ready; replies that get lost.

use crate::support::servers::{Kind, Manner};
use crate::support::{Fault, Lab, Status};

/// `up` where a server behaves like this; afterwards it is well and `up` converges.
fn up_with(kind: Kind, manner: Manner) -> String {
    let lab = Lab::new();
    lab.engine.with(|state| state.manners.insert(kind, manner));
    let output = lab.run(&["up"]);
    lab.engine.heal();
    lab.converges();
    output.text()
}

#[test]
fn a_container_that_exits_shows_its_code_and_its_last_words() {
    let lines = vec!["level=INFO msg=starting", "level=ERROR msg=\"opening storage failed\" err=\"permission denied\""];
    let manner = Manner::Exits { code: 2, oom: false, lines };
    insta::assert_snapshot!(up_with(Kind::Prometheus, manner), @r#"
    exit 1
    --- stdout

    --- stderr
    project       create    moko-mon
    prometheus    pull      prom/prometheus:v3.13.2
    prometheus    create    moko-mon-prometheus
    prometheus    write     /etc/prometheus/rules/alerts-config.yml
    prometheus    start     moko-mon-prometheus
    prometheus    wait      moko-mon-prometheus                          failed
    alertmanager  pull      prom/alertmanager:v0.34.0
    alertmanager  create    moko-mon-alertmanager
    alertmanager  write     /etc/alertmanager/messages.tmpl
    alertmanager  start     moko-mon-alertmanager
    alertmanager  wait      moko-mon-alertmanager
    pushgateway   pull      prom/pushgateway:v1.11.3
    pushgateway   create    moko-mon-pushgateway
    pushgateway   start     moko-mon-pushgateway
    pushgateway   wait      moko-mon-pushgateway
    grafana       pull      grafana/grafana:13.2.3
    grafana       create    moko-mon-grafana
    grafana       generate  /run/secrets/moko-mon/admin-password
    grafana       start     moko-mon-grafana
    grafana       wait      moko-mon-grafana
    grafana       import    data source moko-mon-prometheus
    grafana       import    folder moko-mon
    grafana       import    dashboard moko-standards-monitoring
    error: could not bring up Prometheus
      caused by: container `moko-mon-prometheus` exited
      caused by: its exit code is 2
      caused by: the last lines of its log:
        level=INFO msg=starting
        level=ERROR msg="opening storage failed" err="permission denied"
    hint: see all it said with `moko-mon logs prometheus`
    "#);
}

#[test]
fn a_container_that_says_nothing_before_it_exits_is_said_to_have_said_nothing() {
    let manner = Manner::Exits { code: 127, oom: false, lines: vec![] };
    insta::assert_snapshot!(up_with(Kind::Pushgateway, manner), @"
    exit 1
    --- stdout

    --- stderr
    project       create    moko-mon
    prometheus    pull      prom/prometheus:v3.13.2
    prometheus    create    moko-mon-prometheus
    prometheus    write     /etc/prometheus/rules/alerts-config.yml
    prometheus    start     moko-mon-prometheus
    prometheus    wait      moko-mon-prometheus
    alertmanager  pull      prom/alertmanager:v0.34.0
    alertmanager  create    moko-mon-alertmanager
    alertmanager  write     /etc/alertmanager/messages.tmpl
    alertmanager  start     moko-mon-alertmanager
    alertmanager  wait      moko-mon-alertmanager
    pushgateway   pull      prom/pushgateway:v1.11.3
    pushgateway   create    moko-mon-pushgateway
    pushgateway   start     moko-mon-pushgateway
    pushgateway   wait      moko-mon-pushgateway                         failed
    grafana       pull      grafana/grafana:13.2.3
    grafana       create    moko-mon-grafana
    grafana       generate  /run/secrets/moko-mon/admin-password
    grafana       start     moko-mon-grafana
    grafana       wait      moko-mon-grafana
    grafana       import    data source moko-mon-prometheus
    grafana       import    folder moko-mon
    grafana       import    dashboard moko-standards-monitoring
    error: could not bring up Pushgateway
      caused by: container `moko-mon-pushgateway` exited
      caused by: its exit code is 127
      caused by: its log is empty
    hint: see all it said with `moko-mon logs pushgateway`
    ");
}

#[test]
fn a_container_killed_for_its_memory_says_which_limit_to_raise() {
    let manner = Manner::Exits { code: 137, oom: true, lines: vec!["level=INFO msg=\"replaying WAL\""] };
    insta::assert_snapshot!(up_with(Kind::Prometheus, manner), @r#"
    exit 1
    --- stdout

    --- stderr
    project       create    moko-mon
    prometheus    pull      prom/prometheus:v3.13.2
    prometheus    create    moko-mon-prometheus
    prometheus    write     /etc/prometheus/rules/alerts-config.yml
    prometheus    start     moko-mon-prometheus
    prometheus    wait      moko-mon-prometheus                          failed
    alertmanager  pull      prom/alertmanager:v0.34.0
    alertmanager  create    moko-mon-alertmanager
    alertmanager  write     /etc/alertmanager/messages.tmpl
    alertmanager  start     moko-mon-alertmanager
    alertmanager  wait      moko-mon-alertmanager
    pushgateway   pull      prom/pushgateway:v1.11.3
    pushgateway   create    moko-mon-pushgateway
    pushgateway   start     moko-mon-pushgateway
    pushgateway   wait      moko-mon-pushgateway
    grafana       pull      grafana/grafana:13.2.3
    grafana       create    moko-mon-grafana
    grafana       generate  /run/secrets/moko-mon/admin-password
    grafana       start     moko-mon-grafana
    grafana       wait      moko-mon-grafana
    grafana       import    data source moko-mon-prometheus
    grafana       import    folder moko-mon
    grafana       import    dashboard moko-standards-monitoring
    error: could not bring up Prometheus
      caused by: container `moko-mon-prometheus` exited
      caused by: it was killed for using more than its 1024 MiB of memory
      caused by: the last lines of its log:
        level=INFO msg="replaying WAL"
    hint: raise `prometheus.memory` in moko-mon.yaml
    "#);
}

#[test]
fn a_server_that_is_not_ready_in_time_shows_what_it_said_last() {
    let lab = Lab::up();
    lab.engine.with(|state| {
        let server = state.named("moko-mon-alertmanager").unwrap().server.as_ref().unwrap();
        server.behave(Some(Manner::NeverReady));
    });
    insta::assert_snapshot!(lab.run(&["up", "--wait", "1s"]).text(), @"
    exit 1
    --- stdout

    --- stderr
    alertmanager  wait      moko-mon-alertmanager                        failed
    error: could not bring up Alertmanager
      caused by: Alertmanager was not ready after [time]
      caused by: http://127.0.0.1:9093/-/ready said last: HTTP 503: Service Unavailable
      caused by: the last lines of its log:
        moko-mon-alertmanager runs
    hint: see what it is doing with `moko-mon logs alertmanager`; wait longer with `moko-mon up --wait 10m`
    ");
    lab.engine.heal();
    lab.converges();
}

#[test]
fn several_failures_are_all_told() {
    let lab = Lab::new();
    lab.engine.fault("POST /containers/create moko-mon-prometheus", 1, Fault::Refuse(500, "first"));
    lab.engine.fault("POST /containers/create moko-mon-grafana", 1, Fault::Refuse(500, "second"));
    insta::assert_snapshot!(lab.run(&["up"]).text(), @"
    exit 1
    --- stdout

    --- stderr
    project       create    moko-mon
    prometheus    pull      prom/prometheus:v3.13.2
    prometheus    create    moko-mon-prometheus                          failed
    alertmanager  pull      prom/alertmanager:v0.34.0
    alertmanager  create    moko-mon-alertmanager
    alertmanager  write     /etc/alertmanager/messages.tmpl
    alertmanager  start     moko-mon-alertmanager
    alertmanager  wait      moko-mon-alertmanager
    pushgateway   pull      prom/pushgateway:v1.11.3
    pushgateway   create    moko-mon-pushgateway
    pushgateway   start     moko-mon-pushgateway
    pushgateway   wait      moko-mon-pushgateway
    grafana       pull      grafana/grafana:13.2.3
    grafana       create    moko-mon-grafana                             failed
    warning: could not bring up Prometheus: could not create container `moko-mon-prometheus`: first
    error: could not bring up Grafana
      caused by: could not create container `moko-mon-grafana`
      caused by: second
    ");
    lab.converges();
}

#[test]
fn a_full_disk_is_named_with_a_way_out() {
    let lab = Lab::new();
    let message = "mkdir /var/lib/docker/overlay2/x: no space left on device";
    lab.engine.fault("POST /containers/create moko-mon-prometheus", 1, Fault::Refuse(500, message));
    insta::assert_snapshot!(lab.run(&["up"]).error(), @"
    error: could not bring up Prometheus
      caused by: could not create container `moko-mon-prometheus`
      caused by: mkdir /var/lib/docker/overlay2/x: no space left on device
    hint: free space on the engine's disk, for example with `docker system df` and `docker image prune`
    ");
    lab.converges();
}

#[test]
fn used_up_address_pools_have_a_way_out() {
    let lab = Lab::new();
    let message =
        "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network";
    lab.engine.fault("POST /networks/create", 1, Fault::Refuse(500, message));
    insta::assert_snapshot!(lab.run(&["up"]).error(), @"
    error: could not create network `moko-mon`
      caused by: could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network
    hint: remove networks that nobody uses with `docker network prune`
    ");
    lab.converges();
}

#[test]
fn a_lost_reply_is_told_and_the_next_up_makes_no_second_container() {
    let lab = Lab::new();
    lab.engine.fault("POST /containers/create moko-mon-grafana", 1, Fault::LoseReply);
    insta::assert_snapshot!(lab.run(&["up"]).error(), @"
    error: could not bring up Grafana
      caused by: could not create container `moko-mon-grafana`
      caused by: connection closed before message completed
    ");
    assert_eq!(lab.engine.with(|state| state.named("moko-mon-grafana").unwrap().status), Status::Created);
    lab.converges();
    assert_eq!(lab.engine.with(|state| state.containers.len()), 4);
}

#[test]
fn a_request_that_never_arrives_is_not_sent_again() {
    let lab = Lab::new();
    lab.engine.fault("POST /containers/moko-mon-grafana/start", 1, Fault::LoseRequest);
    assert_eq!(lab.run(&["up"]).code(), 1);
    assert_eq!(lab.engine.writes("POST /containers/moko-mon-grafana/start").len(), 1);
    lab.converges();
}

#[test]
fn a_container_that_somebody_removes_during_the_wait_is_missed() {
    let lab = Lab::new();
    lab.engine.with(|state| state.manners.insert(Kind::Pushgateway, Manner::NeverReady));
    let running = lab.command(&["up"]).start();
    lab.engine.wait_for("GET /containers/moko-mon-pushgateway/json", 1);
    lab.engine.remove("moko-mon-pushgateway");
    insta::assert_snapshot!(running.ends().error(), @"
    error: could not bring up Pushgateway
      caused by: container `moko-mon-pushgateway` was removed by somebody else
    ");
    lab.engine.with(|state| state.manners.clear());
    lab.converges();
}

#[test]
fn an_engine_that_hangs_is_given_up() {
    // 5 s for the first word, 15 s for a look; the 60 s for a change are tested by `a_change_is_given_up_after_60_s`.
    let (first, second) = (Lab::new(), Lab::up());
    first.engine.fault("GET /version", 1, Fault::Hang);
    second.engine.fault("GET /containers/json", 1, Fault::Hang);
    let runs = [first.command(&["up"]).start(), second.command(&["up"]).start()];
    let texts: Vec<String> = runs.into_iter().map(|run| run.ends().text()).collect();
    insta::assert_snapshot!(texts[0], @"
    exit 3
    --- stdout

    --- stderr
    error: no Docker engine answers
      caused by: tried unix://[folder]/docker.sock (DOCKER_HOST): the engine did not answer in time
    hint: see whether `docker info` works, and whether DOCKER_HOST names a Docker engine
    ");
    insta::assert_snapshot!(texts[1], @"
    exit 1
    --- stdout

    --- stderr
    error: could not list the containers
      caused by: the engine did not answer within 15 s
    hint: see whether it is alive with `docker info`, then run the command again: it continues where it stopped
    ");
    first.converges();
    second.converges();
}

/// Takes a minute, nearly all of it idle: the limits of changes and of silent pulls have no knob.
#[test]
fn a_change_and_a_silent_pull_are_given_up_after_60_s() {
    let (first, second) = (Lab::new(), Lab::new());
    first.engine.fault("POST /networks/create", 1, Fault::Hang);
    second.engine.with(|state| state.pulls.push(("prom/prometheus".to_owned(), crate::support::Pull::Stalls)));
    let runs = [first.command(&["up"]).start(), second.command(&["up"]).start()];
    let texts: Vec<String> = runs.into_iter().map(|run| run.ends().error()).collect();
    insta::assert_snapshot!(texts[0], @"
    error: could not create network `moko-mon`
      caused by: the engine did not answer within 60 s
    hint: see whether it is alive with `docker info`, then run the command again: it continues where it stopped
    ");
    insta::assert_snapshot!(texts[1], @"
    error: could not pull image `prom/prometheus:v3.13.2`
      caused by: nothing arrived for 60 s
    hint: check the network and the name; `images.registry` sets a mirror, and a local image of that name is used when there is one (`docker load`)
    ");
    first.converges();
    second.engine.with(|state| state.pulls.clear());
    second.converges();
}
