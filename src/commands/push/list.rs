//! `push list`: one line for each group.

use serde_json::json;

use super::super::Context;
use super::Push;
use super::groups::{SCRIPT, json, shown_age};
use crate::error::Result;
use crate::http::pushgateway::Group;
use crate::ui::{Report, table};

pub(super) async fn run(context: &Context<'_>) -> Result<Report> {
    let push = Push::new(context)?;
    let groups = push.groups().await?;
    let data = groups.iter().map(|group| json(group, push.script_of(group).is_some()));
    let data = json!({"groups": data.collect::<Vec<_>>()});
    if groups.is_empty() {
        return Ok(Report::new(data, "nothing has been pushed"));
    }
    let heading = ["SCRIPT", "INSTANCE", "JOB", "LAST PUSH", "METRICS", "STATE"].map(str::to_owned).to_vec();
    let rows: Vec<_> = std::iter::once(heading).chain(groups.iter().map(|group| row(&push, group))).collect();
    Ok(Report::new(data, table::columns(&rows)))
}

fn row(push: &Push, group: &Group) -> Vec<String> {
    let label = |name: &str| group.labels.get(name).map_or_else(|| "-".to_owned(), |value| table::cell(value));
    let others = group.labels.iter().filter(|(name, _)| !["job", "instance", SCRIPT].contains(&name.as_str()));
    let mut job = label("job");
    for (name, value) in others {
        job.push_str(&format!(" {name}={value:?}"));
    }
    let instance = if push.script_of(group).is_some() { "this host".to_owned() } else { label("instance") };
    let state = if group.last_push_successful { "ok" } else { "last push refused" };
    vec![label(SCRIPT), instance, job, shown_age(group), group.metrics().count().to_string(), state.to_owned()]
}
