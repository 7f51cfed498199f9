//! What is open to others.

mod ports;

use futures_util::FutureExt as _;

use super::{check, not_given};
use crate::component::Component;
use crate::error::Result;
use crate::http::Auth;
use crate::secret::Secret;
use crate::stack::{ADMIN_USER, admin_password};
use crate::verify::{Check, Finding, World};

/// Passwords that everybody tries first; the second was the default of a widely used chart for five years.
const KNOWN: [&str; 14] = [
    "admin",
    "prom-operator",
    "grafana",
    "password",
    "passw0rd",
    "changeme",
    "secret",
    "test",
    "root",
    "admin123",
    "123456",
    "12345678",
    "qwerty",
    "monitoring",
];
/// A shorter password is soon guessed.
const SHORTEST: usize = 8;

pub(in crate::verify) fn checks(_world: &World) -> Vec<Check> {
    vec![
        check(
            "exposure.ports",
            "engine",
            "No port is published wider than configured, and none beyond loopback without a login.",
            &[],
            |world| ports::look(world).boxed(),
        ),
        check(
            "exposure.password",
            "grafana",
            "The password of Grafana's administrator is none that everybody knows.",
            &["grafana.ready", "grafana.login"],
            |world| look_password(world).boxed(),
        ),
        check("exposure.anonymous", "grafana", "Grafana shows nothing without a login.", &["grafana.ready"], |world| {
            look_anonymous(world).boxed()
        }),
        check("exposure.admin_api", "prometheus", "Nobody can delete data or stop servers over HTTP.", &[], |world| {
            look_admin_api(world).boxed()
        }),
    ]
}

async fn look_password(world: &World) -> Result<Finding> {
    if world.server(Component::Grafana).is_none() {
        return Ok(not_given(Component::Grafana));
    }
    match world.server(Component::Grafana).and_then(crate::http::Server::auth) {
        Some(Auth::Basic(login)) => return Ok(judge_password(&login.user, &login.password)),
        Some(Auth::Bearer(_)) => {
            return Ok(Finding::skip("a token is used, so the administrator's password is not known"));
        }
        None => {}
    }
    let files = world.facts.engine.files(world, Component::Grafana).await?;
    Ok(match files.and_then(admin_password) {
        Some(password) => judge_password(ADMIN_USER, &password),
        // Five wrong tries lock the administrator out.
        None => Finding::skip("no password is given, and trying some would lock the administrator out"),
    })
}

fn judge_password(user: &str, password: &Secret) -> Finding {
    let text = password.expose();
    // The second half is what remains for a Grafana that is not ours.
    let hint = "set another one with `moko-mon password reset`; Grafana's own way is Profile > Change password";
    if KNOWN.contains(&text.to_lowercase().as_str()) || text == user {
        return Finding::fail(format!("the password of `{user}` is one that everybody tries first"), hint);
    }
    if text.chars().count() < SHORTEST {
        return Finding::warn(format!("the password of `{user}` has fewer than {SHORTEST} characters"), hint);
    }
    Finding::pass(format!("the password of `{user}` is not a known one"))
}

async fn look_anonymous(world: &World) -> Result<Finding> {
    let Some(server) = world.server(Component::Grafana) else { return Ok(not_given(Component::Grafana)) };
    let answer = server.clone().with_auth(None).get("/api/search", &[("limit", "1")]).await?;
    let seen = format!("`{}` without a login was answered with HTTP {}", answer.request, answer.status);
    Ok(if answer.is_success() {
        Finding::fail(seen, "set `GF_AUTH_ANONYMOUS_ENABLED=false`; `moko-mon up` does that for a stack of ours")
    } else {
        Finding::pass(seen)
    })
}

/// Flags of servers that open more than metrics: component, flag, what it lets others do.
const FLAGS: [(Component, &str, &str); 4] = [
    (Component::Prometheus, "web.enable-admin-api", "delete series and copy the whole database"),
    (Component::Prometheus, "web.enable-lifecycle", "stop it and make it read its configuration again"),
    (Component::Pushgateway, "web.enable-admin-api", "delete all that was pushed"),
    (Component::Pushgateway, "web.enable-lifecycle", "stop it"),
];

