//! Seeded chances in the words of the scripts.
//!
//! Every act throws dice of its own, made of the day's seed and the act's name. So a day in which some acts are left out
//! is otherwise the same day, as far as the others let it be.

use crate::script::ActId;
use base::Random;
use std::time::Duration;

pub struct Dice(Random);

/// Spreads neighbouring numbers over all of 64 bits (splitmix64's finisher, by Vigna).
fn spread(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

impl Dice {
    pub fn new(seed: u64) -> Self {
        Dice(Random::from_seed(seed))
    }

    /// Those of one act of the day.
    pub fn of(seed: u64, act: ActId) -> Self {
        Dice::named(seed, act.number())
    }

    /// Those of anything else that has a number.
    pub fn named(seed: u64, number: u64) -> Self {
        Dice::new(spread(seed ^ spread(number.wrapping_add(0x9e37_79b9_7f4a_7c15))))
    }

    pub fn percent(&mut self, chance: u64) -> bool {
        self.0.below(100) < chance
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.0.below(bound)
    }

    /// Uniform, to the microsecond.
    pub fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_micros(from * 1_000 + self.0.below((to - from) * 1_000 + 1))
    }

    pub fn seconds(&mut self, from: u64, to: u64) -> Duration {
        self.millis(from * 1_000, to * 1_000)
    }

    pub fn pick<T: Copy>(&mut self, among: &[T]) -> Option<T> {
        among.get(self.0.below(among.len() as u64) as usize).copied()
    }

    /// One of these, of which there is at least one.
    pub fn one_of<T: Copy, const N: usize>(&mut self, among: [T; N]) -> T {
        const { assert!(N > 0) };
        among[self.0.below(N as u64) as usize]
    }

    pub fn token(&mut self) -> String {
        self.0.token()
    }

    pub fn entropy(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes.chunks_exact_mut(8).for_each(|chunk| chunk.copy_from_slice(&self.0.bits().to_le_bytes()));
        bytes
    }
}
