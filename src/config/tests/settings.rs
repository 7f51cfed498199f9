//! Single settings and what they must not be.

use super::{Case, refusals};

#[test]
fn keys_that_do_not_exist() {
    insta::assert_snapshot!(refusals(&[
        "projct: abc\n",
        "prometheus:\n  prot: 9090\n  scrape-interval: 15s\n  retention_time: 15d\n",
        "scrape_interval: 15s\n",
        "port: 9090\n",
        "grafana:\n  enable: true\n",
        "targets:\n  - job: a\n    adress: b:1\n",
        "rules:\n  thresholds: 5\n",
        "version: 1\n",
        "Project: abc\n",
        "123: abc\n",
    ]), @r#"
    moko-mon.yaml:1:1: unknown key `projct` (did you mean `project`?); expected one of `project`, `bind`, `images`, `prometheus`, `alertmanager`, `pushgateway`, `grafana`, `targets`, `rules`, `push`, `jobs` or `checks`
    moko-mon.yaml:2:3: prometheus: unknown key `prot` (did you mean `port`?); expected one of `port`, `image`, `memory`, `scrape_interval`, `evaluation_interval`, `retention`, `external_labels` or `remote_write`
    moko-mon.yaml:3:3: prometheus: unknown key `scrape-interval` (did you mean `scrape_interval`?); expected one of `port`, `image`, `memory`, `scrape_interval`, `evaluation_interval`, `retention`, `external_labels` or `remote_write`
    moko-mon.yaml:4:3: prometheus: unknown key `retention_time` (did you mean `prometheus.retention.time`?); expected one of `port`, `image`, `memory`, `scrape_interval`, `evaluation_interval`, `retention`, `external_labels` or `remote_write`
    moko-mon.yaml:1:1: unknown key `scrape_interval` (did you mean `prometheus.scrape_interval`?); expected one of `project`, `bind`, `images`, `prometheus`, `alertmanager`, `pushgateway`, `grafana`, `targets`, `rules`, `push`, `jobs` or `checks`
    moko-mon.yaml:1:1: unknown key `port`; expected one of `project`, `bind`, `images`, `prometheus`, `alertmanager`, `pushgateway`, `grafana`, `targets`, `rules`, `push`, `jobs` or `checks`
    moko-mon.yaml:2:3: grafana: unknown key `enable` (did you mean `enabled`?); expected one of `enabled`, `port`, `image`, `memory`, `external_url` or `dashboards`
    moko-mon.yaml:2:5: targets[0].address: the key is missing; expected `host:port`, or a URL such as `https://host:port/metrics`
    moko-mon.yaml:3:5: targets[0]: unknown key `adress` (did you mean `address`?); expected one of `job`, `address`, `labels`, `metrics_path`, `scheme`, `basic_auth` or `bearer_token_file`
    moko-mon.yaml:2:15: rules.thresholds: `5` is a single value; expected a mapping (`key: value` lines)
    moko-mon.yaml:1:1: unknown key `version`; expected one of `project`, `bind`, `images`, `prometheus`, `alertmanager`, `pushgateway`, `grafana`, `targets`, `rules`, `push`, `jobs` or `checks`
    moko-mon.yaml:1:1: unknown key `Project` (did you mean `project`?); expected one of `project`, `bind`, `images`, `prometheus`, `alertmanager`, `pushgateway`, `grafana`, `targets`, `rules`, `push`, `jobs` or `checks`
    moko-mon.yaml:1:1: unknown key `123`; expected one of `project`, `bind`, `images`, `prometheus`, `alertmanager`, `pushgateway`, `grafana`, `targets`, `rules`, `push`, `jobs` or `checks`
    "#);
}

#[test]
fn wrong_types() {
    insta::assert_snapshot!(refusals(&[
        "project: [a]\n",
        "project: {a: b}\n",
        "project:\n",
        "project: ~\n",
        "project: ''\n",
        "prometheus: abc\n",
        "prometheus: [a]\n",
        "targets: abc\n",
        "targets: {a: b}\n",
        "targets: [abc]\n",
        "targets: [~]\n",
        "rules: {extra: rules/*.yml}\n",
        "rules: {extra: [[a]]}\n",
        "grafana: {enabled: yes}\n",
        "grafana: {enabled: 'true'}\n",
        "grafana: {enabled: True}\n",
        "prometheus: {external_labels: [a]}\n",
        "prometheus: {external_labels: {a: [b]}}\n",
        "prometheus: {external_labels: {a: }}\n",
    ]), @r#"
    moko-mon.yaml:1:10: project: the value is a list; expected 2 to 31 of `a-z`, `0-9` and `-`, starting with a letter
    moko-mon.yaml:1:10: project: the value is a mapping; expected 2 to 31 of `a-z`, `0-9` and `-`, starting with a letter
    moko-mon.yaml:1:8: project: the value is empty; expected 2 to 31 of `a-z`, `0-9` and `-`, starting with a letter
    moko-mon.yaml:1:10: project: the value is empty; expected 2 to 31 of `a-z`, `0-9` and `-`, starting with a letter
    moko-mon.yaml:1:10: project: the value is empty; expected 2 to 31 of `a-z`, `0-9` and `-`, starting with a letter
    moko-mon.yaml:1:13: prometheus: `abc` is a single value; expected a mapping (`key: value` lines)
    moko-mon.yaml:1:13: prometheus: the value is a list; expected a mapping (`key: value` lines)
    moko-mon.yaml:1:10: targets: `abc` is a single value; expected a list (lines that start with `- `)
    moko-mon.yaml:1:10: targets: the value is a mapping; expected a list (lines that start with `- `)
    moko-mon.yaml:1:11: targets[0]: `abc` is a single value; expected a mapping (`key: value` lines)
    moko-mon.yaml:1:11: targets[0]: the value is empty; expected a mapping (`key: value` lines)
    moko-mon.yaml:1:16: rules.extra: `rules/*.yml` is a single value; expected a list (lines that start with `- `)
    moko-mon.yaml:1:17: rules.extra[0]: the value is a list; expected a path or pattern such as `rules/*.yml`
    moko-mon.yaml:1:20: grafana.enabled: `yes` is neither `true` nor `false`; expected `true` or `false`
    moko-mon.yaml:1:20: grafana.enabled: `"true"` is text; expected `true` or `false`, without quotes
    moko-mon.yaml:1:20: grafana.enabled: `True` is neither `true` nor `false`; expected `true` or `false`
    moko-mon.yaml:1:31: prometheus.external_labels: the value is a list; expected a mapping of label names to values
    moko-mon.yaml:1:35: prometheus.external_labels.a: the value is a list; expected a text
    moko-mon.yaml:1:33: prometheus.external_labels.a: the value is empty; expected a text
    "#);
    assert_eq!(
        Case::new("prometheus: {external_labels: {a: 1, b: '', c: on}}").config().prometheus.external_labels.len(),
        3
    );
}

#[test]
fn projects_and_addresses() {
    insta::assert_snapshot!(refusals(&[
        "project: a\n",
        "project: Abc\n",
        "project: ../x\n",
        "project: a/b\n",
        "project: -a\n",
        "project: a.b\n",
        "project: 1ab\n",
        "project: а-b\n",
        "project: abcdefghijklmnopqrstuvwxyz123456\n",
        "bind: localhost\n",
        "bind: 0.0.0\n",
        "bind: 127.0.0.1:80\n",
        "bind: '[::1]'\n",
        "bind: example.com\n",
    ]), @r#"
    moko-mon.yaml:1:10: project: `a` is not a project name; expected 2 to 31 of `a-z`, `0-9` and `-`, starting with a letter
    moko-mon.yaml:1:10: project: `Abc` is not a project name; expected 2 to 31 of `a-z`, `0-9` and `-`, starting with a letter
    moko-mon.yaml:1:10: project: `../x` is not a project name; expected 2 to 31 of `a-z`, `0-9` and `-`, starting with a letter
    moko-mon.yaml:1:10: project: `a/b` is not a project name; expected 2 to 31 of `a-z`, `0-9` and `-`, starting with a letter
    moko-mon.yaml:1:10: project: `-a` is not a project name; expected 2 to 31 of `a-z`, `0-9` and `-`, starting with a letter
    moko-mon.yaml:1:10: project: `a.b` is not a project name; expected 2 to 31 of `a-z`, `0-9` and `-`, starting with a letter
    moko-mon.yaml:1:10: project: `1ab` is not a project name; expected 2 to 31 of `a-z`, `0-9` and `-`, starting with a letter
    moko-mon.yaml:1:10: project: `а-b` is not a project name; expected 2 to 31 of `a-z`, `0-9` and `-`, starting with a letter
    moko-mon.yaml:1:10: project: `abcdefghijklmnopqrstuvwxyz123456` is not a project name; expected 2 to 31 of `a-z`, `0-9` and `-`, starting with a letter
    moko-mon.yaml:1:7: bind: `localhost` is not an IP address (did you mean `127.0.0.1`?); expected an IP address such as `127.0.0.1`
    moko-mon.yaml:1:7: bind: `0.0.0` is not an IP address; expected an IP address such as `127.0.0.1`
    moko-mon.yaml:1:7: bind: `127.0.0.1:80` is not an IP address; expected an IP address such as `127.0.0.1`
    moko-mon.yaml:1:7: bind: `[::1]` is not an IP address; expected an IP address such as `127.0.0.1`
    moko-mon.yaml:1:7: bind: `example.com` is not an IP address; expected an IP address such as `127.0.0.1`
    "#);
    assert_eq!(Case::new("project: abcdefghijklmnopqrstuvwxyz12345\n").config().project.len(), 31);
    assert_eq!(Case::new("bind: '::1'\n").config().bind.to_string(), "::1");
    assert_eq!(Case::new("bind: '::1'\n").resolved().warnings, Vec::<String>::new());
    let open = Case::new("bind: 0.0.0.0\n").resolved();
    assert_eq!(open.config.bind.to_string(), "0.0.0.0");
    insta::assert_snapshot!(open.warnings.join("\n"), @r#"
    bind: `0.0.0.0` opens the stack to the network, and all but Grafana ask for no password; put a firewall or a proxy with a login in front
    "#);
}

#[test]
fn ports() {
    insta::assert_snapshot!(refusals(&[
        "prometheus: {port: 0}\n",
        "prometheus: {port: 70000}\n",
        "prometheus: {port: -1}\n",
        "prometheus: {port: 9090.0}\n",
        "prometheus: {port: \"9090\"}\n",
        "prometheus: {port: 9_090}\n",
        "prometheus: {port: 0x2382}\n",
        "prometheus: {port: 010}\n",
        "prometheus: {port: +90}\n",
        "prometheus: {port: 1e3}\n",
        "prometheus: {port: }\n",
        "prometheus: {port: 9093}\n",
        "prometheus: {port: 3000}\nalertmanager: {port: 3000}\npushgateway: {port: 3000}\n",
        "prometheus: {port: 99999}\nalertmanager: {port: 9090}\n",
    ]), @r#"
    moko-mon.yaml:1:20: prometheus.port: `0` is not a port; expected a whole number from 1 to 65535
    moko-mon.yaml:1:20: prometheus.port: `70000` is not a port; expected a whole number from 1 to 65535
    moko-mon.yaml:1:20: prometheus.port: `-1` is not a port; expected a whole number from 1 to 65535
    moko-mon.yaml:1:20: prometheus.port: `9090.0` is not a port; expected a whole number from 1 to 65535
    moko-mon.yaml:1:20: prometheus.port: `"9090"` is text; expected a whole number from 1 to 65535, without quotes
    moko-mon.yaml:1:20: prometheus.port: `9_090` is not a port; expected a whole number from 1 to 65535
    moko-mon.yaml:1:20: prometheus.port: `0x2382` is not a port; expected a whole number from 1 to 65535
    moko-mon.yaml:1:20: prometheus.port: `010` is not a port; expected a whole number from 1 to 65535
    moko-mon.yaml:1:20: prometheus.port: `+90` is not a port; expected a whole number from 1 to 65535
    moko-mon.yaml:1:20: prometheus.port: `1e3` is not a port; expected a whole number from 1 to 65535
    moko-mon.yaml:1:18: prometheus.port: the value is empty; expected a whole number from 1 to 65535
    moko-mon.yaml:1:20: prometheus.port: `9093` is the port of `alertmanager.port` too; expected a port that no other component has
    moko-mon.yaml:2:22: alertmanager.port: `3000` is the port of `prometheus.port` too; expected a port that no other component has
    moko-mon.yaml:3:21: pushgateway.port: `3000` is the port of `alertmanager.port` too; expected a port that no other component has
    moko-mon.yaml:3:21: pushgateway.port: `3000` is the port of `grafana.port` too; expected a port that no other component has
    moko-mon.yaml:1:20: prometheus.port: `99999` is not a port; expected a whole number from 1 to 65535
    "#);
    Case::new("prometheus: {port: 3000}\ngrafana: {enabled: false}\n").config();
    Case::new("prometheus: {port: 9093}\nalertmanager: {port: 9090}\n").config();
}

#[test]
fn durations_and_sizes() {
    insta::assert_snapshot!(refusals(&[
        "prometheus: {scrape_interval: 1 minute}\n",
        "prometheus: {scrape_interval: 15}\n",
        "prometheus: {scrape_interval: 0}\n",
        "prometheus: {scrape_interval: 500ms}\n",
        "prometheus: {scrape_interval: -1m}\n",
        "prometheus: {scrape_interval: 1.5h}\n",
        "prometheus: {scrape_interval: ''}\n",
        "prometheus: {evaluation_interval: 1s1s}\n",
        "prometheus: {retention: {time: 99999y}}\n",
        "prometheus: {retention: {time: 0}}\n",
        "prometheus: {retention: {time: 59m}}\n",
        "prometheus: {retention: {size: 10}}\n",
        "prometheus: {retention: {size: 0GB}}\n",
        "prometheus: {retention: {size: 1MB}}\n",
        "prometheus: {retention: {size: 10gb}}\n",
        "prometheus: {memory: 64}\n",
        "prometheus: {memory: 64MiB}\n",
        "alertmanager: {memory: 16m}\n",
        "grafana: {memory: 1TB}\n",
        "grafana: {memory: 99999g}\n",
    ]), @r#"
    moko-mon.yaml:1:31: prometheus.scrape_interval: `1 minute` has the unknown unit ` minute`; expected a duration such as `15s`, `1h30m` or `15d`, at least 1s
    moko-mon.yaml:1:31: prometheus.scrape_interval: `15` is a duration without a unit; expected a duration such as `15s`, `1h30m` or `15d`, at least 1s
    moko-mon.yaml:1:31: prometheus.scrape_interval: `0` is too short; expected a duration such as `15s`, `1h30m` or `15d`, at least 1s
    moko-mon.yaml:1:31: prometheus.scrape_interval: `500ms` is too short; expected a duration such as `15s`, `1h30m` or `15d`, at least 1s
    moko-mon.yaml:1:31: prometheus.scrape_interval: `-1m` is not a valid duration; expected a duration such as `15s`, `1h30m` or `15d`, at least 1s
    moko-mon.yaml:1:31: prometheus.scrape_interval: `1.5h` has the unknown unit `.`; expected a duration such as `15s`, `1h30m` or `15d`, at least 1s
    moko-mon.yaml:1:31: prometheus.scrape_interval: the value is empty; expected a duration such as `15s`, `1h30m` or `15d`, at least 1s
    moko-mon.yaml:1:35: prometheus.evaluation_interval: `1s1s` does not have its units once each, from large to small; expected a duration such as `15s`, `1h30m` or `15d`, at least 1s
    moko-mon.yaml:1:32: prometheus.retention.time: `99999y` is a duration out of range; expected a duration such as `15s`, `1h30m` or `15d`, at least 1h
    moko-mon.yaml:1:32: prometheus.retention.time: `0` is too short; expected a duration such as `15s`, `1h30m` or `15d`, at least 1h
    moko-mon.yaml:1:32: prometheus.retention.time: `59m` is too short; expected a duration such as `15s`, `1h30m` or `15d`, at least 1h
    moko-mon.yaml:1:32: prometheus.retention.size: `10` is not a size; expected a whole number with MB, GB or TB, at least 128MB
    moko-mon.yaml:1:32: prometheus.retention.size: `0GB` is not a size; expected a whole number with MB, GB or TB, at least 128MB
    moko-mon.yaml:1:32: prometheus.retention.size: `1MB` is too little; expected a whole number with MB, GB or TB, at least 128MB
    moko-mon.yaml:1:32: prometheus.retention.size: `10gb` is not a size; expected a whole number with MB, GB or TB, at least 128MB
    moko-mon.yaml:1:22: prometheus.memory: `64` is not a memory size; expected a whole number with MiB or GiB, 128MiB to 1024GiB
    moko-mon.yaml:1:22: prometheus.memory: `64MiB` is too little; expected a whole number with MiB or GiB, 128MiB to 1024GiB
    moko-mon.yaml:1:24: alertmanager.memory: `16m` is too little; expected a whole number with MiB or GiB, 32MiB to 1024GiB
    moko-mon.yaml:1:19: grafana.memory: `1TB` is not a memory size; expected a whole number with MiB or GiB, 128MiB to 1024GiB
    moko-mon.yaml:1:19: grafana.memory: `99999g` is not a memory size; expected a whole number with MiB or GiB, 128MiB to 1024GiB
    "#);
    let config = Case::new("prometheus: {memory: 2g, scrape_interval: 1h60m, retention: {size: 512MB}}\n").config();
    assert_eq!(config.prometheus.server.memory, 2 << 30);
    assert_eq!(config.prometheus.scrape_interval.as_duration().as_secs(), 7200);
}

#[test]
fn images() {
    insta::assert_snapshot!(refusals(&[
        "prometheus: {image: 'prom/prometheus:'}\n",
        "prometheus: {image: 'Prom/prometheus:v3'}\n",
        "prometheus: {image: 'https://prom/prometheus'}\n",
        "prometheus: {image: 'prom/prometheus:v3 --privileged'}\n",
        "prometheus: {image: 'prom//prometheus'}\n",
        "prometheus: {image: 'prom/prometheus@sha256:abc'}\n",
        "prometheus: {image: ''}\n",
        "images: {registry: 'https://mirror.example.com'}\n",
        "images: {registry: 'user:pass@mirror'}\n",
        "images: {registry: 'mirror.example.com/A b'}\n",
        "images: {registry: 'mirror.example.com:99999'}\n",
        "images: {registry: /}\n",
        "images: {pull: allways}\n",
        "images: {pull: if-not-present}\n",
    ]), @r#"
    moko-mon.yaml:1:21: prometheus.image: `prom/prometheus:` is not an image reference; expected an image such as `prom/prometheus:v3.5.0`
    moko-mon.yaml:1:21: prometheus.image: `Prom/prometheus:v3` is not an image reference; expected an image such as `prom/prometheus:v3.5.0`
    moko-mon.yaml:1:21: prometheus.image: `https://prom/prometheus` is not an image reference; expected an image such as `prom/prometheus:v3.5.0`
    moko-mon.yaml:1:21: prometheus.image: `prom/prometheus:v3 --privileged` is not an image reference; expected an image such as `prom/prometheus:v3.5.0`
    moko-mon.yaml:1:21: prometheus.image: `prom//prometheus` is not an image reference; expected an image such as `prom/prometheus:v3.5.0`
    moko-mon.yaml:1:21: prometheus.image: `prom/prometheus@sha256:abc` is not an image reference; expected an image such as `prom/prometheus:v3.5.0`
    moko-mon.yaml:1:21: prometheus.image: the value is empty; expected an image such as `prom/prometheus:v3.5.0`
    moko-mon.yaml:1:20: images.registry: `https://mirror.example.com` has a scheme; expected a registry such as `mirror.example.com:5000/docker`
    moko-mon.yaml:1:20: images.registry: `…@mirror` has credentials in it; expected a registry such as `mirror.example.com:5000/docker`
    moko-mon.yaml:1:20: images.registry: `mirror.example.com/A b` is not a registry; expected a registry such as `mirror.example.com:5000/docker`
    moko-mon.yaml:1:20: images.registry: `mirror.example.com:99999` is not a registry; expected a registry such as `mirror.example.com:5000/docker`
    moko-mon.yaml:1:20: images.registry: `/` is not a registry; expected a registry such as `mirror.example.com:5000/docker`
    moko-mon.yaml:1:16: images.pull: `allways` is unknown (did you mean `always`?); expected one of `missing`, `always` or `never`
    moko-mon.yaml:1:16: images.pull: `if-not-present` is unknown; expected one of `missing`, `always` or `never`
    "#);
    for image in [
        "prom/prometheus:v3.1.0",
        "prometheus",
        "localhost:5000/p",
        "ghcr.io/a/b/c:1",
        "a@sha256:0123456789012345678901234567890123456789012345678901234567890123",
    ] {
        let config = Case::new(format!("alertmanager: {{image: '{image}'}}\n")).config();
        assert_eq!(config.alertmanager.server.image.as_deref(), Some(image));
    }
    for (registry, kept) in [("mirror:5000", "mirror:5000"), ("m.example.com/docker/hub/", "m.example.com/docker/hub")]
    {
        let config = Case::new(format!("images: {{registry: '{registry}'}}\n")).config();
        assert_eq!(config.images.registry.as_deref(), Some(kept));
    }
}

#[test]
fn several_problems_at_once_in_the_order_of_the_file() {
    let case = Case::new(
        "project: X\nimages:\n  pul: never\nprometheus:\n  port: 70000\n  retention:\n    time: 1 day\n\
         alertmanager:\n  port: 9091\npushgateway: {}\ntargets:\n  - address: a\n    labels: {a-b: c}\nbind: localhost\n",
    )
    .variable("MOKO_MON_GRAFANA_PORT", "x")
    .variable("MOKO_MON_BND", "x")
    .flag("--set", "prometheus.memory", "1")
    .file("rules/b.yml", "groups: x\n")
    .file("rules/a.yml", "group: []\n");
    insta::assert_snapshot!(case.error(), @r#"
    error: the configuration has 12 problems
      caused by: moko-mon.yaml:1:10: project: `X` is not a project name; expected 2 to 31 of `a-z`, `0-9` and `-`, starting with a letter
      caused by: moko-mon.yaml:3:3: images: unknown key `pul` (did you mean `pull`?); expected one of `registry` or `pull`
      caused by: moko-mon.yaml:5:9: prometheus.port: `70000` is not a port; expected a whole number from 1 to 65535
      caused by: moko-mon.yaml:7:11: prometheus.retention.time: `1 day` has the unknown unit ` day`; expected a duration such as `15s`, `1h30m` or `15d`, at least 1h
      caused by: moko-mon.yaml:9:9: alertmanager.port: `9091` is the port of `pushgateway.port` too; expected a port that no other component has
      caused by: moko-mon.yaml:12:5: targets[0].job: the key is missing; expected a job name other than `prometheus`, `alertmanager`, `pushgateway` or `grafana`
      caused by: moko-mon.yaml:12:14: targets[0].address: `a` has no port; expected `host:port`, or a URL such as `https://host:port/metrics`
      caused by: moko-mon.yaml:13:14: targets[0].labels: `a-b` is not a label name; expected letters, digits and `_`, not starting with a digit
      caused by: moko-mon.yaml:14:7: bind: `localhost` is not an IP address (did you mean `127.0.0.1`?); expected an IP address such as `127.0.0.1`
      caused by: environment variable MOKO_MON_BND: no setting has this name (did you mean `MOKO_MON_BIND`?); expected `MOKO_MON_` and a key in capitals, with `_` for each dot
      caused by: environment variable MOKO_MON_GRAFANA_PORT: grafana.port: `x` is not a port; expected a whole number from 1 to 65535
      caused by: flag --set: prometheus.memory: `1` is not a memory size; expected a whole number with MiB or GiB, 128MiB to 1024GiB
    hint: mend it and try again; nothing was changed. `moko-mon config schema` lists every setting
    "#);
}
