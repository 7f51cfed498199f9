//! The one table of settings.
//!
//! The decoding of the file, the names of environment variables, `--set`, `config show`, the JSON Schema and the
//! commented starting file all come from [`SETTINGS`]. A new setting is one row here and one field in
//! [`super::shape`].

use super::jobs::JOB;
use super::notify::{HEARTBEAT, NOTIFY};
use super::push::PUSH;
use super::receivers::RECEIVER;
use super::scalar::Scalar;
use super::thresholds::THRESHOLDS;

/// One setting, or a group of them.
#[derive(Debug)]
pub(crate) struct Field {
    /// The key in the file.
    pub(crate) key: &'static str,
    /// What it is for, in one or two sentences.
    pub(crate) doc: &'static str,
    /// What may stand there.
    pub(crate) kind: Kind,
    /// The text of the default; `None` where the setting may be left out and then means nothing.
    pub(crate) default: Option<&'static str>,
    /// A text in YAML that shows what to write, for settings whose default does not.
    pub(crate) example: Option<&'static str>,
    /// Whether an item of a list must have it.
    pub(crate) required: bool,
}

/// The shape of what may stand at a key.
#[derive(Debug)]
pub(crate) enum Kind {
    /// One text, number or boolean.
    Scalar(Scalar),
    /// A mapping with exactly these keys.
    Group(&'static [Field]),
    /// A list of such items.
    List(&'static Kind),
    /// A mapping of label names to label values.
    Labels,
    /// A mapping of names that the user chooses to such values.
    Map(&'static Kind),
    /// A mapping that a server understands better than we do.
    Foreign(Foreign),
}

/// Whose notation a mapping is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Foreign {
    /// An entry of Prometheus' `remote_write`.
    RemoteWrite,
    /// The lists of integrations of a receiver of Alertmanager.
    Integrations,
    /// A route of Alertmanager.
    Route,
}

impl Field {
    pub(crate) const fn scalar(key: &'static str, scalar: Scalar, default: &'static str, doc: &'static str) -> Self {
        Self { key, doc, kind: Kind::Scalar(scalar), default: Some(default), example: None, required: false }
    }

    pub(crate) const fn optional(key: &'static str, scalar: Scalar, example: &'static str, doc: &'static str) -> Self {
        Self { key, doc, kind: Kind::Scalar(scalar), default: None, example: Some(example), required: false }
    }

    pub(crate) const fn required(key: &'static str, scalar: Scalar, doc: &'static str) -> Self {
        Self { key, doc, kind: Kind::Scalar(scalar), default: None, example: None, required: true }
    }

    pub(crate) const fn group(key: &'static str, doc: &'static str, fields: &'static [Self]) -> Self {
        Self { key, doc, kind: Kind::Group(fields), default: None, example: None, required: false }
    }

    pub(crate) const fn list(key: &'static str, item: &'static Kind, example: &'static str, doc: &'static str) -> Self {
        Self { key, doc, kind: Kind::List(item), default: Some("[]"), example: Some(example), required: false }
    }

    pub(crate) const fn labels(key: &'static str, default: Option<&'static str>, doc: &'static str) -> Self {
        Self { key, doc, kind: Kind::Labels, default, example: Some("team: platform"), required: false }
    }

    /// A list that must be there.
    pub(crate) const fn required_list(key: &'static str, item: &'static Kind, doc: &'static str) -> Self {
        Self { key, doc, kind: Kind::List(item), default: None, example: None, required: true }
    }

    const fn port(default: &'static str) -> Self {
        Self::scalar("port", Scalar::Port, default, "The port on the host.")
    }

    const fn image(example: &'static str) -> Self {
        let doc = "The image, without `images.registry`; left out, it is the one pinned in moko-mon.";
        Self::optional("image", Scalar::Image, example, doc)
    }

    const fn memory(default: &'static str, floor: u64) -> Self {
        let doc = "The memory limit: a whole number with MiB or GiB (m, MB, g, GB mean the same, powers of 1024).";
        Self::scalar("memory", Scalar::Memory { floor }, default, doc)
    }
}

/// Every setting, in the order in which all output lists them.
pub(crate) static SETTINGS: &[Field] = &[
    Field::scalar(
        "project",
        Scalar::Project,
        "moko-mon",
        "The name that scopes this stack on the engine; two projects never see each other.",
    ),
    Field::scalar(
        "bind",
        Scalar::Bind,
        "127.0.0.1",
        "The address of the host on which the ports are published. Any other than loopback opens the stack to the network.",
    ),
    Field::group(
        "images",
        "Where the images come from.",
        &[
            Field::optional(
                "registry",
                Scalar::Registry,
                "mirror.example.com/docker",
                "A mirror to pull all four images from: host, optional port and path, no scheme.",
            ),
            Field::scalar(
                "pull",
                Scalar::Choice(&["missing", "always", "never"]),
                "missing",
                "When images are pulled: when they are missing, at every `up`, or never.",
            ),
        ],
    ),
    Field::group(
        "prometheus",
        "Prometheus scrapes, stores and evaluates.",
        &[
            Field::port("9090"),
            Field::image("prom/prometheus:v3.13.2"),
            Field::memory("1GiB", 128 << 20),
            Field::scalar(
                "scrape_interval",
                Scalar::Duration { floor: "1s", ceiling: None },
                "15s",
                "How often targets are scraped.",
            ),
            Field::scalar(
                "evaluation_interval",
                Scalar::Duration { floor: "1s", ceiling: None },
                "15s",
                "How often rules are evaluated.",
            ),
            Field::group(
                "retention",
                "How much is kept; whichever limit is reached first counts.",
                &[
                    Field::scalar(
                        "time",
                        Scalar::Duration { floor: "1h", ceiling: None },
                        "15d",
                        "How long samples are kept.",
                    ),
                    Field::scalar(
                        "size",
                        Scalar::RetentionSize,
                        "10GB",
                        "How much disk space samples may take: KB, MB, GB, TB, powers of 1024.",
                    ),
                ],
            ),
            Field::labels(
                "external_labels",
                Some("{}"),
                "Labels for every series and alert that leaves this Prometheus.",
            ),
            Field::list(
                "remote_write",
                &Kind::Foreign(Foreign::RemoteWrite),
                "- url: https://mimir.example.com/api/v1/push\n  basic_auth:\n    username: moko\n    password_file: secrets/mimir\n",
                "Where samples are sent as well, in Prometheus' own notation. Secrets only as `*_file`.",
            ),
        ],
    ),
    Field::group(
        "alertmanager",
        "Alertmanager groups alerts and notifies people.",
        &[
            Field::port("9093"),
            Field::image("prom/alertmanager:v0.34.0"),
            Field::memory("128MiB", 32 << 20),
            Field::optional(
                "external_url",
                Scalar::Url,
                "https://alerts.example.com",
                "The address under which people reach Alertmanager, for the links in messages; left out, it is where it \
                 is published.",
            ),
        ],
    ),
    Field::group(
        "pushgateway",
        "The Pushgateway holds the last values that short-lived scripts push.",
        &[Field::port("9091"), Field::image("prom/pushgateway:v1.11.3"), Field::memory("128MiB", 32 << 20)],
    ),
    Field::group(
        "grafana",
        "Grafana shows the dashboard.",
        &[
            Field::scalar("enabled", Scalar::Boolean, "true", "Whether the stack has a Grafana at all."),
            Field::port("3000"),
            Field::image("grafana/grafana:13.2.3"),
            Field::memory("512MiB", 128 << 20),
            Field::optional(
                "external_url",
                Scalar::Url,
                "https://grafana.example.com",
                "The address under which people reach Grafana, for the links in alerts; left out, it is where it is \
                 published.",
            ),
            Field::list(
                "dashboards",
                &Kind::Scalar(Scalar::Glob),
                "- dashboards/*.json\n",
                "Your own dashboards to import: JSON files, relative to this file; `*` and `**` are understood.",
            ),
        ],
    ),
    Field::list(
        "targets",
        &Kind::Group(TARGET),
        "- job: backup-host\n  address: localhost:9100\n  labels:\n    team: platform\n\
         - job: ci\n  address: https://ci.example.com:443/metrics\n  bearer_token_file: secrets/ci-token\n",
        "What to scrape besides the stack itself. `localhost` means this host, not the container.",
    ),
    Field::group(
        "rules",
        "Alert and recording rules.",
        &[
            Field::list(
                "extra",
                &Kind::Scalar(Scalar::Glob),
                "- rules/*.yml\n",
                "Your own Prometheus rule files, relative to this file; `*` and `**` are understood.",
            ),
            Field::list(
                "disabled",
                &Kind::Scalar(Scalar::Alert),
                "- NoScriptExecutions\n",
                "Built-in alerts that you do not want, by name.",
            ),
            Field::scalar(
                "runbooks",
                Scalar::Url,
                "https://github.com/mokoconsulting-tech/moko-mon/blob/main/docs/runbooks",
                "Where the runbooks are, one page for each alert: what `runbook_url` begins with.",
            ),
            Field::group(
                "thresholds",
                "The numbers in the built-in rules, under the alerts that use them.",
                THRESHOLDS,
            ),
        ],
    ),
    Field::list(
        "receivers",
        &Kind::Group(RECEIVER),
        "- name: email-ops\n  email:\n    to: ops@example.com\n    from: monitoring@example.com\n    \
         smarthost: smtp.example.com:587\n    username: monitoring\n    password_file: secrets/smtp\n\
         - name: slack-ops\n  slack:\n    webhook_url_env: SLACK_WEBHOOK\n",
        "Who can be told of alerts, and by what: `email`, `slack`, `pagerduty`, `msteams`, `opsgenie`, `webhook`, `discord`, \
         `telegram` or `raw`. Secrets only as files or names of environment variables.",
    ),
    Field::group("notify", "Who is told of what.", NOTIFY),
    Field::list(
        "routes",
        &Kind::Foreign(Foreign::Route),
        "- receiver: email-ops\n  matchers:\n    - team=\"billing\"\n",
        "Routes in Alertmanager's own notation, for what `notify` cannot say. They come before it.",
    ),
    Field::group(
        "heartbeat",
        "The dead man's switch: an alert that always fires calls this address again and again.",
        HEARTBEAT,
    ),
    Field::group(
        "push",
        "Where `moko-mon run` and `moko-mon push` keep the totals of scripts, and where they publish them.",
        PUSH,
    ),
    Field::list(
        "jobs",
        &Kind::Group(JOB),
        "- name: backup\n  schedule: \"0 3 * * 1-5\"\n  timezone: Europe/Berlin\n  max_runtime: 2h\n  team: platform\n\
         - name: sync\n  every: 15m\n  grace: 5m\n",
        "What should run and when: each job gets its alerts, tests for them, and a line in the dashboard.",
    ),
    Field::list(
        "checks",
        &Kind::Group(CHECK),
        "- name: backups-run\n  expr: sum(increase(moko_script_executions_total{script_name=\"backup\"}[1d]))\n  \
         expect: \"> 0\"\n  message: No backup ran today.\n  severity: warn\n",
        "Checks of your own for `moko-mon verify`: what a query must return.",
    ),
];

/// The settings of a check.
static CHECK: &[Field] = &[
    Field::required("name", Scalar::Check, "The name, once; the id of the check is `custom.` and this."),
    Field::required("expr", Scalar::Text, "The query."),
    Field::required(
        "expect",
        Scalar::Expectation,
        "What every series must be, in quotes: `> 0`, `== 5`, `< 10`; or `absent`, or `at least 3 series`.",
    ),
    Field::optional("message", Scalar::Text, "No backup ran today.", "What to say when it is not so."),
    Field::optional("severity", Scalar::Choice(&["fail", "warn"]), "fail", "What it then is; `fail` if left out."),
];

/// The settings of one scrape target.
static TARGET: &[Field] = &[
    Field::required("job", Scalar::Job, "The name of the job; several targets may share one."),
    Field::required("address", Scalar::Address, "`host:port`, or a URL from which scheme and path are taken."),
    Field::labels("labels", None, "Labels for everything scraped here."),
    Field::optional(
        "metrics_path",
        Scalar::MetricsPath,
        "/metrics",
        "The path of the metrics; `/metrics` if left out.",
    ),
    Field::optional("scheme", Scalar::Choice(&["http", "https"]), "http", "The scheme; `http` if left out."),
    Field::group(
        "basic_auth",
        "Log in with user name and password.",
        &[
            Field::required("username", Scalar::Text, "The user name."),
            Field::required("password_file", Scalar::File, "The file that holds the password, relative to this file."),
        ],
    ),
    Field::optional(
        "bearer_token_file",
        Scalar::File,
        "secrets/token",
        "The file that holds the bearer token, relative to this file.",
    ),
];

/// A setting that has a value of its own: everything but a group.
#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    /// The whole key, such as `prometheus.retention.time`.
    pub(crate) path: String,
    /// Its row.
    pub(crate) field: &'static Field,
}

impl Leaf {
    /// The scalar, if one text can be its value, as from the environment or a flag.
    pub(crate) const fn scalar(&self) -> Option<Scalar> {
        match self.field.kind {
            Kind::Scalar(scalar) => Some(scalar),
            Kind::Group(_) | Kind::List(_) | Kind::Labels | Kind::Map(_) | Kind::Foreign(_) => None,
        }
    }

    /// The environment variable that sets it.
    pub(crate) fn variable(&self) -> String {
        format!("{PREFIX}{}", self.path.replace('.', "_").to_ascii_uppercase())
    }
}

/// What the name of every environment variable of ours starts with.
pub(crate) const PREFIX: &str = "MOKO_MON_";

/// Every setting that has a value of its own, in the order of the table.
pub(crate) fn leaves(table: &'static [Field]) -> Vec<Leaf> {
    fn walk(fields: &'static [Field], prefix: &str, out: &mut Vec<Leaf>) {
        for field in fields {
            let path = join(prefix, field.key);
            match field.kind {
                Kind::Group(inner) => walk(inner, &path, out),
                Kind::Scalar(_) | Kind::List(_) | Kind::Labels | Kind::Map(_) | Kind::Foreign(_) => {
                    out.push(Leaf { path, field });
                }
            }
        }
    }
    let mut out = Vec::new();
    walk(table, "", &mut out);
    out
}

/// A key beneath another.
pub(crate) fn join(prefix: &str, key: &str) -> String {
    if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") }
}
