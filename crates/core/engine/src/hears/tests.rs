//! The table, row by row.

use super::*;
use crate::call::{Conversation, Own, OwnAct};
use crate::party::{Monitoring, Party, Passing, Reach, Third};
use base::fact::Direction;
use base::{AgentId, ConversationId, Instant, Now, Pii};
use std::sync::Arc;

/// A scene: the legs C, A, S, T, e, L (a supervisor) that have audio, and who of them is on hold (lower case `c`, `a`).
fn call(legs: &str, change: impl FnOnce(&mut Call)) -> Call {
    let id = "1-1-1".parse().unwrap();
    let mut call = Call::new(id, "acme".parse().unwrap(), Direction::Incoming, Now::default());
    for name in legs.chars() {
        let (n, purpose) = purpose(name);
        let leg = LegId { call: id, n };
        let mut state = Leg::new(leg, purpose, "".into(), flow());
        state.up = name != 'e';
        state.audio = Some(audio(!matches!(name, 'c' | 'a')));
        call.legs.insert(leg, state);
    }
    call.customer = legs.contains(['C', 'c']).then_some(LegId { call: id, n: 1 });
    change(&mut call);
    call
}

fn purpose(name: char) -> (u16, Purpose) {
    match name {
        'C' | 'c' => (1, Purpose::Customer),
        'A' | 'a' => (2, Purpose::Agent),
        'S' => (3, Purpose::Second),
        'T' => (4, Purpose::Third),
        'e' => (5, Purpose::Reached(Errand::Consult)),
        'L' => (6, Purpose::Monitor(supervisor())),
        other => panic!("no leg {other}"),
    }
}

fn supervisor() -> AgentId {
    "acme/eva".parse().unwrap()
}

fn flow() -> sip::Flow {
    let address = "10.0.0.1:5060".parse().unwrap();
    sip::Flow { transport: sip::Transport::Udp, local: address, remote: address, connection: 0 }
}

fn audio(send: bool) -> sip::sdp::Audio {
    sip::sdp::Audio {
        remote: "10.0.0.2:4000".parse().unwrap(),
        codec: sip::sdp::AudioCodec::Pcma,
        payload: 8,
        offered: None,
        dtmf: None,
        dtmf_clock: 8_000,
        events: vec![],
        send,
        receive: true,
        asks: sip::sdp::Asks::default(),
        rtcp_mux: false,
        shape: sip::sdp::Shape::default(),
    }
}

fn talks(call: &mut Call) {
    call.place = Place::Conversation;
    call.visits = 1;
    call.conversation = Some(Conversation::new(
        ConversationId { call: call.id, n: 1 },
        "acme/ana".parse().unwrap(),
        LegId { call: call.id, n: 2 },
        Now::default(),
    ));
}

fn third(call: &mut Call, role: Role, answered: bool) {
    let leg = answered.then_some(LegId { call: call.id, n: 4 });
    call.third = Some(Third { to: Party::Number(Pii::default()), role, from: None, leg });
}

fn consults(call: &mut Call, answered: bool) {
    talks(call);
    third(call, Role::Consulted { since: answered.then(Now::default) }, answered);
    if !answered {
        rung(call, Errand::Consult);
    }
}

fn rung(call: &mut Call, errand: Errand) {
    let reach = Reach { to: Party::Number(Pii::default()), open: 1, refusal: None, until: Instant::ZERO, holds: false };
    call.reaches.insert(errand, reach);
}

fn passed_on(call: &mut Call, visits: u16) {
    call.place = Place::Offer;
    call.visits = visits;
    call.passing = Some(Passing { by: "acme/ana".parse().unwrap(), refer: None, queue: None });
    rung(call, Errand::Transfer);
}

fn watched(call: &mut Call, mode: Monitor) {
    let who: Arc<str> = "desk".into();
    call.monitors.insert(supervisor(), Monitoring { who, mode, since: Some(Now::default()) });
}

/// `C:A A:C`, in the order of the legs; `music`, `ringback`, `flow` and `-` for what is no leg.
fn shown(call: &Call) -> String {
    let name = |leg: &LegId| ["", "C", "A", "S", "T", "e", "L"][usize::from(leg.n)];
    let heard = |(leg, hears): (&LegId, &Hears)| {
        let what = match hears {
            Hears::Flow => "flow".to_string(),
            Hears::Music => "music".to_string(),
            Hears::Ringback => "ringback".to_string(),
            Hears::Nothing => "-".to_string(),
            Hears::Legs(legs) => legs.iter().map(name).collect(),
        };
        format!("{}:{what}", name(leg))
    };
    hears(call).iter().map(heard).collect::<Vec<_>>().join(" ")
}

