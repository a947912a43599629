//! Datagrams: lost, late, doubled, out of order.

use crate::dice::Dice;
use std::time::Duration;

/// How bad the network is today.
pub struct Network {
    /// Percent.
    loss: u64,
    doubled: u64,
    /// Arrives after its sender retransmitted it.
    very_late: u64,
}

impl Network {
    pub fn new(dice: &mut Dice) -> Self {
        let loss = [0, 0, 1, 5, 15][dice.below(5) as usize];
        Network { loss, doubled: dice.below(4), very_late: dice.below(3) }
    }

    /// After how long each copy arrives; the jitter reorders.
    pub fn carry(&self, dice: &mut Dice) -> Vec<Duration> {
        if dice.percent(self.loss) {
            return Vec::new();
        }
        let copies = if dice.percent(self.doubled) { 2 } else { 1 };
        let late = dice.percent(self.very_late);
        (0..copies).map(|_| if late { dice.millis(400, 3_000) } else { dice.millis(1, 40) }).collect()
    }
}
