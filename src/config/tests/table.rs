//! The table of settings and everything that is made from it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use super::super::schema::{Field, Kind, Leaf, SETTINGS, leaves};
use super::super::*;
use super::Case;

/// The starting file with its settings uncommented, as its head says: `#key` is one, `# text` is none.
fn uncommented() -> String {
    let lines = starting_file();
    let lines = lines.lines().map(|line| {
        let text = line.trim_start();
        match text.strip_prefix('#') {
            Some(setting) if setting.starts_with(|c: char| c.is_ascii_lowercase()) => line.replacen('#', "", 1),
            _ => line.to_owned(),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_starting_file_changes_nothing() {
    let resolved = Case::new(starting_file()).resolved();
    assert_eq!(resolved.config, Case::empty().config());
    assert!(resolved.settings.iter().all(|setting| setting.origin == Origin::Default));
}

#[test]
fn the_starting_file_uncommented_is_every_default() {
    let resolved = Case::new(uncommented()).resolved();
    assert_eq!(resolved.config, Case::empty().config());
    for setting in resolved.settings {
        let named = matches!(setting.origin, Origin::File { .. });
        assert_eq!(named, !setting.value.is_null(), "{}", setting.key);
    }
    assert!(starting_file().lines().all(|line| line.len() <= 120 && line == line.trim_end()));
}

#[test]
fn the_starting_file_reads_well() {
    let start: Vec<String> = starting_file().lines().take(60).map(str::to_owned).collect();
    insta::assert_snapshot!(start.join("\n"), @r#"
    # The settings of moko-mon. Every line below shows a default: a setting that is left out keeps it.
    #
    # `#key: value` is a setting: take the `#` away, and that of the heading above it. `# text` explains.
    # Stronger than this file are environment variables (`MOKO_MON_PROMETHEUS_PORT=9090`) and flags
    # (`--set prometheus.port=9090`). `moko-mon config check` checks it, `moko-mon config show` tells where each
    # value comes from, `moko-mon config schema > moko-mon.schema.json` lets editors complete it.

    # The name that scopes this stack on the engine; two projects never see each other.
    #project: moko-mon

    # The address of the host on which the ports are published. Any other than loopback opens the stack
    # to the network.
    #bind: 127.0.0.1

    # Where the images come from.
    #images:
      # A mirror to pull all four images from: host, optional port and path, no scheme.
      # For example:
      #   registry: mirror.example.com/docker
      # When images are pulled: when they are missing, at every `up`, or never.
      #pull: missing

    # Prometheus scrapes, stores and evaluates.
    #prometheus:
      # The port on the host.
      #port: 9090
      # The image, without `images.registry`; left out, it is the one pinned in moko-mon.
      # For example:
      #   image: prom/prometheus:v3.13.2
      # The memory limit: a whole number with MiB or GiB (m, MB, g, GB mean the same, powers of 1024).
      #memory: 1GiB
      # How often targets are scraped.
      #scrape_interval: 15s
      # How often rules are evaluated.
      #evaluation_interval: 15s
      # How much is kept; whichever limit is reached first counts.
      #retention:
        # How long samples are kept.
        #time: 15d
        # How much disk space samples may take: KB, MB, GB, TB, powers of 1024.
        #size: 10GB
      # Labels for every series and alert that leaves this Prometheus.
      #external_labels: {}
      # For example:
      #   external_labels:
      #     team: platform
      # Where samples are sent as well, in Prometheus' own notation. Secrets only as `*_file`.
      #remote_write: []
      # For example:
      #   remote_write:
      #     - url: https://mimir.example.com/api/v1/push
      #       basic_auth:
      #         username: moko
      #         password_file: secrets/mimir

    # Alertmanager groups alerts and notifies people.
    #alertmanager:
      # The port on the host.
      #port: 9093
      # The image, without `images.registry`; left out, it is the one pinned in moko-mon.
    "#);
}

#[test]
fn every_example_is_valid() {
    for leaf in leaves(SETTINGS) {
        let Some(example) = leaf.field.example else { continue };
        let mut yaml = String::new();
        let parts: Vec<&str> = leaf.path.split('.').collect();
        for (depth, part) in parts.iter().enumerate() {
            write!(yaml, "\n{}{part}:", "  ".repeat(depth)).unwrap();
        }
        if leaf.scalar().is_some() {
            write!(yaml, " {example}").unwrap();
        } else {
            let margin = "  ".repeat(parts.len());
            for line in example.lines() {
                write!(yaml, "\n{margin}{line}").unwrap();
            }
        }
        let case = Case::new(yaml)
            .file("secrets/mimir", "x")
            .file("secrets/ci-token", "x")
            .file("rules/a.yml", "groups:\n  - name: a\n")
            .file("dashboards/a.json", "{\"title\": \"a\"}");
        let setting = case.resolved().settings.into_iter().find(|setting| setting.key == leaf.path).unwrap();
        assert!(matches!(setting.origin, Origin::File { .. }), "{}", leaf.path);
    }
}

#[test]
fn every_variable_has_one_meaning() {
    let names: BTreeSet<String> = leaves(SETTINGS).iter().map(Leaf::variable).collect();
    assert_eq!(names.len(), leaves(SETTINGS).len());
    for leaf in leaves(SETTINGS).iter().filter(|leaf| leaf.scalar().is_some()) {
        let text = leaf.field.default.or(leaf.field.example).unwrap();
        let by_variable = Case::empty().variable(&leaf.variable(), text).resolved();
        let by_flag = Case::empty().flag("--set", &leaf.path, text).resolved();
        assert_eq!(by_variable.config, by_flag.config);
        let origin = |resolved: Resolved| resolved.settings.into_iter().find(|s| s.key == leaf.path).unwrap().origin;
        assert_eq!(origin(by_variable), Origin::Environment(leaf.variable()));
        assert_eq!(origin(by_flag), Origin::Flag("--set".to_owned()));
    }
}

#[test]
fn the_schema_knows_every_setting_and_nothing_else() {
    fn compare(fields: &[Field], schema: &Value, path: &str) {
        let known: BTreeSet<&str> = fields.iter().map(|field| field.key).collect();
        let listed: BTreeSet<&str> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(known, listed, "{path}");
        assert_eq!(schema["additionalProperties"], Value::Bool(false), "{path}");
        for field in fields {
            let property = &schema["properties"][field.key];
            assert!(property["description"].is_string(), "{path}.{}", field.key);
            match field.kind {
                Kind::Group(inner) => compare(inner, property, field.key),
                Kind::List(Kind::Group(inner)) => compare(inner, &property["items"], field.key),
                Kind::Scalar(_) | Kind::List(_) | Kind::Labels | Kind::Map(_) | Kind::Foreign(_) => {}
            }
        }
    }
    let schema = json_schema();
    compare(SETTINGS, &schema, "");
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    insta::assert_snapshot!(serde_json::to_string_pretty(&schema["properties"]["alertmanager"]).unwrap(), @r#"
    {
      "type": [
        "object",
        "null"
      ],
      "properties": {
        "port": {
          "type": "integer",
          "minimum": 1,
          "maximum": 65535,
          "description": "The port on the host.",
          "default": 9093
        },
        "image": {
          "type": "string",
          "minLength": 1,
          "description": "The image, without `images.registry`; left out, it is the one pinned in moko-mon.",
          "examples": [
            "prom/alertmanager:v0.34.0"
          ]
        },
        "memory": {
          "type": "string",
          "pattern": "^[1-9][0-9]*([kK]|[mM]|[gG])([iI]?[bB])?$",
          "description": "The memory limit: a whole number with MiB or GiB (m, MB, g, GB mean the same, powers of 1024).",
          "default": "128MiB"
        }
      },
      "additionalProperties": false,
      "description": "Alertmanager groups alerts and notifies people."
    }
    "#);
    insta::assert_snapshot!(serde_json::to_string_pretty(&schema["properties"]["images"]["properties"]["pull"]).unwrap(), @r#"
    {
      "type": "string",
      "enum": [
        "missing",
        "always",
        "never"
      ],
      "description": "When images are pulled: when they are missing, at every `up`, or never.",
      "default": "missing"
    }
    "#);
}
