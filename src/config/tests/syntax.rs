//! Texts that are no settings file at all.

use super::super::decode::Decoder;
use super::super::schema::SETTINGS;
use super::super::starting_file;
use super::{Case, refusals};
use crate::yaml::{self, Limits};

#[test]
fn text_that_is_not_yaml() {
    insta::assert_snapshot!(refusals(&[
        "prometheus:\n\tport: 9090\n",
        "prometheus:\n  port: 9090\n \tretention:\n",
        "a: b: c\n",
        "project: 'abc\nbind: x\n",
        "project: \"abc\n",
        "targets: [a, b\n",
        "targets: {a: b\n",
        "prometheus:\n  port: 9090\n bind: x\n",
        "- a\nb: c\n",
        "project\n",
        "- project\n",
        "project: @x\n",
        "project: `x`\n",
        "project: *x\n",
        "project: %x\n",
        "? [a, b]\n: c\n",
        "targets:\n  - job: a\n    address: [::1]:9100\n",
        "targets:\n  - job: a\n   address: a:1\n",
        "prometheus:\n  port:9090\n",
        "basic_auth: {password: \"hunter2\n",
        "}",
        "project: a\n---\nproject: b\n",
        "project: a\n...\nproject: b\n",
    ]), @r#"
    moko-mon.yaml:2:1: the line is indented with a tab; expected spaces: YAML does not allow tabs in indentation
    moko-mon.yaml:3:2: the line is indented with a tab; expected spaces: YAML does not allow tabs in indentation
    moko-mon.yaml:1:5: a second `:` in one value, in `a: b: c`; expected a text with `: ` in it to stand in quotes
    moko-mon.yaml:1:10: a quote that is not closed, in `project: 'abc`; expected a closing quote in the same line
    moko-mon.yaml:1:10: a quote that is not closed, in `project: "abc`; expected a closing quote in the same line
    moko-mon.yaml:2:1: a `[` or `{` that is not closed; expected the closing bracket, and commas between the values
    moko-mon.yaml:2:1: a `[` or `{` that is not closed; expected the closing bracket, and commas between the values
    moko-mon.yaml:3:2: a line that does not fit those around it, in `bind: x`; expected `key: value` lines, those of one mapping indented alike
    moko-mon.yaml:2:1: a line that does not fit those around it, in `b: c`; expected `key: value` lines, those of one mapping indented alike
    moko-mon.yaml:1:1: `project` is a single value; expected a mapping (`key: value` lines)
    moko-mon.yaml:1:1: the value is a list; expected a mapping (`key: value` lines)
    moko-mon.yaml:1:10: `@` at the start of a value; expected quotes around a text that starts with it
    moko-mon.yaml:1:10: a backtick at the start of a value, in `project: `x``; expected quotes around a text that starts with it
    moko-mon.yaml:1:10: an alias (`*`), in `project: *x`; expected the value itself: anchors and aliases are not allowed
    moko-mon.yaml:1:10: `%` at the start of a value, in `project: %x`; expected quotes around a text that starts with it
    moko-mon.yaml:1:3: a list or mapping as a key; expected a name
    moko-mon.yaml:3:19: a line that does not fit those around it, in `address: [::1]:9100`; expected `key: value` lines, those of one mapping indented alike
    moko-mon.yaml:3:4: a line that does not fit those around it, in `address: a:1`; expected `key: value` lines, those of one mapping indented alike
    moko-mon.yaml:2:3: prometheus: `port:9090` is a single value (a `:` needs a blank behind it); expected a mapping (`key: value` lines)
    moko-mon.yaml:1:24: a quote that is not closed; expected a closing quote in the same line
    moko-mon.yaml:1:1: a closing bracket that closes nothing, in `}`; expected `key: value` lines, those of one mapping indented alike
    moko-mon.yaml:1:10: project: `a` is not a project name; expected 2 to 31 of `a-z`, `0-9` and `-`, starting with a letter
    moko-mon.yaml:2:1: a second document starts here; expected one document: remove this `---`
    moko-mon.yaml:1:10: project: `a` is not a project name; expected 2 to 31 of `a-z`, `0-9` and `-`, starting with a letter
    moko-mon.yaml:3:1: a second document starts here; expected one document: remove this `---`
    "#);
}

#[test]
fn yaml_that_is_more_than_settings() {
    insta::assert_snapshot!(refusals(&[
        "project: &name abc\n",
        "a: &a [x]\nb: *a\n",
        "project: !!str abc\n",
        "project: !!python/object/apply:os.system [x]\n",
        "<<: {project: abc}\n",
        "project: abc\nproject: def\n",
        "prometheus:\n  port: 1\n  port: 2\nprometheus:\n  port: 3\n",
        "prometheus: {port: 9095, port: 9096}\n",
        "prometheus:\n  external_labels:\n    a: b\n    a: c\n",
        "project: \"a\\0b\"\n",
        "project: \"a\\u202eb\"\n",
    ]), @r#"
    moko-mon.yaml:1:10: the anchor `&name`; expected the value alone: anchors and aliases are not allowed
    moko-mon.yaml:1:1: unknown key `a`; expected one of `project`, `bind`, `images`, `prometheus`, `alertmanager`, `pushgateway`, `grafana`, `targets`, `rules`, `receivers`, `notify`, `routes`, `heartbeat`, `push`, `jobs` or `checks`
    moko-mon.yaml:1:4: the anchor `&a`; expected the value alone: anchors and aliases are not allowed
    moko-mon.yaml:2:1: unknown key `b`; expected one of `project`, `bind`, `images`, `prometheus`, `alertmanager`, `pushgateway`, `grafana`, `targets`, `rules`, `receivers`, `notify`, `routes`, `heartbeat`, `push`, `jobs` or `checks`
    moko-mon.yaml:2:4: the alias `*a`; expected the value itself: anchors and aliases are not allowed
    moko-mon.yaml:1:10: the tag `!!str`; expected the value alone: tags are not allowed
    moko-mon.yaml:1:10: the tag `!!python/object/apply:os.system`; expected the value alone: tags are not allowed
    moko-mon.yaml:1:10: project: the value is a list; expected 2 to 31 of `a-z`, `0-9` and `-`, starting with a letter
    moko-mon.yaml:1:1: unknown key `<<`; expected one of `project`, `bind`, `images`, `prometheus`, `alertmanager`, `pushgateway`, `grafana`, `targets`, `rules`, `receivers`, `notify`, `routes`, `heartbeat`, `push`, `jobs` or `checks`
    moko-mon.yaml:2:1: the key `project` is there twice; expected one: the first is in line 1
    moko-mon.yaml:3:3: the key `port` is there twice; expected one: the first is in line 2
    moko-mon.yaml:4:1: the key `prometheus` is there twice; expected one: the first is in line 1
    moko-mon.yaml:1:26: the key `port` is there twice; expected one: the first is in line 1
    moko-mon.yaml:4:5: the key `a` is there twice; expected one: the first is in line 3
    moko-mon.yaml:1:10: an escape for the invisible character `U+0000`; expected visible text
    moko-mon.yaml:1:10: project: `a\u{0}b` is not a project name; expected 2 to 31 of `a-z`, `0-9` and `-`, starting with a letter
    moko-mon.yaml:1:10: an escape for the invisible character `U+202E`; expected visible text
    moko-mon.yaml:1:10: project: `a\u{202e}b` is not a project name; expected 2 to 31 of `a-z`, `0-9` and `-`, starting with a letter
    "#);
}

#[test]
fn bytes_that_nobody_can_see() {
    let problems = |bytes: &[u8]| Case::new(bytes).problems();
    let all = [
        problems(b""),
        problems(b" \n\n"),
        problems(b"project: a\xffb\n"),
        problems(b"# \xc3\xa4\nbind: \xc3\xa4\xe2\x82"),
        problems(b"project: a\0b\n"),
        problems("project: ab\u{202e}c # \u{7f}\nbind: \u{85}x".as_bytes()),
        problems("project: a\u{1b}[31mb\n".as_bytes()),
        problems(&vec![b'#'; 300_000]),
        problems("[".repeat(200_000).as_bytes()),
        problems("- ".repeat(3000).as_bytes()),
        problems((0..100).map(|n| " ".repeat(n) + "a:").collect::<Vec<_>>().join("\n").as_bytes()),
    ];
    insta::assert_snapshot!(all.join("\n"), @r#"
    moko-mon.yaml: empty config: the file has no content; expected settings, or at least a comment
    moko-mon.yaml: empty config: the file has no content; expected settings, or at least a comment
    moko-mon.yaml:1:11: byte 10 (counted from 0) is not UTF-8; expected a text file in UTF-8
    moko-mon.yaml:2:8: byte 13 (counted from 0) is not UTF-8; expected a text file in UTF-8
    moko-mon.yaml:1:11: `U+0000` is an invisible control character; expected visible text
    moko-mon.yaml:1:12: `U+202E` is an invisible control character; expected visible text
    moko-mon.yaml:1:17: `U+007F` is an invisible control character; expected visible text
    moko-mon.yaml:2:7: `U+0085` is an invisible control character; expected visible text
    moko-mon.yaml:1:11: `U+001B` is an invisible control character; expected visible text
    moko-mon.yaml: the file is larger than 256 KiB; expected a configuration file of at most 256 KiB
    moko-mon.yaml:1:256: the nesting is too deep, in `[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[…`; expected fewer levels
    moko-mon.yaml:1:65: the nesting is too deep; expected at most 32 levels
    moko-mon.yaml:33:33: the nesting is too deep; expected at most 32 levels
    "#);
}

#[test]
fn a_file_of_comments_a_byte_order_mark_and_line_ends_of_windows_are_fine() {
    assert_eq!(Case::new("# nothing\n").config(), Case::empty().config());
    assert_eq!(Case::new("bind: ::1 # loopback\n").config().bind.to_string(), "::1");
    assert_eq!(Case::new("---\n").config(), Case::empty().config());
    assert_eq!(Case::new("\u{feff}project: abc\r\nbind: 127.0.0.2\r\n").config().project, "abc");
    assert_eq!(Case::new("%YAML 1.2\n---\nproject: abc\n...\n").config().project, "abc");
    assert_eq!(Case::new("prometheus:\n  # port: 9090\ntargets:\nimages:\n").config(), Case::empty().config());
}

#[test]
fn deep_and_wide_texts_are_refused_at_once() {
    for text in [
        "[".repeat(262_000),
        "{a: ".repeat(60_000),
        "- ".repeat(130_000),
        "? ".repeat(130_000),
        "a: &a\n".repeat(40_000),
    ] {
        let start = std::time::Instant::now();
        Case::new(&text).error();
        assert!(start.elapsed() < std::time::Duration::from_secs(2), "{} took {:?}", &text[..8], start.elapsed());
    }
}

/// The parser is somebody else's, and a panic would end the program: a few thousand damaged files must not.
#[test]
fn damaged_files_are_refused_or_read_but_never_crash() {
    let seed = starting_file().replace('#', "")
        + "targets:\n  - {job: a, 'b': \"c\\n\"}\nx: |\n  a\n  b\ny: >-\n  c\n? d\n: e\n";
    let bytes = seed.as_bytes();
    let snippets = [
        "\t", ":", "- ", "[", "]", "{", "}", "\"", "'", "&a", "*a", "!t", "|", ">", "%", "\n---\n", "...", "?", "\0",
        "\r", "ä",
    ];
    let mut state = 42_u64;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    for _ in 0..3000 {
        let start = random(bytes.len());
        let mut text = bytes[start..(start + random(400)).min(bytes.len())].to_vec();
        for _ in 0..=random(4) {
            let at = random(text.len() + 1);
            let snippet = snippets[random(snippets.len())];
            text.splice(at..(at + random(3)).min(text.len()), snippet.bytes());
        }
        let parsed = yaml::parse(&text, Limits { bytes: 1000, depth: 8 });
        assert!(parsed.complete || !parsed.faults.is_empty());
        if let Some(root) = parsed.root {
            Decoder::new("x", SETTINGS).document(&root);
        }
    }
}