async fn look_admin_api(world: &World) -> Result<Finding> {
    let prometheus = async {
        match world.prometheus() {
            Some(prometheus) => world.facts.prometheus.flags(&prometheus).await.ok().cloned(),
            None => None,
        }
    };
    let (prometheus, pushgateway) = tokio::join!(prometheus, pushgateway_flags(world));
    // A server that does not answer has checks of its own.
    let told = [(Component::Prometheus, prometheus), (Component::Pushgateway, pushgateway)];
    let told: Vec<_> = told.into_iter().filter_map(|(component, flags)| Some((component, flags?))).collect();
    Ok(judge_admin_api(&told, world.expected.is_some()))
}

type Flags = std::collections::BTreeMap<String, String>;

async fn pushgateway_flags(world: &World) -> Option<Flags> {
    #[derive(serde::Deserialize)]
    struct Status {
        data: Data,
    }
    #[derive(serde::Deserialize)]
    struct Data {
        flags: Flags,
    }
    let answer = world.server(Component::Pushgateway)?.get("/api/v1/status", &[]).await.ok()?;
    answer.json::<Status>().ok().map(|status| status.data.flags)
}

/// `ours`: such flags are never among our settings, so somebody has made the container anew.
fn judge_admin_api(told: &[(Component, Flags)], ours: bool) -> Finding {
    if told.is_empty() {
        return Finding::skip("neither Prometheus nor the Pushgateway told its flags");
    }
    let on = |component: &Component, flag: &str| {
        let flags = told.iter().find(|(of, _)| of == component).map(|(_, flags)| flags);
        flags.and_then(|flags| flags.get(flag)).is_some_and(|value| value == "true")
    };
    let facts: Vec<String> = FLAGS
        .iter()
        .filter(|(component, flag, _)| on(component, flag))
        .map(|(component, flag, what)| format!("{}: whoever reaches it can {what} (`--{flag}`)", component.title()))
        .collect();
    let fine = "administration over HTTP is off";
    if ours {
        return Finding::fail_if_any(facts, "`moko-mon up` makes the container anew without it", fine);
    }
    Finding::warn_if_any(facts, "take the flag away, or put a login in front", fine)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::Outcome;

    #[test]
    fn known_and_short_passwords_are_told_and_never_shown() {
        let judged = |password: &str| judge_password("admin", &Secret::new(password));
        assert_eq!(judged("admin").outcome, Outcome::Fail);
        assert_eq!(judged("Prom-Operator").outcome, Outcome::Fail);
        assert_eq!(judged("hunter2").outcome, Outcome::Warn);
        let fine = judged("kV9-xTq2-77aa");
        assert_eq!(fine.outcome, Outcome::Pass);
        let finding = judged("changeme");
        assert_eq!(finding.evidence, ["the password of `admin` is one that everybody tries first"]);
        assert!(finding.hint.unwrap().starts_with("set another one with `moko-mon password reset`"));
    }

    #[test]
    fn administration_over_http_is_told_with_what_it_allows() {
        let flags = |on: &str| [("web.enable-admin-api".to_owned(), on.to_owned())].into();
        let told = [(Component::Prometheus, flags("true")), (Component::Pushgateway, flags("false"))];
        let finding = judge_admin_api(&told, true);
        assert_eq!(finding.outcome, Outcome::Fail);
        assert_eq!(
            finding.evidence,
            ["Prometheus: whoever reaches it can delete series and copy the whole database (`--web.enable-admin-api`)"]
        );
        assert_eq!(judge_admin_api(&told, false).outcome, Outcome::Warn);
        assert_eq!(judge_admin_api(&told[1..], true).outcome, Outcome::Pass);
        assert_eq!(judge_admin_api(&[], true).outcome, Outcome::Skip);
    }
}
