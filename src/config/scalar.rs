//! What a single value may be: the check of each kind, and its JSON Schema.

use std::net::IpAddr;

mod describe;

use serde_json::{Value, json};

use super::address::Address;
use super::checks::Expectation;
use super::duration::PromDuration;
use super::{names, size};
use crate::alerting::OWN_RECEIVERS;
use crate::jobs::{self, Schedule};
use crate::rules::ALERTS;

/// The kinds of single values.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scalar {
    /// The project's name.
    Project,
    /// A literal IP address.
    Bind,
    /// The prefix of a mirror registry.
    Registry,
    /// An image reference.
    Image,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// The name of a built-in alert.
    Alert,
    /// A port of the host.
    Port,
    /// A memory limit of at least `floor` bytes.
    Memory {
        /// The least that the server starts with.
        floor: u64,
    },
    /// A duration from `floor` to `ceiling`.
    Duration {
        /// The shortest sensible value.
        floor: &'static str,
        /// The longest, where there is one.
        ceiling: Option<&'static str>,
    },
    /// A share: above 0 and below 1.
    Ratio,
    /// `http://` or `https://`, a host and perhaps a path.
    Url,
    /// The same where an address with a secret in it has a place of its own.
    OpenUrl,
    /// Prometheus' `retention.size`.
    RetentionSize,
    /// `true` or `false`.
    Boolean,
    /// A job name of the user.
    Job,
    /// `host:port` or URL.
    Address,
    /// The path of a URL.
    MetricsPath,
    /// Any text but the empty one.
    Text,
    /// The path of a file.
    File,
    /// A pattern for file names.
    Glob,
    /// A whole number of at least `floor`.
    Count {
        /// The least.
        floor: u64,
    },
    /// The name of a metric.
    Metric,
    /// The name of a check of the user.
    Check,
    /// What a check of the user expects.
    Expectation,
    /// When a job is due.
    Schedule,
    /// The name of a time zone.
    TimeZone,
    /// The name of a receiver of the user.
    Receiver,
    /// Mail addresses, separated by commas.
    Mail,
    /// `host:port` of a server that speaks no HTTP.
    HostPort,
    /// The name of an environment variable.
    Variable,
    /// `22:00`.
    TimeOfDay,
    /// The number of a chat of Telegram.
    ChatId,
    /// The name of a label.
    Label,
}

/// What is wrong with a value: the two halves of a problem's sentence.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// What stands there.
    pub(crate) found: String,
    /// What would have been right.
    pub(crate) expected: String,
}

impl Complaint {
    pub(crate) fn new(found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { found: found.into(), expected: expected.into() }
    }
}

/// The job names of the stack itself.
const OWN_JOBS: [&str; 4] = ["prometheus", "alertmanager", "pushgateway", "grafana"];

/// Blocks are cut at 128 MB of log; a smaller limit would delete everything at once.
const RETENTION_FLOOR: u64 = 128 << 20;

/// The longest path that the usual file systems take.
const LONGEST_PATH: usize = 4096;

