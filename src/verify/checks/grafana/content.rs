//! What was imported: data source, folder, dashboards.

use serde_json::Value;

use super::super::few;
use crate::error::Result;
use crate::http::grafana::{Content, Dashboard, Grafana, Item, StoredDashboard, changes};
use crate::verify::{Finding, World, bounded};

const UP: &str = "bring it back with `moko-mon up`";

fn ours(world: &World) -> Option<&Content> {
    world.expected.as_ref()?.stack.grafana.as_ref()
}

pub(super) async fn look_data_source(world: &World) -> Result<Finding> {
    let Some(content) = ours(world) else {
        let sources = world.facts.grafana.sources(world).await?;
        return Ok(any_source(sources.0.as_deref()));
    };
    let desired = &content.data_source;
    let state = world.facts.grafana.client(world).await?.data_source_state(desired).await?;
    Ok(match state {
        Item::Same => Finding::pass(format!("`{}` leads to {}", desired.uid, desired.url)),
        Item::Missing => Finding::fail(format!("there is no data source of uid `{}`", desired.uid), UP),
        Item::Different(why) => Finding::fail(format!("data source `{}` is not ours any more: {why}", desired.uid), UP),
    })
}

/// Somebody else's Grafana: all that can be asked for is a Prometheus.
fn any_source(all: Option<&[Value]>) -> Finding {
    let Some(all) = all else {
        return Finding::skip("the login may not list data sources, which takes the role Admin");
    };
    let named = prometheus(all).map(|source| format!("`{}`", source["name"].as_str().unwrap_or_default()));
    let named: Vec<String> = named.collect();
    if named.is_empty() {
        let fact = format!("none of its {} data sources is a Prometheus", all.len());
        return Finding::fail(fact, "add one in Grafana under Connections > Data sources");
    }
    Finding::pass(format!("data sources of type prometheus: {}", named.join(", ")))
}

fn prometheus(all: &[Value]) -> impl Iterator<Item = &Value> {
    all.iter().filter(|source| source["type"] == "prometheus")
}

pub(super) async fn look_health(world: &World) -> Result<Finding> {
    let grafana = world.facts.grafana.client(world).await?;
    let uids: Vec<String> = if let Some(content) = ours(world) {
        vec![content.data_source.uid.clone()]
    } else {
        let all = world.facts.grafana.sources(world).await?.0.as_deref().unwrap_or_default();
        prometheus(all).filter_map(|source| source["uid"].as_str()).map(str::to_owned).collect()
    };
    let mut evidence = Vec::new();
    for uid in uids {
        let health = grafana.data_source_health(&uid).await?;
        evidence.push(format!("`{uid}`: {} (by {})", health.message, health.proof.as_str()));
    }
    Ok(Finding { evidence, ..Finding::pass("") })
}

pub(super) async fn look_folder(world: &World) -> Result<Finding> {
    let Some(content) = ours(world) else { return Ok(not_ours()) };
    let grafana = world.facts.grafana.client(world).await?;
    let folder = &content.folder;
    match grafana.folder(&folder.uid).await? {
        None => return Ok(Finding::fail(format!("there is no folder of uid `{}`", folder.uid), UP)),
        Some(found) if found.title != folder.title => {
            let fact = format!("folder `{}` has the title `{}`, not `{}`", folder.uid, found.title, folder.title);
            return Ok(Finding::fail(fact, UP));
        }
        Some(_) => {}
    }
    let stored = world.facts.grafana.stored(world).await?;
    let moved = content.dashboards.iter().filter_map(|dashboard| {
        let found = stored.get(&dashboard.uid).filter(|found| found.folder_uid != folder.uid)?;
        Some(match found.folder_uid.as_str() {
            "" => format!("dashboard `{}` lies outside of any folder, not in `{}`", dashboard.title, folder.title),
            uid => format!("dashboard `{}` is in folder `{uid}`, not in `{}`", dashboard.title, folder.uid),
        })
    });
    let moved: Vec<String> = moved.collect();
    let fine = format!("folder `{}` is there; nothing of ours lies elsewhere", folder.title);
    Ok(Finding::fail_if_any(few(moved), UP, fine))
}

