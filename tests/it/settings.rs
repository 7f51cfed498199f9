//! Wrong settings: everything at once, exit 2, and nothing on the engine is touched.

use crate::support::Lab;

/// `up` with these settings and no call to the engine.
fn refused(lab: &Lab) -> String {
    let output = lab.run(&["up"]);
    assert_eq!(output.code(), 2, "{}", output.text());
    assert_eq!(lab.engine.calls(), [""; 0]);
    let (output, envelope) = lab.json(&["config", "check"]);
    assert_eq!((output.code(), envelope["error"]["code"].as_str()), (2, Some("config_invalid")));
    lab.run(&["up"]).error()
}

#[test]
fn everything_wrong_is_told_at_once() {
    let lab = Lab::new();
    lab.write("rules/broken.yml", "groups:\n- name: a\n  rules:\n  - alert: X\n");
    lab.write("dash/board.json", "{\"title\": ");
    lab.write(
        "moko-mon.yaml",
        "projct: x\n\
         bind: nowhere\n\
         prometheus:\n  scrape_interval: 10 minutes\n  scrape_interval: 15s\n  external_labels:\n    a-b: c\n  retention: 15d\n\
         alertmanager:\n  port: 70000\n  memory: [1]\n\
         pushgateway:\n  port: 0\n\
         rules:\n  extra: [nothing/*.yml, rules/*.yml]\n\
         grafana:\n  enabled: maybe\n  dashboards: [dash/*.json]\n",
    );
    insta::assert_snapshot!(refused(&lab), @"
    error: the configuration has 13 problems
      caused by: moko-mon.yaml:1:1: unknown key `projct` (did you mean `project`?); expected one of `project`, `bind`, `images`, `prometheus`, `alertmanager`, `pushgateway`, `grafana`, `targets`, `rules`, `receivers`, `notify`, `routes`, `heartbeat`, `push`, `jobs` or `checks`
      caused by: moko-mon.yaml:2:7: bind: `nowhere` is not an IP address; expected an IP address such as `127.0.0.1`
      caused by: moko-mon.yaml:4:20: prometheus.scrape_interval: `10 minutes` has the unknown unit ` minutes`; expected a duration such as `15s`, `1h30m` or `15d`, at least 1s
      caused by: moko-mon.yaml:5:3: the key `scrape_interval` is there twice; expected one: the first is in line 4
      caused by: moko-mon.yaml:7:5: prometheus.external_labels: `a-b` is not a label name; expected letters, digits and `_`, not starting with a digit
      caused by: moko-mon.yaml:8:14: prometheus.retention: `15d` is a single value; expected a mapping (`key: value` lines)
      caused by: moko-mon.yaml:10:9: alertmanager.port: `70000` is not a port; expected a whole number from 1 to 65535
      caused by: moko-mon.yaml:11:11: alertmanager.memory: the value is a list; expected a whole number with MiB or GiB, 32MiB to 1024GiB
      caused by: moko-mon.yaml:13:9: pushgateway.port: `0` is not a port; expected a whole number from 1 to 65535
      caused by: moko-mon.yaml:15:11: rules.extra[0]: `nothing/*.yml` matches no file; expected a file, or a pattern that matches at least one
      caused by: moko-mon.yaml:17:12: grafana.enabled: `maybe` is neither `true` nor `false`; expected `true` or `false`
      caused by: dash/board.json:1:10: not JSON: EOF while parsing a value; expected a dashboard as Grafana exports it
      caused by: rules/broken.yml:4:5: groups[0].rules[0].expr: the key is missing; expected a text
    hint: mend it and try again; nothing was changed. `moko-mon config schema` lists every setting
    ");
}

#[test]
fn a_port_used_twice_is_told_with_both_settings() {
    let lab = Lab::new();
    let output = lab.run(&["up", "--set", "grafana.port=9999", "--set", "prometheus.port=9999"]);
    insta::assert_snapshot!(output.text(), @"
    exit 2
    --- stdout

    --- stderr
    error: the configuration has a problem
      caused by: flag --set grafana.port: grafana.port: `9999` is the port of `prometheus.port` too; expected a port that no other component has
    hint: mend it and try again; nothing was changed. `moko-mon config schema` lists every setting
    ");
    assert_eq!(lab.engine.calls(), [""; 0]);
}

#[test]
fn what_is_no_yaml_or_empty_is_told() {
    let lab = Lab::new();
    lab.write("moko-mon.yaml", "prometheus: {port: 1\n");
    insta::assert_snapshot!(refused(&lab), @"
    error: the configuration has a problem
      caused by: moko-mon.yaml:2:1: a `[` or `{` that is not closed; expected the closing bracket, and commas between the values
    hint: mend it and try again; nothing was changed. `moko-mon config schema` lists every setting
    ");
    lab.write("moko-mon.yaml", "");
    insta::assert_snapshot!(refused(&lab), @"
    error: the configuration has a problem
      caused by: moko-mon.yaml: empty config: the file has no content; expected settings, or at least a comment
    hint: mend it and try again; nothing was changed. `moko-mon config schema` lists every setting
    ");
    lab.write("moko-mon.yaml", "- a\n- b\n");
    insta::assert_snapshot!(refused(&lab), @"
    error: the configuration has a problem
      caused by: moko-mon.yaml:1:1: the value is a list; expected a mapping (`key: value` lines)
    hint: mend it and try again; nothing was changed. `moko-mon config schema` lists every setting
    ");
}

#[test]
fn wrong_variables_and_flags_are_told_together() {
    let lab = Lab::new();
    let run = lab.command(&["up", "--set", "grafana.prt=1", "--project", "Not A Name"]);
    let output = run.env("MOKO_MON_PROMETHEUS_PRT", "1").env("MOKO_MON_BIND", "x").run();
    insta::assert_snapshot!(output.text(), @"
    exit 2
    --- stdout

    --- stderr
    error: the configuration has 4 problems
      caused by: environment variable MOKO_MON_BIND: bind: `x` is not an IP address; expected an IP address such as `127.0.0.1`
      caused by: environment variable MOKO_MON_PROMETHEUS_PRT: no setting has this name (did you mean `MOKO_MON_PROMETHEUS_PORT`?); expected `MOKO_MON_` and a key in capitals, with `_` for each dot
      caused by: flag --set grafana.prt: unknown key `grafana.prt` (did you mean `grafana.port`?); expected a key from `moko-mon config schema`
      caused by: flag --project: project: `Not A Name` is not a project name; expected 2 to 31 of `a-z`, `0-9` and `-`, starting with a letter
    hint: mend it and try again; nothing was changed. `moko-mon config schema` lists every setting
    ");
    assert_eq!(lab.engine.calls(), [""; 0]);
}

#[test]
fn a_misspelt_project_keeps_every_command_from_the_default_one() {
    let lab = Lab::up();
    lab.write("moko-mon.yaml", "projct: rev1\n");
    let commands: [&[&str]; 5] = [&["down"], &["status"], &["logs"], &["open", "grafana"], &["password", "show"]];
    for command in commands {
        assert_eq!(lab.run(command).code(), 2, "{command:?}");
    }
    insta::assert_snapshot!(lab.run(&["down"]).text(), @"
    exit 2
    --- stdout

    --- stderr
    error: the configuration has a problem
      caused by: moko-mon.yaml:1:1: unknown key `projct` (did you mean `project`?); expected one of `project`, `bind`, `images`, `prometheus`, `alertmanager`, `pushgateway`, `grafana`, `targets`, `rules`, `receivers`, `notify`, `routes`, `heartbeat`, `push`, `jobs` or `checks`
    hint: name the project with `--project NAME`, or mend the configuration
    ");
    lab.write("moko-mon.yaml", "project: rev1\n");
    insta::assert_snapshot!(lab.command(&["down"]).env("MOKO_MON_PROJET", "rev2").run().text(), @"
    exit 2
    --- stdout

    --- stderr
    error: the configuration has a problem
      caused by: environment variable MOKO_MON_PROJET: no setting has this name (did you mean `MOKO_MON_PROJECT`?); expected `MOKO_MON_` and a key in capitals, with `_` for each dot
    hint: name the project with `--project NAME`, or mend the configuration
    ");
    assert_eq!(lab.engine.calls(), [""; 0]);
    lab.command(&["down", "--project", "moko-mon"]).env("MOKO_MON_PROJET", "rev2").run().succeeds();
}

#[test]
fn a_variable_that_is_no_text_is_refused_before_anything_is_done() {
    use std::os::unix::ffi::OsStrExt as _;
    let lab = Lab::new();
    let bytes = std::ffi::OsStr::from_bytes(b"caf\xe9");
    insta::assert_snapshot!(lab.command(&["down"]).env("MOKO_MON_PROJECT", bytes).run().text(), @"
    exit 2
    --- stdout

    --- stderr
    error: could not read the environment
      caused by: environment variable MOKO_MON_PROJECT: the value is not UTF-8; expected text in UTF-8
    hint: set the variable anew or `unset` it, and try again; nothing was changed
    ");
    let run = lab.command(&["status"]).env("DOCKER_CONTEXT", bytes).env("MOKO_MON_OUTPUT", "json");
    let output = run.run();
    let envelope = output.envelope();
    assert_eq!((output.code(), output.stderr.as_str()), (2, ""));
    assert_eq!((&envelope["command"], &envelope["error"]["code"]), (&"status".into(), &"config_invalid".into()));
    assert_eq!(lab.command(&["status"]).env("MOKO_MON_OUTPUT", bytes).run().code(), 2);
    assert_eq!(lab.engine.calls(), [""; 0]);
    // What is not ours may be anything.
    lab.command(&["config", "check"]).env("LESSOPEN", bytes).run().succeeds();
}

#[test]
fn the_variable_of_the_output_format_is_named_and_an_empty_one_does_not_count() {
    let lab = Lab::new();
    let run = |arguments: &[&str], value: &str| lab.command(arguments).env("MOKO_MON_OUTPUT", value).run();
    insta::assert_snapshot!(run(&["config", "check"], "yaml").text(), @"
    exit 2
    --- stdout

    --- stderr
    error: could not read the environment
      caused by: environment variable MOKO_MON_OUTPUT: `yaml` is unknown; expected `text`, `json`, `junit` or `markdown`
    hint: set the variable anew or `unset` it, and try again; nothing was changed
    ");
    let plain = lab.run(&["config", "check"]).stdout;
    assert_eq!(run(&["config", "check"], "").successful().stdout, plain);
    // A flag is stronger, in front of the command as behind it.
    for arguments in [["--output", "text", "config", "check"], ["config", "check", "--output", "text"]] {
        assert_eq!(run(&arguments, "json").successful().stdout, plain);
        assert_eq!(run(&arguments, "yaml").successful().stdout, plain);
    }
    assert!(run(&["config", "check"], "json").envelope().is_object());
    run(&["--help"], "yaml").succeeds();
}

#[test]
fn a_file_that_is_named_has_to_be_there() {
    let lab = Lab::new();
    insta::assert_snapshot!(lab.run(&["up", "--config", "gone.yaml"]).text(), @"
    exit 2
    --- stdout

    --- stderr
    error: the configuration has a problem
      caused by: gone.yaml: the file does not exist; expected a configuration file of at most 256 KiB
    hint: mend it and try again; nothing was changed. `moko-mon config schema` lists every setting
    ");
    assert_eq!(lab.engine.calls(), [""; 0]);
}

#[test]
fn a_dashboard_that_is_no_dashboard_and_a_rule_file_without_sense_are_told() {
    let lab = Lab::new();
    lab.write("a.json", "[]");
    lab.write("b.json", "{\"uid\": \"x\"}");
    lab.write("rules.yml", "groups: 5\n");
    lab.write("moko-mon.yaml", "grafana:\n  dashboards: ['*.json']\nrules:\n  extra: [rules.yml]\n");
    insta::assert_snapshot!(refused(&lab), @"
    error: the configuration has 3 problems
      caused by: a.json:1:1: not a JSON object; expected a dashboard as Grafana exports it
      caused by: b.json:1:1: title: the key is missing; expected the title of the dashboard
      caused by: rules.yml:1:9: groups: `5` is a single value; expected a list (lines that start with `- `)
    hint: mend it and try again; nothing was changed. `moko-mon config schema` lists every setting
    ");
}

#[test]
fn a_dashboard_that_up_refuses_fails_the_check_as_well() {
    let lab = Lab::new();
    lab.write("moko-mon.yaml", "grafana:\n  dashboards: ['*.json']\n");
    lab.write(
        "a.json",
        "{\n  \"title\": \"A\",\n  \"__inputs\": [{\"name\": \"DS_L\", \"type\": \"datasource\", \"pluginId\": \"loki\"}]\n}\n",
    );
    insta::assert_snapshot!(refused(&lab), @"
    error: the configuration has a problem
      caused by: a.json:3:3: __inputs: the input `DS_L` wants a data source of type `loki`; expected only inputs of type `prometheus`, which is the stack's only data source
    hint: mend it and try again; nothing was changed. `moko-mon config schema` lists every setting
    ");
    lab.write("a.json", "{\"title\": \"moko-mon\"}");
    insta::assert_snapshot!(refused(&lab), @"
    error: Grafana would mix up two dashboards
      caused by: moko-mon's folder in Grafana and [folder]/work/a.json both have the title `moko-mon`, or nearly
    hint: give [folder]/work/a.json another `title`
    ");
    // An answer of Grafana's API has the dashboard in it.
    lab.write("a.json", "{\"meta\": {}, \"dashboard\": {\"title\": \"A\", \"uid\": \"a\"}}");
    lab.run(&["config", "check"]).succeeds();
    assert!(lab.run(&["up", "--dry-run"]).stdout.contains("dashboard a "));
}
