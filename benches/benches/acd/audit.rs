//! The live audit beside the decisions: what the whole costs at once, and what a beat's share costs on the decision thread
//! in each round.

use crate::hall::{Hall, Rules};
use crate::world::Size;
use acd::{Acd, Sweep};
use std::time::{Duration, Instant};

/// As the engine has it.
const SHARE: usize = 1_000 * Acd::VISIT;

/// Agents and waiting calls: every size has ten times the one before.
const SIZES: [Size; 4] = [
    Size { agents: 100, waiting: 1_000, profiles: 100 },
    Size { agents: 1_000, waiting: 10_000, profiles: 1_000 },
    Size { agents: 10_000, waiting: 100_000, profiles: 1_000 },
    Size { agents: 10_000, waiting: 100_000, profiles: 10_000 },
];

pub fn table() {
    println!("The live audit: the whole at once, and in shares");
    println!("agents waiting profiles    whole ms   beats  median ms   worst ms");
    for size in SIZES {
        let hall = Hall::busy(size, Rules::Plain);
        let from = Instant::now();
        assert_eq!(hall.audit_share(&mut Sweep::default(), usize::MAX), Some(0));
        let whole = from.elapsed();
        let mut shares = round(&hall);
        shares.sort_unstable();
        let (beats, worst) = (shares.len(), shares[shares.len() - 1]);
        let ms = |took: Duration| took.as_secs_f64() * 1e3;
        let Size { agents, waiting, profiles } = size;
        println!(
            "{agents:>6} {waiting:>7} {profiles:>8} {:>11.2} {beats:>7} {:>10.2} {:>10.2}",
            ms(whole),
            ms(shares[beats / 2]),
            ms(worst)
        );
    }
    println!();
}

fn round(hall: &Hall) -> Vec<Duration> {
    let (mut sweep, mut shares) = (Sweep::default(), Vec::new());
    loop {
        let from = Instant::now();
        let over = hall.audit_share(&mut sweep, SHARE);
        shares.push(from.elapsed());
        if over.is_some() {
            return shares;
        }
    }
}
