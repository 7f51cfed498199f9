//! No engine, or not one that we can use: exit 3, the address tried, why it failed, and the fix.

use crate::support::{Engine, Lab};

#[test]
fn a_missing_socket_is_named() {
    let lab = Lab::new();
    let output = lab.command(&["up"]).env("DOCKER_HOST", "unix:///nonexistent/docker.sock").run();
    insta::assert_snapshot!(output.text(), @"");
}
