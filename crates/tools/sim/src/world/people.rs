//! Callers and phones: what they do, and what their SIP endpoints say about it.

use super::{Event, World};
use crate::callers::{self, Callers};
use crate::line::CENTRE;
use crate::phones::Phone;
use crate::register::EXPIRES;
use bytes::Bytes;
use engine::Input;
use sip::{Message, Method, SessionId};
use std::net::SocketAddr;
use std::time::Duration;

impl World {
    pub(super) fn on_call_comes(&mut self) -> Result<(), String> {
        if self.closing {
            return Ok(());
        }
        let lull = callers::lull(&mut self.dice, self.busy);
        self.later(lull, Event::CallComes);
        let (session, invite) = self.callers.dial(&mut self.dice);
        let patience = callers::patience(&mut self.dice);
        self.later(patience, Event::Caller { session, plan: callers::Plan::HangUp });
        self.trunk(invite)
    }

    pub(super) fn trunk(&mut self, input: sip::Input) -> Result<(), String> {
        let said = self.callers.line.handle(self.at, self.dice.entropy(), input);
        for output in said {
            match output {
                sip::Output::Transmit { bytes, .. } => {
                    self.transmit(self.callers.line.address, SocketAddr::from(CENTRE), bytes);
                }
                sip::Output::Answered { session, .. } => {
                    for (after, plan) in Callers::plans(&mut self.dice) {
                        self.later(after, Event::Caller { session, plan });
                    }
                }
                sip::Output::Reoffered { session, sdp } => {
                    if let Some(input) = self.callers.agree(session, sdp.as_deref()) {
                        self.trunk(input)?;
                    }
                }
                sip::Output::Failed { session, .. } | sip::Output::Ended { session, .. } => self.callers.forget(session),
                _ => (),
            }
        }
        Ok(())
    }

    pub(super) fn on_caller(&mut self, session: SessionId, plan: callers::Plan) -> Result<(), String> {
        let Some(caller) = self.callers.get(session) else { return Ok(()) };
        match plan {
            callers::Plan::HangUp => self.trunk(sip::Input::HangUp { session, reason: None }),
            callers::Plan::Key(key) => match self.node.plane.leg_at(caller.rtp) {
                Some(leg) => self.feed(Input::Media(media::Input::Digit { leg, key })),
                None => Ok(()),
            },
            callers::Plan::Hold(held) => match self.callers.hold(session, held) {
                Some(input) => self.trunk(input),
                None => Ok(()),
            },
        }
    }

    pub(super) fn phone(&mut self, n: usize, input: sip::Input) -> Result<(), String> {
        let said = self.phones[n].line.handle(self.at, self.dice.entropy(), input);
        for output in said {
            match output {
                sip::Output::Transmit { bytes, .. } => self.transmit_from_phone(n, bytes),
                sip::Output::Incoming { session, invite, .. } => {
                    for (after, plan) in self.phones[n].rung(session, invite.offer.as_deref(), &mut self.dice) {
                        self.later(after, Event::Phone { phone: n, session, plan });
                    }
                }
                sip::Output::Reoffered { session, sdp } => {
                    if let Some(input) = self.phones[n].agree(session, sdp.as_deref()) {
                        self.phone(n, input)?;
                    }
                }
                sip::Output::Failed { session, .. } | sip::Output::Ended { session, .. } => self.phones[n].forget(session),
                _ => (),
            }
        }
        Ok(())
    }

    pub(super) fn on_register(&mut self, n: usize) -> Result<(), String> {
        let Phone { registration: Some(registration), line, .. } = &mut self.phones[n] else { return Ok(()) };
        let leaves = self.dice.percent(10) && !self.closing;
        let request = registration.ask(if leaves { 0 } else { EXPIRES }, line.address, &mut self.dice);
        self.transmit_from_phone(n, request);
        let next = if leaves { self.dice.seconds(5, 60) } else { self.dice.seconds(30, u64::from(EXPIRES) - 5) };
        self.later(next, Event::Register { phone: n });
        self.later(Duration::from_secs(1), Event::RegisterAgain { phone: n });
        Ok(())
    }

    pub(super) fn on_register_again(&mut self, n: usize) -> Result<(), String> {
        if let Some(request) = self.phones[n].registration.as_ref().and_then(|r| r.unanswered()) {
            self.transmit_from_phone(n, request);
            self.later(Duration::from_secs(2), Event::RegisterAgain { phone: n });
        }
        Ok(())
    }

    pub(super) fn on_phone_datagram(&mut self, n: usize, bytes: Bytes) -> Result<(), String> {
        let registers = |m: &Message| !m.is_request() && m.cseq().is_ok_and(|(_, method)| method == Method::Register);
        let phone = &mut self.phones[n];
        if let (Some(registration), Ok(message)) = (&mut phone.registration, Message::parse(bytes.clone()))
            && registers(&message)
        {
            if let Some(request) = registration.on_response(&message, phone.line.address, &mut self.dice) {
                self.transmit_from_phone(n, request);
            }
            return Ok(());
        }
        let flow = self.phones[n].line.flow();
        self.phone(n, sip::Input::Received { flow, bytes })
    }

    pub(super) fn transmit_from_phone(&mut self, n: usize, bytes: Bytes) {
        if self.phones[n].gone_until <= self.at {
            self.transmit(self.phones[n].line.address, SocketAddr::from(CENTRE), bytes);
        }
    }
}
