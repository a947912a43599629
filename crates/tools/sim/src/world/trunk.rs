//! The trunk: who calls, and who is called outside.

use super::{Event, PersonActs, World};
use crate::checks::Checked;
use crate::dice::Dice;
use crate::people::callers::{self, CALLS_AGAIN, Call, HANGS_UP, Person, Plan};
use crate::people::{Leg, outside, refuse};
use crate::script::{ActId, Actor};
use crate::wire::{CENTRE, Said};
use engine::Input;
use sip::SessionId;
use sip::sdp::Local;
use std::net::SocketAddr;

impl World {
    pub(super) fn on_call_comes(&mut self, n: u32) -> Checked {
        if self.closing {
            return Ok(());
        }
        let id = ActId::new(Actor::Caller, n, 0);
        let mut dice = Dice::of(self.plan.seed, id);
        let lull = callers::lull(&mut dice, self.mood, self.busy);
        self.later(lull, Event::CallComes { n: n + 1 });
        let call = Call::drawn(&mut dice, self.mood);
        self.somebody_calls(id, call, dice)
    }

    fn somebody_calls(&mut self, id: ActId, call: Call, mut dice: Dice) -> Checked {
        if !self.script.may(id, self.at, || call.to_string()) {
            return Ok(());
        }
        let rtp = self.next_rtp();
        let (session, invite, leg) = call.invite(&mut self.trunk, rtp, &mut dice);
        let patience = callers::patience(&mut dice);
        self.persons.insert(session, Person { id, leg, call: Some(call) });
        let id = ActId { step: HANGS_UP, ..id };
        self.later(patience, Event::Person { session, id, act: PersonActs::HangsUp });
        self.trunk(invite)
    }

    fn next_rtp(&mut self) -> u16 {
        self.rtp = (self.rtp + 1) % 10_000;
        30_000 + 2 * self.rtp
    }

    pub(super) fn trunk(&mut self, input: sip::Input) -> Checked {
        let entropy = self.entropy();
        for said in self.trunk.handle(self.at, entropy, input) {
            match said {
                Said::Send(bytes) => self.transmit(self.trunk.address, SocketAddr::from(CENTRE), bytes),
                Said::Sip(output) => self.on_trunk(output)?,
                Said::Transferred { .. } => {}
            }
        }
        Ok(())
    }

    fn on_trunk(&mut self, output: sip::Output) -> Checked {
        match output {
            sip::Output::Answered { session, .. } => self.on_caller_answered(session),
            sip::Output::Incoming { session, invite, .. } => {
                self.on_called_outside(session, &invite);
                Ok(())
            }
            sip::Output::Reoffered { session, sdp } => {
                let agreed = self.persons.get_mut(&session).and_then(|p| p.leg.agree(session, sdp.as_deref()));
                agreed.map_or(Ok(()), |input| self.trunk(input))
            }
            sip::Output::Ended { session, by, .. } => {
                self.on_person_gone(session, by);
                Ok(())
            }
            sip::Output::Failed { session, .. } => {
                self.persons.remove(&session);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn on_caller_answered(&mut self, session: SessionId) -> Checked {
        let Some(person) = self.persons.get_mut(&session) else { return Ok(()) };
        person.leg.up = true;
        let (id, Some(call)) = (person.id, &person.call) else { return Ok(()) };
        let mut dice = Dice::of(self.plan.seed, id.step(1));
        for (n, (after, plan)) in callers::plans(&mut dice, call, self.mood).into_iter().enumerate() {
            let act = PersonActs::Caller(plan);
            self.later(after, Event::Person { session, id: id.step(n + 1), act });
        }
        Ok(())
    }

    /// A callback, or a call that is passed on to somebody outside.
    fn on_called_outside(&mut self, session: SessionId, invite: &sip::IncomingInvite) {
        self.called_outside += 1;
        let id = ActId::new(Actor::Outside, self.called_outside, 0);
        let mut dice = Dice::of(self.plan.seed, id);
        let local = Local::new(self.trunk.address.ip(), self.next_rtp(), dice.below(1 << 40));
        let leg = Leg::new(local, invite.offer.as_deref().unwrap_or_default().to_vec(), &invite.call_id);
        self.persons.insert(session, Person { id, leg, call: None });
        for (n, (after, plan)) in outside::plans(&mut dice, self.mood).into_iter().enumerate() {
            let act = PersonActs::Called(plan);
            self.later(after, Event::Person { session, id: id.step(n), act });
        }
    }

    /// Whom something cut off calls again, perhaps soon enough for the old place.
    fn on_person_gone(&mut self, session: SessionId, by: sip::EndedBy) {
        let Some(person) = self.persons.remove(&session) else { return };
        let Some(call) = person.call.filter(|_| by != sip::EndedBy::Us && !self.closing) else { return };
        let id = ActId { step: CALLS_AGAIN, ..person.id };
        let mut dice = Dice::of(self.plan.seed, id);
        if dice.percent(60) {
            let after = if dice.percent(60) { dice.seconds(1, 12) } else { dice.seconds(10, 70) };
            self.later(after, Event::Person { session, id, act: PersonActs::CallsAgain(call) });
        }
    }

    pub(super) fn on_person(&mut self, session: SessionId, id: ActId, act: PersonActs) -> Checked {
        if let PersonActs::CallsAgain(call) = act {
            self.calls_again += 1;
            let id = ActId::new(Actor::Again, self.calls_again, 0);
            let dice = Dice::of(self.plan.seed, id);
            return if self.closing { Ok(()) } else { self.somebody_calls(id, call, dice) };
        }
        let Some(person) = self.persons.get_mut(&session) else { return Ok(()) };
        let rtp = person.rtp(self.trunk.address);
        let words = match &act {
            PersonActs::Caller(Plan::Key(key)) => format!("{} presses {key}", person.id),
            PersonActs::Caller(Plan::Hold(held)) => format!("{} {}", person.id, if *held { "holds" } else { "resumes" }),
            PersonActs::Caller(Plan::Refresh) => format!("{} offers again", person.id),
            PersonActs::Called(plan) => format!("{}, who is called outside, {}", person.id, plan.words()),
            PersonActs::HangsUp | PersonActs::CallsAgain(_) => format!("{} hangs up", person.id),
        };
        if !self.script.may(id, self.at, || words) {
            return Ok(());
        }
        let input = match act {
            PersonActs::Caller(Plan::Key(key)) => return self.key(rtp, key),
            PersonActs::Caller(Plan::Hold(held)) => Some(person.leg.reoffer(session, Some(held))),
            PersonActs::Caller(Plan::Refresh) => Some(person.leg.reoffer(session, None)),
            PersonActs::Called(outside::Plan::Ring { early }) => person.leg.ring(session, early),
            PersonActs::Called(outside::Plan::Answer) => person.leg.answer(session),
            PersonActs::Called(outside::Plan::Refuse(status)) => Some(refuse(session, status)),
            PersonActs::Called(outside::Plan::HangUp) | PersonActs::HangsUp | PersonActs::CallsAgain(_) => {
                Some(sip::Input::HangUp { session, reason: None })
            }
        };
        input.map_or(Ok(()), |input| self.trunk(input))
    }

    /// A key, as the media plane hears it.
    pub(super) fn key(&mut self, rtp: SocketAddr, key: char) -> Checked {
        match self.node.plane.leg_at(rtp) {
            Some(leg) => self.feed(Input::Media(media::Input::Digit { leg, key })),
            None => Ok(()),
        }
    }
}
