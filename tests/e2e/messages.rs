//! The templates of messages, rendered by the image's own amtool. What is in docs/messages.md is what comes out.

use std::path::Path;

use serde_json::{Value, json};

use crate::sinks::markup::{mrkdwn, telegram_html};
use crate::support::docker;
use crate::support::stack::image;

/// Renders definitions with the data in `folder/name.json`, as text or as HTML.
fn render(folder: &Path, name: &str, kind: &str, definitions: &[&str]) -> Vec<String> {
    const END: &str = "\n--- end of definition ---\n";
    let parts = definitions.iter().map(|name| format!("{{{{ template \"moko.{name}\" . }}}}{END}"));
    let text = parts.collect::<Vec<_>>().concat();
    let repository = env!("CARGO_MANIFEST_DIR");
    let volumes = [format!("{repository}/assets/messages:/messages:ro"), format!("{}:/data:ro", folder.display())];
    let run = ["run", "--rm", "--network", "none", "--user", "0", "-v", &volumes[0], "-v", &volumes[1]];
    let render = [
        "--entrypoint",
        "/bin/amtool",
        &image("alertmanager"),
        "template",
        "render",
        "--template.glob=/messages/*.tmpl",
        &format!("--template.data=/data/{name}.json"),
        &format!("--template.type={kind}"),
        &format!("--template.text={text}"),
    ];
    let rendered = docker(&[&run[..], &render[..]].concat()) + "\n";
    let parts: Vec<String> = rendered.split(END).map(|part| timeless(part.trim_end())).collect();
    assert_eq!(parts.len(), definitions.len() + 1, "{rendered}");
    parts[..definitions.len()].to_vec()
}

/// How long an alert has fired depends on when one looks.
fn timeless(text: &str) -> String {
    let mut parts = text.split(" UTC, for ");
    let mut all = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.find(['\n', '<']).map_or("", |at| &part[at..]);
        all.push_str(&format!(" UTC, for 4m 12s{rest}"));
    }
    all
}

fn samples() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/messages")
}

/// Each text block of the page, without the fences.
fn documented() -> Vec<&'static str> {
    let page = include_str!("../../docs/messages.md");
    page.split("\n```").skip(1).step_by(2).filter_map(|block| Some(block.split_once('\n')?.1)).collect()
}

#[test]
fn the_page_shows_the_messages_as_they_are() {
    let mut expected = documented().into_iter();
    let mut next = |what: &str, rendered: &str| {
        assert_eq!(expected.next().unwrap_or("nothing more on the page").trim_end(), rendered, "{what}");
    };
    for (name, definitions) in [
        ("job", &["subject", "email.text", "chat.text", "markdown"][..]),
        ("group", &["subject", "email.text", "chat.text", "markdown"]),
        ("resolved", &["subject"]),
        ("test", &["subject", "email.text"]),
    ] {
        for (definition, text) in definitions.iter().zip(render(&samples(), name, "text", definitions)) {
            next(&format!("{definition} of {name}"), &text);
        }
        if name == "job" {
            next("telegram", &render(&samples(), name, "html", &["telegram"])[0]);
        }
    }
    assert_eq!(expected.next(), None);
}

