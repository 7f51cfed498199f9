//! Receivers, and who is told of what.

use super::{Case, refusals};
use crate::alerting::{Integration, Slack, Tls, Url};

const MAIL: &str =
    "receivers:\n  - {name: ops, email: {to: ops@example.com, from: m@example.com, smarthost: \"mail:587\"}}\n";

#[test]
fn a_few_lines_say_who_is_told() {
    let yaml = "receivers:\n  - name: email-ops\n    email:\n      to: Ops <ops@example.com>, dev@example.com\n      from: m@example.com\n      \
                smarthost: localhost:587\n      username: m\n      password_file: secrets/smtp\n  - name: chat\n    slack: {webhook_url_env: SLACK}\n  \
                - {name: pager, pagerduty: {routing_key_env: KEY}}\n  - {name: silent}\n\
                notify:\n  critical: [email-ops, chat]\n  info: []\n  teams: {security: {critical: [chat]}}\n  \
                quiet_hours: [{from: \"22:00\", to: \"07:00\", timezone: Europe/Berlin, severities: [warning]}]\n\
                heartbeat: {url: \"https://h.example.com/x\", every: 30s}\n";
    let case = Case::new(yaml)
        .file("secrets/smtp", "hunter2\n")
        .variable("SLACK", "https://h.example.com/T")
        .variable("KEY", "k");
    let config = case.config();
    let [mail, chat, pager, silent] = config.receivers.as_slice() else { unreachable!() };
    let Some(Integration::Email(email)) = &mail.integration else { unreachable!() };
    assert_eq!(
        (email.to.as_str(), email.tls, email.smarthost.as_str()),
        ("Ops <ops@example.com>, dev@example.com", Tls::StartTls, "localhost:587")
    );
    let (user, password) = email.login.as_ref().unwrap();
    assert_eq!(
        (user.as_str(), password.name.as_str(), password.content.as_slice()),
        ("m", "smtp", b"hunter2".as_slice())
    );
    let Some(Integration::Slack(Slack::Webhook { url, channel: None })) = &chat.integration else { unreachable!() };
    assert_eq!((url.name.as_str(), url.content.as_slice()), ("SLACK", b"https://h.example.com/T".as_slice()));
    assert!(mail.send_resolved && mail.verify && !pager.verify && silent.integration.is_none());
    assert_eq!(
        config.notify.everyone.critical.as_deref(),
        Some(["email-ops".to_owned(), "chat".to_owned()].as_slice())
    );
    assert_eq!(
        (config.notify.everyone.warning.as_deref(), config.notify.everyone.info.as_deref()),
        (None, Some([].as_slice()))
    );
    assert_eq!(config.notify.teams["security"].critical.as_deref(), Some(["chat".to_owned()].as_slice()));
    let quiet = &config.notify.quiet_hours[0];
    assert_eq!(
        (quiet.name.as_str(), quiet.from, quiet.to, quiet.timezone.as_str()),
        ("quiet-hours-1", 1320, 420, "Europe/Berlin")
    );
    assert_eq!(config.heartbeat.unwrap().url, Url::Plain("https://h.example.com/x".to_owned()));
    // No secret is in what `config show` prints.
    let shown = format!("{:?}", case.resolved().settings);
    assert!(!shown.contains("hunter2") && !shown.contains("/T\""), "{shown}");
}

