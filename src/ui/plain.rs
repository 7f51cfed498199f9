//! One line for each event, for pipes and CI.

use std::io::Write as _;

use super::event::{Event, Reporter, human, megabytes};

/// Lines on stderr.
pub(super) struct Plain;

impl Reporter for Plain {
    fn on(&self, event: &Event<'_>) {
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
        Event::Note(text) => Some((*text).to_owned()),
        Event::Warning(text) => Some(format!("warning: {text}")),
    }
}
