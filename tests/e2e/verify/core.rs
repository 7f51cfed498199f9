//! Faults of the engine: containers that do not run, and what is open that should not be.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{checks, evidence, failing, healthy, says, scraped, with_outcome};
use crate::support::docker::{Image, attempt};
use crate::support::stack::image;
use crate::support::{Stack, docker, eventually, http, when};

#[test]
fn a_container_that_is_stopped_paused_or_gone_is_one_failure() {
    let stack = Stack::without_grafana("v-stopped");
    stack.up();
    let checks = healthy(&stack);
    assert_eq!(with_outcome(&checks, "fail"), BTreeSet::new());
    let (pushgateway, alertmanager) = (stack.container("pushgateway"), stack.container("alertmanager"));

    docker(&["stop", &pushgateway]);
    let checks = failing(&stack, &["engine.running.pushgateway"]);
    says(&checks, "engine.running.pushgateway", &["is not running", "it exited with code"]);
    says(&checks, "pushgateway.ready", &["needs `engine.running.pushgateway`, which is `fail`"]);
    docker(&["start", &pushgateway]);

    docker(&["pause", &alertmanager]);
    scraped(&stack, "pushgateway");
    let checks = failing(&stack, &["engine.running.alertmanager"]);
    says(&checks, "engine.running.alertmanager", &["is paused"]);
    docker(&["unpause", &alertmanager]);

    docker(&["rm", "--force", &pushgateway]);
    scraped(&stack, "alertmanager");
    let checks = failing(&stack, &["engine.running.pushgateway"]);
    says(&checks, "engine.running.pushgateway", &["there is no container"]);
    stack.up();
    healthy(&stack);
}

#[test]
fn crash_loops_are_told_with_their_reason() {
    let mut stack = Stack::without_grafana("v-crash");
    let base = image("pushgateway");
    let crash = "ENTRYPOINT [\"/bin/sh\", \"-c\", \"echo cannot find my hat; exit 7\"]";
    let crashing = Image::build(&format!("moko-mon-e2e/{}:crash", stack.name), &base, crash);
    // Reads without end into one variable.
    let hunger = "ENTRYPOINT [\"/bin/sh\", \"-c\", \"x=0123456789abcdef; while :; do x=$x$x; done\"]";
    let hungry = Image::build(&format!("moko-mon-e2e/{}:hungry", stack.name), &base, hunger);
    stack.up();
    healthy(&stack);

    stack.set("MOKO_MON_PUSHGATEWAY_IMAGE", &crashing.name);
    stack.run(&["up"]).code(1);
    in_loop(&stack);
    let checks = failing(&stack, &["engine.running.pushgateway"]);
    says(&checks, "engine.running.pushgateway", &["is in a crash loop", "cannot find my hat"]);

    stack.set("MOKO_MON_PUSHGATEWAY_IMAGE", &hungry.name);
    stack.set("MOKO_MON_PUSHGATEWAY_MEMORY", "32MiB");
    stack.run(&["up"]).code(1);
    in_loop(&stack);
    eventually("it is told that memory ran out", || {
        let text = evidence(&failing(&stack, &["engine.running.pushgateway"]), "engine.running.pushgateway");
        when(text.contains("it was killed for using more than its 32 MiB of memory"), text)
    });
}

/// Waits until the engine has started the Pushgateway again a few times.
#[track_caller]
fn in_loop(stack: &Stack) {
    eventually("a crash loop", || {
        let count = stack.inspect("pushgateway")["RestartCount"].as_i64();
        when(count > Some(2), count)
    });
}

#[test]
fn what_is_open_wider_than_configured_is_told() {
    let stack = Stack::without_grafana("v-open");
    stack.up();
    healthy(&stack);
    let open = format!("0.0.0.0:{}:9091", stack.port("pushgateway"));
    made_anew(&stack, "pushgateway", &open, &[], &[]);
    let checks = failing(&stack, &["exposure.ports"]);
    says(&checks, "exposure.ports", &["is open to the network", &format!("0.0.0.0:{}", stack.port("pushgateway"))]);

    docker(&["rm", "--force", &stack.container("pushgateway")]);
    stack.up();
    healthy(&stack);
    let closed = format!("127.0.0.1:{}:9091", stack.port("pushgateway"));
    made_anew(&stack, "pushgateway", &closed, &[], &["--web.enable-admin-api"]);
    let checks = failing(&stack, &["exposure.admin_api"]);
    says(&checks, "exposure.admin_api", &["Pushgateway: whoever reaches it can delete all that was pushed"]);
}

/// Makes a container anew by hand: with this published port, further options and arguments, and all the rest as it was.
#[track_caller]
fn made_anew(stack: &Stack, component: &str, publish: &str, options: &[&str], arguments: &[&str]) {
    let was = stack.inspect(component);
    let name = stack.container(component);
    docker(&["rm", "--force", &name]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut run = vec!["run".to_owned(), "--detach".to_owned(), format!("--name={name}")];
    run.push(format!("--network={}", text(&was["HostConfig"]["NetworkMode"])));
    run.push(format!("--network-alias={component}"));
    run.push(format!("--publish={publish}"));
    for (key, value) in was["Config"]["Labels"].as_object().unwrap() {
        run.push(format!("--label={key}={}", text(value)));
    }
    for mount in was["Mounts"].as_array().unwrap() {
        run.push(format!("--volume={}:{}", text(&mount["Name"]), text(&mount["Destination"])));
    }
    for variable in was["Config"]["Env"].as_array().into_iter().flatten() {
        run.push(format!("--env={}", text(variable)));
    }
    run.push(format!("--user={}", text(&was["Config"]["User"])));
    // Of two values of a variable, the later one counts.
    run.extend(options.iter().map(|&option| option.to_owned()));
    run.push(text(&was["Config"]["Image"]));
    run.extend(was["Config"]["Cmd"].as_array().into_iter().flatten().map(text));
    run.extend(arguments.iter().map(|&argument| argument.to_owned()));
    docker(&run.iter().map(String::as_str).collect::<Vec<_>>());
    eventually("it serves again", || {
        let path = if component == "grafana" { "/api/health" } else { "/-/ready" };
        let answer = http::get(&format!("{}{path}", stack.url(component)));
        when(answer.0 == 200, answer)
    });
    scraped(stack, component);
}

#[test]
fn a_grafana_that_shows_itself_to_everybody_is_told() {
    let stack = Stack::new("v-anonymous");
    stack.up();
    healthy(&stack);
    let port = format!("127.0.0.1:{}:3000", stack.port("grafana"));
    made_anew(&stack, "grafana", &port, &["--env=GF_AUTH_ANONYMOUS_ENABLED=true"], &[]);
    let checks = failing(&stack, &["exposure.anonymous"]);
    says(&checks, "exposure.anonymous", &["/api/search?limit=1` without a login was answered with HTTP 200"]);
}

#[test]
fn a_stack_that_is_seconds_old_is_not_called_broken() {
    let stack = Stack::without_grafana("v-fresh");
    stack.up();
    for _ in 0..3 {
        let found = checks(&stack);
        assert_eq!(with_outcome(&found, "fail"), BTreeSet::new(), "{found:#?}");
    }
    // Nor is one that was just started again.
    attempt(&["restart", &stack.container("prometheus")]);
    eventually("it serves again", || {
        let answer = http::get(&format!("{}/-/ready", stack.url("prometheus")));
        when(answer.0 == 200, answer)
    });
    let found = checks(&stack);
    assert_eq!(with_outcome(&found, "fail"), BTreeSet::new(), "{found:#?}");
}
