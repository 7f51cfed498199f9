//! `rules test`: unit tests of rules, by the promtool that belongs to the Prometheus of the stack.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use serde_json::{Value, json};

use super::super::{Context, dashboard};
use crate::apply::Apply;
use crate::component::Component;
use crate::config::{Config, Pull, defaults};
use crate::docker::Docker;
use crate::docker::archive::Entry;
use crate::docker::one_shot::Once;
use crate::error::{Code, Error, Result};
use crate::lock::Lock;
use crate::observed::Observed;
use crate::plan::pulls;
use crate::platform;
use crate::rules::{self, Outcome, Test, as_on_disk, junit};
use crate::stack::{ComponentSpec, FileSpec, RULES_PATH, Stack};
use crate::ui::{Event, Report, human};

/// How long one test file may take; those that are bundled take a second.
const LIMIT: Duration = Duration::from_secs(600);

/// How many containers run at once.
const AT_ONCE: usize = 4;

/// How many lines of promtool are kept of one test file.
const LINES: usize = 1000;

pub(super) async fn run(context: &Context<'_>, files: &[PathBuf], report: Option<&Path>) -> Result<Report> {
    let config = context.config()?.config;
    let mut stack = Stack::desired(&config)?;
    stack.components.retain(|spec| spec.component == Component::Prometheus);
    let missing = || Error::new(Code::NotFound, "the stack has no Prometheus");
    let prometheus = stack.components.first().cloned().ok_or_else(missing)?;
    let in_force: Vec<FileSpec> =
        prometheus.files.iter().filter(|file| file.path.starts_with(RULES_PATH)).cloned().collect();
    // Better told now than after all tests.
    let folder = report.and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty());
    if let (Some(report), Some(folder)) = (report, folder)
        && !context.sources.directory.join(folder).is_dir()
    {
        return Err(unwritable(Code::Usage, report, &format!("there is no folder `{}`", folder.display())));
    }
    let mut tests = rules::bundled();
    tests.extend(rules::of_jobs(&config, &in_force)?);
    for file in files {
        tests.push(rules::read_test(&context.sources.directory, file, &in_force)?);
    }
    let docker = context.docker().await?;
    // `up` removes the container of a test as a leftover.
    let _lock = Lock::take(&platform::lock_folder(), &docker.engine.id, &config.project, "rules test")?;
    pull(context, &docker, &stack, &prometheus, config.images.pull).await?;
    let image = &prometheus.container.image;
    context.ui.event(&Event::Note(&format!("running {} test files by promtool of {image}", tests.len())));
    let outcomes = futures_util::stream::iter(&tests)
        .map(|test| outcome(context, &docker, &stack.project, &prometheus, test))
        .buffered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    let outcomes = outcomes.into_iter().collect::<Result<Vec<_>>>()?;
    if let Some(report) = report {
        dashboard::write(&context.sources.directory.join(report), &junit(&outcomes))
            .map_err(|error| unwritable(Code::Io, report, &error.to_string()))?;
    }
    Ok(told(&outcomes, image, as_shipped(&config)))
}

fn unwritable(code: Code, report: &Path, fact: &str) -> Error {
    Error::new(code, format!("could not write `{}`", report.display()))
        .cause(fact)
        .hint("name a file in a folder that you may write to with `--junit FILE`")
}

/// Brings the image as `up` does.
async fn pull(
    context: &Context<'_>,
    docker: &Docker,
    stack: &Stack,
    prometheus: &ComponentSpec,
    when: Pull,
) -> Result<()> {
    let image = &prometheus.container.image;
    let images = [(image.clone(), docker.image_id(image).await?)].into();
    let observed = Observed { images, ..Observed::default() };
    let plan = pulls(stack, &observed, when)?;
    let http = Context::http()?;
    Apply::new(docker, &http, context.ui, &context.stop, stack, &observed, Instant::now()).pull(&plan).await
}

/// Runs one test file in a container of its own, so that its exit code says what came of it and nothing else does.
async fn outcome(
    context: &Context<'_>,
    docker: &Docker,
    project: &str,
    prometheus: &ComponentSpec,
    test: &Test,
) -> Result<Outcome> {
    // The runs at work end by themselves and leave nothing behind.
    if context.stop.asked() {
        let mut error = context.stop.error("`rules test`").hint("run it again: it starts from the beginning");
        error.causes = vec!["the containers of the tests are removed".to_owned()];
        return Err(error);
    }
    let started = Instant::now();
    let command = ["/bin/promtool", "test", "rules", &test.path].map(str::to_owned).to_vec();
    let once = Once { project, spec: &prometheus.container, command, limit: LIMIT, lines: LINES };
    let (code, lines) = docker.run_once(once, test.files.iter().map(Entry::below_root)).await?;
    let said = |line: &String| !matches!(line.trim(), "FAILED:" | "SUCCESS") && !line.starts_with("Unit Testing:");
    let failure = (code != 0).then(|| lines.iter().filter(|line| said(line)).map(|line| as_on_disk(line)).collect());
    Ok(Outcome { name: test.name.clone(), bundled: test.bundled, failure, took: started.elapsed() })
}

/// Whether the rules of ours that are in force are those that the bundled tests know, links in their texts apart.
fn as_shipped(config: &Config) -> bool {
    config.rules.disabled.is_empty() && defaults().is_ok_and(|of| of.rules.thresholds == config.rules.thresholds)
}

fn told(outcomes: &[Outcome], image: &str, as_shipped: bool) -> Report {
    let mut text = String::new();
    for outcome in outcomes {
        let word = if outcome.failure.is_some() { "FAILED" } else { "passed" };
        let whose = if outcome.bundled { "bundled " } else { "" };
        text.push_str(&format!("{word}  {whose}{} ({})\n", outcome.name, human(outcome.took)));
        for line in outcome.failure.iter().flatten() {
            text.push_str(&format!("  {line}\n"));
        }
    }
    let failed: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.failure.is_some()).collect();
    let passed = outcomes.len() - failed.len();
    text.push_str(&format!("\n{passed} of {} test files passed, by promtool of {image}\n", outcomes.len()));
    if !as_shipped {
        text.push_str(
            "the bundled tests expect the default settings, so they ran on the built-in rules as they ship; yours differ\n",
        );
    }
    let data = json!({
        "image": image,
        "passed": passed,
        "failed": failed.len(),
        // What the bundled tests ran on is what is in force.
        "rules_as_shipped": as_shipped,
        "tests": outcomes.iter().map(json).collect::<Vec<_>>(),
    });
    let failed = (!failed.is_empty()).then(|| {
        let message = format!("{} of {} test files failed", failed.len(), outcomes.len());
        let error = failed.iter().fold(Error::new(Code::TestsFailed, message), |error, outcome| {
            let first = outcome.failure.iter().flatten().next().map_or("", |line| line.trim().trim_end_matches(','));
            error.cause(format!("{}: {first}", outcome.name))
        });
        error.hint("`exp` is what the test expects, `got` what the rules do; mend either")
    });
    Report { data, text, failed }
}

fn json(outcome: &Outcome) -> Value {
    json!({
        "file": outcome.name,
        "origin": outcome.origin(),
        "passed": outcome.failure.is_none(),
        "seconds": outcome.took.as_secs_f64(),
        "output": outcome.failure.as_deref().unwrap_or_default(),
    })
}
