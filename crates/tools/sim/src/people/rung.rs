//! What an agent does about a call that rings.

use crate::dice::Dice;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    Ring,
    Answer,
    Refuse(u16),
    Hold(bool),
    Refresh,
    HangUp,
    Key(char),
    /// REFER to a user of the centre's.
    PassOn(&'static str),
    /// A second call, to speak about the first.
    Consult(&'static str),
    /// REFER with Replaces: the two calls are joined.
    Join,
    /// The second call is hung up.
    Return,
}

impl Plan {
    pub fn words(self) -> String {
        match self {
            Plan::Ring => "rings".into(),
            Plan::Answer => "answers".into(),
            Plan::Refuse(status) => format!("refuses with {status}"),
            Plan::Hold(true) => "holds".into(),
            Plan::Hold(false) => "resumes".into(),
            Plan::Refresh => "offers again".into(),
            Plan::HangUp => "hangs up".into(),
            Plan::Key(key) => format!("presses {key}"),
            Plan::PassOn(to) => format!("passes the call on to {to}"),
            Plan::Consult(to) => format!("consults {to}"),
            Plan::Join => "joins whom it consults and the caller".into(),
            Plan::Return => "hangs up on whom it consults".into(),
        }
    }
}

/// Extensions, numbers outside, queues and nobody.
const PARTIES: [&str; 10] = ["101", "102", "103", "104", "105", "201", "202", "5557001", "5557002", "77"];
const TARGETS: [&str; 12] =
    ["101", "102", "103", "104", "201", "203", "5557001", "5557003", "soporte", "billing", "vip", "nowhere"];

pub fn plans(dice: &mut Dice, accepts_by_key: bool) -> Vec<(Duration, Plan)> {
    let pause = dice.millis(20, 900);
    let ring = (pause, Plan::Ring);
    match dice.below(100) {
        0..66 => {
            let answer = pause + dice.millis(50, 7_000);
            let mut plans = vec![ring, (answer, Plan::Answer)];
            if accepts_by_key && dice.percent(85) {
                plans.push((answer + dice.millis(300, 4_000), Plan::Key('1')));
            }
            talks(&mut plans, answer + dice.millis(500, 4_000), dice);
            plans
        }
        66..74 => {
            let mut plans = vec![(pause, Plan::Answer)];
            talks(&mut plans, pause + dice.millis(0, 3_000), dice);
            plans
        }
        74..82 => vec![ring],
        82..87 => vec![(pause, Plan::Refuse(486))],
        87..91 => vec![ring, (pause + dice.seconds(1, 4), Plan::Refuse(603))],
        91..94 => vec![(pause, Plan::Refuse(302))],
        94..97 => vec![(pause, Plan::Refuse(503))],
        _ => Vec::new(),
    }
}

fn talks(plans: &mut Vec<(Duration, Plan)>, since: Duration, dice: &mut Dice) {
    let mut at = since;
    let mut then = |plan: Plan, dice: &mut Dice, from: u64, to: u64| {
        at += dice.millis(from, to);
        plans.push((at, plan));
    };
    match dice.below(100) {
        0..14 => {
            then(Plan::Hold(true), dice, 500, 9_000);
            then(Plan::Hold(false), dice, 500, 9_000);
        }
        14..28 => {
            if let Some(to) = dice.pick(&TARGETS) {
                then(Plan::PassOn(to), dice, 500, 8_000);
            }
        }
        28..46 => {
            if dice.percent(60) {
                then(Plan::Hold(true), dice, 300, 4_000);
            }
            if let Some(to) = dice.pick(&PARTIES) {
                then(Plan::Consult(to), dice, 100, 3_000);
            }
            match dice.below(10) {
                0..5 => then(Plan::Join, dice, 200, 9_000),
                5..8 => {
                    then(Plan::Return, dice, 500, 9_000);
                    then(Plan::Hold(false), dice, 100, 2_000);
                }
                _ => {}
            }
        }
        46..58 => {
            for _ in 0..dice.below(3) + 1 {
                let key = dice.one_of(['4', '5', '6', '7', '1']);
                then(Plan::Key(key), dice, 300, 5_000);
            }
        }
        58..61 => then(Plan::Refresh, dice, 300, 8_000),
        _ => {}
    }
    if dice.percent(78) {
        then(Plan::HangUp, dice, 300, 30_000);
    }
}
