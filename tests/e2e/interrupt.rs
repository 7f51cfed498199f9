//! Ctrl-C and SIGTERM: no new step, a clear status, and the next `up` goes on.

use crate::support::docker::Image;
use crate::support::stack::image;
use crate::support::{ALL, Stack};

#[test]
fn an_interrupt_between_steps_ends_with_130_or_143_and_up_goes_on() {
    let stack = Stack::new("int");
    for (signal, code, line) in [("INT", 130, "project       create"), ("TERM", 143, "create    ")] {
        let mut up = stack.start(&["up"]);
        up.until(line);
        up.signal(signal);
        let output = up.end();
        assert_eq!(output.code, code, "{output}");
        assert!(output.stderr.contains("interrupted"), "{output}");
        stack.up();
        stack.assert_converged(&ALL);
        stack.run(&["down", "--volumes", "--yes"]).code(0);
    }
}

#[test]
fn an_interrupt_while_waiting_for_a_server_ends_the_wait() {
    let mut stack = Stack::without_grafana("wait");
    let mute = Image::build(
        &format!("moko-mon-e2e/{}:mute", stack.name),
        &image("pushgateway"),
        "ENTRYPOINT [\"/bin/sh\", \"-c\", \"trap 'exit 0' TERM; while :; do sleep 0.1; done\"]",
    );
    stack.set("MOKO_MON_PUSHGATEWAY_IMAGE", &mute.name);
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let mut up = stack.start(&["up"]);
        up.until("waiting");
        up.signal(signal);
        let output = up.end();
        assert_eq!(output.code, code, "{output}");
    }
    // A wait that ends by itself says what came back and what to look at.
    let output = stack.run(&["up", "--wait", "1s"]).code(1);
    output.says(&["Pushgateway was not ready after", "moko-mon logs pushgateway", "--wait"]);
    stack.set("MOKO_MON_PUSHGATEWAY_IMAGE", &image("pushgateway"));
    stack.up();
    stack.assert_converged(&["prometheus", "alertmanager", "pushgateway"]);
}
