//! `up`: observe, decide, act.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{Context, demo};
use crate::alerting;
use crate::apply::{Apply, check_files};
use crate::cli;
use crate::component::Component;
use crate::config::{self, Config, Pull};
use crate::docker::Docker;
use crate::error::{Error, Result};
use crate::http::Http;
use crate::http::grafana::Grafana;
use crate::http::pushgateway::{Group, Pushgateway};
use crate::lock::Lock;
use crate::observed::{Observed, State};
use crate::plan::{Plan, needed_ports, reconcile};
use crate::publish::Settings;
use crate::stack::{ADMIN_USER, ComponentSpec, Stack, admin_password};
use crate::ui::Report;
use crate::verify::report::Look;
use crate::{platform, server, verify};

pub(super) async fn run(context: &Context<'_>, flags: &cli::Up) -> Result<Report> {
    let config = context.config()?.config;
    if flags.demo {
        demo::check(&config)?;
    }
    let stack = Stack::desired(&config)?;
    let docker = context.docker().await?;
    let http = Context::http()?;
    if flags.dry_run {
        let mut observed = observe(&docker, &http, &stack).await?;
        observed.grafana = grafana_state(&http, &stack, &observed).await;
        observed.groups = pushed(&http, &stack, &observed).await;
        let mut plan = reconcile(&stack, &observed, config.images.pull)?;
        if flags.demo {
            plan.steps.extend(demo::steps(&config, &observed.containers));
        }
        return Ok(Report { failed: observed.grafana.and_then(Result::err), ..dry_run(&plan) });
    }
    let _lock = Lock::take(&platform::lock_folder(), &docker.engine.id, &config.project, "up")?;

    let observed = observe(&docker, &http, &stack).await?;
    let first = reconcile(&stack, &observed, config.images.pull)?;
    let mut observed = if first.pulls().next().is_some() {
        let now = Instant::now();
        Apply::new(&docker, &http, context.ui, &context.stop, &stack, &observed, now).pull(&first).await?;
        // A pulled image may be another build than the one that runs.
        observe(&docker, &http, &stack).await?
    } else {
        observed
    };
    // Asked once, after the pulls: every look is a login, and five refused ones lock the user out.
    observed.grafana = grafana_state(&http, &stack, &observed).await;
    observed.groups = pushed(&http, &stack, &observed).await;
    let mut plan = reconcile(&stack, &observed, Pull::Missing)?;
    // Waiting for servers begins here: a slow registry must not use up their time.
    let deadline = Instant::now() + flags.wait.as_duration();
    let apply = Apply::new(&docker, &http, context.ui, &context.stop, &stack, &observed, deadline);
    check_files(&apply, &plan).await?;
    if plan.chain(Component::Alertmanager).next().is_some() {
        alerting::unreachable(&config.receivers).await.into_iter().for_each(|warning| context.ui.warn(warning));
    }
    let done_so_far = apply.run(&plan).await;
    if let Some(Err(failed)) = observed.grafana {
        if done_so_far.is_ok() {
            return Err(failed);
        }
        context.ui.warn(failed.in_one_line());
    }
    done_so_far?;
    begin_totals(context, &http, &stack, &plan).await;
    if flags.demo {
        // Replaced containers and a new network are only known now.
        let steps = demo::steps(&config, &docker.project_containers(&config.project).await?);
        demo::start(context, &docker, &http, &config, &steps, deadline).await?;
        plan.steps.extend(steps);
    }
    let demo = flags.demo || demo::is_on(&observed.containers);
    if !demo && demo::feed_of(&observed.containers).is_some() {
        context.ui.warn(
            "the demo data is not complete: `moko-mon up --demo` writes it again, `moko-mon demo stop` removes it",
        );
    }
    let report = done(&stack, &docker, &plan, demo);
    if flags.no_verify {
        return Ok(report);
    }
    verified(context, config, &plan, report).await
}

/// The report, with what `verify` says of the stack.
async fn verified(context: &Context<'_>, config: Config, plan: &Plan, mut report: Report) -> Result<Report> {
    // What has just started is scraped once within an interval, and rules are evaluated within theirs.
    let settings = &config.prometheus;
    let round = settings.scrape_interval.as_duration() + settings.evaluation_interval.as_duration();
    let verdict = super::verify::settled(context, config, if plan.is_empty() { Duration::ZERO } else { round }).await?;
    if let Some(data) = report.data.as_object_mut() {
        data.insert("verify".to_owned(), verify::report::json(&verdict));
    }
    let look = Look { width: context.ui.width(), colors: context.ui.colors() };
    report.text = format!("{}\n{}", report.text, verify::report::brief(&verdict, look));
    report.failed = verdict.failure(false);
    Ok(report)
}

