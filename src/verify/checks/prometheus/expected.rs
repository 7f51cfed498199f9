//! What should be scraped, by the configuration that was delivered.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::component::Component;
use crate::error::{Code, Error, Result};
use crate::http::prometheus::Target;
use crate::stack::ComponentSpec;
use crate::yaml;

/// One target of a scrape job; two that differ in nothing else are two.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wanted {
    /// The scrape job's name in the configuration.
    pub(super) pool: String,
    /// `http://host.docker.internal:8000/metrics`
    pub(super) url: String,
    /// The address as people know it.
    pub(super) instance: String,
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` of job `{}`", self.instance, self.pool)
    }
}

/// The targets in the main file of `spec`.
pub(super) fn targets(spec: &ComponentSpec) -> Result<Vec<Wanted>> {
    let unreadable = || Error::new(Code::VerifyFailed, "cannot read the configuration that the settings make");
    let main = spec.reload.and_then(|reload| spec.files.iter().find(|file| file.path == reload.main_file));
    let main = main.ok_or_else(unreadable)?;
    let main: Value = yaml::from_str(&String::from_utf8_lossy(&main.content)).map_err(|_| unreadable())?;
    let text = |value: &Value, key: &str, default: &str| value[key].as_str().unwrap_or(default).to_owned();
    let mut out = Vec::new();
    for job in items(&main, "scrape_configs") {
        let (scheme, path) = (text(job, "scheme", "http"), text(job, "metrics_path", "/metrics"));
        for group in items(job, "static_configs") {
            for address in items(group, "targets").filter_map(Value::as_str) {
                out.push(Wanted {
                    pool: text(job, "job_name", ""),
                    url: format!("{scheme}://{address}{path}"),
                    instance: text(&group["labels"], "instance", address),
                });
            }
        }
    }
    Ok(out)
}

fn items<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

/// A target that is scraped, in the same terms: by what was configured and not by what relabelling made of it.
pub(super) fn found(target: &Target) -> Wanted {
    let configured = |key: &str| target.discovered_labels.get(key).map(String::as_str);
    let address = configured("__address__").unwrap_or_default();
    Wanted {
        pool: target.scrape_pool.clone(),
        url: format!(
            "{}://{address}{}",
            configured("__scheme__").unwrap_or("http"),
            configured("__metrics_path__").unwrap_or("/metrics")
        ),
        instance: configured("instance").unwrap_or(address).to_owned(),
    }
}

/// The component of ours that is a target: its job is named after it.
pub(super) fn component(target: &Target) -> Option<Component> {
    let component = Component::from_name(&target.scrape_pool)?;
    found(target).url.starts_with(&format!("http://{component}:")).then_some(component)
}

/// How often each is there.
pub(super) fn counted(targets: impl IntoIterator<Item = Wanted>) -> BTreeMap<Wanted, usize> {
    let mut out = BTreeMap::new();
    for target in targets {
        *out.entry(target).or_default() += 1;
    }
    out
}
