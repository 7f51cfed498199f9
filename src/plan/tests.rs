//! The text of plans: configuration and what is there in, what would be done out.

use std::collections::BTreeMap;

use super::{Plan, reconcile};
use crate::component::Component;
use crate::config::{Config, Pull, Target, TargetAuth, UserFile, defaults};
use crate::docker::archive::digest;
use crate::error::Error;
use crate::http::grafana::{Item, State as GrafanaState};
use crate::observed::{Container, FileState, Network, Observed, State};
use crate::stack::{Access, ComponentSpec, Stack};

const NETWORK: &str = "n1";

fn desired(change: impl FnOnce(&mut Config)) -> Stack {
    let mut config = defaults().unwrap();
    change(&mut config);
    Stack::desired(&config).unwrap()
}

fn file(content: &[u8], access: Access) -> FileState {
    FileState { digest: digest(content), owner: access.owner_and_mode(), content: content.to_vec() }
}

fn container(spec: &ComponentSpec) -> Container {
    let mut files: BTreeMap<String, FileState> =
        spec.files.iter().map(|of| (of.path.clone(), file(&of.content, of.access))).collect();
    files.extend(spec.generated.iter().map(|secret| (secret.path.clone(), file(b"x", secret.access))));
    if let Some(reload) = spec.reload {
        files.insert(reload.marker.to_owned(), file(spec.files_fingerprint().as_bytes(), Access::Public));
    }
    Container {
        id: format!("id-{}", spec.component),
        name: spec.container.name.clone(),
        component: Some(spec.component),
        demo: false,
        spec: Some(spec.container.clone()),
        image_id: format!("image-{}", spec.component),
        image: spec.container.image.clone(),
        network: NETWORK.to_owned(),
        attached: true,
        state: State::Running,
        files,
        ready: true,
        ports: Vec::new(),
    }
}

/// What is there when everything is as `stack` wants it.
fn converged(stack: &Stack) -> Observed {
    let specs = &stack.components;
    let volumes = specs.iter().flat_map(|spec| &spec.container.volumes);
    let dashboards = stack.grafana.as_ref().map_or(0, |content| content.dashboards.len());
    Observed {
        networks: vec![Network { id: NETWORK.to_owned(), name: stack.project.clone(), ours: true }],
        containers: specs.iter().map(container).collect(),
        volumes: volumes.map(|volume| (volume.name.clone(), true)).collect(),
        images: images(stack),
        grafana: stack.grafana.as_ref().map(|_| {
            Ok(GrafanaState {
                version: None,
                data_source: Item::Same,
                folder: Item::Same,
                dashboards: vec![Item::Same; dashboards],
            })
        }),
        ..Observed::default()
    }
}

fn images(stack: &Stack) -> BTreeMap<String, Option<String>> {
    let id = |spec: &ComponentSpec| (spec.container.image.clone(), Some(format!("image-{}", spec.component)));
    stack.components.iter().map(id).collect()
}

fn of(observed: &mut Observed, component: Component) -> &mut Container {
    observed.containers.iter_mut().find(|container| container.component == Some(component)).unwrap()
}

