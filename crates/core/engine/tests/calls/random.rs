//! People who do anything at any moment: the audit looks after each input, and at the end nothing is left.

use crate::line::Line;
use crate::office::{Office, agent_id, to_agent, to_number, to_queue};
use base::Random;
use base::fact::Monitor;
use engine::{Request, Target};

const SEEDS: u64 = 40;
const ACTS: u32 = 80;
const PHONES: [&str; 4] = ["ana", "beto", "eva", "lola"];

#[test]
fn whatever_people_do_each_call_ends_once_and_nobody_is_stuck() {
    let mut seen = [0usize; 6];
    for seed in 0..SEEDS {
        let mut office = Office::open();
        let mut dice = Random::from_seed(seed);
        for _ in 0..ACTS {
            office.plain = dice.below(2) == 0;
            act(&mut office, &mut dice);
        }
        let names = [
            "agent_leg.transferred",
            "agent_leg.conferenced",
            "supervisor.monitor_started",
            "call.forwarded",
            "agent_leg.held",
            "call.rejected",
        ];
        names.iter().zip(&mut seen).for_each(|(name, seen)| *seen += office.count(name));
        office.close();
    }
    // Random people among whom something never happens say nothing about it.
    assert!(seen.iter().all(|count| *count > 3), "{seen:?}");
}

fn pick<'a, T>(dice: &mut Random, from: &'a [T]) -> Option<&'a T> {
    from.get(dice.below(from.len() as u64) as usize)
}

fn act(o: &mut Office, dice: &mut Random) {
    match dice.below(24) {
        0..2 => o.dials("caller", pick(dice, &["100", "100", "100", "101", "999"]).unwrap()),
        2 | 3 => dials(o, dice),
        4..12 => rung(o, dice),
        12..14 => talking(o, dice),
        14..19 => asks(o, dice),
        19 => refers(o, dice),
        20 => keys(o, dice),
        21 => silence(o, dice),
        _ => o.pass(dice.below(12)),
    }
}

fn dials(o: &mut Office, dice: &mut Random) {
    let phone = pick(dice, &PHONES).unwrap();
    let number = pick(dice, &["201", "202", "203", "204", "+525577", "*14", "*15", "*16ok", "*17201", "*17202", "911"]).unwrap();
    o.dials(phone, number);
    if dice.below(6) == 0 && o.last(phone).is_dialling() {
        o.on_line(phone, Line::cancel);
    }
}

/// A line that rings, if there is one: whose it is.
fn rung(o: &mut Office, dice: &mut Random) {
    let ringing: Vec<String> = o.lines.iter().filter(|l| l.ringing && !l.over).map(|l| l.owner.clone()).collect();
    let Some(owner) = pick(dice, &ringing).cloned() else { return };
    if !o.line(&owner).ringing {
        return;
    }
    match dice.below(10) {
        0 => o.refuses(&owner, *pick(dice, &[486, 603, 302, 404, 503]).unwrap()),
        1 => o.on_line(&owner, |line| line.respond(180, None)),
        2 => o.on_line(&owner, Line::early),
        _ => o.answers(&owner),
    }
}

fn talking(o: &mut Office, dice: &mut Random) {
    let up: Vec<String> = o.lines.iter().filter(|l| l.up && !l.over).map(|l| l.owner.clone()).collect();
    let Some(owner) = pick(dice, &up).cloned() else { return };
    match dice.below(4) {
        0 if o.line(&owner).up => o.hangs_up(&owner),
        1 | 2 if o.lines.iter().find(|l| l.owner == owner && !l.over).is_some_and(|l| l.up) => {
            o.holds(&owner, dice.below(2) == 0);
        }
        _ => {}
    }
}

fn target(dice: &mut Random) -> Target {
    match dice.below(8) {
        0 => to_queue("ventas"),
        1 => to_queue("soporte"),
        2 => to_queue("cerrada"),
        3 => to_number("+525588"),
        _ => to_agent(pick(dice, &PHONES).unwrap()),
    }
}

fn asks(o: &mut Office, dice: &mut Random) {
    let calls: Vec<_> = o.centre.snapshot().calls.iter().map(|c| c.call).collect();
    let agent = agent_id(pick(dice, &PHONES).unwrap());
    let supervisor = agent_id("eva");
    let Some(call) = pick(dice, &calls).copied() else { return };
    let mode = *pick(dice, &[Monitor::Listen, Monitor::Whisper, Monitor::Barge]).unwrap();
    let consults = o.centre.snapshot().calls.iter().find(|c| c.third.is_some()).map(|c| c.call);
    if let Some(call) = consults.filter(|_| dice.below(3) == 0) {
        o.asks(Request::Conference { call });
        return;
    }
    let request = match dice.below(16) {
        0..3 => Request::Transfer { call, to: target(dice) },
        3..6 => Request::Consult { call, to: target(dice) },
        6 => Request::CompleteTransfer { call },
        7 => Request::EndConsult { call },
        8 => Request::Conference { call },
        9 | 10 => Request::Monitor { call, supervisor, mode },
        11 => Request::StopMonitor { call, supervisor },
        12 => Request::TakeOver { call, supervisor },
        13 => Request::Dial { agent, to: target(dice) },
        14 => Request::Agent { agent, ask: pick(dice, &[acd::Ask::LogIn, acd::Ask::Ready, acd::Ask::LogOut]).unwrap().clone() },
        _ => Request::HangUp { call },
    };
    o.asks(request);
}

fn refers(o: &mut Office, dice: &mut Random) {
    let phone = pick(dice, &PHONES).unwrap();
    if o.lines.iter().find(|l| l.owner == *phone && !l.over).is_some_and(|l| l.up) {
        o.refers(phone, pick(dice, &["202", "201", "ventas", "cerrada", "+525588", "nadie"]).unwrap(), dice.below(2) == 0);
    }
}

fn keys(o: &mut Office, dice: &mut Random) {
    let legs: Vec<_> = o.plane.legs.keys().copied().collect();
    let key = *pick(dice, &['1', '4', '5', '6', '7']).unwrap();
    if let Some(leg) = pick(dice, &legs).copied() {
        o.feed(engine::Input::Media(media::Input::Digit { leg, key }));
    }
}

fn silence(o: &mut Office, dice: &mut Random) {
    let legs: Vec<_> = o.plane.legs.keys().copied().collect();
    if let Some(leg) = pick(dice, &legs).copied() {
        o.feed(engine::Input::Media(media::Input::Silent { leg, millis: 30_000 }));
    }
}
