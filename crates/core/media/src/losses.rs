//! Which numbers of a stream never came, and how many in a row.
//!
//! ```text
//!   ahead: a newer number          settled (lost or not, for good)
//!        │                               ▲
//!        ▼   ┌───────────────────────────┴┐
//!            │ the last 128 numbers, 1 bit │ ◀── behind: a late one fills its place, or is a duplicate
//!            └────────────────────────────┘
//! ```
//! A burst is a run of losses with nothing received between (ITU-T G.107 clause 7.5), so a loss counts only when it can
//! no longer be filled: a packet that is merely late splits no burst and makes none.

const WINDOW: u32 = u128::BITS;

/// What was counted for good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub lost: u64,
    pub bursts: u64,
    pub longest: u64,
    pub late: u64,
    pub duplicates: u64,
}

#[derive(Clone, Copy, Debug)]
pub struct Losses {
    /// Bit 0 is the newest number; set: it came.
    window: u128,
    /// How many of the bits stand for numbers of the stream.
    known: u32,
    /// Losses in a row up to the last number that is settled.
    run: u64,
    tally: Tally,
}

impl Losses {
    /// A stream whose first number has just come.
    pub fn new() -> Self {
        Losses { window: 1, known: 1, run: 0, tally: Tally::default() }
    }

    /// A number came that is this much above the newest so far, at least 1.
    pub fn ahead(&mut self, step: u32) {
        for _ in 0..step.min(WINDOW) {
            self.shift();
        }
        self.lose(u64::from(step.saturating_sub(WINDOW)));
        self.window |= 1;
    }

    /// A number came that is this much below the newest, or the newest itself. One from before the stream counts nowhere. True
    /// if it came before.
    pub fn behind(&mut self, back: u32) -> bool {
        if back >= self.known {
            return false;
        }
        let place = 1 << back;
        let again = self.window & place != 0;
        self.window |= place;
        self.tally.duplicates += u64::from(again);
        self.tally.late += u64::from(!again);
        again
    }

    /// All so far, as if what has not come will not.
    pub fn tally(&self) -> Tally {
        let mut all = *self;
        for bit in (0..self.known).rev() {
            all.settle(self.window >> bit & 1 == 1);
        }
        all.tally
    }

    fn shift(&mut self) {
        if self.known == WINDOW {
            self.settle(self.window >> (WINDOW - 1) == 1);
        } else {
            self.known += 1;
        }
        self.window <<= 1;
    }

    fn settle(&mut self, came: bool) {
        if came { self.run = 0 } else { self.lose(1) }
    }

    fn lose(&mut self, numbers: u64) {
        self.tally.bursts += u64::from(self.run == 0 && numbers > 0);
        self.run += numbers;
        self.tally.lost += numbers;
        self.tally.longest = self.tally.longest.max(self.run);
    }
}

impl Tally {
    /// With what another stream of the same peer counted.
    pub fn and(self, other: Tally) -> Tally {
        Tally {
            lost: self.lost + other.lost,
            bursts: self.bursts + other.bursts,
            longest: self.longest.max(other.longest),
            late: self.late + other.late,
            duplicates: self.duplicates + other.duplicates,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Hands over numbers in this order, the first of them first; steps are at most 3,000.
    fn heard(order: &[i64]) -> Tally {
        let mut losses = Losses::new();
        let mut top = order[0];
        for number in &order[1..] {
            match u32::try_from(number - top) {
                Ok(step @ 1..) => {
                    losses.ahead(step);
                    top = *number;
                }
                _ => drop(losses.behind((top - number) as u32)),
            }
        }
        losses.tally()
    }

    #[test]
    fn bursts_are_runs_of_what_never_came() {
        let even = heard(&[1, 2, 3, 4]);
        assert_eq!(even, Tally::default());
        let bursts = heard(&[1, 2, 5, 6, 10, 12]);
        assert_eq!((bursts.lost, bursts.bursts, bursts.longest), (6, 3, 3));
        let long = heard(&[1, 2_001]);
        assert_eq!((long.lost, long.bursts, long.longest), (1_999, 1, 1_999));
    }

    #[test]
    fn a_late_packet_is_no_loss_and_a_second_one_is_a_duplicate() {
        let late = heard(&[1, 2, 5, 4, 3, 6, 6, 2, 4]);
        assert_eq!(late, Tally { late: 2, duplicates: 3, ..Tally::default() });
        let filled = heard(&[1, 6, 4]);
        assert_eq!((filled.lost, filled.bursts, filled.longest), (3, 2, 2), "3 of 4, in two runs");
        assert_eq!(heard(&[10, 9, 8]), Tally::default(), "from before the stream");
    }

    proptest! {
        #[test]
        fn it_counts_as_one_who_saw_all_numbers(came in proptest::collection::vec(any::<bool>(), 1..600), swaps in any::<[u8; 16]>()) {
            let mut order: Vec<i64> = (0..=came.len() as i64).filter(|n| *n == 0 || came[*n as usize - 1]).collect();
            for at in swaps {
                let at = 1 + usize::from(at);
                if at + 1 < order.len() {
                    order.swap(at, at + 1);
                }
            }
            let top = *order.iter().max().unwrap();
            let runs: Vec<usize> = came[..top as usize].split(|c| *c).map(<[bool]>::len).filter(|n| *n > 0).collect();
            let tally = heard(&order);
            prop_assert_eq!(tally.lost, runs.iter().sum::<usize>() as u64);
            prop_assert_eq!((tally.bursts, tally.longest), (runs.len() as u64, runs.iter().copied().max().unwrap_or(0) as u64));
        }
    }
}
