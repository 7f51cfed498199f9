//! One line for each event, for pipes and CI.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Mutex;

use super::event::{Event, Reporter, countdown, human, megabytes};

/// Lines on stderr.
#[derive(Default)]
pub(super) struct Plain {
    /// The tenth of each image, or the half minute of each countdown, that was told last: a log wants to know that it
    /// goes on, not every second of it.
    told: Mutex<BTreeMap<String, u64>>,
}

impl Plain {
    /// Whether something has come into another step since it was told last.
    fn is_news(&self, what: &str, step: u64) -> bool {
        self.told.lock().is_ok_and(|mut told| told.insert(what.to_owned(), step) != Some(step))
    }
}

impl Reporter for Plain {
    fn on(&self, event: &Event<'_>) {
        let news = match event {
            Event::Pulling { image, current, total } => {
                self.is_news(image, (current * 10).checked_div(*total).unwrap_or_default())
            }
            Event::Countdown { name, phase, left } => {
                self.is_news(&format!("{name} {phase}"), left.as_secs().div_ceil(30))
            }
            _ => true,
        };
        if !news {
            return;
        }
        if let Some(line) = line(event) {
            // There is nowhere to tell that stderr is closed.
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }
}

/// The line of an event; those that only move a drawing have none.
pub(super) fn line(event: &Event<'_>) -> Option<String> {
    match event {
        Event::Started(_) | Event::End => None,
        Event::Done(step, took) => {
            let of = step.component.map_or("project", crate::component::Component::name);
            Some(format!("{of:<13} {:<9} {:<44} {}", step.action.verb(), step.subject, human(*took)))
        }
        Event::Failed(step) => {
            let of = step.component.map_or("project", crate::component::Component::name);
            Some(format!("{of:<13} {:<9} {:<44} failed", step.action.verb(), step.subject))
        }
        Event::Pulling { image, current, total } => {
            Some(format!("pulling {image}: {} of {}", megabytes(*current), megabytes(*total)))
        }
        Event::Waiting { component, elapsed, last } => {
            Some(format!("{component:<13} waiting   {} so far: {last}", human(*elapsed)))
        }
        Event::Countdown { phase, left, .. } => Some(countdown(phase, *left)),
        Event::Note(text) => Some((*text).to_owned()),
        Event::Warning(text) => Some(format!("warning: {text}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_is_told_once_for_each_step() {
        let plain = Plain::default();
        let told = [0, 0, 1, 1, 9, 10].map(|step| plain.is_news("x", step));
        assert_eq!(told, [true, false, true, false, true, true]);
        assert!(plain.is_news("y", 0));
    }
}
