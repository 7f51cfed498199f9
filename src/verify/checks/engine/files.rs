//! Whether the files that servers read are those that the settings make.

use std::collections::BTreeMap;

use crate::component::Component;
use crate::docker::archive::digest;
use crate::error::Result;
use crate::observed::FileState;
use crate::stack::{Access, ComponentSpec, FileSpec};
use crate::verify::checks::{alerting, few, prometheus};
use crate::verify::{Finding, Outcome, World};

/// What the server made of other files is part of the same fault, and told with it.
pub(super) async fn look(world: &World, component: Component) -> Result<Finding> {
    let found = world.facts.engine.files(world, component).await?;
    let (Some(spec), Some(found)) = (world.spec(component), found) else {
        return Ok(Finding::skip(format!("no {} is part of the stack", component.title())));
    };
    let mut finding = judge(spec, found);
    if finding.outcome == Outcome::Fail {
        let taken = match component {
            Component::Prometheus => vec![prometheus::look_reload(world).await, prometheus::look_config(world).await],
            Component::Alertmanager => vec![alerting::look_config(world).await],
            Component::Pushgateway | Component::Grafana => Vec::new(),
        };
        // A server that does not answer has a check of its own.
        let refused = taken.into_iter().flatten().filter(|of| of.outcome == Outcome::Fail);
        let told = refused.flat_map(|of| of.evidence).map(|fact| format!("{}: {fact}", component.title()));
        finding.evidence.extend(told);
    }
    Ok(finding)
}

fn judge(spec: &ComponentSpec, found: &BTreeMap<String, FileState>) -> Finding {
    let wanted = spec.files.iter().filter_map(|file| difference(file, found.get(&file.path)));
    let secrets =
        spec.generated.iter().filter(|secret| found.get(&secret.path).is_none_or(|file| file.content.is_empty()));
    let secrets = secrets.map(|secret| format!("`{}` is missing; it holds a secret that was generated", secret.path));
    let strangers =
        unwanted(spec, found).map(|path| format!("`{path}` is there, and nothing in the settings asks for it"));
    let facts: Vec<String> = wanted.chain(secrets).chain(strangers).collect();
    let count = spec.files.len() + spec.generated.len();
    let fine = match count {
        0 => "it reads no files of ours".to_owned(),
        1 => "1 file is as the settings make it".to_owned(),
        count => format!("{count} files are as the settings make them"),
    };
    if facts.is_empty() || !as_delivered(spec, found) {
        return Finding::fail_if_any(
            few(facts),
            "put them right with `moko-mon up`; `--dry-run` shows what it would do",
            fine,
        );
    }
    let mut all = vec!["the settings have changed since the last `moko-mon up`".to_owned()];
    all.extend(few(facts));
    Finding::fail_if_any(all, "apply them with `moko-mon up`; `--dry-run` shows what it would do", fine)
}

/// What is wrong with one file.
fn difference(wanted: &FileSpec, found: Option<&FileState>) -> Option<String> {
    let path = &wanted.path;
    let Some(found) = found else { return Some(format!("`{path}` is missing")) };
    if found.digest != digest(&wanted.content) {
        return Some(format!("`{path}` has another content{}", line(wanted, &found.content)));
    }
    let wanted = wanted.access.owner_and_mode();
    let text = |(user, group, mode): (u64, u64, u32)| format!("{user}:{group} with mode {mode:04o}");
    (found.owner != wanted)
        .then(|| format!("`{path}` belongs to {}, and should to {}", text(found.owner), text(wanted)))
}

/// The first line that differs; nothing of a secret.
fn line(wanted: &FileSpec, found: &[u8]) -> String {
    if wanted.access != Access::Public {
        return String::new();
    }
    let (wanted, found) = (String::from_utf8_lossy(&wanted.content), String::from_utf8_lossy(found));
    let (mut wanted, mut found) = (wanted.lines(), found.lines());
    for number in 1.. {
        let (ours, theirs) = (wanted.next(), found.next());
        if ours != theirs {
            let show = |line: Option<&str>| line.map_or("the end".to_owned(), |line| crate::config::quote(line.trim()));
            return format!(": line {number} is {}, wanted is {}", show(theirs), show(ours));
        }
        if ours.is_none() {
            break;
        }
    }
    ": only its line breaks differ".to_owned()
}

/// Files with something in them that nothing asks for; what is no longer wanted is left empty.
fn unwanted<'a>(spec: &ComponentSpec, found: &'a BTreeMap<String, FileState>) -> impl Iterator<Item = &'a str> {
    let asked = |path: &str| {
        spec.files.iter().any(|file| file.path == path)
            || spec.generated.iter().any(|secret| secret.path == path)
            || is_marker(spec, path)
    };
    found.iter().filter(move |(path, file)| !file.content.is_empty() && !asked(path)).map(|(path, _)| path.as_str())
}

