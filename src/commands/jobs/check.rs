//! `jobs check`: would anybody learn that something is wrong with a job?

use std::time::Duration;

use serde_json::{Value, json};

use super::super::{Context, verify};
use crate::error::{Code, Error, Result};
use crate::ui::{Report, table};
use crate::verify::{Coverage, Refused, coverage};

/// How long the servers may take altogether.
const LIMIT: Duration = Duration::from_secs(30);

pub(super) async fn run(context: &Context<'_>) -> Result<Report> {
    let config = context.config()?.config;
    if config.jobs.is_empty() {
        return Err(Error::new(Code::ConfigInvalid, "no job is declared")
            .hint("list them under `jobs` in moko-mon.yaml; `moko-mon init` shows how"));
    }
    let world = verify::own(context, config, LIMIT, &Refused::default()).await?;
    let jobs = coverage(&world).await?;
    let heading = ["JOB", "METRIC", "ALERT", "TEST", "ROUTE", "PANEL"].map(str::to_owned).to_vec();
    let row = |job: &Coverage| {
        let cell = |link: &std::result::Result<&str, String>| link.as_ref().map_or("MISSING", |seen| seen).to_owned();
        std::iter::once(table::cell(&job.job)).chain(job.links().map(|(_, link)| cell(link))).collect()
    };
    let mut text = table::columns(&std::iter::once(heading).chain(jobs.iter().map(row)).collect::<Vec<_>>());
    let uncovered: Vec<&Coverage> = jobs.iter().filter(|job| !job.is_whole()).collect();
    for job in &uncovered {
        for (name, fact) in missing(job) {
            text.push_str(&format!("\n\n{}: no {name}: {fact}", job.job));
        }
    }
    let failed = (!uncovered.is_empty()).then(|| {
        let message = format!("{} of {} jobs are not covered", uncovered.len(), jobs.len());
        let names = uncovered.iter().map(|job| {
            let parts: Vec<&str> = missing(job).map(|(name, _)| name).collect();
            format!("{}: no {}", job.job, parts.join(", no "))
        });
        names
            .fold(Error::new(Code::VerifyFailed, message), Error::cause)
            .hint("nobody would learn of their trouble; each line above says what to do")
    });
    let data = json!({"jobs": jobs.iter().map(program).collect::<Vec<_>>()});
    Ok(Report { data, text, failed })
}

fn missing(job: &Coverage) -> impl Iterator<Item = (&'static str, &String)> {
    job.links().into_iter().filter_map(|(name, link)| Some((name, link.as_ref().err()?)))
}

fn program(job: &Coverage) -> Value {
    let links = job.links().map(|(name, link)| {
        (name.to_owned(), json!({"covered": link.is_ok(), "seen": link.as_ref().ok(), "missing": link.as_ref().err()}))
    });
    json!({"name": job.job, "covered": job.is_whole(), "links": links.into_iter().collect::<serde_json::Map<_, _>>()})
}
