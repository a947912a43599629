//! Who hears what: one function of the call's state. The media plane is told what changed, by nobody else.
//!
//! C customer, A the agent's leg, S the agent's phone a second time, T the third, e: T's early media.
//!
//! | the call                                      | C               | A           | S       | T     |
//! |-----------------------------------------------|-----------------|-------------|---------|-------|
//! | in its flow, waits, is offered                | the flow        |             |         |       |
//! | the same without a flow                       | music           |             |         |       |
//! | an agent answered and is greeted              | the flow, music | the greeting|         |       |
//! | talks                                         | A               | C           |         |       |
//! | A holds; C holds                              | music; nothing  | nothing; music |      |       |
//! | consults by request: T rings, T talks         | music           | e, ringback; T |      | ; A   |
//! | consults by a second dialog: T rings, T talks | A or music; music | C or nothing; nothing | e; T | ; S |
//! | conference                                    | A S T           | C S T       | C A T   | C A S |
//! | passed on, rings                              | music; ringback if it never waited | |  |       |
//! | is sent outside by its flow: T rings          | the flow, e     |             |         |       |
//! | with somebody outside                         | T               |             |         | C     |
//! | the agent has it, the customer is called back |                 | e, ringback |         |       |
//! | an agent's own call, rings                    |                 | e, ringback |         |       |
//!
//! Who is on hold hears nothing, and is heard by nobody; who is left alone by that hears music. A supervisor hears
//! those who speak with the agent (or with each other, outside) and the agent; whispering, the agent hears the
//! supervisor too; barging in, all do.

use crate::Place;
use crate::call::Call;
use crate::centre::Centre;
use crate::leg::{Leg, Purpose};
use crate::party::{Errand, Role};
use base::fact::Monitor;
use base::{CallId, LegId};
use media::{Command, Tone};
use std::collections::BTreeMap;

/// What the side that waits hears.
const MUSIC: &str = "music/hold";

/// What one leg hears, beside what is played to it once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hears {
    /// What the flow plays.
    Flow,
    Legs(Vec<LegId>),
    Music,
    Ringback,
    Nothing,
}

/// What each leg that has audio hears.
pub fn hears(call: &Call) -> BTreeMap<LegId, Hears> {
    let together = together(call);
    let with_audio = call.legs.values().filter(|leg| leg.audio.is_some());
    let mut told: BTreeMap<LegId, Hears> = with_audio.map(|leg| (leg.id, alone(call, leg))).collect();
    for leg in &together {
        told.insert(*leg, among(call, *leg, &together));
    }
    listen_in(call, &together, &mut told);
    told
}

/// The legs that speak with each other: those of the agent, or those outside the centre.
pub fn together(call: &Call) -> Vec<LegId> {
    let third = call.third.as_ref();
    let second = call.second().filter(|leg| leg.up).map(|leg| leg.id);
    let speaking = match (&call.conversation, third.map(|t| t.role)) {
        (Some(c), _) if c.greeting.is_some() => vec![],
        (Some(c), Some(Role::Consulted { .. })) => match (second, third.and_then(|t| t.leg)) {
            (second, Some(third)) => vec![Some(second.unwrap_or(c.leg)), Some(third)],
            (None, None) if call.second().is_none() => vec![],
            (_, None) => vec![call.customer, Some(c.leg)],
        },
        (Some(c), Some(_)) => vec![call.customer, Some(c.leg), second, third.and_then(|t| t.leg)],
        // The customer is yet to be dialled.
        (Some(_), None) if call.customer.is_none() => vec![],
        (Some(c), None) => vec![call.customer, Some(c.leg)],
        (None, Some(Role::Has)) => vec![call.customer, third.and_then(|t| t.leg)],
        (None, _) => vec![],
    };
    let has_audio = |leg: &LegId| call.legs.get(leg).is_some_and(|leg| leg.audio.is_some());
    speaking.into_iter().flatten().filter(has_audio).collect()
}

/// One of those who speak together.
fn among(call: &Call, leg: LegId, together: &[LegId]) -> Hears {
    let holds = |leg: &LegId| call.legs.get(leg).is_some_and(Leg::on_hold);
    if holds(&leg) {
        return Hears::Nothing;
    }
    let others: Vec<LegId> = together.iter().copied().filter(|other| *other != leg && !holds(other)).collect();
    match (others.is_empty(), together.len()) {
        (false, _) => Hears::Legs(others),
        (true, 1) => Hears::Nothing,
        (true, _) => Hears::Music,
    }
}

