//! Agents' phones: what they do about a call, what they dial, and that they register.

use super::{Event, World};
use crate::checks::Checked;
use crate::dice::Dice;
use crate::people::dialled::Dialled;
use crate::people::phones::Phone;
use crate::people::register::EXPIRES;
use crate::people::rung::{self, Plan};
use crate::script::{ActId, Actor};
use crate::wire::{CENTRE, Said};
use bytes::Bytes;
use sip::{Message, Method, SessionId};
use std::net::SocketAddr;
use std::time::Duration;

impl World {
    pub(super) fn phone(&mut self, n: usize, input: sip::Input) -> Checked {
        let entropy = self.entropy();
        for said in self.phones[n].line.handle(self.at, entropy, input) {
            match said {
                Said::Send(bytes) => self.transmit_from_phone(n, bytes),
                Said::Sip(output) => self.on_phone_said(n, output)?,
                Said::Transferred { call_id, done } => self.on_transferred(n, &call_id, done)?,
            }
        }
        Ok(())
    }

    fn on_phone_said(&mut self, n: usize, output: sip::Output) -> Checked {
        match output {
            sip::Output::Incoming { session, invite, .. } => self.on_rings(n, session, &invite),
            sip::Output::Answered { session, .. } => {
                if let Some(leg) = self.phones[n].legs.get_mut(&session) {
                    leg.up = true;
                }
            }
            sip::Output::Reoffered { session, sdp } => {
                let agreed = self.phones[n].legs.get_mut(&session).and_then(|leg| leg.agree(session, sdp.as_deref()));
                return agreed.map_or(Ok(()), |input| self.phone(n, input));
            }
            sip::Output::Failed { session, .. } | sip::Output::Ended { session, .. } => {
                self.phones[n].legs.remove(&session);
            }
            _ => {}
        }
        Ok(())
    }

    fn on_rings(&mut self, n: usize, session: SessionId, invite: &sip::IncomingInvite) {
        let phone = &mut self.phones[n];
        let id = ActId::new(Actor::Rung(phone.number), Phone::counts(&mut phone.rung), 0);
        let mut dice = Dice::of(self.plan.seed, id);
        phone.begin(session, invite, &mut dice);
        let accepts_by_key = phone.agent.name() == "a2";
        for (step, (after, plan)) in rung::plans(&mut dice, accepts_by_key).into_iter().enumerate() {
            self.later(after, Event::Phone { phone: n, session, id: id.step(step), plan });
        }
    }

    pub(super) fn on_phone(&mut self, n: usize, session: SessionId, id: ActId, plan: Plan) -> Checked {
        if !self.phones[n].legs.contains_key(&session) {
            return Ok(());
        }
        let name = self.phones[n].name();
        if !self.script.may(id, self.at, || format!("{name}, call {}: {}", id.n, plan.words())) {
            return Ok(());
        }
        let mut dice = Dice::of(self.plan.seed, id.step(usize::from(id.step) + 100));
        let phone = &mut self.phones[n];
        let other = phone.other(session);
        let Some(leg) = phone.legs.get_mut(&session) else { return Ok(()) };
        let input = match plan {
            Plan::Ring => leg.ring(session, false),
            Plan::Answer => leg.answer(session),
            Plan::Refuse(status) => Some(crate::people::refuse(session, status)),
            Plan::Hold(held) => leg.up.then(|| leg.reoffer(session, Some(held))),
            Plan::Refresh => leg.up.then(|| leg.reoffer(session, None)),
            Plan::HangUp => Some(sip::Input::HangUp { session, reason: None }),
            Plan::Key(key) => {
                let rtp = phone.rtp(session);
                return rtp.map_or(Ok(()), |rtp| self.key(rtp, key));
            }
            Plan::Consult(to) => phone.dial(to, &mut dice).map(|(_, invite)| invite),
            Plan::Return => other.map(|session| sip::Input::HangUp { session, reason: None }),
            Plan::PassOn(to) => return self.refer(n, session, to, None, &mut dice),
            Plan::Join => return self.refer(n, session, "third", other, &mut dice),
        };
        input.map_or(Ok(()), |input| self.phone(n, input))
    }

    fn refer(&mut self, n: usize, session: SessionId, to: &str, other: Option<SessionId>, dice: &mut Dice) -> Checked {
        let phone = &mut self.phones[n];
        let call_id = phone.legs.get(&session).filter(|leg| leg.up).map(|leg| leg.call_id.clone());
        let replaces = other.and_then(|other| phone.legs.get(&other)).map(|leg| leg.call_id.clone());
        let refer = call_id.and_then(|id| phone.line.refer(self.at, to, &id, replaces.as_deref(), &dice.token()));
        if let Some(bytes) = refer {
            self.transmit_from_phone(n, bytes);
        }
        Ok(())
    }

