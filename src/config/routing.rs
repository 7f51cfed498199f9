//! From the settings of `notify`, `routes` and `heartbeat` to who is told of what.

use std::collections::BTreeMap;

use serde_json::Value;

use super::build::Builder;
use super::integrations::Hidden;
use super::scalar::time_of_day;
use super::shape::Nullable;
use super::{names, notify};
use crate::alerting::routing::{Fits, Matcher};
use crate::alerting::{Audience, Heartbeat, NOBODY, Notify, QuietHours, Receiver};

/// The labels by which alerts are told together: what they are called, and what they are about.
const GROUP_BY: [&str; 4] = ["alertname", "service", "api", "script_name"];

impl Builder {
    /// Who is told of what.
    pub(crate) fn notify(&mut self, notify: notify::Notify, receivers: &[Receiver]) -> Notify {
        let names = |list: Option<Vec<Nullable<String>>>| -> Option<Vec<String>> {
            list.map(|list| list.into_iter().map(|Nullable(name)| name).filter(|name| !name.is_empty()).collect())
        };
        let everyone = Audience {
            critical: names(notify.critical),
            warning: names(notify.warning),
            info: names(notify.info),
            default: names(notify.default),
        };
        self.audience("notify", &everyone, receivers);
        let mut narrower = |key: &str, audiences: BTreeMap<String, notify::Audience>| {
            let mut out = BTreeMap::new();
            for (of, audience) in audiences {
                let audience = Audience {
                    critical: names(audience.critical),
                    warning: names(audience.warning),
                    info: names(audience.info),
                    default: None,
                };
                self.audience(&format!("notify.{key}.{of}"), &audience, receivers);
                out.insert(of, audience);
            }
            out
        };
        let (jobs, owners) = (narrower("jobs", notify.jobs), narrower("owners", notify.owners));
        let (components, teams) = (narrower("components", notify.components), narrower("teams", notify.teams));
        let (interval, repeat) = (notify.group_interval.as_duration(), notify.repeat_interval.as_duration());
        if !interval.is_zero() && repeat.as_millis() % interval.as_millis() != 0 {
            let found = format!(
                "`{}` is not a multiple of `group_interval`, `{}`",
                notify.repeat_interval, notify.group_interval
            );
            let expected = "a multiple: people are told again only when a `group_interval` is over";
            self.problem("notify.repeat_interval", found, expected);
        }
        let group_by: Vec<String> = notify.group_by.into_iter().map(|Nullable(label)| label).collect();
        Notify {
            everyone,
            jobs,
            owners,
            components,
            teams,
            quiet_hours: self.quiet_hours(notify.quiet_hours),
            group_by: if group_by.is_empty() { GROUP_BY.map(str::to_owned).to_vec() } else { group_by },
            group_wait: notify.group_wait,
            group_interval: notify.group_interval,
            repeat_interval: notify.repeat_interval,
        }
    }

    /// Every receiver of an audience is there, and somebody is told of what is critical.
    fn audience(&mut self, path: &str, audience: &Audience, receivers: &[Receiver]) {
        let lists = audience.severities().chain(audience.default.iter().map(|receivers| ("default", receivers)));
        for (severity, list) in lists {
            for (index, name) in list.iter().enumerate() {
                self.told(&format!("{path}.{severity}[{index}]"), name, severity == "critical", receivers);
            }
        }
    }

    /// A receiver is there, and has an integration where that matters.
    fn told(&mut self, key: &str, name: &str, critical: bool, receivers: &[Receiver]) {
        match receivers.iter().find(|receiver| receiver.name == *name) {
            Some(receiver) if critical && receiver.integration.is_none() => {
                let found =
                    format!("{} has no integration: nobody would be told of critical alerts", names::quote(name));
                self.problem(key, found, "a receiver with one, such as `email`");
            }
            Some(_) => {}
            // A receiver that was refused has been reported.
            None if self.problems.iter().any(|problem| problem.key.starts_with("receivers")) => {}
            None if name == NOBODY && !critical => {}
            None if name == NOBODY => {
                let found = format!("`{NOBODY}` is told nothing: nobody would be told of critical alerts");
                self.problem(key, found, "a receiver with an integration, such as `email`");
            }
            None => {
                let known = || receivers.iter().map(|receiver| receiver.name.as_str());
                let found =
                    format!("there is no receiver {}{}", names::quote(name), names::did_you_mean(name, known()));
                let expected = if receivers.is_empty() {
                    "a name from `receivers`, which has none".to_owned()
                } else {
                    format!("one of {}", names::list(known()))
                };
                self.problem(key, found, expected);
            }
        }
    }

    fn quiet_hours(&mut self, all: Vec<Nullable<notify::Quiet>>) -> Vec<QuietHours> {
        let mut out: Vec<QuietHours> = Vec::new();
        for (index, Nullable(quiet)) in all.into_iter().enumerate() {
            let path = format!("notify.quiet_hours[{index}]");
            let (Some(from), Some(to)) = (time_of_day(&quiet.from), time_of_day(&quiet.to)) else { continue };
            if from == to || from == 24 * 60 {
                let found = format!("`{}` to `{}` is no time at all", quiet.from, quiet.to);
                self.problem(
                    &format!("{path}.to"),
                    found,
                    "another time, such as `\"07:00\"`; a whole day is `\"00:00\"` to `\"24:00\"`",
                );
            }
            let name = quiet.name.unwrap_or_else(|| format!("quiet-hours-{}", index + 1));
            if out.iter().any(|other| other.name == name) {
                self.problem(&format!("{path}.name"), format!("`{name}` is there twice"), "another name");
            }
            let texts = |list: Vec<Nullable<String>>| {
                list.into_iter().map(|Nullable(text)| text).filter(|text| !text.is_empty()).collect()
            };
            out.push(QuietHours {
                name,
                from,
                to,
                days: texts(quiet.days),
                timezone: quiet.timezone.unwrap_or_else(|| "UTC".to_owned()),
                severities: texts(quiet.severities),
            });
        }
        out
    }

    /// The receivers of routes in Alertmanager's own notation are there.
    pub(crate) fn routes(&mut self, path: &str, routes: &[Value], above: bool, receivers: &[Receiver]) {
        for (index, route) in routes.iter().enumerate() {
            let path = format!("{path}[{index}]");
            let matchers: Vec<&str> =
                route["matchers"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            // A route takes what is critical unless a condition says otherwise.
            let of_severity =
                || matchers.iter().filter_map(|text| Matcher::read(text)).filter(|of| of.name == "severity");
            let critical = above && of_severity().all(|of| of.fits(Some("critical")) != Fits::Never);
            // Some alerts may be kept from everybody on purpose, but not all that are critical.
            let named = matchers.len() == 1 && of_severity().count() == 1;
            let critical = critical && (named || route["receiver"] != NOBODY);
            if let Some(name) = route["receiver"].as_str() {
                self.told(&format!("{path}.receiver"), name, critical, receivers);
            }
            if let Some(inner) = route["routes"].as_array() {
                self.routes(&format!("{path}.routes"), inner, critical, receivers);
            }
        }
    }

    /// The dead man's switch, where an address is set.
    pub(crate) fn heartbeat(&mut self, heartbeat: notify::Heartbeat) -> Option<Heartbeat> {
        let notify::Heartbeat { url, url_file, url_env, every } = heartbeat;
        if url.is_none() && url_file.is_none() && url_env.is_none() {
            return None;
        }
        let url = self.url("heartbeat", url, Hidden::new("url", url_file, url_env))?;
        Some(Heartbeat { url, every })
    }
}