impl Scalar {
    /// Checks a text; `plain` when it may stand for a number or boolean, which in YAML means: without quotes.
    pub(crate) fn check(self, text: &str, plain: bool) -> Result<Value, Complaint> {
        if text.is_empty() || (plain && matches!(text, "~" | "null")) {
            return Err(Complaint::new("the value is empty", self.expected()));
        }
        let shown =
            if matches!(self, Self::OpenUrl | Self::Variable) { names::veiled(text) } else { names::quote(text) };
        if !plain && self.not_text(text).is_some() {
            let expected = format!("{}, without quotes", self.expected());
            return Err(Complaint::new(format!("{} is text", names::quote(&format!("\"{text}\""))), expected));
        }
        let refuse = |found: String| Err(Complaint::new(found, self.expected()));
        match self.not_text(text) {
            Some(Ok(value)) => return Ok(value),
            Some(Err(fact)) => return refuse(format!("{shown} {fact}")),
            None => {}
        }
        if let Some(fact) = self.fault(text) {
            return refuse(format!("{shown} {fact}"));
        }
        match self {
            Self::Choice(words) if !words.contains(&text) => {
                return refuse(format!("{shown} is unknown{}", names::did_you_mean(text, words.iter().copied())));
            }
            Self::Alert if !alerts().any(|alert| alert == text) => {
                return refuse(format!("{shown} is unknown{}", names::did_you_mean(text, alerts())));
            }
            Self::Bind if text.parse::<IpAddr>().is_err() => {
                let hint = if text.eq_ignore_ascii_case("localhost") { " (did you mean `127.0.0.1`?)" } else { "" };
                return refuse(format!("{shown} is not an IP address{hint}"));
            }
            Self::Registry => {
                if let Some(fact) = names::registry_fault(text) {
                    return refuse(format!("{shown} {fact}"));
                }
            }
            Self::Memory { floor } => match size::memory(text) {
                Some(bytes) if bytes < floor => return refuse(format!("{shown} is too little")),
                Some(_) => {}
                None => return refuse(format!("{shown} is not a memory size")),
            },
            Self::Duration { floor, ceiling } => match text.parse::<PromDuration>() {
                Ok(value) if length(floor).is_some_and(|floor| value.as_duration() < floor) => {
                    return refuse(format!("{shown} is too short"));
                }
                Ok(value) if ceiling.and_then(length).is_some_and(|ceiling| value.as_duration() > ceiling) => {
                    return refuse(format!("{shown} is too long"));
                }
                Ok(_) => {}
                Err(fact) => return refuse(format!("{shown} {fact}")),
            },
            Self::RetentionSize => match size::retention(text) {
                Some(bytes) if bytes < RETENTION_FLOOR => return refuse(format!("{shown} is too little")),
                Some(_) => {}
                None => return refuse(format!("{shown} is not a size")),
            },
            Self::Job if OWN_JOBS.contains(&text) => {
                return refuse(format!("{shown} is a job of the stack itself"));
            }
            Self::Address => {
                Address::parse(text)?;
            }
            Self::Expectation => {
                if let Err(fact) = text.parse::<Expectation>() {
                    return refuse(format!("{shown} {fact}"));
                }
            }
            Self::Schedule | Self::TimeZone => self.times(text, &shown)?,
            Self::File | Self::Glob if text.len() > LONGEST_PATH => {
                return refuse(format!("a path of {} bytes is too long", text.len()));
            }
            Self::File if text.starts_with("~/") => {
                return refuse(format!("{shown} starts with `~`, which is not expanded"));
            }
            Self::Glob => {
                if let Err(error) = glob::Pattern::new(text) {
                    return refuse(format!("{shown} is not a pattern: {}", error.msg));
                }
            }
            _ => {}
        }
        Ok(json!(text))
    }

    /// What is wrong with a schedule or a time zone.
    fn times(self, text: &str, shown: &str) -> Result<(), Complaint> {
        match self {
            Self::TimeZone => {
                jobs::zone(text).map(drop).map_err(|fact| Complaint::new(format!("{shown} {fact}"), self.expected()))
            }
            // Which zone it is read in does not matter here.
            _ => Schedule::parse(text, jiff::tz::TimeZone::UTC)
                .map(drop)
                .map_err(|fault| Complaint::new(format!("{shown} {}", fault.found), fault.expected)),
        }
    }

