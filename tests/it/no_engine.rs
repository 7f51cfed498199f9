//! No engine, or not one that we can use: exit 3, the address tried, why it failed, and the fix.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use crate::support::{Engine, Lab};

#[test]
fn a_missing_socket_is_named() {
    let lab = Lab::new();
    let output = lab.command(&["up"]).env("DOCKER_HOST", "unix:///nonexistent/docker.sock").run();
    insta::assert_snapshot!(output.text(), @"
    exit 3
    --- stdout

    --- stderr
    error: no Docker engine answers
      caused by: tried unix:///nonexistent/docker.sock (DOCKER_HOST): the socket does not exist
    hint: start Docker (`sudo systemctl start docker`, or Docker Desktop), or set DOCKER_HOST to where it listens
    ");
}

#[test]
fn every_command_that_needs_an_engine_says_so_in_json_too() {
    let lab = Lab::new();
    let commands: [&[&str]; 8] = [
        &["rules", "test"],
        &["up"],
        &["up", "--dry-run"],
        &["down"],
        &["status"],
        &["logs"],
        &["open", "grafana"],
        &["password", "show"],
    ];
    for arguments in commands {
        let arguments = [arguments, &["--output", "json"]].concat();
        let output = lab.command(&arguments).env("DOCKER_HOST", "unix:///nonexistent/docker.sock").run();
        assert_eq!(output.code(), 3, "{}", output.text());
        assert_eq!(output.stderr, "");
        let envelope = output.envelope();
        assert_eq!(envelope["error"]["code"], "engine_unreachable");
        assert_eq!(envelope["data"], serde_json::Value::Null);
    }
}

#[test]
fn a_socket_without_permission_is_named() {
    let lab = Lab::new();
    let socket = lab.path("docker.sock");
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o000)).unwrap();
    let mut run = lab.command(&["status"]);
    if std::fs::metadata(&socket).unwrap().uid() == 0 {
        // Root may connect to anything, so somebody else tries.
        std::fs::set_permissions(lab.path("."), std::fs::Permissions::from_mode(0o755)).unwrap();
        run = run.by_nobody();
    }
    insta::assert_snapshot!(run.run().text(), @"
    exit 3
    --- stdout

    --- stderr
    error: no Docker engine answers
      caused by: tried unix://[folder]/docker.sock (DOCKER_HOST): permission denied
    hint: run it with sudo, or join the group with `sudo usermod -aG docker $USER` and log in again (members of that group are as powerful as root)
    ");
}

