//! Whatever is written is read back the same.

use super::*;
use crate::ledger::Family;
use std::collections::BTreeMap;

/// Numbers that look random, the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn value(&mut self) -> String {
        const PARTS: [&str; 14] = ["a", "\"", "\\", "\n", "/", "🎉", "é", " ", "=", "{", "}", ",", "#", "\u{1}\t\r"];
        let longest = if self.roll(20) == 0 { 10_000 } else { 12 };
        let length = 1 + self.roll(longest);
        (0..length).map(|_| PARTS[self.roll(PARTS.len())]).collect()
    }

    fn number(&mut self) -> f64 {
        let numbers = [0.0, 1.0, 0.1, 1e-300, 1e300, 1.0 / 3.0, 9_007_199_254_740_993.0, 12_345.678];
        numbers[self.roll(numbers.len())]
    }
}

#[test]
fn any_state_survives_its_own_text() {
    for seed in 0..200 {
        let mut dice = Dice(seed);
        let mut state = State::new(&dice.value());
        for number in 0..dice.roll(6) {
            let kind = [MetricType::Counter, MetricType::Gauge, MetricType::Histogram][dice.roll(3)];
            let (name, help) = (format!("metric_{number}"), format!("Help {}", dice.value().trim_end()));
            state.declare(&name, kind, &help, &[0.5, 1e3]).unwrap();
            for _ in 0..=dice.roll(4) {
                let (one, other, number) = (dice.value(), dice.value(), dice.number());
                let labels = [("one", one.as_str()), ("other", other.as_str())];
                match kind {
                    MetricType::Counter => state.inc(&name, &labels, number).unwrap(),
                    MetricType::Gauge => state.set(&name, &labels, -number).unwrap(),
                    MetricType::Histogram => state.observe(&name, &labels, number).unwrap(),
                }
            }
        }
        if state.families.is_empty() {
            continue;
        }
        let written = text(&state);
        let mut batch = Batch::read(&written, |_| None).unwrap();
        assert_eq!(batch.script().unwrap().as_ref(), Some(&state.script), "seed {seed}");
        let mut read = State::new(&state.script);
        let definitions = batch.definitions(|_| None).unwrap();
        batch.apply(&definitions, &mut read).unwrap();
        assert_eq!(sorted(&read), sorted(&state), "seed {seed}");
    }
}

/// The order of series means nothing.
fn sorted(state: &State) -> BTreeMap<String, Family> {
    let mut families = state.families.clone();
    for family in families.values_mut() {
        family.series.sort_by(|one, other| one.labels.cmp(&other.labels));
    }
    families
}
