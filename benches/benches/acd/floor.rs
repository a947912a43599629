//! What memory costs here: one access that has to wait for the one before, anywhere in so many bytes.

use crate::world::Dice;
use std::hint::black_box;
use std::time::Instant;

const STEPS: usize = 400_000;

/// Nanoseconds of one access.
pub struct Floor {
    /// In what the large case keeps for each agent and call.
    pub large: f64,
}

pub fn table() -> Floor {
    println!("One dependent access at random, in ns");
    let sizes = [32 << 10, 512 << 10, 8 << 20, 64 << 20].map(|bytes: usize| {
        let took = chase(bytes);
        println!("{:>8} KiB {took:>8.1}", bytes >> 10);
        took
    });
    println!();
    Floor { large: sizes[3] }
}

/// Through all lines of the cache that so many bytes have, in one circle.
fn chase(bytes: usize) -> f64 {
    let lines = bytes / 64;
    let mut order: Vec<u32> = (1..lines as u32).collect();
    let mut dice = Dice::new(3);
    (1..order.len()).for_each(|n| order.swap(n, dice.below(n as u64 + 1) as usize));
    let mut next = vec![[0u32; 16]; lines];
    let mut at = 0;
    for to in order {
        next[at][0] = to;
        at = to as usize;
    }
    let mut walk = |steps: usize| (0..steps).for_each(|_| at = next[at][0] as usize);
    walk(lines.min(STEPS));
    let mut timed = || {
        let from = Instant::now();
        walk(STEPS);
        from.elapsed().as_nanos() as f64 / STEPS as f64
    };
    // The least disturbed of some.
    let took = (0..5).map(|_| timed()).fold(f64::MAX, f64::min);
    black_box(at);
    took
}
