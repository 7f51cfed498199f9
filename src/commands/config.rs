//! `config`: the settings, whether they are right, and where each came from.

use serde_json::{Value, json};

use super::Context;
use crate::cli;
use crate::component::Component;
use crate::config::{Config, Setting, json_schema};
use crate::error::Result;
use crate::stack::{Stack, images};
use crate::ui::{Report, table};

pub(super) fn run(context: &Context<'_>, what: cli::Config) -> Result<Report> {
    match what {
        cli::Config::Check => check(context),
        cli::Config::Show => show(context),
        cli::Config::Schema => {
            let schema = json_schema();
            let text = format!("{schema:#}");
            Ok(Report::new(schema, text))
        }
    }
}

fn check(context: &Context<'_>) -> Result<Report> {
    let resolved = context.config()?;
    // What only the whole shows, such as two dashboards that Grafana would mix up, is refused here as by `up`.
    Stack::desired(&resolved.config)?;
    let file = resolved.file.as_ref().map(|file| file.display().to_string());
    let text = match &file {
        Some(file) => format!("{file} is right"),
        None => "there is no moko-mon.yaml, and the defaults are right".to_owned(),
    };
    Ok(Report::new(json!({"file": file}), text))
}

fn show(context: &Context<'_>) -> Result<Report> {
    let resolved = context.config()?;
    let heading = ["SETTING", "VALUE", "FROM"].map(str::to_owned).to_vec();
    let rows = resolved.settings.iter().map(|setting| {
        let text = match value(setting, &resolved.config) {
            Value::String(text) => text,
            Value::Null => "-".to_owned(),
            other => other.to_string(),
        };
        vec![setting.key.clone(), text, setting.origin.to_string()]
    });
    let text = table::columns(&std::iter::once(heading).chain(rows).collect::<Vec<_>>());
    let settings = resolved.settings.iter().map(|setting| {
        json!({
            "key": setting.key, "value": value(setting, &resolved.config), "origin": setting.origin.to_string(),
        })
    });
    let file = resolved.file.as_ref().map(|file| file.display().to_string());
    Ok(Report::new(json!({"file": file, "settings": settings.collect::<Vec<_>>()}), text))
}

/// The value in force: an image that nobody chose is the pinned one.
fn value(setting: &Setting, config: &Config) -> Value {
    let component = setting.key.strip_suffix(".image").and_then(Component::from_name);
    match component {
        Some(component) if setting.value.is_null() => images::reference(component, config).into(),
        _ => setting.value.clone(),
    }
}
