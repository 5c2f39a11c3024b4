//! The chance that evaluations run on: the same throws on every machine.

use crate::diffusion::{Noise, NoiseStream};

/// What a row of throws is for; each has throws of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Pictures to draw.
    Draw,
    /// Holes to fill.
    Fill,
    /// Edits of the kind with this number.
    Edit(u32),
    /// Questions of the kind with this number.
    Question(u32),
}

impl Purpose {
    const fn stage(self) -> u32 {
        match self {
            Self::Draw => 0,
            Self::Fill => 1,
            Self::Edit(kind) => 0x100 + kind,
            Self::Question(kind) => 0x200 + kind,
        }
    }
}

/// A row of throws that follows from a seed, a purpose and a number alone.
///
/// Case 7 is therefore the same whether 8 cases are asked for or 800, and whatever other kinds are
/// evaluated beside it.
#[derive(Clone, Debug)]
pub struct Dice {
    noise: Noise,
    stage: u32,
    case: u32,
    thrown: u32,
}

impl Dice {
    /// The throws for one case.
    #[must_use]
    pub const fn new(seed: u64, purpose: Purpose, case: u32) -> Self {
        Self { noise: Noise::new(seed), stage: purpose.stage(), case, thrown: 0 }
    }

    /// A number between 0 and 1, both excluded.
    pub fn unit(&mut self) -> f64 {
        let stream = NoiseStream::step(self.stage, self.thrown);
        self.thrown = self.thrown.wrapping_add(1);
        self.noise.uniform(stream, self.case)
    }

    /// Whether something happens that does so with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A number between two others.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A number up to `most` away from 0, to either side.
    pub fn around(&mut self, most: f64) -> f64 {
        self.between(-most, most)
    }

    /// A whole number below `limit`; 0 where that is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        ((self.unit() * limit as f64) as usize).min(limit.saturating_sub(1))
    }

    /// One of the list; `None` where it is empty.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.below(list.len()))
    }

    /// One of a few things that were made for this throw; `None` where there are none.
    pub fn one_of<T, const N: usize>(&mut self, list: [T; N]) -> Option<T> {
        list.into_iter().nth(self.below(N))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throws_depend_on_seed_purpose_and_case_alone() {
        let row = |seed, purpose, case| {
            let mut dice = Dice::new(seed, purpose, case);
            std::array::from_fn::<usize, 4, _>(|_| dice.below(1000))
        };
        let first = row(1, Purpose::Draw, 0);
        assert_eq!(first, row(1, Purpose::Draw, 0));
        for other in [row(2, Purpose::Draw, 0), row(1, Purpose::Fill, 0), row(1, Purpose::Draw, 1)]
        {
            assert_ne!(first, other);
        }
        // The numbers themselves are part of the promise: another generator gives other scenes.
        assert_eq!(first, [27, 903, 538, 731]);
    }

    #[test]
    fn every_entry_of_a_list_is_picked_about_equally_often() {
        let mut dice = Dice::new(3, Purpose::Edit(1), 9);
        let mut counts = [0; 5];
        for _ in 0..1000 {
            counts[*dice.pick(&[0, 1, 2, 3, 4]).unwrap()] += 1;
        }
        assert!(counts.iter().all(|count| (150..250).contains(count)), "{counts:?}");
        assert_eq!(dice.pick::<u8>(&[]), None);
    }
}