#[test]
fn titles_levels_and_links_follow_the_alerts() {
    let definitions = [
        "chat.title",
        "chat.color",
        "markdown.title",
        "pagerduty.description",
        "pagerduty.severity",
        "pagerduty.source",
        "opsgenie.message",
        "opsgenie.priority",
        "silence.url",
    ];
    let of = |name: &str| render(&samples(), name, "text", &definitions).join("\n");
    insta::assert_snapshot!(of("job"), @r"
    [critical] JobFailed: The last run of job backup failed
    #b3261e
    [critical] JobFailed: The last run of job backup failed
    JobFailed: The last run of job backup failed
    critical
    web-1
    JobFailed: The last run of job backup failed
    P1
    https://alerts.example.com/#/silences/new?filter=%7Balertname%3D%22JobFailed%22%2Cscript_name%3D%22backup%22%7D
    ");
    insta::assert_snapshot!(of("group"), @r"
    [warning] 13 × TargetDown (1 resolved)
    #a85400
    [warning] 13 × TargetDown (1 resolved)
    13 × TargetDown (1 resolved)
    warning
    https://alerts.example.com
    13 × TargetDown
    P3
    https://alerts.example.com/#/silences/new?filter=%7Balertname%3D%22TargetDown%22%7D
    ");
    insta::assert_snapshot!(of("resolved"), @r"
    [resolved] JobFailed: The last run of job backup failed
    #1e7a34
    [resolved] JobFailed: The last run of job backup failed
    JobFailed: The last run of job backup failed
    error
    web-1
    JobFailed: The last run of job backup failed
    P5
    https://alerts.example.com/#/silences/new?filter=%7Balertname%3D%22JobFailed%22%2Cscript_name%3D%22backup%22%7D
    ");
    insta::assert_snapshot!(of("test"), @r"
    [test] Test message for receiver email-ops
    #4a5568
    [test] Test message for receiver email-ops
    [test] Test message for receiver email-ops
    info
    https://alerts.example.com
    [test] Test message for receiver email-ops
    P5
    https://alerts.example.com/#/silences/new?filter=%7Breceiver%3D%22email-ops%22%2Ctest_id%3D%223f9a12c4%22%7D
    ");
}

/// A job's alert in which every text is this one.
fn filled(text: &str) -> Value {
    let mut data: Value = serde_json::from_str(include_str!("messages/job.json")).unwrap();
    let mut fill = |at: &str, keys: &[&str]| {
        for key in keys {
            data.pointer_mut(at).unwrap()[key] = json!(text);
        }
    };
    for at in ["/commonAnnotations", "/alerts/0/annotations"] {
        fill(at, &["summary", "description", "host", "exit_code", "run_id", "other"]);
    }
    fill("/groupLabels", &["script_name"]);
    for at in ["/commonLabels", "/alerts/0/labels"] {
        fill(at, &["script_name", "owner"]);
    }
    data
}

/// The same, and 24 more beside it that share nothing but the name.
fn many(text: &str) -> Value {
    let mut data = filled(text);
    data["commonAnnotations"] = json!({});
    data["commonLabels"] = json!({"alertname": "JobFailed"});
    let alert = data["alerts"][0].clone();
    data["alerts"] = (0..25)
        .map(|number| {
            let mut alert = alert.clone();
            alert["labels"]["instance"] = json!(format!("host-{number}"));
            alert
        })
        .collect();
    data
}

#[test]
fn whatever_is_in_an_alert_no_markup_of_it_counts_and_no_message_is_too_long() {
    let odd = "<script>alert(\"x\")</script> & 'q' `t` *b* _i_ ~s~ [l](http://e) <!channel> @everyone \\ | line\nbreak \u{1f6a8} ünï\u{7f}";
    let mut texts = vec![("odd", odd.to_owned())];
    for (name, character) in [("lt", "<"), ("quote", "\""), ("star", "*"), ("umlaut", "ü"), ("words", "word ")] {
        texts.push((name, character.repeat(10_000)));
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in &texts {
        for (count, data) in [("one", filled(text)), ("many", many(text))] {
            std::fs::write(folder.path().join("data.json"), data.to_string()).unwrap();
            let plain = [
                "subject",
                "chat.title",
                "chat.text",
                "markdown.title",
                "markdown",
                "pagerduty.description",
                "opsgenie.message",
                "opsgenie.description",
                "silence.url",
            ];
            let plain = render(folder.path(), "data", "text", &plain);
            let seen = format!("{count} {name}: {plain:#?}");
            for (text, most) in plain.iter().zip([200, 1024, 8000, 256, 4096, 1024, 130, 15_000, 450]) {
                assert!(text.chars().count() <= most, "more than {most}, {count} {name}: {text:.400}");
            }
            assert!(!plain[0].contains('\n'), "{seen}");
            mrkdwn(&plain[1])
                .and_then(|()| mrkdwn(&plain[2]))
                .unwrap_or_else(|reason| panic!("{reason}: {seen:.4000}"));
            assert!(
                plain[8].starts_with("https://alerts.example.com/#/") && !plain[8].contains(['"', '<', '\n', ' ', '+'])
            );

            let html = render(folder.path(), "data", "html", &["telegram", "email.html"]);
            let length = telegram_html(&html[0]).unwrap_or_else(|reason| panic!("{reason}: {}", html[0]));
            // Alertmanager counts the tags as well.
            assert!(length > 0 && html[0].chars().count() <= 4096, "{}", html[0]);
            // Mail programs clip what is longer than 102 kB.
            assert!(!html[1].contains("<script") && html[1].len() < 100_000, "{}", html[1]);
            assert!(html[1].starts_with("<!DOCTYPE html>") && html[1].ends_with("</html>"), "{}", html[1]);
        }
    }
}

#[test]
fn a_link_that_is_no_web_address_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let data = include_str!("messages/job.json").replace("https://github.com", "javascript:alert(1)//");
    std::fs::write(folder.path().join("data.json"), data).unwrap();
    for kind in ["text", "html"] {
        for text in render(folder.path(), "data", kind, &["email.html", "telegram", "chat.text", "markdown"]) {
            assert!(!text.contains("javascript") && text.contains("grafana.example.com"), "{text}");
        }
    }
}