fn not_ours() -> Finding {
    Finding::skip("moko-mon did not fill this Grafana, so it does not know what should be in it")
}

/// What somebody did to a dashboard of ours.
struct Touched {
    fact: String,
    /// Whether something of ours is lost; additions are not.
    lost: bool,
}

pub(super) async fn look_dashboards(world: &World) -> Result<Finding> {
    let Some(content) = ours(world) else { return Ok(not_ours()) };
    let grafana = world.facts.grafana.client(world).await?;
    let stored = world.facts.grafana.stored(world).await?;
    let all = content.dashboards.iter().map(|dashboard| touched(grafana, dashboard, stored.get(&dashboard.uid)));
    let all = bounded(all).await?;
    let (lost, added): (Vec<Touched>, Vec<Touched>) = all.into_iter().flatten().partition(|one| one.lost);
    let facts = |all: Vec<Touched>| few(all.into_iter().map(|one| one.fact).collect());
    let hint = "see all of it with `moko-mon dashboard diff`; `moko-mon up` puts the file's version back";
    if !lost.is_empty() {
        return Ok(Finding::fail_if_any(facts(lost), hint, ""));
    }
    let titles: Vec<String> = content.dashboards.iter().map(|one| format!("`{}`", one.title)).collect();
    let keep = "see it with `moko-mon dashboard diff`; keep it with `moko-mon dashboard export`";
    Ok(Finding::warn_if_any(facts(added), keep, format!("equal to the files: {}", titles.join(", "))))
}

async fn touched(grafana: &Grafana, desired: &Dashboard, found: Option<&StoredDashboard>) -> Result<Option<Touched>> {
    let title = &desired.title;
    let Some(found) = found else {
        return Ok(Some(Touched { fact: format!("dashboard `{title}` is not in Grafana"), lost: true }));
    };
    let item = grafana.compare(desired, found).await?;
    if !item.is_same() {
        return Ok(Some(Touched { fact: difference(title, &desired.json, &found.json), lost: true }));
    }
    // Newer Grafanas migrate what they give back, so more than ours is only somebody's work if the save was not ours.
    let differs = !changes(&desired.json, &found.json).is_empty();
    let added = differs && !grafana.saved_by_us(desired, found).await?;
    Ok(added.then(|| Touched { fact: difference(title, &desired.json, &found.json), lost: false }))
}

fn difference(title: &str, ours: &Value, theirs: &Value) -> String {
    const SHOWN: usize = 3;
    let all = changes(ours, theirs);
    let shown: Vec<String> = all.iter().take(SHOWN).map(|change| change.to_string().replace("\n  ", " ")).collect();
    let more = if all.len() > SHOWN { format!("; and {} more", all.len() - SHOWN) } else { String::new() };
    format!("dashboard `{title}` was edited in Grafana: {}{more}", shown.join("; "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::verify::Outcome;

    #[test]
    fn a_difference_names_the_place_and_both_values() {
        let ours = json!({ "title": "T", "panels": [{ "title": "Runs", "unit": "s" }], "a": 1, "b": 2, "c": 3 });
        let theirs = json!({ "title": "T", "panels": [{ "title": "Runs", "unit": "ms" }], "a": 2, "b": 3, "c": 4 });
        assert_eq!(
            difference("T", &ours, &theirs),
            "dashboard `T` was edited in Grafana: a - 1 + 2; b - 2 + 3; c - 3 + 4; and 1 more"
        );
    }

    #[test]
    fn a_foreign_grafana_needs_a_prometheus() {
        let loki = json!({ "type": "loki", "name": "Logs" });
        let finding = any_source(Some(std::slice::from_ref(&loki)));
        assert_eq!(finding.evidence, ["none of its 1 data sources is a Prometheus"]);
        assert_eq!(finding.outcome, Outcome::Fail);
        let finding = any_source(Some(&[loki, json!({ "type": "prometheus", "name": "Prom" })]));
        assert_eq!(finding, Finding::pass("data sources of type prometheus: `Prom`"));
        assert_eq!(any_source(None).outcome, Outcome::Skip);
    }
}
