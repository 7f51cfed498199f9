//! `push text`, `push github-rate-limit`, `push findings`: what other programs have written.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use serde_json::json;

use super::super::Context;
use super::Push;
use super::count::{count, known, published, script};
use crate::cli;
use crate::config::{did_you_mean, list, quote};
use crate::error::{Code, Error, Result};
use crate::push::{Batch, Change, Fault, Faults, Point, findings, github, sarif};
use crate::ui::Report;

/// Whose metrics these are where no script is named: quotas and findings are often pushed by nobody in particular.
const RATE_LIMIT: &str = "github-rate-limit";
const FINDINGS: &str = "security-findings";

/// The largest text that is read: a report of this size has some 100,000 findings.
const MAX_INPUT: u64 = 256 << 20;

pub(super) async fn text(context: &Context<'_>, flags: &cli::Text) -> Result<Report> {
    let goal = format!("could not push the metrics from {}", shown(&flags.file));
    let text = read(context, &flags.file).map_err(|error| error.goal(&goal))?;
    let push = Push::new(context)?;
    // A metric without a `# TYPE` line has the type that it has in the ledger.
    let batch = Batch::read(&text, |name| Some(known(&push, [name], "").ok()?.get(name)?.kind));
    let batch = batch.map_err(|faults| faults.error(&goal))?;
    count(context, &push, batch, &flags.target, None, &goal).await
}

pub(super) async fn github_rate_limit(context: &Context<'_>, flags: &cli::RateLimit) -> Result<Report> {
    let goal = "could not push GitHub's rate limits";
    let text = read(context, Path::new("-")).map_err(|error| error.goal(goal))?;
    let mut quotas = github::quotas(&text)?;
    for wanted in &flags.resource {
        if !quotas.contains_key(wanted) {
            let guess = did_you_mean(wanted, quotas.keys().map(String::as_str));
            let told = list(quotas.keys().map(String::as_str)).replace(" or ", " and ");
            let fact = format!("nothing is told of the resource {}{guess}; there are {told}", quote(wanted));
            return Err(Faults::one(Fault::new(fact)).error(goal));
        }
    }
    quotas.retain(|resource, _| flags.resource.is_empty() || flags.resource.contains(resource));
    let mut batch = Batch::default();
    for (resource, quota) in &quotas {
        let labels = BTreeMap::from([("api".to_owned(), github::api(&flags.api, resource))]);
        #[expect(clippy::cast_precision_loss, reason = "these are small")]
        let values = [
            ("moko_api_rate_limit_remaining", quota.remaining as f64),
            ("moko_api_rate_limit_total", quota.limit as f64),
            ("moko_api_rate_limit_reset_timestamp_seconds", quota.reset as f64),
        ];
        batch.points.extend(values.map(|(name, value)| Point {
            name: name.to_owned(),
            labels: labels.clone(),
            change: Change::Set(value),
            line: None,
        }));
    }
    let push = Push::new(context)?;
    count(context, &push, batch, &flags.target, Some(RATE_LIMIT), goal).await
}

pub(super) async fn findings(context: &Context<'_>, flags: &cli::Findings) -> Result<Report> {
    let finding_type = flags.finding_type.as_deref();
    if finding_type.is_some_and(str::is_empty) {
        return Err(Error::new(Code::Usage, "`--finding-type` is empty").hint("leave it out to have the tool's name"));
    }
    let mut scans = Vec::new();
    for file in &flags.files {
        let goal = || format!("could not push the findings from {}", shown(file));
        let text = read(context, file).map_err(|error| error.goal(goal()))?;
        let of_file = sarif::scans(&text).map_err(|error| error.goal(goal()))?;
        for scan in of_file.iter().filter(|scan| !scan.complete) {
            context.ui.warn(format!(
                "the scan of {} in {} did not come to its end: what it does not have still counts as open",
                quote(&scan.tool),
                shown(file)
            ));
        }
        scans.extend(of_file);
    }
    let types = findings::by_type(scans, finding_type);
    let push = Push::new(context)?;
    let script = script(context, &flags.target, None, Some(FINDINGS))?;
    let (state, outcomes) = push.ledger.script(&script).update(|state| findings::count(&types, state))?;
    let data = json!({"findings": outcomes.iter().map(findings::Outcome::json).collect::<Vec<_>>()});
    let text = outcomes.iter().map(findings::Outcome::text).collect::<Vec<_>>().join("\n");
    published(context, &push, &state, &flags.target, Report::new(data, text)).await
}

fn shown(file: &Path) -> String {
    if is_stdin(file) { "stdin".to_owned() } else { format!("`{}`", file.display()) }
}

fn is_stdin(file: &Path) -> bool {
    file == Path::new("-")
}

fn read(context: &Context<'_>, file: &Path) -> Result<String> {
    let mut bytes = Vec::new();
    let read = if is_stdin(file) {
        std::io::stdin().lock().take(MAX_INPUT + 1).read_to_end(&mut bytes)
    } else {
        let path = context.sources.directory.join(file);
        std::fs::File::open(path).and_then(|file| file.take(MAX_INPUT + 1).read_to_end(&mut bytes))
    };
    read.map_err(|error| Error::new(Code::Io, error.to_string()))?;
    if bytes.len() as u64 > MAX_INPUT {
        return Err(Error::new(Code::Usage, format!("it is longer than {} MiB", MAX_INPUT >> 20)));
    }
    String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()].split(|byte| *byte == b'\n').count();
        Error::new(Code::Usage, format!("line {line}: this is not UTF-8"))
    })
}
