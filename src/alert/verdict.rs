//! What counts and log say together of the integrations of one kind.

use super::Outcome;
use super::log::Word;
use crate::http::alertmanager::Calls;

/// What is known of the integrations of a kind that a receiver has, since the test began.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen<'a> {
    /// How many there are.
    pub(super) count: usize,
    /// What Alertmanager counts.
    pub(super) calls: Calls,
    /// Notifications that failed for good, by its counts, and why in its words, such as `clientError`.
    pub(super) given_up: Option<(f64, String)>,
    /// What its log says, by the number of the integration; `None` where there is no log.
    pub(super) words: Option<Vec<(usize, &'a Word)>>,
    /// Whether nothing more is waited for.
    pub(super) is_over: bool,
}

/// The number of the integration among those of its kind, its outcome, and what went wrong; one without a number is for
/// all of the kind together.
pub(super) type Verdict = (Option<usize>, Outcome, Option<String>);

impl Seen<'_> {
    /// The outcome of each; `None`: it is too early to say.
    pub(super) fn verdicts(&self) -> Option<Vec<Verdict>> {
        let word = |index: usize| self.words.iter().flatten().find(|(of, _)| *of == index).map(|(_, word)| *word);
        let failed: Vec<usize> = (0..self.count).filter(|at| matches!(word(*at), Some(Word::GivenUp(_)))).collect();
        let trying: Vec<usize> = (0..self.count).filter(|at| matches!(word(*at), Some(Word::Tried(_)))).collect();
        let (count, delivered) = (as_number(self.count), self.calls.successful());
        let lost = self.given_up.as_ref().map_or(0.0, |(lost, _)| *lost);
        // Somebody else's notification may be among the counted: not before all have ended is it clear that ours has.
        let all_ended = self.calls.begun <= delivered + lost;
        let rest = count - as_number(failed.len() + trying.len());
        if delivered >= rest && trying.is_empty() && self.calls.begun >= count && (all_ended || self.is_over) {
            return Some((0..self.count).map(|at| self.verdict(at, word(at), Outcome::Delivered)).collect());
        }
        // The counts know of a failure first; its words follow in the log.
        let is_lost = all_ended && self.calls.begun >= count && self.words.is_none();
        if !self.is_over && !is_lost {
            return None;
        }
        if self.words.is_some() && (delivered >= rest || self.count == 1) {
            let others = if delivered >= rest { Outcome::Delivered } else { missing(lost) };
            return Some((0..self.count).map(|at| self.verdict(at, word(at), others)).collect());
        }
        let reason = self.given_up.as_ref().map(|(_, reason)| reason.clone());
        let parts = (self.count > 1).then(|| format!("{delivered} of {count} were delivered"));
        let error = [parts, reason].into_iter().flatten().collect::<Vec<_>>().join(": ");
        Some(vec![((self.count == 1).then_some(0), missing(lost), Some(error).filter(|text| !text.is_empty()))])
    }

    fn verdict(&self, at: usize, word: Option<&Word>, otherwise: Outcome) -> Verdict {
        let (outcome, error) = match word {
            Some(Word::GivenUp(error)) => (Outcome::Failed, Some(error.clone())),
            Some(Word::Tried(error)) => (Outcome::Late, Some(error.clone())),
            Some(Word::Succeeded) => (Outcome::Delivered, None),
            None if otherwise == Outcome::Failed => (otherwise, self.given_up.as_ref().map(|(_, why)| why.clone())),
            None => (otherwise, None),
        };
        (Some(at), outcome, error)
    }
}

/// What it is called that no delivery was seen.
fn missing(lost: f64) -> Outcome {
    if lost > 0.0 { Outcome::Failed } else { Outcome::Late }
}

#[expect(clippy::cast_precision_loss, reason = "nobody has that many integrations")]
fn as_number(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(begun: f64, all: f64, failed: f64) -> Calls {
        Calls { begun, all, failed }
    }

    #[test]
    fn one_integration_is_delivered_failed_or_late() {
        let quiet = Seen { count: 1, words: Some(Vec::new()), ..Seen::default() };
        assert_eq!(quiet.verdicts(), None);
        let delivered = Seen { calls: calls(1.0, 1.0, 0.0), ..quiet.clone() };
        assert_eq!(delivered.verdicts(), Some(vec![(Some(0), Outcome::Delivered, None)]));
        let late = Seen { calls: calls(1.0, 0.0, 0.0), is_over: true, ..quiet.clone() };
        assert_eq!(late.verdicts(), Some(vec![(Some(0), Outcome::Late, None)]));
        let tried = Word::Tried("500".to_owned());
        let trying = Seen { calls: calls(1.0, 3.0, 3.0), words: Some(vec![(0, &tried)]), ..quiet.clone() };
        assert_eq!(trying.verdicts(), None);
        let over = Seen { is_over: true, ..trying };
        assert_eq!(over.verdicts(), Some(vec![(Some(0), Outcome::Late, Some("500".to_owned()))]));
        let given_up = Word::GivenUp("404".to_owned());
        let lost = Some((1.0, "clientError".to_owned()));
        let failed = Seen { calls: calls(1.0, 1.0, 1.0), given_up: lost, words: Some(vec![(0, &given_up)]), ..quiet };
        assert_eq!(failed.verdicts(), Some(vec![(Some(0), Outcome::Failed, Some("404".to_owned()))]));
    }

    #[test]
    fn the_words_of_a_failure_are_waited_for_where_there_is_a_log() {
        let lost = Some((1.0, "clientError".to_owned()));
        let silent = Seen { count: 1, calls: calls(1.0, 1.0, 1.0), given_up: lost, ..Seen::default() };
        let failed = Some(vec![(Some(0), Outcome::Failed, Some("clientError".to_owned()))]);
        assert_eq!(silent.verdicts(), failed);
        let with_log = Seen { words: Some(Vec::new()), ..silent };
        assert_eq!(with_log.verdicts(), None);
        assert_eq!(Seen { is_over: true, ..with_log }.verdicts(), failed);
    }

    #[test]
    fn a_delivery_of_somebody_else_is_not_taken_for_ours() {
        let two = Seen { count: 1, calls: calls(2.0, 1.0, 0.0), words: Some(Vec::new()), ..Seen::default() };
        assert_eq!(two.verdicts(), None);
        assert_eq!(Seen { calls: calls(2.0, 2.0, 0.0), ..two }.verdicts().unwrap()[0].1, Outcome::Delivered);
    }

    #[test]
    fn of_several_the_log_says_which_failed() {
        let given_up = Word::GivenUp("500".to_owned());
        let lost = Some((1.0, "serverError".to_owned()));
        let seen = Seen { count: 2, calls: calls(2.0, 8.0, 7.0), given_up: lost, ..Seen::default() };
        let with_log = Seen { words: Some(vec![(1, &given_up)]), ..seen.clone() };
        let each = vec![(Some(0), Outcome::Delivered, None), (Some(1), Outcome::Failed, Some("500".to_owned()))];
        assert_eq!(with_log.verdicts(), Some(each));
        let together = (None, Outcome::Failed, Some("1 of 2 were delivered: serverError".to_owned()));
        assert_eq!(seen.verdicts(), Some(vec![together]));
    }
}
