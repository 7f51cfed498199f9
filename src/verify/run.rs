//! Runs a catalogue: everything at once, preconditions first, nothing beyond the deadline.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Either, Shared, join_all, select};

use super::{Check, Checked, Finding, Outcome, World};
use crate::component::Component;
use crate::ui::human;

/// Which checks are wanted, by id or by the beginning of one up to a dot.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Only these; empty: all.
    pub only: Vec<String>,
    /// Not these.
    pub skip: Vec<String>,
}

impl Selection {
    /// Whether a check is wanted.
    #[must_use]
    pub fn wants(&self, id: &str) -> bool {
        (self.only.is_empty() || self.only.iter().any(|of| names(of, id))) && !self.leaves_out(id)
    }

    /// Whether a check is not to be made at all, not even as the precondition of another.
    fn leaves_out(&self, id: &str) -> bool {
        self.skip.iter().any(|of| names(of, id))
    }

    /// The words that name no check of the catalogue.
    pub fn strangers<'a>(&'a self, catalog: &'a [Check]) -> impl Iterator<Item = &'a str> {
        let words = self.only.iter().chain(&self.skip).map(String::as_str);
        words.filter(|word| !catalog.iter().any(|check| names(word, &check.id)))
    }
}

/// Whether a word is an id or the first parts of it.
#[must_use]
pub fn names(word: &str, id: &str) -> bool {
    id.strip_prefix(word.trim_end_matches('.')).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Makes the wanted checks and their preconditions. A precondition that nobody asked for is reported where it fails: the
/// checks that it keeps from being made are no proof of anything. One that is left out by name keeps none.
pub async fn run(catalog: &[Check], world: &World, selection: &Selection) -> Vec<Checked> {
    let mut made: BTreeMap<&str, Shared<BoxFuture<'_, Checked>>> = BTreeMap::new();
    let mut needed: BTreeSet<&str> = BTreeSet::new();
    for check in catalog.iter().filter(|check| !selection.leaves_out(&check.id)) {
        let needs: Vec<_> = check.needs.iter().filter_map(|id| made.get(id).cloned()).collect();
        made.insert(&check.id, one(check, world, needs).boxed().shared());
    }
    for check in catalog.iter().rev() {
        if selection.wants(&check.id) || needed.contains(check.id.as_ref()) {
            needed.insert(&check.id);
            needed.extend(check.needs);
        }
    }
    let opens_dashboards = ["grafana.variables", "grafana.panels"].iter().any(|id| needed.contains(id));
    let login = made.get("grafana.login").filter(|_| opens_dashboards).cloned();
    let prepare = async {
        // Before the login was found right, nothing goes there.
        if let Some(login) = login
            && login.await.finding.outcome.holds()
        {
            world.facts.grafana.prepare(world).await;
        }
    };
    let needed = catalog.iter().filter(|check| needed.contains(check.id.as_ref()));
    let checking = join_all(needed.filter_map(|check| made.get(check.id.as_ref()).cloned()));
    // Nobody waits for what no check needs any more.
    let checked = match select(pin!(checking), pin!(prepare)).await {
        Either::Left((checked, _)) => checked,
        Either::Right(((), checking)) => checking.await,
    };
    let told = |of: &Checked| selection.wants(&of.id) || of.finding.outcome == Outcome::Fail;
    checked.into_iter().filter(told).collect()
}

async fn one(check: &Check, world: &World, needs: Vec<Shared<BoxFuture<'_, Checked>>>) -> Checked {
    let checked = |finding, duration| Checked {
        id: check.id.clone().into_owned(),
        component: check.component,
        finding,
        duration,
    };
    for need in join_all(needs).await {
        if !need.finding.outcome.holds() {
            let reason = format!("needs `{}`, which is `{}`", need.id, need.finding.outcome.as_str());
            return checked(Finding::skip(reason), Duration::ZERO);
        }
    }
    let begun = Instant::now();
    let left = world.deadline.saturating_duration_since(begun);
    let finding = match tokio::time::timeout(left, (check.look)(world)).await {
        Ok(looked) => looked.unwrap_or_else(Finding::from),
        Err(_) => Finding::fail(
            format!("not done within {}, when the time for all checks was over", human(world.limit)),
            "give it more time with `--timeout 30s`; see what is slow with `moko-mon status`",
        ),
    };
    let duration = begun.elapsed();
    let mut finding = finding.in_place(world);
    if !matches!(finding.outcome, Outcome::Pass | Outcome::Skip) && finding.hint.is_none() {
        finding.hint = Some(next_step(check.component, world));
    }
    checked(finding, duration)
}

/// What to type next where a failure itself does not say it.
pub(super) fn next_step(component: &str, world: &World) -> String {
    let component = Component::ALL.into_iter().find(|of| of.name() == component);
    match (component, &world.expected) {
        (Some(component), Some(_)) => format!("see what the server says with `moko-mon logs {component}`"),
        (Some(component), None) => format!("is `--{component}-url` right, and does what answers there run well?"),
        (None, Some(_)) => "see how the servers are with `moko-mon status`".to_owned(),
        (None, None) => "see whether the servers are well with `moko-mon verify --only prometheus,alerting`".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Code, Error};
    use crate::verify::Look;

    fn check(id: &'static str, needs: &'static [&'static str], fails: bool) -> Check {
        Check {
            id: id.into(),
            component: "prometheus",
            about: "".into(),
            needs,
            look: Box::new(move |_| {
                async move { Ok(if fails { Finding::fail("no", "mend it") } else { Finding::pass("yes") }) }.boxed()
            }),
        }
    }

    /// What is told of a catalogue in which `b` and `c` need `a`, which fails, and `d` needs nothing.
    async fn told(only: &[&str], skip: &[&str]) -> Vec<String> {
        let catalog = [
            check("x.a", &[], true),
            check("x.b", &["x.a"], false),
            check("x.c", &["x.b"], false),
            check("y.d", &[], false),
        ];
        let world = World::empty();
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let selection = Selection { only: words(only), skip: words(skip) };
        let checked = run(&catalog, &world, &selection).await;
        checked.iter().map(|of| format!("{} {}", of.id, of.finding.outcome.as_str())).collect()
    }

    #[tokio::test]
    async fn what_a_broken_precondition_needs_is_skipped() {
        assert_eq!(told(&[], &[]).await, ["x.a fail", "x.b skip", "x.c skip", "y.d pass"]);
    }

    #[tokio::test]
    async fn a_failure_that_does_not_say_what_to_do_is_given_a_next_step() {
        let look: Look = Box::new(|_| async { Err(Error::new(Code::NotReady, "no")) }.boxed());
        let catalog = [Check { look, ..check("x.a", &[], true) }];
        let checked = run(&catalog, &World::empty(), &Selection::default()).await;
        let hint = "is `--prometheus-url` right, and does what answers there run well?";
        assert_eq!(checked[0].finding.hint.as_deref(), Some(hint));
    }

    #[tokio::test]
    async fn a_broken_precondition_is_told_whoever_was_asked_for() {
        assert_eq!(told(&["x.c", "y"], &[]).await, ["x.a fail", "x.c skip", "y.d pass"]);
        assert_eq!(told(&["y.d"], &[]).await, ["y.d pass"], "nothing that is asked for needs it");
    }

    #[tokio::test]
    async fn a_precondition_that_is_left_out_by_name_keeps_nothing_from_being_made() {
        assert_eq!(told(&[], &["x.a"]).await, ["x.b pass", "x.c pass", "y.d pass"]);
        assert_eq!(told(&["x"], &["x.a"]).await, ["x.b pass", "x.c pass"]);
    }
}
