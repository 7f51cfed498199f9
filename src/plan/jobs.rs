//! What the Pushgateway has to be told of the jobs.

use super::Action;
use crate::http::pushgateway::Group;
use crate::jobs::{Job, cause, declared_job};

/// Actions, each with its subject and its cause. `groups` are those that the Pushgateway holds; `None`: it does not answer
/// yet.
pub(super) fn steps(jobs: &[Job], groups: Option<&[Group]>) -> Vec<(Action, String, String)> {
    let mut steps = Vec::new();
    for job in jobs {
        let cause = match groups {
            Some(groups) => cause(job, groups),
            None => Some("checked once the Pushgateway answers".to_owned()),
        };
        let step = |cause| (Action::Declare(job.name.clone()), format!("job {}", job.name), cause);
        steps.extend(cause.map(step));
    }
    let declared = groups.into_iter().flatten().filter_map(declared_job);
    for name in declared.filter(|name| !jobs.iter().any(|job| job.name == **name)) {
        let cause = "no longer in the settings".to_owned();
        steps.push((Action::Withdraw(name.to_owned()), format!("job {name}"), cause));
    }
    steps
}
