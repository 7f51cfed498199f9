//! Targets, secrets and the user's own files.

use super::super::*;
use super::{Case, mode, refusals};

#[test]
fn addresses_of_targets() {
    let address = |address: &str| format!("targets: [{{job: a, address: '{address}'}}]\n");
    let wrong = [
        "backup",
        "backup.example.com",
        "https://ci.example.com/metrics",
        "a:0",
        "a:70000",
        "a:x",
        ":9100",
        "a:",
        "a:1/metrics",
        "ftp://a:1",
        "http://user:hunter2@a:1",
        "user:hunter2@a:1",
        "http://a:1/m?x=y",
        "http://a:1/m#x",
        "a b:1",
        "::1:9100",
        "[::1]",
        "[::g]:1",
        "bücher.example:80",
        "http://",
        "http:///x",
        "-a:1",
    ];
    let texts: Vec<String> = wrong.iter().map(|text| address(text)).collect();
    insta::assert_snapshot!(refusals(&texts.iter().map(String::as_str).collect::<Vec<_>>()), @r#"
    moko-mon.yaml:1:29: targets[0].address: `backup` has no port; expected `host:port`, or a URL such as `https://host:port/metrics`
    moko-mon.yaml:1:29: targets[0].address: `backup.example.com` has no port; expected `host:port`, or a URL such as `https://host:port/metrics`
    moko-mon.yaml:1:29: targets[0].address: `https://ci.example.com/metrics` has no port; expected `host:port`, or a URL such as `https://host:port/metrics`
    moko-mon.yaml:1:29: targets[0].address: `a:0` has the invalid port `0`; expected a whole number from 1 to 65535
    moko-mon.yaml:1:29: targets[0].address: `a:70000` has the invalid port `70000`; expected a whole number from 1 to 65535
    moko-mon.yaml:1:29: targets[0].address: `a:x` has the invalid port `x`; expected a whole number from 1 to 65535
    moko-mon.yaml:1:29: targets[0].address: `:9100` has no port; expected `host:port`, or a URL such as `https://host:port/metrics`
    moko-mon.yaml:1:29: targets[0].address: `a:` has no port; expected `host:port`, or a URL such as `https://host:port/metrics`
    moko-mon.yaml:1:29: targets[0].address: `a:1/metrics` has a path but no scheme; expected `host:port`, or a URL such as `https://host:port/metrics`
    moko-mon.yaml:1:29: targets[0].address: `ftp://a:1` has the unknown scheme `ftp`; expected `host:port`, or a URL such as `https://host:port/metrics`
    moko-mon.yaml:1:29: targets[0].address: the address has credentials in it; expected an address without credentials: they go to `basic_auth` or `bearer_token_file`
    moko-mon.yaml:1:29: targets[0].address: the address has credentials in it; expected an address without credentials: they go to `basic_auth` or `bearer_token_file`
    moko-mon.yaml:1:29: targets[0].address: `http://a:1/m?x=y` has more than a path behind the port; expected `host:port`, or a URL such as `https://host:port/metrics`
    moko-mon.yaml:1:29: targets[0].address: `http://a:1/m#x` has more than a path behind the port; expected `host:port`, or a URL such as `https://host:port/metrics`
    moko-mon.yaml:1:29: targets[0].address: `a b:1` has no valid host; expected `host:port`, or a URL such as `https://host:port/metrics`
    moko-mon.yaml:1:29: targets[0].address: `::1:9100` has no port; expected `host:port`, or a URL such as `https://host:port/metrics`
    moko-mon.yaml:1:29: targets[0].address: `[::1]` has no port; expected `host:port`, or a URL such as `https://host:port/metrics`
    moko-mon.yaml:1:29: targets[0].address: `[::g]:1` has no valid host; expected `host:port`, or a URL such as `https://host:port/metrics`
    moko-mon.yaml:1:29: targets[0].address: `bücher.example:80` has no valid host; expected `host:port`, or a URL such as `https://host:port/metrics`
    moko-mon.yaml:1:29: targets[0].address: `http://` has no port; expected `host:port`, or a URL such as `https://host:port/metrics`
    moko-mon.yaml:1:29: targets[0].address: `http:///x` has no port; expected `host:port`, or a URL such as `https://host:port/metrics`
    moko-mon.yaml:1:29: targets[0].address: `-a:1` has no valid host; expected `host:port`, or a URL such as `https://host:port/metrics`
    "#);
    for (text, scheme, host, path) in [
        ("localhost:9100", "http", "localhost:9100", "/metrics"),
        ("[::1]:9100", "http", "[::1]:9100", "/metrics"),
        ("https://ci.example.com:443/a/b", "https", "ci.example.com:443", "/a/b"),
        ("http://ci:80/", "http", "ci:80", "/metrics"),
        ("http://ci:80", "http", "ci:80", "/metrics"),
    ] {
        let config = Case::new(address(text)).config();
        let target = &config.targets[0];
        assert_eq!(
            (target.scheme.as_str(), target.address.as_str(), target.metrics_path.as_str()),
            (scheme, host, path)
        );
    }
}

#[test]
fn targets() {
    insta::assert_snapshot!(refusals(&[
        "targets:\n  - address: a:1\n",
        "targets:\n  - job: ''\n    address: a:1\n",
        "targets:\n  - job: prometheus\n    address: a:1\n",
        "targets:\n  - job: a\n    address: https://a:1\n    scheme: http\n",
        "targets:\n  - job: a\n    address: https://a:1/x\n    metrics_path: /y\n",
        "targets:\n  - job: a\n    address: a:1\n    scheme: ftp\n",
        "targets:\n  - job: a\n    address: a:1\n    metrics_path: metrics\n",
        "targets:\n  - job: a\n    address: a:1\n  - job: a\n    address: http://a:1/metrics\n",
        "targets:\n  - job: a\n    address: a:1\n    labels:\n      a-b: c\n      __x: y\n      1a: b\n",
        "targets:\n  - job: a\n    address: a:1\n    basic_auth: {username: u, password: hunter2}\n",
        "targets:\n  - job: a\n    address: a:1\n    bearer_token: hunter2\n    password: hunter2\n",
        "targets:\n  - job: a\n    address: a:1\n    basic_auth: hunter2\n",
        "targets:\n  - job: a\n    address: a:1\n    basic_auth:\n",
        "targets:\n  - job: a\n    address: a:1\n    basic_auth: {username: u, password_file: p}\n    bearer_token_file: t\n",
    ]), @r#"
    moko-mon.yaml:2:5: targets[0].job: the key is missing; expected a job name other than `prometheus`, `alertmanager`, `pushgateway` or `grafana`
    moko-mon.yaml:2:10: targets[0].job: the value is empty; expected a job name other than `prometheus`, `alertmanager`, `pushgateway` or `grafana`
    moko-mon.yaml:2:10: targets[0].job: `prometheus` is a job of the stack itself; expected a job name other than `prometheus`, `alertmanager`, `pushgateway` or `grafana`
    moko-mon.yaml:4:13: targets[0].scheme: `http` contradicts the address `https://a:1`; expected `https`, or no scheme here
    moko-mon.yaml:4:19: targets[0].metrics_path: `/y` contradicts the address `https://a:1/x`; expected `/x`, or no path here
    moko-mon.yaml:4:13: targets[0].scheme: `ftp` is unknown; expected one of `http` or `https`
    moko-mon.yaml:4:19: targets[0].metrics_path: `metrics` is not a path; expected a path such as `/metrics`
    moko-mon.yaml:5:14: targets[1].address: `a:1/metrics` in job `a` is there twice; expected it once: `targets[0]` is the same
    moko-mon.yaml:5:7: targets[0].labels: `a-b` is not a label name; expected letters, digits and `_`, not starting with a digit
    moko-mon.yaml:6:7: targets[0].labels: `__x` is not a label name; expected a name that does not start with `__`, which is reserved
    moko-mon.yaml:7:7: targets[0].labels: `1a` is not a label name; expected letters, digits and `_`, not starting with a digit
    moko-mon.yaml:4:17: targets[0].basic_auth.password_file: the key is missing; expected the path of a file, relative to the configuration file
    moko-mon.yaml:4:31: targets[0].basic_auth.password: `password` would put a secret into this file; expected `password_file` with the path of a file that holds it
    moko-mon.yaml:4:5: targets[0].bearer_token: `bearer_token` would put a secret into this file; expected `bearer_token_file` with the path of a file that holds it
    moko-mon.yaml:5:5: targets[0].password: `password` would put a secret into this file; expected `password_file` with the path of a file that holds it
    moko-mon.yaml:4:17: targets[0].basic_auth: the value is a text; expected a mapping (`key: value` lines)
    moko-mon.yaml:4:15: targets[0].basic_auth: the value is empty; expected a mapping (`key: value` lines)
    moko-mon.yaml:5:24: targets[0].bearer_token_file: the target has both `basic_auth` and `bearer_token_file`; expected one of them
    "#);
}

#[test]
fn secrets_come_from_files() {
    let yaml = "targets:\n  - job: a\n    address: a:1\n    basic_auth: {username: u, password_file: s/one}\n  \
                - job: b\n    address: b:1\n    bearer_token_file: t/one\n";
    let config = Case::new(yaml).file("s/one", "hunter2\n").file("t/one", "to ken\r\n").config();
    let Some(TargetAuth::Basic { username, password }) = &config.targets[0].auth else { panic!() };
    assert_eq!(
        (username.as_str(), password.name.as_str(), password.content.as_slice()),
        ("u", "one", b"hunter2".as_slice())
    );
    let Some(TargetAuth::Bearer { token }) = &config.targets[1].auth else { panic!() };
    assert_eq!((token.name.as_str(), token.content.as_slice()), ("one-2", b"to ken".as_slice()));
    assert!(!format!("{config:?}").contains("hunter2"));

    let case = Case::new(yaml).file("s/one", "hunter2").file("t/one", "x");
    mode(&case.path().join("s/one"), 0o644);
    let resolved = case.resolved();
    assert_eq!(
        resolved.warnings,
        [
            "targets[0].basic_auth.password_file: every user of this machine can read `s/one`; `chmod 600 s/one` ends that"
        ]
    );
    assert!(!format!("{resolved:?}").contains("hunter2"));
    let wrong = |content: &[u8]| Case::new(yaml).file("s/one", content).file("t/one", "x").problems();
    let all = [
        Case::new(yaml).file("s/one/x", "").problems(),
        wrong(b""),
        wrong(b"\n"),
        wrong(b"hunter2\nhunter3\n"),
        wrong(b"hunter\xff"),
        wrong(&[b'x'; 5000]),
    ];
    insta::assert_snapshot!(all.join("\n"), @r#"
    moko-mon.yaml:4:46: targets[0].basic_auth.password_file: `s/one` is a directory; expected a file of at most 4 KiB
    moko-mon.yaml:7:24: targets[1].bearer_token_file: `t/one` does not exist; expected a file of at most 4 KiB
    moko-mon.yaml:4:46: targets[0].basic_auth.password_file: `s/one` is empty; expected a file with the secret on one line
    moko-mon.yaml:4:46: targets[0].basic_auth.password_file: `s/one` is empty; expected a file with the secret on one line
    moko-mon.yaml:4:46: targets[0].basic_auth.password_file: `s/one` has more than one line; expected a file with the secret on one line
    moko-mon.yaml:4:46: targets[0].basic_auth.password_file: `s/one` is not UTF-8; expected a file with the secret on one line
    moko-mon.yaml:4:46: targets[0].basic_auth.password_file: `s/one` is larger than 4 KiB; expected a file of at most 4 KiB
    "#);
}

#[test]
fn remote_write_is_passed_on_without_secrets() {
    let yaml = "prometheus:\n  remote_write:\n    - url: https://a.example.com/push\n      send_exemplars: true\n      \
                queue_config: {capacity: 2500, backoff: 1.5, x: '1', y: }\n      \
                basic_auth: {username: u, password_file: s/a}\n      \
                tls_config: {ca_file: ca.pem, insecure_skip_verify: false}\n      \
                http_headers: {X-Key: {files: [s/b]}}\n    - url: http://b:1\n      authorization: {type: Bearer, credentials_file: s/a}\n";
    let case = Case::new(yaml).file("s/a", "hunter2\n").file("s/b", "hunter3").file("ca.pem", "PEM\nPEM\n");
    let prometheus = case.config().prometheus;
    insta::assert_snapshot!(serde_json::to_string_pretty(&prometheus.remote_write).unwrap(), @r#"
    [
      {
        "url": "https://a.example.com/push",
        "send_exemplars": true,
        "queue_config": {
          "capacity": 2500,
          "backoff": 1.5,
          "x": "1",
          "y": null
        },
        "basic_auth": {
          "username": "u",
          "password_file": "a"
        },
        "tls_config": {
          "ca_file": "ca.pem",
          "insecure_skip_verify": false
        },
        "http_headers": {
          "X-Key": {
            "files": [
              "b"
            ]
          }
        }
      },
      {
        "url": "http://b:1",
        "authorization": {
          "type": "Bearer",
          "credentials_file": "a-2"
        }
      }
    ]
    "#);
    let below = prometheus.remote_write_below("/run/secrets");
    assert_eq!(below[0]["basic_auth"]["password_file"], "/run/secrets/a");
    assert_eq!(below[0]["http_headers"]["X-Key"]["files"][0], "/run/secrets/b");
    assert_eq!(below[0]["url"], "https://a.example.com/push");
    assert_eq!(below[1]["authorization"]["credentials_file"], "/run/secrets/a-2");
    insta::assert_snapshot!(format!("{:?}", prometheus.remote_write_secrets.iter().map(|f| (&f.name, f.content.len())).collect::<Vec<_>>()), @r#"
    [("a", 7), ("ca.pem", 8), ("b", 7), ("a-2", 7)]
    "#);
    insta::assert_snapshot!(refusals(&[
        "prometheus: {remote_write: {url: a}}\n",
        "prometheus: {remote_write: [a]}\n",
        "prometheus: {remote_write: [{ur: a}]}\n",
        "prometheus: {remote_write: [{url: a}]}\n",
        "prometheus: {remote_write: [{url: [a]}]}\n",
        "prometheus: {remote_write: [{url: 'ftp://user:hunter2@a'}]}\n",
        "prometheus: {remote_write: [{url: 'https://user:hunter2@a/b'}]}\n",
        "prometheus:\n  remote_write:\n    - url: https://a/b\n      bearer_token: hunter2\n      basic_auth:\n        username: u\n        \
         password: hunter2\n      authorization: {credentials: hunter2}\n      oauth2: {client_secret: hunter2}\n      \
         sigv4: {secret_key: hunter2}\n      tls_config: {key: hunter2}\n      http_headers: {X: {secrets: [hunter2]}}\n",
        "prometheus: {remote_write: [{url: 'https://a/b?token=hunter2', proxy_url: 'http://u:hunter2@p'}]}\n",
        "prometheus: {remote_write: [{url: 'https://a/b', headers: {Authorization: hunter2, X-Api-Key: hunter2}}]}\n",
        "prometheus:\n  remote_write:\n    - url: https://a/b\n      basic_auth: {password_file: none}\n      tls_config: {ca_file: .}\n",
    ]), @r#"
    moko-mon.yaml:1:28: prometheus.remote_write: the value is a mapping; expected a list (lines that start with `- `)
    moko-mon.yaml:1:29: prometheus.remote_write[0]: `a` is a single value; expected a mapping with `url`
    moko-mon.yaml:1:29: prometheus.remote_write[0].url: the key is missing; expected a URL such as `https://mimir.example.com/api/v1/push`
    moko-mon.yaml:1:35: prometheus.remote_write[0].url: `a` is not a URL; expected a URL such as `https://mimir.example.com/api/v1/push`
    moko-mon.yaml:1:35: prometheus.remote_write[0].url: the value is not a text; expected a URL such as `https://mimir.example.com/api/v1/push`
    moko-mon.yaml:1:35: prometheus.remote_write[0].url: `ftp://…@a` is not a URL; expected a URL such as `https://mimir.example.com/api/v1/push`
    moko-mon.yaml:1:35: prometheus.remote_write[0].url: the URL has credentials in it; expected a URL without them: they go to `basic_auth`
    moko-mon.yaml:1:35: prometheus.remote_write[0].url: the URL has credentials in it; expected a URL without them: they go to `basic_auth`
    moko-mon.yaml:4:7: prometheus.remote_write[0].bearer_token: `bearer_token` would put a secret into this file; expected `bearer_token_file` with the path of a file that holds it
    moko-mon.yaml:7:9: prometheus.remote_write[0].basic_auth.password: `password` would put a secret into this file; expected `password_file` with the path of a file that holds it
    moko-mon.yaml:8:23: prometheus.remote_write[0].authorization.credentials: `credentials` would put a secret into this file; expected `credentials_file` with the path of a file that holds it
    moko-mon.yaml:9:16: prometheus.remote_write[0].oauth2.client_secret: `client_secret` would put a secret into this file; expected `client_secret_file` with the path of a file that holds it
    moko-mon.yaml:10:15: prometheus.remote_write[0].sigv4.secret_key: `secret_key` would put a secret into this file; expected no secret here, only the name of a file that holds it
    moko-mon.yaml:11:20: prometheus.remote_write[0].tls_config.key: `key` would put a secret into this file; expected `key_file` with the path of a file that holds it
    moko-mon.yaml:12:26: prometheus.remote_write[0].http_headers.X.secrets: `secrets` would put a secret into this file; expected `files` with the path of a file that holds it
    moko-mon.yaml:1:35: prometheus.remote_write[0].url: the URL has a secret in its query; expected a URL such as `https://mimir.example.com/api/v1/push`
    moko-mon.yaml:1:75: prometheus.remote_write[0].proxy_url: the URL has credentials in it; expected a URL without them: they go to `basic_auth`
    moko-mon.yaml:1:60: prometheus.remote_write[0].headers.Authorization: `Authorization` would put a secret into this file; expected no secret here, only the name of a file that holds it
    moko-mon.yaml:1:84: prometheus.remote_write[0].headers.X-Api-Key: `X-Api-Key` would put a secret into this file; expected no secret here, only the name of a file that holds it
    moko-mon.yaml:4:35: prometheus.remote_write[0].basic_auth.password_file: `none` does not exist; expected a file of at most 4 KiB
    moko-mon.yaml:5:29: prometheus.remote_write[0].tls_config.ca_file: `.` is a directory; expected a file of at most 1024 KiB
    "#);
}

#[test]
fn globs() {
    let case = Case::new("rules:\n  extra:\n    - rules/*.yml\n    - rules/b.yml\n    - more/**/*.yml\n")
        .file("rules/b.yml", RULES)
        .file("rules/a.yml", RULES)
        .file("rules/.hidden.yml", RULES)
        .file("rules/x.txt", "")
        .file("rules/sub.yml/x", "")
        .file("more/deep/er/a.yml", RULES);
    let files: Vec<String> = case.config().extra_rules.into_iter().map(|file| file.name).collect();
    assert_eq!(files, ["a.yml", "b.yml", "a-2.yml"]);
    insta::assert_snapshot!(refusals(&[
        "rules: {extra: [rules/*.yml]}\n",
        "rules: {extra: [none.yml, '**x', '[a', '', ~, ~/x.yml, /dev/zero, .]}\n",
    ]), @r#"
    moko-mon.yaml:1:17: rules.extra[0]: `rules/*.yml` matches no file; expected a file, or a pattern that matches at least one
    moko-mon.yaml:1:17: rules.extra[0]: `none.yml` matches no file; expected a file, or a pattern that matches at least one
    moko-mon.yaml:1:27: rules.extra[1]: `**x` is not a pattern: recursive wildcards must form a single path component; expected a path or pattern such as `rules/*.yml`
    moko-mon.yaml:1:34: rules.extra[2]: `[a` is not a pattern: invalid range pattern; expected a path or pattern such as `rules/*.yml`
    moko-mon.yaml:1:40: rules.extra[3]: the value is empty; expected a path or pattern such as `rules/*.yml`
    moko-mon.yaml:1:44: rules.extra[4]: the value is empty; expected a path or pattern such as `rules/*.yml`
    moko-mon.yaml:1:47: rules.extra[5]: `~/x.yml` matches no file; expected a file, or a pattern that matches at least one
    moko-mon.yaml:1:56: rules.extra[6]: `/dev/zero` is not a regular file; expected a file of at most 2048 KiB
    moko-mon.yaml:1:67: rules.extra[7]: `.` matches no file; expected a file, or a pattern that matches at least one
    "#);
}

#[test]
fn a_pattern_that_matches_far_too_much() {
    let case = Case::new("rules: {extra: ['r/**/*.yml']}\n");
    std::fs::create_dir(case.path().join("r")).unwrap();
    for index in 0..1000 {
        std::fs::write(case.path().join(format!("r/{index}.yml")), RULES).unwrap();
    }
    assert_eq!(case.config().extra_rules.len(), 1000);
    let case = case.file("r/one-more.yml", RULES);
    assert_eq!(
        case.problems(),
        "moko-mon.yaml:1:17: rules.extra[0]: `r/**/*.yml` matches more than 1000 files; expected a pattern that matches fewer"
    );
}

const RULES: &str = "groups:\n  - name: a\n    rules:\n      - alert: A\n        expr: up == 0\n";

#[test]
fn rule_files() {
    let wrong = |text: &str| Case::new("rules: {extra: [r.yml]}\n").file("r.yml", text).problems();
    let all = [
        wrong(""),
        wrong("# nothing\n"),
        wrong("a\n"),
        wrong("group: []\n"),
        wrong("groups:\n  name: a\n"),
        wrong("groups:\n\t- name: a\n"),
        wrong(
            "groups:\n  - name: a\n    intervall: 1m\n    interval: 1 minute\n    limit: x\n    query_offset: 1\n    rules:\n\
             \x20     - alert: A\n        record: b\n        expr: x\n      - expr: y\n      - alert: ''\n        expr:\n\
             \x20     - record: a-b\n        expr: x\n        for: 5m\n        annotations: {a: b}\n\
             \x20     - alert: A\n        expr: x\n        for: 5\n        severity: page\n        labels: {a-b: c, __name__: x}\n\
             \x20 - name: a\n    rules: x\n  - rules: []\n",
        ),
    ];
    insta::assert_snapshot!(all.join("\n"), @r#"
    r.yml: the file is empty; expected content, or at least a comment
    r.yml: the file holds only comments; expected `groups:` with rules
    r.yml:1:1: `a` is a single value; expected a mapping (`key: value` lines)
    r.yml:1:1: unknown key `group` (did you mean `groups`?); expected `groups`
    r.yml:1:1: groups: the key is missing; expected a list
    r.yml:2:3: groups: the value is a mapping; expected a list (lines that start with `- `)
    r.yml:2:1: the line is indented with a tab; expected spaces: YAML does not allow tabs in indentation
    r.yml:3:5: groups[0]: unknown key `intervall` (did you mean `interval`?); expected one of `name`, `interval`, `limit`, `query_offset`, `labels` or `rules`
    r.yml:4:15: groups[0].interval: `1 minute` has the unknown unit ` minute`; expected a duration such as `15s`, `1h30m` or `15d`
    r.yml:5:12: groups[0].limit: `x` is not a whole number; expected a whole number
    r.yml:6:19: groups[0].query_offset: `1` is a duration without a unit; expected a duration such as `15s`, `1h30m` or `15d`
    r.yml:8:9: groups[0].rules[0]: the rule has both `alert` and `record`; expected one of them
    r.yml:11:9: groups[0].rules[1]: the rule has neither `alert` nor `record`; expected one of them
    r.yml:12:16: groups[0].rules[2].alert: the value is empty; expected a text
    r.yml:13:13: groups[0].rules[2].expr: the value is empty; expected a text
    r.yml:14:17: groups[0].rules[3].record: `a-b` is not a metric name; expected letters, digits, `_` and `:`, not starting with a digit
    r.yml:16:14: groups[0].rules[3].for: `for` stands in a recording rule; expected it only in a rule with `alert`
    r.yml:17:9: groups[0].rules[3].annotations: `annotations` stands in a recording rule; expected it only in a rule with `alert`
    r.yml:20:14: groups[0].rules[4].for: `5` is a duration without a unit; expected a duration such as `15s`, `1h30m` or `15d`
    r.yml:21:9: groups[0].rules[4]: unknown key `severity`; expected one of `record`, `alert`, `expr`, `for`, `keep_firing_for`, `labels` or `annotations`
    r.yml:22:18: groups[0].rules[4].labels: `a-b` is not a label name; expected letters, digits and `_`, not starting with a digit
    r.yml:22:26: groups[0].rules[4].labels: `__name__` is not a label name; expected a name that does not start with `__`, which is reserved
    r.yml:23:11: groups[1].name: `a` is there twice; expected another name: `groups[0]` has it already
    r.yml:24:12: groups[1].rules: `x` is a single value; expected a list (lines that start with `- `)
    r.yml:25:5: groups[2].name: the key is missing; expected a text
    "#);
    let good = "groups:\n  - name: a\n    interval: 0s\n    limit: 0\n    query_offset: 1m\n    labels: {a: b}\n    rules:\n      \
                - record: a:b\n        expr: 1\n        labels: {x: ''}\n      - alert: A b\n        expr: |\n          up\n          == 0\n        \
                for: 1h30m\n        keep_firing_for: 0\n        annotations:\n          a: '{{ $value }}'\n  - name: b\n";
    assert_eq!(Case::new("rules: {extra: [r.yml]}\n").file("r.yml", good).config().extra_rules.len(), 1);
}

#[test]
fn dashboards() {
    let yaml = "grafana: {dashboards: ['d/*.json']}\n";
    let wrong = |text: &[u8]| Case::new(yaml).file("d/x.json", text).problems();
    let all = [
        wrong(b""),
        wrong(b"{\"title\": \"a\",\n  \"uid\": }"),
        wrong(b"[]"),
        wrong(b"{}"),
        wrong(b"{\"title\": \"\", \"uid\": \"a b\"}"),
        wrong(b"{\"title\": 1, \"uid\": 2}"),
        wrong("{\n \"panels\": [{\"title\": \"}\\\"{\"}],\n \"ä\": \"\", \"title\": 1,\n\t\"uid\" : 2}".as_bytes()),
        wrong(b"{\"title\": \"a\", \"uid\": \"01234567890123456789012345678901234567890\"}"),
        wrong(b"{\"meta\": {\"uid\": 1},\n\"dashboard\": {\"panels\": [{\"uid\": 1}],\n\"uid\": \"a b\"}, \"title2\": 1}"),
        wrong(b"{\"title\": \"a\",\n \"__inputs\": [{\"name\": \"DS_L\", \"type\": \"datasource\", \"pluginId\": \"loki\"}]}"),
        wrong(b"{\"title\": \"a\", \"apiVersion\": \"dashboard.grafana.app/v2\"}"),
        wrong(b"{\"title\": \"\xff\"}"),
        wrong("[".repeat(1000).as_bytes()),
        wrong(&vec![b' '; (5 << 20) + 1]),
        Case::new(yaml)
            .file("d/a.json", "{\"title\": \"a\", \"uid\": \"x\"}")
            .file("d/b.json", "{\"title\": \"b\", \"uid\": \"x\"}")
            .problems(),
        Case::new("grafana: {dashboards: ['*/x.json']}\n")
            .file("a/x.json", "{\"title\": \"a\"}")
            .file("b/x.json", "{\"title\": \"b\"}")
            .problems(),
        Case::new(yaml).problems(),
    ];
    insta::assert_snapshot!(all.join("\n"), @r#"
    d/x.json:1:1: not JSON: EOF while parsing a value; expected a dashboard as Grafana exports it
    d/x.json:2:10: not JSON: expected value; expected a dashboard as Grafana exports it
    d/x.json:1:1: not a JSON object; expected a dashboard as Grafana exports it
    d/x.json:1:1: title: the key is missing; expected the title of the dashboard
    d/x.json:1:2: title: the title is empty; expected the title of the dashboard
    d/x.json:1:15: uid: `a b` is not a uid; expected at most 40 letters, digits, `-` and `_`
    d/x.json:1:2: title: `1` is not a text; expected the title of the dashboard
    d/x.json:1:14: uid: `2` is not a uid; expected at most 40 letters, digits, `-` and `_`
    d/x.json:3:11: title: `1` is not a text; expected the title of the dashboard
    d/x.json:4:2: uid: `2` is not a uid; expected at most 40 letters, digits, `-` and `_`
    d/x.json:1:16: uid: `01234567890123456789012345678901234567890` is not a uid; expected at most 40 letters, digits, `-` and `_`
    d/x.json:2:1: title: the key is missing; expected the title of the dashboard
    d/x.json:3:1: uid: `a b` is not a uid; expected at most 40 letters, digits, `-` and `_`
    d/x.json:2:2: __inputs: the input `DS_L` wants a data source of type `loki`; expected only inputs of type `prometheus`, which is the stack's only data source
    d/x.json:1:16: apiVersion: the dashboard is in Grafana's newer resource format; expected the classic format: Export > Export as code > Classic
    d/x.json:1:12: not JSON: invalid unicode code point; expected a dashboard as Grafana exports it
    d/x.json:1:128: not JSON: recursion limit exceeded; expected a dashboard as Grafana exports it
    moko-mon.yaml:1:24: grafana.dashboards[0]: `d/x.json` is larger than 5120 KiB; expected a file of at most 5120 KiB
    d/b.json:1:16: uid: `x` is the uid of `d/a.json` too; expected a uid of its own
    b/x.json:1:1: uid: `x-73f44f86` is made from the file's name, and is the uid of `a/x.json` too; expected a uid of its own
    moko-mon.yaml:1:24: grafana.dashboards[0]: `d/*.json` matches no file; expected a file, or a pattern that matches at least one
    "#);
    let case = Case::new(yaml)
        .file("d/a.json", "{\"title\": \"a\", \"uid\": null}")
        .file("d/b.json", "\u{feff}{\"title\": \"b\", \"uid\": \"\"}");
    assert_eq!(case.config().grafana.dashboards.len(), 2);
    let wrapped = "{\"meta\": {}, \"dashboard\": {\"title\": \"a\", \"uid\": \"u\"}}";
    assert_eq!(Case::new(yaml).file("d/a.json", wrapped).config().grafana.dashboards.len(), 1);
    let case = Case::new("grafana: {enabled: false, dashboards: [none]}\n");
    assert_eq!(case.config().grafana.dashboards.len(), 0);
}
