//! Pulls that fail in all the ways that registries know.

use crate::support::{Lab, Pull};

const PROMETHEUS: &str = "prom/prometheus";

/// `up` where pulls of Prometheus go like this; afterwards the registry is well and `up` converges.
fn up_with(how: Pull) -> String {
    let lab = Lab::new();
    lab.engine.with(|state| state.pulls.push((PROMETHEUS.to_owned(), how)));
    let output = lab.run(&["up"]);
    assert_eq!(output.code(), 1);
    assert_eq!(output.stdout, "");
    let writes = lab.engine.writes("");
    assert!(writes.iter().all(|call| call.starts_with("POST /images/create")), "{writes:#?}");
    let (again, envelope) = lab.json(&["up"]);
    assert_eq!((again.code(), envelope["error"]["code"].as_str()), (1, Some("image_unavailable")));
    lab.engine.with(|state| state.pulls.clear());
    lab.converges();
    output.text()
}

#[test]
fn an_image_that_is_not_there_is_named() {
    let how = Pull::Refused(404, "manifest for prom/prometheus:v3.13.2 not found: manifest unknown: manifest unknown");
    insta::assert_snapshot!(up_with(how), @"
    exit 1
    --- stdout

    --- stderr
    prometheus    pull      prom/prometheus:v3.13.2                      failed
    alertmanager  pull      prom/alertmanager:v0.34.0
    pushgateway   pull      prom/pushgateway:v1.11.3
    grafana       pull      grafana/grafana:13.2.3
    error: could not pull image `prom/prometheus:v3.13.2`
      caused by: manifest for prom/prometheus:v3.13.2 not found: manifest unknown: manifest unknown
    hint: check the network and the name; `images.registry` sets a mirror, and a local image of that name is used when there is one (`docker load`)
    ");
}

#[test]
fn an_error_in_the_middle_of_a_good_answer_is_an_error() {
    let how = Pull::Breaks("error pulling image configuration: Get \"https://registry-1.docker.io\": EOF");
    insta::assert_snapshot!(up_with(how), @r#"
    exit 1
    --- stdout

    --- stderr
    prometheus    pull      prom/prometheus:v3.13.2                      failed
    alertmanager  pull      prom/alertmanager:v0.34.0
    pushgateway   pull      prom/pushgateway:v1.11.3
    grafana       pull      grafana/grafana:13.2.3
    error: could not pull image `prom/prometheus:v3.13.2`
      caused by: error pulling image configuration: Get "https://registry-1.docker.io": EOF
    hint: check the network and the name; `images.registry` sets a mirror, and a local image of that name is used when there is one (`docker load`)
    "#);
}

#[test]
fn a_rate_limit_has_its_own_way_out() {
    let how = Pull::Breaks("toomanyrequests: You have reached your pull rate limit.");
    insta::assert_snapshot!(up_with(how), @"
    exit 1
    --- stdout

    --- stderr
    prometheus    pull      prom/prometheus:v3.13.2                      failed
    alertmanager  pull      prom/alertmanager:v0.34.0
    pushgateway   pull      prom/pushgateway:v1.11.3
    grafana       pull      grafana/grafana:13.2.3
    error: could not pull image `prom/prometheus:v3.13.2`
      caused by: toomanyrequests: You have reached your pull rate limit.
    hint: log in with `docker login`, or set `images.registry` in moko-mon.yaml to a mirror
    ");
}

#[test]
fn a_rate_limit_as_the_answer_s_status_is_one_too() {
    let how = Pull::Refused(500, "toomanyrequests: You have reached your pull rate limit.");
    insta::assert_snapshot!(up_with(how), @"
    exit 1
    --- stdout

    --- stderr
    prometheus    pull      prom/prometheus:v3.13.2                      failed
    alertmanager  pull      prom/alertmanager:v0.34.0
    pushgateway   pull      prom/pushgateway:v1.11.3
    grafana       pull      grafana/grafana:13.2.3
    error: could not pull image `prom/prometheus:v3.13.2`
      caused by: toomanyrequests: You have reached your pull rate limit.
    hint: log in with `docker login`, or set `images.registry` in moko-mon.yaml to a mirror
    ");
}

#[test]
fn a_download_that_is_cut_off_looks_like_success_and_is_not() {
    insta::assert_snapshot!(up_with(Pull::CutOff), @"
    exit 1
    --- stdout

    --- stderr
    prometheus    pull      prom/prometheus:v3.13.2                      failed
    alertmanager  pull      prom/alertmanager:v0.34.0
    pushgateway   pull      prom/pushgateway:v1.11.3
    grafana       pull      grafana/grafana:13.2.3
    error: could not pull image `prom/prometheus:v3.13.2`
      caused by: the download was cut off
    hint: check the network and the name; `images.registry` sets a mirror, and a local image of that name is used when there is one (`docker load`)
    ");
}

#[test]
fn a_full_disk_says_how_to_free_it() {
    let how = Pull::Breaks("write /var/lib/docker/tmp/GetImageBlob1: no space left on device");
    insta::assert_snapshot!(up_with(how), @"
    exit 1
    --- stdout

    --- stderr
    prometheus    pull      prom/prometheus:v3.13.2                      failed
    alertmanager  pull      prom/alertmanager:v0.34.0
    pushgateway   pull      prom/pushgateway:v1.11.3
    grafana       pull      grafana/grafana:13.2.3
    error: could not pull image `prom/prometheus:v3.13.2`
      caused by: write /var/lib/docker/tmp/GetImageBlob1: no space left on device
    hint: check the network and the name; `images.registry` sets a mirror, and a local image of that name is used when there is one (`docker load`)
    ");
}

#[test]
fn a_pull_that_fails_falls_back_to_the_local_image_and_says_so() {
    let lab = Lab::up();
    lab.engine.with(|state| state.pulls.push((PROMETHEUS.to_owned(), Pull::Refused(500, "no route to host"))));
    let output = lab.command(&["up"]).env("MOKO_MON_IMAGES_PULL", "always").run();
    insta::assert_snapshot!(output.text(), @"
    exit 0
    --- stdout
    nothing to do: everything runs as configured

    Prometheus    http://127.0.0.1:9090
    Alertmanager  http://127.0.0.1:9093
    Pushgateway   http://127.0.0.1:9091
    Grafana       http://127.0.0.1:3000

    Grafana's login is `admin`; `moko-mon status --show-secrets` shows its password
    --- stderr
    prometheus    pull      prom/prometheus:v3.13.2                      failed
    warning: using the local image `prom/prometheus:v3.13.2`: it could not be pulled: no route to host
    alertmanager  pull      prom/alertmanager:v0.34.0
    pushgateway   pull      prom/pushgateway:v1.11.3
    grafana       pull      grafana/grafana:13.2.3
    ");
    assert!(lab.engine.writes("").iter().all(|call| call.starts_with("POST /images/create")));
    let output = lab.command(&["up", "--output", "json"]).env("MOKO_MON_IMAGES_PULL", "always").run();
    assert_eq!(
        output.envelope()["warnings"][0],
        "using the local image `prom/prometheus:v3.13.2`: it could not be pulled: no route to host"
    );
}

#[test]
fn pull_always_finds_a_new_build_and_replaces_what_runs_the_old_one() {
    let lab = Lab::up();
    lab.engine.with(|state| state.build += 1);
    lab.command(&["up"]).env("MOKO_MON_IMAGES_PULL", "always").run().succeeds();
    assert_eq!(lab.engine.writes("POST /images/create").len(), 4);
    assert_eq!(lab.engine.writes("POST /containers/create").len(), 4);
    lab.converges();
}

#[test]
fn pull_never_uses_what_is_there_and_names_what_is_not() {
    let lab = Lab::new();
    let up = || lab.command(&["up"]).env("MOKO_MON_IMAGES_PULL", "never").run();
    insta::assert_snapshot!(up().text(), @"
    exit 1
    --- stdout

    --- stderr
    error: image `prom/prometheus:v3.13.2` is not there
      caused by: images.pull is `never`
    hint: bring it with `docker pull prom/prometheus:v3.13.2` or `docker load`, or set `images.pull: missing`
    ");
    assert_eq!(lab.engine.writes(""), [""; 0]);
    lab.engine.with(|state| {
        for image in ["prom/prometheus:v3.13.2", "prom/alertmanager:v0.34.0", "prom/pushgateway:v1.11.3"] {
            state.load(image);
        }
        state.load("grafana/grafana:13.2.3");
    });
    up().succeeds();
    assert_eq!(lab.engine.writes("images"), [""; 0]);
}

#[test]
fn a_mirror_is_put_in_front_of_every_image() {
    let lab = Lab::new();
    lab.command(&["up"]).env("MOKO_MON_IMAGES_REGISTRY", "mirror:5000/hub").run().succeeds();
    insta::assert_snapshot!(sorted(lab.engine.writes("images")).join("\n"), @"
    POST /images/create mirror:5000/hub/grafana/grafana:13.2.3
    POST /images/create mirror:5000/hub/prom/alertmanager:v0.34.0
    POST /images/create mirror:5000/hub/prom/prometheus:v3.13.2
    POST /images/create mirror:5000/hub/prom/pushgateway:v1.11.3
    ");
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}
