//! The small commands, the envelope, wrong usage, and odd surroundings.

use serde_json::{Value, json};

use crate::support::{Lab, Output};

#[test]
fn logs_come_component_after_component_without_escapes() {
    let lab = Lab::up();
    lab.engine.with(|state| {
        state.named("moko-mon-prometheus").unwrap().say("one \u{1b}[31mred\u{1b}[0m");
        state.named("moko-mon-prometheus").unwrap().say("two");
    });
    insta::assert_snapshot!(lab.run(&["logs"]).text(), @"
    exit 0
    --- stdout
    prometheus    moko-mon-prometheus runs
    prometheus    one [31mred[0m
    prometheus    two
    alertmanager  moko-mon-alertmanager runs
    pushgateway   moko-mon-pushgateway runs
    grafana       moko-mon-grafana runs
    --- stderr
    ");
    insta::assert_snapshot!(lab.run(&["logs", "prometheus", "--tail", "1"]).text(), @"
    exit 0
    --- stdout
    prometheus    two
    --- stderr
    ");
    let (_, envelope) = lab.json(&["logs", "prometheus", "-n", "1", "--since", "5m"]);
    assert_eq!(envelope["data"], json!({"lines": [{"component": "prometheus", "line": "two"}]}));
    lab.engine.remove("moko-mon-grafana");
    insta::assert_snapshot!(lab.run(&["logs", "grafana"]).text(), @"
    exit 1
    --- stdout

    --- stderr
    error: project `moko-mon` has no Grafana container
    hint: bring the stack up with `moko-mon up`
    ");
    let (output, envelope) = lab.json(&["logs", "-f"]);
    assert_eq!((output.code(), envelope["error"]["code"].as_str()), (2, Some("usage")));
}

#[test]
fn logs_of_nothing_say_how_to_get_some() {
    insta::assert_snapshot!(Lab::new().run(&["logs"]).text(), @"
    exit 1
    --- stdout

    --- stderr
    error: project `moko-mon` has no containers
    hint: bring the stack up with `moko-mon up`
    ");
}

#[test]
fn open_prints_the_address() {
    let lab = Lab::up();
    insta::assert_snapshot!(lab.run(&["open", "grafana", "--print"]).text(), @"
    exit 0
    --- stdout
    http://127.0.0.1:3000
    --- stderr
    ");
    // There is no browser, and that does not matter.
    let output = lab.run(&["open", "prometheus"]).successful();
    assert!(output.stderr.starts_with("warning: could not start `"), "{}", output.stderr);
    let (_, envelope) = lab.json(&["open", "grafana"]);
    assert_eq!(envelope["data"]["component"], "grafana");
    lab.run(&["down"]).succeeds();
    insta::assert_snapshot!(lab.run(&["open", "grafana", "--print"]).text(), @"
    exit 1
    --- stdout

    --- stderr
    error: project `moko-mon` has no Grafana
    hint: bring the stack up with `moko-mon up`
    ");
}

#[test]
fn completions_and_man_pages_are_written() {
    let lab = Lab::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(lab.run(&["completions", shell]).successful().stdout.contains("moko-mon"));
    }
    lab.run(&["man", "-o", "man/man1"]).succeeds();
    let page = std::fs::read_to_string(lab.path("work/man/man1/moko-mon-config-show.1")).unwrap();
    assert!(page.contains("moko-mon"));
    std::fs::write(lab.path("work/file"), "").unwrap();
    assert_eq!(lab.run(&["man", "-o", "file"]).code(), 1);
}

#[test]
fn init_writes_a_file_that_is_right_and_never_overwrites_one() {
    let lab = Lab::new();
    insta::assert_snapshot!(lab.run(&["init"]).text(), @"
    exit 0
    --- stdout
    wrote moko-mon.yaml: every setting is in it, commented out with its default
    --- stderr
    ");
    let first = std::fs::read(lab.path("work/moko-mon.yaml")).unwrap();
    lab.run(&["config", "check"]).succeeds();
    lab.write("moko-mon.yaml", "project: mine\n");
    insta::assert_snapshot!(lab.run(&["init"]).text(), @"
    exit 2
    --- stdout

    --- stderr
    error: could not write `moko-mon.yaml`
      caused by: it exists already, and a file of yours is never overwritten
    hint: edit it, or name another with `--config FILE`
    ");
    assert_eq!(std::fs::read(lab.path("work/moko-mon.yaml")).unwrap(), b"project: mine\n");
    lab.run(&["init", "--config", "other.yaml"]).succeeds();
    assert_eq!(std::fs::read(lab.path("work/other.yaml")).unwrap(), first);
    let left: Vec<_> = std::fs::read_dir(lab.path("work")).unwrap().collect();
    assert_eq!(left.len(), 2, "{left:?}");
    assert_eq!(lab.engine.calls(), [""; 0]);
}

#[test]
fn config_show_says_where_every_value_comes_from() {
    let lab = Lab::new();
    lab.write("moko-mon.yaml", "prometheus:\n  scrape_interval: 30s\n  evaluation_interval: 20s\n");
    let output = lab
        .command(&["config", "show", "--set", "bind=0.0.0.0"])
        .env("MOKO_MON_PROMETHEUS_SCRAPE_INTERVAL", "1m")
        .run();
    let line = |key: &str| {
        output
            .stdout
            .lines()
            .find(|line| line.starts_with(key))
            .unwrap_or_default()
            .split_whitespace()
            .skip(1)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(line("prometheus.scrape_interval"), "1m MOKO_MON_PROMETHEUS_SCRAPE_INTERVAL");
    assert_eq!(line("prometheus.evaluation_interval"), "20s moko-mon.yaml:3");
    assert_eq!(line("bind"), "0.0.0.0 --set bind");
    assert_eq!(line("project"), "moko-mon default");
    insta::assert_snapshot!(lab.run(&["config", "check"]).text(), @"
    exit 0
    --- stdout
    [folder]/work/moko-mon.yaml is right
    --- stderr
    ");
    let (_, envelope) = lab.json(&["config", "show"]);
    assert_eq!(envelope["data"].as_object().unwrap().keys().collect::<Vec<_>>(), ["file", "settings"]);
    let schema: Value = serde_json::from_str(&lab.run(&["config", "schema"]).successful().stdout).unwrap();
    assert!(schema["properties"]["prometheus"].is_object());
    assert_eq!(lab.engine.calls(), [""; 0]);
}

#[test]
fn every_command_writes_one_envelope_and_nothing_else() {
    let lab = Lab::new();
    let commands: [&[&str]; 16] = [
        &["init"],
        &["status"],
        &["logs"],
        &["password", "show"],
        &["up", "--dry-run"],
        &["up"],
        &["status"],
        &["logs"],
        &["open", "grafana", "--print"],
        &["password", "show"],
        &["password", "reset"],
        &["config", "check"],
        &["config", "show"],
        &["config", "schema"],
        &["completions", "bash"],
        &["down"],
    ];
    for command in commands {
        let (output, envelope) = lab.json(command);
        let keys: Vec<&String> = envelope.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["schema_version", "command", "status", "data", "warnings", "error"], "{command:?}");
        assert_eq!(envelope["schema_version"], 1);
        let name = command.iter().filter(|word| !word.starts_with('-')).copied().collect::<Vec<_>>().join(" ");
        let name = name.strip_suffix(" grafana").or_else(|| name.strip_suffix(" bash")).unwrap_or(&name);
        assert_eq!(envelope["command"], name);
        assert_eq!(envelope["status"] == "ok", output.status.success(), "{command:?}");
        assert_eq!(envelope["error"].is_null(), output.status.success(), "{command:?}");
        if let Some(error) = envelope["error"].as_object() {
            assert_eq!(error.keys().collect::<Vec<_>>(), ["code", "message", "causes", "hint"], "{command:?}");
        }
        // The environment variable is the flag.
        assert!(lab.command(command).env("MOKO_MON_OUTPUT", "json").run().envelope().is_object());
    }
}

#[test]
fn wrong_usage_ends_with_2_in_text_and_in_json() {
    let lab = Lab::new();
    let wrong: [&[&str]; 8] = [
        &["upp"],
        &["up", "--nonsense"],
        &["up", "--wait", "soon"],
        &["logs", "loki"],
        &["open"],
        &["up", "--set", "prometheus.port"],
        &["logs", "--tail", "x"],
        &["completions", "tcsh"],
    ];
    for arguments in wrong {
        let output = lab.run(arguments);
        assert_eq!((output.code(), output.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(output.stderr.starts_with("error: "), "{arguments:?}: {}", output.stderr);
        let (output, envelope) = lab.json(arguments);
        assert_eq!((output.code(), envelope["error"]["code"].as_str()), (2, Some("usage")), "{arguments:?}");
        assert_eq!(output.stderr, "", "{arguments:?}");
        let output = lab.command(arguments).env("MOKO_MON_OUTPUT", "json").run();
        assert_eq!(output.envelope()["error"]["code"], "usage", "{arguments:?}");
    }
    insta::assert_snapshot!(lab.run(&["upp"]).text(), @"
    exit 2
    --- stdout

    --- stderr
    error: unrecognized subcommand 'upp'

      tip: a similar subcommand exists: 'up'

    Usage: moko-mon [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
    let (_, envelope) = lab.json(&["upp"]);
    insta::assert_snapshot!(format!("{envelope:#}"), @r#"
    {
      "schema_version": 1,
      "command": "",
      "status": "failed",
      "data": null,
      "warnings": [],
      "error": {
        "code": "usage",
        "message": "unrecognized subcommand 'upp'",
        "causes": [],
        "hint": "tip: a similar subcommand exists: 'up'\n\nUsage: moko-mon [OPTIONS] <COMMAND>\n\nFor more information, try '--help'."
      }
    }
    "#);
    assert_eq!(lab.run(&[]).code(), 2);
    assert_eq!(lab.run(&["--version"]).stdout, concat!("moko-mon ", env!("CARGO_PKG_VERSION"), "\n"));
    assert_eq!(lab.engine.calls(), [""; 0]);
}

#[test]
fn a_reader_that_has_gone_away_changes_nothing() {
    let lab = Lab::up();
    let commands: [&[&str]; 6] = [
        &["status"],
        &["logs"],
        &["logs", "-f"],
        &["config", "show"],
        &["completions", "bash"],
        &["up", "--output", "json"],
    ];
    for command in commands {
        let output: Output = lab.command(command).unread();
        assert_eq!((output.code(), output.stderr.as_str()), (0, ""), "{command:?}");
    }
    assert_eq!(lab.command(&["--help"]).unread().code(), 0);
}

#[test]
fn proxies_of_the_environment_are_for_others() {
    let lab = Lab::new();
    let dead = "http://127.0.0.1:1";
    let run = |arguments: &[&str]| {
        let names = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
        names.into_iter().fold(lab.command(arguments), |run, name| run.env(name, dead)).run()
    };
    run(&["up"]).succeeds();
    run(&["status"]).succeeds();
    run(&["password", "reset"]).succeeds();
    assert!(run(&["up"]).successful().stdout.starts_with("nothing to do"));
    run(&["down", "--volumes", "--yes"]).succeeds();
}

#[test]
fn nothing_is_coloured_where_no_terminal_is_and_odd_surroundings_do_no_harm() {
    let lab = Lab::new();
    lab.command(&["up"]).env("NO_COLOR", "1").run().succeeds();
    lab.command(&["up"]).env("CLICOLOR_FORCE", "1").env("TERM", "xterm-256color").run().succeeds();
    lab.command(&["status"]).without("HOME").without("TMPDIR").without("PATH").run().succeeds();
    assert_eq!(lab.run(&["upp"]).code(), 2);
    assert!(!lab.seen().contains('\u{1b}'), "{}", lab.seen());
}

/// One usage, whatever is wrong with it.
#[test]
fn run_says_how_it_is_called() {
    let lab = Lab::new();
    let usage = "Usage: moko-mon run [OPTIONS] -- COMMAND...\n       moko-mon run [OPTIONS] JOB [-- COMMAND...]\n";
    let wrong: [(&[&str], &str); 3] = [
        (&["run"], "error: the following required arguments were not provided:\n  <COMMAND>...\n"),
        (&["run", "--name", "x"], "error: the following required arguments were not provided:\n  <COMMAND>...\n"),
        (&["run", "x", "--name", "y"], "error: the argument '[JOB]' cannot be used with '--name <NAME>'\n"),
    ];
    for (arguments, fact) in wrong {
        let output = lab.run(arguments);
        assert_eq!(output.code(), 2, "{arguments:?}");
        assert!(output.stderr.starts_with(fact) && output.stderr.contains(usage), "{arguments:?}: {}", output.stderr);
    }
    assert!(lab.run(&["run", "--help"]).successful().stdout.contains(usage));
}