    /// The phone heard how its transfer went. Some phones hang up then; all of them do not if it failed.
    fn on_transferred(&mut self, n: usize, call_id: &str, done: bool) -> Checked {
        let session = self.phones[n].legs.iter().find(|(_, leg)| leg.call_id == call_id).map(|(session, _)| *session);
        let mut dice = Dice::named(self.plan.seed ^ 0x7e, self.stirred);
        match session.filter(|_| done && dice.percent(70)) {
            Some(session) => self.phone(n, sip::Input::HangUp { session, reason: None }),
            None => Ok(()),
        }
    }

    pub(super) fn on_dials(&mut self, n: usize) -> Checked {
        let phone = &mut self.phones[n];
        let id = ActId::new(Actor::Dials(phone.number), Phone::counts(&mut phone.dialled), 0);
        let mut dice = Dice::of(self.plan.seed, id);
        let (lull, dialled) = (Dialled::lull(&mut dice), Dialled::drawn(&mut dice));
        self.later(lull, Event::Dials { phone: n });
        let name = self.phones[n].name();
        let there = self.phones[n].registration.is_some() && !self.closing;
        if !there || !self.script.may(id, self.at, || format!("{name} dials {}", dialled.number)) {
            return Ok(());
        }
        let Some((session, invite)) = self.phones[n].dial(dialled.number, &mut dice) else { return Ok(()) };
        for (step, (after, key)) in dialled.keys.into_iter().enumerate() {
            self.later(after, Event::Phone { phone: n, session, id: id.step(step + 2), plan: Plan::Key(key) });
        }
        self.later(dialled.hangs_up, Event::Phone { phone: n, session, id: id.step(1), plan: Plan::HangUp });
        self.phone(n, invite)
    }

    pub(super) fn on_register(&mut self, n: usize) -> Checked {
        let phone = &mut self.phones[n];
        let id = ActId::new(Actor::Phone(phone.number), Phone::counts(&mut phone.acts), 0);
        let mut dice = Dice::of(self.plan.seed, id);
        let Some(registration) = phone.registration.as_mut() else { return Ok(()) };
        let leaves = id.n > 1 && dice.percent(12) && !self.closing;
        let next = if leaves { dice.seconds(3, 60) } else { dice.seconds(20, u64::from(EXPIRES) - 5) };
        let name = format!("{}'s phone {}", phone.agent.name(), phone.number);
        let words = || format!("{name} {}", if leaves { "unregisters" } else { "registers" });
        if self.script.may(id, self.at, words) {
            let request = registration.ask(if leaves { 0 } else { EXPIRES }, phone.line.address, &mut dice);
            self.transmit_from_phone(n, request);
            self.later(Duration::from_secs(1), Event::RegisterAgain { phone: n });
        }
        self.later(next, Event::Register { phone: n });
        Ok(())
    }

    pub(super) fn on_register_again(&mut self, n: usize) -> Checked {
        if let Some(request) = self.phones[n].registration.as_ref().and_then(|r| r.unanswered()) {
            self.transmit_from_phone(n, request);
            self.later(Duration::from_secs(2), Event::RegisterAgain { phone: n });
        }
        Ok(())
    }

    pub(super) fn on_vanishes(&mut self, n: usize) -> Checked {
        let phone = &mut self.phones[n];
        let id = ActId::new(Actor::Phone(phone.number), Phone::counts(&mut phone.acts), 1);
        let mut dice = Dice::of(self.plan.seed, id);
        let (span, next) = (dice.seconds(3, 60), dice.seconds(60, 500));
        let name = phone.name();
        if self.script.may(id, self.at, || format!("{name} is gone for {} s", span.as_secs())) {
            self.phones[n].gone_until = self.at + span;
        }
        self.later(next, Event::Vanishes { phone: n });
        Ok(())
    }

    pub(super) fn on_phone_datagram(&mut self, n: usize, bytes: Bytes) -> Checked {
        let registers = |m: &Message| !m.is_request() && m.cseq().is_ok_and(|(_, method)| method == Method::Register);
        let stirred = self.stirred;
        let phone = &mut self.phones[n];
        if let (Some(registration), Ok(message)) = (&mut phone.registration, Message::parse(bytes.clone()))
            && registers(&message)
        {
            let mut dice = Dice::named(self.plan.seed ^ 0x4e6, stirred);
            if let Some(request) = registration.on_response(&message, phone.line.address, &mut dice) {
                self.transmit_from_phone(n, request);
            }
            return Ok(());
        }
        let flow = phone.line.flow();
        self.phone(n, sip::Input::Received { flow, bytes })
    }

    pub(super) fn transmit_from_phone(&mut self, n: usize, bytes: Bytes) {
        if self.phones[n].gone_until <= self.at {
            self.transmit(self.phones[n].line.address, SocketAddr::from(CENTRE), bytes);
        }
    }
}