/// Looks at the engine, the ports of this host and the running servers; not yet into Grafana.
async fn observe(docker: &Docker, http: &Http, stack: &Stack) -> Result<Observed> {
    let mut observed = docker.observe(stack).await?;
    let probes = observed.containers.iter().map(|container| async {
        let spec = container.component.and_then(|component| stack.get(component));
        match (container.state, spec) {
            (State::Running, Some(spec)) if container.spec.as_ref() == Some(&spec.container) => {
                server::ready(http, spec).await.is_ok()
            }
            _ => false,
        }
    });
    let ready = futures_util::future::join_all(probes).await;
    for (container, ready) in observed.containers.iter_mut().zip(ready) {
        container.ready = ready;
    }
    if docker.engine.local {
        for (port, setting) in needed_ports(stack, &observed) {
            let spec = stack.components.iter().find(|spec| setting.starts_with(spec.component.name()));
            // After a killed `up` the engine may be starting this very container: its proxy has the port before the
            // container runs. If it is somebody else after all, the start says so.
            let starting = spec.is_some_and(|spec| is_created(&observed, spec));
            let holder = spec.filter(|_| !starting);
            let holder = holder.and_then(|spec| platform::port_holder(spec.container.port.bind, port));
            if let Some(holder) = holder {
                observed.held_ports.entry(port).or_insert(holder);
            }
        }
    } else {
        observed.held_ports.retain(|_, holder| holder.starts_with("container"));
    }
    Ok(observed)
}

/// Whether a component's container was created, with the port that it should have, and does not run yet.
fn is_created(observed: &Observed, spec: &ComponentSpec) -> bool {
    observed.containers.iter().any(|container| {
        container.component == Some(spec.component)
            && container.state == State::Created
            && container.spec.as_ref().is_some_and(|created| created.port == spec.container.port)
    })
}

/// What Grafana contains, if it runs as it should and is ready.
async fn grafana_state(http: &Http, stack: &Stack, observed: &Observed) -> Option<Result<crate::http::grafana::State>> {
    let content = stack.grafana.as_ref()?;
    let spec = stack.get(Component::Grafana)?;
    let container = observed.containers.iter().find(|container| container.component == Some(Component::Grafana))?;
    let password = admin_password(&container.files).filter(|_| container.ready)?;
    Some(Grafana::new(http, &spec.url(), ADMIN_USER, password).state(content).await)
}

/// The groups that the Pushgateway holds, if it runs as it should and answers; if not, the plan says what it would look at.
async fn pushed(http: &Http, stack: &Stack, observed: &Observed) -> Option<Vec<Group>> {
    let spec = stack.get(Component::Pushgateway)?;
    let container = observed.containers.iter().find(|container| container.component == Some(Component::Pushgateway))?;
    if !container.ready {
        return None;
    }
    Pushgateway::new(http, &spec.url()).groups().await.ok()
}

/// Lets the totals of jobs that were just declared begin at 0, where this stack's own Pushgateway is what they are pushed to.
async fn begin_totals(context: &Context<'_>, http: &Http, stack: &Stack, plan: &Plan) {
    let declared: Vec<&String> = plan.steps.iter().filter_map(|step| step.action.declares()).collect();
    let (Some(spec), false) = (stack.get(Component::Pushgateway), declared.is_empty()) else { return };
    let Some(settings) = config::push(&context.sources) else { return };
    let settings = Settings::new(settings, &context.environment);
    if settings.textfile_dir.is_some() || settings.url != spec.url() {
        return;
    }
    let gateway = Pushgateway::new(http, &spec.url());
    let begun = async {
        let groups = gateway.groups().await?;
        for job in declared {
            settings.begin(&gateway, &groups, job).await?;
        }
        Ok::<_, Error>(())
    };
    if let Err(failed) = begun.await {
        // The stack is up; only a first run that fails at once may go unseen.
        context.ui.warn(failed.in_one_line());
    }
}

fn dry_run(plan: &Plan) -> Report {
    let text = if plan.is_empty() { "nothing to do".to_owned() } else { plan.to_string() };
    Report::new(json!({"steps": plan.steps}), text)
}

fn done(stack: &Stack, docker: &Docker, plan: &Plan, demo: bool) -> Report {
    let components: Vec<_> =
        stack.components.iter().map(|spec| json!({"component": spec.component, "url": spec.url()})).collect();
    let mut text = String::new();
    if plan.is_empty() {
        text.push_str("nothing to do: everything runs as configured\n\n");
    }
    for spec in &stack.components {
        text.push_str(&format!("{:<13} {}\n", spec.component.title(), spec.url()));
    }
    if stack.grafana.is_some() {
        text.push_str(&format!(
            "\nGrafana's login is `{ADMIN_USER}`; `moko-mon status --show-secrets` shows its password\n"
        ));
    }
    if demo {
        text.push_str("\nThe demo data is on; `moko-mon demo stop` removes it\n");
    }
    let data = json!({
        "project": stack.project, "engine": docker.engine, "components": components, "steps": plan.steps, "demo": demo,
    });
    Report::new(data, text)
}