#[test]
fn a_port_and_a_socket_where_nothing_listens_are_named() {
    let lab = Lab::new();
    let address = format!("tcp://127.0.0.1:{}", lab.ports.grafana);
    insta::assert_snapshot!(lab.command(&["status"]).env("DOCKER_HOST", address).run().text(), @"
    exit 3
    --- stdout

    --- stderr
    error: no Docker engine answers
      caused by: tried tcp://127.0.0.1:3000 (DOCKER_HOST): connection refused, nothing listens there
    hint: start Docker (`sudo systemctl start docker`, or Docker Desktop)
    ");
    let left = lab.path("left.sock");
    drop(std::os::unix::net::UnixListener::bind(&left).unwrap());
    let output = lab.command(&["status"]).env("DOCKER_HOST", format!("unix://{}", left.display())).run();
    insta::assert_snapshot!(output.text(), @"
    exit 3
    --- stdout

    --- stderr
    error: no Docker engine answers
      caused by: tried unix://[folder]/left.sock (DOCKER_HOST): connection refused, nothing listens there
    hint: start Docker (`sudo systemctl start docker`, or Docker Desktop)
    ");
}

#[test]
fn something_else_that_listens_is_not_taken_for_an_engine() {
    let page =
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 13\r\nconnection: close\r\n\r\n<html></html>";
    insta::assert_snapshot!(against(page), @"
    exit 3
    --- stdout

    --- stderr
    error: no Docker engine answers
      caused by: tried tcp://127.0.0.1:3000 (DOCKER_HOST): Failed to deserialize JSON: expected value at line 1 column 1
    hint: see whether `docker info` works, and whether DOCKER_HOST names a Docker engine
    ");
    let other = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 17\r\nconnection: close\r\n\r\n{\"version\":\"3.1\"}";
    insta::assert_snapshot!(against(other), @"
    exit 3
    --- stdout

    --- stderr
    error: no Docker engine answers
      caused by: tried tcp://127.0.0.1:3000 (DOCKER_HOST): something else listens there
    hint: see whether DOCKER_HOST names a Docker engine
    ");
    insta::assert_snapshot!(against("SSH-2.0-OpenSSH_9.2\r\n"), @"
    exit 3
    --- stdout

    --- stderr
    error: no Docker engine answers
      caused by: tried tcp://127.0.0.1:3000 (DOCKER_HOST): invalid HTTP version parsed
    hint: see whether `docker info` works, and whether DOCKER_HOST names a Docker engine
    ");
    insta::assert_snapshot!(against(""), @"
    exit 3
    --- stdout

    --- stderr
    error: no Docker engine answers
      caused by: tried tcp://127.0.0.1:3000 (DOCKER_HOST): connection closed before message completed
    hint: see whether `docker info` works, and whether DOCKER_HOST names a Docker engine
    ");
}

/// `status` where a server gives this answer to everything.
fn against(answer: &'static str) -> String {
    let lab = Lab::new();
    let listener = TcpListener::bind(("127.0.0.1", lab.ports.grafana)).unwrap();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    let address = format!("tcp://127.0.0.1:{}", lab.ports.grafana);
    lab.command(&["status"]).env("DOCKER_HOST", address).run().text()
}

#[test]
fn an_engine_that_is_too_old_or_too_new_is_refused_by_name() {
    let lab = Lab::new();
    lab.engine.with(|state| state.api_version = "1.40".to_owned());
    insta::assert_snapshot!(lab.run(&["up"]).text(), @"
    exit 3
    --- stdout

    --- stderr
    error: the Docker engine is too old
      caused by: it speaks API 1.40; moko-mon needs 1.41 or newer
    hint: update to Docker Engine 20.10 or newer
    ");
    lab.engine.with(|state| {
        state.api_version = "1.99".to_owned();
        state.min_api_version = "1.98".to_owned();
    });
    insta::assert_snapshot!(lab.run(&["up"]).text(), @"
    exit 3
    --- stdout

    --- stderr
    error: the Docker engine is too new for this moko-mon
      caused by: it speaks API 1.98 and newer; moko-mon speaks up to 1.53
    hint: update moko-mon
    ");
    assert_eq!(lab.engine.writes(""), [""; 0]);
}

#[test]
fn addresses_that_cannot_be_used_are_named() {
    let lab = Lab::new();
    insta::assert_snapshot!(lab.command(&["status"]).env("DOCKER_HOST", "ssh://build").run().text(), @"
    exit 3
    --- stdout

    --- stderr
    error: cannot use this kind of engine address
      caused by: DOCKER_HOST is `ssh://build`; moko-mon speaks `unix://` and plain `tcp://`
    hint: forward the socket, for example `ssh -NL /tmp/docker.sock:/var/run/docker.sock HOST`, and set DOCKER_HOST=unix:///tmp/docker.sock
    ");
    let output = lab.command(&["status"]).without("DOCKER_HOST").env("DOCKER_CONTEXT", "nowhere").run();
    insta::assert_snapshot!(output.text(), @"
    exit 3
    --- stdout

    --- stderr
    error: Docker context `nowhere` has no address
    hint: list the contexts with `docker context ls`, or set DOCKER_HOST
    ");
}

#[test]
fn an_engine_over_tcp_and_any_supported_version_work() {
    let lab = Lab::new();
    for (newest, oldest) in [("1.41", "1.12"), ("1.51", "1.24"), ("1.52", "1.44"), ("1.99", "1.44")] {
        let (engine, address) = Engine::on_tcp();
        engine.with(|state| {
            state.api_version = newest.to_owned();
            state.min_api_version = oldest.to_owned();
        });
        lab.command(&["up", "--dry-run"]).env("DOCKER_HOST", address).run().succeeds();
        let versions = engine.with(|state| {
            let calls = state.calls.iter().filter(|call| call.line != "GET /version" && call.line != "GET /info");
            calls.map(|call| call.version.clone()).collect::<std::collections::BTreeSet<_>>()
        });
        let newest_known = if newest == "1.99" { bollard::API_DEFAULT_VERSION.to_string() } else { newest.to_owned() };
        assert_eq!(versions, [Some(newest_known)].into());
    }
}
