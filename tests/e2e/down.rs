//! Taking the stack away, from any state.

use crate::support::docker::{attempt, docker};
use crate::support::stack::image;
use crate::support::{ALL, Stack};

#[test]
fn down_keeps_data_and_password_and_the_next_up_has_them() {
    let stack = Stack::new("keep");
    stack.up();
    stack.push("e2e_kept", "5");
    let (volumes, password) = (stack.volumes(), stack.password());
    let output = stack.run(&["down"]).code(0);
    assert_eq!((stack.containers(), stack.networks(), stack.volumes()), (vec![], vec![], volumes));
    assert!(output.stdout.contains("--volumes"), "{output}");
    stack.up();
    stack.assert_converged(&ALL);
    assert_eq!(stack.password(), password);
    assert_eq!(stack.grafana("GET", "/api/org", None).0, 200);
    assert_eq!(stack.sample("last_over_time(e2e_kept[15m])")["value"][1], "5");
    // Also what the Pushgateway held.
    assert_eq!(stack.sample("e2e_kept")["value"][1], "5");
}

#[test]
fn down_needs_no_configuration_and_removes_data_only_on_a_clear_yes() {
    let stack = Stack::without_grafana("noconf");
    stack.up();
    let (lives, volumes) = (stack.lives(), stack.volumes());
    let output = stack.run(&["down", "--volumes"]).code(2);
    assert_eq!((stack.lives(), stack.volumes()), (lives, volumes.clone()));
    output.says(&["--yes"]);
    // Neither does a broken one stand in the way of a project that is named.
    stack.config("this: [is not what");
    stack.run(&["down", "--project", &stack.name]).code(0);
    assert_eq!((stack.containers(), stack.volumes()), (vec![], volumes));
    // From another folder, with nothing but the name.
    let elsewhere = tempfile::tempdir().unwrap();
    let mut down = stack.command(&["down", "--volumes", "--yes", "--project", &stack.name]);
    let down = down.current_dir(elsewhere.path()).output().unwrap();
    assert!(down.status.success(), "{}", String::from_utf8_lossy(&down.stderr));
    stack.assert_nothing_there();
    std::fs::remove_file(stack.directory.path().join("moko-mon.yaml")).unwrap();
    let again = stack.run(&["down", "--volumes", "--yes"]).code(0);
    assert!(again.stdout.contains("nothing to remove"), "{again}");
}

#[test]
fn down_works_from_every_state_that_a_crash_can_leave() {
    let stack = Stack::without_grafana("half");
    let label = format!("moko-mon.project={}", stack.name);
    let down = || {
        stack.run(&["down", "--volumes", "--yes"]).code(0);
        stack.assert_nothing_there();
    };
    // Only the network.
    docker(&["network", "create", "--label", &label, &stack.name]);
    down();
    // Containers that were created and never started, one of a check, and a network twice.
    docker(&["network", "create", "--label", &label, &stack.name]);
    let _ = attempt(&["network", "create", "--label", &label, &stack.name]);
    for name in ["prometheus", "pushgateway"] {
        let of = format!("moko-mon.component={name}");
        let volume = format!("{}-{name}-data", stack.name);
        docker(&["volume", "create", "--label", &label, &volume]);
        docker(&[
            "create",
            "--label",
            &label,
            "--label",
            &of,
            "--network",
            &stack.networks()[0],
            "--volume",
            &format!("{volume}:/data"),
            "--name",
            &stack.container(name),
            &image(name),
        ]);
    }
    docker(&["create", "--label", &label, "--label", "moko-mon.check=true", &image("prometheus")]);
    down();
    // Some gone, some stopped, some paused, one killed.
    stack.up();
    docker(&["rm", "--force", &stack.container("prometheus")]);
    docker(&["pause", &stack.container("alertmanager")]);
    docker(&["kill", &stack.container("pushgateway")]);
    down();
    // Only volumes.
    stack.up();
    stack.run(&["down"]).code(0);
    down();
}
