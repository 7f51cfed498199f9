//! Once, until nothing fails, or again and again.

use std::time::{Duration, Instant};

use super::{Target, known, rendered};
use crate::cli;
use crate::commands::Context;
use crate::error::{Code, Error, Result};
use crate::ui::{Event, Format, human};
use crate::verify::report::Verdict;
use crate::verify::{self, Outcome, Refused, Selection, canary, catalog, names};

/// The pause between two rounds of `--wait`.
const AGAIN: Duration = Duration::from_secs(1);
/// The pause between two rounds of `--watch`.
const EVERY: Duration = Duration::from_secs(5);

/// One `verify`: what is looked at, and how.
pub(super) struct Job<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) target: &'a Target,
    pub(super) selection: &'a Selection,
    pub(super) flags: &'a cli::Verify,
    /// What every look remembers for the next.
    pub(super) refused: Refused,
}

impl Job<'_> {
    /// What the flags ask for; with `--watch` the last of all rounds.
    pub(super) async fn run(&self) -> Result<Verdict> {
        if self.flags.watch {
            return self.watch().await;
        }
        let begun = Instant::now();
        let mut verdict = match &self.flags.wait {
            Some(limit) => self.until(begun + limit.as_duration()).await?,
            None => self.once().await?,
        };
        if self.flags.deep {
            self.deepen(&mut verdict).await?;
        }
        verdict.took = begun.elapsed();
        Ok(verdict)
    }

    /// The checks that were asked for by name. Those of the canary are made after all others.
    fn asked(&self) -> Vec<String> {
        let is_hop = |word: &&String| canary::checks().iter().any(|check| names(word, &check.id));
        self.selection.only.iter().filter(|word| !is_hop(word)).cloned().collect()
    }

    async fn once(&self) -> Result<Verdict> {
        let begun = Instant::now();
        let world = self.target.world(self.context, self.flags.timeout.as_duration(), &self.refused).await?;
        let catalog = catalog(&world);
        known(self.selection, &catalog, self.flags.deep)?;
        let checked = verify::run(&catalog, &world, self.selection).await;
        Ok(Verdict { checked, asked: self.asked(), canary: None, took: begun.elapsed() })
    }

    /// Sends a canary behind the checks that were made.
    async fn deepen(&self, verdict: &mut Verdict) -> Result<()> {
        let world = self.target.world(self.context, self.flags.timeout.as_duration(), &self.refused).await?;
        let tell = |hop: &canary::Hop| {
            let outcome = hop.finding.outcome.as_str();
            self.context.ui.event(&Event::Note(&format!("canary {:<9} {outcome} {:>7}", hop.name, human(hop.took))));
        };
        let sent = canary::send(&world, &verdict.checked, &self.context.stop.token, tell).await?;
        verdict.checked.extend(sent.checked().filter(|check| self.selection.wants(&check.id)));
        verdict.canary = Some(sent);
        Ok(())
    }

    /// Looks again until nothing fails or the time is over.
    async fn until(&self, deadline: Instant) -> Result<Verdict> {
        let stop = &self.context.stop;
        let mut told = Vec::new();
        loop {
            let verdict = self.once().await?;
            let left = deadline.saturating_duration_since(Instant::now());
            let failure = verdict.failure(self.flags.strict).filter(|_| !left.is_zero() && !stop.asked());
            let Some(failure) = failure else { return Ok(verdict) };
            // A log wants to know what is waited for, not every second of it.
            let broken = outcomes(&verdict, Outcome::holds);
            if broken != told {
                let first = failure.causes.first().map_or("", String::as_str);
                let left = human(left);
                self.context.ui.event(&Event::Note(&format!("{}; waiting at most {left}: {first}", failure.message)));
                told = broken;
            }
            tokio::select! {
                () = tokio::time::sleep(AGAIN.min(left)) => {}
                () = stop.token.cancelled() => return Ok(verdict),
            }
        }
    }

    /// Looks again and again: draws anew on a terminal, writes what changed elsewhere. Ending it is what Ctrl-C is for.
    async fn watch(&self) -> Result<Verdict> {
        let (ui, stop) = (self.context.ui, &self.context.stop);
        if ui.format() != Format::Text {
            return Err(Error::new(Code::Usage, "`verify --watch` has no end, so it cannot be one document")
                .hint("leave out `--watch`, or `--output`"));
        }
        let mut last: Option<Verdict> = None;
        loop {
            let verdict = tokio::select! {
                verdict = self.once() => verdict?,
                () = stop.token.cancelled() => break,
            };
            let redraw = ui.can_redraw();
            let all = |verdict: &Verdict| outcomes(verdict, |_| false);
            if redraw || last.as_ref().map(all) != Some(all(&verdict)) {
                let now = jiff::Timestamp::now().strftime("%H:%M:%S UTC");
                let clear = if redraw { "\u{1b}[H\u{1b}[2J" } else { "" };
                if !ui.stream(&format!("{clear}--- {now}\n{}", rendered(self.context, self.flags, &verdict))) {
                    return Ok(verdict);
                }
            }
            last = Some(verdict);
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = stop.token.cancelled() => break,
            }
        }
        last.ok_or_else(|| stop.error_of_look("`verify`"))
    }
}

/// The checks and their outcomes, without those whose outcome is dull.
fn outcomes(verdict: &Verdict, is_dull: impl Fn(Outcome) -> bool) -> Vec<(String, Outcome)> {
    let all = verdict.checked.iter().filter(|check| !is_dull(check.finding.outcome));
    all.map(|check| (check.id.clone(), check.finding.outcome)).collect()
}
