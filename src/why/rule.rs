//! The rule: is it evaluated, how far is its value from its limit, what does it say?

use std::collections::BTreeMap;

use super::instance::Instance;
use super::words::{epoch, few, for_whom, number, span, subject};
use super::{Link, State};
use crate::http::prometheus::{Rule, RuleGroup, Sample};
use crate::promql::{Comparison, Condition};

/// As much of an expression as is shown.
const SHOWN: usize = 100;

/// A condition with the values that it has now.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Measured {
    pub(super) condition: Condition,
    /// The values of its left side, or why they cannot be had.
    pub(super) values: Result<Vec<Sample>, String>,
    /// The limit, where it is one number.
    pub(super) limit: Option<f64>,
    /// For how many series it holds, where the limit is more than one number.
    pub(super) holding: usize,
    /// The conditions inside of it, asked where it has no value.
    pub(super) inner: Vec<Measured>,
}

/// What the rule says. `values` were asked a moment after its last evaluation.
pub(super) fn judge(group: &RuleGroup, rule: &Rule, instances: &[Instance], values: &[Measured], now: f64) -> Link {
    let name = "rule";
    let every = span(group.interval);
    if rule.health == "err" {
        return Link::broken(name, format!("it cannot be evaluated: {}", rule.last_error))
            .hint(format!("`moko-mon rules show {}` shows the expression", rule.name));
    }
    let Some(last) = epoch(&group.last_evaluation).filter(|_| rule.health != "unknown") else {
        return Link::quiet(name, format!("it has not been evaluated yet; it is every {every}"));
    };
    let ago = now - last;
    if ago > 3.0 * group.interval + 60.0 {
        return Link::broken(
            name,
            format!("it was last evaluated {} ago, though it should be every {every}", span(ago)),
        )
        .hint("`moko-mon verify --only rules,prometheus` says more");
    }
    let is_firing = instances.iter().any(|instance| instance.is_firing);
    // The only one that is pending is told by the summary.
    let told = if is_firing || instances.len() > 1 { instances } else { &[] };
    let mut evidence = few(told.iter().map(line).collect());
    let unmet = unmet(values);
    if let (Some(why), true) = (&unmet, !instances.is_empty()) {
        let kept = if rule.keep_firing_for > 0.0 {
            format!("; it goes on for at most {} (`keep_firing_for`)", span(rule.keep_firing_for))
        } else {
            String::new()
        };
        evidence.push(format!("its condition does not hold now: {why}{kept}"));
    }
    evidence.extend(values.iter().map(measured));
    evidence.push(format!("evaluated {} ago, every {every}, from {}", span(ago), group.file));
    if is_firing {
        return Link::ok(name, evidence);
    }
    let because = if instances.is_empty() {
        unmet.unwrap_or_else(|| match values {
            [_] => format!("its condition holds only now; the rule is evaluated every {every}"),
            _ => "each of its conditions holds, but not for the same series".to_owned(),
        })
    } else {
        pending(instances, rule.duration)
    };
    evidence.insert(0, because.clone());
    Link::new(name, State::Quiet, evidence, because)
}

fn line(instance: &Instance) -> String {
    let word = if instance.is_firing { "fires" } else { "is pending" };
    let whom = for_whom([&instance.subject]);
    format!("{word}{whom} since {}, value {}", span(instance.age), number(instance.value))
}

/// When the first of the instances fires, if nothing changes.
fn pending(instances: &[Instance], duration: f64) -> String {
    let age = instances.iter().map(|instance| instance.age).fold(0.0, f64::max);
    let left = match duration - age {
        left if left > 0.0 => format!("in {}", span(left)),
        _ => "with the next evaluation".to_owned(),
    };
    let whom = for_whom(instances.iter().map(|instance| &instance.subject));
    format!("it is pending{whom} since {}, and fires {left} if that goes on", span(age))
}

/// `fires for backup.sh since 12 min`, if it does.
pub(super) fn firing(instances: &[Instance]) -> Option<String> {
    let firing: Vec<&Instance> = instances.iter().filter(|instance| instance.is_firing).collect();
    let age = firing.iter().map(|instance| instance.age).reduce(f64::max)?;
    let whom = for_whom(firing.iter().map(|instance| &instance.subject));
    Some(format!("fires{whom} since {}", span(age)))
}

