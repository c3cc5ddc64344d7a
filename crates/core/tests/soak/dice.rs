//! Chance from a seed: the same seed rolls the same.

use std::time::Duration;

/// Dice, by splitmix64.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Those of a seed and of what they are rolled for.
    pub(crate) fn new(seed: u64, salt: u64) -> Self {
        let mut dice = Self(seed ^ salt.wrapping_mul(0xD6E8_FEB8_6659_FD93));
        dice.roll();
        dice
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// One of the numbers from `least` to `most`.
    pub(crate) fn within(&mut self, least: u64, most: u64) -> u64 {
        least + self.roll() % (most - least + 1)
    }

    /// The same, as a count.
    pub(crate) fn count(&mut self, least: usize, most: usize) -> usize {
        self.within(least as u64, most as u64) as usize
    }

    /// So many seconds.
    pub(crate) fn seconds(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_secs(self.within(least, most))
    }

    /// True in so many of a hundred.
    pub(crate) fn percent(&mut self, chance: u64) -> bool {
        self.within(1, 100) <= chance
    }

    /// One of these.
    pub(crate) fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.count(0, of.len() - 1)].clone()
    }
}
