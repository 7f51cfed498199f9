//! The tree of routes: what is ours, what the user wrote in Alertmanager's notation, then `notify`.

use serde_json::{Map, Value, json};

use crate::alerting::{Audience, HEARTBEAT, NOBODY, QuietHours, TEST_ALERT, TEST_ID, TEST_RECEIVER, WATCHDOG};
use crate::config::Config;
use crate::verify::canary;

/// The way of all alerts.
pub(super) fn root(config: &Config) -> Value {
    let notify = &config.notify;
    // Before all others, so that what nobody needs to know reaches no person.
    let mut routes = vec![canary_route(), test_route(config), watchdog_route(config)];
    routes.extend(config.routes.iter().map(|route| route.content.clone()));
    for (label, value, audience) in notify.special() {
        routes.extend(audience_routes(config, &[matcher(label, value)], audience));
    }
    routes.extend(audience_routes(config, &[], &notify.everyone));
    if let Some(receivers) = &notify.everyone.default {
        routes.extend(each(receivers, &[], &[]));
    }
    json!({
        "receiver": NOBODY,
        "group_by": notify.group_by,
        "group_wait": notify.group_wait,
        "group_interval": notify.group_interval,
        "repeat_interval": notify.repeat_interval,
        "routes": routes,
    })
}

/// The way of `verify --deep`'s canary: at once, and each for itself.
fn canary_route() -> Value {
    json!({
        "receiver": canary::RECEIVER,
        "matchers": [matcher("alertname", canary::ALERT)],
        "group_by": [canary::LABEL],
        "group_wait": "0s",
        "group_interval": "1s",
        "repeat_interval": "12h",
    })
}

/// The way of `alert test`: to the receiver that the test names, at once, and each for itself.
fn test_route(config: &Config) -> Value {
    let named = config
        .receivers
        .iter()
        .filter(|receiver| receiver.integration.is_some())
        .map(|receiver| json!({"receiver": receiver.name, "matchers": [matcher(TEST_RECEIVER, &receiver.name)]}));
    let mut route = json!({
        "receiver": NOBODY,
        "matchers": [matcher("alertname", TEST_ALERT)],
        "group_by": [TEST_RECEIVER, TEST_ID],
        "group_wait": "0s",
        "group_interval": "1s",
        "repeat_interval": "12h",
    });
    let named: Vec<Value> = named.collect();
    if !named.is_empty() {
        route["routes"] = named.into();
    }
    route
}

/// The way of the dead man's switch.
fn watchdog_route(config: &Config) -> Value {
    let matchers = [matcher("alertname", WATCHDOG)];
    let Some(heartbeat) = &config.heartbeat else {
        return json!({"receiver": NOBODY, "matchers": matchers});
    };
    // Alertmanager looks once in a `group_interval` whether `repeat_interval` is over, so one that is as long would beat
    // every second time only.
    let look = heartbeat.every.as_duration().as_millis() / 10;
    json!({
        "receiver": HEARTBEAT,
        "matchers": matchers,
        "group_by": ["alertname"],
        "group_wait": "0s",
        "group_interval": format!("{look}ms"),
        "repeat_interval": format!("{}ms", look * 10),
    })
}

/// The routes of an audience: for each severity that it names, one to each receiver.
fn audience_routes(config: &Config, matchers: &[String], audience: &Audience) -> Vec<Value> {
    let mut routes = Vec::new();
    for (severity, receivers) in audience.severities() {
        let matchers: Vec<String> = matchers.iter().cloned().chain([matcher("severity", severity)]).collect();
        let quiet = config.notify.quiet_hours.iter().filter(|quiet| quiet.severities.iter().any(|of| of == severity));
        let quiet: Vec<&str> = quiet.map(|quiet| quiet.name.as_str()).collect();
        routes.extend(each(receivers, &matchers, &quiet));
    }
    routes
}

/// One route to each receiver; all but the last let the alert go on. Without any, alerts end at a receiver that tells
/// nobody.
fn each(receivers: &[String], matchers: &[String], quiet: &[&str]) -> Vec<Value> {
    let receivers: Vec<&str> =
        if receivers.is_empty() { vec![NOBODY] } else { receivers.iter().map(String::as_str).collect() };
    let last = receivers.len() - 1;
    let route = |(index, receiver): (usize, &&str)| {
        let mut route = Map::new();
        route.insert("receiver".to_owned(), json!(receiver));
        if !matchers.is_empty() {
            route.insert("matchers".to_owned(), json!(matchers));
        }
        if !quiet.is_empty() {
            route.insert("mute_time_intervals".to_owned(), json!(quiet));
        }
        if index < last {
            route.insert("continue".to_owned(), json!(true));
        }
        Value::Object(route)
    };
    receivers.iter().enumerate().map(route).collect()
}

/// A condition in the form that every version understands.
fn matcher(label: &str, value: &str) -> String {
    format!("{label}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

/// The quiet hours as Alertmanager knows them.
pub(super) fn time_intervals(config: &Config) -> Vec<Value> {
    config
        .notify
        .quiet_hours
        .iter()
        .map(|quiet| json!({"name": quiet.name, "time_intervals": intervals(quiet)}))
        .collect()
}

/// A night is two intervals: the evening, and the morning of the next day.
fn intervals(quiet: &QuietHours) -> Vec<Value> {
    const WEEK: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
    let clock = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    let interval = |from: u16, to: u16, days: Vec<String>| {
        let mut out = json!({"times": [{"start_time": clock(from), "end_time": clock(to)}]});
        if !days.is_empty() {
            out["weekdays"] = days.into();
        }
        out["location"] = quiet.timezone.as_str().into();
        out
    };
    if quiet.from < quiet.to {
        return vec![interval(quiet.from, quiet.to, quiet.days.clone())];
    }
    let next = |day: &String| {
        let at = WEEK.iter().position(|of| of == day).unwrap_or_default();
        WEEK[(at + 1) % WEEK.len()].to_owned()
    };
    let mut out = vec![interval(quiet.from, 24 * 60, quiet.days.clone())];
    if quiet.to > 0 {
        out.push(interval(0, quiet.to, quiet.days.iter().map(next).collect()));
    }
    out
}