#[test]
fn a_secret_in_the_file_is_refused_with_the_way_out() {
    insta::assert_snapshot!(refusals(&[
        "receivers:\n  - {name: a, email: {to: a@b.c, from: a@b.c, smarthost: \"m:25\", username: u, password: hunter2}}",
        "receivers:\n  - {name: a, slack: {webhook_url: \"https://hooks.example.com/T\"}}",
        "receivers:\n  - {name: a, pagerduty: {routing_key: k}}",
        "receivers:\n  - {name: a, raw: {pushover_configs: [{user_key: k, token: t}]}}",
        "receivers:\n  - {name: a, webhook: {url: \"https://u:p@h/x\"}}",
        "heartbeat: {url: \"https://h.example.com/ping?key=1\"}",
    ]), @r#"
    moko-mon.yaml:2:79: receivers[0].email.password: `password` would put a secret into this file; expected `password_file` with the path of a file that holds it, or `password_env` with the name of an environment variable
    moko-mon.yaml:2:23: receivers[0].slack.webhook_url: `webhook_url` would put a secret into this file; expected `webhook_url_file` with the path of a file that holds it, or `webhook_url_env` with the name of an environment variable
    moko-mon.yaml:2:27: receivers[0].pagerduty.routing_key: `routing_key` would put a secret into this file; expected `routing_key_file` with the path of a file that holds it, or `routing_key_env` with the name of an environment variable
    moko-mon.yaml:2:41: receivers[0].raw.pushover_configs[0].user_key: `user_key` would put a secret into this file; expected `user_key_file` with the path of a file that holds it
    moko-mon.yaml:2:54: receivers[0].raw.pushover_configs[0].token: `token` would put a secret into this file; expected `token_file` with the path of a file that holds it
    moko-mon.yaml:2:30: receivers[0].webhook.url: `https://…@h/…` has credentials in it; expected an address such as `https://example.com/alerts`; one with a secret in it goes to `url_file`
    moko-mon.yaml:1:18: heartbeat.url: `https://h.example.com/…` has a query or a fragment; expected an address such as `https://example.com/alerts`; one with a secret in it goes to `url_file`
    "#);
}

#[test]
fn what_is_wrong_with_a_receiver_is_told_with_its_place() {
    insta::assert_snapshot!(refusals(&[
        "receivers:\n  - {name: a b}",
        "receivers:\n  - {name: nobody}",
        "receivers:\n  - {name: a}\n  - {name: a}",
        "receivers:\n  - {name: a, email: {to: b, from: \"a@b.c, d@e.f\", smarthost: mail}}",
        "receivers:\n  - {name: a, email: {to: a@b.c, from: a@b.c, smarthost: \"m:25\", tls: none, username: u, password_env: NOT_SET}}",
        "receivers:\n  - {name: a, slack: {}}",
        "receivers:\n  - {name: a, slack: {webhook_url_file: nosuch}}",
        "receivers:\n  - {name: a, slack: {webhook_url_file: x, webhook_url_env: Y}}",
        "receivers:\n  - {name: a, telegram: {bot_token_env: MOKO_MON_T, chat_id: \"@me\"}}",
        "receivers:\n  - {name: a, discord: {webhook_url_env: NOT_SET}, msteams: {webhook_url_env: NOT_SET}}",
        "receivers:\n  - {name: a, webhook: {}}",
        "receivers:\n  - {name: a, raw: {pushover: 1}}",
    ]), @r#"
    moko-mon.yaml:2:12: receivers[0].name: `a b` is not a name for a receiver; expected a name of letters, digits, `-`, `_` and `.`, other than `nobody`, `heartbeat` or `moko-mon-canary`
    moko-mon.yaml:2:12: receivers[0].name: `nobody` is a receiver of moko-mon's own; expected a name of letters, digits, `-`, `_` and `.`, other than `nobody`, `heartbeat` or `moko-mon-canary`
    moko-mon.yaml:3:12: receivers[1].name: `a` is there twice; expected another name: `receivers[0]` has it already
    moko-mon.yaml:2:27: receivers[0].email.to: `b` is not a mail address; expected an address such as `ops@example.com`, or several with commas between
    moko-mon.yaml:2:36: receivers[0].email.from: there is more than one sender; expected one address such as `monitoring@example.com`
    moko-mon.yaml:2:63: receivers[0].email.smarthost: `mail` is not `host:port`; expected `host:port`, such as `smtp.example.com:587`
    moko-mon.yaml:2:104: receivers[0].email.password_env: the environment variable `NOT_SET` is not set; expected one that holds the secret, on one line
    moko-mon.yaml:2:15: receivers[0].slack: the receiver has no `webhook_url_file`; expected `webhook_url_file` with the path of a file, or `webhook_url_env` with the name of an environment variable
    moko-mon.yaml:2:41: receivers[0].slack.webhook_url_file: `nosuch` does not exist; expected a file of at most 4 KiB
    moko-mon.yaml:2:61: receivers[0].slack.webhook_url_env: `webhook_url_file` is there, too; expected one of file and environment variable
    moko-mon.yaml:2:41: receivers[0].telegram.bot_token_env: `MOKO_MON_T` starts with `MOKO_MON_`, as only settings do; expected the name of an environment variable, such as `SMTP_PASSWORD`
    moko-mon.yaml:2:62: receivers[0].telegram.chat_id: `"@me"` is text; expected a whole number, such as `-1001234567890`, without quotes
    moko-mon.yaml:2:15: receivers[0].discord: the receiver has `msteams`, too; expected one of them, and another receiver for each other
    moko-mon.yaml:2:15: receivers[0].webhook: the address is missing; expected `url`, or `url_file` where the address has a secret in it
    moko-mon.yaml:2:31: receivers[0].raw.pushover: `pushover` is not a list of integrations; expected a mapping such as `pushover_configs: [{user_key_file: secrets/user}]`
    "#);
    let case = Case::new("receivers:\n  - {name: a, discord: {webhook_url_env: D}}").variable("D", "hooks.example.com");
    insta::assert_snapshot!(case.problems(), @r#"
    moko-mon.yaml:2:42: receivers[0].discord.webhook_url_env: what it holds is not an address; expected a text that starts with `https://` and a host
    "#);
}

#[test]
fn what_is_wrong_with_the_routes_is_told_with_its_place() {
    let after = |text: &str| format!("{MAIL}{text}");
    insta::assert_snapshot!(refusals(&[
        &after("notify: {critical: [opps]}"),
        &after("notify: {critical: [ops]}\nroutes: [{receiver: nosuch, matchers: ['team=\"x\"']}]"),
        "receivers: [{name: silent}]\nnotify: {critical: [silent]}",
        "receivers: [{name: silent}]\nroutes: [{receiver: silent, matchers: ['severity = critical']}]",
        &after("notify: {critical: ops}"),
        &after("notify: {group_interval: 5m, repeat_interval: 12m}"),
        &after("notify: {quiet_hours: [{from: \"7:00\", to: \"25:00\", severities: [page], timezone: Mars}]}"),
        &after("notify: {quiet_hours: [{from: \"07:00\", to: \"07:00\", severities: [info]}]}"),
        &after("notify: {teams: {a: {urgent: [ops]}}}"),
    ]), @r#"
    moko-mon.yaml:3:21: notify.critical[0]: there is no receiver `opps` (did you mean `ops`?); expected one of `ops`
    moko-mon.yaml:4:21: routes[0].receiver: there is no receiver `nosuch`; expected one of `ops`
    moko-mon.yaml:2:21: notify.critical[0]: `silent` has no integration: nobody would be told of critical alerts; expected a receiver with one, such as `email`
    moko-mon.yaml:2:21: routes[0].receiver: `silent` has no integration: nobody would be told of critical alerts; expected a receiver with one, such as `email`
    moko-mon.yaml:3:20: notify.critical: `ops` is a single value; expected a list (lines that start with `- `)
    moko-mon.yaml:3:47: notify.repeat_interval: `12m` is not a multiple of `group_interval`, `5m`; expected a multiple: people are told again only when a `group_interval` is over
    moko-mon.yaml:3:31: notify.quiet_hours[0].from: `7:00` is not a time of the day; expected a time in quotes, such as `"22:00"`, up to `"24:00"`
    moko-mon.yaml:3:43: notify.quiet_hours[0].to: `25:00` is not a time of the day; expected a time in quotes, such as `"22:00"`, up to `"24:00"`
    moko-mon.yaml:3:65: notify.quiet_hours[0].severities[0]: `page` is unknown; expected one of `critical`, `warning` or `info`
    moko-mon.yaml:3:82: notify.quiet_hours[0].timezone: `Mars` is not a time zone; expected a name of the time zone database such as `Europe/Berlin`, or `UTC`
    moko-mon.yaml:3:44: notify.quiet_hours[0].to: `07:00` to `07:00` is no time at all; expected another time, such as `"07:00"`; a whole day is `"00:00"` to `"24:00"`
    moko-mon.yaml:3:22: notify.teams.a: unknown key `urgent`; expected one of `critical`, `warning` or `info`
    "#);
}

#[test]
fn what_is_odd_about_who_is_told_is_a_warning() {
    let yaml = format!(
        "{MAIL}  - {{name: b, opsgenie: {{api_key_env: K}}}}\nnotify:\n  critical: []\n  teams: {{nosuch: {{critical: [ops]}}}}\n\
         routes: [{{receiver: ops, matchers: ['colour=\"red\"']}}]\n"
    );
    let resolved = Case::new(&yaml).variable("K", "k").resolved();
    insta::assert_snapshot!(resolved.warnings.join("\n"), @r#"
    receivers[1].opsgenie: Opsgenie and its API end on 2027-04-05; plan for another receiver, such as `pagerduty` or `webhook`
    notify.critical: nobody is told of `critical` alerts
    notify.warning: nobody is told of `warning` alerts
    moko-mon.yaml:3:5: no route leads to receiver `b`; name it under `notify`
    route {colour="red"} → ops: no rule gives an alert the label `colour`
    no alert can reach route {team="nosuch", severity="critical"} → ops: no rule sets such labels
    "#);
}

#[test]
fn no_secret_is_repeated_wherever_it_was_put() {
    let problems = refusals(&[
        "receivers:\n  - {name: a, webhook: {url: \"http://h/SECRET?token=SECRET\"}}",
        "receivers:\n  - {name: a, slack: {webhook_url_env: \"https://hooks.slack.com/SECRET\"}}",
        "receivers:\n  - {name: a, slack: \"https://hooks.slack.com/SECRET\"}",
        "heartbeat: {url: \"https://hc.example.com/SECRET?x=1\"}",
        "receivers:\n  - {name: a, raw: {webhook_configs: [{url: \"http://h/\", http_config: {http_headers: {Authorization: {values: [SECRET]}}}}]}}",
        "receivers:\n  - {name: a, raw: {webhook_configs: [{url: \"http://h/\", http_config: {proxy_connect_header: {Authorization: [SECRET]}}}]}}",
        "receivers:\n  - {name: a, raw: {webhook_configs: [{url: \"http://h/?token=SECRET\"}]}}",
    ]);
    assert!(!problems.contains("SECRET"), "{problems}");
    assert_eq!(problems.lines().count(), 7, "{problems}");
}

#[test]
fn a_route_that_may_take_what_is_critical_needs_somebody() {
    let routes = |route: &str| {
        format!(
            "receivers: [{{name: silent}}, {{name: b, webhook: {{url: \"http://h/\"}}}}]\nnotify: {{critical: [b], warning: [b], info: [b]}}\nroutes: [{route}]"
        )
    };
    for route in [
        "{receiver: silent, matchers: ['team=\"devops\"']}",
        "{receiver: silent, matchers: ['severity=~\"critical|warning\"']}",
        "{receiver: nobody, matchers: ['severity=\"critical\"']}",
    ] {
        let problems = refusals(&[&routes(route)]);
        assert!(problems.contains("nobody would be told of critical alerts"), "{problems}");
    }
    // On purpose, or of what is not critical.
    for route in [
        "{receiver: nobody, matchers: ['team=\"devops\"']}",
        "{receiver: silent, matchers: ['severity=\"info\"', 'team=\"devops\"']}",
        "{receiver: b, matchers: ['team=\"devops\"']}",
    ] {
        Case::new(routes(route)).config();
    }
}
