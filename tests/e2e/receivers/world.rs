//! A stack whose receivers are all of the kinds that there are, and those whom they tell.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::sinks::CA;
use crate::sinks::http::{HttpSink, Request, Service};
use crate::sinks::mail::Mail;
use crate::sinks::smtp::{SmtpSink, Tls, Wants};
use crate::support::{Stack, eventually, http, when};

/// What must be seen by nobody, the password of mail last.
pub(super) const SECRETS: [&str; 10] = [
    "slack-address-s1",
    "pagerdutykeys2aaaaaaaaaaaaaaaaaa",
    "teams-address-s3",
    "opsgenie-key-s4",
    "discord-address-s5",
    "telegram-token-s6",
    "hook-password-s7",
    "heartbeat-address-s8",
    "slack-token-s9",
    "mail-password-s10",
];

/// The stack and its surroundings.
pub(super) struct World {
    pub(super) stack: Stack,
    pub(super) chats: HttpSink,
    pub(super) starttls: SmtpSink,
    pub(super) implicit: SmtpSink,
}

impl World {
    /// Everything in place, and nothing started.
    pub(super) fn new() -> Self {
        let mut stack = Stack::without_grafana("receivers");
        let wants = Wants { tls: Tls::Upgrade, login: Some(("moko", SECRETS[9])), mechanisms: "PLAIN LOGIN" };
        let (chats, starttls) = (HttpSink::start(), SmtpSink::start(wants));
        let implicit = SmtpSink::start(Wants { tls: Tls::Implicit, mechanisms: "LOGIN", ..wants });
        stack.set("MOKO_MON_PUSH_STATE_DIR", &stack.directory.path().join("state").display().to_string());
        let address = |path: &str| format!("http://localhost:{}/{path}", chats.port);
        stack.set("DISCORD_URL", &address(&format!("discord/{}", SECRETS[4])));
        stack.write("ca.pem", CA);
        for (name, content) in [
            ("slack", address(&format!("slack/{}", SECRETS[0]))),
            ("slack-app", SECRETS[8].to_owned()),
            ("pagerduty", SECRETS[1].to_owned()),
            ("teams", address(&format!("teams/{}", SECRETS[2]))),
            ("opsgenie", SECRETS[3].to_owned()),
            ("telegram", format!("12345:{}", SECRETS[5])),
            ("hook", SECRETS[6].to_owned()),
            ("heartbeat", address(&format!("webhook/{}", SECRETS[7]))),
            ("raw", address("webhook/raw")),
            ("smtp", SECRETS[9].to_owned()),
        ] {
            stack.write(&format!("secrets/{name}"), &format!("{content}\n"));
        }
        let world = Self { stack, chats, starttls, implicit };
        world.stack.config(&world.settings());
        world
    }

    /// What is in `moko-mon.yaml`.
    pub(super) fn settings(&self) -> String {
        include_str!("settings.yaml")
            .replace("@HTTP", &format!("http://localhost:{}", self.chats.port))
            .replace("@STARTTLS", &self.starttls.port.to_string())
            .replace("@IMPLICIT", &self.implicit.port.to_string())
    }

    /// Tells Alertmanager of alerts, as Prometheus would.
    #[track_caller]
    pub(super) fn send(&self, alerts: &[Value]) {
        let url = format!("{}/api/v2/alerts", self.stack.url("alertmanager"));
        let answer = http::request("POST", &url, None, Some(&json!(alerts).to_string()));
        assert_eq!(answer.0, 200, "{answer:?}");
    }

    /// What Alertmanager says of the alerts that it has.
    pub(super) fn alerts(&self) -> Vec<Value> {
        let alerts = http::json(&format!("{}/api/v2/alerts", self.stack.url("alertmanager"))).unwrap();
        alerts.as_array().unwrap().clone()
    }

    /// The firing alerts that webhooks were told of: receiver, name of the alert, and what it is about.
    pub(super) fn told(&self) -> BTreeSet<(String, String, String)> {
        let mut told = BTreeSet::new();
        for request in self.chats.requests(Service::Webhook) {
            let body = request.json().unwrap();
            for alert in body["alerts"].as_array().unwrap().iter().filter(|alert| alert["status"] == "firing") {
                let label = |name: &str| alert["labels"][name].as_str().unwrap_or_default().to_owned();
                told.insert((request.path[1..].to_owned(), label("alertname"), label("subject")));
            }
        }
        told
    }

    /// What came for a webhook with this path.
    pub(super) fn hooked(&self, path: &str) -> Vec<Request> {
        self.chats.requests(Service::Webhook).into_iter().filter(|request| request.path == path).collect()
    }

    /// Waits until a mail whose subject has `part` has come to both servers, and returns both.
    #[track_caller]
    pub(super) fn mails(&self, part: &str) -> [Mail; 2] {
        [&self.starttls, &self.implicit].map(|sink| {
            eventually(&format!("a mail about {part}"), || {
                let mails = sink.mails();
                let subjects: Vec<String> = mails.iter().map(Mail::subject).collect();
                mails.into_iter().find(|mail| mail.subject().contains(part)).ok_or(format!("{subjects:?}"))
            })
        })
    }

    /// Waits until a service was told something that has `part`, and returns the first such request.
    #[track_caller]
    pub(super) fn request(&self, service: Service, part: &str) -> Request {
        eventually(&format!("{} is told about {part}", service.name()), || {
            let all = self.chats.requests(service);
            all.iter().find(|request| request.body.contains(part)).cloned().ok_or(format!("{} requests", all.len()))
        })
    }

    /// Alertmanager answers.
    #[track_caller]
    pub(super) fn ready(&self) {
        let url = format!("{}/-/ready", self.stack.url("alertmanager"));
        eventually("Alertmanager is ready", || {
            let answer = http::get(&url);
            when(answer.0 == 200, answer)
        });
    }

    /// The configuration that runs.
    pub(super) fn running(&self) -> String {
        let status = http::json(&format!("{}/api/v2/status", self.stack.url("alertmanager"))).unwrap();
        status["config"]["original"].as_str().unwrap().to_owned()
    }
}

/// An alert with these labels.
pub(super) fn alert(labels: &[(&str, &str)]) -> Value {
    let labels: serde_json::Map<String, Value> =
        labels.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    json!({"labels": labels, "annotations": {"summary": "Something happened"}})
}
