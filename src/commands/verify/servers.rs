//! Servers that are given by their addresses: who asks them, and whom to trust.

use std::path::Path;
use std::time::Duration;

use reqwest::{Certificate, Url};

use crate::cli;
use crate::component::Component;
use crate::error::{Code, Error, Result};
use crate::http::{Auth, Http, Login, Server, credentials};
use crate::secret::Secret;

/// The servers of the flags; `None` if no address is given. Files are read in `folder`.
pub(in crate::commands) fn given(
    folder: &Path,
    flags: &cli::Servers,
    timeout: Duration,
) -> Result<Option<Vec<(Component, Server)>>> {
    let urls = [
        (Component::Prometheus, &flags.prometheus_url),
        (Component::Alertmanager, &flags.alertmanager_url),
        (Component::Pushgateway, &flags.pushgateway_url),
        (Component::Grafana, &flags.grafana_url),
    ];
    let urls = urls.into_iter().filter_map(|(component, url)| Some((component, url.as_ref()?)));
    let urls = urls.map(|(component, url)| Ok((component, address(component, url)?)));
    let urls: Vec<(Component, Url)> = urls.collect::<Result<_>>()?;
    refuse_unused(flags, &urls)?;
    if urls.is_empty() {
        return Ok(None);
    }
    let trusted = flags.ca_file.as_deref().map(|file| certificates(folder, file)).transpose()?;
    // The system's certificates take a while to read.
    let secure = urls.iter().any(|(_, url)| url.scheme() == "https");
    let http = if secure { Http::trusting(trusted.unwrap_or_default())? } else { Http::new()? };
    let servers = urls.into_iter().map(|(component, url)| {
        let server = Server::new(&http, url.as_str(), timeout);
        Ok((component, server.with_auth(auth(folder, flags, component)?)))
    });
    servers.collect::<Result<_>>().map(Some)
}

/// The address of a server, with the path that a proxy puts in front of the server's own.
fn address(component: Component, text: &str) -> Result<Url> {
    // The address itself is not shown: it may hold a password.
    let refused = |fact: &str| {
        Error::new(Code::Usage, format!("`--{component}-url` is not the address of a server"))
            .cause(fact)
            .hint(format!("write it as `--{component}-url https://example.com/{component}`"))
    };
    let url = Url::parse(text).map_err(|error| refused(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(refused("it has to begin with `http://` or `https://` and a host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("it holds a name or a password, which everybody on this machine could see")
            .hint("give them with `--username NAME --password-file FILE`"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("nothing may follow the path"));
    }
    Ok(url)
}

/// `grafana=FILE` is for Grafana; without the name of a server it is for all that have none of their own.
fn addressed(word: &str) -> (Option<Component>, &str) {
    let split = word.split_once('=').and_then(|(name, rest)| Some((Component::from_name(name)?, rest)));
    split.map_or((None, word), |(component, rest)| (Some(component), rest))
}

/// The last word that is said for a server alone, or for `None`: for all.
fn said(words: &[String], whom: Option<Component>) -> Option<&str> {
    words.iter().rev().map(|word| addressed(word)).find(|(to, _)| *to == whom).map(|(_, value)| value)
}

/// What is said for nobody would go unused, and the server that was meant be asked without it.
fn refuse_unused(flags: &cli::Servers, urls: &[(Component, Url)]) -> Result<()> {
    let missing = |fact: String, component: Component| {
        Err(Error::new(Code::Usage, fact).hint(format!("add `--{component}-url URL`")))
    };
    let credentials =
        [("username", &flags.username), ("password-file", &flags.password_file), ("token-file", &flags.token_file)];
    for (flag, word) in credentials.into_iter().flat_map(|(flag, words)| words.iter().map(move |word| (flag, word))) {
        match addressed(word).0 {
            Some(component) if !urls.iter().any(|(given, _)| *given == component) => {
                return missing(format!("`--{flag} {component}=…` is for a server that is not given"), component);
            }
            None if urls.is_empty() => {
                return missing(
                    format!("`--{flag}` is for servers that are given by their addresses"),
                    Component::Prometheus,
                );
            }
            Some(_) | None => {}
        }
    }
    if flags.ca_file.is_some() && urls.is_empty() {
        return missing("`--ca-file` is for servers that are given by their addresses".into(), Component::Prometheus);
    }
    Ok(())
}

/// Who asks a server: what is said for it alone comes before what is said for all.
fn auth(folder: &Path, flags: &cli::Servers, component: Component) -> Result<Option<Auth>> {
    for whom in [Some(component), None] {
        let (token, user) = (said(&flags.token_file, whom), said(&flags.username, whom));
        let password = said(&flags.password_file, whom);
        if token.is_some() && (user.is_some() || password.is_some()) {
            return Err(Error::new(Code::Usage, format!("{} is given a token and a login", component.title()))
                .hint("give either `--token-file`, or `--username` and `--password-file`"));
        }
        if let Some(token) = token {
            return Ok(Some(Auth::Bearer(secret(folder, token)?)));
        }
        if user.is_none() && password.is_none() {
            continue;
        }
        let user = user.or_else(|| said(&flags.username, None));
        let Some((user, password)) = user.zip(password.or_else(|| said(&flags.password_file, None))) else {
            return Err(Error::new(Code::Usage, format!("the login of {} is not complete", component.title()))
                .hint("give both `--username NAME` and `--password-file FILE`"));
        };
        return Ok(Some(Auth::Basic(Login { user: user.to_owned(), password: secret(folder, password)? })));
    }
    Ok(None)
}

fn secret(folder: &Path, file: &str) -> Result<Secret> {
    credentials::secret(&folder.join(file), file, Code::Usage)
}

fn certificates(folder: &Path, file: &Path) -> Result<Vec<Certificate>> {
    let shown = file.display().to_string();
    credentials::certificates(&folder.join(file), &shown, Code::Usage, "name a PEM file")
}