fn is_marker(spec: &ComponentSpec, path: &str) -> bool {
    spec.reload.is_some_and(|reload| reload.marker == path)
}

/// Whether the files are exactly those that were last delivered and read, by the marker beside them.
fn as_delivered(spec: &ComponentSpec, found: &BTreeMap<String, FileState>) -> bool {
    let Some(marker) = spec.reload.and_then(|reload| found.get(reload.marker)) else { return false };
    let files = found.iter().filter(|(path, file)| !file.content.is_empty() && !is_marker(spec, path));
    let files = files.map(|(path, file)| FileSpec {
        path: path.clone(),
        content: file.content.clone(),
        access: Access::Public,
    });
    let delivered = ComponentSpec { files: files.collect(), ..spec.clone() };
    delivered.files_fingerprint().as_bytes() == marker.content
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, defaults};
    use crate::stack::Stack;

    const RULES: &str = "/etc/prometheus/rules/stack-alerts.yml";
    const MAIN: &str = "/etc/prometheus/prometheus.yml";

    fn spec(change: impl FnOnce(&mut Config)) -> ComponentSpec {
        let mut config = defaults().unwrap();
        change(&mut config);
        Stack::desired(&config).unwrap().get(Component::Prometheus).unwrap().clone()
    }

    /// The files as a delivery of `spec` leaves them.
    fn delivered(spec: &ComponentSpec) -> BTreeMap<String, FileState> {
        let state = |content: &[u8], owner| FileState { digest: digest(content), owner, content: content.to_vec() };
        let mut files: BTreeMap<String, FileState> = spec
            .files
            .iter()
            .map(|file| (file.path.clone(), state(&file.content, file.access.owner_and_mode())))
            .collect();
        let marker = spec.reload.unwrap().marker;
        files.insert(marker.to_owned(), state(spec.files_fingerprint().as_bytes(), (0, 0, 0o644)));
        files.insert("/run/secrets/moko-mon/old".to_owned(), state(b"", (0, 0, 0o400)));
        files
    }

    #[test]
    fn what_was_delivered_is_fine_and_so_is_what_was_emptied() {
        let spec = spec(|_| {});
        let finding = judge(&spec, &delivered(&spec));
        assert_eq!(
            (finding.outcome, finding.evidence),
            (Outcome::Pass, vec!["5 files are as the settings make them".to_owned()])
        );
    }

    #[test]
    fn a_file_changed_or_removed_behind_our_back_is_named() {
        let spec = spec(|_| {});
        let mut files = delivered(&spec);
        files.remove(RULES);
        let edited = files.get_mut(MAIN).unwrap();
        edited.content = b"global: {}\n".to_vec();
        edited.digest = digest(&edited.content);
        let finding = judge(&spec, &files);
        assert_eq!(finding.outcome, Outcome::Fail);
        assert_eq!(
            finding.evidence,
            [
                format!("`{RULES}` is missing"),
                format!("`{MAIN}` has another content: line 1 is `global: {{}}`, wanted is `global:`"),
            ]
        );
        assert_eq!(finding.hint.unwrap(), "put them right with `moko-mon up`; `--dry-run` shows what it would do");
    }

    #[test]
    fn settings_that_were_not_applied_are_not_blamed_on_somebody_else() {
        let finding = judge(
            &spec(|config| config.prometheus.scrape_interval = "30s".parse().unwrap()),
            &delivered(&spec(|_| {})),
        );
        assert_eq!(finding.outcome, Outcome::Fail);
        assert_eq!(finding.evidence[0], "the settings have changed since the last `moko-mon up`");
        assert_eq!(
            finding.evidence[1],
            format!("`{MAIN}` has another content: line 2 is `scrape_interval: 15s`, wanted is `scrape_interval: 30s`")
        );
    }

    #[test]
    fn a_secret_is_never_shown_and_its_owner_matters() {
        let access = Access::Secret { uid: 65534, gid: 65534 };
        let wanted = FileSpec { path: "/s".to_owned(), content: b"hunter2".to_vec(), access };
        let mut found =
            FileState { digest: digest(b"other"), owner: (65534, 65534, 0o400), content: b"other".to_vec() };
        assert_eq!(difference(&wanted, Some(&found)).unwrap(), "`/s` has another content");
        found = FileState { digest: digest(b"hunter2"), owner: (0, 0, 0o644), content: b"hunter2".to_vec() };
        assert_eq!(
            difference(&wanted, Some(&found)).unwrap(),
            "`/s` belongs to 0:0 with mode 0644, and should to 65534:65534 with mode 0400"
        );
    }
}
