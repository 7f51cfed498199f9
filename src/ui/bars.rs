//! A line for each component that changes in place, for a terminal.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::event::{Event, Reporter, countdown, human, megabytes};
use super::plain;
use crate::plan::Step;

/// Spinners on stderr, one for each component at work.
pub(super) struct Bars {
    all: MultiProgress,
    style: ProgressStyle,
    lines: Mutex<BTreeMap<String, ProgressBar>>,
}

impl Bars {
    pub(super) fn new(color: bool) -> Self {
        let template =
            if color { "{spinner:.cyan} {prefix:<13} {wide_msg}" } else { "{spinner} {prefix:<13} {wide_msg}" };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
        Self { all: MultiProgress::new(), style, lines: Mutex::new(BTreeMap::new()) }
    }

    /// Sets the text behind a name, making its line when it is new.
    fn set(&self, name: &str, message: String) {
        let Ok(mut lines) = self.lines.lock() else { return };
        let line = lines.entry(name.to_owned()).or_insert_with(|| {
            let line = self.all.add(ProgressBar::new_spinner().with_style(self.style.clone()));
            line.set_prefix(name.to_owned());
            line.enable_steady_tick(Duration::from_millis(100));
            line
        });
        line.set_message(message);
    }

    /// Takes the line of a name away.
    fn clear(&self, name: &str) {
        let Ok(mut lines) = self.lines.lock() else { return };
        if let Some(line) = lines.remove(name) {
            line.finish_and_clear();
        }
    }

    fn print(&self, event: &Event<'_>) {
        if let Some(line) = plain::line(event) {
            // There is nowhere to tell that stderr is closed.
            let _ = self.all.println(line);
        }
    }
}

fn name(step: &Step) -> &'static str {
    step.component.map_or("project", crate::component::Component::name)
}

impl Reporter for Bars {
    fn on(&self, event: &Event<'_>) {
        match event {
            Event::Started(step) => {
                self.set(name(step), format!("{} {} ({})", step.action.verb(), step.subject, step.cause));
            }
            Event::Done(step, _) | Event::Failed(step) => {
                self.clear(name(step));
                self.print(event);
            }
            Event::Note(_) | Event::Warning(_) => self.print(event),
            Event::Pulling { image, current, total } => {
                self.set(image, format!("pull {} of {}", megabytes(*current), megabytes(*total)));
            }
            Event::Waiting { component, elapsed, last } => {
                self.set(component.name(), format!("waiting {}: {last}", human(*elapsed)));
            }
            Event::Countdown { name, phase, left } => self.set(name, countdown(phase, *left)),
            Event::End => {
                if let Ok(lines) = self.lines.lock() {
                    lines.values().for_each(ProgressBar::finish_and_clear);
                }
            }
        }
    }
}
