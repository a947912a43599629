//! Seeded chances in the words of the scripts.

use base::Random;
use std::time::Duration;

pub struct Dice(Random);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Dice(Random::from_seed(seed))
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

    pub fn pick<'a, T>(&mut self, among: &'a [T]) -> Option<&'a T> {
        among.get(self.0.below(among.len() as u64) as usize)
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
