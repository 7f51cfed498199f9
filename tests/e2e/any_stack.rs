//! `verify` of servers that moko-mon did not make: by their addresses alone, behind a path, a login and TLS.

use serde_json::Value;

use crate::support::docker::{Foreign, docker, put_file};
use crate::support::stack::{free_port, image};
use crate::support::{Stack, eventually, http, when};

/// `hunter2` by bcrypt, at its lowest cost.
const HASH: &str = "$2b$04$i80FMF7r2MtVI7rzt2JY.OcoQqftoYuE2sUbKuLG/jkGvoVr6rh/a";
const TLS: [(&str, &str); 3] = [
    ("ca.pem", include_str!("tls/ca.pem")),
    ("server.pem", include_str!("tls/server.pem")),
    ("server.key", include_str!("tls/server.key")),
];

/// A server of somebody else on a port of this host, with these files in `/tmp`.
fn serve(component: &str, port: u16, inside: u16, files: &[(&str, String)], flags: &[&str]) -> Foreign {
    let publish = format!("127.0.0.1:{port}:{inside}");
    let binary = format!("/bin/{component}");
    let image = image(component);
    let create = ["create", "--publish", &publish, "--entrypoint", &binary, &image];
    let container = Foreign { id: docker(&[&create[..], flags].concat()) };
    for (name, content) in files {
        put_file(&container.id, "/tmp", name, content);
    }
    docker(&["start", &container.id]);
    container
}

#[test]
fn servers_behind_a_path_a_login_and_tls_are_verified_by_their_addresses() {
    let stack = Stack::new("foreign");
    for (name, content) in TLS {
        stack.write(name, content);
    }
    stack.write("password", "hunter2\n");
    stack.write("wrong", "hunter3\n");
    let [prometheus, alertmanager, pushgateway] = [free_port(), free_port(), free_port()];
    let web = format!(
        "tls_server_config: {{cert_file: server.pem, key_file: server.key}}\nbasic_auth_users: {{ci: '{HASH}'}}\n"
    );
    let mut files: Vec<(&str, String)> = TLS.map(|(name, content)| (name, content.to_owned())).to_vec();
    files.push(("web.yml", web));
    files.push(("prometheus.yml", "global: {scrape_interval: 1s}\n".to_owned()));
    files.push(("alertmanager.yml", "route: {receiver: a}\nreceivers: [{name: a}]\n".to_owned()));
    let _servers = [
        serve(
            "prometheus",
            prometheus,
            9090,
            &files,
            &[
                "--config.file=/tmp/prometheus.yml",
                "--storage.tsdb.path=/tmp/data",
                "--web.config.file=/tmp/web.yml",
                "--web.external-url=https://127.0.0.1/prom",
            ],
        ),
        serve(
            "alertmanager",
            alertmanager,
            9093,
            &files,
            &[
                "--config.file=/tmp/alertmanager.yml",
                "--storage.path=/tmp/data",
                "--cluster.listen-address=",
                "--web.external-url=http://127.0.0.1/am",
            ],
        ),
        serve("pushgateway", pushgateway, 9091, &files, &["--web.config.file=/tmp/web.yml"]),
    ];
    eventually("Alertmanager answers", || {
        let answer = http::get(&format!("http://127.0.0.1:{alertmanager}/am/-/ready"));
        when(answer.0 == 200, answer)
    });
    let urls = [
        format!("--prometheus-url=https://127.0.0.1:{prometheus}/prom/"),
        format!("--alertmanager-url=http://127.0.0.1:{alertmanager}/am"),
        format!("--pushgateway-url=https://127.0.0.1:{pushgateway}"),
    ];
    let verify_only = |ready: &str, flags: &[&str]| {
        let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
        // Nobody asks an engine.
        let mut command = stack.command(&[&["verify", "--output=json", "--only", ready][..], &urls, flags].concat());
        let output = command.env("DOCKER_HOST", "unix:///nowhere").output().unwrap();
        let envelope: Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code().unwrap(), envelope)
    };
    let verify = |flags: &[&str]| verify_only("prometheus.ready,alerting.ready,pushgateway.ready", flags);
    let check = |envelope: &Value, id: &str| {
        let checks = envelope["data"]["checks"].as_array().unwrap().iter();
        checks.clone().find(|check| check["id"] == id).cloned().unwrap()
    };
    let login = ["--username=ci", "--password-file=password"];
    eventually("all are verified", || {
        let (code, envelope) = verify(&[&login[..], &["--ca-file=ca.pem"]].concat());
        when(code == 0 && envelope["data"]["summary"]["pass"] == 3, envelope)
    });
    // What is asked for by name and not given is no success.
    let (code, envelope) = verify_only("grafana.ready", &[&login[..], &["--ca-file=ca.pem"]].concat());
    let skipped = check(&envelope, "grafana.ready");
    assert_eq!((&skipped["outcome"], &skipped["evidence"]), (&"skip".into(), &"no Grafana is given".into()));
    assert_eq!(code, 1);

    // Whom nobody vouches for is not asked, and the password not sent.
    let (code, envelope) = verify(&login);
    let refused = check(&envelope, "prometheus.ready");
    assert_eq!(code, 1);
    assert!(refused["evidence"].as_str().unwrap().ends_with("invalid peer certificate: UnknownIssuer"), "{refused}");
    assert_eq!(refused["hint"], "give the certificate of who signed the server's with `--ca-file FILE`");
    assert_eq!(check(&envelope, "alerting.ready")["outcome"], "pass");

    // The login of one server is not that of the others.
    let one = ["--ca-file=ca.pem", "--password-file=pushgateway=wrong"];
    let (code, envelope) = verify(&[&login[..], &one].concat());
    assert_eq!(code, 1);
    assert_eq!(check(&envelope, "prometheus.ready")["outcome"], "pass", "{envelope:#}");
    let refused = check(&envelope, "pushgateway.ready");
    assert!(refused["evidence"].as_str().unwrap().ends_with("HTTP 401: Unauthorized"), "{refused}");
    assert_eq!(refused["hint"], "give a login: `--username NAME --password-file FILE`, or `--token-file FILE`");
    assert!(!envelope.to_string().contains("hunter"));
}
