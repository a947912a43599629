//! What agents dial: feature codes, colleagues, numbers outside.

use crate::dice::Dice;
use std::time::Duration;

/// What is dialled, when it is hung up, and keys meanwhile.
pub struct Dialled {
    pub number: &'static str,
    pub keys: Vec<(Duration, char)>,
    pub hangs_up: Duration,
}

impl Dialled {
    pub fn drawn(dice: &mut Dice) -> Dialled {
        let monitors = dice.one_of(["*17101", "*17102", "*17103", "*17106", "*17201", "*17202"]);
        let number = match dice.below(100) {
            0..22 => "*14",
            22..32 => "*11",
            32..36 => "*13",
            36..42 => "*131",
            42..45 => "*13nap",
            45..51 => "*15",
            51..59 => "*16sold",
            59..62 => "*12",
            62..76 => monitors,
            76..84 => dice.one_of(["101", "102", "103", "104", "201", "202"]),
            84..95 => dice.one_of(["5557001", "5557002", "5557003"]),
            95..97 => "911",
            _ => "77",
        };
        let mut at = dice.millis(1_000, 6_000);
        let mut keys = Vec::new();
        if number.starts_with("*17") {
            for _ in 0..dice.below(4) {
                keys.push((at, dice.one_of(['4', '5', '6', '7'])));
                at += dice.millis(500, 6_000);
            }
        }
        let hangs_up = if dice.percent(25) { dice.millis(10, 3_000) } else { dice.seconds(2, 40) };
        Dialled { number, keys, hangs_up }
    }

    /// Between two of one phone's calls.
    pub fn lull(dice: &mut Dice) -> Duration {
        dice.seconds(4, 70)
    }
}
