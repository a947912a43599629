//! The people: who calls, who is called, and agents' phones.

pub mod callers;
pub mod desk;
pub mod dialled;
pub mod outside;
pub mod phones;
pub mod register;
pub mod rung;

use crate::dice::Dice;
use sip::sdp::{self, Direction, Local};
use sip::{Input, Refusal, SessionId};

/// What most people of a day have in mind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Usual,
    /// To be called back, and then not to be there: what takes two failures of one customer is too rare in other days.
    Callbacks,
}

impl Mood {
    pub fn drawn(dice: &mut Dice) -> Mood {
        if dice.percent(15) { Mood::Callbacks } else { Mood::Usual }
    }
}

/// One side of a call as its own end has it.
pub struct Leg {
    pub local: Local,
    /// The peer's offer, until it is answered.
    pub offer: Vec<u8>,
    pub call_id: String,
    /// It was answered.
    pub up: bool,
}

impl Leg {
    pub fn new(local: Local, offer: Vec<u8>, call_id: &str) -> Self {
        Leg { local, offer, call_id: call_id.into(), up: false }
    }

    /// 200, if there is something to answer.
    pub fn answer(&mut self, session: SessionId) -> Option<Input> {
        self.up = true;
        Some(Input::Answer { session, sdp: sdp::answer(&self.offer, &self.local).ok()?.0 })
    }

    /// A provisional, with audio or without.
    pub fn ring(&self, session: SessionId, early: bool) -> Option<Input> {
        let sdp = if early { Some(sdp::answer(&self.offer, &self.local).ok()?.0) } else { None };
        Some(Input::Ring { session, status: if early { 183 } else { 180 }, sdp })
    }

    /// A re-INVITE: held, resumed, or as it was.
    pub fn reoffer(&mut self, session: SessionId, held: Option<bool>) -> Input {
        self.local.version += 1;
        match held {
            Some(true) => self.local.direction = Direction::SendOnly,
            Some(false) => self.local.direction = Direction::SendRecv,
            None => {}
        }
        Input::Reoffer { session, sdp: sdp::offer(&self.local) }
    }

    /// The centre asks for another agreement; people agree to everything.
    pub fn agree(&mut self, session: SessionId, offer: Option<&[u8]>) -> Option<Input> {
        self.local.version += 1;
        let sdp = offer.map_or(Some(sdp::offer(&self.local)), |offer| Some(sdp::answer(offer, &self.local).ok()?.0))?;
        Some(Input::AnswerReoffer { session, sdp })
    }
}

pub fn refuse(session: SessionId, status: u16) -> Input {
    Input::Reject { session, refusal: Refusal { status, phrase: None, reason: None, retry_after: None } }
}