/// The plan's text with runs of spaces folded, so that a column's width is not what the tests are about.
fn text(plan: Result<Plan, Error>) -> String {
    let plan = plan.unwrap().to_string();
    plan.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn check(stack: &Stack, observed: &Observed, expected: &[&str]) {
    assert_eq!(text(reconcile(stack, observed, Pull::Missing)), expected.join("\n"));
}

#[test]
fn nothing_is_done_where_everything_is_right() {
    let stack = desired(|_| {});
    check(&stack, &converged(&stack), &[]);
}

#[test]
fn an_empty_engine_gets_everything() {
    let stack = desired(|_| {});
    let observed = Observed { images: images(&stack), ..Observed::default() };
    check(
        &stack,
        &observed,
        &[
            "project create moko-mon missing",
            "prometheus create moko-mon-prometheus missing",
            "prometheus write /etc/prometheus/rules/alerts-config.yml missing",
            "prometheus write /etc/prometheus/rules/stack-alerts.yml missing",
            "prometheus write /etc/prometheus/rules/canary.yml missing",
            "prometheus write /etc/prometheus/rules/watchdog.yml missing",
            "prometheus write /etc/prometheus/prometheus.yml missing",
            "prometheus start moko-mon-prometheus missing",
            "prometheus wait moko-mon-prometheus until it is ready",
            "alertmanager create moko-mon-alertmanager missing",
            "alertmanager write /etc/alertmanager/messages.tmpl missing",
            "alertmanager write /etc/alertmanager/alertmanager.yml missing",
            "alertmanager start moko-mon-alertmanager missing",
            "alertmanager wait moko-mon-alertmanager until it is ready",
            "pushgateway create moko-mon-pushgateway missing",
            "pushgateway start moko-mon-pushgateway missing",
            "pushgateway wait moko-mon-pushgateway until it is ready",
            "grafana create moko-mon-grafana missing",
            "grafana generate /run/secrets/moko-mon/admin-password missing",
            "grafana generate /run/secrets/moko-mon/secret-key missing",
            "grafana start moko-mon-grafana missing",
            "grafana wait moko-mon-grafana until it is ready",
            "grafana import data source moko-mon-prometheus checked once Grafana answers",
            "grafana import folder moko-mon checked once Grafana answers",
            "grafana import dashboard moko-standards-monitoring checked once Grafana answers",
        ],
    );
}

#[test]
fn a_file_alone_is_written_and_reloaded() {
    let before = desired(|_| {});
    let stack = desired(|config| config.prometheus.evaluation_interval = "30s".parse().unwrap());
    check(
        &stack,
        &converged(&before),
        &[
            "prometheus write /etc/prometheus/prometheus.yml content changed",
            "prometheus reload moko-mon-prometheus files changed",
            "prometheus wait moko-mon-prometheus until it is ready again",
        ],
    );
}

#[test]
fn a_changed_spec_replaces_that_one_container_and_says_what_changed() {
    let before = desired(|_| {});
    let stack = desired(|config| config.prometheus.retention_time = "30d".parse().unwrap());
    let cause = "command changed: --storage.tsdb.retention.time=15d → --storage.tsdb.retention.time=30d";
    check(
        &stack,
        &converged(&before),
        &[
            &format!("prometheus remove moko-mon-prometheus {cause}"),
            &format!("prometheus create moko-mon-prometheus {cause}"),
            &format!("prometheus start moko-mon-prometheus {cause}"),
            "prometheus wait moko-mon-prometheus until it is ready",
        ],
    );
}

#[test]
fn another_image_and_another_build_of_it_replace_the_container() {
    let before = desired(|_| {});
    let stack = desired(|config| config.pushgateway.image = Some("prom/pushgateway:v9".to_owned()));
    let mut observed = converged(&before);
    observed.images = images(&stack);
    let plan = text(reconcile(&stack, &observed, Pull::Missing));
    assert!(plan.starts_with(
        "pushgateway remove moko-mon-pushgateway image changed: prom/pushgateway:v1.11.3 → prom/pushgateway:v9"
    ));

    let mut observed = converged(&before);
    of(&mut observed, Component::Pushgateway).image_id = "an older build".to_owned();
    let plan = text(reconcile(&before, &observed, Pull::Missing));
    assert!(plan.contains("image changed: prom/pushgateway:v1.11.3 is another build now"), "{plan}");
}

#[test]
fn a_missing_image_is_pulled_unless_that_is_forbidden() {
    let stack = desired(|_| {});
    let mut observed = converged(&stack);
    observed.containers.retain(|container| container.component != Some(Component::Pushgateway));
    observed.images.insert("prom/pushgateway:v1.11.3".to_owned(), None);
    let plan = text(reconcile(&stack, &observed, Pull::Missing));
    assert!(plan.starts_with("pushgateway pull prom/pushgateway:v1.11.3 missing"), "{plan}");
    assert_eq!(
        reconcile(&stack, &observed, Pull::Never).unwrap_err().to_string(),
        "error: image `prom/pushgateway:v1.11.3` is not there\n  caused by: images.pull is `never`\n\
         hint: bring it with `docker pull prom/pushgateway:v1.11.3` or `docker load`, or set `images.pull: missing`"
    );
    assert_eq!(reconcile(&stack, &converged(&stack), Pull::Always).unwrap().pulls().count(), 4);
}

#[test]
fn a_container_that_does_not_run_is_brought_back_in_the_mildest_way() {
    let stack = desired(|_| {});
    let name = "moko-mon-alertmanager";
    for (state, first) in [
        (State::Exited, format!("alertmanager start {name} not running (exited)")),
        (State::Created, format!("alertmanager start {name} not running (created)")),
        (State::Paused, format!("alertmanager unpause {name} paused")),
        (State::Restarting, format!("alertmanager remove {name} in a crash loop")),
        (State::Dead, format!("alertmanager remove {name} half removed")),
    ] {
        let mut observed = converged(&stack);
        let container = of(&mut observed, Component::Alertmanager);
        container.state = state;
        container.ready = false;
        let plan = text(reconcile(&stack, &observed, Pull::Missing));
        assert_eq!(plan.lines().next(), Some(first.as_str()));
        assert_eq!(plan.lines().last(), Some(format!("alertmanager wait {name} until it is ready").as_str()));
    }
}

#[test]
fn a_running_server_that_is_not_ready_is_waited_for() {
    let stack = desired(|_| {});
    let mut observed = converged(&stack);
    of(&mut observed, Component::Prometheus).ready = false;
    check(&stack, &observed, &["prometheus wait moko-mon-prometheus until it is ready"]);
}

#[test]
fn a_delivery_that_was_cut_off_before_the_proof_is_proved_now() {
    let stack = desired(|_| {});
    let mut observed = converged(&stack);
    let marker = "/etc/prometheus/.moko-mon-applied".to_owned();
    of(&mut observed, Component::Prometheus).files.insert(marker, file(b"earlier", Access::Public));
    check(
        &stack,
        &observed,
        &[
            "prometheus reload moko-mon-prometheus not proved to be read yet",
            "prometheus wait moko-mon-prometheus until it is ready again",
        ],
    );
}

#[test]
fn what_was_changed_or_left_behind_our_back_is_put_right() {
    let stack = desired(|_| {});
    let mut observed = converged(&stack);
    let files = &mut of(&mut observed, Component::Prometheus).files;
    files.remove("/etc/prometheus/rules/alerts-config.yml");
    files.insert("/run/secrets/moko-mon/old-token".to_owned(), file(b"token", Access::Public));
    files.get_mut("/etc/prometheus/prometheus.yml").unwrap().owner = (0, 0, 0o666);
    check(
        &stack,
        &observed,
        &[
            "prometheus write /etc/prometheus/rules/alerts-config.yml missing",
            "prometheus write /etc/prometheus/prometheus.yml owner or mode changed",
            "prometheus clear /run/secrets/moko-mon/old-token no longer wanted",
            "prometheus reload moko-mon-prometheus files changed",
            "prometheus wait moko-mon-prometheus until it is ready again",
        ],
    );
}

#[test]
fn a_changed_secret_restarts_the_server_that_reads_it() {
    let with = |content: &str| {
        desired(|config| {
            let token = UserFile { path: "t".into(), name: "t".to_owned(), content: content.as_bytes().to_vec() };
            config.targets = vec![Target {
                job: "app".to_owned(),
                address: "a:1".to_owned(),
                scheme: "http".to_owned(),
                metrics_path: "/metrics".to_owned(),
                labels: BTreeMap::new(),
                auth: Some(TargetAuth::Bearer { token }),
            }];
        })
    };
    check(
        &with("new"),
        &converged(&with("old")),
        &[
            "prometheus write /run/secrets/moko-mon/t content changed",
            "prometheus restart moko-mon-prometheus a secret changed",
            "prometheus wait moko-mon-prometheus until it is ready again",
        ],
    );
}

#[test]
fn a_lost_or_duplicate_network_is_healed() {
    let stack = desired(|_| {});
    let mut observed = converged(&stack);
    observed.networks.clear();
    let plan = text(reconcile(&stack, &observed, Pull::Missing));
    assert!(
        plan.starts_with("project create moko-mon missing\nprometheus remove moko-mon-prometheus its network is gone")
    );

    let mut observed = converged(&stack);
    of(&mut observed, Component::Pushgateway).attached = false;
    let plan = text(reconcile(&stack, &observed, Pull::Missing));
    assert!(plan.starts_with("pushgateway remove moko-mon-pushgateway not attached to its network"), "{plan}");

    let mut observed = converged(&stack);
    observed.networks.push(Network { id: "n2".to_owned(), name: "moko-mon".to_owned(), ours: true });
    check(&stack, &observed, &["project remove moko-mon duplicate of the project's network"]);
}

#[test]
fn leftovers_are_removed_and_a_component_that_is_switched_off_is_one() {
    let before = desired(|_| {});
    let stack = desired(|config| config.grafana.enabled = false);
    let mut observed = converged(&before);
    let mut check_container = container(&before.components[0]);
    check_container.component = None;
    check_container.name = "clever_name".to_owned();
    observed.containers.push(check_container);
    let plan = text(reconcile(&stack, &observed, Pull::Missing));
    assert!(plan.contains("project remove moko-mon-grafana no longer part of the stack"), "{plan}");
    assert!(plan.contains("project remove clever_name leftover of an interrupted check"), "{plan}");
}

#[test]
fn grafana_gets_back_what_was_changed_or_deleted_in_it() {
    let stack = desired(|_| {});
    let mut observed = converged(&stack);
    if let Some(Ok(state)) = &mut observed.grafana {
        state.folder = Item::Missing;
        state.dashboards[0] = Item::Different("`title` differs".to_owned());
    }
    check(
        &stack,
        &observed,
        &[
            "grafana import folder moko-mon missing",
            "grafana import dashboard moko-standards-monitoring `title` differs",
        ],
    );
}

#[test]
fn names_that_are_taken_by_others_are_refused_all_at_once() {
    let stack = desired(|_| {});
    let mut observed = converged(&stack);
    observed.foreign_containers.push("moko-mon-grafana".to_owned());
    observed.volumes.insert("moko-mon-prometheus-data".to_owned(), false);
    let error = reconcile(&stack, &observed, Pull::Missing).unwrap_err();
    assert_eq!(
        error.to_string(),
        "error: project `moko-mon` cannot use a name that is taken\n  \
         caused by: container `moko-mon-grafana` exists and was not made by project `moko-mon` of moko-mon\n  \
         caused by: volume `moko-mon-prometheus-data` exists and was not made by project `moko-mon` of moko-mon\n\
         hint: choose another name with `--project NAME`, or, if nobody needs it, remove it with \
         `docker rm moko-mon-grafana`"
    );
}

#[test]
fn held_ports_are_refused_only_where_they_are_needed() {
    let stack = desired(|_| {});
    let mut observed = converged(&stack);
    observed.held_ports.insert(3000, "container `legacy-grafana`".to_owned());
    check(&stack, &observed, &[]);
    observed.containers.retain(|container| container.component != Some(Component::Grafana));
    assert_eq!(
        reconcile(&stack, &observed, Pull::Missing).unwrap_err().to_string(),
        "error: a port that the stack needs is taken\n  caused by: host port 3000 is held by container `legacy-grafana`\n\
         hint: stop it with `docker stop legacy-grafana`, or set `grafana.port` in moko-mon.yaml to a free port"
    );
}
