//! People outside whom the centre calls: customers to be called back, numbers that calls are passed on to.

use super::Mood;
use crate::dice::Dice;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    Ring { early: bool },
    Answer,
    Refuse(u16),
    HangUp,
}

impl Plan {
    pub fn words(self) -> String {
        match self {
            Plan::Ring { early: false } => "rings".into(),
            Plan::Ring { early: true } => "rings, with an announcement".into(),
            Plan::Answer => "answers".into(),
            Plan::Refuse(status) => format!("refuses with {status}"),
            Plan::HangUp => "hangs up".into(),
        }
    }
}

/// What becomes of a call to somebody outside.
pub fn plans(dice: &mut Dice, mood: Mood) -> Vec<(Duration, Plan)> {
    if mood == Mood::Callbacks && dice.percent(70) {
        return not_there(dice);
    }
    let pause = dice.millis(20, 1_500);
    let ring = (pause, Plan::Ring { early: dice.percent(25) });
    match dice.below(100) {
        0..58 => {
            let answer = pause + dice.millis(50, 9_000);
            let mut plans = vec![ring, (answer, Plan::Answer)];
            if dice.percent(80) {
                plans.push((answer + dice.millis(100, 50_000), Plan::HangUp));
            }
            plans
        }
        58..70 => vec![ring, (pause + dice.millis(0, 4_000), Plan::Refuse(486))],
        70..82 => vec![ring],
        82..86 => vec![(pause, Plan::Refuse(404))],
        86..90 => vec![(pause, Plan::Refuse(503))],
        90..94 => vec![ring, (pause + dice.seconds(1, 3), Plan::Refuse(302))],
        94..96 => vec![ring, (pause + dice.seconds(1, 3), Plan::Refuse(603))],
        _ => Vec::new(),
    }
}

/// Busy, away, switched off, or gone again at once.
fn not_there(dice: &mut Dice) -> Vec<(Duration, Plan)> {
    let pause = dice.millis(20, 400);
    let ring = (pause, Plan::Ring { early: dice.percent(25) });
    match dice.below(10) {
        0..5 => vec![(pause, Plan::Refuse(dice.one_of([486, 480, 404, 600])))],
        5..7 => vec![ring],
        7..9 => {
            let answer = pause + dice.millis(50, 2_000);
            vec![ring, (answer, Plan::Answer), (answer + dice.millis(0, 1_500), Plan::HangUp)]
        }
        _ => Vec::new(),
    }
}
