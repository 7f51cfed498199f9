//! What is said in two places has to agree: each test names the file to mend.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by failing")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::CommandFactory as _;

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    let path = repository().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_documented_settings_are_those_of_init() {
    let page = read("docs/configuration.md");
    assert!(
        page.contains(&moko_mon::config::starting_file()),
        "docs/configuration.md has another starting file than `moko-mon init`: paste its output into the yaml block"
    );
}

#[test]
fn the_readme_names_every_command() {
    let readme = read("README.md");
    for command in moko_mon::cli::Cli::command().get_subcommands() {
        assert!(readme.contains(&format!("`{}", command.get_name())), "README.md says nothing of `{command}`");
    }
}

#[test]
fn the_readme_shows_the_pinned_images() {
    let readme = read("README.md");
    for component in moko_mon::component::Component::ALL {
        let (repository, tag) = moko_mon::stack::images::pinned(component);
        assert!(readme.contains(&format!("{repository}:{tag}")), "README.md shows another image of {component}");
    }
}

#[test]
fn every_alert_has_a_runbook() {
    for file in ["assets/alerts-config.yml", "assets/stack-alerts.yml"] {
        let text = read(file);
        let alerts = text.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
        for alert in alerts {
            let page = format!("docs/runbooks/{}.md", alert.trim());
            assert!(repository().join(&page).is_file(), "{file} has `{alert}`, and {page} is missing");
        }
    }
}

#[test]
fn every_runbook_shows_the_settings_of_its_alert_with_their_defaults() {
    let defaults = moko_mon::config::defaults().unwrap();
    for alert in moko_mon::rules::ALERTS {
        let page = moko_mon::rules::runbook(alert).unwrap();
        let settings = page.split_once("```yaml\n").and_then(|(_, rest)| rest.split_once("```")).map(|(yaml, _)| yaml);
        let settings = settings.unwrap_or_else(|| panic!("docs/runbooks/{alert}.md shows no settings"));
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(moko_mon::config::FILE_NAME), settings).unwrap();
        let sources = moko_mon::config::Sources { directory: folder.path().to_owned(), ..Default::default() };
        let resolved = moko_mon::config::resolve(&sources).unwrap_or_else(|error| panic!("{alert}: {error:?}"));
        assert_eq!(resolved.config, defaults, "docs/runbooks/{alert}.md shows other numbers than the defaults");
        assert!(page.contains(&format!("`rules: {{disabled: [{alert}]}}`")), "{alert}");
    }
}

#[test]
fn links_between_our_pages_lead_somewhere() {
    for page in pages(&repository().join("docs")).into_iter().chain([repository().join("README.md")]) {
        let text = fs::read_to_string(&page).unwrap();
        for (_, rest) in text.match_indices("](").map(|(at, mark)| text.split_at(at + mark.len())) {
            let link = rest.split(')').next().unwrap_or_default().split('#').next().unwrap_or_default();
            if link.is_empty() || link.contains("://") {
                continue;
            }
            assert!(page.parent().unwrap().join(link).exists(), "{}: `{link}` leads nowhere", page.display());
        }
    }
}

fn pages(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            found.extend(pages(&entry));
        } else if entry.extension().is_some_and(|extension| extension == "md") {
            found.push(entry);
        }
    }
    found
}

#[test]
fn the_version_is_the_package_s() {
    let output = Command::new(env!("CARGO_BIN_EXE_moko-mon")).arg("--version").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("moko-mon {}\n", env!("CARGO_PKG_VERSION")));
}

/// The row of a metric in docs/metrics.md.
fn row(metric: &moko_mon::contract::Metric) -> String {
    let label = |label: &moko_mon::contract::Label| match label.values {
        [] => format!("`{}`", label.name),
        values => format!("`{}` ({})", label.name, values.join(", ")),
    };
    let labels: Vec<String> = metric.labels.iter().map(label).collect();
    let (name, kind, labels) = (metric.name, metric.kind.as_str(), labels.join(", "));
    format!("| `{name}` | {kind} | {labels} | {} | {} |\n", metric.unit, metric.help)
}

#[test]
fn the_page_of_the_metrics_has_the_table_of_the_code() {
    let page = read("docs/metrics.md");
    let rows: String = moko_mon::contract::REQUIRED.iter().map(row).collect();
    assert!(page.contains(&rows), "docs/metrics.md has another table than src/contract.rs:\n{rows}");
    let extras: String = moko_mon::contract::EXTRAS.iter().map(row).collect();
    assert!(page.contains(&extras), "docs/metrics.md has another table of extras than src/contract.rs:\n{extras}");
    let jobs: String = moko_mon::jobs::metrics::METRICS.iter().map(row).collect();
    assert!(page.contains(&jobs), "docs/metrics.md has another table than src/jobs/metrics.rs:\n{jobs}");
}

/// Who knows the original finds everything by its name.
#[test]
fn the_readme_names_every_alert_panel_and_metric() {
    let readme = read("README.md");
    for name in &moko_mon::rules::ALERTS[..moko_mon::rules::ABOUT_SCRIPTS] {
        assert!(readme.contains(name), "README.md does not name the alert {name}");
    }
    for metric in moko_mon::contract::REQUIRED {
        assert!(readme.contains(metric.name), "README.md does not name the metric {}", metric.name);
    }
    let dashboard: serde_json::Value = serde_json::from_str(&read("assets/grafana-dashboard.json")).unwrap();
    for panel in dashboard["panels"].as_array().unwrap() {
        let title = panel["title"].as_str().unwrap();
        assert!(readme.contains(title), "README.md does not name the panel {title}");
    }
}
