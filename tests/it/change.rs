//! What changes in settings or on the engine leads to exactly the steps that it needs.

use crate::support::servers::{Kind, Manner};
use crate::support::{Lab, Status};

#[test]
fn a_changed_scrape_interval_is_written_and_reloaded_and_no_more() {
    let lab = Lab::up();
    lab.write("moko-mon.yaml", "prometheus:\n  scrape_interval: 30s\n");
    insta::assert_snapshot!(lab.run(&["up", "--dry-run"]).stdout, @"
    prometheus    write     /etc/prometheus/prometheus.yml               content changed
    prometheus    reload    moko-mon-prometheus                          files changed
    prometheus    wait      moko-mon-prometheus                          until it is ready again
    grafana       import    data source moko-mon-prometheus              `jsonData.timeInterval` is `15s`, not `30s`
    ");
    insta::assert_snapshot!(lab.run(&["up"]).errors(), @"
    prometheus    write     /etc/prometheus/prometheus.yml
    prometheus    reload    moko-mon-prometheus
    prometheus    wait      moko-mon-prometheus
    grafana       import    data source moko-mon-prometheus
    ");
    insta::assert_snapshot!(lab.engine.writes("").join("\n"), @"
    PUT /containers/moko-mon-prometheus/archive /etc/prometheus
    POST /containers/moko-mon-prometheus/kill SIGHUP
    PUT /containers/moko-mon-prometheus/archive /etc/prometheus
    ");
    let file = lab.engine.file("moko-mon-prometheus-config", "prometheus.yml").unwrap();
    assert!(String::from_utf8(file.content).unwrap().contains("scrape_interval: 30s"));
    lab.converges();
}

#[test]
fn changed_retention_replaces_prometheus_alone_and_keeps_its_data() {
    let lab = Lab::up();
    let others = |lab: &Lab| {
        lab.engine.with(|state| {
            let others = state.containers.iter().filter(|container| container.name != "moko-mon-prometheus");
            others.map(|container| container.id.clone()).collect::<Vec<_>>()
        })
    };
    let before = others(&lab);
    let output = lab.command(&["up"]).env("MOKO_MON_PROMETHEUS_RETENTION_TIME", "30d").run();
    insta::assert_snapshot!(output.errors(), @"
    prometheus    remove    moko-mon-prometheus
    prometheus    create    moko-mon-prometheus
    prometheus    start     moko-mon-prometheus
    prometheus    wait      moko-mon-prometheus
    ");
    insta::assert_snapshot!(lab.engine.writes("").join("\n"), @"
    POST /containers/moko-mon-prometheus/stop
    DELETE /containers/moko-mon-prometheus
    POST /containers/create moko-mon-prometheus
    POST /containers/moko-mon-prometheus/start
    ");
    assert_eq!(others(&lab), before);
}

#[test]
fn a_changed_image_is_pulled_and_replaces_one_container() {
    let lab = Lab::up();
    lab.write("moko-mon.yaml", "pushgateway:\n  image: prom/pushgateway:v9\n");
    insta::assert_snapshot!(lab.run(&["up", "--dry-run"]).stdout, @"
    pushgateway   pull      prom/pushgateway:v9                          missing
    pushgateway   remove    moko-mon-pushgateway                         image changed: prom/pushgateway:v1.11.3 → prom/pushgateway:v9
    pushgateway   create    moko-mon-pushgateway                         image changed: prom/pushgateway:v1.11.3 → prom/pushgateway:v9
    pushgateway   start     moko-mon-pushgateway                         image changed: prom/pushgateway:v1.11.3 → prom/pushgateway:v9
    pushgateway   wait      moko-mon-pushgateway                         until it is ready
    ");
    lab.run(&["up"]).succeeds();
    insta::assert_snapshot!(lab.engine.writes("").join("\n"), @"
    POST /images/create prom/pushgateway:v9
    POST /containers/moko-mon-pushgateway/stop
    DELETE /containers/moko-mon-pushgateway
    POST /containers/create moko-mon-pushgateway
    POST /containers/moko-mon-pushgateway/start
    ");
    lab.converges();
}

#[test]
fn another_build_under_the_same_name_replaces_the_container() {
    let lab = Lab::up();
    lab.engine.with(|state| {
        state.build += 1;
        state.load("prom/alertmanager:v0.34.0");
    });
    insta::assert_snapshot!(lab.run(&["up", "--dry-run"]).stdout, @"
    alertmanager  remove    moko-mon-alertmanager                        image changed: prom/alertmanager:v0.34.0 is another build now
    alertmanager  create    moko-mon-alertmanager                        image changed: prom/alertmanager:v0.34.0 is another build now
    alertmanager  start     moko-mon-alertmanager                        image changed: prom/alertmanager:v0.34.0 is another build now
    alertmanager  wait      moko-mon-alertmanager                        until it is ready
    ");
    lab.run(&["up"]).succeeds();
    lab.converges();
}

#[test]
fn a_deleted_container_comes_back_with_its_data() {
    let lab = Lab::up();
    let password = lab.engine.password();
    lab.engine.remove("moko-mon-grafana");
    insta::assert_snapshot!(lab.run(&["up"]).errors(), @"
    grafana       create    moko-mon-grafana
    grafana       generate  /run/secrets/moko-mon/admin-password
    grafana       start     moko-mon-grafana
    grafana       wait      moko-mon-grafana
    grafana       import    data source moko-mon-prometheus
    grafana       import    folder moko-mon
    grafana       import    dashboard moko-standards-monitoring
    ");
    assert_eq!(lab.engine.password(), password, "a secret is never made again");
    lab.converges();
}

#[test]
fn stopped_and_paused_containers_go_on() {
    let lab = Lab::up();
    lab.engine.set_status("moko-mon-prometheus", Status::Exited);
    lab.engine.set_status("moko-mon-grafana", Status::Exited);
    lab.engine.pause("moko-mon-alertmanager");
    insta::assert_snapshot!(lab.run(&["up", "--dry-run"]).stdout, @"
    prometheus    start     moko-mon-prometheus                          not running (exited)
    prometheus    wait      moko-mon-prometheus                          until it is ready
    alertmanager  unpause   moko-mon-alertmanager                        paused
    alertmanager  wait      moko-mon-alertmanager                        until it is ready
    grafana       start     moko-mon-grafana                             not running (exited)
    grafana       wait      moko-mon-grafana                             until it is ready
    grafana       import    data source moko-mon-prometheus              checked once Grafana answers
    grafana       import    folder moko-mon                              checked once Grafana answers
    grafana       import    dashboard moko-standards-monitoring          checked once Grafana answers
    ");
    insta::assert_snapshot!(lab.run(&["up"]).errors(), @"
    prometheus    start     moko-mon-prometheus
    prometheus    wait      moko-mon-prometheus
    alertmanager  unpause   moko-mon-alertmanager
    alertmanager  wait      moko-mon-alertmanager
    grafana       start     moko-mon-grafana
    grafana       wait      moko-mon-grafana
    grafana       import    data source moko-mon-prometheus
    grafana       import    folder moko-mon
    grafana       import    dashboard moko-standards-monitoring
    ");
    insta::assert_snapshot!(lab.engine.writes("prometheus").join("\n"), @"POST /containers/moko-mon-prometheus/start");
    insta::assert_snapshot!(lab.engine.writes("alertmanager").join("\n"), @"POST /containers/moko-mon-alertmanager/unpause");
    lab.converges();
}

#[test]
fn a_crash_loop_and_a_half_removed_container_are_replaced() {
    let lab = Lab::up();
    lab.engine.set_status("moko-mon-pushgateway", Status::Restarting);
    lab.engine.set_status("moko-mon-alertmanager", Status::Dead);
    insta::assert_snapshot!(lab.run(&["up", "--dry-run"]).stdout, @"
    alertmanager  remove    moko-mon-alertmanager                        half removed
    alertmanager  create    moko-mon-alertmanager                        half removed
    alertmanager  start     moko-mon-alertmanager                        half removed
    alertmanager  wait      moko-mon-alertmanager                        until it is ready
    pushgateway   remove    moko-mon-pushgateway                         in a crash loop
    pushgateway   create    moko-mon-pushgateway                         in a crash loop
    pushgateway   start     moko-mon-pushgateway                         in a crash loop
    pushgateway   wait      moko-mon-pushgateway                         until it is ready
    ");
    lab.run(&["up"]).succeeds();
    lab.converges();
}

#[test]
fn a_file_that_was_changed_or_lost_in_the_volume_is_delivered_again() {
    let lab = Lab::up();
    lab.engine.with(|state| {
        let files = &mut state.volumes.get_mut("moko-mon-prometheus-config").unwrap().files;
        files.get_mut("rules/alerts-config.yml").unwrap().content = b"groups: []\n".to_vec();
        files.remove("rules/stack-alerts.yml").unwrap();
        files.get_mut("prometheus.yml").unwrap().owner.2 = 0o600;
    });
    insta::assert_snapshot!(lab.run(&["up", "--dry-run"]).stdout, @"
    prometheus    write     /etc/prometheus/rules/alerts-config.yml      content changed
    prometheus    write     /etc/prometheus/rules/stack-alerts.yml       missing
    prometheus    write     /etc/prometheus/prometheus.yml               owner or mode changed
    prometheus    reload    moko-mon-prometheus                          files changed
    prometheus    wait      moko-mon-prometheus                          until it is ready again
    ");
    lab.run(&["up"]).succeeds();
    lab.converges();
}

#[test]
fn files_are_read_only_when_they_do_not_look_as_they_were_delivered() {
    let lab = Lab::up();
    let reads = || {
        lab.engine.forget();
        let output = lab.run(&["up", "--dry-run"]);
        let mut calls = lab.engine.calls();
        calls.retain(|line| line.starts_with("GET ") && line.contains("/archive"));
        (output.stdout, calls)
    };
    let (nothing, calls) = reads();
    assert_eq!(nothing, "nothing to do\n");
    // Only what has to be known itself, which is Grafana's password.
    assert_eq!(calls, ["GET /containers/moko-mon-grafana/archive /run/secrets/moko-mon"]);

    // As long as before: the date gives it away.
    lab.engine.with(|state| {
        let files = &mut state.volumes.get_mut("moko-mon-prometheus-config").unwrap().files;
        let file = files.get_mut("prometheus.yml").unwrap();
        *file.content.last_mut().unwrap() = b'#';
        file.date = 1_795_438_838;
    });
    let (plan, calls) = reads();
    assert!(plan.contains("/etc/prometheus/prometheus.yml               content changed"), "{plan}");
    assert!(calls.contains(&"GET /containers/moko-mon-prometheus/archive /etc/prometheus".to_owned()), "{calls:?}");
    lab.converges();
}

#[test]
fn users_rules_and_targets_are_checked_delivered_and_taken_away_again() {
    let lab = Lab::up();
    lab.write("rules/mine.yml", "groups:\n- name: mine\n  rules:\n  - record: a\n    expr: vector(1)\n");
    lab.write("secrets/token", "hunter2\n");
    lab.write(
        "moko-mon.yaml",
        "rules:\n  extra: [rules/*.yml]\ntargets:\n- job: ci\n  address: localhost:9100\n  bearer_token_file: secrets/token\n",
    );
    insta::assert_snapshot!(lab.run(&["up"]).errors(), @"
    warning: targets[0].bearer_token_file: every user of this machine can read `secrets/token`; `chmod 600 secrets/token` ends that
    prometheus    write     /etc/prometheus/rules/extra/mine.yml
    prometheus    reload    moko-mon-prometheus
    prometheus    wait      moko-mon-prometheus
    ");
    insta::assert_snapshot!(lab.engine.writes("").join("\n"), @"
    POST /containers/create
    PUT /containers/CHECK/archive /
    POST /containers/CHECK/start
    POST /containers/CHECK/wait
    DELETE /containers/CHECK
    PUT /containers/moko-mon-prometheus/archive /run/secrets/moko-mon
    PUT /containers/moko-mon-prometheus/archive /etc/prometheus
    POST /containers/moko-mon-prometheus/kill SIGHUP
    PUT /containers/moko-mon-prometheus/archive /etc/prometheus
    ");
    let token = lab.engine.file("moko-mon-prometheus-secrets", "token").unwrap();
    assert_eq!((token.content.as_slice(), token.owner), (b"hunter2".as_slice(), (65534, 65534, 0o400)));
    lab.converges();
    lab.write("moko-mon.yaml", "# nothing\n");
    insta::assert_snapshot!(lab.run(&["up", "--dry-run"]).stdout, @"
    prometheus    write     /etc/prometheus/prometheus.yml               content changed
    prometheus    clear     /etc/prometheus/rules/extra/mine.yml         no longer wanted
    prometheus    clear     /run/secrets/moko-mon/token                  no longer wanted
    prometheus    reload    moko-mon-prometheus                          files changed
    prometheus    wait      moko-mon-prometheus                          until it is ready again
    ");
    lab.run(&["up"]).succeeds();
    lab.converges();
    assert_eq!(lab.engine.file("moko-mon-prometheus-secrets", "token").unwrap().content, b"");
}

#[test]
fn rules_that_promtool_refuses_change_nothing() {
    let lab = Lab::up();
    let before = lab.engine.with(|state| state.inventory());
    lab.write("rules/mine.yml", "groups:\n- name: mine\n  rules:\n  - record: a\n    expr: sum(\n");
    lab.write("moko-mon.yaml", "rules:\n  extra: [rules/*.yml]\n");
    lab.engine.with(|state| {
        let lines = [
            "Checking /etc/prometheus/prometheus.yml",
            "  FAILED: /etc/prometheus/rules/extra/mine.yml: 5:11: group \"mine\", rule 1, \"a\": could not parse expression: 1:5: parse error: unclosed left parenthesis",
        ];
        state.check = (1, lines.map(str::to_owned).to_vec());
    });
    insta::assert_snapshot!(lab.run(&["up"]).text(), @r#"
    exit 2
    --- stdout

    --- stderr
    error: Prometheus refuses the configuration
      caused by: [folder]/work/rules/mine.yml: 5:11: group "mine", rule 1, "a": could not parse expression: 1:5: parse error: unclosed left parenthesis
    hint: mend it and try again; nothing was changed
    "#);
    insta::assert_snapshot!(lab.engine.writes("").join("\n"), @"
    POST /containers/create
    PUT /containers/CHECK/archive /
    POST /containers/CHECK/start
    POST /containers/CHECK/wait
    DELETE /containers/CHECK
    ");
    assert_eq!(lab.engine.with(|state| state.inventory()), before);
    assert_eq!(lab.engine.file("moko-mon-prometheus-config", "rules/extra/mine.yml"), None);
}

#[test]
fn a_server_that_refuses_its_new_files_is_named_with_its_own_words() {
    let lab = Lab::up();
    lab.write("moko-mon.yaml", "prometheus:\n  scrape_interval: 30s\n");
    lab.engine.with(|state| state.manners.insert(Kind::Prometheus, Manner::RefusesReload));
    insta::assert_snapshot!(lab.run(&["up"]).text(), @r#"
    exit 1
    --- stdout

    --- stderr
    prometheus    write     /etc/prometheus/prometheus.yml
    prometheus    reload    moko-mon-prometheus                          failed
    grafana       import    data source moko-mon-prometheus
    error: could not bring up Prometheus
      caused by: Prometheus did not take over its new configuration
      caused by: it refused the files
      caused by: the last lines of its log:
        moko-mon-prometheus runs
        level=ERROR msg="Error reloading config" err="line 3: field scrap not found"
    hint: see why with `moko-mon logs prometheus`; it still runs the old one
    "#);
    // The files are there, but nothing proves that they were read: the next `up` goes on from there.
    lab.engine.with(|state| state.manners.clear());
    insta::assert_snapshot!(lab.run(&["up", "--dry-run"]).stdout, @"
    prometheus    reload    moko-mon-prometheus                          not proved to be read yet
    prometheus    wait      moko-mon-prometheus                          until it is ready again
    ");
    lab.converges();
}

#[test]
fn a_server_that_only_pretends_to_have_read_its_files_is_found_out() {
    let lab = Lab::up();
    lab.write("moko-mon.yaml", "prometheus:\n  scrape_interval: 30s\n");
    lab.engine.with(|state| state.manners.insert(Kind::Prometheus, Manner::KeepsOld));
    insta::assert_snapshot!(lab.run(&["up"]).error(), @"
    error: could not bring up Prometheus
      caused by: Prometheus did not take over its new configuration
      caused by: it runs another configuration: configuration.global.scrape_interval is `15000 ms`, delivered was `30000 ms`
      caused by: the last lines of its log:
        moko-mon-prometheus runs
    hint: see why with `moko-mon logs prometheus`; `moko-mon up` delivers it again
    ");
    lab.engine.with(|state| state.manners.clear());
    lab.converges();
}

#[test]
fn leftovers_of_crashes_are_cleared_away() {
    let lab = Lab::up();
    lab.engine.with(|state| {
        let labels = serde_json::json!({"moko-mon.project": "moko-mon"});
        // A second network of our name, an interrupted check, a container of ours under another name.
        state.add_network("moko-mon", labels);
        let check = serde_json::json!({"moko-mon.project": "moko-mon", "moko-mon.check": "true"});
        state.add_own("quirky_hopper", &check);
        let renamed = serde_json::json!({"moko-mon.project": "moko-mon", "moko-mon.component": "grafana"});
        state.add_own("old-grafana", &renamed);
    });
    insta::assert_snapshot!(lab.run(&["up", "--dry-run"]).stdout, @"
    project       remove    quirky_hopper                                leftover of an interrupted check
    project       remove    old-grafana                                  leftover of an interrupted run
    project       remove    moko-mon                                     duplicate of the project's network
    ");
    lab.run(&["up"]).succeeds();
    assert_eq!(lab.engine.with(|state| state.inventory()).len(), 4 + 1 + 9);
    lab.converges();
}
