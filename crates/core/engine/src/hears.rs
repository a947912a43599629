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
//! | consults a queue, until one of its agents talks | music     | music       |         |       |
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
use crate::leg::{Leg, Purpose};
use crate::party::{Errand, Role};
use base::LegId;
use base::fact::Monitor;
use std::collections::BTreeMap;

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
            Some(c) if c.leg == leg.id && call.asks_a_queue() => Hears::Music,
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

#[cfg(test)]
mod tests;