/// A leg with nobody to speak with.
fn alone(call: &Call, leg: &Leg) -> Hears {
    let early = |errand: Errand| call.legs.values().find(|l| l.is_early() && l.purpose == Purpose::Reached(errand.clone()));
    let rings = |errand: Errand| early(errand).map_or(Hears::Ringback, |leg| Hears::Legs(vec![leg.id]));
    match leg.purpose {
        Purpose::Customer => early(Errand::Forward).map_or_else(|| customer_alone(call), |leg| Hears::Legs(vec![leg.id])),
        Purpose::Agent => match &call.conversation {
            Some(c) if c.leg == leg.id && call.reaches.contains_key(&Errand::Consult) && call.second().is_none() => {
                rings(Errand::Consult)
            }
            Some(_) if call.reaches.contains_key(&Errand::Customer) => rings(Errand::Customer),
            None if leg.up => rings(Errand::FarEnd),
            None => early(Errand::FarEnd).map_or(Hears::Nothing, |leg| Hears::Legs(vec![leg.id])),
            Some(_) => Hears::Nothing,
        },
        Purpose::Second => early(Errand::Consult).map_or(Hears::Nothing, |leg| Hears::Legs(vec![leg.id])),
        _ => Hears::Nothing,
    }
}

fn customer_alone(call: &Call) -> Hears {
    let greeted = call.conversation.as_ref().is_some_and(|c| c.greeting.is_some());
    match call.place {
        Place::Conversation if !greeted => Hears::Music,
        _ if call.passing.is_some() && call.visit.is_none() && call.place != Place::Queue => {
            if call.visits > 0 {
                Hears::Music
            } else {
                Hears::Ringback
            }
        }
        Place::Conversation | Place::Queue | Place::Offer if call.flow.is_none() => Hears::Music,
        Place::External => Hears::Music,
        _ => Hears::Flow,
    }
}

fn listen_in(call: &Call, together: &[LegId], told: &mut BTreeMap<LegId, Hears>) {
    let Some(agents) = agents(call, together) else { return };
    for leg in call.legs.values() {
        let (Purpose::Monitor(supervisor), true) = (&leg.purpose, leg.up && leg.audio.is_some()) else { continue };
        let Some(mode) = call.monitors.get(supervisor).map(|m| m.mode) else { continue };
        hear_too(told, leg.id, together);
        let hearers = match mode {
            Monitor::Listen => &[],
            Monitor::Whisper => agents.as_slice(),
            Monitor::Barge => together,
        };
        for hearer in hearers.iter().filter(|hearer| !call.legs.get(hearer).is_some_and(Leg::on_hold)) {
            hear_too(told, *hearer, &[leg.id]);
        }
    }
}

/// The agent's legs among those who speak; `None` if nobody speaks.
fn agents(call: &Call, together: &[LegId]) -> Option<Vec<LegId>> {
    let of_agent = |leg: &LegId| call.legs.get(leg).is_some_and(|l| matches!(l.purpose, Purpose::Agent | Purpose::Second));
    (!together.is_empty()).then(|| together.iter().copied().filter(of_agent).collect())
}

fn hear_too(told: &mut BTreeMap<LegId, Hears>, leg: LegId, others: &[LegId]) {
    match told.get_mut(&leg) {
        Some(Hears::Legs(legs)) => legs.extend(others),
        Some(hears) => *hears = Hears::Legs(others.to_vec()),
        None => {}
    }
}

impl Centre {
    /// Brings the media plane, the clock of holds, the recording and the timers in step with the call's state.
    pub(crate) fn relink(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let told = hears(call);
        let before = std::mem::replace(&mut call.heard, told.clone());
        for (leg, now) in &told {
            let was = before.get(leg).unwrap_or(&Hears::Nothing);
            if was != now {
                self.tell_hears(*leg, was, now);
            }
        }
        self.count_hold(id);
        self.record_voices(id);
        self.rearm(id);
    }

    fn tell_hears(&mut self, leg: LegId, was: &Hears, now: &Hears) {
        let heard_legs = matches!(was, Hears::Legs(_));
        let others = match now {
            Hears::Legs(legs) => Some(legs.clone()),
            _ => heard_legs.then(Vec::new),
        };
        if let Some(others) = others {
            self.tell_media(Command::Hear { leg, others });
        }
        match now {
            Hears::Music => self.tell_media(Command::Loop { leg, prompt: MUSIC.into() }),
            Hears::Ringback => self.tell_media(Command::LoopTone { leg, tone: Tone::Ringback }),
            Hears::Nothing | Hears::Flow if matches!(was, Hears::Music | Hears::Ringback) => {
                self.tell_media(Command::Stop { leg });
            }
            Hears::Nothing if *was == Hears::Flow => self.tell_media(Command::Stop { leg }),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
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
            dtmf: None,
            send,
            receive: true,
            ptime: None,
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
        call.third = Some(Third { to: Party::Number(Pii::default()), role, leg });
    }

    fn consults(call: &mut Call, answered: bool) {
        talks(call);
        third(call, Role::Consulted { since: answered.then(Now::default) }, answered);
        if !answered {
            rung(call, Errand::Consult);
        }
    }

    fn rung(call: &mut Call, errand: Errand) {
        let reach = Reach { to: Party::Number(Pii::default()), open: 1, refusal: None, until: Instant::ZERO };
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
}