#[test]
fn each_row_of_the_table_holds() {
    type Change = fn(&mut Call);
    let rows: &[(&str, &str, Change, &str)] = &[
        ("in its flow", "C", |c| c.place = Place::Ivr, "C:flow"),
        ("waits, without a flow", "C", |c| c.place = Place::Queue, "C:music"),
        (
            "is greeted",
            "CA",
            |c| {
                talks(c);
                greeted(c)
            },
            "C:music A:-",
        ),
        ("talks", "CA", talks, "C:A A:C"),
        ("A holds", "Ca", talks, "C:music A:-"),
        ("C holds", "cA", talks, "C:- A:music"),
        ("both hold", "ca", talks, "C:- A:-"),
        ("consults, T rings", "CA", |c| consults(c, false), "C:music A:ringback"),
        ("consults, T has early media", "CAe", |c| consults(c, false), "C:music A:e e:-"),
        ("consults, T talks", "CAT", |c| consults(c, true), "C:music A:T T:A"),
        ("by a second dialog, T rings", "CaS", |c| consults(c, false), "C:music A:- S:-"),
        ("by a second dialog, early", "CaSe", |c| consults(c, false), "C:music A:- S:e e:-"),
        ("by a second dialog, T talks", "CaST", |c| consults(c, true), "C:music A:- S:T T:S"),
        (
            "conference",
            "CAT",
            |c| {
                talks(c);
                third(c, Role::Joined, true)
            },
            "C:AT A:CT T:CA",
        ),
        (
            "conference, A holds",
            "CaT",
            |c| {
                talks(c);
                third(c, Role::Joined, true)
            },
            "C:T A:- T:C",
        ),
        (
            "conference by a second dialog",
            "CaST",
            |c| {
                talks(c);
                third(c, Role::Joined, true)
            },
            "C:ST A:- S:CT T:CS",
        ),
        ("passed on", "C", |c| passed_on(c, 1), "C:music"),
        ("passed on, never waited", "C", |c| passed_on(c, 0), "C:ringback"),
        (
            "outside",
            "CT",
            |c| {
                c.place = Place::External;
                third(c, Role::Has, true)
            },
            "C:T T:C",
        ),
        ("own call rings", "A", own, "A:ringback"),
    ];
    for (row, legs, change, expected) in rows {
        assert_eq!(shown(&call(legs, *change)), *expected, "{row}");
    }
}

#[test]
fn a_supervisor_hears_whom_the_agent_hears_and_is_heard_as_the_mode_says() {
    type Change = fn(&mut Call);
    let rows: &[(&str, &str, Change, &str)] = &[
        (
            "listens",
            "CAL",
            |c| {
                talks(c);
                watched(c, Monitor::Listen)
            },
            "C:A A:C L:CA",
        ),
        (
            "whispers",
            "CAL",
            |c| {
                talks(c);
                watched(c, Monitor::Whisper)
            },
            "C:A A:CL L:CA",
        ),
        (
            "barges in",
            "CAL",
            |c| {
                talks(c);
                watched(c, Monitor::Barge)
            },
            "C:AL A:CL L:CA",
        ),
        (
            "whispers to a second dialog",
            "CaSTL",
            |c| {
                consults(c, true);
                watched(c, Monitor::Whisper)
            },
            "C:music A:- S:TL T:S L:ST",
        ),
        (
            "barges in on hold",
            "CaL",
            |c| {
                talks(c);
                watched(c, Monitor::Barge)
            },
            "C:L A:- L:CA",
        ),
        (
            "nobody speaks",
            "CL",
            |c| {
                passed_on(c, 1);
                watched(c, Monitor::Barge)
            },
            "C:music L:-",
        ),
        (
            "outside",
            "CTL",
            |c| {
                third(c, Role::Has, true);
                watched(c, Monitor::Listen)
            },
            "C:T T:C L:CT",
        ),
    ];
    for (row, legs, change, expected) in rows {
        assert_eq!(shown(&call(legs, *change)), *expected, "{row}");
    }
}

#[test]
fn whoever_hears_legs_hears_none_twice_and_never_itself() {
    let scenes = [
        call("CAST", |c| consults(c, true)),
        call("CATL", |c| {
            talks(c);
            third(c, Role::Joined, true);
            watched(c, Monitor::Barge)
        }),
    ];
    for call in scenes {
        for (leg, heard) in hears(&call) {
            let Hears::Legs(legs) = heard else { continue };
            let mut once = legs.clone();
            once.sort();
            once.dedup();
            assert!(once.len() == legs.len() && !legs.contains(&leg), "{leg} hears {legs:?}");
        }
    }
}

fn greeted(call: &mut Call) {
    call.conversation.iter_mut().for_each(|c| c.greeting = Some(1));
}

fn own(call: &mut Call) {
    call.place = Place::External;
    call.own = Some(Own { agent: "acme/ana".parse().unwrap(), act: OwnAct::Call(Party::Number(Pii::default())) });
    rung(call, Errand::FarEnd);
}