/// Why a rule has no result: its first condition that does not hold.
fn unmet(values: &[Measured]) -> Option<String> {
    let (exceptions, conditions): (Vec<&Measured>, Vec<&Measured>) =
        values.iter().partition(|measured| measured.condition.negated);
    let missed = conditions.into_iter().find_map(|measured| missed(measured, "its value"));
    missed.or_else(|| {
        let applies = |measured: &&&Measured| measured.values.as_ref().is_ok_and(|values| !values.is_empty());
        let exception = exceptions.iter().find(applies)?;
        Some(format!("what it makes an exception of is there: `{}`", short(&exception.condition.left)))
    })
}

/// Why a condition does not hold; `what` names its value where there is only one.
fn missed(measured: &Measured, what: &str) -> Option<String> {
    let left = short(&measured.condition.left);
    let values = match &measured.values {
        Ok(values) => values,
        Err(error) => return Some(format!("`{left}` cannot be evaluated: {error}")),
    };
    let Some((operator, right)) = &measured.condition.limit else {
        return values.is_empty().then(|| format!("`{left}` has no result"));
    };
    let right = measured.limit.map_or_else(|| format!("`{}`", short(right)), number);
    if values.is_empty() {
        let why = measured.inner.iter().find_map(|inner| missed(inner, &format!("`{}`", short(&inner.condition.left))));
        let why = why.unwrap_or_else(|| format!("`{left}` has no result"));
        return Some(format!("there is no value to compare with {right}: {why}"));
    }
    let Some(limit) = measured.limit else {
        return (measured.holding == 0).then(|| format!("no value is {} {right}", operator.word()));
    };
    if values.iter().any(|sample| operator.holds(sample.value, limit)) {
        return None;
    }
    Some(match values.as_slice() {
        [only] if of(only).is_empty() => format!("{what} is {}, not {} {right}", number(only.value), operator.word()),
        _ => format!("no value is {} {right} ({})", operator.word(), extreme(values, *operator)),
    })
}

/// What a sample is about.
fn of(sample: &Sample) -> String {
    subject(&sample.labels, &BTreeMap::new())
}

/// The value that comes next to the limit: `highest: backup.sh 41.2`.
fn extreme(values: &[Sample], operator: Comparison) -> String {
    let shown = |sample: &Sample| format!("{} {}", of(sample), number(sample.value)).trim_start().to_owned();
    let real = || values.iter().filter(|sample| !sample.value.is_nan());
    let by_value = |a: &&Sample, b: &&Sample| a.value.total_cmp(&b.value);
    let (word, found) = match operator {
        Comparison::Above | Comparison::AtLeast => ("highest", real().max_by(by_value)),
        Comparison::Below | Comparison::AtMost => ("lowest", real().min_by(by_value)),
        Comparison::Equal | Comparison::Unequal => {
            return format!("seen: {}", few(values.iter().map(shown).collect()).join(", "));
        }
    };
    found.map_or_else(|| "each is no number".to_owned(), |sample| format!("{word}: {}", shown(sample)))
}

/// One line about a condition.
fn measured(measured: &Measured) -> String {
    let left = short(&measured.condition.left);
    let values = match &measured.values {
        Err(error) => return format!("`{left}` cannot be evaluated: {error}"),
        Ok(values) if values.is_empty() => "no result".to_owned(),
        Ok(values) => match (values.as_slice(), &measured.condition.limit) {
            ([only], _) => format!("{} {}", of(only), number(only.value)).trim_start().to_owned(),
            (_, Some((operator, _))) => format!("{} values, {}", values.len(), extreme(values, *operator)),
            (_, None) => format!("{} values", values.len()),
        },
    };
    let limit = match &measured.condition.limit {
        Some((operator, right)) => {
            format!("; has to be {} {}", operator.word(), measured.limit.map_or_else(|| short(right), number))
        }
        None if measured.condition.negated => "; has to have no result".to_owned(),
        None => "; has to have a result".to_owned(),
    };
    format!("`{left}`: {values}{limit}")
}

/// An expression in one line that is not too long.
fn short(expression: &str) -> String {
    let line = expression.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{}…", &line[..cut]),
        None => line,
    }
}

#[cfg(test)]
mod tests;