    /// Why a text is not a name, an address or a time of its kind.
    fn fault(self, text: &str) -> Option<&'static str> {
        let unless = |good: bool, fact: &'static str| (!good).then_some(fact);
        match self {
            Self::Project => unless(names::is_project(text), "is not a project name"),
            Self::Image => unless(names::is_image(text), "is not an image reference"),
            Self::Check => unless(names::is_check(text), "is not a check name"),
            Self::Metric => unless(names::is_metric(text), "is not a metric name"),
            Self::MetricsPath => unless(names::is_url_path(text), "is not a path"),
            Self::Url | Self::OpenUrl => names::url_fault(text),
            Self::Receiver if OWN_RECEIVERS.contains(&text) => Some("is a receiver of moko-mon's own"),
            Self::Receiver => unless(names::is_receiver(text), "is not a name for a receiver"),
            Self::Mail => names::mail_fault(text),
            Self::HostPort => match Address::parse(text) {
                Ok(address) if address.scheme.is_none() => None,
                Ok(_) => Some("is a URL"),
                Err(_) => Some("is not `host:port`"),
            },
            Self::Variable if text.starts_with(super::schema::PREFIX) => {
                Some("starts with `MOKO_MON_`, as only settings do")
            }
            Self::Variable => unless(names::is_label(text), "is not the name of an environment variable"),
            Self::TimeOfDay => unless(time_of_day(text).is_some(), "is not a time of the day"),
            Self::Label => unless(names::is_label(text), "is not a label name"),
            _ => None,
        }
    }

    /// The value where it is a number or boolean, or what is wrong with it; `None` for the kinds that are texts.
    fn not_text(self, text: &str) -> Option<Result<Value, String>> {
        Some(match self {
            Self::Port => port(text).map(|port| json!(port)).ok_or_else(|| "is not a port".to_owned()),
            Self::Count { floor } => match text.parse::<u64>() {
                Ok(count) if count < floor => Err("is too little".to_owned()),
                Ok(count) => Ok(json!(count)),
                Err(_) => Err("is not a whole number".to_owned()),
            },
            Self::Ratio => ratio(text).map(|ratio| json!(ratio)),
            Self::ChatId => match text.parse::<i64>() {
                Ok(chat) if chat != 0 => Ok(json!(chat)),
                Ok(_) | Err(_) => Err("is not the number of a chat".to_owned()),
            },
            Self::Boolean => {
                text.parse::<bool>().map(|value| json!(value)).map_err(|_| "is neither `true` nor `false`".to_owned())
            }
            _ => return None,
        })
    }
}

/// The minutes after midnight of `22:00`; `24:00` is the end of the day.
pub(crate) fn time_of_day(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two =
        |part: &str| part.parse::<u16>().ok().filter(|_| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit()));
    let minutes = two(hours)? * 60 + two(minutes).filter(|minutes| *minutes < 60)?;
    (minutes <= 24 * 60).then_some(minutes)
}

/// The alerts of ours that can be switched off.
fn alerts() -> impl Iterator<Item = &'static str> {
    ALERTS.into_iter().chain(jobs::ALERTS)
}

/// The length of a duration in the table of settings.
fn length(text: &str) -> Option<std::time::Duration> {
    text.parse::<PromDuration>().ok().map(|duration| duration.as_duration())
}

/// A share in plain decimal notation: `5e-2`, `.5` and `5%` are not what they seem to everybody.
fn ratio(text: &str) -> Result<f64, String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let decimal =
        digits.starts_with(|c: char| c.is_ascii_digit()) && digits.chars().all(|c| c.is_ascii_digit() || c == '.');
    let percent = text.strip_suffix('%').unwrap_or(text);
    match (text.parse::<f64>(), percent.parse::<f64>()) {
        (Ok(share), _) if decimal && share > 0.0 && share < 1.0 => Ok(share),
        (Ok(share), _) if decimal && share <= 0.0 => Err("is not above 0".to_owned()),
        (_, Ok(share)) if (2.0..100.0).contains(&share) || text.ends_with('%') => {
            Err(format!("is not a share (for {share}% write `{}`)", share / 100.0))
        }
        (Ok(_), _) if decimal => Err("is not below 1".to_owned()),
        _ => Err("is not a number".to_owned()),
    }
}

/// A port in plain decimal notation: `9_090`, `0x2382`, `010` and `9090.0` are not what they seem to everybody.
pub(crate) fn port(text: &str) -> Option<u16> {
    let decimal = text.chars().all(|c| c.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| decimal)
}
