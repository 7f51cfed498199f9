//! Which ports others reach.

use std::net::IpAddr;

use futures_util::future::join_all;

use crate::component::Component;
use crate::error::Result;
use crate::http::Server;
use crate::observed::Container;
use crate::stack::{Port, Stack};
use crate::verify::checks::{few, published};
use crate::verify::{Finding, World};

const HINT: &str = "put a firewall or a proxy with a login in front, or set `bind: 127.0.0.1` and `moko-mon up`";

pub(super) async fn look(world: &World) -> Result<Finding> {
    Ok(match (&world.engine, &world.expected) {
        (Some(Ok(engine)), Some(expected)) => judge(&engine.containers, &expected.stack),
        (Some(Err(_)), _) => Finding::skip("needs `engine.reachable`: only the engine knows what is published"),
        _ => look_from_outside(world).await,
    })
}

fn judge(containers: &[Container], stack: &Stack) -> Finding {
    let (mut wide, mut open, mut count) = (Vec::new(), Vec::new(), 0_usize);
    // Whether `up` itself has made all that is too wide, for settings that were others then.
    let mut ours = true;
    for container in containers {
        let configured =
            container.component.and_then(|component| stack.get(component)).map(|spec| &spec.container.port);
        for address in container.ports.iter().filter_map(|text| published(text)) {
            count += 1;
            if address.ip().is_loopback() {
                continue;
            }
            let made = container.spec.as_ref().is_some_and(|spec| is(&spec.port, address.ip(), address.port()));
            let as_configured = configured.is_some_and(|port| is(port, address.ip(), address.port()));
            ours &= made || as_configured;
            match configured {
                Some(_) if as_configured => {
                    // Grafana asks for a password.
                    if container.component != Some(Component::Grafana) {
                        open.push(format!(
                            "{address} (`{}`) answers whoever reaches it, without a password",
                            container.name
                        ));
                    }
                }
                Some(port) => wide.push(format!(
                    "{address} (`{}`) is open to the network, and the settings publish {} alone",
                    container.name,
                    port.host_address()
                )),
                None => wide.push(format!(
                    "{address} (`{}`) is open to the network, and is none of the stack's",
                    container.name
                )),
            }
        }
    }
    if !wide.is_empty() {
        let hint = if ours {
            "the stack was made with other settings: see what would change with `moko-mon up --dry-run`, then `moko-mon up`"
        } else {
            "somebody has made that container anew: remove it with `docker rm -f`, then `moko-mon up`"
        };
        return Finding::fail_if_any(few(wide), hint, "");
    }
    Finding::warn_if_any(few(open), HINT, format!("all {count} published ports are on loopback, or ask for a password"))
}

/// Whether a published address is the configured one.
fn is(port: &Port, address: IpAddr, number: u16) -> bool {
    number == port.host && (address == port.bind || (address.is_unspecified() && port.bind.is_unspecified()))
}

/// Without an engine: which of the given servers answer somebody who has no login.
async fn look_from_outside(world: &World) -> Finding {
    let beyond: Vec<_> = world.servers.iter().filter(|(_, server)| !is_loopback(server.url())).collect();
    if beyond.is_empty() {
        return Finding::skip("all servers are given by loopback addresses, and without an engine no more can be told");
    }
    let asked = join_all(beyond.iter().map(|(component, server)| async move {
        let path = match component {
            Component::Prometheus => "/api/v1/status/buildinfo",
            Component::Alertmanager => "/api/v2/status",
            Component::Pushgateway => "/api/v1/status",
            // It asks for a password by itself; `exposure.anonymous` proves it.
            Component::Grafana => return None,
        };
        let answer = Server::clone(server).with_auth(None).get(path, &[]).await.ok()?;
        answer.is_success().then(|| format!("`{}` is answered without a login", answer.request))
    }));
    let open = asked.await.into_iter().flatten().collect();
    Finding::warn_if_any(open, HINT, "no server beyond loopback answers without a login")
}

fn is_loopback(url: &str) -> bool {
    let host = reqwest::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    address.map_or(host == "localhost", |address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::config::{Config, defaults};
    use crate::observed::State;
    use crate::verify::Outcome;

    fn container(component: Component, ports: &[&str]) -> Container {
        Container {
            id: "1".to_owned(),
            name: format!("moko-mon-{component}"),
            component: Some(component),
            spec: None,
            image_id: String::new(),
            image: String::new(),
            network: String::new(),
            attached: true,
            state: State::Running,
            files: BTreeMap::new(),
            ready: true,
            ports: ports.iter().map(|&port| port.to_owned()).collect(),
            demo: false,
        }
    }

    fn judged(bind: &str, component: Component, ports: &[&str]) -> Finding {
        let mut config = defaults().unwrap();
        config.bind = bind.parse().unwrap();
        judge(&[container(component, ports)], &Stack::desired(&config).unwrap())
    }

    #[test]
    fn wider_than_configured_fails_and_as_configured_without_a_password_warns() {
        let prometheus = Component::Prometheus;
        assert_eq!(judged("127.0.0.1", prometheus, &["127.0.0.1:9090"]).outcome, Outcome::Pass);
        let finding = judged("127.0.0.1", prometheus, &["0.0.0.0:9090"]);
        assert_eq!(finding.outcome, Outcome::Fail);
        assert_eq!(
            finding.evidence,
            [
                "0.0.0.0:9090 (`moko-mon-prometheus`) is open to the network, and the settings publish 127.0.0.1:9090 alone"
            ]
        );
        assert_eq!(judged("127.0.0.1", prometheus, &["127.0.0.1:9090", ":::9999"]).outcome, Outcome::Fail);
        let finding = judged("0.0.0.0", prometheus, &["0.0.0.0:9090", ":::9090"]);
        assert_eq!(finding.outcome, Outcome::Warn);
        assert_eq!(
            finding.evidence,
            [
                "0.0.0.0:9090 (`moko-mon-prometheus`) answers whoever reaches it, without a password",
                "[::]:9090 (`moko-mon-prometheus`) answers whoever reaches it, without a password"
            ]
        );
        assert!(finding.hint.unwrap().contains("firewall"));
        assert_eq!(judged("0.0.0.0", Component::Grafana, &["0.0.0.0:3000"]).outcome, Outcome::Pass);
        assert_eq!(judged("192.0.2.1", prometheus, &["0.0.0.0:9090"]).outcome, Outcome::Fail);
    }

    #[test]
    fn what_up_has_made_for_other_settings_up_puts_right() {
        let then = Config { bind: "0.0.0.0".parse().unwrap(), ..defaults().unwrap() };
        let then = Stack::desired(&then).unwrap().get(Component::Prometheus).unwrap().container.clone();
        let wide = container(Component::Prometheus, &["0.0.0.0:9090"]);
        let now = Stack::desired(&defaults().unwrap()).unwrap();
        let hint = |container: Container| judge(&[container], &now).hint.unwrap();
        assert!(hint(wide.clone()).contains("`docker rm -f`"));
        assert_eq!(
            hint(Container { spec: Some(then), ..wide }),
            "the stack was made with other settings: see what would change with `moko-mon up --dry-run`, then `moko-mon up`"
        );
    }

    #[test]
    fn loopback_is_told_from_other_addresses() {
        for (url, loopback) in [
            ("http://127.0.0.1:9090", true),
            ("http://localhost:9090/prom", true),
            ("http://[::1]:9090", true),
            ("https://prometheus.example.com", false),
            ("http://10.0.0.1:9090", false),
        ] {
            assert_eq!(is_loopback(url), loopback, "{url}");
        }
    }
}
